#include "logstore/embedded/block/leaf_evaluator.h"

#include <algorithm>
#include <array>

#include "logstore/embedded/block/folded_search.h"
#include "logstore/embedded/block/variable_scanner.h"
#include "logstore/query/folding.h"

namespace logboom::logstore::embedded {
namespace {

// The longest parts of a literal that hold no delimiter: each lies within one piece of every text that holds the
// literal.
std::vector<std::string_view> local_stretches(std::string_view literal) {
  std::vector<std::string_view> out;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= literal.size(); ++i) {
    if (i < literal.size() && !is_delimiter(literal[i])) continue;
    if (i > begin) out.push_back(literal.substr(begin, i - begin));
    begin = i + 1;
  }
  return out;
}

// The bytes that values of a column may hold where its encoding tells, folded; false where it does not.
bool alphabet_of(const Column& column, std::array<bool, 256>& alphabet) {
  const auto add = [&](std::string_view text) {
    for (const char c : query::fold(text)) alphabet[static_cast<unsigned char>(c)] = true;
  };
  alphabet.fill(false);
  switch (column.kind) {
    case ColumnKind::kTime:
      add("0123456789");
      for (std::size_t i = 0; i < column.time.count; ++i) {
        const TimeFormat::Part& part = column.time.parts[i];
        if (part.field == TimeFormat::kLiteral) add({&part.literal, 1});
        if (part.field == TimeFormat::kMonthName) add("janfebmarprmyjunlgsepoctnovdec");
      }
      return true;
    case ColumnKind::kNumbers:
      add("0123456789");
      for (const NumberFormat& number : column.numbers) add(number.before);
      add(column.constant);
      return true;
    case ColumnKind::kHex:
      add("0123456789abcdef");
      add(column.hex_text);
      return true;
    default:
      return false;
  }
}

}  // namespace

bool is_local_text(std::string_view literal) {
  return std::none_of(literal.begin(), literal.end(), [](char c) { return is_delimiter(c); });
}

Status LeafEvaluator::run() {
  LB_ASSIGN(dictionary_, text_.dictionary());
  return leaf_.local ? run_local() : run_general();
}

bool LeafEvaluator::variables_may_match() const {
  return filter_ == nullptr || std::all_of(leaf_.tokens.begin(), leaf_.tokens.end(),
                                           [&](std::uint64_t token) { return filter_->variables_may_contain(token); });
}

Status LeafEvaluator::run_local() {
  Found found;
  LB_TRY(test_pieces({leaf_.matches, leaf_.literal, variables_may_match()}, found));
  verdicts_ = std::move(found.verdicts);
  set_ = std::move(found.rows);
  by_row_ = found.by_row;
  return ok_status();
}

// Rows that hold every stretch of the literal are candidates; all rows when there is no literal.
Status LeafEvaluator::run_general() {
  Found candidates;
  candidates.verdicts.assign(dictionary_->templates.size(), Verdict::kAll);
  for (const std::string_view stretch : local_stretches(leaf_.literal)) {
    Found found;
    LB_TRY(test_pieces({[stretch](std::string_view piece) { return contains_folded(piece, stretch); }, stretch, true},
                       found));
    narrow(candidates, found);
  }
  return verify(candidates);
}

void LeafEvaluator::narrow(Found& candidates, const Found& other) {
  for (std::size_t t = 0; t < candidates.verdicts.size(); ++t) {
    Verdict& verdict = candidates.verdicts[t];
    if (verdict == Verdict::kNone || other.verdicts[t] == Verdict::kAll) continue;
    if (other.verdicts[t] == Verdict::kNone) {
      verdict = Verdict::kNone;
      continue;
    }
    if (candidates.rows.size() == 0) candidates.rows = RowSet(rows_);
    const bool all = verdict == Verdict::kAll;
    for (const std::uint32_t row : text_.rows_of(t)) {
      if (all && other.rows.contains(row)) candidates.rows.add(row);
      if (!all && !other.rows.contains(row)) candidates.rows.remove(row);
    }
    verdict = Verdict::kSome;
  }
}

Status LeafEvaluator::verify(const Found& candidates) {
  Found found;
  found.verdicts.assign(dictionary_->templates.size(), Verdict::kNone);
  if (leaf_.monotone) LB_TRY(mark_static({leaf_.matches, leaf_.literal, true}, found.verdicts));
  for (std::size_t t = 0; t < found.verdicts.size(); ++t) {
    const Template& entry = dictionary_->templates[t];
    if (candidates.verdicts[t] == Verdict::kNone || found.verdicts[t] == Verdict::kAll || entry.rows == 0) continue;
    LB_TRY(text_.load_ids());
    LB_TRY(text_.prepare(t));
    const bool constant = t != 0 && std::all_of(entry.columns.begin(), entry.columns.end(), [](const Column& column) {
                            return column.kind == ColumnKind::kConstant;
                          });
    if (constant) {
      if (leaf_.matches(text_.text(text_.rows_of(t).front()))) found.verdicts[t] = Verdict::kAll;
      continue;
    }
    for (const std::uint32_t row : text_.rows_of(t)) {
      if (candidates.verdicts[t] == Verdict::kSome && !candidates.rows.contains(row)) continue;
      if (leaf_.matches(text_.text(row))) add_row(t, row, found);
    }
  }
  verdicts_ = std::move(found.verdicts);
  set_ = std::move(found.rows);
  by_row_ = found.by_row;
  return ok_status();
}

void LeafEvaluator::add_row(std::size_t entry, std::uint32_t row, Found& out) {
  if (out.rows.size() == 0) out.rows = RowSet(rows_);
  out.rows.add(row);
  out.verdicts[entry] = Verdict::kSome;
  out.by_row = true;
}

Status LeafEvaluator::test_pieces(const PieceTest& test, Found& out) {
  out.verdicts.assign(dictionary_->templates.size(), Verdict::kNone);
  LB_TRY(mark_static(test, out.verdicts));
  if (!test.variables) return ok_status();
  for (std::size_t t = 1; t < out.verdicts.size(); ++t) {
    if (out.verdicts[t] != Verdict::kAll) LB_TRY(test_columns(t, test, out));
  }
  return dictionary_->templates[0].rows != 0 ? test_plain(test, out) : ok_status();
}

// Templates of which a static piece or a constant matches: all of their rows do.
Status LeafEvaluator::mark_static(const PieceTest& test, std::vector<Verdict>& verdicts) {
  const std::string_view text = dictionary_->text;
  const bool search = !test.literal.empty() && query::is_ascii(text) && query::is_ascii(test.literal);
  std::size_t hit = search ? find_ascii_folded(text, test.literal) : 0;
  for (std::size_t t = 1; t < verdicts.size(); ++t) {
    const Template& entry = dictionary_->templates[t];
    std::uint64_t at = entry.text_begin;
    for (std::size_t p = 0; p < entry.pieces.size() && verdicts[t] != Verdict::kAll; ++p) {
      const std::size_t begin = static_cast<std::size_t>(at);
      const std::string_view piece = entry.piece(text, p, at);
      if (search && hit < begin) hit = find_ascii_folded(text, test.literal, begin);
      if (search && (hit == std::string_view::npos || hit + test.literal.size() > at)) continue;
      if (test.matches(piece)) verdicts[t] = Verdict::kAll;
    }
    for (const Column& column : entry.columns) {
      if (verdicts[t] == Verdict::kAll) break;
      if (column.kind != ColumnKind::kConstant || !column_may_match(column, test)) continue;
      if (test.matches(column.constant)) verdicts[t] = Verdict::kAll;
    }
  }
  return ok_status();
}

bool LeafEvaluator::column_may_match(const Column& column, const PieceTest& test) const {
  if ((column.classes & kClassHigh) != 0) return true;  // folding may make other classes and lengths of it
  if (test.literal.size() > column.max_length) return false;
  if ((byte_classes_of(test.literal) & ~column.classes) != 0) return false;
  std::array<bool, 256> alphabet;
  if (test.literal.empty() || !alphabet_of(column, alphabet)) return true;
  return std::all_of(test.literal.begin(), test.literal.end(),
                     [&](char c) { return alphabet[static_cast<unsigned char>(c)]; });
}

Status LeafEvaluator::test_columns(std::size_t entry, const PieceTest& test, Found& out) {
  const Template& owner = dictionary_->templates[entry];
  for (std::size_t at = 0; at < owner.columns.size(); ++at) {
    if (owner.columns[at].kind == ColumnKind::kConstant || !column_may_match(owner.columns[at], test)) continue;
    LB_TRY(test_column(entry, at, test, out));
  }
  return ok_status();
}

Status LeafEvaluator::test_column(std::size_t entry, std::size_t at, const PieceTest& test, Found& out) {
  const Column& column = dictionary_->templates[entry].columns[at];
  LB_ASSIGN(ColumnReader * reader, text_.column(entry, at));
  LB_TRY(text_.load_ids());
  if (column.kind == ColumnKind::kDictionary) {
    test_dictionary(entry, *reader, test, out);
    return ok_status();
  }
  if (column.kind == ColumnKind::kStrings && test_strings(entry, column, *reader, test, out)) return ok_status();
  return test_values(entry, column, *reader, test, out);
}

void LeafEvaluator::test_dictionary(std::size_t entry, const ColumnReader& reader, const PieceTest& test, Found& out) {
  std::vector<bool> match(reader.entries(), false);
  bool any = false;
  for (std::uint32_t e = 0; e < reader.entries(); ++e) {
    if (test.matches(reader.entry(e))) match[e] = any = true;
  }
  if (!any) return;
  const std::vector<std::uint32_t>& rows = text_.rows_of(entry);
  for (std::uint32_t place = 0; place < rows.size(); ++place) {
    if (match[reader.index(place)]) add_row(entry, rows[place], out);
  }
}

// Searches all strings at once for the literal and tests the values that hold it. False when that does not work here.
bool LeafEvaluator::test_strings(std::size_t entry, const Column& column, const ColumnReader& reader,
                                 const PieceTest& test, Found& out) {
  if (test.literal.empty() || (column.classes & kClassHigh) != 0 || !query::is_ascii(test.literal)) return false;
  if (!column.constant.empty()) return false;  // a match may begin in the common part
  const std::vector<std::uint32_t>& rows = text_.rows_of(entry);
  const std::string_view bytes = reader.string_bytes();
  std::uint32_t place = 0;
  for (std::size_t hit = find_ascii_folded(bytes, test.literal); hit != std::string_view::npos;
       hit = find_ascii_folded(bytes, test.literal, hit)) {
    while (reader.string_begin(place + 1) <= hit) ++place;
    const std::uint32_t begin = reader.string_begin(place);
    const std::uint32_t end = reader.string_begin(place + 1);
    if (hit + test.literal.size() > end) {
      ++hit;
      continue;
    }
    if (test.matches(bytes.substr(begin, end - begin))) add_row(entry, rows[place], out);
    hit = end;
  }
  return true;
}

Status LeafEvaluator::test_values(std::size_t entry, const Column& column, ColumnReader& reader, const PieceTest& test,
                                  Found& out) {
  const bool timed = column.kind == ColumnKind::kTime;
  const std::vector<TimeNs>* times = nullptr;
  if (timed) {
    LB_ASSIGN(times, text_.times());
  }
  const std::vector<std::uint32_t>& rows = text_.rows_of(entry);
  if (reader.max_length() > kMaxBlockBytes) return corrupt_block("a value is longer than a block");
  buffer_.resize(std::max<std::size_t>(buffer_.size(), reader.max_length() + 32));
  for (std::uint32_t place = 0; place < rows.size(); ++place) {
    const char* end = reader.write(place, timed ? (*times)[rows[place]] : 0, buffer_.data());
    if (test.matches({buffer_.data(), static_cast<std::size_t>(end - buffer_.data())}))
      add_row(entry, rows[place], out);
  }
  return ok_status();
}

Status LeafEvaluator::test_plain(const PieceTest& test, Found& out) {
  LB_TRY(text_.load_ids());
  LB_TRY(text_.prepare(0));
  const std::vector<std::uint32_t>& rows = text_.rows_of(0);
  for (std::uint32_t place = 0; place < rows.size(); ++place) {
    if (test.matches(text_.plain(place))) add_row(0, rows[place], out);
  }
  return ok_status();
}

Result<RowSet> LeafEvaluator::take_rows() {
  if (set_.size() == 0) set_ = RowSet(rows_);
  for (std::size_t t = 0; t < verdicts_.size(); ++t) {
    if (verdicts_[t] != Verdict::kAll) continue;
    LB_TRY(text_.load_ids());
    for (const std::uint32_t row : text_.rows_of(t)) set_.add(row);
  }
  return std::move(set_);
}

}  // namespace logboom::logstore::embedded
