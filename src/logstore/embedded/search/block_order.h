// BlockOrder: puts rows of one opened block into the order a search shows them, by the whole key of a row (RowKey),
// with as little of the block as that takes. One thread.
#pragma once

#include <cstdint>
#include <vector>

#include "logstore/embedded/search/chunk_result.h"
#include "logstore/embedded/search/plan.h"

namespace logboom::logstore::embedded {

class BlockOrder {
 public:
  // Both outlive this.
  BlockOrder(const Plan& plan, BlockReader& reader);

  // The best `wanted.limit` of the rows that are wanted, in the asked order. Errors: those of reading columns.
  Result<std::vector<std::uint32_t>> best(const RowSet& rows, const RowsWanted& wanted);

 private:
  struct Candidate {
    TimeNs time = 0;
    std::uint32_t rank = 0;     // of the segment
    std::uint64_t place = 0;    // offset where segments interleave, else the row
    std::uint64_t channel = 0;  // where segments interleave
    std::uint32_t row = 0;
    auto operator<=>(const Candidate&) const = default;
  };
  bool segments_interleave() const;
  std::vector<std::uint32_t> rank_segments() const;
  std::vector<std::uint64_t> channels_of_segments() const;
  Result<std::vector<Candidate>> candidates_of(const RowSet& rows, const RowsWanted& wanted);
  Status drop_unwanted_ties(const RowsWanted& wanted, std::vector<Candidate>& candidates);
  Result<RowKey> key_of(std::uint32_t row);

  const Plan& plan_;
  BlockReader& reader_;
  const bool interleaved_;
};

}  // namespace logboom::logstore::embedded
