// MarkCheck: compares bytes of a stream with the chain of prefix marks the collector computed when it read them. What
// stands in for the bytes once they have expired or are damaged.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "io/hashing.h"
#include "record/batch.h"
#include "record/interval_set.h"

namespace logboom::logstore {

// Takes the bytes in ascending order. A link of the chain is compared when all its bytes came without a hole between
// and it is a hash of them: not at a seam (record/mark_seam.h), and no longer than kMaxMarkLink.
class MarkCheck {
 public:
  // `marks` of the stream, ascending.
  explicit MarkCheck(std::vector<PrefixMark> marks) : marks_(std::move(marks)) {}

  // `offset` is at or behind the end of what came before; what lies between is a hole.
  void bytes(std::uint64_t offset, std::string_view bytes);
  void hole(std::uint64_t offset, std::uint64_t length) { skip_to(offset + length); }

  // (mark before, mark] whose bytes do not give the mark.
  const std::vector<Interval>& wrong() const { return wrong_; }

 private:
  PrefixMark before() const { return next_ == 0 ? PrefixMark{} : marks_[next_ - 1]; }
  void reach_mark();
  void skip_to(std::uint64_t offset);

  const std::vector<PrefixMark> marks_;
  std::vector<Interval> wrong_;
  std::optional<MarkBuilder> chain_{MarkBuilder(Hash128{})};
  std::size_t next_ = 0;
  std::uint64_t at_ = 0;
};

}  // namespace logboom::logstore
