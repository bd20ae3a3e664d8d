#include "logstore/embedded/block/column_encoder.h"

#include <algorithm>

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

std::uint32_t hex_value(char c) {
  return static_cast<std::uint32_t>(is_digit(c) ? c - '0' : c - 'a' + 10);
}

void measure_lengths(const std::vector<std::string_view>& values, Column& column) {
  std::size_t least = values[0].size();
  std::size_t most = least;
  for (const std::string_view value : values) {
    least = std::min(least, value.size());
    most = std::max(most, value.size());
  }
  column.min_length = static_cast<std::uint32_t>(least);
  column.max_length = static_cast<std::uint32_t>(most);
}

std::size_t common_begin(const std::vector<std::string_view>& values, std::size_t limit) {
  std::size_t n = limit;
  for (const std::string_view value : values) {
    std::size_t i = 0;
    while (i < n && value[i] == values[0][i]) ++i;
    n = i;
    if (n == 0) break;
  }
  return n;
}

}  // namespace

Column ColumnEncoder::encode(const std::vector<std::string_view>& values, const std::vector<TimeNs>& times) {
  values_ = &values;
  Column column;
  measure_lengths(values, column);
  if (try_constant(column) || try_time(column, times)) return column;
  const bool repetitive = looks_repetitive();
  if (repetitive && try_dictionary(column, values.size() / 4 + 1)) return column;
  if (try_numbers(column) || try_hex(column)) return column;
  if (!repetitive && try_dictionary(column, values.size() / 4 + 1)) return column;
  write_strings(column);
  return column;
}

bool ColumnEncoder::try_constant(Column& column) {
  const std::string_view first = values_->front();
  if (column.min_length != column.max_length) return false;
  for (const std::string_view value : *values_) {
    if (value != first) return false;
  }
  column.kind = ColumnKind::kConstant;
  column.constant = first;
  column.classes = byte_classes_of(first);
  return true;
}

bool ColumnEncoder::try_time(Column& column, const std::vector<TimeNs>& times) {
  if (column.min_length != column.max_length) return false;
  const auto format = TimeFormat::guess(values_->front(), times.front());
  if (!format) return false;
  TimeRenderer renderer(*format);
  for (std::size_t i = 0; i < values_->size(); ++i) {
    if (renderer.render(times[i]) != (*values_)[i]) return false;
  }
  column.kind = ColumnKind::kTime;
  column.time = *format;
  column.classes = static_cast<std::uint8_t>(byte_classes_of(values_->front()) | kClassDigit);
  if (column.classes & (kClassHexLetter | kClassLetter)) column.classes |= kClassHexLetter | kClassLetter;  // months
  return true;
}

bool ColumnEncoder::looks_repetitive() const {
  const std::size_t n = values_->size();
  const std::size_t sample = std::min(n, kSample);
  std::uint64_t hashes[kSample];
  for (std::size_t i = 0; i < sample; ++i) hashes[i] = text_hash((*values_)[i * n / sample]);
  std::sort(hashes, hashes + sample);
  const auto distinct = static_cast<std::size_t>(std::unique(hashes, hashes + sample) - hashes);
  return distinct * 8 <= sample * 7;
}

// Splits the first value into text and numbers.
bool ColumnEncoder::number_skeleton(Column& column) const {
  const std::string_view first = values_->front();
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

bool ColumnEncoder::parse_value(std::string_view value, const Column& column) {
  const char* p = value.data();
  const char* end = p + value.size();
  for (std::size_t k = 0; k < column.numbers.size(); ++k) {
    const std::string& before = column.numbers[k].before;
    if (static_cast<std::size_t>(end - p) < before.size() || std::memcmp(p, before.data(), before.size()) != 0)
      return false;
    p += before.size();
    const char* digits = p;
    std::int64_t number = 0;
    while (p < end && is_digit(*p) && p - digits < static_cast<std::ptrdiff_t>(kMaxDigits))
      number = number * 10 + (*p++ - '0');
    if (p == digits || (p < end && is_digit(*p))) return false;
    const auto width = static_cast<std::uint32_t>(p - digits);
    NumberSeen& seen = seen_[k];
    seen.min_width = std::min(seen.min_width, width);
    seen.max_width = std::max(seen.max_width, width);
    seen.leading_zero = seen.leading_zero || (*digits == '0' && width > 1);
    numbers_[k].push_back(number);
  }
  return std::string_view(p, static_cast<std::size_t>(end - p)) == column.constant;
}

bool ColumnEncoder::parse_numbers(Column& column) {
  const std::size_t count = column.numbers.size();
  if (numbers_.size() < count) numbers_.resize(count);
  for (std::size_t k = 0; k < count; ++k) numbers_[k].clear();
  seen_.assign(count, {});
  for (const std::string_view value : *values_) {
    if (!parse_value(value, column)) return false;
  }
  for (std::size_t k = 0; k < count; ++k) {
    if (!seen_[k].leading_zero) continue;
    if (seen_[k].min_width != seen_[k].max_width) return false;
    column.numbers[k].width = static_cast<std::uint8_t>(seen_[k].max_width);
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
  for (std::size_t k = 0; k < column.numbers.size(); ++k) encode_ints(numbers_[k], out);
  streams_.close(SectionKind::kInts, column.data);
  return true;
}

bool ColumnEncoder::try_hex(Column& column) {
  const std::size_t length = column.min_length;
  if (length != column.max_length || length < kLeastHexDigits || length > kMaxHexLength) return false;
  const std::string_view first = values_->front();
  bool varies[kMaxHexLength] = {};
  for (const std::string_view value : *values_) {
    for (std::size_t i = 0; i < length; ++i) {
      if (value[i] == first[i]) continue;
      if (!is_hex(value[i]) || !is_hex(first[i])) return false;
      varies[i] = true;
    }
  }
  const auto digits = static_cast<std::size_t>(std::count(varies, varies + length, true));
  if (digits < kLeastHexDigits) return false;
  column.kind = ColumnKind::kHex;
  column.hex_text = first;
  column.hex_mask.assign(length, '0');
  column.classes = static_cast<std::uint8_t>(byte_classes_of(first) | kClassDigit | kClassHexLetter);
  for (std::size_t i = 0; i < length; ++i) {
    if (varies[i]) column.hex_mask[i] = '1', column.hex_text[i] = '\0';
  }
  std::string& out = streams_.open(SectionKind::kHex);
  std::uint32_t pending = 1;
  for (const std::string_view value : *values_) {
    for (std::size_t i = 0; i < length; ++i) {
      if (!varies[i]) continue;
      pending = pending << 4 | hex_value(value[i]);
      if (pending < 0x100) continue;
      out.push_back(static_cast<char>(pending));
      pending = 1;
    }
  }
  if (pending != 1) out.push_back(static_cast<char>(pending << 4));
  streams_.close(SectionKind::kHex, column.data);
  return true;
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
  for (const std::string_view value : *values_) {
    const std::uint64_t hash = text_hash(value);
    std::size_t at = hash & (slots_.size() - 1);
    while (slots_[at].entry != 0 && (slots_[at].hash != hash || entries_[slots_[at].entry - 1] != value))
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
  const std::size_t common = common_begin(*values_, column.min_length);
  column.constant = values_->front().substr(0, common);
  column.classes = byte_classes_of(column.constant);
  lengths_.clear();
  std::string& out = streams_.open(SectionKind::kStrings);
  for (const std::string_view value : *values_) {
    const std::string_view rest = value.substr(common);
    lengths_.push_back(static_cast<std::int64_t>(rest.size()));
    column.classes = static_cast<std::uint8_t>(column.classes | byte_classes_of(rest));
    out.append(rest);
  }
  streams_.close(SectionKind::kStrings, column.data);
  std::string& lengths = streams_.open(SectionKind::kInts);
  encode_ints(lengths_, lengths);
  streams_.close(SectionKind::kInts, column.extra);
}

}  // namespace logboom::logstore::embedded
