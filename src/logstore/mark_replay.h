// MarkReplay: follows an agent that sends a stream again from its first byte. One that has lost its data sets its
// prefix marks anew, at other places: another chain, whose links do not go on from the marks that are held. It takes
// their place, from the first byte on.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "record/batch.h"

namespace logboom::logstore {

// Of one stream. Bound: the marks that were sent since the first byte came again.
class MarkReplay {
 public:
  // Every batch of a stream; `last` of the marks that are held; `holds_first`: its first byte is stored. Gives the
  // marks to hold in their place, ascending, when the batch shows that they are of another chain.
  std::optional<std::vector<PrefixMark>> take(const Batch& batch, const std::optional<PrefixMark>& last,
                                              bool holds_first);

 private:
  std::uint64_t end_ = 0;  // sent again so far; 0: nothing is
  std::vector<PrefixMark> marks_;
};

}  // namespace logboom::logstore
