#include "logstore/embedded/block/template_format.h"

#include "logstore/embedded/block/block_meta.h"
#include "logstore/embedded/block/bytes.h"
#include "logstore/embedded/block/variable_scanner.h"

namespace logboom::logstore::embedded {
namespace {

constexpr std::uint32_t kMaxNumbers = 64;

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

// Where the next stream of each section begins; both sides count the same way.
class Offsets {
 public:
  void write(const StreamRef& ref, ByteWriter& out) {
    out.varint(ref.ordinal);
    out.varint(ref.size);
  }
  void read(SectionKind kind, ByteReader& in, StreamRef& ref) {
    ref.ordinal = static_cast<std::uint32_t>(in.varint_at_most(4096));
    ref.size = static_cast<std::uint32_t>(in.varint_at_most(kMaxBlockBytes));
    Position& position = positions_[static_cast<std::size_t>(kind)];
    if (ref.ordinal != position.ordinal) position = {ref.ordinal, 0};
    ref.offset = position.offset;
    if (position.offset + std::uint64_t{ref.size} > 2 * kMaxBlockBytes) in.fail();
    position.offset += ref.size;
  }

 private:
  struct Position {
    std::uint32_t ordinal = 0;
    std::uint32_t offset = 0;
  };
  std::array<Position, kSectionKinds> positions_{};
};

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

void write_column(const Column& column, Offsets& offsets, ByteWriter& out) {
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
      offsets.write(column.data, out);
      return;
    case ColumnKind::kDictionary:
      out.varint(column.entries);
      offsets.write(column.data, out);
      offsets.write(column.extra, out);
      return;
    case ColumnKind::kHex:
      out.string(column.hex_text);
      out.string(column.hex_mask);
      offsets.write(column.data, out);
      return;
    case ColumnKind::kStrings:
      out.string(column.constant);
      offsets.write(column.data, out);
      offsets.write(column.extra, out);
      return;
  }
}

void read_numbers(ByteReader& in, Column& column) {
  column.numbers.resize(static_cast<std::size_t>(in.varint_at_most(kMaxNumbers)));
  if (column.numbers.empty()) in.fail();
  for (NumberFormat& number : column.numbers) {
    number.before = in.string();
    number.width = in.u8();
    if (number.width > 18) in.fail();
  }
  column.constant = in.string();
}

void read_hex(ByteReader& in, Column& column) {
  column.hex_text = in.string();
  column.hex_mask = in.string();
  if (column.hex_mask.size() != column.hex_text.size() || column.hex_text.empty()) in.fail();
  if (column.min_length != column.hex_text.size() || column.max_length != column.hex_text.size()) in.fail();
}

void read_time(ByteReader& in, Column& column) {
  const auto format = TimeFormat::decode(in.string());
  if (!format) return in.fail();
  column.time = *format;
  if (column.min_length != format->length() || column.max_length != format->length()) in.fail();
}

void read_column(ByteReader& in, Offsets& offsets, std::uint32_t rows, Column& column) {
  const std::uint8_t kind = in.u8();
  if (kind >= kColumnKinds) return in.fail();
  column.kind = static_cast<ColumnKind>(kind);
  column.classes = in.u8();
  column.min_length = static_cast<std::uint32_t>(in.varint_at_most(kMaxBlockBytes));
  column.max_length = column.min_length + static_cast<std::uint32_t>(in.varint_at_most(kMaxBlockBytes));
  switch (column.kind) {
    case ColumnKind::kConstant:
      column.constant = in.string();
      if (column.min_length != column.constant.size() || column.max_length != column.constant.size()) in.fail();
      return;
    case ColumnKind::kTime:
      return read_time(in, column);
    case ColumnKind::kNumbers:
      read_numbers(in, column);
      break;
    case ColumnKind::kDictionary:
      column.entries = static_cast<std::uint32_t>(in.varint_at_most(rows));
      break;
    case ColumnKind::kHex:
      read_hex(in, column);
      break;
    case ColumnKind::kStrings:
      column.constant = in.string();
      break;
  }
  offsets.read(data_section(column.kind), in, column.data);
  if (column.kind == ColumnKind::kDictionary || column.kind == ColumnKind::kStrings)
    offsets.read(extra_section(column.kind), in, column.extra);
}

void write_template(const Template& entry, Offsets& offsets, ByteWriter& out) {
  out.varint(entry.rows);
  out.u8(static_cast<std::uint8_t>(static_cast<unsigned>(entry.level) | (entry.level_uniform ? 16u : 0u)));
  out.u8(static_cast<std::uint8_t>(entry.flags | static_cast<unsigned>(entry.time_origin) << 6));
  out.varint(entry.lines);
  out.varint(entry.total_lines);
  out.varint(entry.columns.size());
  for (const std::uint32_t length : entry.pieces) out.varint(length);
  for (const Column& column : entry.columns) write_column(column, offsets, out);
}

void read_template(ByteReader& in, Offsets& offsets, std::uint32_t rows, bool plain, Template& entry) {
  entry.rows = static_cast<std::uint32_t>(in.varint_at_most(rows));
  const std::uint8_t level = in.u8();
  entry.level = static_cast<Level>(level & 15);
  entry.level_uniform = (level & 16) != 0;
  if ((level & 15) >= kLevels) in.fail();
  const std::uint8_t attributes = in.u8();
  entry.flags = attributes & 63;
  entry.time_origin = static_cast<TimeOrigin>(attributes >> 6);
  if (attributes >> 6 > static_cast<unsigned>(TimeOrigin::kArrival)) in.fail();
  entry.lines = in.varint32();
  entry.total_lines = in.varint();
  const std::uint64_t columns = in.varint_at_most(plain ? 0 : VariableScanner::kMaxVariables);
  if (!in.ok() || plain) return;
  entry.pieces.resize(static_cast<std::size_t>(columns + 1));
  for (std::uint32_t& length : entry.pieces) length = static_cast<std::uint32_t>(in.varint_at_most(kMaxBlockBytes));
  entry.columns.resize(static_cast<std::size_t>(columns));
  for (Column& column : entry.columns) read_column(in, offsets, rows, column);
}

bool place_text(TemplateDictionary& dictionary) {
  std::uint64_t at = 0;
  for (Template& entry : dictionary.templates) {
    entry.text_begin = at;
    for (const std::uint32_t length : entry.pieces) at += length;
  }
  return at == dictionary.text.size();
}

}  // namespace

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
  Offsets offsets;
  writer.varint(dictionary.templates.size());
  for (const Template& entry : dictionary.templates) write_template(entry, offsets, writer);
  offsets.write(dictionary.plain_lengths, writer);
  writer.varint(dictionary.plain_rows.size());
  for (const std::uint32_t rows : dictionary.plain_rows) writer.varint(rows);
  writer.string(dictionary.text);
  return out;
}

bool decode_templates(std::string_view bytes, std::uint32_t rows, TemplateDictionary& out) {
  ByteReader in(bytes);
  Offsets offsets;
  const std::size_t count = in.count();
  if (!in.ok() || count == 0 || count > std::uint64_t{rows} + 1) return false;
  std::uint64_t total = 0;
  out.templates.clear();
  for (std::size_t i = 0; i < count; ++i) {
    read_template(in, offsets, rows, i == 0, out.templates.emplace_back());
    if (!in.ok()) return false;
    total += out.templates.back().rows;
  }
  offsets.read(SectionKind::kInts, in, out.plain_lengths);
  out.plain_rows.resize(in.count());
  std::uint64_t plain = 0;
  for (std::uint32_t& n : out.plain_rows) plain += n = static_cast<std::uint32_t>(in.varint_at_most(rows));
  const std::string_view text = in.string();
  out.text.reserve(text.size() + 32);  // short copies read over its end
  out.text = text;
  return in.ok() && in.left() == 0 && total == rows && plain == out.templates[0].rows && place_text(out);
}

}  // namespace logboom::logstore::embedded
