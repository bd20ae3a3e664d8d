#include "logstore/elastic/target_stream.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "http/json.h"
#include "record/encoding/delivery.h"
#include "record/ledger_merge.h"

namespace logboom::logstore::elastic {
namespace {

using http::JsonWriter;

bool continues(const TargetRange& left, const TargetRange& right) {
  return left.index == right.index && logboom::continues(left.range, right.range);
}

void write_range(JsonWriter& w, const TargetRange& held) {
  const LedgerRange& range = held.range;
  w.open_object().field("begin", range.begin).field("end", range.end);
  w.field("disposition", static_cast<std::uint32_t>(range.disposition));
  if (range.unproved) w.field("unproved", true);
  if (!range.cause.empty()) w.field("cause", range.cause);
  if (!held.index.empty()) w.field("index", held.index);
  w.field("records", range.records).field("lines", range.lines);
  if (range.dropped_bytes > 0) w.field("dropped_bytes", range.dropped_bytes);
  if (range.dropped_lines > 0) w.field("dropped_lines", range.dropped_lines);
  w.close_object();
}

TargetRange read_range(const nlohmann::json& json) {
  TargetRange held;
  LedgerRange& range = held.range;
  range.begin = json.value("begin", std::uint64_t{0});
  range.end = json.value("end", std::uint64_t{0});
  range.disposition = static_cast<Disposition>(std::min(json.value("disposition", 0U), 4U));
  range.unproved = json.value("unproved", false);
  range.cause = json.value("cause", "");
  held.index = json.value("index", "");
  range.records = json.value("records", std::uint64_t{0});
  range.lines = json.value("lines", std::uint64_t{0});
  range.dropped_bytes = json.value("dropped_bytes", std::uint64_t{0});
  range.dropped_lines = json.value("dropped_lines", std::uint64_t{0});
  return held;
}

void write_claim(JsonWriter& w, const Claim& claim) {
  w.open_object().field("begin", claim.begin).field("end", claim.end);
  w.field("index", claim.index).field("content", claim.content.to_hex()).close_object();
}

Claim read_claim(const nlohmann::json& json) {
  Claim claim;
  claim.begin = json.value("begin", std::uint64_t{0});
  claim.end = json.value("end", std::uint64_t{0});
  claim.index = json.value("index", "");
  claim.content = Hash128::from_hex(json.value("content", "")).value_or(Hash128{});
  return claim;
}

class MarksOfStream final : public HeldMarks {
 public:
  explicit MarksOfStream(TargetStream& stream) : ranges_(stream.ranges), marks_(stream.marks) {}
  bool stores(std::uint64_t offset) const override {
    const auto held = ranges_.within(offset, offset + 1);
    return !held.empty() && held[0].range.disposition == Disposition::kStored;
  }
  std::uint64_t end() const override { return ranges_.all().empty() ? 0 : ranges_.all().back().range.end; }
  std::vector<Interval> missing(std::uint64_t begin, std::uint64_t end) const override {
    return ranges_.missing(begin, end);
  }
  std::optional<PrefixMark> last() const override {
    return marks_.empty() ? std::nullopt : std::optional(marks_.back());
  }
  std::optional<PrefixMark> first_from(std::uint64_t offset) const override {
    const auto found = place(offset);
    return found == marks_.end() ? std::nullopt : std::optional(*found);
  }
  void add(const PrefixMark& mark) override {
    const auto at = place(mark.offset);
    if (at == marks_.end() || at->offset != mark.offset) marks_.insert(at, mark);
  }
  void set(const std::vector<PrefixMark>& all) override { marks_ = all; }

 private:
  std::vector<PrefixMark>::iterator place(std::uint64_t offset) const {
    return std::lower_bound(marks_.begin(), marks_.end(), offset,
                            [](const PrefixMark& mark, std::uint64_t to) { return mark.offset < to; });
  }
  const TargetRanges& ranges_;
  std::vector<PrefixMark>& marks_;
};

bool says_something(const SourceState& state) {
  return !state.path.empty() || !state.identity.handle.empty();
}

Result<TargetStream> stream_of(const nlohmann::json& source) {
  LB_ASSIGN(const std::string bytes, http::from_base64(source.value("known", "")));
  LB_ASSIGN(std::vector<KnownSource> known, decode_known_sources(bytes));
  if (known.size() != 1) return Error(ErrorCode::kCorrupt, "it holds no source");
  TargetStream stream;
  stream.key = {known[0].source, known[0].epoch, known[0].channel};
  stream.state = std::move(known[0].state);
  stream.marks = std::move(known[0].marks);
  for (const auto& range : source.value("ranges", nlohmann::json::array())) stream.ranges.add(read_range(range));
  for (const auto& claim : source.value("claims", nlohmann::json::array())) stream.claims.push_back(read_claim(claim));
  stream.first_seen = source.value("first_seen", std::int64_t{0});
  stream.last_seen = source.value("last_seen", std::int64_t{0});
  stream.writer = source.value("writer", "");
  stream.revision = source.value("revision", std::uint64_t{0});
  return stream;
}

// A member of another type than ours is somebody else's document.
Result<TargetStream> stream_in(const nlohmann::json& hit) {
  try {
    return stream_of(hit.at("_source"));
  } catch (const nlohmann::json::exception& error) {
    return Error(ErrorCode::kCorrupt, error.what());
  }
}

}  // namespace

StreamKey key_of(const Batch& batch) {
  return {batch.source, batch.epoch, batch.channel};
}

std::string stream_id(const StreamKey& key) {
  return fmt::format("s.{}.{}.{:016x}", key.source.to_hex(), key.epoch, channel_key(key.channel));
}

Hash128 content_of(const Batch& part) {
  std::string cuts;
  for (const Record& record : part.records) cuts += fmt::format("{},{},{};", record.begin, record.length, record.flags);
  return chain_mark(xxh3_128(part.bytes), cuts);
}

// ---------------------------------------------------------------- ranges

void TargetRanges::add(TargetRange added) {
  if (added.range.begin >= added.range.end) return;
  auto at = std::upper_bound(ranges_.begin(), ranges_.end(), added.range.begin,
                             [](std::uint64_t begin, const TargetRange& held) { return begin < held.range.begin; });
  if (at != ranges_.begin()) {
    TargetRange& left = *std::prev(at);
    if (continues(left, added)) {
      extend(left.range, added.range);
      if (at != ranges_.end() && continues(left, *at)) {
        extend(left.range, at->range);
        ranges_.erase(at);
      }
      return;
    }
  }
  at = ranges_.insert(at, std::move(added));
  const auto right = std::next(at);
  if (right != ranges_.end() && continues(*at, *right)) {
    extend(at->range, right->range);
    ranges_.erase(right);
  }
}

std::vector<TargetRange> TargetRanges::within(std::uint64_t begin, std::uint64_t end) const {
  std::vector<TargetRange> out;
  for (const TargetRange& held : ranges_) {
    if (held.range.end <= begin || held.range.begin >= end) continue;
    out.push_back(held);
    out.back().range.begin = std::max(begin, held.range.begin);
    out.back().range.end = std::min(end, held.range.end);
  }
  return out;
}

std::vector<Interval> TargetRanges::missing(std::uint64_t begin, std::uint64_t end) const {
  return coverage().missing(begin, end);
}

bool TargetRanges::covers(std::uint64_t begin, std::uint64_t end) const {
  for (const TargetRange& held : ranges_) {
    if (begin >= end || held.range.begin > begin) break;
    begin = std::max(begin, held.range.end);
  }
  return begin >= end;
}

void TargetRanges::fill_gaps(std::uint64_t begin, std::uint64_t end) {
  std::vector<TargetRange> kept;
  for (TargetRange& held : ranges_) {
    const bool touched =
        held.range.disposition == Disposition::kGap && held.range.begin < end && held.range.end > begin;
    if (!touched) {
      kept.push_back(std::move(held));
      continue;
    }
    TargetRange left = held;
    left.range.end = begin;
    if (left.range.begin < left.range.end) kept.push_back(std::move(left));
    held.range.begin = end;
    if (held.range.begin < held.range.end) kept.push_back(std::move(held));
  }
  ranges_ = std::move(kept);
}

Coverage TargetRanges::coverage() const {
  Coverage coverage;
  for (const TargetRange& held : ranges_) coverage.add(held.range.begin, held.range.end);
  return coverage;
}

// ---------------------------------------------------------------- stream

void TargetStream::touch(const Batch& batch, TimeNs now) {
  MarksOfStream held(*this);
  replay.enter(batch, last_seen, held);
  if (first_seen == 0) first_seen = now;
  last_seen = std::max(last_seen, batch.arrival == 0 ? now : batch.arrival);
}

void TargetStream::take_state(const SourceState& from) {
  if (says_something(from) && from.position >= state.position) state = from;
}

std::string stream_document(const TargetStream& stream) {
  std::string out;
  JsonWriter w(out);
  w.open_object()
      .field("kind", "stream")
      .field("key", stream_id(stream.key))
      .field("source", stream.key.source.to_hex());
  w.field("epoch", stream.key.epoch).field("channel", stream.key.channel);
  w.field("path", stream.state.path).field("host", stream.state.host);
  w.field("known", http::base64(encode_known_sources({known_of(stream)})));
  w.key("ranges").open_array();
  for (const TargetRange& range : stream.ranges.all()) write_range(w, range);
  w.close_array().key("claims").open_array();
  for (const Claim& claim : stream.claims) write_claim(w, claim);
  w.close_array();
  w.field("first_seen", std::int64_t{stream.first_seen}).field("last_seen", std::int64_t{stream.last_seen});
  w.field("writer", stream.writer).field("revision", stream.revision).close_object();
  return out;
}

Result<TargetStream> read_stream(const nlohmann::json& hit) {
  const std::string id = hit.value("_id", "");
  auto stream = stream_in(hit);
  if (!stream.ok()) return std::move(stream).error().with_context(fmt::format("cannot read {} of the ledger", id));
  stream->seq_no = hit.value("_seq_no", std::int64_t{-1});
  stream->primary_term = hit.value("_primary_term", std::int64_t{0});
  return stream;
}

KnownSource known_of(const TargetStream& stream) {
  KnownSource known;
  known.source = stream.key.source;
  known.epoch = stream.key.epoch;
  known.channel = stream.key.channel;
  known.state = stream.state;
  known.marks = stream.marks;
  known.coverage = stream.ranges.coverage();
  return known;
}

SourceInfo info_of(const TargetStream& stream) {
  SourceInfo info;
  info.source = stream.key.source;
  info.epoch = stream.key.epoch;
  info.channel = stream.key.channel;
  info.state = stream.state;
  for (const TargetRange& held : stream.ranges.all()) {
    info.records += held.range.records;
    append_range(info.ranges, held.range);  // to the outside the index does not matter
  }
  for (const TargetRange& held : stream.ranges.all()) {
    if (held.range.disposition == Disposition::kStored) info.stored_bytes += held.range.end - held.range.begin;
  }
  info.position = stream.ranges.coverage().contiguous_end(stream.state.inherited);
  info.first_seen = stream.first_seen;
  info.last_seen = stream.last_seen;
  return info;
}

}  // namespace logboom::logstore::elastic
