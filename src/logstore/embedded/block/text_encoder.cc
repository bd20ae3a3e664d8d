#include "logstore/embedded/block/text_encoder.h"

#include <algorithm>
#include <cstring>

#include "logstore/embedded/block/int_packing.h"

namespace logboom::logstore::embedded {
TemplateDictionary TextEncoder::encode(std::string_view raw, const std::vector<RowInfo>& rows) {
  raw_ = raw;
  rows_ = &rows;
  ranges_.clear(), kinds_.clear();
  for (const RowInfo& row : rows) {
    ranges_.push_back({row.begin, row.begin + row.length});
    kinds_.push_back(static_cast<std::uint8_t>(row.level));  // so that rows have the level of their template
  }
  splitter_.split(raw, ranges_, kinds_);
  TemplateDictionary dictionary;
  dictionary.templates.emplace_back();
  for (const TemplateSplitter::Found& found : splitter_.templates()) {
    dictionary.templates.push_back(encode_template(found));
    dictionary.text.append(found.text);
  }
  encode_plain(dictionary);
  encode_ids(dictionary.templates.size());
  return dictionary;
}

void TextEncoder::fill_attributes(const std::vector<std::uint32_t>& members, Template& entry) const {
  entry.rows = static_cast<std::uint32_t>(members.size());
  if (members.empty()) return;
  const RowInfo& first = (*rows_)[members[0]];
  entry.level = first.level;
  entry.flags = first.flags;
  entry.time_origin = first.time_origin;
  entry.lines = first.lines;
  for (const std::uint32_t row : members) {
    entry.total_lines += (*rows_)[row].lines;
    entry.level_uniform = entry.level_uniform && (*rows_)[row].level == first.level;
  }
}

// Appends a value and its neighbours; up to 32 bytes behind them are copied too.
inline void TextEncoder::Gathered::add(const char* raw, TextRange range, std::size_t at) {
  constexpr std::uint32_t kRoom = 64;
  const std::uint32_t before = std::min(range.begin, ColumnValues::kBefore);
  const std::uint32_t size = range.end - range.begin;
  const std::size_t all = ColumnValues::kBefore + size + ColumnValues::kBehind;
  if (used + all + kRoom > bytes.size()) bytes.resize(2 * (used + all + kRoom));
  char* out = bytes.data() + used;
  const char* from = raw + range.begin - before;
  if (all <= 32) {
    std::memcpy(out + ColumnValues::kBefore - before, from, 32);
  } else {
    std::memcpy(out + ColumnValues::kBefore - before, from, all - ColumnValues::kBefore + before);
  }
  const auto begin = static_cast<std::uint32_t>(used) + ColumnValues::kBefore;
  values[at] = {begin, begin + size};
  used += all;
}

// Brings the variables of one template into columns.
void TextEncoder::gather(const TemplateSplitter::Found& found) {
  constexpr std::size_t kAhead = 8;
  const std::size_t columns = found.pieces.size() - 1;
  if (gathered_.size() < columns) gathered_.resize(columns);
  for (std::size_t at = 0; at < columns; ++at) {
    gathered_[at].used = 0;
    if (gathered_[at].values.size() < found.rows.size()) gathered_[at].values.resize(found.rows.size());
  }
  times_.clear();
  TextRange scratch[VariableScanner::kMaxVariables];
  for (std::size_t i = 0; i < found.rows.size(); ++i) {
    if (i + kAhead < found.rows.size()) {
      const char* soon = raw_.data() + ranges_[found.rows[i + kAhead]].begin;
      __builtin_prefetch(soon);
      __builtin_prefetch(soon + 64);
      __builtin_prefetch(soon + 128);
      __builtin_prefetch(splitter_.near(found.rows[i + kAhead]));
    }
    const std::uint32_t row = found.rows[i];
    times_.push_back((*rows_)[row].time);
    const TextRange* variables = splitter_.variables(row, scratch);
    for (std::size_t at = 0; at < columns; ++at) gathered_[at].add(raw_.data(), variables[at], i);
  }
}

Template TextEncoder::encode_template(const TemplateSplitter::Found& found) {
  Template entry;
  fill_attributes(found.rows, entry);
  entry.pieces = found.pieces;
  add_static(found);
  gather(found);
  const std::size_t columns = found.pieces.size() - 1;
  for (std::size_t at = 0; at < columns; ++at) {
    ColumnValues values;
    values.bytes = gathered_[at].bytes.data();
    values.values = gathered_[at].values.data();
    values.count = found.rows.size();
    values.times = times_.data();
    values.left_piece = found.pieces[at], values.right_piece = found.pieces[at + 1];
    values.first = at == 0, values.last = at + 1 == columns;
    values.left_constant = at > 0 && entry.columns.back().kind == ColumnKind::kConstant;
    entry.columns.push_back(columns_.encode(values));
    column_filters_.add(values, entry.columns.back(), columns_.entries(), columns_.numbers());
  }
  return entry;
}

void TextEncoder::encode_plain(TemplateDictionary& dictionary) {
  const std::vector<std::uint32_t>& plain = splitter_.plain_rows();
  fill_attributes(plain, dictionary.templates[0]);
  lengths_.clear();
  for (std::size_t at = 0; at < plain.size();) {
    std::string& out = streams_.open(SectionKind::kPlain);
    const std::size_t first = at;
    for (; at < plain.size() && out.size() < SectionStreams::kFullSection; ++at) {
      const TextRange range = ranges_[plain[at]];
      const std::string_view text = raw_.substr(range.begin, range.end - range.begin);
      out.append(text);
      lengths_.push_back(static_cast<std::int64_t>(text.size()));
      filters_.add_variable_tokens(text);
      filters_.add_trigrams(text);
    }
    StreamRef ignored;
    streams_.close(SectionKind::kPlain, ignored);
    dictionary.plain_rows.push_back(static_cast<std::uint32_t>(at - first));
  }
  std::string& lengths = streams_.open(SectionKind::kInts);
  encode_ints(lengths_.data(), lengths_.size(), lengths);
  streams_.close(SectionKind::kInts, dictionary.plain_lengths);
}

void TextEncoder::encode_ids(std::size_t templates) {
  std::string& out = streams_.open(SectionKind::kTemplateIds);
  for (const std::uint16_t id : splitter_.ids()) out.push_back(static_cast<char>(id));
  if (templates > 256) {
    for (const std::uint16_t id : splitter_.ids()) out.push_back(static_cast<char>(id >> 8));
  }
  StreamRef ignored;
  streams_.close(SectionKind::kTemplateIds, ignored);
}

void TextEncoder::add_static(const TemplateSplitter::Found& found) {
  std::size_t at = 0;
  for (const std::uint32_t length : found.pieces) {
    filters_.add_static_tokens(found.text.substr(at, length));
    filters_.add_trigrams(found.text.substr(at, length));
    at += length;
  }
  add_whole_rows(found);
}

// Folding may change bytes beyond ASCII, and a variable's neighbours may be half a character: such rows are added
// whole.
void TextEncoder::add_whole_rows(const TemplateSplitter::Found& found) {
  if (!splitter_.scanner().any_high()) return;
  for (const std::uint32_t row : found.rows) {
    const TextRange range = ranges_[row];
    if (splitter_.scanner().has_high(range.begin, range.end))
      filters_.add_trigrams(raw_.substr(range.begin, range.end - range.begin));
  }
}

}  // namespace logboom::logstore::embedded
