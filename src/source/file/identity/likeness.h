// Whether a file's bytes are those of a source: by its prefix marks, its guard, and its own bytes where it can still be
// read.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "source/file/identity/content.h"
#include "source/file/identity/identity.h"
#include "source/file/identity/mark_chain.h"

namespace logboom::source {

// What is known of the bytes of a source.
struct Reference {
  const MarkChain& chain;
  std::uint64_t position = 0;  // up to here they were read
  std::string_view guard;      // the bytes before the position
  Content* live = nullptr;     // the source itself, where it is still intact
};

// Compares the `size` bytes of `content`. Reads at most kVerifyBytes and a bit more. An error is the content's.
Result<Likeness> likeness(Content& content, std::uint64_t size, const Reference& reference);

}  // namespace logboom::source
