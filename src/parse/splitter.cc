#include "parse/splitter.h"

#include <algorithm>

#include <fmt/format.h>
#include <re2/re2.h>

#include "parse/join.h"
#include "parse/line_scan.h"

namespace logboom::parse {
namespace {

// Blank bytes held together with a held record rather than handed out alone; small, so that a caller always gets on.
constexpr std::uint32_t kHeldBlank = 4096;
constexpr std::int64_t kPatternMemory = 8 << 20;

// One call of split(): walks the lines and keeps the record that may still grow as the last one of `records`.
template <typename Join>
class Splitting {
 public:
  Splitting(const SplitOptions& options, std::string_view bytes, AtEnd at_end, RecordSplitter::Carry& carry,
            std::vector<Record>& records, Join join)
      : options_(options),
        bytes_(bytes),
        at_end_(at_end),
        carry_(carry),
        records_(records),
        first_(records.size()),
        began_in_fragment_(carry.in_fragment),
        join_(join) {}

  SplitResult run() {
    LineScan scan(bytes_);
    std::uint32_t begin = 0;
    for (std::size_t found = scan.next(); found > 0 && !undecided_; found = scan.next()) {
      make_room(found, scan.positions()[found - 1] + 1);
      const std::uint32_t* const ends = scan.positions();
      for (std::size_t i = 0; i < found; ++i) {
        if (Join::kUtf16 && !ends_utf16_line(ends[i])) continue;
        line(begin, ends[i]);
        if (undecided_) break;
        begin = ends[i] + 1;
      }
    }
    const SplitResult result = finish(begin);
    if (scan.saw_nul() && !Join::kUtf16) [[unlikely]]
      mark_binary();
    return result;
  }

 private:
  void mark_binary() {
    for (std::size_t i = first_; i < records_.size(); ++i) {
      const std::string_view text = bytes_.substr(records_[i].begin, records_[i].length);
      if (text.find('\0') != std::string_view::npos) records_[i].flags |= Record::kBinary;
    }
  }

  // Whether the LF byte at `at` is a whole newline: its unit is aligned, and its other byte is zero.
  bool ends_utf16_line(std::uint32_t at) const {
    const bool even = (carry_.offset + at) % 2 == 0;
    if (carry_.format == Format::kUtf16Le) return even && at + 1 < size() && bytes_[at + 1] == '\0';
    return !even && (at == 0 || bytes_[at - 1] == '\0');
  }

  std::uint32_t size() const { return static_cast<std::uint32_t>(bytes_.size()); }

  // Room for the lines just found; at first for as many as their length promises for the whole.
  void make_room(std::size_t found, std::size_t looked_at) {
    const std::size_t needed = records_.size() + found;
    if (records_.capacity() >= needed) return;
    const std::size_t rest = bytes_.size() - looked_at;
    const std::size_t guess =
        looked_at == 0 ? 0
                       : static_cast<std::size_t>(1.05 * static_cast<double>(rest) * static_cast<double>(found) /
                                                  static_cast<double>(looked_at));
    records_.reserve(std::max(needed, std::min(needed + guess, needed * 2 + bytes_.size() / 64)));
  }

  void line(std::uint32_t begin, std::uint32_t end) {
    if (carry_.in_fragment) [[unlikely]]
      return end_fragment(begin, end);
    if (end == begin || bytes_[begin] == '\r') [[unlikely]] {
      if (is_blank(begin, end) && !(options_.keep_blank && Join::kJoinsBlank)) return blank(begin, end);
    }
    if (end - begin > options_.max_record) [[unlikely]]
      return long_line(begin, end);
    if (Join::kEver && open_) {
      const Verdict verdict = decide(begin, end, true);
      if (verdict != Verdict::kStart && fits(end)) {
        if (verdict == Verdict::kJoin) return extend(end, Record::kTerminated);
        undecided_ = true;
        return;
      }
    }
    start(begin, end, Record::kTerminated);
  }

  Verdict decide(std::uint32_t begin, std::uint32_t end, bool complete) {
    LineView view;
    view.bytes = bytes_;
    view.begin = begin;
    view.end = end;
    view.complete = complete;
    view.last_chance = at_end_ != AtEnd::kHold;
    view.after_blank = pending_blank_ > 0;
    return join_.verdict(view, records_.back());
  }

  // Blank: nothing but CRs. So many CRs that they exceed a record are a line like any other.
  bool is_blank(std::uint32_t begin, std::uint32_t end) const {
    if (end - begin > options_.max_record) return false;
    return std::all_of(bytes_.begin() + begin, bytes_.begin() + end, [](char c) { return c == '\r'; });
  }

  void blank(std::uint32_t begin, std::uint32_t end) {
    if (options_.keep_blank) {
      push(begin, end, Record::kTerminated);
      open_ = false;
      return;
    }
    pending_blank_ += end + 1 - begin;
    ++pending_blank_lines_;
    if (join_.blank_closes()) open_ = false;
  }

  bool fits(std::uint32_t end) const {
    const Record& open = records_.back();
    return end - open.begin <= options_.max_record && open.lines + pending_blank_lines_ < options_.max_group_lines;
  }

  void push(std::uint32_t begin, std::uint32_t end, std::uint8_t flags) {
    // Filled where it lies: a copy from the stack would wait for its own narrow stores.
    Record& record = records_.emplace_back();
    record.begin = begin;
    record.length = end - begin;
    record.blank = pending_blank_;
    if ((flags & Record::kContinuation) != 0) record.lines = 0;
    record.flags = flags;
    pending_blank_ = pending_blank_lines_ = 0;
  }

  void start(std::uint32_t begin, std::uint32_t end, std::uint8_t flags) {
    push(begin, end, flags);
    open_ = Join::kEver;
    join_.start(bytes_, begin, end);
  }

  void extend(std::uint32_t end, std::uint8_t flags) {
    Record& open = records_.back();
    open.length = end - open.begin;
    open.lines += pending_blank_lines_ + 1;
    open.flags = flags;
    pending_blank_ = pending_blank_lines_ = 0;
  }

  // The rest of a line whose first part has left. A rest of nothing but CRs travels as hidden bytes.
  void end_fragment(std::uint32_t begin, std::uint32_t end) {
    begin = cut(begin, end);
    carry_.in_fragment = false;
    if (is_blank(begin, end)) {
      pending_blank_ += end + 1 - begin;
    } else {
      push(begin, end, Record::kContinuation | Record::kTerminated);
    }
  }

  void long_line(std::uint32_t begin, std::uint32_t end) {
    open_ = false;
    end_fragment(cut(begin, end), end);
  }

  // Cuts full fragments off a line; where its last part begins, which is never empty.
  std::uint32_t cut(std::uint32_t begin, std::uint32_t end) {
    while (end - begin > options_.max_record) {
      push(begin, begin + options_.max_record, fragment_flags());
      begin += options_.max_record;
      carry_.in_fragment = true;
    }
    return begin;
  }

  std::uint8_t fragment_flags() const {
    return carry_.in_fragment ? Record::kFragment | Record::kContinuation : Record::kFragment;
  }

  // `begin`: of the unfinished or undecided line.
  SplitResult finish(std::uint32_t begin) {
    if (at_end_ == AtEnd::kFlush) {
      if (begin < size()) begin = flush_tail(begin);
      return {begin, pending_blank_};
    }
    // The last byte of UTF-16 may be an LF whose other half is still to come.
    const std::uint32_t end = size() - (Join::kUtf16 && begin < size() ? 1 : 0);
    if (end - begin > options_.max_record && !undecided_) {
      open_ = false;
      return {cut(begin, end), pending_blank_};
    }
    if (Join::kEver && open_ && at_end_ == AtEnd::kHold && may_grow(begin)) return hold_group();
    return {begin, pending_blank_};
  }

  bool may_grow(std::uint32_t begin) {
    if (undecided_) return true;
    if (!fits(size())) return false;
    return begin == size() || decide(begin, size(), false) != Verdict::kStart;
  }

  // Takes the open record back: the next call sees its bytes again.
  SplitResult hold_group() {
    const Record held = records_.back();
    records_.pop_back();
    // The rest of a fragmented line must not come again: it would look like a blank line.
    const bool alone = records_.size() == first_ && !began_in_fragment_;
    const bool lone = join_.shows_no_more() && held.lines == 1 && held.end() == size();
    if (alone && held.blank <= kHeldBlank) return {held.begin - held.blank, 0, lone};
    return {held.begin, held.blank, lone};
  }

  std::uint32_t flush_tail(std::uint32_t begin) {
    const bool blank_tail = !options_.keep_blank && is_blank(begin, size());
    if (blank_tail) {
      pending_blank_ += size() - begin;
      return size();
    }
    if (size() - begin > options_.max_record) open_ = false;
    begin = cut(begin, size());
    if (carry_.in_fragment) {
      push(begin, size(), fragment_flags());
    } else if (Join::kEver && open_ && decide(begin, size(), true) == Verdict::kJoin && fits(size())) {
      extend(size(), Record::kFragment);
    } else {
      push(begin, size(), Record::kFragment);
    }
    carry_.in_fragment = true;
    return size();
  }

  const SplitOptions& options_;
  const std::string_view bytes_;
  const AtEnd at_end_;
  RecordSplitter::Carry& carry_;
  std::vector<Record>& records_;
  const std::size_t first_;
  const bool began_in_fragment_;
  Join join_;
  bool open_ = false;       // records_.back() may take more lines
  bool undecided_ = false;  // whether the last line joins depends on bytes that are not here yet
  std::uint32_t pending_blank_ = 0;
  std::uint32_t pending_blank_lines_ = 0;
};

class LineSplitter final : public RecordSplitter {
 public:
  LineSplitter(SplitOptions options, std::unique_ptr<re2::RE2> pattern)
      : options_(std::move(options)), pattern_(std::move(pattern)) {}

  SplitResult split(std::string_view bytes, AtEnd at_end, Carry& carry, std::vector<Record>& records) const override {
    if (is_utf16(carry.format)) return Splitting(options_, bytes, at_end, carry, records, Utf16Join()).run();
    switch (options_.multiline) {
      case MultilineMode::kNone:
        return Splitting(options_, bytes, at_end, carry, records, NeverJoin()).run();
      case MultilineMode::kAuto:
        return Splitting(options_, bytes, at_end, carry, records, AutoJoin()).run();
      case MultilineMode::kStartPattern:
        break;
    }
    return Splitting(options_, bytes, at_end, carry, records, PatternJoin(*pattern_)).run();
  }

 private:
  const SplitOptions options_;
  const std::unique_ptr<re2::RE2> pattern_;
};

}  // namespace

Result<std::unique_ptr<RecordSplitter>> RecordSplitter::make(const SplitOptions& options) {
  if (options.max_record == 0 || options.max_record > 1u << 30) {
    return Error(ErrorCode::kInvalidArgument, "cannot split records: max_record must be between 1 byte and 1 GiB");
  }
  if (options.max_group_lines == 0) {
    return Error(ErrorCode::kInvalidArgument, "cannot split records: max_group_lines must be at least 1");
  }
  std::unique_ptr<re2::RE2> pattern;
  if (options.multiline == MultilineMode::kStartPattern) {
    re2::RE2::Options regex;
    regex.set_log_errors(false);
    regex.set_max_mem(kPatternMemory);
    pattern = std::make_unique<re2::RE2>(options.start_pattern, regex);
    if (!pattern->ok()) {
      return Error(ErrorCode::kInvalidArgument,
                   fmt::format("cannot use start pattern \"{}\": {}", options.start_pattern, pattern->error()));
    }
  }
  return std::unique_ptr<RecordSplitter>(new LineSplitter(options, std::move(pattern)));
}

}  // namespace logboom::parse
