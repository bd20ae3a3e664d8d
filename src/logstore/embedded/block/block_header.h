// Writes and reads the header of a block (docs/formats/block.md, "Header").
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "logstore/embedded/block/block_meta.h"

namespace logboom::logstore::embedded {

// The bytes of the header with its own checksum.
std::string write_block_header(const BlockMeta& meta);
// Reading is read_block_header() of block_reader.h.

}  // namespace logboom::logstore::embedded
