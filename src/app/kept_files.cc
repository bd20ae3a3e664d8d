#include "app/kept_files.h"

#include <algorithm>
#include <vector>

#include "io/copy_file.h"

namespace logboom::app {
namespace {

// Each is replaced as a whole, or read again up to where it was cut.
constexpr const char* kFiles[] = {
    "tokens.json", "access-events.ndjson", "rules.yaml", "rules-history.ndjson", "tls.crt", "tls.key", "agents.json"};
// Only grows, and becomes the largest.
constexpr const char* kOwners = "agent-sources.txt";
constexpr const char* kRules = "/rules";
// Its entries go to the other files of the folder, and are taken from there, too, when they stand in both.
constexpr const char* kRulesJournal = "recent.log";
constexpr std::uint64_t kLargest = 256u << 20;

Status copy_one(FileSystem& files, const std::string& from, const std::string& to) {
  const Result<std::string> content = read_file(files, from, kLargest);
  if (!content.ok()) return content.error().code() == ErrorCode::kNotFound ? ok_status() : Status(content.error());
  return replace_file(files, to, *content);
}

Status copy_rules(FileSystem& files, const std::string& from, const std::string& to) {
  const Result<std::vector<DirectoryEntry>> entries = files.list(from);
  if (!entries.ok()) return entries.error().code() == ErrorCode::kNotFound ? ok_status() : Status(entries.error());
  LB_TRY(files.create_directories(to));
  LB_TRY(copy_one(files, from + "/" + kRulesJournal, to + "/" + kRulesJournal));
  for (const DirectoryEntry& entry : *entries) {
    if (entry.name.ends_with(".ndjson")) LB_TRY(copy_one(files, from + "/" + entry.name, to + "/" + entry.name));
  }
  return ok_status();
}

}  // namespace

Status copy_kept_files(FileSystem& files, const std::string& data_directory, const std::string& to,
                       std::stop_token stop) {
  LB_TRY(copy_rules(files, data_directory + kRules, to + kRules));
  for (const char* name : kFiles) LB_TRY(copy_one(files, data_directory + "/" + name, to + "/" + name));
  const std::string owners = data_directory + "/" + kOwners;
  const Result<FileStat> there = files.stat(owners);
  if (!there.ok()) return there.error().code() == ErrorCode::kNotFound ? ok_status() : Status(there.error());
  LB_TRY(copy_file(files, owners, to + "/" + kOwners, there->size, stop));
  return files.sync_directory(to);
}

}  // namespace logboom::app
