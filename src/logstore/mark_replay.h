// MarkReplay: puts the prefix marks of a stream's batches into its ledger, so that the chain held there stays one whose
// links can be compared. Two agents that read one file, or one before and after the loss of its data, set their marks
// at other places: these are two chains, and no link leads from one to the other.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "record/batch.h"
#include "record/interval_set.h"

namespace logboom::logstore {

// What a ledger holds of one stream, before the batch.
class HeldMarks {
 public:
  virtual ~HeldMarks() = default;
  // Whether the byte at the offset is stored (no gap, no hole, nothing dropped).
  virtual bool stores(std::uint64_t offset) const = 0;
  virtual std::uint64_t end() const = 0;
  // Parts of [begin, end) of which nothing is known.
  virtual std::vector<Interval> missing(std::uint64_t begin, std::uint64_t end) const = 0;
  virtual std::optional<PrefixMark> last() const = 0;
  // The first mark at or behind the offset.
  virtual std::optional<PrefixMark> first_from(std::uint64_t offset) const = 0;
  // Nothing where its offset has one.
  virtual void add(const PrefixMark& mark) = 0;
  virtual void set(const std::vector<PrefixMark>& all) = 0;
};

// Of one stream, since its ledger was opened. Bound: the marks that were sent since the first byte came again.
class MarkReplay {
 public:
  // Every batch of the stream, before its range is entered. `last_seen`: the latest arrival of those before it.
  void enter(const Batch& batch, TimeNs last_seen, HeldMarks& held);

  // An agent that sends the stream again from its first byte with another chain: its marks take the place of those that
  // are held. `last` of these; `holds_first`: its first byte is stored. Gives the marks to hold, ascending, when the
  // batch shows that they are of another chain.
  std::optional<std::vector<PrefixMark>> take(const Batch& batch, const std::optional<PrefixMark>& last,
                                              bool holds_first);

 private:
  void enter_mark(const PrefixMark& mark, HeldMarks& held);

  std::uint64_t end_ = 0;  // sent again so far; 0: nothing is
  std::vector<PrefixMark> marks_;
  bool other_ =
      false;  // the last mark that came for a stored range is not among those held: its sender has another chain
};

}  // namespace logboom::logstore
