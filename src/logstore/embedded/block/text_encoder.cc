#include "logstore/embedded/block/text_encoder.h"

#include <algorithm>

#include "logstore/embedded/block/int_packing.h"
#include "logstore/query/folding.h"
#include "logstore/query/tokens.h"

namespace logboom::logstore::embedded {
namespace {

constexpr std::uint32_t kContext = 2;  // bytes beside a variable that share a trigram with it

}  // namespace

TemplateDictionary TextEncoder::encode(std::string_view raw, const std::vector<RowInfo>& rows) {
  raw_ = raw;
  rows_ = &rows;
  ranges_.clear();
  for (const RowInfo& row : rows) ranges_.push_back({row.begin, row.begin + row.length});
  splitter_.split(raw, ranges_);
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

Template TextEncoder::encode_template(const TemplateSplitter::Found& found) {
  Template entry;
  fill_attributes(found.rows, entry);
  entry.pieces = found.pieces;
  add_static(found);
  times_.clear();
  for (const std::uint32_t row : found.rows) times_.push_back((*rows_)[row].time);
  for (std::size_t at = 0; at + 1 < found.pieces.size(); ++at) {
    values_.clear();
    for (const std::uint32_t row : found.rows) {
      const TextRange range = splitter_.variable(row, at);
      values_.push_back(raw_.substr(range.begin, range.end - range.begin));
    }
    entry.columns.push_back(columns_.encode(values_, times_));
    add_column(found, at, entry.columns.back());
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
  encode_ints(lengths_, lengths);
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

std::string_view TextEncoder::with_context(std::string_view value, std::uint32_t row) const {
  const auto begin = static_cast<std::uint32_t>(value.data() - raw_.data());
  const auto end = begin + static_cast<std::uint32_t>(value.size());
  const std::uint32_t from = std::max(ranges_[row].begin + kContext, begin) - kContext;
  const std::uint32_t to = std::min(ranges_[row].end, end + kContext);
  return raw_.substr(from, to - from);
}

void TextEncoder::add_column(const TemplateSplitter::Found& found, std::size_t at, const Column& column) {
  const bool same_left = at == 0 || found.pieces[at] >= kContext;
  const bool same_right = at + 2 == found.pieces.size() || found.pieces[at + 1] >= kContext;
  const bool same_context = same_left && same_right;
  if (column.kind == ColumnKind::kTime) return add_times(found, column, same_context);
  if (column.kind == ColumnKind::kConstant) {
    filters_.add_static_tokens(values_[0]);
  } else if (column.kind == ColumnKind::kDictionary) {
    for (const std::string_view entry : columns_.entries()) filters_.add_variable_tokens(entry);
  } else {
    for (const std::string_view value : values_) filters_.add_variable_tokens(value);
  }
  const bool distinct = column.kind == ColumnKind::kConstant || column.kind == ColumnKind::kDictionary;
  if (distinct && same_context) return add_distinct(found, at, column);
  for (std::size_t i = 0; i < values_.size(); ++i) filters_.add_trigrams(with_context(values_[i], found.rows[i]));
}

// Every value stands between the same bytes, so each is added once.
void TextEncoder::add_distinct(const TemplateSplitter::Found& found, std::size_t at, const Column& column) {
  const std::uint32_t left = at == 0 ? std::min(found.pieces[0], kContext) : kContext;
  const std::uint32_t right = std::min(found.pieces[at + 1], kContext);
  const auto add = [&](std::string_view value) {
    const auto begin = static_cast<std::size_t>(value.data() - raw_.data());
    filters_.add_trigrams(raw_.substr(begin - left, left + value.size() + right));
  };
  if (column.kind == ColumnKind::kConstant) return add(values_[0]);
  for (const std::string_view entry : columns_.entries()) add(entry);
}

// Stamps of one second differ only in their fraction.
void TextEncoder::add_times(const TemplateSplitter::Found& found, const Column& column, bool same_context) {
  TimeRenderer renderer(column.time);
  const std::size_t fraction = renderer.fraction_at();
  const bool own_token = fraction > 0 && fraction < renderer.length() && !query::is_word_byte(values_[0][fraction - 1]);
  std::string_view previous;
  for (std::size_t i = 0; i < values_.size(); ++i) {
    const std::string_view value = values_[i];
    if (!same_context) filters_.add_trigrams(with_context(value, found.rows[i]));
    if (value == previous) continue;
    renderer.render(times_[i]);
    const bool whole = renderer.second_changed() || !own_token;
    const std::string_view changed = whole ? value : value.substr(fraction);
    filters_.add_variable_tokens(changed);
    if (same_context) filters_.add_trigrams(with_context(changed, found.rows[i]));
    previous = value;
  }
}

}  // namespace logboom::logstore::embedded
