#include "record/slice.h"

#include <algorithm>

#include "base/check.h"

namespace logboom {
namespace {

std::uint32_t count_lf(std::string_view bytes) {
  return static_cast<std::uint32_t>(std::count(bytes.begin(), bytes.end(), '\n'));
}

void copy_header(const Batch& from, Batch& to) {
  to.source = from.source;
  to.epoch = from.epoch;
  to.channel = from.channel;
  to.disposition = from.disposition;
  to.cause = from.cause;
  to.unproved = from.unproved;
  to.rule = from.rule;
  to.rule_revision = from.rule_revision;
  to.arrival = from.arrival;
  to.format = from.format;
  to.drop_causes = from.drop_causes;
  to.fields = from.fields;
  to.state = from.state;
}

// Adds what of the record lies in [low, high) of the original buffer.
void add_record(const Batch& from, Record record, std::uint32_t low, std::uint32_t high, Batch& to) {
  const std::uint32_t start = record.begin - record.blank;
  if (record.end() <= low || start >= high) return;
  if (record.begin >= high) {  // only blank bytes of it are left, at the very end
    to.trailing_blank = high - std::max(start, low);
    return;
  }
  const bool whole = record.begin >= low && record.end() <= high;
  if (record.begin >= low) {
    record.blank = record.begin - std::max(start, low);
  } else {
    const std::uint32_t text_end = record.begin + record.length;
    const std::uint32_t cut = std::min(low, text_end);
    record.length = text_end - cut;
    record.begin = low;
    record.blank = 0;
    record.flags |= Record::kContinuation;
  }
  if (record.end() > high) {
    record.length = std::min(record.length, high - record.begin);
    record.flags = static_cast<std::uint8_t>((record.flags & ~Record::kTerminated) | Record::kFragment);
  }
  if (!whole) record.lines = 1 + count_lf(from.text(record));
  record.begin -= low;
  to.records.push_back(record);
}

void add_drop(const Batch& from, DroppedRun run, std::uint32_t low, std::uint32_t high, Batch& to) {
  const bool whole = run.begin >= low && run.end <= high;
  run.begin = std::max(run.begin, low);
  run.end = std::min(run.end, high);
  if (run.begin >= run.end) return;
  if (!whole) run.lines = count_lf(std::string_view(from.bytes).substr(run.begin, run.end - run.begin));
  run.begin -= low;
  run.end -= low;
  to.drops.push_back(run);
}

}  // namespace

Batch slice_batch(const Batch& batch, std::uint64_t begin, std::uint64_t end) {
  LB_CHECK(batch.begin <= begin && begin <= end && end <= batch.end);
  Batch out;
  copy_header(batch, out);
  out.begin = begin;
  out.end = end;
  for (const PrefixMark& mark : batch.marks) {
    if (mark.offset > begin && mark.offset <= end) out.marks.push_back(mark);
  }
  if (batch.bytes.empty()) return out;
  const auto low = static_cast<std::uint32_t>(begin - batch.begin);
  const auto high = static_cast<std::uint32_t>(end - batch.begin);
  out.bytes = batch.bytes.substr(low, high - low);
  if (batch.disposition != Disposition::kStored) return out;
  if (begin == batch.begin && end == batch.end) out.records.reserve(batch.records.size());
  for (const Record& record : batch.records) add_record(batch, record, low, high, out);
  for (const DroppedRun& run : batch.drops) add_drop(batch, run, low, high, out);
  const auto blank_start = static_cast<std::uint32_t>(batch.bytes.size()) - batch.trailing_blank;
  if (high > blank_start) out.trailing_blank = high - std::max(blank_start, low);
  return out;
}

}  // namespace logboom
