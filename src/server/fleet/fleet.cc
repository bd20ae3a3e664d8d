#include "server/fleet/fleet.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "http/json.h"
#include "http/json_reading.h"

namespace logboom::server {
namespace {

using http::Refusal;

constexpr std::uint64_t kMaxAgentsFile = 64u << 20;
constexpr auto kHandOverTime = std::chrono::seconds(30);

Refusal wrong(std::string message) {
  return {400, "invalid_argument", std::move(message), "", {}};
}

Refusal forbidden(std::string message, std::string hint) {
  return {403, "forbidden", std::move(message), std::move(hint), {}};
}

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

void Fleet::Admission::end() {
  if (Fleet* fleet = std::exchange(fleet_, nullptr)) {
    MutexLock lock(fleet->mutex_);
    --fleet->agents_[agent_].at_work;
    fleet->idle_.notify_all();
  }
}

Fleet::Fleet(FleetOptions options, FileSystem& files, const Clock& clock)
    : options_(std::move(options)),
      files_(files),
      clock_(clock),
      agents_path_(options_.directory + "/agents.json"),
      sources_path_(options_.directory + "/agent-sources.txt") {}

Result<std::unique_ptr<Fleet>> Fleet::open(FleetOptions options, FileSystem& files, const Clock& clock) {
  std::unique_ptr<Fleet> fleet(new Fleet(std::move(options), files, clock));
  MutexLock lock(fleet->mutex_);
  auto json = read_file(files, fleet->agents_path_, kMaxAgentsFile);
  if (!json.ok() && json.error().code() != ErrorCode::kNotFound) return std::move(json).error();
  if (json.ok()) LB_TRY(fleet->load_agents(*json));
  LB_TRY(fleet->load_sources());
  for (const auto& [source, host] : fleet->options_.stored) {
    const bool orphan = fleet->owners_.emplace(source, fleet->options_.own_agent).second;
    if (orphan && !host.empty() && host != fleet->options_.own_name) fleet->orphans_[host].push_back(source);
  }
  for (const auto& [id, agent] : fleet->agents_) LB_TRY(fleet->adopt(agent.record));
  for (const SourceId& source : fleet->options_.lost) {
    const auto agent = fleet->agents_.find(fleet->owners_[source]);
    if (agent != fleet->agents_.end()) agent->second.must_ask_again = true;
  }
  return fleet;
}

Status Fleet::load_agents(const std::string& json) {
  const auto not_ours = [&](const char* why) {
    return Error(ErrorCode::kCorrupt, fmt::format("cannot read the agents in {}: {}; it is left as it is, move it away "
                                                  "to enrol every agent anew",
                                                  agents_path_, why));
  };
  const auto root = nlohmann::json::parse(json, nullptr, false);
  try {
    if (!root.is_object() || root.value("version", 0) != 1) return not_ours("not a file of version 1");
    for (const auto& item : root.at("agents")) {
      AgentRecord record;
      record.id = item.at("id");
      record.name = item.at("name");
      record.version = item.at("version");
      record.token = item.at("token");
      record.session = static_cast<std::uint64_t>(http::integer_at(item, "session"));
      record.attempt = item.value("attempt", "");
      record.enrolled = http::integer_at(item, "enrolled");
      if (!is_agent_id(record.id)) return not_ours("an agent's id has not 32 hexadecimal digits");
      const std::string id = record.id;
      agents_[id].record = std::move(record);
    }
  } catch (const nlohmann::json::exception&) {
    return not_ours("a member is missing or of the wrong kind");
  }
  return ok_status();
}

Status Fleet::save_agents() {
  nlohmann::json rows = nlohmann::json::array();
  for (const auto& [id, agent] : agents_) {
    const AgentRecord& r = agent.record;
    rows.push_back({{"id", r.id},
                    {"name", r.name},
                    {"version", r.version},
                    {"token", r.token},
                    {"session", r.session},
                    {"attempt", r.attempt},
                    {"enrolled", r.enrolled}});
  }
  const nlohmann::json root = {{"version", 1}, {"agents", rows}};
  return replace_file(files_, agents_path_, root.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

std::optional<Refusal> Fleet::check_token(const http::Principal& principal, const std::string& agent) {
  if (principal.token_id.empty())
    return forbidden("an agent speaks with a token of its own", "make one with `logboom token create --role ingest`");
  for (const auto& [id, other] : agents_) {
    if (other.record.token == principal.token_id && id != agent) {
      return forbidden(fmt::format("this token belongs to the agent \"{}\"", printable(other.record.name)),
                       "every agent needs a token of its own");
    }
  }
  const auto known = agents_.find(agent);
  if (known == agents_.end() || known->second.record.token == principal.token_id) return std::nullopt;
  if (!options_.token_is_valid(known->second.record.token)) return std::nullopt;
  return forbidden("another token speaks for this agent", "revoke that one first");
}

std::optional<Refusal> Fleet::check_members(const AgentRecord& agent) {
  if (!is_agent_id(agent.id)) return wrong("/agent: expected 32 hexadecimal digits");
  if (agent.name.empty() || agent.name.size() > 255 || !http::is_utf8(agent.name))
    return wrong("/name: expected 1 to 255 bytes of UTF-8");
  if (agent.attempt.size() > 64) return wrong("/attempt: expected at most 64 bytes");
  if (agent.version.size() > 64) return wrong("/version: expected at most 64 bytes");
  if (!agents_.contains(agent.id) && agents_.size() >= kMaxAgents)
    return forbidden("this server has as many agents as it takes", "");
  return std::nullopt;
}

Status Fleet::put(AgentRecord record) {
  const auto found = agents_.find(record.id);
  const bool is_new = found == agents_.end();
  const AgentRecord before = is_new ? AgentRecord() : found->second.record;
  record.enrolled = is_new ? clock_.now() : before.enrolled;
  record.state = before.state;
  record.reported = before.reported;
  const std::string id = record.id;
  agents_[id].record = std::move(record);
  Status saved = save_agents();
  if (saved.ok()) return saved;
  if (is_new) {
    agents_.erase(id);
  } else {
    agents_[id].record = before;
  }
  return saved;
}

std::optional<Refusal> Fleet::enroll(AgentRecord agent) {
  MutexLock lock(mutex_);
  if (auto refusal = check_members(agent)) return refusal;
  if (const auto known = agents_.find(agent.id); known != agents_.end()) {
    const AgentRecord& record = known->second.record;
    if (options_.token_is_valid(record.token)) {
      return Refusal{409,
                     "conflict",
                     fmt::format("this host is an agent of this server already, as \"{}\"", printable(record.name)),
                     fmt::format("to enrol it anew, first `logboom token revoke {}` on the server", record.token),
                     {}};
    }
    agent.session = record.session;
  }
  if (Status saved = put(std::move(agent)); !saved.ok()) return http::to_refusal(saved.error());
  return std::nullopt;
}

void Fleet::remember_attempt(Agent& agent) {
  if (agent.record.attempt.empty()) return;
  agent.attempts.push_back(agent.record.attempt);
  if (agent.attempts.size() > kAttempts) agent.attempts.pop_front();
}

Status Fleet::ask_for_gaps(const std::string& agent) {
  MutexLock lock(mutex_);
  const auto known = agents_.find(agent);
  if (known == agents_.end()) return Error(ErrorCode::kNotFound, fmt::format("there is no agent {}", printable(agent)));
  const auto is_its = [&](const auto& entry) { return entry.second == agent; };
  if (std::none_of(owners_.begin(), owners_.end(), is_its)) {
    return Error(
        ErrorCode::kUnsupported,
        fmt::format("{} sends nothing to this server: what is missing of its files is known where they are stored; run "
                    "this beside the transfer that does",
                    printable(known->second.record.name)));
  }
  known->second.must_ask_again = true;
  known->second.wants_gaps = true;
  return ok_status();
}

bool Fleet::wants_gaps(const std::string& agent) const {
  MutexLock lock(mutex_);
  const auto known = agents_.find(agent);
  return known != agents_.end() && known->second.wants_gaps;
}

void Fleet::told_gaps(const std::string& agent) {
  MutexLock lock(mutex_);
  if (const auto known = agents_.find(agent); known != agents_.end()) known->second.wants_gaps = false;
}

bool Fleet::wants_comparison(const std::string& agent) {
  MutexLock lock(mutex_);
  const auto known = agents_.find(agent);
  return known != agents_.end() && !std::exchange(known->second.compared, true);
}

void Fleet::store_was_replaced(const std::string& agent) {
  MutexLock lock(mutex_);
  if (const auto known = agents_.find(agent); known != agents_.end()) known->second.must_ask_again = true;
}

std::optional<Refusal> Fleet::open_session(const http::Principal& principal, AgentRecord agent, std::stop_token stop,
                                           std::uint64_t& session) {
  MutexLock lock(mutex_);
  if (auto refusal = check_members(agent)) return refusal;
  if (auto refusal = check_token(principal, agent.id)) return refusal;
  const auto before = agents_.find(agent.id);
  if (before != agents_.end() && !agent.attempt.empty()) {
    Agent& known = before->second;
    const bool again = known.record.attempt == agent.attempt && known.record.token == principal.token_id;
    if (again && !known.must_ask_again) return session = known.record.session, std::nullopt;
    if (std::ranges::find(known.attempts, agent.attempt) != known.attempts.end())
      return Refusal{409, "fenced", "this attempt opened a session that a newer one has ended", "", {}};
  }
  if (before != agents_.end()) remember_attempt(before->second);
  agent.token = principal.token_id;
  agent.session = (before == agents_.end() ? 0 : before->second.record.session) + 1;
  agent.seen = clock_.now();
  if (Status saved = put(agent); !saved.ok()) return http::to_refusal(saved.error());
  if (Status adopted = adopt(agent); !adopted.ok()) return http::to_refusal(adopted.error());
  session = agent.session;
  agents_[agent.id].must_ask_again = false;
  agents_[agent.id].compared = true;
  const bool idle = idle_.wait_for(mutex_, std::move(stop), kHandOverTime,
                                   [&]() LB_NO_THREAD_SAFETY_ANALYSIS { return agents_[agent.id].at_work == 0; });
  if (!idle) return Refusal{503, "unavailable", "the agent's session before this one has not ended yet", "", {}};
  log_info("agent {} ({}) has opened session {}", printable(agent.name), agent.id, agent.session);
  return std::nullopt;
}

std::optional<Refusal> Fleet::admit(const http::Request& request, Admission& admission) {
  const std::string id(request.header("logboom-agent"));
  const auto session = number_of(request.header("logboom-session"));
  if (!is_agent_id(id) || !session)
    return wrong("the headers Logboom-Agent and Logboom-Session are missing or malformed");
  MutexLock lock(mutex_);
  const auto known = agents_.find(id);
  if (known == agents_.end()) return Refusal{409, "unknown_session", "this server does not know this agent", "", {}};
  AgentRecord& record = known->second.record;
  if (record.token != request.principal->token_id) {
    if (check_token(*request.principal, id)) return forbidden("this token speaks for another agent", "");
    return Refusal{409, "unknown_session", "the token that opened this session is revoked, here is another", "", {}};
  }
  if (*session > record.session)
    return Refusal{409, "unknown_session", "this server never opened this session: its data was replaced", "", {}};
  if (*session == record.session && known->second.must_ask_again) {
    const char* why = known->second.wants_gaps ? "this server asks for what is missing of this agent's files"
                                               : "a part of what this server stored of this agent's files is lost";
    return Refusal{409, "unknown_session", why, "", {}};
  }
  if (*session < record.session) {
    return Refusal{409,
                   "fenced",
                   fmt::format("a newer agent with this host's identity has taken over (session {})", record.session),
                   "two agents with one agent.key?",
                   {}};
  }
  record.seen = clock_.now();
  ++known->second.at_work;
  admission.fleet_ = this;
  admission.agent_ = id;
  return std::nullopt;
}

std::optional<Refusal> Fleet::identify(const http::Request& request, std::string& agent) {
  agent = request.header("logboom-agent");
  if (!is_agent_id(agent)) return wrong("the header Logboom-Agent is missing or malformed");
  MutexLock lock(mutex_);
  const auto known = agents_.find(agent);
  if (known == agents_.end()) return Refusal{409, "unknown_session", "this server does not know this agent", "", {}};
  if (known->second.record.token != request.principal->token_id)
    return forbidden("this token speaks for another agent", "");
  known->second.record.seen = clock_.now();
  return std::nullopt;
}

void Fleet::report(const std::string& agent, std::string state) {
  MutexLock lock(mutex_);
  const auto known = agents_.find(agent);
  if (known == agents_.end()) return;
  known->second.record.state = std::move(state);
  known->second.record.reported = clock_.now();
}

Result<AgentRecord> Fleet::find(const std::string& id_or_name) const {
  MutexLock lock(mutex_);
  if (const auto known = agents_.find(id_or_name); known != agents_.end()) return known->second.record;
  std::vector<std::string> ids;
  for (const auto& [id, agent] : agents_) {
    if (agent.record.name == id_or_name) ids.push_back(id);
  }
  if (ids.size() == 1) return agents_.at(ids[0]).record;
  if (ids.empty())
    return Error(ErrorCode::kNotFound,
                 fmt::format("there is no agent \"{}\"; see `logboom fleet`", printable(id_or_name)));
  return Error(ErrorCode::kInvalidArgument, fmt::format("{} agents have the name \"{}\"; name one by its id: {}",
                                                        ids.size(), printable(id_or_name), fmt::join(ids, ", ")));
}

std::vector<AgentRecord> Fleet::named(const std::string& name) const {
  MutexLock lock(mutex_);
  std::vector<AgentRecord> out;
  for (const auto& [id, agent] : agents_) {
    if (agent.record.name == name) out.push_back(agent.record);
  }
  return out;
}

bool Fleet::is_online(const AgentRecord& agent) const {
  return agent.seen != 0 && clock_.now() - agent.seen < std::chrono::nanoseconds(kAwayAfter).count();
}

std::vector<AgentRecord> Fleet::agents() const {
  MutexLock lock(mutex_);
  std::vector<AgentRecord> out;
  for (const auto& [id, agent] : agents_) out.push_back(agent.record);
  return out;
}

}  // namespace logboom::server
