#include "transfer/foreign_sources.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "io/hashing.h"

namespace logboom::transfer {
namespace {

// In a source's state, in the place of a file's guard bytes: the message that comes next.
constexpr std::string_view kNext = "next message ";

SourceId source_of(const std::string& topic, std::int32_t partition) {
  return xxh3_128(fmt::format("kafka\n{}\n{}", topic, partition));
}

std::int64_t next_of(const SourceState& state) {
  std::int64_t next = 0;
  if (!state.guard.starts_with(kNext)) return next;
  std::from_chars(state.guard.data() + kNext.size(), state.guard.data() + state.guard.size(), next);
  return next;
}

// One record: the value as it is, and an LF.
void add_record(const std::string& value, Batch& batch) {
  batch.bytes = value + '\n';
  Record record;
  record.length = static_cast<std::uint32_t>(value.size());
  record.lines = 1 + static_cast<std::uint32_t>(std::count(value.begin(), value.end(), '\n'));
  if (value.find('\0') != std::string::npos) record.flags |= Record::kBinary;
  batch.records.push_back(record);
  if (value.starts_with('{')) batch.format = Format::kJson;
}

}  // namespace

bool ForeignSources::begins(const Foreign& message) {
  MutexLock lock(mutex_);
  const auto at = partitions_.find({message.topic, message.partition});
  return at == partitions_.end() || at->second.term != message.term;
}

void ForeignSources::begin(const Foreign& message, const std::vector<KnownSource>& known) {
  Partition partition;
  partition.term = message.term;
  const SourceId source = source_of(message.topic, message.partition);
  for (const KnownSource& held : known) {
    if (held.source != source || held.channel != message.topic) continue;
    partition.base = held.epoch;
    // State and place belong together: what is stored beyond them, of batches that are not whole, comes again.
    partition.next = next_of(held.state);
    partition.end = partition.next > 0 ? held.state.position : held.coverage.end();
  }
  partition.epoch = partition.base;
  MutexLock lock(mutex_);
  partitions_[{message.topic, message.partition}] = std::move(partition);
}

// A topic made anew is a new epoch.
ForeignSources::Partition& ForeignSources::partition(const Foreign& message) {
  Partition& partition = partitions_[{message.topic, message.partition}];
  const std::uint32_t epoch = partition.base + message.life;
  if (epoch != partition.epoch) {
    Partition anew;
    anew.term = partition.term;
    anew.base = partition.base;
    anew.epoch = epoch;
    partition = std::move(anew);
  }
  return partition;
}

std::optional<Batch> ForeignSources::batch_of(const Foreign& message) {
  MutexLock lock(mutex_);
  Partition& to = partition(message);
  if (const auto place = to.places.find(message.offset); place != to.places.end())
    return at_place(message, to, place->second);
  if (message.offset < to.next) return std::nullopt;
  to.places.emplace(message.offset, to.end);
  Batch batch = at_place(message, to, to.end);
  to.end = batch.end;
  to.next = message.offset + std::max<std::int64_t>(1, message.lost);
  return batch;
}

void ForeignSources::stored(const std::string& topic, std::int32_t partition, std::int64_t offset) {
  MutexLock lock(mutex_);
  const auto at = partitions_.find({topic, partition});
  if (at != partitions_.end()) at->second.places.erase(offset);
}

Batch ForeignSources::at_place(const Foreign& message, Partition& partition, std::uint64_t begin) {
  Batch batch;
  batch.source = source_of(message.topic, message.partition);
  batch.epoch = partition.epoch;
  batch.channel = message.topic;
  batch.begin = begin;
  batch.cause = message.problem;
  batch.arrival = message.time != 0 ? message.time : clock_.now();
  std::int64_t messages = 1;
  if (message.lost > 0) {  // how many bytes they had nobody knows: each counts as one
    batch.disposition = Disposition::kGap;
    batch.end = begin + static_cast<std::uint64_t>(message.lost);
    messages = message.lost;
  } else if (!message.problem.empty()) {
    batch.disposition = Disposition::kQuarantined;
    batch.bytes = message.value.empty() ? "\n" : message.value;
    batch.end = begin + batch.bytes.size();
  } else {
    add_record(message.value, batch);
    batch.end = begin + batch.bytes.size();
    parse::annotate(batch, 0, partition.carry);
  }
  batch.state.path = fmt::format("kafka://{}/{}", message.topic, message.partition);
  batch.state.host = "kafka";
  batch.state.format = batch.format;
  batch.state.position = batch.state.size = batch.end;
  batch.state.guard = fmt::format("{}{}", kNext, message.offset + messages);
  return batch;
}

}  // namespace logboom::transfer
