#include "logstore/embedded/group.h"

#include <algorithm>

#include <fmt/format.h>

#include "io/hashing.h"
#include "logstore/embedded/codec.h"
#include "logstore/mark_check.h"
#include "record/slice.h"

namespace logboom::logstore::embedded {
namespace {

HeldRange range_of(const Batch& batch, std::uint32_t file) {
  HeldRange held;
  LedgerRange& range = held.range;
  range.begin = batch.begin;
  range.end = batch.end;
  range.disposition = batch.disposition;
  range.unproved = batch.unproved;
  if (batch.disposition == Disposition::kStored || batch.disposition == Disposition::kQuarantined) held.file = file;
  if (batch.disposition != Disposition::kStored) range.cause = batch.cause;
  range.records = batch.records.size();
  for (const Record& record : batch.records) range.lines += record.lines;
  for (const DroppedRun& run : batch.drops) {
    range.dropped_bytes += run.end - run.begin;
    range.dropped_lines += run.lines;
  }
  return held;
}

// Stable over re-sends: the same refused bytes are one entry.
std::string quarantine_id(const QuarantineEntry& entry) {
  RowWriter key;
  key.hash(entry.source);
  key.number(entry.epoch);
  key.text(entry.channel);
  key.number(entry.begin);
  key.number(entry.end);
  key.text(entry.bytes);
  return "q-" + xxh3_128(std::move(key).seal(0)).to_hex().substr(0, 16);
}

std::string_view bytes_of(const Batch& batch, const Interval& part) {
  return std::string_view(batch.bytes).substr(part.begin - batch.begin, part.end - part.begin);
}

// Without places of dropped lines whose bytes did not travel (docs/formats/kafka.md): nothing but LFs stands there.
std::vector<Interval> present_parts(const Batch& batch, std::uint64_t begin, std::uint64_t end) {
  Coverage left_out;
  for (const DroppedRun& run : batch.drops) {
    const std::string_view bytes = std::string_view(batch.bytes).substr(run.begin, run.end - run.begin);
    if (bytes.find_first_not_of('\n') == std::string_view::npos)
      left_out.add(batch.begin + run.begin, batch.begin + run.end);
  }
  return left_out.missing(begin, end);
}

// Whether the bytes fit every link of the chain of prefix marks that lies inside them.
bool marks_agree(const Stream& stream, std::uint64_t offset, std::string_view bytes) {
  MarkCheck check(stream.all_marks());
  check.bytes(offset, bytes);
  return check.wrong().empty();
}

class MarksOfStream final : public HeldMarks {
 public:
  explicit MarksOfStream(Stream& stream) : stream_(stream) {}
  bool stores(std::uint64_t offset) const override {
    const std::vector<HeldRange> held = stream_.ranges.within(offset, offset + 1);
    return !held.empty() && held[0].range.disposition == Disposition::kStored;
  }
  std::uint64_t end() const override {
    return stream_.ranges.all().empty() ? 0 : stream_.ranges.all().back().range.end;
  }
  std::vector<Interval> missing(std::uint64_t begin, std::uint64_t end) const override {
    return stream_.ranges.missing(begin, end);
  }
  std::optional<PrefixMark> last() const override { return stream_.last_mark(); }
  std::optional<PrefixMark> first_from(std::uint64_t offset) const override { return stream_.first_mark_from(offset); }
  void add(const PrefixMark& mark) override { stream_.add_marks({mark}); }
  void set(const std::vector<PrefixMark>& all) override { stream_.set_marks(all); }

 private:
  Stream& stream_;
};

bool says_something(const SourceState& state) {
  return !state.path.empty() || !state.identity.handle.empty();
}

}  // namespace

Result<std::unique_ptr<Group>> Group::begin(const GroupContext& context) {
  LB_ASSIGN(sqlite::Transaction transaction, context.file.begin());
  std::unique_ptr<Group> group(new Group(context, std::move(transaction)));
  group->changes_.file = context.file.head().seq;
  return group;
}

Group::Staged& Group::stage(const StreamKey& key) {
  const auto it = staged_.find(key);
  if (it != staged_.end()) return it->second;
  Staged staged;
  staged.before = c_.catalog.find(key);
  if (staged.before != nullptr) {
    staged.now = *staged.before;
    if (staged.before->file != c_.file.head().seq) staged.before = nullptr;
  } else {
    staged.now.id = c_.catalog.new_stream_id();
    staged.now.source = key.source;
    staged.now.epoch = key.epoch;
    staged.now.channel = key.channel;
    staged.now.first_seen = c_.clock.now();
  }
  return staged_.emplace(key, std::move(staged)).first->second;
}

void Group::touch(Stream& stream, const Batch& batch) {
  if (says_something(batch.state) && batch.state.position >= stream.state.position) stream.state = batch.state;
  MarksOfStream marks(stream);
  stream.replay.enter(batch, stream.last_seen, marks);
  stream.last_seen = std::max(stream.last_seen, batch.arrival == 0 ? c_.clock.now() : batch.arrival);
  stream.commit = commit_;
  has_rows_ = true;
}

Status Group::add(const Job& job) {
  for (const Pending& item : job.items) {
    if (item.position) positions_.push_back(*item.position);
    Stream& stream = stage(key_of(*item.batch)).now;
    stream.ref = item.ref;
    touch(stream, *item.batch);
  }
  if (job.items[0].overlaps) return add_trimmed(job.items[0]);
  return add_clean(job);
}

Status Group::add_clean(const Job& job) {
  for (const Pending& item : job.items) {
    Stream& stream = stage(key_of(*item.batch)).now;
    if (!job.encoded.ok()) {
      LB_TRY(refuse(item, stream, job.encoded.error()));
      continue;
    }
    LB_TRY(add_range(stream, *item.batch));
    if (item.batch->disposition == Disposition::kQuarantined) {
      LB_TRY(quarantine(*item.batch, item.batch->begin, item.batch->end, item.batch->cause));
    }
  }
  for (const Part& part : job.parts) {
    ChunkMeta meta = part.meta;
    meta.first_commit = meta.last_commit = commit_;
    LB_TRY(put_refs(meta));
    LB_TRY(part.block ? c_.file.put_block(meta, *part.block) : c_.file.put_tail(meta, part.tail_data));
    (part.block ? changes_.blocks : changes_.tails).push_back(std::make_shared<const ChunkMeta>(std::move(meta)));
  }
  return ok_status();
}

Status Group::add_range(Stream& stream, const Batch& batch) {
  const HeldRange held = range_of(batch, c_.file.head().seq);
  counts_.records += held.range.records;
  counts_.raw_bytes += batch.bytes.size();
  return stream.ranges.add(held);
}

Status Group::refuse(const Pending& item, Stream& stream, const Error& why) {
  HeldRange held;
  held.range.begin = item.batch->begin;
  held.range.end = item.batch->end;
  held.range.disposition = Disposition::kQuarantined;
  held.range.cause = why.message();
  held.file = c_.file.head().seq;
  LB_TRY(stream.ranges.add(held));
  return quarantine(*item.batch, held.range.begin, held.range.end, why.message());
}

Status Group::add_trimmed(const Pending& item) {
  const Batch& batch = *item.batch;
  Stream& stream = stage(key_of(batch)).now;
  if (batch.disposition == Disposition::kStored) {
    ContentReader content(c_.view, c_.catalog.snapshot());
    make_room(batch, stream, content);
    LB_TRY(check_repeat(batch, stream, content));
  }
  return store_pieces(item, stream.ranges.missing(batch.begin, batch.end));
}

void Group::make_room(const Batch& batch, Stream& stream, ContentReader& content) {
  for (const HeldRange& held : stream.ranges.within(batch.begin, batch.end)) {
    const LedgerRange& range = held.range;
    if (range.disposition == Disposition::kGap) stream.ranges.erase(range.begin, range.end, {});
    if (range.disposition != Disposition::kStored) continue;
    std::vector<Interval> wanted;
    if (range.expired) {
      if (batch.again) wanted = {{range.begin, range.end}};
    } else {
      Coverage there;
      for (const Interval& kept : stream.lost.missing(range.begin, range.end)) there.add(kept.begin, kept.end);
      wanted = there.missing(range.begin, range.end);
    }
    for (const Interval& part : wanted) {
      const std::string_view bytes = bytes_of(batch, part);
      if (!marks_agree(stream, part.begin, bytes)) continue;
      if (!content.find(key_of(batch), part.begin, part.end).extents.empty()) continue;
      // The same bytes make the same records: what they count again is taken off.
      stream.ranges.erase(part.begin, part.end, range_of(slice_batch(batch, part.begin, part.end), 0).range);
      stream.lost.remove(part.begin, part.end);
    }
  }
}

Status Group::check_repeat(const Batch& batch, const Stream& stream, ContentReader& content) {
  for (const HeldRange& held : stream.ranges.within(batch.begin, batch.end)) {
    const std::uint64_t begin = held.range.begin;
    counts_.repeated_bytes += held.range.end - begin;
    if (held.range.disposition != Disposition::kStored) continue;
    Comparison compared = Comparison::kSame;
    for (const Interval& part : present_parts(batch, begin, held.range.end)) {
      if (compared == Comparison::kDifferent) break;
      const std::string_view bytes = bytes_of(batch, part);
      compared = held.range.expired ? Comparison::kUnknown : compare_content(content, key_of(batch), part.begin, bytes);
      if (compared == Comparison::kUnknown && !marks_agree(stream, part.begin, bytes))
        compared = Comparison::kDifferent;
    }
    if (compared != Comparison::kDifferent) continue;
    ++counts_.conflicts;
    LB_TRY(quarantine(batch, begin, held.range.end, "conflict: other bytes are stored for this range"));
  }
  return ok_status();
}

Status Group::store_pieces(const Pending& item, const std::vector<Interval>& missing) {
  for (const Interval& part : missing) {
    auto piece = std::make_shared<const Batch>(slice_batch(*item.batch, part.begin, part.end));
    Job job;
    job.keys = {key_of(*piece)};
    job.items.emplace_back();
    job.items[0].batch = piece;
    job.items[0].ref = item.ref;
    if (piece->disposition == Disposition::kStored) {
      Result<std::vector<Part>> parts =
          encode_batches(*c_.encoders.lend(), c_.catalog, {{piece, item.ref, 0}}, c_.block_bytes);
      if (parts.ok()) {
        job.parts = std::move(*parts);
      } else {
        job.encoded = parts.error();
      }
    }
    LB_TRY(add_clean(job));
  }
  return ok_status();
}

Status Group::quarantine(const Batch& batch, std::uint64_t begin, std::uint64_t end, const std::string& reason) {
  QuarantineEntry entry;
  entry.source = batch.source;
  entry.epoch = batch.epoch;
  entry.channel = batch.channel;
  entry.begin = begin;
  entry.end = end;
  entry.reason = reason;
  if (!batch.bytes.empty()) entry.bytes = batch.bytes.substr(begin - batch.begin, end - begin);
  entry.time = c_.clock.now();
  entry.id = quarantine_id(entry);
  ++counts_.quarantined;
  return c_.file.put_quarantine(entry);
}

Status Group::put_refs(const ChunkMeta& meta) {
  for (const RefRange& range : meta.refs) {
    if (c_.saved_refs.contains(range.ref) || new_refs_.contains(range.ref)) continue;
    const std::shared_ptr<const SourceNames> names = c_.catalog.names(range.ref);
    if (names != nullptr) LB_TRY(c_.file.put_names(*names));
    new_refs_.insert(range.ref);
  }
  return ok_status();
}

Status Group::convert(const Part& block, const ChunkList& tails) {
  ChunkMeta meta = block.meta;
  LB_TRY(put_refs(meta));
  LB_TRY(c_.file.put_block(meta, *block.block));
  for (const auto& tail : tails) {
    LB_TRY(c_.file.delete_tail(tail->key.id));
    changes_.replaced_tails.push_back(tail);
  }
  changes_.blocks.push_back(std::make_shared<const ChunkMeta>(std::move(meta)));
  return ok_status();
}

Status Group::put_stream(const Stream& stream) {
  Staged& staged = stage(key_of(stream));
  staged.now = stream;
  return ok_status();
}

Result<Changes> Group::commit() {
  for (auto& [key, staged] : staged_) {
    staged.now.file = c_.file.head().seq;
    if (staged.now.ref != 0 && !c_.saved_refs.contains(staged.now.ref) && !new_refs_.contains(staged.now.ref)) {
      const std::shared_ptr<const SourceNames> names = c_.catalog.names(staged.now.ref);
      if (names != nullptr) LB_TRY(c_.file.put_names(*names));
      new_refs_.insert(staged.now.ref);
    }
    LB_TRY(c_.file.put_stream(staged.before.get(), staged.now));
  }
  for (const Position& mark : c_.catalog.positions().with(positions_)) LB_TRY(c_.file.put_position(mark));
  LB_TRY(transaction_.commit());
  c_.catalog.positions().durable(positions_);
  c_.saved_refs.insert(new_refs_.begin(), new_refs_.end());
  if (has_rows_) changes_.commit = commit_;
  for (auto& [key, staged] : staged_) changes_.streams.push_back(std::make_shared<const Stream>(std::move(staged.now)));
  return std::move(changes_);
}

}  // namespace logboom::logstore::embedded
