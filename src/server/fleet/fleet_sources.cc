// Whose source is whose: agent-sources.txt.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/log.h"
#include "server/fleet/fleet.h"

namespace logboom::server {
namespace {

constexpr std::uint64_t kMaxSourcesFile = 512u << 20;
constexpr std::size_t kSourceLine = 32 + 1 + 32 + 1;

}  // namespace

// A line that a crash cut short claimed nothing: its batch was never stored.
Status Fleet::load_sources() {
  LB_ASSIGN(sources_file_, files_.open(sources_path_, OpenMode::kCreate));
  LB_ASSIGN(const std::string text, read_file(files_, sources_path_, kMaxSourcesFile));
  for (std::size_t at = 0; at + kSourceLine <= text.size(); at += kSourceLine) {
    const std::string_view line = std::string_view(text).substr(at, kSourceLine);
    const auto source = Hash128::from_hex(line.substr(0, 32));
    const std::string agent(line.substr(33, 32));
    if (!source || line[32] != ' ' || line[65] != '\n' || !is_agent_id(agent)) {
      return Error(ErrorCode::kCorrupt, fmt::format("cannot read whose sources are whose in {}: line {} is damaged; "
                                                    "restore it from a backup",
                                                    sources_path_, at / kSourceLine + 1));
    }
    owners_.emplace(*source, agent);
  }
  sources_bytes_ = text.size() / kSourceLine * kSourceLine;
  return files_.sync_directory(options_.directory);
}

Status Fleet::give(const std::string& agent, const std::vector<SourceId>& sources) {
  std::string lines;
  for (const SourceId& source : sources) lines += source.to_hex() + " " + agent + "\n";
  LB_TRY(sources_file_->pwrite(lines.data(), lines.size(), sources_bytes_));
  LB_TRY(sources_file_->sync());
  sources_bytes_ += lines.size();
  for (const SourceId& source : sources) owners_[source] = agent;
  return ok_status();
}

Status Fleet::adopt(const AgentRecord& agent) {
  const auto orphans = orphans_.find(agent.name);
  if (orphans == orphans_.end()) return ok_status();
  const auto namesakes =
      std::ranges::count_if(agents_, [&](const auto& a) { return a.second.record.name == agent.name; });
  if (namesakes > 1) return ok_status();
  LB_TRY(give(agent.id, orphans->second));
  log_warn("{} files of {} were stored and no agent's: they are those of the agent of that name now ({})",
           orphans->second.size(), printable(agent.name), agent.id);
  orphans_.erase(orphans);
  return ok_status();
}

Status Fleet::claim(const std::string& agent, const std::vector<SourceId>& sources) {
  MutexLock lock(mutex_);
  std::set<SourceId> fresh;
  for (const SourceId& source : sources) {
    const auto owner = owners_.find(source);
    if (owner == owners_.end()) {
      fresh.insert(source);
    } else if (owner->second != agent) {
      return Error(ErrorCode::kRejected,
                   fmt::format("source {0} belongs to another agent, {1}; where that is wrong, put agents.json and "
                               "agent-sources.txt of this server's data directory back from a backup, or, while it is "
                               "stopped, write the line \"{0} {2}\" into {3}, in the place of any other of {0}",
                               source.to_hex(), owner->second, agent, sources_path_));
    }
  }
  if (fresh.empty()) return ok_status();
  if (owners_.size() + fresh.size() > kMaxSources)
    return Error(ErrorCode::kFull, "cannot take more files: the fleet has as many as this server takes");
  return give(agent, {fresh.begin(), fresh.end()});
}

bool Fleet::owns(const std::string& agent, const SourceId& source) const {
  MutexLock lock(mutex_);
  const auto owner = owners_.find(source);
  return owner != owners_.end() && owner->second == agent;
}

}  // namespace logboom::server
