#include "logstore/embedded/block/text_form.h"

#include <algorithm>

#include "logstore/embedded/block/column_bytes.h"

namespace logboom::logstore::embedded {

Result<TextForm> TextForm::open(TextDecoder& text, std::size_t entry) {
  LB_ASSIGN(const StoredTemplates* templates, text.dictionary());
  TextForm form(text, *templates, entry);
  const StoredTemplate& stored = templates->templates[entry];
  std::size_t at = stored.text_begin;
  for (std::size_t i = 0; i <= stored.columns; ++i) {
    const std::size_t length = templates->pieces_of(stored)[i];
    form.example_.append(templates->text.substr(at, length));
    at += length;
    if (i < stored.columns) LB_TRY(form.append_example(i));
  }
  return form;
}

Status TextForm::append_example(std::size_t at) {
  const StoredColumn& column = templates_->columns_of(templates_->templates[entry_])[at];
  const auto begin = static_cast<std::uint32_t>(example_.size());
  switch (column.kind) {
    case ColumnKind::kConstant:
      example_.append(column.text);
      return ok_status();
    case ColumnKind::kTime: {
      const auto format = TimeFormat::decode(column.text);
      if (!format) return corrupt_block("a format of time stamps is damaged");
      example_.append(TimeRenderer(*format).render(0));
      break;
    }
    case ColumnKind::kNumbers:
      for (const StoredNumber& number : templates_->numbers_of(column)) {
        example_.append(number.before);
        example_.append(std::max<std::size_t>(number.width, 1), '0');
      }
      example_.append(column.text);
      break;
    case ColumnKind::kDictionary: {
      LB_ASSIGN(const ColumnReader* reader, text_->column(entry_, at));
      if (reader->entries() == 0) return corrupt_block("a dictionary has no entries");
      example_.append(reader->entry(0));
      break;
    }
    case ColumnKind::kHex:
      for (std::size_t i = 0; i < column.text.size(); ++i) example_ += column.hex_mask[i] == '1' ? '0' : column.text[i];
      break;
    case ColumnKind::kStrings:
      example_.append(column.text);
      example_.append("0");
      break;
  }
  variables_.push_back({begin, static_cast<std::uint32_t>(example_.size()), at});
  return ok_status();
}

const StoredColumn& TextForm::column_of(const Variable& variable) const {
  return templates_->columns_of(templates_->templates[entry_])[variable.column];
}

Result<query::ByteSet> TextForm::bytes_of(const Variable& variable) const {
  const StoredColumn& column = column_of(variable);
  query::ByteSet bytes;
  if (column.kind == ColumnKind::kDictionary) {
    LB_ASSIGN(const ColumnReader* reader, text_->column(entry_, variable.column));
    add_bytes(reader->entry_bytes(), bytes);
    return bytes;
  }
  if (column.kind != ColumnKind::kStrings) return column_bytes(*templates_, column);
  LB_ASSIGN(ColumnReader * reader, text_->column(entry_, variable.column));
  LB_TRY(reader->load_rows());
  add_bytes(column.text, bytes);
  add_bytes(reader->string_bytes(), bytes);
  return bytes;
}

bool TextForm::is_number(const Variable& variable) const {
  const StoredColumn& column = column_of(variable);
  if (column.kind != ColumnKind::kNumbers || column.numbers > 2 || !column.text.empty()) return false;
  const auto numbers = templates_->numbers_of(column);
  const StoredNumber& whole = numbers.front();
  const bool fits = (whole.before.empty() || whole.before == "-") && whole.width <= 1;
  return fits && (numbers.size() == 1 || numbers.back().before == ".");
}

Result<bool> TextForm::holds_for_all(const Variable& variable, const Test& test) const {
  if (column_of(variable).kind != ColumnKind::kDictionary) return false;
  LB_ASSIGN(const ColumnReader* reader, text_->column(entry_, variable.column));
  for (std::uint32_t e = 0; e < reader->entries(); ++e) {
    if (!test(reader->entry(e))) return false;
  }
  return true;
}

Status TextForm::find(std::uint32_t begin, std::uint32_t end, const Test& test, const RowSet& within,
                      RowSet& out) const {
  std::vector<Variable> inside;
  std::copy_if(variables_.begin(), variables_.end(), std::back_inserter(inside),
               [&](const Variable& v) { return v.begin >= begin && v.end <= end; });
  if (inside.empty()) {
    if (!test(std::string_view(example_).substr(begin, end - begin))) return ok_status();
    for (const std::uint32_t row : text_->rows_of(entry_)) {
      if (within.contains(row)) out.add(row);
    }
    return ok_status();
  }
  if (inside.size() == 1 && column_of(inside.front()).kind == ColumnKind::kDictionary)
    return find_entries(inside.front(), begin, end, test, within, out);
  return find_by_row(inside, begin, end, test, within, out);
}

Status TextForm::find_entries(const Variable& variable, std::uint32_t begin, std::uint32_t end, const Test& test,
                              const RowSet& within, RowSet& out) const {
  LB_ASSIGN(ColumnReader * reader, text_->column(entry_, variable.column));
  std::vector<bool> match(reader->entries());
  std::string value;
  for (std::uint32_t e = 0; e < reader->entries(); ++e) {
    value.assign(example_, begin, variable.begin - begin);
    value.append(reader->entry(e));
    value.append(example_, variable.end, end - variable.end);
    match[e] = test(value);
  }
  if (std::none_of(match.begin(), match.end(), [](bool m) { return m; })) return ok_status();
  LB_TRY(reader->load_rows());
  const auto rows = text_->rows_of(entry_);
  for (std::uint32_t place = 0; place < rows.size(); ++place) {
    if (match[reader->index(place)] && within.contains(rows[place])) out.add(rows[place]);
  }
  return ok_status();
}

Status TextForm::find_by_row(const std::vector<Variable>& inside, std::uint32_t begin, std::uint32_t end,
                             const Test& test, const RowSet& within, RowSet& out) const {
  std::vector<ColumnReader*> readers;
  const std::vector<TimeNs>* times = nullptr;
  std::uint64_t room = 32;  // ColumnReader::write() touches a little more
  for (const Variable& variable : inside) {
    LB_ASSIGN(ColumnReader * reader, text_->column(entry_, variable.column));
    LB_TRY(reader->load_rows());
    room += reader->max_length();
    readers.push_back(reader);
    if (column_of(variable).kind == ColumnKind::kTime) {
      LB_ASSIGN(times, text_->times());
    }
  }
  if (room > 2 * kMaxBlockBytes) return corrupt_block("a value is longer than a block");
  std::vector<char> buffer(static_cast<std::size_t>(room) + (end - begin));
  const auto rows = text_->rows_of(entry_);
  for (std::uint32_t place = 0; place < rows.size(); ++place) {
    if (!within.contains(rows[place])) continue;
    char* to = buffer.data();
    std::uint32_t at = begin;
    for (std::size_t i = 0; i < inside.size(); ++i) {
      to = std::copy(example_.begin() + at, example_.begin() + inside[i].begin, to);
      to = readers[i]->write(place, times != nullptr ? (*times)[rows[place]] : 0, to);
      at = inside[i].end;
    }
    to = std::copy(example_.begin() + at, example_.begin() + end, to);
    if (test({buffer.data(), static_cast<std::size_t>(to - buffer.data())})) out.add(rows[place]);
  }
  return ok_status();
}

}  // namespace logboom::logstore::embedded
