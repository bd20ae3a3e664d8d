#include "logstore/embedded/block/column_reader.h"

#include <algorithm>

#include "logstore/embedded/block/bytes.h"
#include "logstore/embedded/block/decimal.h"
#include "logstore/embedded/block/int_packing.h"

namespace logboom::logstore::embedded {
namespace {

constexpr std::uint64_t kMaxDigits = 20;

// Turns lengths into offsets, the sum being `total`.
bool offsets_of(const std::vector<std::int64_t>& lengths, std::uint64_t total, std::vector<std::uint32_t>& offsets) {
  offsets.resize(lengths.size() + 1);
  std::uint64_t at = 0;
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    offsets[i] = static_cast<std::uint32_t>(at);
    if (lengths[i] < 0 || static_cast<std::uint64_t>(lengths[i]) > total - at) return false;
    at += static_cast<std::uint64_t>(lengths[i]);
  }
  offsets.back() = static_cast<std::uint32_t>(at);
  return at == total;
}

std::uint64_t longest(const std::vector<std::uint32_t>& offsets) {
  std::uint64_t most = 0;
  for (std::size_t i = 0; i + 1 < offsets.size(); ++i)
    most = std::max<std::uint64_t>(most, offsets[i + 1] - offsets[i]);
  return most;
}

}  // namespace

Result<ColumnReader> ColumnReader::open(const StoredTemplates& templates, const StoredColumn& column,
                                        std::uint32_t rows, SectionCache& sections) {
  ColumnReader reader;
  reader.column_ = &column;
  reader.sections_ = &sections;
  reader.number_formats_ = templates.numbers_of(column);
  reader.rows_ = rows;
  reader.max_length_ = column.text.size();
  if (column.kind == ColumnKind::kDictionary) LB_TRY(reader.open_dictionary());
  return reader;
}

Status ColumnReader::load_rows() {
  if (rows_loaded_) return ok_status();
  LB_TRY(load_values());
  rows_loaded_ = true;
  return ok_status();
}

Status ColumnReader::load_values() {
  switch (column_->kind) {
    case ColumnKind::kConstant:
      return ok_status();
    case ColumnKind::kTime:
      return load_time();
    case ColumnKind::kNumbers:
      return load_numbers();
    case ColumnKind::kDictionary:
      return load_indices();
    case ColumnKind::kHex:
      return load_hex();
    case ColumnKind::kStrings:
      return load_strings();
  }
  return ok_status();
}

Status ColumnReader::load_time() {
  const auto format = TimeFormat::decode(column_->text);
  if (!format || column_->min_length != format->length() || column_->max_length != format->length())
    return corrupt_block("a format of time stamps is damaged");
  max_length_ = format->length();
  renderer_.emplace_back(*format);
  return ok_status();
}

Status ColumnReader::load_numbers() {
  LB_ASSIGN(const std::string_view bytes, sections_->get(SectionKind::kInts, column_->data));
  ByteReader in(bytes);
  numbers_.resize(number_formats_.size());
  max_length_ = column_->text.size();
  for (std::size_t k = 0; k < numbers_.size(); ++k) {
    LB_TRY(sections_->charge(std::uint64_t{rows_} * sizeof(std::int64_t)));
    if (!decode_ints(in, rows_, numbers_[k])) return corrupt_block("a column of numbers is damaged");
    max_length_ += number_formats_[k].before.size() + kMaxDigits;
  }
  return in.left() == 0 ? ok_status() : Status(corrupt_block("a column of numbers is too long"));
}

Status ColumnReader::open_dictionary() {
  LB_ASSIGN(const std::string_view dictionary, sections_->get(SectionKind::kDictionaries, column_->extra));
  const std::uint32_t entries = column_->entries;
  LB_TRY(sections_->charge(std::uint64_t{entries} * 8));
  ByteReader in(dictionary);
  if (entries > in.left()) return corrupt_block("a dictionary is too short");
  offsets_.resize(std::size_t{entries} + 1);
  std::uint64_t total = 0;
  for (std::uint32_t e = 0; e < entries; ++e) {
    const std::uint64_t length = in.varint_at_most(kMaxBlockBytes);
    offsets_[e] = static_cast<std::uint32_t>(total);
    total += length;
    max_length_ = std::max(max_length_, length);
    if (total > dictionary.size()) return corrupt_block("a dictionary is damaged");
  }
  offsets_[entries] = static_cast<std::uint32_t>(total);
  counts_.resize(entries);
  for (std::uint32_t& count : counts_) count = in.varint32();
  bytes_ = in.raw(in.left());
  return in.ok() && total == bytes_.size() ? ok_status() : Status(corrupt_block("a dictionary is damaged"));
}

Status ColumnReader::load_indices() {
  LB_ASSIGN(indices_, sections_->get(SectionKind::kIndices, column_->data));
  wide_ = column_->entries > 256;
  if (indices_.size() != std::uint64_t{rows_} * (wide_ ? 2 : 1))
    return corrupt_block("a dictionary column is too short");
  std::uint32_t highest = 0;
  for (std::uint32_t at = 0; at < rows_; ++at) highest = std::max(highest, index(at));
  return highest < column_->entries ? ok_status() : Status(corrupt_block("a dictionary column has a wrong index"));
}

Status ColumnReader::load_hex() {
  LB_ASSIGN(bytes_, sections_->get(SectionKind::kHex, column_->data));
  hex_places_.clear();
  for (std::uint32_t i = 0; i < column_->hex_mask.size(); ++i) {
    if (column_->hex_mask[i] == '1') hex_places_.push_back(i);
  }
  if (bytes_.size() != std::uint64_t{rows_} * ((hex_places_.size() + 1) / 2))
    return corrupt_block("a hex column is too short");
  return ok_status();
}

Status ColumnReader::load_strings() {
  LB_ASSIGN(bytes_, sections_->get(SectionKind::kStrings, column_->data));
  LB_ASSIGN(const std::string_view packed, sections_->get(SectionKind::kInts, column_->extra));
  LB_TRY(sections_->charge(std::uint64_t{rows_} * 12));
  std::vector<std::int64_t> lengths;
  ByteReader in(packed);
  if (!decode_ints(in, rows_, lengths) || in.left() != 0 || !offsets_of(lengths, bytes_.size(), offsets_))
    return corrupt_block("a column of strings is damaged");
  max_length_ = column_->text.size() + longest(offsets_);
  return ok_status();
}

char* ColumnReader::write_numbers(std::uint32_t at, char* out) const {
  for (std::size_t k = 0; k < numbers_.size(); ++k) {
    const StoredNumber& number = number_formats_[k];
    out = copy_short(out, number.before.data(), number.before.size());
    const auto value = static_cast<std::uint64_t>(numbers_[k][at]);
    out = write_decimal(value, number.width != 0 ? number.width : digit_count(value), out);
  }
  return copy_short(out, column_->text.data(), column_->text.size());
}

char* ColumnReader::write_hex(std::uint32_t at, char* out) const {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::memcpy(out, column_->text.data(), column_->text.size());
  std::size_t nibble = std::size_t{at} * ((hex_places_.size() + 1) / 2 * 2);
  for (const std::uint32_t place : hex_places_) {
    const auto byte = static_cast<unsigned char>(bytes_[nibble / 2]);
    out[place] = kDigits[nibble % 2 == 0 ? byte >> 4 : byte & 15];
    ++nibble;
  }
  return out + column_->text.size();
}

char* ColumnReader::write(std::uint32_t at, TimeNs time, char* out) {
  switch (column_->kind) {
    case ColumnKind::kConstant:
      return copy_short(out, column_->text.data(), column_->text.size());
    case ColumnKind::kTime: {
      const std::string_view text = renderer_.front().render(time);
      std::memcpy(out, text.data(), text.size());
      return out + text.size();
    }
    case ColumnKind::kNumbers:
      return write_numbers(at, out);
    case ColumnKind::kDictionary: {
      const std::uint32_t e = index(at);
      return copy_short(out, bytes_.data() + offsets_[e], offsets_[e + 1] - offsets_[e]);
    }
    case ColumnKind::kHex:
      return write_hex(at, out);
    case ColumnKind::kStrings:
      break;
  }
  out = copy_short(out, column_->text.data(), column_->text.size());
  return copy_short(out, bytes_.data() + offsets_[at], offsets_[at + 1] - offsets_[at]);
}

std::uint32_t ColumnReader::length(std::uint32_t at) const {
  switch (column_->kind) {
    case ColumnKind::kConstant:
    case ColumnKind::kTime:
    case ColumnKind::kHex:
      return static_cast<std::uint32_t>(max_length_);
    case ColumnKind::kNumbers: {
      std::size_t n = column_->text.size();
      for (std::size_t k = 0; k < numbers_.size(); ++k) {
        const StoredNumber& number = number_formats_[k];
        n += number.before.size() +
             (number.width != 0 ? number.width : digit_count(static_cast<std::uint64_t>(numbers_[k][at])));
      }
      return static_cast<std::uint32_t>(n);
    }
    case ColumnKind::kDictionary: {
      const std::uint32_t e = index(at);
      return offsets_[e + 1] - offsets_[e];
    }
    case ColumnKind::kStrings:
      break;
  }
  return static_cast<std::uint32_t>(column_->text.size()) + offsets_[at + 1] - offsets_[at];
}

}  // namespace logboom::logstore::embedded
