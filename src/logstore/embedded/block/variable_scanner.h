// VariableScanner: cuts a line of text into static text and variables. A variable is a run of non-delimiters that holds
// a digit or one of / @ %, or stands behind '=', or is a value of JSON. Cuts lie beside ASCII delimiters only, so no
// token and no character is ever cut in two. Works on a whole block at a time through bitmaps of its bytes.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace logboom::logstore::embedded {

// Whether a byte always ends a run: control characters, white space, quotes, brackets, = & ; | < > ? \ and DEL; ':' and
// ',' too, but these join inside times and addresses.
bool is_delimiter(char c);

struct TextRange {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
};

class VariableScanner {
 public:
  static constexpr std::uint32_t kMaxVariables = 64;

  // Looks at all bytes; `bytes` stays valid, and has 64 readable bytes behind its end.
  void prepare(std::string_view bytes);
  // Writes the variables of [begin, end), ascending, to `out`, which has room for kMaxVariables, and returns their
  // count. Beyond kMaxVariables - 1 the rest of the range is one variable.
  std::size_t scan(std::uint32_t begin, std::uint32_t end, TextRange* out) const;
  // Whether [begin, end) holds a byte beyond ASCII.
  bool has_high(std::uint32_t begin, std::uint32_t end) const;
  bool any_high() const { return any_high_; }

 private:
  std::uint32_t run_begin(std::uint32_t at, std::uint32_t floor) const;
  std::uint32_t run_end(std::uint32_t at, std::uint32_t end) const;

  std::string_view bytes_;
  bool any_high_ = false;
  std::vector<std::uint64_t> run_;     // bytes that belong to a run
  std::vector<std::uint64_t> mark_;    // bytes that make their run a variable
  std::vector<std::uint64_t> quoted_;  // first bytes of runs that are variables only if a quote follows them
  std::vector<std::uint64_t> high_;
};

}  // namespace logboom::logstore::embedded
