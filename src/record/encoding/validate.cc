#include <algorithm>

#include <fmt/format.h>

#include "record/encoding/batch_encoding.h"

namespace logboom {
namespace {

constexpr std::size_t kMaxGuard = 256;

template <typename... Args>
Error bad(fmt::format_string<Args...> format, Args&&... args) {
  return Error(ErrorCode::kInvalidArgument, "cannot accept batch: " + fmt::format(format, std::forward<Args>(args)...));
}

Status check_range(const Batch& b) {
  if (b.begin > b.end) return bad("field end: {} is before begin {}", b.end, b.begin);
  if (b.end > kMaxOffset) return bad("field end: {} is over the largest offset", b.end);
  if (b.disposition > Disposition::kGap)
    return bad("field disposition: unknown value {}", static_cast<int>(b.disposition));
  if (b.format > kLastFormat) return bad("field format: unknown value {}", static_cast<int>(b.format));
  const std::uint64_t range = b.end - b.begin;
  const bool may_be_empty = b.disposition != Disposition::kStored;
  const bool may_be_full = b.disposition == Disposition::kStored || b.disposition == Disposition::kQuarantined;
  if (b.bytes.size() > kMaxBatchBytes) return bad("field bytes: {} are over the limit", b.bytes.size());
  const bool fits = (may_be_full && b.bytes.size() == range) || (may_be_empty && b.bytes.empty());
  if (!fits)
    return bad("field bytes: {} for a range of {} ({})", b.bytes.size(), range, disposition_name(b.disposition));
  return ok_status();
}

// Walks records and drops in the order of the buffer; every byte must belong to exactly one of them or be blank.
class CoverCheck {
 public:
  explicit CoverCheck(const Batch& batch) : batch_(batch) {}

  Status run() {
    std::size_t r = 0;
    std::size_t d = 0;
    const auto& records = batch_.records;
    const auto& drops = batch_.drops;
    while (r < records.size() || d < drops.size()) {
      const bool drop_first =
          r == records.size() || (d < drops.size() && drops[d].begin < std::uint64_t{records[r].begin});
      LB_TRY(drop_first ? drop(d) : record(r));
      ++(drop_first ? d : r);
    }
    if (at_ + batch_.trailing_blank != batch_.bytes.size() && !without_content()) {
      return bad("field trailing_blank: bytes {}-{} of the buffer belong to no record", at_ + batch_.trailing_blank,
                 batch_.bytes.size());
    }
    return blank("trailing_blank", 0, at_, batch_.trailing_blank);
  }

 private:
  // A quarantined range need not be cut into records.
  bool without_content() const {
    return batch_.disposition != Disposition::kStored && batch_.records.empty() && batch_.drops.empty() &&
           batch_.trailing_blank == 0;
  }

  Status record(std::size_t i) {
    const Record& r = batch_.records[i];
    const std::uint64_t text = at_ + r.blank;
    if (r.begin != text) return bad("field records[{}].begin: {} where {} is due", i, r.begin, text);
    const std::uint64_t text_end = text + r.length;
    if (text_end + r.terminated() > batch_.bytes.size()) return bad("field records[{}].length: over the buffer", i);
    if (r.length == 0 && !r.terminated()) return bad("field records[{}].length: 0 bytes", i);
    if (r.terminated() && batch_.bytes[text_end] != '\n')
      return bad("field records[{}].flags: no LF behind the text", i);
    if (r.flags > 15) return bad("field records[{}].flags: unknown value {}", i, r.flags);
    if (r.level > Level::kFatal) return bad("field records[{}].level: unknown value {}", i, static_cast<int>(r.level));
    if (r.time_origin > TimeOrigin::kArrival) return bad("field records[{}].time_origin: unknown value", i);
    if (r.lines > std::uint64_t{r.length} + 1)
      return bad("field records[{}].lines: {} in {} bytes", i, r.lines, r.length);
    LB_TRY(blank("records", i, at_, r.blank));
    at_ = text_end + r.terminated();
    return ok_status();
  }

  Status drop(std::size_t i) {
    const DroppedRun& d = batch_.drops[i];
    if (d.begin != at_) return bad("field drops[{}].begin: {} where {} is due", i, d.begin, at_);
    if (d.end <= d.begin) return bad("field drops[{}].end: {} is not behind begin {}", i, d.end, d.begin);
    if (d.end > batch_.bytes.size()) return bad("field drops[{}].end: over the buffer", i);
    if (d.lines > d.end - d.begin) return bad("field drops[{}].lines: {} in {} bytes", i, d.lines, d.end - d.begin);
    if (d.cause >= batch_.drop_causes.size()) return bad("field drops[{}].cause: no such cause {}", i, d.cause);
    at_ = d.end;
    return ok_status();
  }

  Status blank(const char* field, std::size_t i, std::uint64_t begin, std::uint64_t size) const {
    const auto from = batch_.bytes.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto all =
        std::all_of(from, from + static_cast<std::ptrdiff_t>(size), [](char c) { return c == '\n' || c == '\r'; });
    if (!all) return bad("field {}[{}].blank: holds more than LF and CR", field, i);
    return ok_status();
  }

  const Batch& batch_;
  std::uint64_t at_ = 0;
};

Status check_marks(const Batch& b) {
  std::uint64_t last = b.begin == b.end ? 0 : b.begin;  // with a state may come the marks its epoch inherits
  for (const PrefixMark& mark : b.marks) {
    if (mark.offset <= last || mark.offset > b.end)
      return bad("field marks: offset {} is out of order or range", mark.offset);
    last = mark.offset;
  }
  return ok_status();
}

Status check_state(const SourceState& s) {
  if (s.format > kLastFormat) return bad("field state.format: unknown value {}", static_cast<int>(s.format));
  if (s.position > kMaxOffset) return bad("field state.position: {} is over the largest offset", s.position);
  if (s.size > kMaxOffset) return bad("field state.size: {} is over the largest offset", s.size);
  if (s.inherited > s.position) return bad("field state.inherited: {} is behind the position", s.inherited);
  if (s.guard.size() > kMaxGuard) return bad("field state.guard: {} bytes", s.guard.size());
  return ok_status();
}

}  // namespace

Status validate_batch(const Batch& batch) {
  LB_TRY(check_range(batch));
  LB_TRY(CoverCheck(batch).run());
  LB_TRY(check_marks(batch));
  return check_state(batch.state);
}

}  // namespace logboom
