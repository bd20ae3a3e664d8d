#include "logstore/embedded/block/variable_scanner.h"

#include <algorithm>
#include <bit>

#include "logstore/embedded/block/byte_classes.h"

namespace logboom::logstore::embedded {
namespace {

constexpr std::size_t kBatchWords = 64;  // classified at once, so that the classes stay in the first cache

// What carries from one word of 64 bytes to the next: the word before.
struct Before {
  ByteClasses classes;
  std::uint64_t run = 0;
  std::uint64_t key_end = 0;
};

// The bitmap moved up by n bytes, with the top of the word before.
std::uint64_t up(std::uint64_t now, std::uint64_t before, unsigned n) {
  return now << n | before >> (64 - n);
}

// A ':' or ',' between digits joins: 14:31:58,204 and 10.0.3.17:8443. A comma only behind ":dd", so that lists are cut.
std::uint64_t joining(const ByteClasses& now, const ByteClasses& before, const ByteClasses& after) {
  const std::uint64_t digit_before = up(now.digit, before.digit, 1);
  const std::uint64_t digit_after = now.digit >> 1 | after.digit << 63;
  const std::uint64_t clock_before = digit_before & up(now.digit, before.digit, 2) & up(now.colon, before.colon, 3);
  return digit_after & ((now.colon & digit_before) | (now.comma & clock_before));
}

}  // namespace

bool is_delimiter(char c) {
  return is_delimiter_byte(static_cast<unsigned char>(c));
}

void VariableScanner::prepare(std::string_view bytes) {
  bytes_ = bytes;
  const std::size_t words = (bytes.size() + 63) / 64;
  run_.resize(words), mark_.resize(words), quoted_.resize(words), high_.resize(words);
  classify();
  drop_open_quotes();
  fill_runs();
  list_ranges();
  next_ = 0;
}

void VariableScanner::classify() {
  const std::size_t words = run_.size();
  ByteClasses classes[kBatchWords + 1];
  Before before;
  std::uint64_t any_high = 0;
  for (std::size_t at = 0; at < words; at += kBatchWords) {
    const std::size_t n = std::min(kBatchWords, words - at);
    const std::size_t ahead = at + n < words ? 1 : 0;  // one more, for what stands behind the last byte
    classify_bytes(bytes_.data() + at * 64, n + ahead, classes);
    if (ahead == 0) classes[n] = {};
    for (std::size_t i = 0; i < n; ++i) {
      const ByteClasses& now = classes[i];
      const ByteClasses& last = before.classes;
      const std::uint64_t run = ~now.delimiter | joining(now, last, classes[i + 1]);
      const std::uint64_t starts = run & ~up(run, before.run, 1);
      // The end of a JSON key with its colon, and a space behind it.
      const std::uint64_t colon = now.colon & up(now.quote, last.quote, 1);
      const std::uint64_t key_end = colon | (now.space & up(colon, last.colon & up(last.quote, 0, 1), 1));
      const std::uint64_t after_value_sign = up(key_end | now.equals, before.key_end | last.equals, 1);
      run_[at + i] = run;
      mark_[at + i] = now.mark | (starts & after_value_sign);
      quoted_[at + i] = after_value_sign & now.quote;
      high_[at + i] = now.high;
      any_high |= now.high;
      before = {now, run, key_end};
    }
  }
  any_high_ = any_high != 0;
  // So far `quoted_` has the quotes that open a value; the run begins one byte further.
  std::uint64_t carry = 0;
  for (std::size_t w = 0; w < words; ++w) {
    const std::uint64_t opening = quoted_[w];
    quoted_[w] = (opening << 1 | carry) & run_[w] & ~mark_[w];
    carry = opening >> 63;
  }
}

// Runs behind an opening quote count where the quote closes right behind them.
void VariableScanner::drop_open_quotes() {
  for (std::size_t w = 0; w < run_.size(); ++w) {
    for (std::uint64_t bits = quoted_[w]; bits != 0; bits &= bits - 1) {
      const auto at = static_cast<unsigned>(std::countr_zero(bits));
      std::size_t end_word = w;
      std::uint64_t behind = ~run_[w] & (~std::uint64_t{0} << at);
      while (behind == 0 && end_word + 1 < run_.size()) behind = ~run_[++end_word];
      const std::size_t end = end_word * 64 + static_cast<unsigned>(std::countr_zero(behind));
      if (behind != 0 && end < bytes_.size() && bytes_[end] == '"') mark_[w] |= std::uint64_t{1} << at;
    }
  }
}

// Spreads every mark to the end of its run. A bit added to the begin of a run carries through its unmarked bytes and
// stops at the first mark: what is left of the run from there on is marked.
void VariableScanner::fill_runs() {
  std::uint64_t run_before = 0;
  std::uint64_t carry = 0;
  for (std::size_t w = 0; w < run_.size(); ++w) {
    const std::uint64_t run = run_[w];
    const std::uint64_t marks = mark_[w] & run;
    const std::uint64_t starts = run & ~up(run, run_before, 1);
    std::uint64_t sum = 0;
    const bool over = __builtin_add_overflow(run & ~marks, starts, &sum);
    const bool over_too = __builtin_add_overflow(sum, carry, &sum);
    carry = over || over_too ? 1 : 0;
    mark_[w] = (sum | marks) & run;
    run_before = run;
  }
}

// Where the run begins that holds the byte at `bit` of the word.
std::uint32_t VariableScanner::run_begin(std::size_t word, unsigned bit) const {
  std::uint64_t before = ~run_[word] & ((std::uint64_t{1} << bit) - 1);
  while (before == 0 && word > 0) before = ~run_[--word];
  return static_cast<std::uint32_t>(word * 64 + static_cast<unsigned>(std::bit_width(before)));
}

void VariableScanner::list_ranges() {
  const auto size = static_cast<std::uint32_t>(bytes_.size());
  std::uint64_t before = 0;
  std::size_t begins = 0;
  std::size_t ends = 0;
  for (std::size_t w = 0; w < mark_.size(); ++w) {
    if (begins_.size() < begins + 64) begins_.resize(2 * begins + 64), ends_.resize(2 * begins + 65);
    const std::uint64_t shifted = up(mark_[w], before, 1);
    const auto base = static_cast<std::uint32_t>(w * 64);
    for (std::uint64_t bits = mark_[w] & ~shifted; bits != 0; bits &= bits - 1)
      begins_[begins++] = run_begin(w, static_cast<unsigned>(std::countr_zero(bits)));
    for (std::uint64_t bits = ~mark_[w] & shifted; bits != 0; bits &= bits - 1)
      ends_[ends++] = base + static_cast<std::uint32_t>(std::countr_zero(bits));
    before = mark_[w];
  }
  if (ends < begins) ends_[ends++] = size;
  for (std::size_t i = ends; i > 0 && ends_[i - 1] > size; --i) ends_[i - 1] = size;
  while (begins > 0 && begins_[begins - 1] >= size) --begins;  // bytes of the padding
  count_ = begins;
}

void VariableScanner::seek(std::uint32_t begin) {
  if (next_ > 0 && ends_[next_ - 1] > begin)
    next_ = static_cast<std::size_t>(
        std::upper_bound(ends_.begin(), ends_.begin() + static_cast<std::ptrdiff_t>(count_), begin) - ends_.begin());
  while (next_ < count_ && ends_[next_] <= begin) ++next_;
}

std::size_t VariableScanner::take(std::uint32_t begin, std::uint32_t end, TextRange* out) {
  seek(begin);
  std::size_t count = 0;
  std::uint32_t floor = begin;
  while (next_ < count_ && begins_[next_] < end) {
    const std::uint32_t stop = std::min(ends_[next_], end);
    if (count == kMaxVariables - 1) {
      out[count] = {floor, end};
      return kMaxVariables;
    }
    out[count++] = {std::max(begins_[next_], begin), stop};
    if (ends_[next_] > end) break;  // the next range begins inside the run
    floor = stop;
    ++next_;
  }
  return count;
}

bool VariableScanner::has_high(std::uint32_t begin, std::uint32_t end) const {
  if (!any_high_ || begin >= end) return false;
  const std::size_t first = begin / 64;
  const std::size_t last = (end - 1) / 64;
  const std::uint64_t head = ~std::uint64_t{0} << (begin % 64);
  const std::uint64_t tail = ~std::uint64_t{0} >> (63 - (end - 1) % 64);
  if (first == last) return (high_[first] & head & tail) != 0;
  if ((high_[first] & head) != 0 || (high_[last] & tail) != 0) return true;
  for (std::size_t w = first + 1; w < last; ++w) {
    if (high_[w] != 0) return true;
  }
  return false;
}

}  // namespace logboom::logstore::embedded
