// The time range of a block without its few wild times, so that pruning by time works.
#pragma once

#include <vector>

#include "logstore/embedded/block/block_meta.h"
#include "logstore/embedded/block/row_attributes.h"

namespace logboom::logstore::embedded {

// Sets min_time, max_time and outliers. A time is wild when it is further from the middle half of the block's times
// than a day and than eight times their spread; with more than kMaxOutliers of them there are none.
inline constexpr std::size_t kMaxOutliers = 32;
void set_time_range(const std::vector<RowInfo>& rows, BlockMeta& meta);

}  // namespace logboom::logstore::embedded
