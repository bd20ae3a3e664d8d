// A set of byte values.
#pragma once

#include <bitset>

namespace logboom::logstore::query {

using ByteSet = std::bitset<256>;

}  // namespace logboom::logstore::query
