// BlockBuilder: collects batches and encodes them as one column block (docs/formats/block.md): header, sections, token
// filter, trigrams. add() copies what it needs, so the batch may die; all encoding happens in finish(), which is pure
// computation and may run on a worker. A builder is reused: finish() leaves it empty with its buffers kept. Not
// thread-safe. Memory: about 2.5 times the raw bytes of a block, plus 1 MB.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "logstore/embedded/block/block_meta.h"
#include "record/batch.h"

namespace logboom::logstore::embedded {

// A finished block. Where the parts are kept is the store's business; the filters are apart so that they can have a
// table of their own.
struct EncodedBlock {
  BlockMeta meta;
  std::string header;                 // begins with kBlockMagic; contains all of `meta` and its own checksum
  std::vector<std::string> sections;  // stored bytes, in the order of meta.sections
  std::string token_filter;           // for TokenFilter
  std::string trigrams;               // for TrigramSet

  std::uint64_t stored_bytes() const;  // of all parts
};

class BlockBuilder {
 public:
  BlockBuilder();
  ~BlockBuilder();
  BlockBuilder(BlockBuilder&&) noexcept;
  BlockBuilder& operator=(BlockBuilder&&) noexcept;

  // Adds a batch with Disposition::kStored. Ranges of one source_ref do not overlap; sources may interleave.
  // kInvalidArgument, with nothing added, when the batch contradicts itself (records outside its bytes, overlapping or
  // not ascending) or the block would exceed kMaxBlockBytes.
  Status add(const Batch& batch, std::uint32_t source_ref, std::uint64_t commit);

  // Bytes of all added batches; the caller finishes at about 2 MB.
  std::uint64_t raw_bytes() const;
  std::uint32_t rows() const;
  bool empty() const { return raw_bytes() == 0; }
  // Memory held, for the store's budget.
  std::uint64_t memory() const;

  // Encodes everything added and empties the builder. `note` goes into the header as it is.
  Result<EncodedBlock> finish(std::string_view note = {});
  // Forgets everything added.
  void clear();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace logboom::logstore::embedded
