// MarkChain: the prefix marks of one (source, epoch, channel) as its bytes are read, and the check of a file against
// them. mark(k) = chain_mark(mark(previous), bytes[previous, k)); a link longer than kMaxLink stands for a range that
// was not read (a hole, "start=end") and is chain_mark(mark(previous), its length as 8 bytes little endian).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "io/hashing.h"
#include "record/mark_seam.h"
#include "source/file/identity/content.h"

namespace logboom::source {

inline constexpr std::uint64_t kMaxLink = kMaxMarkLink;
inline constexpr std::size_t kGuardBytes = 256;

// Bound: kFirstMarks + 2 * kLastMarks marks (24 bytes each); of longer chains the middle is forgotten here (the ledger
// has it).
class MarkChain {
 public:
  static constexpr std::size_t kFirstMarks = 16;
  static constexpr std::size_t kLastMarks = 96;

  MarkChain();
  // Goes on behind the last of `marks` (ascending; `forgotten`: as of the chain they come from). Of a prefix taken over
  // from another chain, [0, inherited), marks in the middle may have been forgotten before.
  explicit MarkChain(std::vector<PrefixMark> marks, std::uint64_t inherited = 0, std::size_t forgotten = 0);

  // The bytes that follow end(); sets a mark whenever a link is full.
  void add(std::string_view bytes);
  // `length` bytes that follow end() and were not read; `length` > kMaxLink.
  void skip(std::uint64_t length);
  // A commit point: sets a mark at end(), unless the last one is nearer than a 64th of it. So a file of any size has
  // marks near its end, and their number stays logarithmic up to 64 MB and one per MB from there.
  void commit_point();

  // Keeps the first and the last few marks only: enough to recognise a copy of a source that is read to its end.
  void shrink();

  std::uint64_t end() const { return end_; }
  std::uint64_t last_mark() const { return marks_.empty() ? 0 : marks_.back().offset; }
  const std::vector<PrefixMark>& marks() const { return marks_; }
  // The link that ends at marks()[forgotten()] is none: marks before it were forgotten. 0: all links are there.
  std::size_t forgotten() const { return forgotten_; }
  std::uint64_t inherited() const { return inherited_; }
  // Marks in (begin, end].
  std::vector<PrefixMark> inside(std::uint64_t begin, std::uint64_t end) const;
  // The value a mark at end() would have: compares a copy up to the last byte read.
  PrefixMark now() const { return {end_, builder_.finish()}; }

 private:
  void set_mark();
  void keep(std::size_t first, std::size_t last);

  std::vector<PrefixMark> marks_;
  std::uint64_t end_ = 0;
  std::size_t forgotten_ = 0;
  std::uint64_t inherited_ = 0;
  MarkBuilder builder_;
};

// The offset of the largest mark <= `limit` up to which `content` has the bytes the chain stands for; 0: not even the
// first. Of chains longer than kVerifyBytes only the beginning and the end are read. An error is the content's.
inline constexpr std::uint64_t kVerifyBytes = 256u << 20;
Result<std::uint64_t> verified_prefix(Content& content, const MarkChain& chain, std::uint64_t limit);

}  // namespace logboom::source
