#include "logstore/embedded/block/row_attributes.h"

#include <algorithm>

#include "logstore/embedded/block/bytes.h"

namespace logboom::logstore::embedded {
namespace {

// Writes one byte per row, the difference to what the template says; a single 0 when there is none.
template <typename Difference>
void write_plane(std::size_t rows, Difference difference, ByteWriter& out, std::string& scratch) {
  scratch.resize(rows);
  unsigned any = 0;
  for (std::size_t row = 0; row < rows; ++row) {
    const unsigned d = difference(row);
    any |= d;
    scratch[row] = static_cast<char>(d);
  }
  out.u8(any != 0 ? 1 : 0);
  if (any != 0) out.raw(scratch);
}

void write_lines(const std::vector<RowInfo>& rows, const TemplateDictionary& dictionary,
                 const std::vector<std::uint16_t>& ids, ByteWriter& out) {
  std::size_t exceptions = 0;
  for (std::size_t row = 0; row < rows.size(); ++row)
    exceptions += rows[row].lines != dictionary.templates[ids[row]].lines ? 1 : 0;
  out.varint(exceptions);
  std::size_t previous = 0;
  for (std::size_t row = 0; row < rows.size() && exceptions != 0; ++row) {
    if (rows[row].lines == dictionary.templates[ids[row]].lines) continue;
    out.varint(row - previous);
    out.varint(rows[row].lines);
    previous = row;
  }
}

void write_gaps(const std::vector<Gap>& gaps, ByteWriter& out) {
  out.varint(gaps.size());
  std::uint32_t row = 0;
  for (const Gap& gap : gaps) {
    out.varint(gap.row - row);
    out.varint(gap.length << 2 | gap.kind);
    if (gap.kind == Gap::kBytes) out.raw(gap.bytes);
    if (gap.kind == Gap::kDropped) {
      out.varint(gap.lines);
      out.varint(gap.cause);
    }
    row = gap.row;
  }
}

// The bytes of a plane, or empty when every row is as its template says.
std::string_view read_plane(ByteReader& in, std::size_t rows) {
  return in.u8() == 0 ? std::string_view() : in.raw(rows);
}

bool read_lines(ByteReader& in, RowAttributes& out) {
  const std::size_t exceptions = in.count();
  std::size_t row = 0;
  for (std::size_t i = 0; i < exceptions; ++i) {
    row += static_cast<std::size_t>(in.varint_at_most(out.lines.size()));
    if (row >= out.lines.size()) return false;
    out.lines[row] = in.varint32();
  }
  return in.ok();
}

bool read_gaps(ByteReader& in, const Segment& segment, std::size_t causes, std::vector<Gap>& gaps) {
  const std::size_t count = in.count();
  std::uint32_t row = 0;
  gaps.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    Gap& gap = gaps.emplace_back();
    row += static_cast<std::uint32_t>(in.varint_at_most(segment.rows - row));
    gap.row = row;
    const std::uint64_t head = in.varint();
    gap.length = head >> 2;
    if ((head & 3) > Gap::kDropped || gap.length > segment.end - segment.begin) return false;
    gap.kind = static_cast<Gap::Kind>(head & 3);
    if (gap.kind == Gap::kBytes) gap.bytes = in.raw(gap.length);
    if (gap.kind == Gap::kDropped) {
      gap.lines = in.varint32();
      gap.cause = in.varint32();
      if (gap.cause >= causes) return false;
    }
    if (!in.ok()) return false;
  }
  return in.ok();
}

// What the template of each row says, XOR-ed with the plane; returns the highest value where there is one.
template <typename T, typename Expected>
unsigned apply_plane(std::string_view plane, const StoredTemplates& dictionary, const std::vector<std::uint16_t>& ids,
                     Expected expected, std::vector<T>& out) {
  std::vector<T> by_template(dictionary.size());
  for (std::size_t t = 0; t < by_template.size(); ++t)
    by_template[t] = static_cast<T>(expected(dictionary.templates[t]));
  out.resize(ids.size());
  unsigned highest = 0;
  for (std::size_t row = 0; row < ids.size(); ++row) out[row] = by_template[ids[row]];
  for (std::size_t row = 0; row < plane.size(); ++row) {
    const unsigned value = static_cast<unsigned>(out[row]) ^ static_cast<unsigned char>(plane[row]);
    highest = std::max(highest, value);
    out[row] = static_cast<T>(value);
  }
  return highest;
}

bool read_planes(ByteReader& in, const StoredTemplates& dictionary, const std::vector<std::uint16_t>& ids,
                 RowAttributes& out) {
  const std::size_t rows = ids.size();
  const std::string_view levels = read_plane(in, rows);
  const std::string_view flags = read_plane(in, rows);
  const std::string_view origins = read_plane(in, rows);
  if (!in.ok()) return false;
  const unsigned level = apply_plane(
      levels, dictionary, ids, [](const StoredTemplate& t) { return t.level; }, out.levels);
  apply_plane(
      flags, dictionary, ids, [](const StoredTemplate& t) { return t.flags; }, out.flags);
  const unsigned origin = apply_plane(
      origins, dictionary, ids, [](const StoredTemplate& t) { return t.time_origin; }, out.time_origins);
  apply_plane(
      {}, dictionary, ids, [](const StoredTemplate& t) { return t.lines; }, out.lines);
  return level < kLevels && origin <= static_cast<unsigned>(TimeOrigin::kArrival);
}

}  // namespace

std::string encode_rows(const std::vector<RowInfo>& rows, const std::vector<std::vector<Gap>>& gaps,
                        const std::vector<std::string>& causes, const TemplateDictionary& dictionary,
                        const std::vector<std::uint16_t>& template_ids) {
  std::string out;
  std::string scratch;
  ByteWriter writer(out);
  const auto expected = [&](std::size_t row) -> const Template& { return dictionary.templates[template_ids[row]]; };
  write_plane(
      rows.size(),
      [&](std::size_t row) {
        return static_cast<unsigned>(rows[row].level) ^ static_cast<unsigned>(expected(row).level);
      },
      writer, scratch);
  write_plane(
      rows.size(), [&](std::size_t row) { return unsigned{rows[row].flags} ^ unsigned { expected(row).flags }; },
      writer, scratch);
  write_plane(
      rows.size(),
      [&](std::size_t row) {
        return static_cast<unsigned>(rows[row].time_origin) ^ static_cast<unsigned>(expected(row).time_origin);
      },
      writer, scratch);
  write_lines(rows, dictionary, template_ids, writer);
  writer.varint(causes.size());
  for (const std::string& cause : causes) writer.string(cause);
  for (const std::vector<Gap>& segment : gaps) write_gaps(segment, writer);
  return out;
}

bool decode_rows(std::string_view bytes, const BlockMeta& meta, const StoredTemplates& dictionary,
                 const std::vector<std::uint16_t>& template_ids, RowAttributes& out) {
  ByteReader in(bytes);
  if (!read_planes(in, dictionary, template_ids, out) || !read_lines(in, out)) return false;
  out.causes.resize(in.count());
  for (std::string& cause : out.causes) cause = in.string();
  out.gaps.resize(meta.segments.size());
  for (std::size_t s = 0; s < meta.segments.size(); ++s) {
    if (!read_gaps(in, meta.segments[s], out.causes.size(), out.gaps[s])) return false;
  }
  return in.ok() && in.left() == 0;
}

}  // namespace logboom::logstore::embedded
