#include "logstore/mark_replay.h"

#include <algorithm>
#include <utility>

namespace logboom::logstore {

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
