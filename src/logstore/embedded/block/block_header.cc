#include "logstore/embedded/block/block_header.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "io/hashing.h"
#include "logstore/embedded/block/block_reader.h"
#include "logstore/embedded/block/bytes.h"

namespace logboom::logstore::embedded {
namespace {

constexpr std::size_t kFixedBytes = 8 + 4 + 4;  // magic, version, size of the header
constexpr std::size_t kChecksumBytes = 8;
constexpr std::size_t kMaxHeaderBytes = kMaxBlockBytes;

Error corrupt(std::string_view why) {
  return Error(ErrorCode::kCorrupt, fmt::format("cannot read block header: {}", why));
}

void write_times(const BlockMeta& meta, ByteWriter& out) {
  out.signed_varint(meta.min_time);
  out.signed_varint(meta.max_time);
  out.varint(meta.outliers.size());
  for (const TimeNs time : meta.outliers) out.signed_varint(time);
}

void write_counts(const BlockMeta& meta, ByteWriter& out) {
  out.varint(meta.rows);
  out.varint(meta.lines);
  out.varint(meta.raw_bytes);
  out.varint(meta.dropped_bytes);
  out.varint(meta.dropped_lines);
  for (const std::uint32_t count : meta.level_counts) out.varint(count);
}

void write_contexts(const BlockMeta& meta, ByteWriter& out) {
  out.varint(meta.contexts.size());
  for (const SegmentContext& context : meta.contexts) {
    out.u8(static_cast<std::uint8_t>(context.format));
    out.string(context.rule);
    out.varint(context.rule_revision);
    out.varint(context.fields.size());
    for (const auto& [name, value] : context.fields) {
      out.string(name);
      out.string(value);
    }
  }
}

void write_segments(const BlockMeta& meta, ByteWriter& out) {
  out.varint(meta.segments.size());
  for (const Segment& segment : meta.segments) {
    out.varint(segment.source_ref);
    out.varint(segment.begin);
    out.varint(segment.end - segment.begin);
    out.varint(segment.rows);
    out.varint(segment.context);
  }
}

void write_commits(const BlockMeta& meta, ByteWriter& out) {
  out.varint(meta.commits.size());
  std::uint32_t row = 0;
  std::uint64_t sequence = 0;
  for (const CommitRun& run : meta.commits) {
    out.varint(run.end_row - row);
    out.signed_varint(static_cast<std::int64_t>(run.sequence - sequence));
    row = run.end_row, sequence = run.sequence;
  }
}

void write_sections(const BlockMeta& meta, ByteWriter& out) {
  out.varint(meta.sections.size());
  for (const SectionInfo& section : meta.sections) {
    out.varint(section.id);
    out.varint(section.stored_size);
    out.varint(section.raw_size);
    out.u64(section.checksum);
  }
}

void read_times(ByteReader& in, BlockMeta& meta) {
  meta.min_time = in.signed_varint();
  meta.max_time = in.signed_varint();
  meta.outliers.resize(in.count());
  for (TimeNs& time : meta.outliers) time = in.signed_varint();
}

void read_counts(ByteReader& in, BlockMeta& meta) {
  meta.rows = static_cast<std::uint32_t>(in.varint_at_most(kMaxBlockBytes));
  meta.lines = in.varint();
  meta.raw_bytes = in.varint_at_most(kMaxBlockBytes);
  meta.dropped_bytes = in.varint();
  meta.dropped_lines = in.varint();
  std::uint64_t total = 0;
  for (std::uint32_t& count : meta.level_counts) total += count = in.varint32();
  if (total != meta.rows) in.fail();
}

void read_contexts(ByteReader& in, BlockMeta& meta) {
  meta.contexts.resize(in.count());
  for (SegmentContext& context : meta.contexts) {
    const std::uint8_t format = in.u8();
    if (format > static_cast<std::uint8_t>(kLastFormat)) in.fail();
    context.format = static_cast<Format>(format);
    context.rule = in.string();
    context.rule_revision = in.varint();
    context.fields.resize(in.count());
    for (auto& [name, value] : context.fields) {
      name = in.string();
      value = in.string();
    }
    if (!in.ok()) return;
  }
}

void read_segments(ByteReader& in, BlockMeta& meta) {
  meta.segments.resize(in.count());
  std::uint64_t row = 0;
  for (Segment& segment : meta.segments) {
    segment.source_ref = in.varint32();
    segment.begin = in.varint();
    const std::uint64_t length = in.varint();
    segment.end = segment.begin + length;
    if (segment.end < segment.begin) in.fail();
    segment.first_row = static_cast<std::uint32_t>(row);
    segment.rows = static_cast<std::uint32_t>(in.varint_at_most(meta.rows - row));
    segment.context = in.varint32();
    if (segment.context >= meta.contexts.size()) in.fail();
    if (!in.ok()) return;
    row += segment.rows;
  }
  if (row != meta.rows) in.fail();
}

void read_commits(ByteReader& in, BlockMeta& meta) {
  meta.commits.resize(in.count());
  CommitRun previous;
  for (CommitRun& run : meta.commits) {
    run.end_row = previous.end_row + static_cast<std::uint32_t>(in.varint_at_most(meta.rows - previous.end_row));
    run.sequence = previous.sequence + static_cast<std::uint64_t>(in.signed_varint());
    previous = run;
  }
  if (previous.end_row != meta.rows) in.fail();
}

void read_sections(ByteReader& in, BlockMeta& meta) {
  meta.sections.resize(in.count());
  for (SectionInfo& section : meta.sections) {
    section.id = in.varint32();
    section.stored_size = static_cast<std::uint32_t>(in.varint_at_most(2 * kMaxBlockBytes));
    section.raw_size = static_cast<std::uint32_t>(in.varint_at_most(2 * kMaxBlockBytes));
    section.checksum = in.u64();
    // zstd gives at most about 2^17 bytes for 4 stored ones; more is a lie.
    if (section.raw_size / 65536 > section.stored_size) in.fail();
  }
}

// The bytes between the fixed part and the checksum, after both were checked.
Result<std::string_view> checked_body(std::string_view header, std::size_t* header_size) {
  if (header.size() < kFixedBytes + kChecksumBytes) return corrupt("too short");
  ByteReader fixed(header);
  if (fixed.raw(kBlockMagic.size()) != kBlockMagic) return corrupt("wrong magic");
  const std::uint32_t version = fixed.u32();
  const std::uint32_t size = fixed.u32();
  if (size < kFixedBytes + kChecksumBytes || size > header.size() || size > kMaxHeaderBytes)
    return corrupt("wrong size");
  if (header_size != nullptr) *header_size = size;
  const std::string_view covered = header.substr(0, size - kChecksumBytes);
  if (xxh3_64(covered) != load64(header.data() + covered.size())) return corrupt("wrong checksum");
  if (version != kBlockVersion) {
    return Error(ErrorCode::kUnsupported,
                 fmt::format("cannot read block header: version {} is newer than this program", version));
  }
  return covered.substr(kFixedBytes);
}

}  // namespace

std::string write_block_header(const BlockMeta& meta) {
  std::string out;
  ByteWriter writer(out);
  writer.raw(kBlockMagic);
  writer.u32(kBlockVersion);
  writer.u32(0);
  write_times(meta, writer);
  write_counts(meta, writer);
  write_contexts(meta, writer);
  write_segments(meta, writer);
  write_commits(meta, writer);
  write_sections(meta, writer);
  writer.string(meta.note);
  const auto size = static_cast<std::uint32_t>(out.size() + kChecksumBytes);
  std::memcpy(out.data() + kBlockMagic.size() + 4, &size, 4);
  writer.u64(xxh3_64(out));
  return out;
}

Result<BlockMeta> read_block_header(std::string_view header, std::size_t* header_size) {
  LB_ASSIGN(const std::string_view body, checked_body(header, header_size));
  ByteReader in(body);
  BlockMeta meta;
  read_times(in, meta);
  read_counts(in, meta);
  read_contexts(in, meta);
  read_segments(in, meta);
  read_commits(in, meta);
  read_sections(in, meta);
  meta.note = in.string();
  if (!in.ok() || in.left() != 0) return corrupt("its fields contradict each other");
  return meta;
}

bool BlockMeta::overlaps(TimeNs from, TimeNs to) const {
  if (min_time <= max_time && min_time < to && max_time >= from) return true;
  const auto first = std::lower_bound(outliers.begin(), outliers.end(), from);
  return first != outliers.end() && *first < to;
}

}  // namespace logboom::logstore::embedded
