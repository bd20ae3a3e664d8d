#include "logstore/embedded/block/column_filters.h"

#include <algorithm>

#include "logstore/query/folding.h"
#include "logstore/query/tokens.h"

namespace logboom::logstore::embedded {
namespace {

constexpr std::uint32_t kContext = 2;       // bytes beside a variable that share a trigram with it
constexpr std::size_t kManyValues = 64;     // from here on numbers count as any digits
constexpr std::size_t kMaxFraction = 1000;  // milliseconds are remembered, finer fractions are not

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// The bytes beside the column are the same in every row: static text, or the end of the text.
bool left_is_static(const ColumnValues& v) {
  return v.first || v.left_piece >= kContext;
}
bool right_is_static(const ColumnValues& v) {
  return v.last || v.right_piece >= kContext;
}
// One static byte before the column, and a variable before that: the rows' own bytes are added.
bool left_by_row(const ColumnValues& v) {
  return !left_is_static(v) && v.left_piece == 1;
}

std::uint32_t left_context(const ColumnValues& v) {
  return left_is_static(v) ? std::min(v.left_piece, kContext) : 0;
}
std::uint32_t right_context(const ColumnValues& v) {
  return right_is_static(v) ? std::min(v.right_piece, kContext) : 0;
}

// ASCII that separates tokens. A character beyond ASCII may fold to a letter.
bool separates(char c) {
  return static_cast<unsigned char>(c) < 0x80 && !query::is_word_byte(c);
}

// Whether each number of the column is a token of its own.
bool numbers_are_tokens(const Column& column) {
  for (std::size_t k = 0; k < column.numbers.size(); ++k) {
    const std::string& before = column.numbers[k].before;
    const std::string& behind = k + 1 < column.numbers.size() ? column.numbers[k + 1].before : column.constant;
    if (!before.empty() && !separates(before.back())) return false;
    if (!behind.empty() && !separates(behind.front())) return false;
  }
  return true;
}

}  // namespace

void ColumnFilters::add(const ColumnValues& values, const Column& column,
                        const std::vector<std::string_view>& entries) {
  if (column.kind == ColumnKind::kTime) return add_times(values, column);
  add_tokens(values, column, entries);
  add_trigrams(values, column, entries);
}

void ColumnFilters::add_tokens(const ColumnValues& values, const Column& column,
                               const std::vector<std::string_view>& entries) {
  if (column.kind == ColumnKind::kConstant) return filters_.add_static_tokens(values.at(0));
  if (column.kind == ColumnKind::kDictionary) {
    for (const std::string_view entry : entries) filters_.add_variable_tokens(entry);
    return;
  }
  if (column.kind == ColumnKind::kNumbers && add_number_tokens(values, column)) return;
  if (column.kind == ColumnKind::kHex && add_hex_tokens(values, column)) return;
  for (std::size_t i = 0; i < values.count; ++i) filters_.add_variable_tokens(values.at(i));
}

bool ColumnFilters::add_number_tokens(const ColumnValues& values, const Column& column) {
  if (!numbers_are_tokens(column)) return false;
  for (const NumberFormat& number : column.numbers) filters_.add_variable_tokens(number.before);
  filters_.add_variable_tokens(column.constant);
  for (std::size_t i = 0; i < values.count; ++i) {
    const char* p = values.raw + values.values[i].begin;
    const char* end = values.raw + values.values[i].end;
    for (const NumberFormat& number : column.numbers) {
      p += number.before.size();
      const char* digits = p;
      while (p < end && is_digit(*p)) ++p;
      filters_.add_folded_variable_token({digits, static_cast<std::size_t>(p - digits)});
    }
  }
  return true;
}

// The fixed bytes of a hex column cut every value into the same tokens.
bool ColumnFilters::add_hex_tokens(const ColumnValues& values, const Column& column) {
  if ((column.classes & kClassHigh) != 0) return false;
  std::vector<TextRange> tokens;
  const auto size = static_cast<std::uint32_t>(column.hex_text.size());
  for (std::uint32_t i = 0; i < size; ++i) {
    const bool fixed = column.hex_mask[i] == '0';
    if (fixed && column.hex_text[i] >= 'A' && column.hex_text[i] <= 'Z') return false;
    if (fixed && !query::is_word_byte(column.hex_text[i])) continue;
    if (tokens.empty() || tokens.back().end != i) tokens.push_back({i, i});
    tokens.back().end = i + 1;
  }
  for (std::size_t i = 0; i < values.count; ++i) {
    const char* p = values.raw + values.values[i].begin;
    for (const TextRange& token : tokens)
      filters_.add_folded_variable_token({p + token.begin, token.end - token.begin});
  }
  return true;
}

void ColumnFilters::add_trigrams(const ColumnValues& values, const Column& column,
                                 const std::vector<std::string_view>& entries) {
  if (!left_is_static(values) && !left_by_row(values)) return add_whole(values);
  if (left_by_row(values)) add_left_neighbours(values);
  if (column.kind == ColumnKind::kConstant) return add_text(values, values.at(0));
  if (column.kind == ColumnKind::kDictionary) {
    for (const std::string_view entry : entries) add_text(values, entry);
    return;
  }
  if (values.count >= kManyValues && add_pattern(values, column)) return;
  for (std::size_t i = 0; i < values.count; ++i) add_text(values, values.at(i));
}

// The trigrams that hold the byte before the value; they may reach into the variables on both sides.
void ColumnFilters::add_left_neighbours(const ColumnValues& values) {
  for (std::size_t i = 0; i < values.count; ++i) {
    const std::uint32_t begin = values.values[i].begin;
    if (begin >= values.rows[i].begin + 3 && begin + 2 <= values.rows[i].end) {
      filters_.add_three_trigrams(values.raw + begin - 3);
      continue;
    }
    const std::uint32_t from = std::max(values.rows[i].begin + 3, begin) - 3;
    const std::uint32_t to = std::min(values.rows[i].end, begin + 2);
    filters_.add_trigrams({values.raw + from, to - from});
  }
}

void ColumnFilters::add_whole(const ColumnValues& values) {
  for (std::size_t i = 0; i < values.count; ++i) {
    const std::uint32_t from = std::max(values.rows[i].begin + kContext, values.values[i].begin) - kContext;
    const std::uint32_t to = std::min(values.rows[i].end, values.values[i].end + kContext);
    filters_.add_trigrams({values.raw + from, to - from});
  }
}

// A value with the static bytes beside it.
void ColumnFilters::add_text(const ColumnValues& values, std::string_view value) {
  const std::uint32_t left = left_context(values);
  filters_.add_trigrams({value.data() - left, left + value.size() + right_context(values)});
}

void ColumnFilters::push_text(std::string_view text) {
  for (const char c : text) pattern_.push_back({PatternByte::kLiteral, c});
}

void ColumnFilters::begin_pattern(const ColumnValues& values) {
  const std::uint32_t left = left_context(values);
  pattern_.clear();
  push_text({values.raw + values.values[0].begin - left, left});
}

void ColumnFilters::end_pattern(const ColumnValues& values) {
  push_text({values.raw + values.values[0].end, right_context(values)});
  filters_.add_pattern_trigrams(pattern_);
}

bool ColumnFilters::add_pattern(const ColumnValues& values, const Column& column) {
  if ((column.classes & kClassHigh) != 0) return false;
  if (column.kind == ColumnKind::kNumbers) {
    add_number_patterns(values, column);
    return true;
  }
  if (column.kind != ColumnKind::kHex) return false;
  begin_pattern(values);
  for (std::size_t i = 0; i < column.hex_text.size(); ++i) {
    if (column.hex_mask[i] == '1')
      pattern_.push_back({PatternByte::kHexDigit, 0});
    else
      pattern_.push_back({PatternByte::kLiteral, column.hex_text[i]});
  }
  end_pattern(values);
  return true;
}

// Each number may have one, two or more digits; no trigram depends on the length of two numbers.
void ColumnFilters::add_number_patterns(const ColumnValues& values, const Column& column) {
  for (std::size_t varied = 0; varied < column.numbers.size(); ++varied) {
    for (std::size_t digits = 1; digits <= 3; ++digits) {
      begin_pattern(values);
      for (std::size_t k = 0; k < column.numbers.size(); ++k) {
        push_text(column.numbers[k].before);
        for (std::size_t d = 0; d < (k == varied ? digits : 1); ++d) pattern_.push_back({PatternByte::kDigit, 0});
      }
      push_text(column.constant);
      end_pattern(values);
    }
  }
}

// Stamps of one second differ only in their fraction.
void ColumnFilters::add_times(const ColumnValues& values, const Column& column) {
  TimeRenderer renderer(column.time);
  const std::size_t fraction = renderer.fraction_at();
  const bool own_token = fraction > 1 && fraction < renderer.length() && separates(values.at(0)[fraction - 1]);
  const bool static_sides = left_is_static(values) && right_is_static(values);
  if (!static_sides) add_whole(values);
  fractions_.assign(kMaxFraction / 64 + 1, 0);
  std::string_view previous;
  for (std::size_t i = 0; i < values.count; ++i) {
    const std::string_view value = values.at(i);
    if (value == previous) continue;
    renderer.render(values.times[i]);
    previous = value;
    if (renderer.second_changed() || !own_token) {
      filters_.add_variable_tokens(value);
      if (static_sides) add_text(values, value);
      if (!own_token) continue;
      // With any fraction behind this second.
      pattern_ = {{PatternByte::kLiteral, value[fraction - 2]},
                  {PatternByte::kLiteral, value[fraction - 1]},
                  {PatternByte::kDigit, 0}};
      filters_.add_pattern_trigrams(pattern_);
      continue;
    }
    const std::uint32_t part = renderer.fraction();
    if (part < kMaxFraction && renderer.fraction_width() <= 3) {
      if ((fractions_[part / 64] >> (part % 64) & 1) != 0) continue;
      fractions_[part / 64] |= std::uint64_t{1} << (part % 64);
    }
    filters_.add_variable_tokens(value.substr(fraction));
    if (static_sides) {
      const std::string_view changed = value.substr(fraction - 1);
      filters_.add_trigrams({changed.data(), changed.size() + right_context(values)});
    }
  }
}

}  // namespace logboom::logstore::embedded
