// How many descriptors this program may hold, and how many of them go to files that are followed.
#pragma once

#include <cstdint>

namespace logboom::app {

// Asks for as many as the system allows this program, up to 65,536. Once, before any thread.
void raise_descriptor_limit();

// How many followed files may be open at once: 512, or a quarter of what may be open; the rest is the store's, the
// watches' and the connections'.
std::uint32_t most_followed_files_open();

}  // namespace logboom::app
