// UTF-16 text as UTF-8, for display and for finding time and level.
#pragma once

#include <string>
#include <string_view>

#include "record/batch.h"

namespace logboom::parse {

// Decodes the text of a record that begins at `offset` of its source (units begin at even offsets) and stops after
// `limit` bytes of output. Broken pairs become U+FFFD; a byte order mark and the CR and zero byte at the edges of a
// line are left out.
std::string decode_utf16(std::string_view text, Format format, std::uint64_t offset, std::size_t limit = SIZE_MAX);

}  // namespace logboom::parse
