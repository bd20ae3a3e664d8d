// How many descriptors this program may hold, and how many of them go to files that are followed and to processes.
#pragma once

#include <cstdint>

namespace logboom::app {

// Asks for as many as the system allows this program, up to 65,536. Once, before any thread.
void raise_descriptor_limit();

// How many followed files may be open at once: 512, or a quarter of what may be open; the rest is the store's, the
// watches', the connections' and the processes'.
std::uint32_t most_followed_files_open();

// With up to so many processes on the host their files stay open between two looks: 256, or an eighth of what may be
// open.
std::uint32_t most_processes_open();

}  // namespace logboom::app
