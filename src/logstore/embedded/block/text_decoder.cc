#include "logstore/embedded/block/text_decoder.h"

#include <algorithm>

#include "logstore/embedded/block/bytes.h"
#include "logstore/embedded/block/int_packing.h"

namespace logboom::logstore::embedded {

Result<const TemplateDictionary*> TextDecoder::dictionary() {
  if (dictionary_) return &*dictionary_;
  LB_ASSIGN(const std::string_view bytes, sections_.get(SectionKind::kTemplates, 0));
  // A column takes at least five bytes here and a few hundred in memory.
  LB_TRY(sections_.charge(bytes.size() * 100));
  TemplateDictionary dictionary;
  if (!decode_templates(bytes, meta_.rows, dictionary)) return corrupt_block("its templates are damaged");
  if (dictionary.templates.size() > UINT16_MAX) return corrupt_block("it has too many templates");
  loaded_.resize(dictionary.templates.size());
  for (std::size_t t = 0; t < loaded_.size(); ++t) {
    loaded_[t].columns.resize(dictionary.templates[t].columns.size());
    for (const std::uint32_t piece : dictionary.templates[t].pieces) loaded_[t].static_length += piece;
  }
  dictionary_ = std::move(dictionary);
  return &*dictionary_;
}

Result<const std::vector<TimeNs>*> TextDecoder::times() {
  if (times_) return &*times_;
  LB_ASSIGN(const std::string_view bytes, sections_.get(SectionKind::kTimes, 0));
  LB_TRY(sections_.charge(std::uint64_t{meta_.rows} * sizeof(TimeNs)));
  ByteReader in(bytes);
  const std::uint64_t unit = in.varint_at_most(static_cast<std::uint64_t>(kNsPerSecond));
  std::vector<TimeNs> times;
  if (!in.ok() || !decode_ints(in, meta_.rows, times) || in.left() != 0) return corrupt_block("its times are damaged");
  for (TimeNs& time : times) time = static_cast<TimeNs>(static_cast<std::uint64_t>(time) * unit);
  times_ = std::move(times);
  return &*times_;
}

Status TextDecoder::load_ids() {
  if (ids_loaded_) return ok_status();
  LB_ASSIGN(const TemplateDictionary* templates, dictionary());
  LB_ASSIGN(const std::string_view bytes, sections_.get(SectionKind::kTemplateIds, 0));
  const std::size_t rows = meta_.rows;
  const bool wide = templates->templates.size() > 256;
  if (bytes.size() != rows * (wide ? 2 : 1)) return corrupt_block("its template ids are too short");
  LB_TRY(sections_.charge(rows * (sizeof(std::uint16_t) + 2 * sizeof(std::uint32_t))));
  ids_.resize(rows), places_.resize(rows);
  std::vector<std::uint32_t> next(templates->templates.size(), 0);
  for (std::size_t row = 0; row < rows; ++row) {
    unsigned id = static_cast<unsigned char>(bytes[row]);
    if (wide) id |= static_cast<unsigned>(static_cast<unsigned char>(bytes[rows + row])) << 8;
    if (id >= next.size()) return corrupt_block("a row has no template");
    ids_[row] = static_cast<std::uint16_t>(id);
    places_[row] = next[id]++;
  }
  for (std::size_t t = 0; t < next.size(); ++t) {
    if (next[t] != templates->templates[t].rows) return corrupt_block("a template has a wrong count of rows");
  }
  ids_loaded_ = true;
  return ok_status();
}

const std::vector<std::uint32_t>& TextDecoder::rows_of(std::size_t entry) {
  if (!rows_listed_) {
    for (std::size_t t = 0; t < loaded_.size(); ++t) loaded_[t].rows.resize(dictionary_->templates[t].rows);
    for (std::uint32_t row = 0; row < ids_.size(); ++row) loaded_[ids_[row]].rows[places_[row]] = row;
    rows_listed_ = true;
  }
  return loaded_[entry].rows;
}

Result<ColumnReader*> TextDecoder::column(std::size_t entry, std::size_t at) {
  std::optional<ColumnReader>& reader = loaded_[entry].columns[at];
  if (!reader) {
    const Template& owner = dictionary_->templates[entry];
    LB_ASSIGN(reader, ColumnReader::open(owner.columns[at], owner.rows, sections_));
  }
  return &*reader;
}

Status TextDecoder::prepare(std::size_t entry) {
  if (loaded_[entry].prepared) return ok_status();
  if (entry == 0) return prepare_plain();
  std::uint64_t room = loaded_[entry].static_length;
  for (std::size_t at = 0; at < loaded_[entry].columns.size(); ++at) {
    LB_ASSIGN(const ColumnReader* reader, column(entry, at));
    room += reader->max_length();
    if (dictionary_->templates[entry].columns[at].kind == ColumnKind::kTime) LB_TRY(times());
  }
  constexpr std::size_t kOverrun = 32;  // short copies write over the end
  if (buffer_.size() < room + kOverrun) {
    LB_TRY(sections_.charge(room + kOverrun - buffer_.size()));
    buffer_.resize(room + kOverrun);
  }
  loaded_[entry].prepared = true;
  return ok_status();
}

Status TextDecoder::prepare_plain() {
  const std::uint32_t rows = dictionary_->templates[0].rows;
  LB_ASSIGN(const std::string_view packed, sections_.get(SectionKind::kInts, dictionary_->plain_lengths));
  LB_TRY(sections_.charge(std::uint64_t{rows} * 24));
  ByteReader in(packed);
  std::vector<std::int64_t> lengths;
  if (!decode_ints(in, rows, lengths) || in.left() != 0)
    return corrupt_block("the lengths of its plain rows are damaged");
  plain_.reserve(rows);
  std::size_t at = 0;
  for (std::uint32_t s = 0; s < dictionary_->plain_rows.size(); ++s) {
    LB_ASSIGN(const std::string_view section, sections_.get(SectionKind::kPlain, s));
    ByteReader texts(section);
    for (std::uint32_t i = 0; i < dictionary_->plain_rows[s]; ++i)
      plain_.push_back(texts.raw(static_cast<std::uint64_t>(lengths[at++])));
    if (!texts.ok() || texts.left() != 0) return corrupt_block("its plain rows are damaged");
  }
  loaded_[0].prepared = true;
  return ok_status();
}

Status TextDecoder::prepare_all() {
  LB_TRY(load_ids());
  for (std::size_t t = 0; t < loaded_.size(); ++t) {
    if (dictionary_->templates[t].rows != 0) LB_TRY(prepare(t));
  }
  return ok_status();
}

Status TextDecoder::prepare(const RowSet& rows) {
  LB_TRY(load_ids());
  std::vector<bool> used(loaded_.size(), false);
  rows.for_each([&](std::uint32_t row) { used[ids_[row]] = true; });
  for (std::size_t t = 0; t < used.size(); ++t) {
    if (used[t]) LB_TRY(prepare(t));
  }
  return ok_status();
}

std::string_view TextDecoder::text(std::uint32_t row) {
  const std::size_t id = ids_[row];
  const std::uint32_t place = places_[row];
  if (id == 0) return plain_[place];
  const Template& entry = dictionary_->templates[id];
  Loaded& loaded = loaded_[id];
  const TimeNs time = times_ ? (*times_)[row] : 0;
  const char* piece = dictionary_->text.data() + entry.text_begin;
  char* out = buffer_.data();
  for (std::size_t at = 0; at < loaded.columns.size(); ++at) {
    out = copy_short(out, piece, entry.pieces[at]);
    piece += entry.pieces[at];
    out = loaded.columns[at]->write(place, time, out);
  }
  out = copy_short(out, piece, entry.pieces.back());
  return {buffer_.data(), static_cast<std::size_t>(out - buffer_.data())};
}

std::uint32_t TextDecoder::length(std::uint32_t row) {
  const std::size_t id = ids_[row];
  const std::uint32_t place = places_[row];
  if (id == 0) return static_cast<std::uint32_t>(plain_[place].size());
  std::uint32_t n = loaded_[id].static_length;
  for (const std::optional<ColumnReader>& column : loaded_[id].columns) n += column->length(place);
  return n;
}

}  // namespace logboom::logstore::embedded
