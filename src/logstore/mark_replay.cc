#include "logstore/mark_replay.h"

#include <algorithm>
#include <utility>

#include "record/mark_seam.h"

namespace logboom::logstore {
namespace {

// What lies below stored bytes and was read after them is sent by an agent that does not have their chain: the mark
// their first link begins at came with bytes that are lost. What was read before them is only late.
void part_chains(const Batch& batch, HeldMarks& held) {
  for (const Interval& part : held.missing(batch.begin, batch.end + 1)) {
    if (part.end > batch.end) continue;
    const std::optional<PrefixMark> above = held.first_from(part.end);
    if (!above || is_seam(*above)) continue;
    const bool knows_it = std::find(batch.marks.begin(), batch.marks.end(), *above) != batch.marks.end();
    if (!knows_it) held.add(seam_before(*above));
  }
}

}  // namespace

void MarkReplay::enter(const Batch& batch, TimeNs last_seen, HeldMarks& held) {
  if (const auto others = take(batch, held.last(), held.stores(0))) held.set(*others);
  const bool read_again = batch.arrival > last_seen && batch.begin < held.end();
  if (read_again && batch.disposition == Disposition::kStored) part_chains(batch, held);
  for (const PrefixMark& mark : batch.marks) enter_mark(mark, held);
}

void MarkReplay::enter_mark(const PrefixMark& mark, HeldMarks& held) {
  // Marks inside what is stored came with it; others there would break the chain.
  if (held.stores(mark.offset - 1)) {
    other_ = held.first_from(mark.offset) != mark;
    return;
  }
  if (other_) {
    const PrefixMark seam = seam_before(mark);
    const std::optional<PrefixMark> there = held.first_from(seam.offset);
    if (there && there->offset == seam.offset && !is_seam(*there)) return;  // no room: the next one
    if (seam.offset > 0) held.add(seam);
    other_ = false;
  }
  held.add(mark);
}

std::optional<std::vector<PrefixMark>> MarkReplay::take(const Batch& batch, const std::optional<PrefixMark>& last,
                                                        bool holds_first) {
  if (batch.begin == 0 && holds_first) {
    end_ = 0;
    marks_.clear();
  }
  const bool goes_on = batch.begin == 0 ? holds_first : end_ > 0 && batch.begin <= end_;
  if (!goes_on || !last) return std::nullopt;
  end_ = std::max(end_, batch.end);
  for (const PrefixMark& mark : batch.marks) {
    if (marks_.empty() || mark.offset > marks_.back().offset) marks_.push_back(mark);
  }
  if (end_ < last->offset) return std::nullopt;
  // An agent that knows the chain sends its last marks again; those in its middle it may have forgotten.
  const bool same = std::find(marks_.begin(), marks_.end(), *last) != marks_.end();
  end_ = 0;
  std::vector<PrefixMark> sent = std::exchange(marks_, {});
  if (same) return std::nullopt;
  return sent;
}

}  // namespace logboom::logstore
