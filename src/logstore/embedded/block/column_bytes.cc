#include "logstore/embedded/block/column_bytes.h"

#include <vector>

namespace logboom::logstore::embedded {

using query::ByteSet;

void add_bytes(std::string_view text, ByteSet& set) {
  for (const char c : text) set.set(static_cast<unsigned char>(c));
}

const ByteSet& bytes_of_classes(std::uint8_t classes) {
  static const std::vector<ByteSet> kSets = [] {
    std::vector<ByteSet> sets(256);
    for (unsigned set = 0; set < 256; ++set) {
      for (unsigned c = 0; c < 256; ++c) {
        if ((byte_class_of(static_cast<unsigned char>(c)) & set) != 0) sets[set].set(c);
      }
    }
    return sets;
  }();
  return kSets[classes];
}

ByteSet column_bytes(const StoredTemplates& templates, const StoredColumn& column) {
  ByteSet bytes;
  switch (column.kind) {
    case ColumnKind::kConstant:
      add_bytes(column.text, bytes);
      return bytes;
    case ColumnKind::kTime: {
      const auto format = TimeFormat::decode(column.text);
      if (!format) return bytes.set();
      add_bytes("0123456789", bytes);
      for (std::size_t i = 0; i < format->count; ++i) {
        const TimeFormat::Part& part = format->parts[i];
        if (part.field == TimeFormat::kLiteral) add_bytes({&part.literal, 1}, bytes);
        if (part.field == TimeFormat::kMonthName) add_bytes("JanFebMarAprMayJunJulAugSepOctNovDec", bytes);
      }
      return bytes;
    }
    case ColumnKind::kNumbers:
      add_bytes("0123456789", bytes);
      for (const StoredNumber& number : templates.numbers_of(column)) add_bytes(number.before, bytes);
      add_bytes(column.text, bytes);
      return bytes;
    case ColumnKind::kHex:
      add_bytes("0123456789abcdef", bytes);
      for (std::size_t i = 0; i < column.text.size(); ++i) {
        if (column.hex_mask[i] != '1') bytes.set(static_cast<unsigned char>(column.text[i]));
      }
      return bytes;
    default:
      return bytes_of_classes(column.classes);
  }
}

}  // namespace logboom::logstore::embedded
