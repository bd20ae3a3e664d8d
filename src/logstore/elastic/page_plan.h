// PagePlan: how many documents to ask for, page by page, so that no answer has many more bytes than it should: lines
// may be a megabyte, and a target that is asked for a thousand of them runs out of memory. The first pages are small;
// for those behind them the target is asked for the sizes of documents before it is asked for the documents.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

namespace logboom::logstore::elastic {

class PagePlan {
 public:
  // `most` documents, `bytes` of lines in an answer, or one document.
  PagePlan(std::size_t most, std::uint64_t bytes) : most_(std::max<std::size_t>(most, 1)), bytes_(bytes) {}

  // Before next(): whether learn() comes first, and of how many documents.
  bool wants_sizes() const { return first_pages_ == 0 && pages_.empty(); }
  std::size_t ahead() const { return std::min(most_ * kPagesAhead, kMostAhead); }
  // Of the documents that come next, in their order; not empty.
  void learn(const std::vector<std::uint64_t>& sizes) {
    std::uint64_t bytes = 0;
    std::size_t count = 0;
    for (const std::uint64_t size : sizes) {
      if (count == most_ || (count > 0 && bytes + size > bytes_)) {
        pages_.push_back(count);
        bytes = count = 0;
      }
      bytes += size;
      ++count;
    }
    pages_.push_back(count);
  }

  std::size_t next() const { return first_pages_ > 0 ? std::min(most_, kFirstPage) : pages_.front(); }
  // The page came.
  void answered() {
    if (first_pages_ > 0) {
      --first_pages_;
    } else {
      pages_.pop_front();
    }
  }
  // It was larger than an answer may be; false: it was of one document.
  bool too_large() {
    const std::size_t last = next();
    first_pages_ = 0;
    pages_.clear();
    if (last > 1) pages_.push_back(std::max<std::size_t>(last / 8, 1));
    return last > 1;
  }

 private:
  static constexpr std::size_t kFirstPage = 50;
  static constexpr std::size_t kPagesAhead = 10;
  static constexpr std::size_t kMostAhead = 10'000;  // a target gives no more at once
  const std::size_t most_;
  const std::uint64_t bytes_;
  int first_pages_ = 2;
  std::deque<std::size_t> pages_;  // known to fit
};

}  // namespace logboom::logstore::elastic
