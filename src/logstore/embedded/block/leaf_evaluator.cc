#include "logstore/embedded/block/leaf_evaluator.h"

#include <algorithm>

#include "logstore/embedded/block/column_bytes.h"
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

// What follows from the literal: a piece holds each of its bytes.
void set_literal(std::string_view literal, PieceTest& test) {
  test.literal = query::Literal(std::string(literal), true);
  test.least = std::max(test.least, literal.size());
  query::ByteSet seen;
  add_bytes(literal, seen);
  for (std::size_t c = 0; c < seen.size(); ++c) {
    if (!seen.test(c)) continue;
    query::ByteSet& either_case = test.bytes.emplace_back().set(c);
    if (c >= 'a' && c <= 'z') either_case.set(c - 32);
  }
}

// Whether some stretch of a text folds to the literal.
PieceTest stretch_test(std::string_view stretch) {
  PieceTest test;
  set_literal(stretch, test);
  test.matches = [literal = test.literal](std::string_view piece) {
    if (query::is_ascii(piece)) return literal.find(piece) != query::Literal::npos;
    return query::fold(piece).find(literal.needle()) != std::string::npos;
  };
  return test;
}

}  // namespace

bool is_local_text(std::string_view literal) {
  return std::none_of(literal.begin(), literal.end(), [](char c) { return is_delimiter(c); });
}

bool is_local_text(const query::ByteSet& bytes) {
  for (std::size_t b = 0; b < bytes.size(); ++b) {
    if (bytes.test(b) && is_delimiter(static_cast<char>(b))) return false;
  }
  return true;
}

Result<FoundRows> LeafEvaluator::run() {
  LB_ASSIGN(templates_, text_.dictionary());
  if (leaf_.local) {
    const PieceTest test = local_test();
    return PieceFinder(*templates_, text_, test).run();
  }
  LB_ASSIGN(const FoundRows left, candidates());
  return verified(left);
}

PieceTest LeafEvaluator::local_test() const {
  PieceTest test;
  test.matches = leaf_.matches;
  test.find = leaf_.find;
  test.least = leaf_.least;
  test.bytes = leaf_.bytes;
  test.variables = variables_may_match();
  set_literal(leaf_.literal, test);
  return test;
}

bool LeafEvaluator::variables_may_match() const {
  return filter_ == nullptr || std::all_of(leaf_.tokens.begin(), leaf_.tokens.end(),
                                           [&](std::uint64_t token) { return filter_->variables_may_contain(token); });
}

// Rows that hold every stretch of the literal; all rows when there is no literal.
Result<FoundRows> LeafEvaluator::candidates() {
  FoundRows left(templates_->size());
  for (std::size_t t = 0; t < templates_->size(); ++t) {
    if (templates_->templates[t].rows != 0) left.add_all(t);
  }
  for (const std::string_view stretch : local_stretches(leaf_.literal)) {
    const PieceTest test = stretch_test(stretch);
    LB_ASSIGN(FoundRows found, PieceFinder(*templates_, text_, test).run());
    LB_TRY(found.list_rows(text_, rows_));
    left.narrow(found, text_);
    if (left.empty()) break;
  }
  return left;
}

bool LeafEvaluator::is_constant(std::size_t entry) const {
  const auto columns = templates_->columns_of(templates_->templates[entry]);
  return entry != 0 && std::all_of(columns.begin(), columns.end(),
                                   [](const StoredColumn& column) { return column.kind == ColumnKind::kConstant; });
}

Result<FoundRows> LeafEvaluator::verified(const FoundRows& candidates) {
  FoundRows found(templates_->size());
  if (candidates.empty()) return found;
  if (leaf_.monotone) {
    const PieceTest test = local_test();
    found = PieceFinder(*templates_, text_, test).run_static();
  }
  LB_TRY(text_.load_ids());
  TextScan scan(leaf_.matches, leaf_.find);
  for (std::size_t t = 0; t < templates_->size(); ++t) {
    if (candidates.none(t)) {
      found.drop(t);
    } else if (!found.all(t)) {
      LB_TRY(verify_template(t, candidates, scan, found));
    }
  }
  return found;
}

Status LeafEvaluator::verify_template(std::size_t entry, const FoundRows& candidates, TextScan& scan, FoundRows& out) {
  LB_TRY(text_.prepare(entry));
  if (is_constant(entry)) {
    if (leaf_.matches(text_.text(text_.rows_of(entry).front()))) out.add_all(entry);
    return ok_status();
  }
  std::vector<std::uint32_t> places;
  const auto add = [&](std::uint32_t place) { places.push_back(place); };
  const auto rows = text_.rows_of(entry);
  for (std::uint32_t place = 0; place < rows.size(); ++place) {
    if (!candidates.all(entry) && !candidates.holds(rows[place])) continue;
    if (entry == 0) {
      scan.add(place, text_.plain(place));
    } else {
      scan.add(place, text_.write(rows[place], scan.room(text_.room(entry))));
    }
    if (scan.full()) scan.search(add);
  }
  scan.search(add);
  out.add_places(entry, std::move(places));
  return ok_status();
}

}  // namespace logboom::logstore::embedded
