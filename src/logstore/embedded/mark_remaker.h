// MarkRemaker: makes prefix marks again from stored bytes, where rows of marks were lost or no collector's marks reach:
// copies and shortened files are recognised by them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "io/hashing.h"
#include "record/batch.h"

namespace logboom::logstore::embedded {

class MarkRemaker {
 public:
  // `whole`: the chain of `marks` (ascending) has no break and is only gone on with; else it is followed from the
  // beginning, and ends at the first mark that does not hold.
  MarkRemaker(std::vector<PrefixMark> marks, bool whole);

  // Where bytes are wanted from.
  std::uint64_t at() const { return at_; }
  // The bytes at at().
  void add(std::string_view bytes);
  // Up to 256 bytes before at(), as far as they were added.
  const std::string& guard() const { return guard_; }
  // All marks: the last one at at(), unless the bytes ended inside the chain that was there.
  std::vector<PrefixMark> finish();

 private:
  std::uint64_t link_end() const;
  void reach();
  void put(const PrefixMark& mark);  // at at()

  const std::vector<PrefixMark> old_;
  std::size_t next_ = 0;  // of old_; all before it hold
  bool broken_ = false;
  std::vector<PrefixMark> marks_;
  std::uint64_t at_ = 0;
  std::uint64_t link_ = 0;  // where the present link begins
  MarkBuilder builder_{Hash128{}};
  std::string guard_;
};

}  // namespace logboom::logstore::embedded
