// Finding a folded literal in text: by ASCII case alone where the text is ASCII, else by folding the text.
#pragma once

#include <cstddef>
#include <string_view>

namespace logboom::logstore::embedded {

// First position at or behind `from` where `text` holds the literal, which is folded and ASCII, in any ASCII case; npos
// when there is none. An empty literal is found at `from`.
std::size_t find_ascii_folded(std::string_view text, std::string_view literal, std::size_t from = 0);

// Whether some stretch of the text folds to the literal (folded, any bytes).
bool contains_folded(std::string_view text, std::string_view literal);

}  // namespace logboom::logstore::embedded
