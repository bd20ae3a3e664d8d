// Copies one file, as it is, beside whoever goes on writing behind `size`.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>

#include "base/result.h"
#include "io/file_system.h"

namespace logboom {

// The first `size` bytes of `from` become the new file `to`, which is synced (its name is not: sync_directory).
// kCorrupt when `from` is shorter, kCancelled at the stop; then `to` is of no use.
Status copy_file(FileSystem& files, const std::string& from, const std::string& to, std::uint64_t size,
                 std::stop_token stop);
// Makes the directory; kInvalidArgument when it holds something.
Status make_empty_directory(FileSystem& files, const std::string& directory);

}  // namespace logboom
