#include "logstore/embedded/block/block_reader.h"

#include <algorithm>

#include "logstore/embedded/block/block_reader_state.h"

namespace logboom::logstore::embedded {

BlockReader::BlockReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
BlockReader::~BlockReader() = default;
BlockReader::BlockReader(BlockReader&&) noexcept = default;
BlockReader& BlockReader::operator=(BlockReader&&) noexcept = default;

Result<BlockReader> BlockReader::open(std::string_view header, SectionSource& sections) {
  LB_ASSIGN(BlockMeta meta, read_block_header(header));
  return BlockReader(std::make_unique<State>(std::move(meta), sections));
}

const BlockMeta& BlockReader::meta() const {
  return state_->meta;
}
std::uint64_t BlockReader::bytes_read() const {
  return state_->sections.bytes_read();
}
std::uint64_t BlockReader::memory() const {
  return state_->sections.memory();
}

const Segment& BlockReader::segment_of(std::uint32_t row) const {
  const std::vector<Segment>& segments = state_->meta.segments;
  const auto behind =
      std::upper_bound(segments.begin(), segments.end(), row,
                       [](std::uint32_t r, const Segment& segment) { return r < segment.first_row + segment.rows; });
  return *behind;
}

std::uint64_t BlockReader::commit_of(std::uint32_t row) const {
  const std::vector<CommitRun>& runs = state_->meta.commits;
  return std::upper_bound(runs.begin(), runs.end(), row,
                          [](std::uint32_t r, const CommitRun& run) { return r < run.end_row; })
      ->sequence;
}

Result<const RowAttributes*> BlockReader::State::load_attributes() {
  if (attributes) return &*attributes;
  LB_TRY(text.load_ids());
  LB_ASSIGN(const StoredTemplates* dictionary, text.dictionary());
  LB_ASSIGN(const std::string_view bytes, sections.get(SectionKind::kRows, 0));
  LB_TRY(sections.charge(std::uint64_t{meta.rows} * 8 + bytes.size() * 24));
  RowAttributes loaded;
  if (!decode_rows(bytes, meta, *dictionary, text.ids(), loaded))
    return corrupt_block("its row attributes are damaged");
  attributes = std::move(loaded);
  return &*attributes;
}

Status BlockReader::State::load_lengths() {
  if (lengths) return ok_status();
  LB_TRY(text.prepare_all());
  LB_TRY(sections.charge(std::uint64_t{meta.rows} * sizeof(std::uint32_t)));
  std::vector<std::uint32_t> all(meta.rows);
  for (std::uint32_t row = 0; row < meta.rows; ++row) all[row] = text.length(row);
  lengths = std::move(all);
  return ok_status();
}

namespace {

// Walks a segment: text(row, offset) for each row, gap(gap, offset) for what lies between; both return a Status.
// kCorrupt when it does not end where the header says.
template <typename Text, typename GapVisitor>
Status walk_segment(const Segment& segment, const RowAttributes& attributes, const std::vector<Gap>& gaps,
                    const std::vector<std::uint32_t>& lengths, Text text, GapVisitor visit_gap) {
  std::uint64_t at = segment.begin;
  std::size_t next_gap = 0;
  for (std::uint32_t i = 0; i <= segment.rows; ++i) {
    for (; next_gap < gaps.size() && gaps[next_gap].row == i; ++next_gap) {
      if (gaps[next_gap].length > segment.end - at) return corrupt_block("a segment is longer than it says");
      LB_TRY(visit_gap(gaps[next_gap], at));
      at += gaps[next_gap].length;
    }
    if (i == segment.rows) break;
    const std::uint32_t row = segment.first_row + i;
    const std::uint64_t end = (attributes.flags[row] & Record::kTerminated) != 0 ? 1 : 0;
    if (lengths[row] + end > segment.end - at) return corrupt_block("a segment is longer than it says");
    LB_TRY(text(row, at));
    at += lengths[row] + end;
  }
  return at == segment.end ? ok_status() : Status(corrupt_block("a segment is shorter than it says"));
}

}  // namespace

Status BlockReader::State::load_offsets() {
  if (offsets) return ok_status();
  LB_ASSIGN(const RowAttributes* loaded, load_attributes());
  LB_TRY(load_lengths());
  LB_TRY(sections.charge(std::uint64_t{meta.rows} * sizeof(std::uint64_t)));
  std::vector<std::uint64_t> all(meta.rows);
  for (std::size_t s = 0; s < meta.segments.size(); ++s) {
    LB_TRY(walk_segment(
        meta.segments[s], *loaded, loaded->gaps[s], *lengths,
        [&](std::uint32_t row, std::uint64_t offset) {
          all[row] = offset;
          return ok_status();
        },
        [](const Gap&, std::uint64_t) { return ok_status(); }));
  }
  offsets = std::move(all);
  return ok_status();
}

Result<const std::vector<TimeNs>*> BlockReader::times() {
  return state_->text.times();
}

Result<const std::vector<Level>*> BlockReader::levels() {
  LB_ASSIGN(const RowAttributes* attributes, state_->load_attributes());
  return &attributes->levels;
}

Result<const std::vector<std::uint64_t>*> BlockReader::offsets() {
  LB_TRY(state_->load_offsets());
  return &*state_->offsets;
}

Result<const std::vector<std::uint32_t>*> BlockReader::lengths() {
  LB_TRY(state_->load_lengths());
  return &*state_->lengths;
}

Result<const std::vector<std::uint32_t>*> BlockReader::line_counts() {
  LB_ASSIGN(const RowAttributes* attributes, state_->load_attributes());
  return &attributes->lines;
}

Result<const std::vector<std::uint8_t>*> BlockReader::flags() {
  LB_ASSIGN(const RowAttributes* attributes, state_->load_attributes());
  return &attributes->flags;
}

Result<const std::vector<TimeOrigin>*> BlockReader::time_origins() {
  LB_ASSIGN(const RowAttributes* attributes, state_->load_attributes());
  return &attributes->time_origins;
}

Status BlockReader::text(std::uint32_t row, std::string& out) {
  LB_TRY(state_->text.load_ids());
  LB_TRY(state_->text.prepare(state_->text.ids()[row]));
  out.append(state_->text.text(row));
  return ok_status();
}

Status BlockReader::decode_all(const RowVisitor& visit) {
  LB_TRY(state_->text.prepare_all());
  std::uint64_t total = 0;
  for (std::uint32_t row = 0; row < rows(); ++row) {
    const std::string_view text = state_->text.text(row);
    total += text.size();
    if (total > meta().raw_bytes) return corrupt_block("its rows are longer than it says");
    if (!visit(row, text)) break;
  }
  return ok_status();
}

Status BlockReader::decode(const RowSet& rows, const RowVisitor& visit) {
  LB_TRY(state_->text.prepare(rows));
  std::uint64_t total = 0;
  for (std::uint32_t row = rows.next(0); row < rows.size(); row = rows.next(row + 1)) {
    const std::string_view text = state_->text.text(row);
    total += text.size();
    if (total > meta().raw_bytes) return corrupt_block("its rows are longer than it says");
    if (!visit(row, text)) break;
  }
  return ok_status();
}

Status BlockReader::export_segment(std::size_t segment, const std::function<Status(const SegmentPiece&)>& sink) {
  LB_ASSIGN(const RowAttributes* attributes, state_->load_attributes());
  LB_TRY(state_->load_lengths());
  std::string line;
  const auto text = [&](std::uint32_t row, std::uint64_t offset) {
    line = state_->text.text(row);
    if ((attributes->flags[row] & Record::kTerminated) != 0) line += '\n';
    return sink({offset, line.size(), line, false, 0, {}});
  };
  const auto gap = [&](const Gap& g, std::uint64_t offset) {
    if (g.kind == Gap::kDropped) return sink({offset, g.length, {}, true, g.lines, attributes->causes[g.cause]});
    if (g.kind == Gap::kLineFeeds) line.assign(g.length, '\n');
    const std::string_view bytes = g.kind == Gap::kLineFeeds ? std::string_view(line) : g.bytes;
    return sink({offset, bytes.size(), bytes, false, 0, {}});
  };
  return walk_segment(meta().segments[segment], *attributes, attributes->gaps[segment], *state_->lengths, text, gap);
}

}  // namespace logboom::logstore::embedded
