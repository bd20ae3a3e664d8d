// Case folding: Unicode's simple case folding (rows C and S of CaseFolding.txt) over UTF-8. Filters, dictionaries and
// queries all fold with this one function, so what is found never depends on the path taken. Bytes that are not valid
// UTF-8 stay as they are. A few characters change their length in bytes (U+212A KELVIN SIGN becomes "k"). All functions
// are pure and thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace logboom::logstore::query {

// Replaces `out` by the folded text; at most one and a half times as long. Fast where the text is ASCII.
void fold(std::string_view text, std::string& out);
std::string fold(std::string_view text);

// The same for bytes of which is_ascii() holds; `out` has room for text.size() and may be text.data().
void fold_ascii(std::string_view text, char* out);

bool is_ascii(std::string_view text);

// The simple case folding of one code point; itself where there is none.
char32_t fold_code_point(char32_t c);

// Whether the character is the only one that folds to itself: then its bytes can be searched without folding the text.
bool is_caseless(char32_t c);

// The code point of the valid character of `length` bytes (see character_length) at text[at].
char32_t code_point(std::string_view text, std::size_t at, std::size_t length);

// Length in bytes of the character that starts at text[at]: 1 to 4 for valid UTF-8 (no surrogates, nothing overlong), 1
// for a byte that starts no valid character. `valid` (optional) says which of the two.
std::size_t character_length(std::string_view text, std::size_t at, bool* valid = nullptr);

}  // namespace logboom::logstore::query
