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

Result<ColumnReader> ColumnReader::open(const Column& column, std::uint32_t rows, SectionCache& sections) {
  ColumnReader reader;
  reader.column_ = &column;
  reader.rows_ = rows;
  reader.max_length_ = column.constant.size();
  switch (column.kind) {
    case ColumnKind::kConstant:
      break;
    case ColumnKind::kTime:
      reader.max_length_ = column.time.length();
      reader.renderer_.emplace_back(column.time);
      break;
    case ColumnKind::kNumbers:
      LB_TRY(reader.open_numbers(sections));
      break;
    case ColumnKind::kDictionary:
      LB_TRY(reader.open_dictionary(sections));
      break;
    case ColumnKind::kHex:
      LB_TRY(reader.open_hex(sections));
      break;
    case ColumnKind::kStrings:
      LB_TRY(reader.open_strings(sections));
      break;
  }
  return reader;
}

Status ColumnReader::open_numbers(SectionCache& sections) {
  LB_ASSIGN(const std::string_view bytes, sections.get(SectionKind::kInts, column_->data));
  ByteReader in(bytes);
  numbers_.resize(column_->numbers.size());
  for (std::size_t k = 0; k < numbers_.size(); ++k) {
    LB_TRY(sections.charge(std::uint64_t{rows_} * sizeof(std::int64_t)));
    if (!decode_ints(in, rows_, numbers_[k])) return corrupt_block("a column of numbers is damaged");
    max_length_ += column_->numbers[k].before.size() + kMaxDigits;
  }
  return in.left() == 0 ? ok_status() : Status(corrupt_block("a column of numbers is too long"));
}

Status ColumnReader::open_dictionary(SectionCache& sections) {
  LB_ASSIGN(const std::string_view dictionary, sections.get(SectionKind::kDictionaries, column_->extra));
  LB_ASSIGN(indices_, sections.get(SectionKind::kIndices, column_->data));
  const std::uint32_t entries = column_->entries;
  LB_TRY(sections.charge(std::uint64_t{entries} * 16));
  ByteReader in(dictionary);
  if (entries > in.left()) return corrupt_block("a dictionary is too short");
  std::vector<std::int64_t> lengths(entries);
  for (std::int64_t& length : lengths) length = static_cast<std::int64_t>(in.varint_at_most(kMaxBlockBytes));
  counts_.resize(entries);
  for (std::uint32_t& count : counts_) count = in.varint32();
  bytes_ = in.raw(in.left());
  if (!in.ok() || !offsets_of(lengths, bytes_.size(), offsets_)) return corrupt_block("a dictionary is damaged");
  max_length_ = longest(offsets_);
  wide_ = entries > 256;
  return check_indices();
}

Status ColumnReader::check_indices() const {
  if (indices_.size() != std::uint64_t{rows_} * (wide_ ? 2 : 1))
    return corrupt_block("a dictionary column is too short");
  std::uint32_t highest = 0;
  for (std::uint32_t at = 0; at < rows_; ++at) highest = std::max(highest, index(at));
  return highest < column_->entries ? ok_status() : Status(corrupt_block("a dictionary column has a wrong index"));
}

Status ColumnReader::open_hex(SectionCache& sections) {
  LB_ASSIGN(bytes_, sections.get(SectionKind::kHex, column_->data));
  for (std::uint32_t i = 0; i < column_->hex_mask.size(); ++i) {
    if (column_->hex_mask[i] == '1') hex_places_.push_back(i);
  }
  max_length_ = column_->hex_text.size();
  if (bytes_.size() != std::uint64_t{rows_} * ((hex_places_.size() + 1) / 2))
    return corrupt_block("a hex column is too short");
  return ok_status();
}

Status ColumnReader::open_strings(SectionCache& sections) {
  LB_ASSIGN(bytes_, sections.get(SectionKind::kStrings, column_->data));
  LB_ASSIGN(const std::string_view packed, sections.get(SectionKind::kInts, column_->extra));
  LB_TRY(sections.charge(std::uint64_t{rows_} * 12));
  std::vector<std::int64_t> lengths;
  ByteReader in(packed);
  if (!decode_ints(in, rows_, lengths) || in.left() != 0 || !offsets_of(lengths, bytes_.size(), offsets_))
    return corrupt_block("a column of strings is damaged");
  max_length_ = column_->constant.size() + longest(offsets_);
  return ok_status();
}

char* ColumnReader::write_numbers(std::uint32_t at, char* out) const {
  for (std::size_t k = 0; k < numbers_.size(); ++k) {
    const NumberFormat& number = column_->numbers[k];
    out = copy_short(out, number.before.data(), number.before.size());
    const auto value = static_cast<std::uint64_t>(numbers_[k][at]);
    out = write_decimal(value, number.width != 0 ? number.width : digit_count(value), out);
  }
  return copy_short(out, column_->constant.data(), column_->constant.size());
}

char* ColumnReader::write_hex(std::uint32_t at, char* out) const {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::memcpy(out, column_->hex_text.data(), column_->hex_text.size());
  std::size_t nibble = std::size_t{at} * ((hex_places_.size() + 1) / 2 * 2);
  for (const std::uint32_t place : hex_places_) {
    const auto byte = static_cast<unsigned char>(bytes_[nibble / 2]);
    out[place] = kDigits[nibble % 2 == 0 ? byte >> 4 : byte & 15];
    ++nibble;
  }
  return out + column_->hex_text.size();
}

char* ColumnReader::write(std::uint32_t at, TimeNs time, char* out) {
  switch (column_->kind) {
    case ColumnKind::kConstant:
      return copy_short(out, column_->constant.data(), column_->constant.size());
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
  out = copy_short(out, column_->constant.data(), column_->constant.size());
  return copy_short(out, bytes_.data() + offsets_[at], offsets_[at + 1] - offsets_[at]);
}

std::uint32_t ColumnReader::length(std::uint32_t at) const {
  switch (column_->kind) {
    case ColumnKind::kConstant:
    case ColumnKind::kTime:
    case ColumnKind::kHex:
      return static_cast<std::uint32_t>(max_length_);
    case ColumnKind::kNumbers: {
      std::size_t n = column_->constant.size();
      for (std::size_t k = 0; k < numbers_.size(); ++k) {
        const NumberFormat& number = column_->numbers[k];
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
  return static_cast<std::uint32_t>(column_->constant.size()) + offsets_[at + 1] - offsets_[at];
}

}  // namespace logboom::logstore::embedded
