// PassedOver: messages of a partition that were received and not taken, because they come again from an earlier one on.
// However many they are, they are one range, which shrinks from its front as reading gets through it the second time.
#pragma once

#include <algorithm>
#include <cstdint>

namespace logboom {

// Not thread-safe. Offsets are those of the partition; messages come in rising order, but for a return to an earlier
// one.
class PassedOver {
 public:
  // [first, end) was not taken; it comes again behind an earlier message.
  void add(std::int64_t first, std::int64_t end) {
    begin_ = empty() ? first : std::min(begin_, first);
    end_ = std::max(end_, end);
    again_ = false;
  }
  // [first, end) was taken. What lies behind the range says nothing of it before reading has returned to its front.
  void taken(std::int64_t first, std::int64_t end) {
    again_ = again_ || first <= begin_;
    if (again_) begin_ = std::max(begin_, end);
  }
  bool empty() const { return begin_ >= end_; }
  // No further than this, where `end` is how far all else has come.
  std::int64_t mark(std::int64_t end) const { return empty() ? end : std::min(end, begin_); }

 private:
  std::int64_t begin_ = 0;
  std::int64_t end_ = 0;
  bool again_ = false;  // reading has returned to the front of the range
};

}  // namespace logboom
