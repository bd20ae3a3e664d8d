#include "logstore/embedded/block/stored_templates.h"

#include "logstore/embedded/block/block_meta.h"
#include "logstore/embedded/block/bytes.h"
#include "logstore/embedded/block/stream_offsets.h"
#include "logstore/embedded/block/variable_scanner.h"

namespace logboom::logstore::embedded {
namespace {

constexpr std::uint64_t kMaxNumbers = 64;
constexpr std::uint8_t kMaxNumberWidth = 18;
constexpr std::size_t kBytesPerColumn = 10;  // about

class Decoder {
 public:
  Decoder(std::string_view bytes, std::uint32_t rows, StoredTemplates& out) : in_(bytes), rows_(rows), out_(out) {}

  bool run() {
    const std::size_t count = in_.count();
    if (!in_.ok() || count == 0 || count > std::uint64_t{rows_} + 1) return false;
    std::uint64_t total = 0;
    out_.templates.resize(count);
    out_.columns.reserve(in_.left() / kBytesPerColumn);
    out_.pieces.reserve(in_.left() / kBytesPerColumn);
    for (std::size_t i = 0; i < count && in_.ok(); ++i) {
      read_template(i == 0, out_.templates[i]);
      total += out_.templates[i].rows;
    }
    if (!in_.ok() || total != rows_) return false;
    offsets_.read(SectionKind::kInts, in_, out_.plain_lengths);
    return read_plain_rows() && place_text();
  }

 private:
  std::uint32_t length() { return static_cast<std::uint32_t>(in_.varint_at_most(kMaxBlockBytes)); }

  void read_template(bool plain, StoredTemplate& entry) {
    entry.rows = static_cast<std::uint32_t>(in_.varint_at_most(rows_));
    const std::uint8_t level = in_.u8();
    entry.level = static_cast<Level>(level & 15);
    entry.level_uniform = (level & 16) != 0;
    if ((level & 15) >= kLevels) in_.fail();
    const std::uint8_t attributes = in_.u8();
    entry.flags = attributes & 63;
    entry.time_origin = static_cast<TimeOrigin>(attributes >> 6);
    if (attributes >> 6 > static_cast<unsigned>(TimeOrigin::kArrival)) in_.fail();
    entry.lines = in_.varint32();
    entry.total_lines = in_.varint();
    entry.columns = static_cast<std::uint32_t>(in_.varint_at_most(plain ? 0 : VariableScanner::kMaxVariables));
    entry.first_column = static_cast<std::uint32_t>(out_.columns.size());
    entry.first_piece = static_cast<std::uint32_t>(out_.pieces.size());
    if (!in_.ok() || plain) return;
    for (std::uint32_t i = 0; i <= entry.columns; ++i) out_.pieces.push_back(length());
    for (std::uint32_t i = 0; i < entry.columns && in_.ok(); ++i) read_column(out_.columns.emplace_back());
  }

  void read_column(StoredColumn& column) {
    const std::uint8_t kind = in_.u8();
    if (kind >= kColumnKinds) return in_.fail();
    column.kind = static_cast<ColumnKind>(kind);
    column.classes = in_.u8();
    column.min_length = length();
    column.max_length = column.min_length + length();
    bool fixed_length = false;
    switch (column.kind) {
      case ColumnKind::kConstant:
        column.text = in_.string();
        fixed_length = true;
        break;
      case ColumnKind::kTime:
        column.text = in_.string();
        break;
      case ColumnKind::kNumbers:
        read_numbers(column);
        break;
      case ColumnKind::kDictionary:
        column.entries = static_cast<std::uint32_t>(in_.varint_at_most(rows_));
        break;
      case ColumnKind::kHex:
        column.text = in_.string();
        column.hex_mask = in_.string();
        if (column.hex_mask.size() != column.text.size() || column.text.empty()) in_.fail();
        fixed_length = true;
        break;
      case ColumnKind::kStrings:
        column.text = in_.string();
        break;
    }
    const bool fits = column.min_length == column.text.size() && column.max_length == column.text.size();
    if (fixed_length && !fits) in_.fail();
    read_streams(column);
  }

  void read_streams(StoredColumn& column) {
    if (column.kind == ColumnKind::kConstant || column.kind == ColumnKind::kTime) return;
    offsets_.read(data_section(column.kind), in_, column.data);
    if (column.kind == ColumnKind::kDictionary || column.kind == ColumnKind::kStrings)
      offsets_.read(extra_section(column.kind), in_, column.extra);
  }

  void read_numbers(StoredColumn& column) {
    column.first_number = static_cast<std::uint32_t>(out_.numbers.size());
    column.numbers = static_cast<std::uint32_t>(in_.varint_at_most(kMaxNumbers));
    if (column.numbers == 0) in_.fail();
    for (std::uint32_t i = 0; i < column.numbers && in_.ok(); ++i) {
      StoredNumber& number = out_.numbers.emplace_back();
      number.before = in_.string();
      number.width = in_.u8();
      if (number.width > kMaxNumberWidth) in_.fail();
    }
    column.text = in_.string();
  }

  bool read_plain_rows() {
    out_.plain_rows.resize(in_.count());
    std::uint64_t plain = 0;
    for (std::uint32_t& n : out_.plain_rows) plain += n = static_cast<std::uint32_t>(in_.varint_at_most(rows_));
    out_.text = in_.string();
    return in_.ok() && in_.left() == 0 && plain == out_.templates[0].rows;
  }

  bool place_text() {
    std::uint64_t at = 0;
    for (StoredTemplate& entry : out_.templates) {
      entry.text_begin = static_cast<std::uint32_t>(at);
      for (const std::uint32_t piece : out_.pieces_of(entry)) at += piece;
      if (at > out_.text.size()) return false;
      entry.static_length = static_cast<std::uint32_t>(at) - entry.text_begin;
    }
    return at == out_.text.size();
  }

  ByteReader in_;
  const std::uint32_t rows_;
  StoredTemplates& out_;
  StreamOffsets offsets_;
};

}  // namespace

bool StoredTemplates::decode(std::string_view bytes, std::uint32_t rows) {
  *this = {};
  return Decoder(bytes, rows, *this).run();
}

}  // namespace logboom::logstore::embedded
