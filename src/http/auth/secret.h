// Secrets: random tokens and their hashes. Only the SHA-256 of a token is ever stored; the tokens have 256 random bits,
// so no slow hash is needed.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace logboom::http {

// 43 characters of base64url: 256 bits of the system's random numbers. Aborts when the system has none.
std::string random_secret();
// `bytes` random bytes in lower-case hex.
std::string random_id(std::size_t bytes);
// 64 lower-case hex digits.
std::string sha256_hex(std::string_view text);
// Takes the same time wherever they differ.
bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace logboom::http
