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
  ByteClasses classes[kBatchWords + 1];
  Before before;
  std::uint64_t any_high = 0;
  for (std::size_t at = 0; at < words; at += kBatchWords) {
    const std::size_t n = std::min(kBatchWords, words - at);
    const std::size_t ahead = at + n < words ? 1 : 0;  // one more, for what stands behind the last byte
    classify_bytes(bytes.data() + at * 64, n + ahead, classes);
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
    mark_[w] |= quoted_[w];
    carry = opening >> 63;
  }
}

// The first byte of the run that holds `at`, not before `floor`.
inline std::uint32_t VariableScanner::run_begin(std::uint32_t at, std::uint32_t floor) const {
  std::size_t w = at / 64;
  std::uint64_t bits = ~run_[w] & ((std::uint64_t{1} << (at % 64)) - 1);
  const std::size_t first = floor / 64;
  while (bits == 0 && w > first) bits = ~run_[--w];
  if (bits == 0) return floor;
  return std::max(floor, static_cast<std::uint32_t>(w * 64 + 64 - static_cast<unsigned>(std::countl_zero(bits))));
}

// The first byte behind the run that holds `at`, not behind `end`.
inline std::uint32_t VariableScanner::run_end(std::uint32_t at, std::uint32_t end) const {
  std::size_t w = at / 64;
  std::uint64_t bits = ~run_[w] & (~std::uint64_t{0} << (at % 64));
  const std::size_t last = (end - 1) / 64;
  while (bits == 0 && w < last) bits = ~run_[++w];
  if (bits == 0) return end;
  return std::min(end, static_cast<std::uint32_t>(w * 64 + static_cast<unsigned>(std::countr_zero(bits))));
}

std::size_t VariableScanner::scan(std::uint32_t begin, std::uint32_t end, TextRange* out) const {
  if (begin >= end) return 0;
  std::size_t count = 0;
  std::uint32_t floor = begin;
  std::size_t w = begin / 64;
  const std::size_t last = (end - 1) / 64;
  std::uint64_t marks = mark_[w] & (~std::uint64_t{0} << (begin % 64));
  for (;;) {
    while (marks == 0 && w < last) marks = mark_[++w];
    const auto mark = static_cast<std::uint32_t>(w * 64 + static_cast<unsigned>(std::countr_zero(marks)));
    if (marks == 0 || mark >= end) return count;
    const std::uint32_t stop = run_end(mark, end);
    if ((quoted_[w] >> (mark % 64) & 1) != 0 && (stop == end || bytes_[stop] != '"')) {
      marks &= marks - 1;
      continue;
    }
    if (count == kMaxVariables - 1) {
      out[count] = {floor, end};
      return kMaxVariables;
    }
    out[count++] = {run_begin(mark, floor), stop};
    if (stop == end) return count;
    floor = stop;
    w = stop / 64;
    marks = mark_[w] & (~std::uint64_t{0} << (stop % 64));
  }
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
