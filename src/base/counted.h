// How many of something, as people read it. Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace logboom {

// "1 file", "2 files": for nouns whose plural is made by an s.
inline std::string counted(std::uint64_t count, std::string_view noun) {
  std::string text = std::to_string(count);
  text.append(" ").append(noun);
  if (count != 1) text += 's';
  return text;
}

}  // namespace logboom
