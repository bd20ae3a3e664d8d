// Fleet: the agents this server knows: which token speaks for which agent, which session of an agent is the newest,
// and which agent a source belongs to. An agent of another token, an older session and a foreign source are refused, so
// no agent can write into another's files. Kept in `agents.json` and `agent-sources.txt` of the data directory
// (docs/formats/fleet.md).
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/result.h"
#include "http/message.h"
#include "io/file_system.h"
#include "record/batch.h"
#include "server/fleet/agent_record.h"

namespace logboom::server {

struct StoredSource {
  SourceId source;
  std::string host;  // SourceState::host
};

struct FleetOptions {
  std::string directory;
  std::string own_agent;  // of this host: what nobody claimed is its own
  std::string own_name;   // as SourceState::host of what it collects itself
  // What the store holds already. What nobody claimed though it is of another host was another agent's whose files of
  // the fleet were lost: the only agent of that name gets it.
  std::vector<StoredSource> stored;
  // Of those, the ones a part of which was stored and is lost: their agents have to open new sessions, before which
  // they ask what is held, and send again what their files still have.
  std::vector<SourceId> lost;
  std::function<bool(const std::string& id)> token_is_valid;  // whether a token was not revoked and has not expired
};

// An agent that was not heard of for this long is away.
inline constexpr std::chrono::seconds kAwayAfter{15};

// Thread-safe. Bounds: kMaxAgents, kMaxSources.
class Fleet {
 public:
  static constexpr std::size_t kMaxAgents = 10'000;
  static constexpr std::size_t kMaxSources = 4'000'000;
  static constexpr std::size_t kAttempts = 16;  // of older sessions that are remembered

  // kCorrupt: agents.json is not ours; nothing is overwritten.
  static Result<std::unique_ptr<Fleet>> open(FleetOptions options, FileSystem& files, const Clock& clock);

  // Begins a session of the agent, durably: every older one is refused from now on, and what it had begun to hand over
  // has been handed over. The attempt that opened the newest session gets that again. A token speaks for one agent, the
  // first that uses it. The refusal: 403 another token speaks for that agent, or the token for another agent; 409
  // "fenced": the attempt opened an older session; 400 wrong members; 503 a stop, or the older session does not end.
  std::optional<http::Refusal> open_session(const http::Principal& principal, AgentRecord agent, std::stop_token stop,
                                            std::uint64_t& session);

  // Makes `agent.token` the token that speaks for the agent. The refusal: 409 a valid token speaks for it already.
  std::optional<http::Refusal> enroll(AgentRecord agent);

  // What an agent hands over while it holds one of these counts as of its session.
  class Admission {
   public:
    Admission() = default;
    Admission(Admission&& other) noexcept
        : fleet_(std::exchange(other.fleet_, nullptr)), agent_(std::move(other.agent_)) {}
    Admission& operator=(Admission&&) = delete;
    ~Admission() { end(); }
    // The agent; empty: not admitted.
    const std::string& agent() const { return agent_; }
    void end();

   private:
    friend class Fleet;
    Fleet* fleet_ = nullptr;
    std::string agent_;
  };
  // By the headers Logboom-Agent and Logboom-Session. The refusal: 403 as above; 409 "fenced": a newer session was
  // opened; 409 "unknown_session": this server never opened it, or opened it before a part of the agent's files was
  // lost; 400 no or malformed headers.
  std::optional<http::Refusal> admit(const http::Request& request, Admission& admission);

  // The agent of a request outside a session, by Logboom-Agent and its token. The refusal as admit()'s.
  std::optional<http::Refusal> identify(const http::Request& request, std::string& agent);
  // Keeps what an agent says of itself; a JSON object.
  void report(const std::string& agent, std::string state);
  // The agent of that id, or the only one of that name. kNotFound; kInvalidArgument names the ids when there are
  // several.
  Result<AgentRecord> find(const std::string& id_or_name) const;

  std::vector<AgentRecord> named(const std::string& name) const;
  bool is_online(const AgentRecord& agent) const;

  // Makes the sources the agent's, durably, where they are nobody's. kRejected names the first that is another's.
  Status claim(const std::string& agent, const std::vector<SourceId>& sources);
  bool owns(const std::string& agent, const SourceId& source) const;

  // The agent has to open a new session, and is told in it that what stands as a gap is not held: it sends that again
  // as far as its files still have it. kNotFound; kUnsupported: it sends its files elsewhere.
  Status ask_for_gaps(const std::string& agent);
  // Whether that is so; `told`: it has been told.
  bool wants_gaps(const std::string& agent) const;
  void told_gaps(const std::string& agent);

  // Once for a session from before the start of the program: whether what its agent calls acknowledged has still to be
  // compared with what the store holds. A store put back from a backup holds less.
  bool wants_comparison(const std::string& agent);
  // A part of what was acknowledged to the agent is not held: it has to open a new session and ask what is.
  void store_was_replaced(const std::string& agent);

  std::vector<AgentRecord> agents() const;

 private:
  struct Agent {
    AgentRecord record;
    std::size_t at_work = 0;      // admissions
    bool must_ask_again = false;  // in a new session: FleetOptions::lost, ask_for_gaps(), store_was_replaced()
    bool compared = false;        // wants_comparison()
    bool wants_gaps = false;
    std::deque<std::string> attempts;  // of older sessions, the newest last
  };
  Fleet(FleetOptions options, FileSystem& files, const Clock& clock);
  Status load_agents(const std::string& json) LB_REQUIRES(mutex_);
  Status load_sources() LB_REQUIRES(mutex_);
  Status save_agents() LB_REQUIRES(mutex_);
  // Durable, then in force.
  Status give(const std::string& agent, const std::vector<SourceId>& sources) LB_REQUIRES(mutex_);
  // Puts the record in the place of the agent's present one and on disk, or neither.
  Status put(AgentRecord record) LB_REQUIRES(mutex_);
  static void remember_attempt(Agent& agent);
  // Gives the agent what is stored of the host of its name and nobody claimed, if it is the only one of that name.
  Status adopt(const AgentRecord& agent) LB_REQUIRES(mutex_);
  std::optional<http::Refusal> check_members(const AgentRecord& agent) LB_REQUIRES(mutex_);
  std::optional<http::Refusal> check_token(const http::Principal& principal, const std::string& agent)
      LB_REQUIRES(mutex_);

  const FleetOptions options_;
  FileSystem& files_;
  const Clock& clock_;
  const std::string agents_path_;
  const std::string sources_path_;
  mutable Mutex mutex_;  // also held while a changed file is written: rare
  CondVar idle_;
  std::map<std::string, Agent> agents_ LB_GUARDED_BY(mutex_);
  std::unordered_map<SourceId, std::string> owners_ LB_GUARDED_BY(mutex_);
  std::map<std::string, std::vector<SourceId>> orphans_ LB_GUARDED_BY(mutex_);  // by host; own_agent's in owners_
  std::unique_ptr<File> sources_file_ LB_GUARDED_BY(mutex_);
  std::uint64_t sources_bytes_ LB_GUARDED_BY(mutex_) = 0;
};

}  // namespace logboom::server
