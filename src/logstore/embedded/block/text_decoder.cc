#include "logstore/embedded/block/text_decoder.h"

#include <algorithm>

#include "logstore/embedded/block/bytes.h"
#include "logstore/embedded/block/int_packing.h"

namespace logboom::logstore::embedded {

Result<const StoredTemplates*> TextDecoder::dictionary() {
  if (dictionary_) return &*dictionary_;
  LB_ASSIGN(const std::string_view bytes, sections_.get(SectionKind::kTemplates, 0));
  LB_TRY(sections_.charge(bytes.size() * 64));
  StoredTemplates dictionary;
  if (!dictionary.decode(bytes, meta_.rows)) return corrupt_block("its templates are damaged");
  if (dictionary.size() > UINT16_MAX) return corrupt_block("it has too many templates");
  columns_.resize(dictionary.columns.size());
  rooms_.resize(dictionary.size());
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
  LB_ASSIGN(const StoredTemplates* dictionary, this->dictionary());
  LB_ASSIGN(const std::string_view bytes, sections_.get(SectionKind::kTemplateIds, 0));
  const std::size_t rows = meta_.rows;
  const std::size_t templates = dictionary->size();
  const bool wide = templates > 256;
  if (bytes.size() != rows * (wide ? 2 : 1)) return corrupt_block("its template ids are too short");
  LB_TRY(sections_.charge(rows * (sizeof(std::uint16_t) + 2 * sizeof(std::uint32_t))));
  row_begins_.assign(templates + 1, 0);
  for (std::size_t t = 0; t < templates; ++t) row_begins_[t + 1] = row_begins_[t] + dictionary->templates[t].rows;
  std::vector<std::uint32_t> next(row_begins_.begin(), row_begins_.end() - 1);
  ids_.resize(rows), places_.resize(rows), rows_by_template_.resize(rows);
  for (std::size_t row = 0; row < rows; ++row) {
    unsigned id = static_cast<unsigned char>(bytes[row]);
    if (wide) id |= static_cast<unsigned>(static_cast<unsigned char>(bytes[rows + row])) << 8;
    if (id >= templates) return corrupt_block("a row has no template");
    if (next[id] == row_begins_[id + 1]) return corrupt_block("a template has a wrong count of rows");
    ids_[row] = static_cast<std::uint16_t>(id);
    places_[row] = next[id] - row_begins_[id];
    rows_by_template_[next[id]++] = static_cast<std::uint32_t>(row);
  }
  ids_loaded_ = true;
  return ok_status();
}

Result<ColumnReader*> TextDecoder::column(std::size_t entry, std::size_t at) {
  const StoredTemplate& owner = dictionary_->templates[entry];
  const std::size_t index = owner.first_column + at;
  if (columns_[index] == nullptr) {
    LB_ASSIGN(ColumnReader reader,
              ColumnReader::open(*dictionary_, dictionary_->columns[index], owner.rows, sections_));
    columns_[index] = std::make_unique<ColumnReader>(std::move(reader));
  }
  return columns_[index].get();
}

Status TextDecoder::prepare(std::size_t entry) {
  if (entry == 0) return prepare_plain();
  if (rooms_[entry] != 0) return ok_status();
  const StoredTemplate& owner = dictionary_->templates[entry];
  constexpr std::size_t kOverrun = 32;  // short copies write over the end
  std::size_t room = owner.static_length + kOverrun;
  for (std::size_t at = 0; at < owner.columns; ++at) {
    LB_ASSIGN(ColumnReader * reader, column(entry, at));
    LB_TRY(reader->load_rows());
    room += reader->max_length();
    if (dictionary_->columns[owner.first_column + at].kind == ColumnKind::kTime) LB_TRY(times());
  }
  if (buffer_.size() < room) {
    LB_TRY(sections_.charge(room - buffer_.size()));
    buffer_.resize(room);
  }
  rooms_[entry] = room;
  return ok_status();
}

Status TextDecoder::prepare_plain() {
  if (plain_loaded_) return ok_status();
  plain_.clear();
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
  plain_loaded_ = true;
  return ok_status();
}

Status TextDecoder::prepare_all() {
  LB_TRY(load_ids());
  for (std::size_t t = 0; t < dictionary_->size(); ++t) {
    if (dictionary_->templates[t].rows != 0) LB_TRY(prepare(t));
  }
  return ok_status();
}

Status TextDecoder::prepare(const RowSet& rows) {
  LB_TRY(load_ids());
  std::vector<bool> used(dictionary_->size(), false);
  rows.for_each([&](std::uint32_t row) { used[ids_[row]] = true; });
  for (std::size_t t = 0; t < used.size(); ++t) {
    if (used[t]) LB_TRY(prepare(t));
  }
  return ok_status();
}

char* TextDecoder::write(std::uint32_t row, char* out) {
  const StoredTemplate& entry = dictionary_->templates[ids_[row]];
  const std::uint32_t place = places_[row];
  const TimeNs time = times_ ? (*times_)[row] : 0;
  const char* text = dictionary_->text.data() + entry.text_begin;
  const std::uint32_t* piece = dictionary_->pieces.data() + entry.first_piece;
  const std::unique_ptr<ColumnReader>* columns = columns_.data() + entry.first_column;
  for (std::size_t at = 0; at < entry.columns; ++at) {
    out = copy_short(out, text, piece[at]);
    text += piece[at];
    out = columns[at]->write(place, time, out);
  }
  return copy_short(out, text, piece[entry.columns]);
}

std::string_view TextDecoder::text(std::uint32_t row) {
  if (ids_[row] == 0) return plain_[places_[row]];
  const char* end = write(row, buffer_.data());
  return {buffer_.data(), static_cast<std::size_t>(end - buffer_.data())};
}

std::uint32_t TextDecoder::length(std::uint32_t row) {
  const StoredTemplate& entry = dictionary_->templates[ids_[row]];
  const std::uint32_t place = places_[row];
  if (ids_[row] == 0) return static_cast<std::uint32_t>(plain_[place].size());
  std::uint32_t n = entry.static_length;
  for (std::size_t at = 0; at < entry.columns; ++at) n += columns_[entry.first_column + at]->length(place);
  return n;
}

}  // namespace logboom::logstore::embedded
