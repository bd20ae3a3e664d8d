#include "record/encoding/delivery.h"

#include <algorithm>

#include <fmt/format.h>

#include "record/encoding/batch_encoding.h"
#include "record/encoding/byte_stream.h"
#include "record/encoding/source_state.h"

namespace logboom {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kDurable = 0;  // an outcome's first byte; others are 1 + ErrorCode
constexpr std::size_t kLeastBatch = 25;
constexpr std::size_t kLeastSource = 30;

std::string head(std::string_view magic) {
  std::string out(magic);
  out.push_back(static_cast<char>(kVersion));
  return out;
}

// What follows the magic and the version.
Result<std::string_view> body_of(std::string_view bytes, std::string_view magic, std::string_view what) {
  if (!bytes.starts_with(magic) || bytes.size() <= magic.size())
    return Error(ErrorCode::kCorrupt, fmt::format("cannot read {}: field magic: not one", what));
  const auto version = static_cast<std::uint8_t>(bytes[magic.size()]);
  if (version != kVersion) {
    return Error(ErrorCode::kUnsupported,
                 fmt::format("cannot read {}: field version: {} is not known; agent and server are too far apart", what,
                             version));
  }
  return bytes.substr(magic.size() + 1);
}

Status all_read(const ByteReader& r, std::string_view what) {
  if (!r.ok())
    return Error(ErrorCode::kCorrupt,
                 fmt::format("cannot read {}: field {}: cut short or out of range", what, r.failed()));
  if (r.left() != 0) return Error(ErrorCode::kCorrupt, fmt::format("cannot read {}: {} more bytes", what, r.left()));
  return ok_status();
}

void write_coverage(ByteWriter& w, const Coverage& coverage) {
  const std::vector<Interval> intervals = coverage.intervals();
  w.varint(intervals.size());
  for (const Interval& interval : intervals) w.varint(interval.begin), w.varint(interval.end);
}

Coverage read_coverage(ByteReader& r) {
  Coverage coverage;
  const std::size_t count = r.count("coverage", 2);
  for (std::size_t i = 0; i < count && r.ok(); ++i) {
    const std::uint64_t begin = r.bounded("coverage.begin", kMaxOffset);
    const std::uint64_t end = r.bounded("coverage.end", kMaxOffset);
    if (begin > end) r.fail("coverage.end");
    coverage.add(begin, end);
  }
  return coverage;
}

Result<Coverage> read_outcome(ByteReader& r) {
  const std::uint8_t code = r.u8("outcome");
  if (code == kDurable) return read_coverage(r);
  if (code > 1 + static_cast<std::uint8_t>(ErrorCode::kInternal)) r.fail("outcome");
  return Error(static_cast<ErrorCode>(code - 1), r.string("message"));
}

KnownSource read_known(ByteReader& r) {
  KnownSource known;
  known.source = read_hash(r, "source");
  known.channel = r.string("channel");
  known.epoch = static_cast<std::uint32_t>(r.bounded("epoch", UINT32_MAX));
  known.coverage = read_coverage(r);
  known.marks = read_marks(r);
  read_state(r, known.state);
  return known;
}

// Most have none: they take no room.
void write_starts(ByteWriter& w, const std::vector<KnownSource>& sources) {
  const auto has = [](const KnownSource& known) { return known.starts_at > 0; };
  const auto count = std::count_if(sources.begin(), sources.end(), has);
  if (count == 0) return;
  w.varint(static_cast<std::uint64_t>(count));
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (has(sources[i])) w.varint(i), w.varint(sources[i].starts_at);
  }
}

void read_starts(ByteReader& r, std::vector<KnownSource>& sources) {
  const std::size_t count = r.count("starts", 2);
  for (std::size_t i = 0; i < count && r.ok(); ++i) {
    const std::uint64_t number = r.bounded("starts.source", sources.empty() ? 0 : sources.size() - 1);
    const std::uint64_t at = r.bounded("starts.at", kMaxOffset);
    if (sources.empty()) r.fail("starts.source");
    if (r.ok()) sources[number].starts_at = at;
  }
}

}  // namespace

std::string encode_delivery(const std::vector<std::shared_ptr<const Batch>>& batches) {
  std::string out = head("LBDV");
  ByteWriter w(out);
  w.varint(batches.size());
  for (const auto& batch : batches) w.string(encode_batch(*batch));
  return out;
}

Result<std::vector<Batch>> decode_delivery(std::string_view bytes) {
  LB_ASSIGN(const std::string_view body, body_of(bytes, "LBDV", "a delivery"));
  ByteReader r(body);
  const std::size_t count = r.count("batches", kLeastBatch);
  if (count > kMaxDeliveryBatches) r.fail("batches");
  std::vector<Batch> batches;
  batches.reserve(count);
  for (std::size_t i = 0; i < count && r.ok(); ++i) {
    const std::string_view encoded = r.view("batch");
    if (!r.ok()) break;
    auto batch = decode_batch(encoded);
    if (!batch.ok()) return batch.error().with_context(fmt::format("batch {} of the delivery", i));
    batches.push_back(std::move(batch).value());
  }
  LB_TRY(all_read(r, "a delivery"));
  return batches;
}

std::string encode_outcomes(const std::vector<Result<Coverage>>& outcomes) {
  std::string out = head("LBDO");
  ByteWriter w(out);
  w.varint(outcomes.size());
  for (const Result<Coverage>& outcome : outcomes) {
    if (outcome.ok()) {
      w.u8(kDurable);
      write_coverage(w, *outcome);
    } else {
      w.u8(static_cast<std::uint8_t>(1 + static_cast<int>(outcome.error().code())));
      w.string(outcome.error().message());
    }
  }
  return out;
}

Result<std::vector<Result<Coverage>>> decode_outcomes(std::string_view bytes) {
  LB_ASSIGN(const std::string_view body, body_of(bytes, "LBDO", "the outcomes of a delivery"));
  ByteReader r(body);
  const std::size_t count = r.count("outcomes", 2);
  std::vector<Result<Coverage>> outcomes;
  for (std::size_t i = 0; i < count && r.ok(); ++i) outcomes.push_back(read_outcome(r));
  LB_TRY(all_read(r, "the outcomes of a delivery"));
  return outcomes;
}

std::string encode_known_sources(const std::vector<KnownSource>& sources) {
  std::string out = head("LBKS");
  ByteWriter w(out);
  w.varint(sources.size());
  for (const KnownSource& known : sources) {
    write_hash(w, known.source);
    w.string(known.channel);
    w.varint(known.epoch);
    write_coverage(w, known.coverage);
    write_marks(w, known.marks);
    write_state(w, known.state);
  }
  write_starts(w, sources);
  return out;
}

Result<std::vector<KnownSource>> decode_known_sources(std::string_view bytes) {
  LB_ASSIGN(const std::string_view body, body_of(bytes, "LBKS", "the known sources"));
  ByteReader r(body);
  const std::size_t count = r.count("sources", kLeastSource);
  std::vector<KnownSource> sources;
  for (std::size_t i = 0; i < count && r.ok(); ++i) sources.push_back(read_known(r));
  if (r.ok() && r.left() > 0) read_starts(r, sources);
  LB_TRY(all_read(r, "the known sources"));
  return sources;
}

}  // namespace logboom
