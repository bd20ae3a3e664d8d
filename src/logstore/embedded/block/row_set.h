// RowSet: a bitmap over the rows of one block; what the evaluation of a query computes with. Plain value, not
// thread-safe. Memory: one bit per row.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

namespace logboom::logstore::embedded {

class RowSet {
 public:
  RowSet() = default;
  // Rows [0, size), none or all of them in the set.
  explicit RowSet(std::uint32_t size, bool all = false);

  std::uint32_t size() const { return size_; }
  bool contains(std::uint32_t row) const { return (words_[row >> 6] >> (row & 63) & 1) != 0; }
  void add(std::uint32_t row) { words_[row >> 6] |= std::uint64_t{1} << (row & 63); }
  void remove(std::uint32_t row) { words_[row >> 6] &= ~(std::uint64_t{1} << (row & 63)); }
  // Adds [begin, end).
  void add_range(std::uint32_t begin, std::uint32_t end);
  std::uint32_t count() const;
  bool empty() const;
  bool full() const { return count() == size_; }

  // Both sides have the same size.
  RowSet& operator&=(const RowSet& other);
  RowSet& operator|=(const RowSet& other);
  RowSet& operator-=(const RowSet& other);
  // Turns the set into its complement.
  void invert();
  bool operator==(const RowSet&) const = default;

  // Ascending; f(row) returns void.
  template <typename F>
  void for_each(F f) const {
    for (std::size_t w = 0; w < words_.size(); ++w)
      for (std::uint64_t bits = words_[w]; bits != 0; bits &= bits - 1)
        f(static_cast<std::uint32_t>(w * 64 + static_cast<unsigned>(std::countr_zero(bits))));
  }
  // The first row in the set at or behind `from`; size() when there is none.
  std::uint32_t next(std::uint32_t from) const;
  // The 64-bit words, bit i of word w is row 64*w + i; bits behind size() are zero.
  const std::vector<std::uint64_t>& words() const { return words_; }

 private:
  void clear_padding();

  std::uint32_t size_ = 0;
  std::vector<std::uint64_t> words_;
};

}  // namespace logboom::logstore::embedded
