#include "server/fleet/rule_journal.h"

#include "base/hash128.h"
#include "config/rule_history.h"

namespace logboom::server {
namespace {

constexpr std::size_t kIdDigits = 32;
constexpr std::uint64_t kLargestFile = 256u << 20;

std::string directory_of(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

// An agent's id, a space and a line as histories have them.
void read_line(std::string_view line, AgentRules& entries) {
  if (line.size() <= kIdDigits || line[kIdDigits] != ' ' || !Hash128::from_hex(line.substr(0, kIdDigits))) return;
  if (auto entry = config::read_rule_history_line(line.substr(kIdDigits + 1)))
    entries[std::string(line.substr(0, kIdDigits))].push_back(std::move(*entry));
}

}  // namespace

Status RuleJournal::load() {
  if (loaded_) return {};
  const auto text = read_file(files_, path_, kLargestFile);
  if (!text.ok() && text.error().code() != ErrorCode::kNotFound) return text.error();
  if (text.ok()) {
    const std::string_view all = *text;
    for (std::size_t end = all.find('\n'); end != std::string_view::npos; end = all.find('\n', bytes_)) {
      read_line(all.substr(bytes_, end - bytes_), entries_);
      bytes_ = end + 1;
    }
  }
  loaded_ = true;
  return {};
}

Status RuleJournal::append(const AgentRules& fresh) {
  std::string lines;
  for (const auto& [agent, entries] : fresh) {
    for (const config::RuleHistoryEntry& entry : entries) lines += agent + " " + config::rule_history_line(entry);
  }
  failed_ = true;  // until it has not
  const bool is_new = bytes_ == 0;
  LB_ASSIGN(const auto file, files_.open(path_, OpenMode::kCreate));
  LB_TRY(file->truncate(bytes_));  // a line that a crash cut short
  LB_TRY(file->pwrite(lines.data(), lines.size(), bytes_));
  LB_TRY(file->sync());
  if (is_new) LB_TRY(files_.sync_directory(directory_of(path_)));
  failed_ = false;
  bytes_ += lines.size();
  for (const auto& [agent, entries] : fresh) {
    auto& known = entries_[agent];
    known.insert(known.end(), entries.begin(), entries.end());
  }
  return {};
}

Status RuleJournal::clear() {
  if (const Status removed = files_.unlink(path_); !removed.ok() && removed.error().code() != ErrorCode::kNotFound)
    return removed;
  LB_TRY(files_.sync_directory(directory_of(path_)));
  entries_.clear();
  bytes_ = 0;
  failed_ = false;
  return {};
}

}  // namespace logboom::server
