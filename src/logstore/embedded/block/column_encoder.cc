#include "logstore/embedded/block/column_encoder.h"

#include <algorithm>
#include <bit>

#include "logstore/embedded/block/bytes.h"
#include "logstore/embedded/block/int_packing.h"
#include "logstore/embedded/block/text_hash.h"

namespace logboom::logstore::embedded {
namespace {

constexpr std::size_t kSample = 32;
constexpr std::size_t kMaxEntries = 1u << 16;
constexpr std::size_t kMaxNumbers = 8;
constexpr std::size_t kMaxDigits = 18;
constexpr std::size_t kMaxHexLength = 256;
constexpr std::size_t kLeastHexDigits = 8;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f');
}

// Whether two texts are equal; eight bytes behind both are readable.
bool same_text(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  const char* p = a.data();
  const char* q = b.data();
  std::size_t left = a.size();
  for (; left > 8; left -= 8, p += 8, q += 8) {
    if (load64(p) != load64(q)) return false;
  }
  return left == 0 || (load64(p) ^ load64(q)) << (64 - 8 * left) == 0;
}

// Whether the text at p, of which `room` bytes are left, begins with `expected`; mostly no or one byte.
bool begins_with(const char* p, std::size_t room, const std::string& expected) {
  if (expected.empty()) return true;
  if (room < expected.size() || *p != expected[0]) return false;
  return expected.size() == 1 || std::memcmp(p, expected.data(), expected.size()) == 0;
}

// Reads the digits at p, of which `room` bytes are left and eight are readable; the count of digits.
std::size_t read_digits(const char* p, std::size_t room, std::uint64_t& number) {
  constexpr std::uint64_t kEach = 0x0101010101010101ULL;
  const std::uint64_t digits = load64(p) ^ '0' * kEach;
  const std::uint64_t others = ((digits + 0x76 * kEach) | digits) & 0x80 * kEach;
  std::size_t width = others == 0 ? 8 : static_cast<std::size_t>(std::countr_zero(others)) / 8;
  width = std::min(width, room);
  if (width == 0) return 0;
  std::uint64_t v = digits << (64 - 8 * width);  // leading zeros in front
  v = v * 10 + (v >> 8);
  v = ((v & 0x000000ff000000ffULL) * 0x000f424000000064ULL +
       (v >> 16 & 0x000000ff000000ffULL) * 0x0000271000000001ULL) >>
      32;
  if (others == 0) {
    for (; width < room && width <= kMaxDigits && is_digit(p[width]); ++width)
      v = v * 10 + static_cast<std::uint64_t>(p[width] - '0');
  }
  number = v;
  return width;
}

void measure_lengths(const ColumnValues& values, Column& column) {
  std::uint32_t least = values.values[0].end - values.values[0].begin;
  std::uint32_t most = least;
  for (std::size_t i = 1; i < values.count; ++i) {
    const std::uint32_t length = values.values[i].end - values.values[i].begin;
    least = std::min(least, length);
    most = std::max(most, length);
  }
  column.min_length = least;
  column.max_length = most;
}

std::size_t common_begin(const ColumnValues& values, std::size_t limit) {
  const std::string_view first = values.at(0);
  std::size_t n = limit;
  for (std::size_t v = 1; v < values.count && n != 0; ++v) {
    const std::string_view value = values.at(v);
    std::size_t i = 0;
    while (i < n && value[i] == first[i]) ++i;
    n = i;
  }
  return n;
}

// Eight hexadecimal digits, lower case, as four bytes.
std::uint32_t pack_hex(std::uint64_t text) {
  constexpr std::uint64_t kOnes = 0x0101010101010101ULL;
  const std::uint64_t letters = text >> 6 & kOnes;
  const std::uint64_t nibbles = (text & 0x0f * kOnes) + 9 * letters;
  std::uint64_t pairs = (nibbles << 4 | nibbles >> 8) & 0x00ff00ff00ff00ffULL;
  pairs = (pairs | pairs >> 8) & 0x0000ffff0000ffffULL;
  return static_cast<std::uint32_t>(pairs | pairs >> 16);
}

bool varying_bytes_are_hex(const ColumnValues& values, const std::string& mask) {
  for (std::size_t v = 0; v < values.count; ++v) {
    const char* value = values.bytes + values.values[v].begin;
    bool hex = true;
    for (std::size_t i = 0; i < mask.size(); ++i) hex &= mask[i] == '0' || is_hex(value[i]);
    if (!hex) return false;
  }
  return true;
}

}  // namespace

Column ColumnEncoder::encode(const ColumnValues& values) {
  values_ = values;
  Column column;
  measure_lengths(values, column);
  if (try_constant(column) || try_time(column)) return column;
  const bool repetitive = looks_repetitive();
  if (repetitive && try_dictionary(column, values.count / 4 + 1)) return column;
  if (try_numbers(column) || try_hex(column)) return column;
  if (!repetitive && try_dictionary(column, values.count / 4 + 1)) return column;
  write_strings(column);
  return column;
}

bool ColumnEncoder::try_constant(Column& column) {
  const std::string_view first = values_.at(0);
  if (column.min_length != column.max_length) return false;
  for (std::size_t i = 1; i < values_.count; ++i) {
    if (!same_text(values_.at(i), first)) return false;
  }
  column.kind = ColumnKind::kConstant;
  column.constant = first;
  column.classes = byte_classes_of(first);
  return true;
}

bool ColumnEncoder::try_time(Column& column) {
  if (column.min_length != column.max_length) return false;
  const auto format = TimeFormat::guess(values_.at(0), values_.times[0]);
  if (!format) return false;
  TimeRenderer renderer(*format);
  for (std::size_t i = 0; i < values_.count; ++i) {
    if (!same_text(renderer.render(values_.times[i]), values_.at(i))) return false;
  }
  column.kind = ColumnKind::kTime;
  column.time = *format;
  column.classes = static_cast<std::uint8_t>(byte_classes_of(values_.at(0)) | kClassDigit);
  if (column.classes & (kClassHexLetter | kClassLetter)) column.classes |= kClassHexLetter | kClassLetter;  // months
  return true;
}

bool ColumnEncoder::looks_repetitive() const {
  const std::size_t n = values_.count;
  const std::size_t sample = std::min(n, kSample);
  std::uint64_t hashes[kSample];
  for (std::size_t i = 0; i < sample; ++i) hashes[i] = text_hash(values_.at(i * n / sample));
  std::sort(hashes, hashes + sample);
  const auto distinct = static_cast<std::size_t>(std::unique(hashes, hashes + sample) - hashes);
  return distinct * 8 <= sample * 7;
}

// Splits the first value into text and numbers.
bool ColumnEncoder::number_skeleton(Column& column) const {
  const std::string_view first = values_.at(0);
  std::size_t at = 0;
  std::size_t text_begin = 0;
  column.numbers.clear();
  while (at < first.size()) {
    if (!is_digit(first[at])) {
      ++at;
      continue;
    }
    if (column.numbers.size() == kMaxNumbers) return false;
    column.numbers.push_back({std::string(first.substr(text_begin, at - text_begin)), 0});
    const std::size_t digits = at;
    while (at < first.size() && is_digit(first[at])) ++at;
    if (at - digits > kMaxDigits) return false;
    text_begin = at;
  }
  column.constant = first.substr(text_begin);
  return !column.numbers.empty();
}

// Reads the number that comes next in every value.
bool ColumnEncoder::parse_place(NumberFormat& number, std::int64_t* out) {
  const std::string& before = number.before;
  const char first = before.empty() ? 0 : before[0];
  std::size_t least = kMaxDigits;
  std::size_t most = 0;
  bool leading_zero = false;
  for (std::size_t i = 0; i < values_.count; ++i) {
    const char* p = values_.bytes + positions_[i];
    const std::size_t room = values_.values[i].end - positions_[i];
    if (room <= before.size()) return false;
    if (!before.empty() && (*p != first || std::memcmp(p, before.data(), before.size()) != 0)) return false;
    p += before.size();
    std::uint64_t value = 0;
    const std::size_t width = read_digits(p, room - before.size(), value);
    if (width == 0 || width > kMaxDigits) return false;
    least = std::min(least, width);
    most = std::max(most, width);
    leading_zero |= *p == '0' && width > 1;
    out[i] = static_cast<std::int64_t>(value);
    positions_[i] += static_cast<std::uint32_t>(before.size() + width);
  }
  if (leading_zero && least != most) return false;
  if (leading_zero) number.width = static_cast<std::uint8_t>(most);
  return true;
}

bool ColumnEncoder::parse_numbers(Column& column) {
  const std::size_t places = column.numbers.size();
  if (numbers_.size() < places * values_.count) numbers_.resize(places * values_.count);
  if (positions_.size() < values_.count) positions_.resize(values_.count);
  for (std::size_t i = 0; i < values_.count; ++i) positions_[i] = values_.values[i].begin;
  for (std::size_t k = 0; k < places; ++k) {
    if (!parse_place(column.numbers[k], numbers_.data() + k * values_.count)) return false;
  }
  for (std::size_t i = 0; i < values_.count; ++i) {
    const std::size_t left = values_.values[i].end - positions_[i];
    if (left != column.constant.size() || !begins_with(values_.bytes + positions_[i], left, column.constant))
      return false;
  }
  return true;
}

bool ColumnEncoder::try_numbers(Column& column) {
  if (!number_skeleton(column) || !parse_numbers(column)) {
    column.numbers.clear();
    return false;
  }
  column.kind = ColumnKind::kNumbers;
  column.classes = kClassDigit;
  for (const NumberFormat& number : column.numbers)
    column.classes = static_cast<std::uint8_t>(column.classes | byte_classes_of(number.before));
  column.classes = static_cast<std::uint8_t>(column.classes | byte_classes_of(column.constant));
  std::string& out = streams_.open(SectionKind::kInts);
  for (std::size_t k = 0; k < column.numbers.size(); ++k)
    encode_ints(numbers_.data() + k * values_.count, values_.count, out);
  streams_.close(SectionKind::kInts, column.data);
  return true;
}

bool ColumnEncoder::try_hex(Column& column) {
  const std::size_t length = column.min_length;
  if (length != column.max_length || length < kLeastHexDigits || length > kMaxHexLength) return false;
  const std::string_view first = values_.at(0);
  std::uint64_t differs[kMaxHexLength / 8 + 1] = {};
  for (std::size_t v = 1; v < values_.count; ++v) {
    const char* value = values_.bytes + values_.values[v].begin;
    for (std::size_t i = 0; i < length; i += 8) differs[i / 8] |= load64(value + i) ^ load64(first.data() + i);
  }
  column.hex_text = first;
  column.hex_mask.assign(length, '0');
  for (std::size_t i = 0; i < length; ++i) {
    if ((differs[i / 8] >> (i % 8 * 8) & 0xff) != 0) column.hex_mask[i] = '1', column.hex_text[i] = '\0';
  }
  const auto digits = static_cast<std::size_t>(std::count(column.hex_mask.begin(), column.hex_mask.end(), '1'));
  if (digits < kLeastHexDigits || !varying_bytes_are_hex(values_, column.hex_mask)) return false;
  column.kind = ColumnKind::kHex;
  column.classes = static_cast<std::uint8_t>(byte_classes_of(first) | kClassDigit | kClassHexLetter);
  write_hex(column);
  streams_.close(SectionKind::kHex, column.data);
  return true;
}

void ColumnEncoder::write_hex(const Column& column) {
  std::vector<TextRange> runs;
  for (std::uint32_t i = 0; i < column.hex_mask.size(); ++i) {
    if (column.hex_mask[i] != '1') continue;
    if (runs.empty() || runs.back().end != i) runs.push_back({i, i});
    runs.back().end = i + 1;
  }
  std::string& out = streams_.open(SectionKind::kHex);
  char digits[kMaxHexLength + 16];
  for (std::size_t v = 0; v < values_.count; ++v) {
    const char* value = values_.bytes + values_.values[v].begin;
    char* end = digits;
    for (const TextRange& run : runs) {
      std::memcpy(end, value + run.begin, run.end - run.begin);
      end += run.end - run.begin;
    }
    std::memset(end, '0', 8);
    const auto count = static_cast<std::size_t>(end - digits);
    const std::size_t before = out.size();
    out.resize(before + (count + 7) / 8 * 4);
    for (std::size_t i = 0; i < count; i += 8) {
      const std::uint32_t packed = pack_hex(load64(digits + i));
      std::memcpy(out.data() + before + i / 2, &packed, 4);
    }
    out.resize(before + (count + 1) / 2);
  }
}

void ColumnEncoder::rehash(std::size_t slots) {
  slots_.assign(slots, Slot{});
  for (std::size_t e = 0; e < entries_.size(); ++e) {
    const std::uint64_t hash = text_hash(entries_[e]);
    std::size_t at = hash & (slots - 1);
    while (slots_[at].entry != 0) at = (at + 1) & (slots - 1);
    slots_[at] = {hash, static_cast<std::uint32_t>(e + 1)};
  }
}

bool ColumnEncoder::try_dictionary(Column& column, std::size_t limit) {
  limit = std::min(limit, kMaxEntries);
  entries_.clear(), entry_counts_.clear(), indices_.clear();
  rehash(64);
  for (std::size_t i = 0; i < values_.count; ++i) {
    const std::string_view value = values_.at(i);
    const std::uint64_t hash = text_hash(value);
    std::size_t at = hash & (slots_.size() - 1);
    while (slots_[at].entry != 0 && (slots_[at].hash != hash || !same_text(entries_[slots_[at].entry - 1], value)))
      at = (at + 1) & (slots_.size() - 1);
    if (slots_[at].entry == 0) {
      if (entries_.size() == limit) return false;
      entries_.push_back(value);
      entry_counts_.push_back(0);
      slots_[at] = {hash, static_cast<std::uint32_t>(entries_.size())};
      indices_.push_back(static_cast<std::uint32_t>(entries_.size() - 1));
      if (entries_.size() * 2 > slots_.size()) rehash(slots_.size() * 4);
    } else {
      indices_.push_back(slots_[at].entry - 1);
    }
    ++entry_counts_[indices_.back()];
  }
  write_dictionary(column);
  return true;
}

void ColumnEncoder::write_dictionary(Column& column) {
  column.kind = ColumnKind::kDictionary;
  column.entries = static_cast<std::uint32_t>(entries_.size());
  column.classes = 0;
  std::string& dictionary = streams_.open(SectionKind::kDictionaries);
  ByteWriter writer(dictionary);
  for (std::size_t e = 0; e < entries_.size(); ++e) {
    column.classes = static_cast<std::uint8_t>(column.classes | byte_classes_of(entries_[e]));
    writer.varint(entries_[e].size());
  }
  for (const std::uint32_t count : entry_counts_) writer.varint(count);
  for (const std::string_view entry : entries_) writer.raw(entry);
  streams_.close(SectionKind::kDictionaries, column.extra);
  std::string& out = streams_.open(SectionKind::kIndices);
  const std::size_t before = out.size();
  const std::size_t n = indices_.size();
  const bool wide = entries_.size() > 256;
  out.resize(before + (wide ? 2 * n : n));
  char* low = out.data() + before;
  for (std::size_t i = 0; i < n; ++i) low[i] = static_cast<char>(indices_[i]);
  for (std::size_t i = 0; wide && i < n; ++i) low[n + i] = static_cast<char>(indices_[i] >> 8);
  streams_.close(SectionKind::kIndices, column.data);
}

void ColumnEncoder::write_strings(Column& column) {
  column.kind = ColumnKind::kStrings;
  const std::size_t common = common_begin(values_, column.min_length);
  column.constant = values_.at(0).substr(0, common);
  column.classes = byte_classes_of(column.constant);
  lengths_.clear();
  std::string& out = streams_.open(SectionKind::kStrings);
  for (std::size_t i = 0; i < values_.count; ++i) {
    const std::string_view rest = values_.at(i).substr(common);
    lengths_.push_back(static_cast<std::int64_t>(rest.size()));
    column.classes = static_cast<std::uint8_t>(column.classes | byte_classes_of(rest));
    out.append(rest);
  }
  streams_.close(SectionKind::kStrings, column.data);
  std::string& lengths = streams_.open(SectionKind::kInts);
  encode_ints(lengths_.data(), lengths_.size(), lengths);
  streams_.close(SectionKind::kInts, column.extra);
}

}  // namespace logboom::logstore::embedded
