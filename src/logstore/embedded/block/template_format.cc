#include "logstore/embedded/block/template_format.h"

#include "logstore/embedded/block/bytes.h"
#include "logstore/embedded/block/stream_offsets.h"

namespace logboom::logstore::embedded {
namespace {

constexpr std::array<std::uint8_t, 256> make_byte_classes() {
  std::array<std::uint8_t, 256> classes{};
  for (std::size_t c = 0; c < 128; ++c) classes[c] = kClassOther;
  for (std::size_t c = 128; c < 256; ++c) classes[c] = kClassHigh;
  for (std::size_t c = '0'; c <= '9'; ++c) classes[c] = kClassDigit;
  for (std::size_t c = 'a'; c <= 'z'; ++c) classes[c] = classes[c - 32] = c <= 'f' ? kClassHexLetter : kClassLetter;
  classes['-'] = classes['_'] = kClassHyphen;
  classes['.'] = classes[':'] = kClassDot;
  classes['/'] = classes['%'] = kClassSlash;
  return classes;
}

constexpr std::array<std::uint8_t, 256> kByteClasses = make_byte_classes();

void write_column(const Column& column, ByteWriter& out) {
  out.u8(static_cast<std::uint8_t>(column.kind));
  out.u8(column.classes);
  out.varint(column.min_length);
  out.varint(column.max_length - column.min_length);
  switch (column.kind) {
    case ColumnKind::kConstant:
      out.string(column.constant);
      return;
    case ColumnKind::kTime:
      out.string(column.time.encode());
      return;
    case ColumnKind::kNumbers:
      out.varint(column.numbers.size());
      for (const NumberFormat& number : column.numbers) {
        out.string(number.before);
        out.u8(number.width);
      }
      out.string(column.constant);
      StreamOffsets::write(column.data, out);
      return;
    case ColumnKind::kDictionary:
      out.varint(column.entries);
      StreamOffsets::write(column.data, out);
      StreamOffsets::write(column.extra, out);
      return;
    case ColumnKind::kHex:
      out.string(column.hex_text);
      out.string(column.hex_mask);
      StreamOffsets::write(column.data, out);
      return;
    case ColumnKind::kStrings:
      out.string(column.constant);
      StreamOffsets::write(column.data, out);
      StreamOffsets::write(column.extra, out);
      return;
  }
}

void write_template(const Template& entry, ByteWriter& out) {
  out.varint(entry.rows);
  out.u8(static_cast<std::uint8_t>(static_cast<unsigned>(entry.level) | (entry.level_uniform ? 16u : 0u)));
  out.u8(static_cast<std::uint8_t>(entry.flags | static_cast<unsigned>(entry.time_origin) << 6));
  out.varint(entry.lines);
  out.varint(entry.total_lines);
  out.varint(entry.columns.size());
  for (const std::uint32_t length : entry.pieces) out.varint(length);
  for (const Column& column : entry.columns) write_column(column, out);
}

}  // namespace

SectionKind data_section(ColumnKind kind) {
  switch (kind) {
    case ColumnKind::kNumbers:
      return SectionKind::kInts;
    case ColumnKind::kDictionary:
      return SectionKind::kIndices;
    case ColumnKind::kHex:
      return SectionKind::kHex;
    default:
      return SectionKind::kStrings;
  }
}

SectionKind extra_section(ColumnKind kind) {
  return kind == ColumnKind::kDictionary ? SectionKind::kDictionaries : SectionKind::kInts;
}

std::uint8_t byte_class_of(unsigned char c) {
  return kByteClasses[c];
}

std::uint8_t byte_classes_of(std::string_view text) {
  std::uint8_t classes = 0;
  for (const char c : text) classes = static_cast<std::uint8_t>(classes | kByteClasses[static_cast<unsigned char>(c)]);
  return classes;
}

std::string encode_templates(const TemplateDictionary& dictionary) {
  std::string out;
  ByteWriter writer(out);
  writer.varint(dictionary.templates.size());
  for (const Template& entry : dictionary.templates) write_template(entry, writer);
  StreamOffsets::write(dictionary.plain_lengths, writer);
  writer.varint(dictionary.plain_rows.size());
  for (const std::uint32_t rows : dictionary.plain_rows) writer.varint(rows);
  writer.string(dictionary.text);
  return out;
}

}  // namespace logboom::logstore::embedded
