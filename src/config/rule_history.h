// Sets of rules by revision, as NDJSON in one file: {"revision", "time", "author", "text"} a line, oldest first,
// replaced whole. What a host runs and what a server keeps for its agents are kept the same way.
#pragma once

#include <string>
#include <vector>

#include "config/rule_source.h"
#include "io/file_system.h"

namespace logboom::config {

// Only the newest are kept.
inline constexpr std::size_t kHistoryEntries = 200;

// A missing file is an empty history; lines that are none of ours are left out.
Result<std::vector<RuleHistoryEntry>> read_rule_history(FileSystem& files, const std::string& path);
// Drops the oldest entries over kHistoryEntries.
Status write_rule_history(FileSystem& files, const std::string& path, std::vector<RuleHistoryEntry> entries);

}  // namespace logboom::config
