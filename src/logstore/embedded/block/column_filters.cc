#include "logstore/embedded/block/column_filters.h"

#include <algorithm>
#include <cstring>

#include "logstore/embedded/block/decimal.h"
#include "logstore/query/folding.h"
#include "logstore/query/tokens.h"

namespace logboom::logstore::embedded {
namespace {

constexpr std::uint32_t kContext = 2;       // bytes beside a variable that share a trigram with it
constexpr std::size_t kManyValues = 100;    // from here on numbers count as any digits
constexpr std::size_t kMaxFraction = 1000;  // milliseconds are remembered, finer fractions are not

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// The bytes before the column are the same in every row: static text, or the begin of the text.
bool left_is_static(const ColumnValues& v) {
  return v.first || v.left_piece >= kContext || (v.left_piece == 1 && v.left_constant);
}
// One static byte before the column, and a variable before that: the rows' own bytes are added.
bool left_by_row(const ColumnValues& v) {
  return !left_is_static(v) && v.left_piece == 1;
}

std::uint32_t left_context(const ColumnValues& v) {
  if (v.left_constant && v.left_piece == 1) return kContext;
  return left_is_static(v) ? std::min(v.left_piece, kContext) : 0;
}
// Trigrams that reach into the next variable are added with that one.
std::uint32_t right_context(const ColumnValues& v) {
  return std::min(v.right_piece, kContext);
}

// ASCII that separates tokens. A character beyond ASCII may fold to a letter.
bool separates(char c) {
  return static_cast<unsigned char>(c) < 0x80 && !query::is_word_byte(c);
}

}  // namespace

void ColumnFilters::add(const ColumnValues& values, const Column& column, const std::vector<std::string_view>& entries,
                        const std::vector<std::int64_t>& numbers) {
  if (column.kind == ColumnKind::kTime) return add_times(values, column);
  const bool any_left = left_is_static(values) || left_by_row(values);
  if (!any_left) {
    add_whole(values);
  } else if (left_by_row(values)) {
    add_left_neighbours(values);
  }
  const bool many = values.count >= kManyValues;
  if (many && column.kind == ColumnKind::kNumbers && plan_number_tokens(column)) {
    if (only_plain_numbers(column))
      add_plain_numbers(values, column, numbers);
    else
      add_number_tokens(values, column);
    return add_number_patterns(values, column);
  }
  if (many && column.kind == ColumnKind::kHex && plan_hex_tokens(column)) return add_hex_pattern(values, column);
  add_text_column(values, column, entries);
}

void ColumnFilters::add_text_column(const ColumnValues& values, const Column& column,
                                    const std::vector<std::string_view>& entries) {
  if (column.kind == ColumnKind::kConstant) {
    const std::string_view value = values.at(0);
    const std::uint32_t left = left_context(values);
    filters_.add_static_tokens(value);
    return filters_.add_trigrams({value.data() - left, left + value.size() + right_context(values)});
  }
  if (column.kind == ColumnKind::kDictionary) {
    for (const std::string_view entry : entries) add_variable(values, entry);
    return;
  }
  for (std::size_t i = 0; i < values.count; ++i) add_variable(values, values.at(i));
}

// A value with the static bytes beside it.
void ColumnFilters::add_variable(const ColumnValues& values, std::string_view value) {
  filters_.add_variable(value.data(), value.size(), left_context(values), right_context(values));
}

bool ColumnFilters::plan_cut(std::string_view text) {
  Cut cut;
  for (std::uint32_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (static_cast<unsigned char>(c) >= 0x80 || (c >= 'A' && c <= 'Z')) return false;  // folding changes it
    if (query::is_word_byte(c)) continue;
    if (!cut.cuts) cut.head = i;
    cut.cuts = true;
    cut.tail = i + 1;
  }
  cuts_.push_back(cut);
  return true;
}

// Where the tokens of a column of numbers begin and end, the same for every value. False where values must be folded.
bool ColumnFilters::plan_number_tokens(const Column& column) {
  cuts_.clear();
  for (const NumberFormat& number : column.numbers) {
    if (!plan_cut(number.before)) return false;
  }
  return plan_cut(column.constant);
}

void ColumnFilters::add_number_tokens(const ColumnValues& values, const Column& column) {
  const auto add = [&](const char* begin, const char* end) {
    if (begin != end) filters_.add_folded_variable_token({begin, static_cast<std::size_t>(end - begin)});
  };
  filters_.add_variable_tokens(values.at(0));  // with the tokens of fixed text
  for (std::size_t i = 0; i < values.count; ++i) {
    const char* p = values.bytes + values.values[i].begin;
    const char* end = values.bytes + values.values[i].end;
    const char* token = p;
    for (std::size_t k = 0; k < column.numbers.size(); ++k) {
      if (cuts_[k].cuts) {
        add(token, p + cuts_[k].head);
        token = p + cuts_[k].tail;
      }
      p += column.numbers[k].before.size();
      while (p < end && is_digit(*p)) ++p;
    }
    add(token, cuts_.back().cuts ? p + cuts_.back().head : end);
    if (cuts_.back().cuts) add(p + cuts_.back().tail, end);
  }
}

// Whether every number is a token of its own.
bool ColumnFilters::only_plain_numbers(const Column& column) const {
  const bool inside =
      std::all_of(cuts_.begin() + 1, cuts_.end() - 1, [](const Cut& cut) { return cut.cuts && cut.head == 0; });
  const bool begins = column.numbers[0].before.empty() || cuts_.front().cuts;
  const bool ends = column.constant.empty() || (cuts_.back().cuts && cuts_.back().head == 0);
  for (std::size_t k = 0; k < column.numbers.size(); ++k) {
    if (cuts_[k].cuts && cuts_[k].tail != column.numbers[k].before.size()) return false;
  }
  return inside && begins && ends;
}

// Numbers that come again and again are hashed once.
void ColumnFilters::add_plain_numbers(const ColumnValues& values, const Column& column,
                                      const std::vector<std::int64_t>& numbers) {
  constexpr std::uint64_t kSmall = 1u << 14;
  const bool alone = column.numbers.size() == 1;
  const std::size_t head = column.numbers[0].before.size();
  const std::size_t tail = column.constant.size();
  filters_.add_variable_tokens(values.at(0));  // with the tokens of fixed text
  for (std::size_t k = 0; k < column.numbers.size(); ++k) {
    const std::int64_t* number = numbers.data() + k * values.count;
    const unsigned width = column.numbers[k].width;
    seen_numbers_.assign(kSmall / 64, 0);
    for (std::size_t i = 0; i < values.count; ++i) {
      const auto value = static_cast<std::uint64_t>(number[i]);
      if (value < kSmall) {
        if ((seen_numbers_[value / 64] >> (value % 64) & 1) != 0) continue;
        seen_numbers_[value / 64] |= std::uint64_t{1} << (value % 64);
      }
      if (alone) {  // its digits stand in the text
        filters_.add_folded_variable_token(values.at(i).substr(head, values.at(i).size() - head - tail));
        continue;
      }
      char digits[24];
      const char* end = write_decimal(value, width != 0 ? width : digit_count(value), digits);
      filters_.add_folded_variable_token({digits, static_cast<std::size_t>(end - digits)});
    }
  }
}

// The fixed bytes of a hex column cut every value into the same tokens.
bool ColumnFilters::plan_hex_tokens(const Column& column) {
  hex_tokens_.clear();
  const auto size = static_cast<std::uint32_t>(column.hex_text.size());
  for (std::uint32_t i = 0; i < size; ++i) {
    const char c = column.hex_text[i];
    const bool fixed = column.hex_mask[i] == '0';
    if (fixed && (static_cast<unsigned char>(c) >= 0x80 || (c >= 'A' && c <= 'Z'))) return false;
    if (fixed && !query::is_word_byte(c)) continue;
    if (hex_tokens_.empty() || hex_tokens_.back().end != i) hex_tokens_.push_back({i, i});
    hex_tokens_.back().end = i + 1;
  }
  return true;
}

void ColumnFilters::add_hex_pattern(const ColumnValues& values, const Column& column) {
  for (std::size_t i = 0; i < values.count; ++i) {
    const char* p = values.bytes + values.values[i].begin;
    for (const TextRange& token : hex_tokens_)
      filters_.add_folded_variable_token({p + token.begin, token.end - token.begin});
  }
  begin_pattern(values);
  for (std::size_t i = 0; i < column.hex_text.size(); ++i) {
    if (column.hex_mask[i] == '1')
      pattern_.push_back({PatternByte::kHexDigit, 0});
    else
      pattern_.push_back({PatternByte::kLiteral, column.hex_text[i]});
  }
  end_pattern(values);
}

// The trigrams that hold the byte before the value; they may reach into the variables on both sides.
void ColumnFilters::add_left_neighbours(const ColumnValues& values) {
  for (std::size_t i = 0; i < values.count; ++i)
    filters_.add_two_trigrams(values.bytes + values.values[i].begin - kContext);
}

void ColumnFilters::add_whole(const ColumnValues& values) {
  for (std::size_t i = 0; i < values.count; ++i) {
    const std::string_view value = values.at(i);
    filters_.add_trigrams({value.data() - kContext, value.size() + 2 * kContext});
  }
}

void ColumnFilters::push_text(std::string_view text) {
  for (const char c : text) pattern_.push_back({PatternByte::kLiteral, c});
}

void ColumnFilters::begin_pattern(const ColumnValues& values) {
  const std::uint32_t left = left_context(values);
  pattern_.clear();
  push_text({values.bytes + values.values[0].begin - left, left});
}

void ColumnFilters::end_pattern(const ColumnValues& values) {
  push_text({values.bytes + values.values[0].end, right_context(values)});
  filters_.add_pattern_trigrams(pattern_);
}

// The column as fixed text and numbers of one digit; then every number with its neighbours and with more digits.
void ColumnFilters::add_number_patterns(const ColumnValues& values, const Column& column) {
  constexpr PatternByte kAnyDigit{PatternByte::kDigit, 0};
  begin_pattern(values);
  std::vector<std::size_t> places;
  for (const NumberFormat& number : column.numbers) {
    push_text(number.before);
    places.push_back(pattern_.size());
    pattern_.push_back(kAnyDigit);
  }
  push_text(column.constant);
  end_pattern(values);
  const std::vector<PatternByte> all = pattern_;
  for (const std::size_t at : places) {
    pattern_.clear();
    if (at > 0) pattern_.push_back(all[at - 1]);
    pattern_.insert(pattern_.end(), 3, kAnyDigit);
    if (at + 1 < all.size()) pattern_.push_back(all[at + 1]);
    filters_.add_pattern_trigrams(pattern_);
  }
}

// Stamps of one second differ only in their fraction.
void ColumnFilters::add_times(const ColumnValues& values, const Column& column) {
  const TimeRenderer renderer(column.time);
  const std::size_t fraction = renderer.fraction_at();
  const bool own_token = fraction > 1 && fraction < renderer.length() && separates(values.at(0)[fraction - 1]);
  const bool static_sides = left_is_static(values);
  if (!static_sides) add_whole(values);
  fractions_.assign(kMaxFraction / 64 + 1, 0);
  std::string_view previous;
  for (std::size_t i = 0; i < values.count; ++i) {
    const std::string_view value = values.at(i);
    const bool same_second =
        own_token && !previous.empty() && std::memcmp(value.data(), previous.data(), fraction) == 0;
    previous = value;
    if (same_second) {
      add_fraction(values, value, fraction, renderer.fraction_width() <= 3, static_sides);
      continue;
    }
    if (!own_token && i != 0 && value == values.at(i - 1)) continue;
    filters_.add_variable_tokens(value);
    if (static_sides) {
      const std::uint32_t left = left_context(values);
      filters_.add_trigrams({value.data() - left, left + value.size() + right_context(values)});
    }
    if (!own_token) continue;
    // With any fraction behind this second.
    pattern_ = {{PatternByte::kLiteral, value[fraction - 2]},
                {PatternByte::kLiteral, value[fraction - 1]},
                {PatternByte::kDigit, 0}};
    filters_.add_pattern_trigrams(pattern_);
  }
}

void ColumnFilters::add_fraction(const ColumnValues& values, std::string_view value, std::size_t fraction, bool coarse,
                                 bool static_sides) {
  if (coarse) {
    std::size_t number = 0;
    for (std::size_t i = fraction; i < value.size() && i < fraction + 3 && is_digit(value[i]); ++i)
      number = number * 10 + static_cast<std::size_t>(value[i] - '0');
    if ((fractions_[number / 64] >> (number % 64) & 1) != 0) return;
    fractions_[number / 64] |= std::uint64_t{1} << (number % 64);
  }
  filters_.add_variable_tokens(value.substr(fraction));
  if (!static_sides) return;
  const std::string_view changed = value.substr(fraction - 1);
  filters_.add_trigrams({changed.data(), changed.size() + right_context(values)});
}

}  // namespace logboom::logstore::embedded
