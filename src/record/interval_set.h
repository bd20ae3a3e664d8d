// IntervalSet: disjoint half-open intervals [begin, end) over byte offsets, each with a value; the heart of the ledger.
// A set and not a high-water mark: with a mark, a late range (retry, second path) would look "already passed" and be
// lost.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "record/batch.h"

namespace logboom {

struct Interval {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  bool operator==(const Interval&) const = default;
};

// Coverage of one source, epoch and channel: which bytes are accounted for, whatever became of them.
class Coverage {
 public:
  // Adds [begin, end); touching and overlapping intervals merge. Empty ranges change nothing.
  void add(std::uint64_t begin, std::uint64_t end);
  void add(const Coverage& other);
  void remove(std::uint64_t begin, std::uint64_t end);
  bool contains(std::uint64_t begin, std::uint64_t end) const;
  // The parts of [begin, end) that are not covered, ascending.
  std::vector<Interval> missing(std::uint64_t begin, std::uint64_t end) const;
  // End of the covered range that starts at `from`; `from` itself when it is not covered. The contiguous low mark is
  // contiguous_end(0).
  std::uint64_t contiguous_end(std::uint64_t from) const;
  std::uint64_t end() const;
  std::uint64_t bytes() const;
  bool empty() const { return intervals_.empty(); }
  std::vector<Interval> intervals() const;
  bool operator==(const Coverage&) const = default;

 private:
  std::map<std::uint64_t, std::uint64_t> intervals_;  // begin > end; disjoint, not touching
};

}  // namespace logboom
