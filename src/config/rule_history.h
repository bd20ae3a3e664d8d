// Sets of rules by revision, as NDJSON in one file: {"revision", "time", "author", "text"} a line, oldest first,
// replaced whole. What a host runs and what a server keeps for its agents are kept the same way.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/rule_source.h"
#include "io/file_system.h"

namespace logboom::config {

// Only the newest are kept.
inline constexpr std::size_t kHistoryEntries = 200;

// One line with its end; and what such a line says, nullopt: it is none.
std::string rule_history_line(const RuleHistoryEntry& entry);
std::optional<RuleHistoryEntry> read_rule_history_line(std::string_view line);

// A missing file is an empty history; lines that are none of ours are left out.
Result<std::vector<RuleHistoryEntry>> read_rule_history(FileSystem& files, const std::string& path);
// Drops the oldest entries over kHistoryEntries.
Status write_rule_history(FileSystem& files, const std::string& path, std::vector<RuleHistoryEntry> entries);

}  // namespace logboom::config
