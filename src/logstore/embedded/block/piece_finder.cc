#include "logstore/embedded/block/piece_finder.h"

#include <algorithm>
#include <array>

#include "logstore/embedded/block/column_bytes.h"
#include "logstore/query/folding.h"

namespace logboom::logstore::embedded {
namespace {

using query::ByteSet;

constexpr std::size_t kOverrun = 32;  // ColumnReader::write() touches that much more

}  // namespace

Result<FoundRows> PieceFinder::run() {
  FoundRows out(templates_.size());
  mark_static(out);
  if (!test_.variables) return out;
  for (std::size_t t = 1; t < templates_.size(); ++t) LB_TRY(test_columns(t, out));
  if (templates_.templates[0].rows != 0) LB_TRY(test_plain(out));
  return out;
}

FoundRows PieceFinder::run_static() {
  FoundRows out(templates_.size());
  mark_static(out);
  return out;
}

PieceFinder::PieceFinder(const StoredTemplates& templates, TextDecoder& text, const PieceTest& test)
    : templates_(templates),
      text_(text),
      test_(test),
      scan_(test.matches, test.find),
      classes_(demanded_classes()),
      literal_(test.literal.size() != 0 && query::is_ascii(test.literal.needle())),
      literal_has_digit_(test.literal.needle().find_first_of("0123456789") != std::string::npos) {}

template <typename Begin, typename Hold>
void PieceFinder::each_holding(std::string_view bytes, std::size_t pieces, Begin begin, Hold hold) const {
  const query::Literal& literal = test_.literal;
  std::size_t i = 0;
  std::size_t at = literal.find(bytes);
  while (at != query::Literal::npos && i < pieces) {
    while (i + 1 < pieces && begin(i + 1) <= at) ++i;
    const std::size_t from = begin(i);
    const std::size_t to = begin(i + 1);
    const bool inside = at + literal.size() <= to;
    if (inside) hold(i, bytes.substr(from, to - from));
    at = literal.find(bytes, inside ? to : at + 1);
  }
}

void PieceFinder::mark_static(FoundRows& out) {
  if (query::is_ascii(templates_.text) && literal_) {
    mark_static_by_literal(out);
  } else {
    mark_static_by_piece(out);
  }
  mark_constants(out);
}

void PieceFinder::mark_static_by_piece(FoundRows& out) {
  const auto add = [&](std::uint32_t t) { out.add_all(t); };
  for (std::uint32_t t = 1; t < templates_.size(); ++t) {
    std::size_t at = templates_.templates[t].text_begin;
    for (const std::uint32_t length : templates_.pieces_of(templates_.templates[t])) {
      scan_.add(t, templates_.text.substr(at, length));
      at += length;
    }
    if (scan_.full()) scan_.search(add);
  }
  scan_.search(add);
}

// Both the places of the literal and the templates' texts ascend.
void PieceFinder::mark_static_by_literal(FoundRows& out) {
  const auto begin_of = [&](std::size_t t) {
    return t < templates_.size() ? std::size_t{templates_.templates[t].text_begin} : templates_.text.size();
  };
  each_holding(templates_.text, templates_.size(), begin_of, [&](std::size_t t, std::string_view text) {
    std::size_t at = 0;
    for (const std::uint32_t length : templates_.pieces_of(templates_.templates[t])) {
      if (test_.matches(text.substr(at, length))) return out.add_all(t);
      at += length;
    }
  });
}

void PieceFinder::mark_constants(FoundRows& out) {
  for (std::size_t t = 1; t < templates_.size(); ++t) {
    for (const StoredColumn& column : templates_.columns_of(templates_.templates[t])) {
      if (column.kind != ColumnKind::kConstant || out.all(t) || !may_match(column)) continue;
      if (test_.matches(column.text)) out.add_all(t);
    }
  }
}

// A set of bytes that lies within one class demands the class.
std::uint8_t PieceFinder::demanded_classes() const {
  std::uint8_t demanded = 0;
  for (unsigned bit = 0; bit < 8; ++bit) {
    const auto one = static_cast<std::uint8_t>(1u << bit);
    const ByteSet& bytes = bytes_of_classes(one);
    const bool whole = std::any_of(test_.bytes.begin(), test_.bytes.end(),
                                   [&](const ByteSet& wanted) { return (wanted & ~bytes).none(); });
    if (whole) demanded = static_cast<std::uint8_t>(demanded | one);
  }
  return demanded;
}

bool PieceFinder::may_match(const StoredColumn& column) const {
  if ((column.classes & kClassHigh) != 0) return true;  // folding may make other classes and lengths of it
  if (test_.least > column.max_length || (classes_ & ~column.classes) != 0) return false;
  if (test_.bytes.empty()) return true;
  if (column.kind == ColumnKind::kNumbers && literal_ && !literal_has_digit_) return stands_between_numbers(column);
  const ByteSet alphabet = column_bytes(templates_, column);
  return std::all_of(test_.bytes.begin(), test_.bytes.end(),
                     [&](const ByteSet& wanted) { return (wanted & alphabet).any(); });
}

// Of a literal without digits.
bool PieceFinder::stands_between_numbers(const StoredColumn& column) const {
  const auto holds = [&](std::string_view text) { return test_.literal.find(text) != query::Literal::npos; };
  const auto numbers = templates_.numbers_of(column);
  return holds(column.text) ||
         std::any_of(numbers.begin(), numbers.end(), [&](const StoredNumber& number) { return holds(number.before); });
}

// Dictionaries first: they may have the answer for the whole template.
Status PieceFinder::test_columns(std::size_t entry, FoundRows& out) {
  const auto columns = templates_.columns_of(templates_.templates[entry]);
  bool others = false;
  for (std::size_t at = 0; at < columns.size() && !out.all(entry); ++at) {
    if (columns[at].kind == ColumnKind::kConstant || !may_match(columns[at])) continue;
    if (columns[at].kind == ColumnKind::kDictionary) {
      LB_TRY(test_dictionary(entry, at, out));
    } else {
      others = true;
    }
  }
  for (std::size_t at = 0; others && at < columns.size() && !out.all(entry); ++at) {
    const bool other = columns[at].kind != ColumnKind::kConstant && columns[at].kind != ColumnKind::kDictionary;
    if (other && may_match(columns[at])) LB_TRY(test_rows(entry, at, out));
  }
  return ok_status();
}

Status PieceFinder::test_rows(std::size_t entry, std::size_t at, FoundRows& out) {
  const StoredColumn& column = templates_.columns_of(templates_.templates[entry])[at];
  LB_ASSIGN(ColumnReader * reader, text_.column(entry, at));
  LB_TRY(reader->load_rows());
  const bool searchable = column.kind == ColumnKind::kStrings && literal_ && (column.classes & kClassHigh) == 0;
  if (searchable && !literal_may_begin_in(column.text)) {
    test_strings(entry, column, *reader, out);
    return ok_status();
  }
  return test_values(entry, column, *reader, out);
}

Status PieceFinder::test_dictionary(std::size_t entry, std::size_t at, FoundRows& out) {
  LB_ASSIGN(const ColumnReader* opened, text_.column(entry, at));
  const ColumnReader& reader = *opened;
  const StoredColumn& column = templates_.columns_of(templates_.templates[entry])[at];
  std::vector<bool> match(reader.entries(), false);
  std::size_t entries = 0;
  std::uint64_t rows = 0;
  const auto add = [&](std::size_t e) {
    match[e] = true;
    ++entries, rows += reader.entry_count(static_cast<std::uint32_t>(e));
  };
  if (literal_ && (column.classes & kClassHigh) == 0) {
    each_holding(
        reader.entry_bytes(), reader.entries(),
        [&](std::size_t e) { return std::size_t{reader.entry_begin(static_cast<std::uint32_t>(e))}; },
        [&](std::size_t e, std::string_view piece) {
          if (test_.matches(piece)) add(e);
        });
  } else {
    for (std::uint32_t e = 0; e < reader.entries(); ++e) {
      scan_.add(e, reader.entry(e));
      if (scan_.full()) scan_.search(add);
    }
    scan_.search(add);
  }
  if (entries == reader.entries()) {
    out.add_all(entry);
  } else if (entries != 0) {
    out.add_entries(entry, at, std::move(match), rows);
  }
  return ok_status();
}

// Whether the literal may stand in a text that begins so, without standing in the rest of it.
bool PieceFinder::literal_may_begin_in(std::string_view common) const {
  const std::string folded = query::fold(common);
  const std::string& literal = test_.literal.needle();
  for (std::size_t at = 0; at < folded.size(); ++at) {
    const std::size_t size = std::min(folded.size() - at, literal.size());
    if (folded.compare(at, size, literal, 0, size) == 0) return true;
  }
  return false;
}

void PieceFinder::test_strings(std::size_t entry, const StoredColumn& column, const ColumnReader& reader,
                               FoundRows& out) {
  std::vector<std::uint32_t> places;
  std::string value;
  each_holding(
      reader.string_bytes(), templates_.templates[entry].rows,
      [&](std::size_t place) { return std::size_t{reader.string_begin(static_cast<std::uint32_t>(place))}; },
      [&](std::size_t place, std::string_view rest) {
        value.assign(column.text).append(rest);
        if (test_.matches(value)) places.push_back(static_cast<std::uint32_t>(place));
      });
  out.add_places(entry, std::move(places));
}

Status PieceFinder::test_values(std::size_t entry, const StoredColumn& column, ColumnReader& reader, FoundRows& out) {
  const std::vector<TimeNs>* times = nullptr;
  if (column.kind == ColumnKind::kTime) {
    LB_TRY(text_.load_ids());
    LB_ASSIGN(times, text_.times());
  }
  if (reader.max_length() > kMaxBlockBytes) return corrupt_block("a value is longer than a block");
  const std::size_t room = static_cast<std::size_t>(reader.max_length()) + kOverrun;
  std::vector<std::uint32_t> places;
  const auto add = [&](std::uint32_t place) { places.push_back(place); };
  for (std::uint32_t place = 0; place < templates_.templates[entry].rows; ++place) {
    const TimeNs time = times != nullptr ? (*times)[text_.rows_of(entry)[place]] : 0;
    scan_.add(place, reader.write(place, time, scan_.room(room)));
    if (scan_.full()) scan_.search(add);
  }
  scan_.search(add);
  out.add_places(entry, std::move(places));
  return ok_status();
}

Status PieceFinder::test_plain(FoundRows& out) {
  LB_TRY(text_.prepare(0));
  std::vector<std::uint32_t> places;
  const auto add = [&](std::uint32_t place) { places.push_back(place); };
  for (std::uint32_t place = 0; place < templates_.templates[0].rows; ++place) {
    scan_.add(place, text_.plain(place));
    if (scan_.full()) scan_.search(add);
  }
  scan_.search(add);
  out.add_places(0, std::move(places));
  return ok_status();
}

}  // namespace logboom::logstore::embedded
