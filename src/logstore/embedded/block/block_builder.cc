#include "logstore/embedded/block/block_builder.h"

#include <algorithm>

#include <fmt/format.h>

#include "io/hashing.h"
#include "io/zstd.h"
#include "logstore/embedded/block/block_header.h"
#include "logstore/embedded/block/filter_builder.h"
#include "logstore/embedded/block/int_packing.h"
#include "logstore/embedded/block/row_attributes.h"
#include "logstore/embedded/block/section_streams.h"
#include "logstore/embedded/block/text_encoder.h"
#include "logstore/embedded/block/time_range.h"
#include "parse/utf16.h"

namespace logboom::logstore::embedded {
namespace {

constexpr std::size_t kPadding = 64;  // readable bytes behind the text
constexpr std::uint8_t kFlagsMask = 63;
constexpr std::size_t kLeastCompressed = 64;  // smaller sections stay plain

// One batch: a contiguous range of rows_ and gaps_.
struct Chunk {
  std::uint32_t source_ref = 0;
  std::uint32_t context = 0;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint64_t commit = 0;
  std::uint32_t first_row = 0;
  std::uint32_t rows = 0;
  std::uint32_t first_gap = 0;
  std::uint32_t gaps = 0;
};

// A gap of a batch; its bytes are [begin, begin + length) of raw_.
struct ChunkGap {
  Gap gap;
  std::uint32_t begin = 0;
};

Error contradiction(const Batch& batch, std::string_view what) {
  return Error(ErrorCode::kInvalidArgument,
               fmt::format("cannot store batch [{}, {}): {}", batch.begin, batch.end, what));
}

bool only_line_feeds(std::string_view bytes) {
  return bytes.find_first_not_of('\n') == std::string_view::npos;
}

}  // namespace

struct BlockBuilder::State {
  State() : text(streams, filters) {}

  std::string raw;
  std::vector<RowInfo> rows;
  std::vector<Chunk> chunks;
  std::vector<ChunkGap> gaps;
  std::vector<SegmentContext> contexts;
  std::vector<std::string> causes;

  SectionStreams streams;
  FilterBuilder filters;
  std::string decoded;  // the texts of UTF-16 rows, for the filters: they are found by what they say
  TextEncoder text;
  ZstdCompressor zstd;
  std::vector<RowInfo> sorted;
  std::vector<std::int64_t> times;

  Status check(const Batch& batch) const;
  Status take_rows(const Batch& batch);
  bool take_gap(const Batch& batch, std::uint32_t from, std::uint32_t to, std::uint32_t row, std::size_t& drop);
  void push_blank(std::uint32_t begin, std::uint32_t end, std::uint32_t base, std::uint32_t row);
  std::uint32_t context_of(const Batch& batch);
  void add_decoded(const Batch& batch);
  std::uint32_t cause_of(const std::string& cause);
  void sort_chunks();
  void lay_out(BlockMeta& meta, std::vector<std::vector<Gap>>& segment_gaps) const;
  void add_to_segment(const Chunk& chunk, Segment& segment, std::vector<Gap>& gaps_of) const;
  void count_rows(BlockMeta& meta) const;
  void encode_times(std::string& out);
  Status add_section(std::uint32_t id, std::string_view bytes, bool compress, EncodedBlock& block);
  Status add_streams(EncodedBlock& block);
};

BlockBuilder::BlockBuilder() : state_(std::make_unique<State>()) {}
BlockBuilder::~BlockBuilder() = default;
BlockBuilder::BlockBuilder(BlockBuilder&&) noexcept = default;
BlockBuilder& BlockBuilder::operator=(BlockBuilder&&) noexcept = default;

std::uint64_t BlockBuilder::raw_bytes() const {
  return state_->raw.size();
}
std::uint32_t BlockBuilder::rows() const {
  return static_cast<std::uint32_t>(state_->rows.size());
}

std::uint64_t BlockBuilder::memory() const {
  return state_->raw.capacity() + (state_->rows.capacity() + state_->sorted.capacity()) * sizeof(RowInfo) +
         state_->chunks.capacity() * sizeof(Chunk) + state_->gaps.capacity() * sizeof(ChunkGap);
}

void BlockBuilder::clear() {
  State& s = *state_;
  s.raw.clear(), s.rows.clear(), s.chunks.clear(), s.gaps.clear(), s.contexts.clear(), s.causes.clear();
  s.decoded.clear();
}

std::uint64_t EncodedBlock::stored_bytes() const {
  std::uint64_t n = header.size() + token_filter.size() + trigrams.size();
  for (const std::string& section : sections) n += section.size();
  return n;
}

Status BlockBuilder::State::check(const Batch& batch) const {
  if (batch.disposition != Disposition::kStored) return contradiction(batch, "not one of stored bytes");
  if (batch.end < batch.begin || batch.bytes.size() != batch.end - batch.begin)
    return contradiction(batch, "its bytes are not its range");
  if (raw.size() + batch.bytes.size() > kMaxBlockBytes) return contradiction(batch, "the block would be too large");
  for (const Record& record : batch.records) {
    if (record.length == 0 && !record.terminated()) return contradiction(batch, "a record without bytes");
    if (record.flags > kFlagsMask || static_cast<int>(record.level) >= kLevels ||
        record.time_origin > TimeOrigin::kArrival)
      return contradiction(batch, "a record with unknown attributes");
    const std::uint64_t end = std::uint64_t{record.begin} + record.length;
    if (end + (record.terminated() ? 1 : 0) > batch.bytes.size())
      return contradiction(batch, "a record outside its bytes");
    if (record.terminated() && batch.bytes[end] != '\n')
      return contradiction(batch, "a terminated record without line feed");
  }
  return ok_status();
}

void BlockBuilder::State::push_blank(std::uint32_t begin, std::uint32_t end, std::uint32_t base, std::uint32_t row) {
  if (begin == end) return;
  const bool plain = only_line_feeds(std::string_view(raw).substr(base + begin, end - begin));
  gaps.push_back({{row, plain ? Gap::kLineFeeds : Gap::kBytes, end - begin, {}, 0, 0}, base + begin});
}

// What lies between two records: hidden bytes and dropped runs. False when a drop crosses a record.
bool BlockBuilder::State::take_gap(const Batch& batch, std::uint32_t from, std::uint32_t to, std::uint32_t row,
                                   std::size_t& drop) {
  if (from > to) return false;
  const auto base = static_cast<std::uint32_t>(raw.size() - batch.bytes.size());
  for (; drop < batch.drops.size() && batch.drops[drop].begin < to; ++drop) {
    const DroppedRun& run = batch.drops[drop];
    if (run.begin < from || run.end < run.begin || run.end > to || run.cause >= batch.drop_causes.size()) return false;
    push_blank(from, run.begin, base, row);
    gaps.push_back(
        {{row, Gap::kDropped, run.end - run.begin, {}, run.lines, cause_of(batch.drop_causes[run.cause])}, 0});
    from = run.end;
  }
  push_blank(from, to, base, row);
  return true;
}

Status BlockBuilder::State::take_rows(const Batch& batch) {
  const auto base = static_cast<std::uint32_t>(raw.size());
  raw.append(batch.bytes);
  std::uint32_t at = 0;
  std::uint32_t row = 0;
  std::size_t drop = 0;
  for (const Record& record : batch.records) {
    if (!take_gap(batch, at, record.begin, row, drop)) return contradiction(batch, "records and drops overlap");
    rows.push_back({record.time, base + record.begin, record.length, record.lines, record.flags, record.level,
                    record.time_origin});
    at = record.end();
    ++row;
  }
  if (!take_gap(batch, at, static_cast<std::uint32_t>(batch.bytes.size()), row, drop) || drop != batch.drops.size())
    return contradiction(batch, "records and drops overlap");
  return ok_status();
}

Status BlockBuilder::add(const Batch& batch, std::uint32_t source_ref, std::uint64_t commit) {
  State& s = *state_;
  LB_TRY(s.check(batch));
  const std::size_t raw_before = s.raw.size();
  const std::size_t rows_before = s.rows.size();
  const std::size_t gaps_before = s.gaps.size();
  if (const Status taken = s.take_rows(batch); !taken.ok()) {
    s.raw.resize(raw_before), s.rows.resize(rows_before), s.gaps.resize(gaps_before);
    return taken;
  }
  Chunk chunk;
  chunk.source_ref = source_ref;
  chunk.context = s.context_of(batch);
  chunk.begin = batch.begin, chunk.end = batch.end, chunk.commit = commit;
  chunk.first_row = static_cast<std::uint32_t>(rows_before);
  chunk.rows = static_cast<std::uint32_t>(s.rows.size() - rows_before);
  chunk.first_gap = static_cast<std::uint32_t>(gaps_before);
  chunk.gaps = static_cast<std::uint32_t>(s.gaps.size() - gaps_before);
  s.chunks.push_back(chunk);
  if (is_utf16(batch.format)) s.add_decoded(batch);
  return ok_status();
}

void BlockBuilder::State::add_decoded(const Batch& batch) {
  for (const Record& record : batch.records) {
    decoded += parse::decode_utf16(batch.text(record), batch.format, batch.offset(record));
    decoded += '\n';
  }
}

std::uint32_t BlockBuilder::State::context_of(const Batch& batch) {
  SegmentContext context{batch.format, batch.rule, batch.rule_revision, batch.fields};
  const auto found = std::find(contexts.rbegin(), contexts.rend(), context);
  if (found != contexts.rend()) return static_cast<std::uint32_t>(contexts.rend() - found - 1);
  contexts.push_back(std::move(context));
  return static_cast<std::uint32_t>(contexts.size() - 1);
}

std::uint32_t BlockBuilder::State::cause_of(const std::string& cause) {
  const auto at = static_cast<std::size_t>(std::find(causes.begin(), causes.end(), cause) - causes.begin());
  if (at == causes.size()) causes.push_back(cause);
  return static_cast<std::uint32_t>(at);
}

// Brings chunks and rows into the order (source, offset).
void BlockBuilder::State::sort_chunks() {
  const auto before = [](const Chunk& a, const Chunk& b) {
    return a.source_ref != b.source_ref ? a.source_ref < b.source_ref : a.begin < b.begin;
  };
  if (std::is_sorted(chunks.begin(), chunks.end(), before)) return;
  std::stable_sort(chunks.begin(), chunks.end(), before);
  sorted.clear();
  for (Chunk& chunk : chunks) {
    const auto first = rows.begin() + chunk.first_row;
    chunk.first_row = static_cast<std::uint32_t>(sorted.size());
    sorted.insert(sorted.end(), first, first + chunk.rows);
  }
  rows.swap(sorted);
}

void BlockBuilder::State::add_to_segment(const Chunk& chunk, Segment& segment, std::vector<Gap>& gaps_of) const {
  for (std::uint32_t g = 0; g < chunk.gaps; ++g) {
    const ChunkGap& from = gaps[chunk.first_gap + g];
    Gap gap = from.gap;
    gap.row += segment.rows;
    if (gap.kind == Gap::kBytes)
      gap.bytes = std::string_view(raw).substr(from.begin, static_cast<std::size_t>(gap.length));
    gaps_of.push_back(gap);
  }
  segment.rows += chunk.rows;
  segment.end = chunk.end;
}

void BlockBuilder::State::lay_out(BlockMeta& meta, std::vector<std::vector<Gap>>& segment_gaps) const {
  for (const Chunk& chunk : chunks) {
    const bool goes_on = !meta.segments.empty() && meta.segments.back().source_ref == chunk.source_ref &&
                         meta.segments.back().end == chunk.begin && meta.segments.back().context == chunk.context;
    if (!goes_on) {
      meta.segments.push_back({chunk.source_ref, chunk.begin, chunk.begin, chunk.first_row, 0, chunk.context});
      segment_gaps.emplace_back();
    }
    add_to_segment(chunk, meta.segments.back(), segment_gaps.back());
    if (chunk.rows == 0) continue;
    const std::uint32_t end_row = chunk.first_row + chunk.rows;
    if (!meta.commits.empty() && meta.commits.back().sequence == chunk.commit) {
      meta.commits.back().end_row = end_row;
    } else {
      meta.commits.push_back({end_row, chunk.commit});
    }
  }
}

void BlockBuilder::State::count_rows(BlockMeta& meta) const {
  meta.rows = static_cast<std::uint32_t>(rows.size());
  meta.raw_bytes = raw.size();
  for (const ChunkGap& gap : gaps) {
    if (gap.gap.kind != Gap::kDropped) continue;
    meta.raw_bytes -= gap.gap.length;
    meta.dropped_bytes += gap.gap.length;
    meta.dropped_lines += gap.gap.lines;
  }
  for (const RowInfo& row : rows) {
    meta.lines += row.lines;
    ++meta.level_counts[static_cast<std::size_t>(row.level)];
  }
}

void BlockBuilder::State::encode_times(std::string& out) {
  times.clear();
  for (const RowInfo& row : rows) times.push_back(row.time);
  std::int64_t unit = kNsPerSecond;
  for (const std::int64_t time : times) {
    while (unit > 1 && time % unit != 0) unit /= 1000;
  }
  for (std::int64_t& time : times) time /= unit;
  ByteWriter(out).varint(static_cast<std::uint64_t>(unit));
  encode_ints(times.data(), times.size(), out);
}

Status BlockBuilder::State::add_section(std::uint32_t id, std::string_view bytes, bool compress, EncodedBlock& block) {
  std::string& stored = block.sections.emplace_back();
  if (compress && bytes.size() >= kLeastCompressed) LB_TRY(zstd.compress_append(bytes, stored));
  if (stored.empty() || stored.size() >= bytes.size()) stored = bytes;
  stored.shrink_to_fit();
  block.meta.sections.push_back(
      {id, static_cast<std::uint32_t>(stored.size()), static_cast<std::uint32_t>(bytes.size()), xxh3_64(stored)});
  return ok_status();
}

Status BlockBuilder::State::add_streams(EncodedBlock& block) {
  for (const SectionKind kind : {SectionKind::kTemplateIds, SectionKind::kDictionaries, SectionKind::kIndices,
                                 SectionKind::kInts, SectionKind::kStrings, SectionKind::kHex, SectionKind::kPlain}) {
    const bool compress = kind != SectionKind::kInts && kind != SectionKind::kHex;
    for (std::size_t i = 0; i < streams.count(kind); ++i)
      LB_TRY(add_section(section_id(kind, static_cast<std::uint32_t>(i)), streams.section(kind, i), compress, block));
  }
  return ok_status();
}

Result<EncodedBlock> BlockBuilder::finish(std::string_view note) {
  State& s = *state_;
  EncodedBlock block;
  std::vector<std::vector<Gap>> segment_gaps;
  s.streams.clear();
  s.filters.clear();
  s.raw.append(kPadding, '\0');
  const std::string_view raw(s.raw.data(), s.raw.size() - kPadding);
  s.sort_chunks();
  s.lay_out(block.meta, segment_gaps);
  const TemplateDictionary dictionary = s.text.encode(raw, s.rows);
  const std::string attributes = encode_rows(s.rows, segment_gaps, s.causes, dictionary, s.text.ids());
  s.raw.resize(raw.size());
  s.count_rows(block.meta);
  set_time_range(s.rows, block.meta);
  std::string times;
  s.encode_times(times);
  LB_TRY(s.add_section(section_id(SectionKind::kTemplates, 0), encode_templates(dictionary), true, block));
  LB_TRY(s.add_section(section_id(SectionKind::kTimes, 0), times, false, block));
  LB_TRY(s.add_section(section_id(SectionKind::kRows, 0), attributes, true, block));
  LB_TRY(s.add_streams(block));
  block.meta.contexts = std::move(s.contexts);
  block.meta.note = note;
  block.header = write_block_header(block.meta);
  s.filters.add_variable_tokens(s.decoded);
  s.filters.add_trigrams(s.decoded);
  block.token_filter = s.filters.encode_tokens();
  block.trigrams = s.filters.encode_trigrams();
  clear();
  return block;
}

}  // namespace logboom::logstore::embedded
