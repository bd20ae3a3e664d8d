// BlockReader: reads one block (docs/formats/block.md). Sections are loaded, verified and decoded when first needed,
// and stay until the reader dies. Any bytes are safe: damaged or hostile ones give kCorrupt, never a crash or more
// memory than a few times kMaxBlockBytes. One thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "logstore/embedded/block/block_meta.h"
#include "logstore/embedded/block/filters.h"
#include "logstore/embedded/block/leaf.h"
#include "logstore/embedded/block/row_set.h"

namespace logboom::logstore::embedded {

// Gives a block's sections by their place in BlockMeta::sections.
class SectionSource {
 public:
  virtual ~SectionSource() = default;
  // Replaces `out` by the stored bytes; the reader checks size and checksum.
  virtual Status load(std::size_t index, const SectionInfo& info, std::string& out) = 0;
};

// The sections of an EncodedBlock or any vector of strings, which outlives this.
class MemorySections final : public SectionSource {
 public:
  explicit MemorySections(const std::vector<std::string>& sections) : sections_(sections) {}
  Status load(std::size_t index, const SectionInfo& info, std::string& out) override;

 private:
  const std::vector<std::string>& sections_;
};

// Reads a header alone, for the store's start, repair and match-all queries. kCorrupt on a wrong magic, checksum or
// content, kUnsupported on a newer version. `header` may be longer than the header; `header_size` receives its length.
Result<BlockMeta> read_block_header(std::string_view header, std::size_t* header_size = nullptr);

// A piece of a segment in file order: stored bytes, or the place of dropped lines (bytes empty).
struct SegmentPiece {
  std::uint64_t offset = 0;  // in the source
  std::uint64_t length = 0;
  std::string_view bytes;
  bool dropped = false;
  std::uint32_t lines = 0;  // of a dropped piece
  std::string_view cause;   // of a dropped piece
};

class TextForm;  // text_form.h

class BlockReader {
 public:
  // `sections` outlives the reader. Errors as read_block_header.
  static Result<BlockReader> open(std::string_view header, SectionSource& sections);
  ~BlockReader();
  BlockReader(BlockReader&&) noexcept;
  BlockReader& operator=(BlockReader&&) noexcept;

  const BlockMeta& meta() const;
  std::uint32_t rows() const { return meta().rows; }
  const Segment& segment_of(std::uint32_t row) const;
  std::uint64_t commit_of(std::uint32_t row) const;
  // Stored bytes of the sections loaded so far.
  std::uint64_t bytes_read() const;
  // Memory held by decoded sections, for the pool of queries.
  std::uint64_t memory() const;

  // ---- columns; each call loads what it needs and then stays valid while the reader lives
  Result<const std::vector<TimeNs>*> times();
  Result<const std::vector<Level>*> levels();
  // Offset of each record's text in its source. Needs the lengths of all rows, so all columns.
  Result<const std::vector<std::uint64_t>*> offsets();
  Result<const std::vector<std::uint32_t>*> lengths();  // of each record's text
  Result<const std::vector<std::uint32_t>*> line_counts();
  Result<const std::vector<std::uint8_t>*> flags();  // Record::Flag
  Result<const std::vector<TimeOrigin>*> time_origins();
  // Appends the exact bytes of a record's text to `out`.
  Status text(std::uint32_t row, std::string& out);

  // Calls visit(row, text) for every row, or for those in `rows`, ascending; stops without error when it returns false.
  // The text is valid during the call.
  using RowVisitor = std::function<bool(std::uint32_t row, std::string_view text)>;
  Status decode_all(const RowVisitor& visit);
  Status decode(const RowSet& rows, const RowVisitor& visit);

  // The exact bytes of a segment, in order, with the places of dropped lines between them; an error from `sink` ends
  // it.
  Status export_segment(std::size_t segment, const std::function<Status(const SegmentPiece&)>& sink);

  // ---- finding; `filter` is the block's token filter, or null. Exact in every case.
  Result<RowSet> find(const Leaf& leaf, const TokenFilter* filter);
  // The same as find() with counts(), without touching row columns where the dictionaries have the answer; without
  // kYes LeafCounts::levels means nothing.
  enum class CountLevels : bool { kNo, kYes };
  Result<LeafCounts> count(const Leaf& leaf, const TokenFilter* filter, CountLevels levels);

  // What the texts of the rows have in common, template by template: visit(form) for each template that some of them
  // belong to. Returns the rows that have no template; an error of `visit` ends it.
  using FormVisitor = std::function<Status(TextForm& form)>;
  Result<RowSet> each_form(const RowSet& rows, const FormVisitor& visit);

  Result<RowSet> rows_in_time(TimeNs from, TimeNs to);  // [from, to)
  Result<RowSet> rows_of_level(Level level);
  Result<LeafCounts> counts(const RowSet& rows);
  // Adds the rows to buckets: add(start of bucket, level, records), every call one run of equal buckets and levels at
  // most.
  using BucketVisitor = std::function<void(TimeNs start, Level level, std::uint64_t records)>;
  Status histogram(const RowSet& rows, TimeNs step, const BucketVisitor& add);

 private:
  struct State;
  explicit BlockReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace logboom::logstore::embedded
