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

  // Finds the variables of all bytes; they have 64 readable bytes behind their end and stay valid until the last
  // take().
  void prepare(std::string_view bytes);
  // Writes the variables of [begin, end), ascending, to `out`, which has room for kMaxVariables, and returns their
  // count. Beyond kMaxVariables - 1 the rest of the range is one variable. Quick for ascending ranges.
  std::size_t take(std::uint32_t begin, std::uint32_t end, TextRange* out);
  // Whether [begin, end) holds a byte beyond ASCII.
  bool has_high(std::uint32_t begin, std::uint32_t end) const;
  bool any_high() const { return any_high_; }

 private:
  void classify();
  void drop_open_quotes();
  void fill_runs();
  void list_ranges();
  std::uint32_t run_begin(std::size_t word, unsigned bit) const;
  void seek(std::uint32_t begin);

  std::string_view bytes_;
  bool any_high_ = false;
  std::vector<std::uint64_t> run_;  // bytes that belong to a run
  std::vector<std::uint64_t>
      mark_;  // bytes that make their run a variable; then all from the first one to the run's end
  std::vector<std::uint64_t> quoted_;  // first bytes of runs that are variables only if a quote follows them
  std::vector<std::uint64_t> high_;
  std::vector<std::uint32_t> begins_;  // of all variables
  std::vector<std::uint32_t> ends_;
  std::size_t count_ = 0;
  std::size_t next_ = 0;  // first variable that may lie in the next range
};

}  // namespace logboom::logstore::embedded
