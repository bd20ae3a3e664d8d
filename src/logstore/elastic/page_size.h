// PageSize: how many entries of the ledger to ask for, so that an answer has about so many bytes whatever is in them.
#pragma once

#include <algorithm>
#include <cstddef>

namespace logboom::logstore::elastic {

class PageSize {
 public:
  // `most` documents, `bytes` in an answer.
  PageSize(std::size_t most, std::size_t bytes)
      : most_(std::max<std::size_t>(most, 1)), bytes_(bytes), next_(std::min(most_, kFirst)) {}

  std::size_t next() const { return next_; }

  // What the last answer had. Documents behind short ones may be long: so it grows step by step.
  void answered(std::size_t documents, std::size_t bytes) {
    if (documents == 0) return;
    const std::size_t fitting = bytes_ / std::max<std::size_t>(bytes / documents, 1);
    next_ = std::clamp<std::size_t>(std::min(fitting, next_ * 4), 1, most_);
  }
  // The answer was larger than is taken; false: it was to have one document only.
  bool too_large() {
    if (next_ == 1) return false;
    next_ = std::max<std::size_t>(next_ / 8, 1);
    return true;
  }

 private:
  static constexpr std::size_t kFirst = 20;
  const std::size_t most_;
  const std::size_t bytes_;
  std::size_t next_;
};

}  // namespace logboom::logstore::elastic
