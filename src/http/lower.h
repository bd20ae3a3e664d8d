// Names of header fields and their tokens in the one case they are compared in. Internal to http/.
#pragma once

#include <string>
#include <string_view>

namespace logboom::http {

// A to Z in lower case; every other byte as it is.
inline std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

}  // namespace logboom::http
