#include "logstore/embedded/block/row_set.h"

#include <algorithm>

namespace logboom::logstore::embedded {

RowSet::RowSet(std::uint32_t size, bool all)
    : size_(size), words_((std::size_t{size} + 63) / 64, all ? ~std::uint64_t{0} : 0) {
  clear_padding();
}

void RowSet::clear_padding() {
  if (size_ % 64 != 0) words_.back() &= (std::uint64_t{1} << (size_ % 64)) - 1;
}

void RowSet::add_range(std::uint32_t begin, std::uint32_t end) {
  while (begin < end && begin % 64 != 0) add(begin++);
  while (begin + 64 <= end) {
    words_[begin / 64] = ~std::uint64_t{0};
    begin += 64;
  }
  while (begin < end) add(begin++);
}

std::uint32_t RowSet::count() const {
  std::uint32_t n = 0;
  for (const std::uint64_t word : words_) n += static_cast<std::uint32_t>(std::popcount(word));
  return n;
}

bool RowSet::empty() const {
  return std::all_of(words_.begin(), words_.end(), [](std::uint64_t word) { return word == 0; });
}

RowSet& RowSet::operator&=(const RowSet& other) {
  for (std::size_t i = 0; i < words_.size(); ++i) words_[i] &= other.words_[i];
  return *this;
}

RowSet& RowSet::operator|=(const RowSet& other) {
  for (std::size_t i = 0; i < words_.size(); ++i) words_[i] |= other.words_[i];
  return *this;
}

RowSet& RowSet::operator-=(const RowSet& other) {
  for (std::size_t i = 0; i < words_.size(); ++i) words_[i] &= ~other.words_[i];
  return *this;
}

void RowSet::invert() {
  for (std::uint64_t& word : words_) word = ~word;
  if (!words_.empty()) clear_padding();
}

std::uint32_t RowSet::next(std::uint32_t from) const {
  if (from >= size_) return size_;
  std::size_t w = from / 64;
  std::uint64_t bits = words_[w] & (~std::uint64_t{0} << (from % 64));
  while (bits == 0) {
    if (++w == words_.size()) return size_;
    bits = words_[w];
  }
  return static_cast<std::uint32_t>(w * 64 + static_cast<unsigned>(std::countr_zero(bits)));
}

}  // namespace logboom::logstore::embedded
