// What a program keeps in its data directory beside the stores, and a backup has to hold for another machine to take
// its place: tokens, agents and whose sources are whose, rules with their history, the certificate with its key.
#pragma once

#include <stop_token>
#include <string>

#include "base/result.h"
#include "io/file_system.h"

namespace logboom::app {

// Copies what there is of it to the directory `to`, with mode 0600, while the program goes on. After the stores have
// been copied: then a source that is in the copy of the store has its owner in that of the agents. kFull: a file is
// larger than such files become.
Status copy_kept_files(FileSystem& files, const std::string& data_directory, const std::string& to,
                       std::stop_token stop);

}  // namespace logboom::app
