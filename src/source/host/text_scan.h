// Lines, words and numbers of the kernel's texts, taken from the front of a view.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

namespace logboom::source::host {

inline bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

// The first line of `rest`, which is shortened by it.
inline std::string_view take_line(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return line;
}

// The first word of `rest`, which is shortened by it; empty: there is none.
inline std::string_view take_word(std::string_view& rest) {
  while (!rest.empty() && is_blank(rest.front())) rest.remove_prefix(1);
  std::size_t size = 0;
  while (size < rest.size() && !is_blank(rest[size])) ++size;
  const std::string_view word = rest.substr(0, size);
  rest.remove_prefix(size);
  return word;
}

inline bool to_number(std::string_view word, std::uint64_t& out) {
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), out);
  if (error == std::errc::result_out_of_range) {
    out = std::numeric_limits<std::uint64_t>::max();
    return true;
  }
  return error == std::errc() && end == word.data() + word.size();
}

inline bool to_number(std::string_view word, double& out) {
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), out, std::chars_format::fixed);
  return error == std::errc() && end == word.data() + word.size() && out >= 0;
}

// The next words as numbers; false: too few, or one is none.
template <typename Number>
bool take_numbers(std::string_view& rest, std::span<Number* const> into) {
  return std::ranges::all_of(into, [&](Number* number) { return to_number(take_word(rest), *number); });
}

inline bool skip_words(std::string_view& rest, int count) {
  for (; count > 0; --count) {
    if (take_word(rest).empty()) return false;
  }
  return true;
}

}  // namespace logboom::source::host
