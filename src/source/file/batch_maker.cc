#include "source/file/batch_maker.h"

#include <algorithm>
#include <ctime>
#include <map>

#include "source/file/identity/identity.h"

namespace logboom::source {
namespace {

// Moves the records a rule leaves out from batch.records to batch.drops.
class Dropping {
 public:
  Dropping(Batch& batch, const RecordFilter& filter, bool dropping_fragment)
      : batch_(batch), filter_(filter), dropping_(dropping_fragment) {}

  // Returns whether the last record is a fragment that was left out.
  bool run() {
    std::vector<Record> kept;
    kept.reserve(batch_.records.size());
    for (const Record& record : batch_.records) {
      // The fragments of one line share the fate of the first.
      if ((record.flags & Record::kContinuation) == 0)
        cause_ = filter_.reject(batch_.text(record)), dropping_ = cause_ >= 0;
      if (dropping_)
        drop(record);
      else
        kept.push_back(record);
    }
    const bool open = !batch_.records.empty() && (batch_.records.back().flags & Record::kFragment) != 0;
    batch_.records = std::move(kept);
    return dropping_ && open;
  }

 private:
  void drop(const Record& record) {
    const std::uint32_t cause = cause_index();
    const std::uint32_t begin = record.begin - record.blank;
    if (!batch_.drops.empty() && batch_.drops.back().end == begin && batch_.drops.back().cause == cause) {
      batch_.drops.back().end = record.end();
      batch_.drops.back().lines += record.lines;
    } else {
      batch_.drops.push_back({begin, record.end(), record.lines, cause});
    }
  }

  std::uint32_t cause_index() {
    // A continuation whose beginning was in an earlier batch no longer knows its pattern.
    const std::string& name = filter_.causes()[static_cast<std::size_t>(std::max(cause_, 0))];
    const auto found = std::find(batch_.drop_causes.begin(), batch_.drop_causes.end(), name);
    const auto index = static_cast<std::uint32_t>(found - batch_.drop_causes.begin());
    if (index == batch_.drop_causes.size()) batch_.drop_causes.push_back(name);
    return index;
  }

  Batch& batch_;
  const RecordFilter& filter_;
  bool dropping_;
  int cause_ = -1;
};

void feed_chain(Stream& stream, std::uint64_t begin, std::string_view bytes) {
  MarkChain& chain = stream.chain;
  const std::uint64_t end = begin + bytes.size();
  if (end <= chain.end()) return;  // read again: the marks are there
  if (begin > chain.end()) {  // bytes between were not kept (only after damage); the link stands for a range not read
    if (end - chain.end() > kMaxLink) chain.skip(end - chain.end());
    return;
  }
  chain.add(bytes.substr(chain.end() - begin));
  chain.commit_point();
}

}  // namespace

std::string next_guard(std::string_view guard, std::string_view bytes) {
  if (bytes.size() >= kGuardBytes) return std::string(bytes.substr(bytes.size() - kGuardBytes));
  std::string out(guard);
  out += bytes;
  if (out.size() > kGuardBytes) out.erase(0, out.size() - kGuardBytes);
  return out;
}

Batch BatchMaker::blank(const TrackedSource& source, const Stream& stream) {
  Batch batch;
  batch.source = source.id;
  batch.epoch = source.epoch;
  batch.channel = stream.channel;
  batch.begin = batch.end = stream.position;
  batch.arrival = clock_.now();
  batch.format = stream.format.value_or(Format::kText);
  if (stream.rule) {
    batch.rule = stream.rule->rule.name;
    batch.rule_revision = stream.rule->revision;
    batch.fields = stream.rule->rule.fields;
  }
  SourceState& state = batch.state;
  state.identity = source.identity;
  state.path = source.path();
  state.host = host_;
  state.group = rotation_group(source.matched_path);
  state.finished = source.finished;
  state.binary = source.binary;
  state.flagged = source.flagged;
  state.inherited = stream.base;
  state.folder = source.real_folder;
  state.format = batch.format;
  state.position = stream.position;
  state.guard = stream.guard;
  state.size = std::max(source.size, stream.position);
  return batch;
}

std::int32_t BatchMaker::zone_seconds(TimeNs now) {
  if (zone_checked_ == 0 || now - zone_checked_ > 60 * kNsPerSecond || now < zone_checked_) {
    const std::time_t seconds = now / kNsPerSecond;
    std::tm local{};
    localtime_r(&seconds, &local);
    zone_seconds_ = static_cast<std::int32_t>(local.tm_gmtoff);
    zone_checked_ = now;
  }
  return zone_seconds_;
}

std::optional<Batch> BatchMaker::records(const TrackedSource& source, Stream& stream, std::string& bytes,
                                         parse::AtEnd at_end, MemoryBudget::Lease& lease, std::string& held) {
  std::vector<Record> records;
  stream.carry.format = stream.format.value_or(Format::kText);
  stream.carry.offset = stream.position;
  const auto split = stream.rule->splitter->split(bytes, at_end, stream.carry, records);
  stream.lone_line_held = split.lone_line_held;
  if (split.consumed == 0) return std::nullopt;
  Batch batch = blank(source, stream);
  held = bytes.substr(split.consumed);
  bytes.resize(split.consumed);
  if (bytes.capacity() / 2 > bytes.size()) bytes.shrink_to_fit();
  lease.shrink(bytes.size());
  batch.bytes = std::move(bytes);
  batch.lease = std::move(lease);
  batch.records = std::move(records);
  batch.trailing_blank = split.trailing_blank;
  batch.end = batch.begin + batch.bytes.size();
  stream.times.plain = stream.rule->rule.format == config::FormatChoice::kText;
  parse::annotate(batch, zone_seconds(batch.arrival), stream.times);
  if (!stream.rule->filter->keeps_all()) {
    stream.dropping_fragment = Dropping(batch, *stream.rule->filter, stream.dropping_fragment).run();
  }
  feed_chain(stream, batch.begin, batch.bytes);
  batch.marks = stream.chain.inside(batch.begin, batch.end);
  stream.guard = next_guard(stream.guard, batch.bytes);
  stream.position = batch.end;
  batch.state.position = batch.end;
  batch.state.guard = stream.guard;
  batch.state.size = std::max(source.size, batch.end);
  return batch;
}

Batch BatchMaker::range(const TrackedSource& source, Stream& stream, std::uint64_t end, Disposition disposition,
                        std::string cause, std::string guard) {
  Batch batch = blank(source, stream);
  batch.end = end;
  batch.disposition = disposition;
  batch.cause = std::move(cause);
  if (end > stream.chain.end() && end - stream.chain.end() > kMaxLink) {
    stream.chain.skip(end - stream.chain.end());
  } else if (disposition == Disposition::kHole && end > stream.chain.end()) {
    stream.chain.add(std::string(end - stream.chain.end(), '\0'));
    stream.chain.commit_point();
  }
  batch.marks = stream.chain.inside(batch.begin, batch.end);
  stream.guard = std::move(guard);
  stream.position = end;
  stream.carry = {};
  stream.dropping_fragment = false;
  batch.state.position = end;
  batch.state.guard = stream.guard;
  batch.state.size = std::max(source.size, end);
  return batch;
}

Batch BatchMaker::state_only(const TrackedSource& source, const Stream& stream) {
  return blank(source, stream);
}

}  // namespace logboom::source
