// RecordSplitter: turns the bytes of a source into records, the same ones however the bytes are cut into chunks. LF
// ends a line; a CR before it is part of the text; lines of nothing but CRs are blank and travel as hidden bytes.
// Multi-line records are joined by a start pattern or automatically (indented lines, stack traces). Pure: no I/O, no
// clock.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "record/batch.h"

namespace logboom::parse {

enum class MultilineMode { kNone, kAuto, kStartPattern };

struct SplitOptions {
  MultilineMode multiline = MultilineMode::kAuto;
  std::string start_pattern;             // RE2, matched at the beginning of a line
  std::uint32_t max_record = 1u << 20;   // longer lines are cut into fragments of this size, longer groups end here
  std::uint32_t max_group_lines = 1000;  // a multi-line record never holds more lines
  bool keep_blank = false;               // blank lines are records
};

// What to do with the end of the bytes.
enum class AtEnd {
  kHold,        // more may come: an unfinished line, and a group that may go on, stay unconsumed
  kCloseGroup,  // emit an open group, hold only an unfinished line
  kFlush,       // nothing more comes: emit the unfinished line too, without kTerminated
};

struct SplitResult {
  std::uint32_t consumed = 0;        // bytes covered by records and blank lines; the rest belongs to the next call
  std::uint32_t trailing_blank = 0;  // blank bytes behind the last record, within `consumed`
  bool lone_line_held = false;       // what is held begins with a line that shows no sign of going on
};

// Stateless between calls but for what `Carry` says; one instance may serve many files from one thread.
class RecordSplitter {
 public:
  static Result<std::unique_ptr<RecordSplitter>> make(const SplitOptions& options);
  virtual ~RecordSplitter() = default;

  // What one file carries from call to call: whether the bytes begin inside a fragmented line. The caller sets the
  // other two before each call: UTF-16 splits at its own newlines, whose place depends on the offset of the bytes in
  // the source; it knows neither multi-line records nor hidden blank lines.
  struct Carry {
    bool in_fragment = false;
    Format format = Format::kText;
    std::uint64_t offset = 0;  // of the first byte
  };
  // Appends the records of `bytes` (begin/length/blank/lines/flags with kBinary; no time, no level) to `records`. The
  // caller hands the unconsumed rest again, with more bytes behind it. Bytes are at most 2^31.
  virtual SplitResult split(std::string_view bytes, AtEnd at_end, Carry& carry, std::vector<Record>& records) const = 0;
};

}  // namespace logboom::parse
