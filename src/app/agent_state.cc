#include "app/agent_state.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/api_access.h"
#include "base/log.h"
#include "base/pause.h"
#include "http/client.h"
#include "http/json.h"
#include "http/json_reading.h"

namespace logboom::app {
namespace {

constexpr auto kReportEvery = std::chrono::seconds(2);
constexpr auto kLookForSession = std::chrono::milliseconds(200);
constexpr auto kLongestAnswer = std::chrono::seconds(10);

std::uint64_t lag_of(const source::SourceStatus& s) {
  return s.size > s.acknowledged ? s.size - s.acknowledged : 0;
}

const char* name_of(RuleOrigin origin) {
  return origin == RuleOrigin::kServer ? "server" : origin == RuleOrigin::kEtcd ? "etcd" : "file";
}

std::uint64_t lag_of(const PartitionStatus& p) {
  return p.stored >= 0 && p.end > p.stored ? static_cast<std::uint64_t>(p.end - p.stored) : 0;
}

std::uint64_t lag_of(const std::vector<source::SourceStatus>& sources) {
  std::uint64_t lag = 0;
  for (const source::SourceStatus& s : sources) lag += lag_of(s);
  return lag;
}

void write_totals(http::JsonWriter& w, const AgentState& state) {
  const auto unreadable = std::count_if(state.sources.begin(), state.sources.end(), [](const source::SourceStatus& s) {
    return s.state == source::FileState::kUnreadable;
  });
  w.key("totals").open_object().field("files", std::uint64_t{state.sources.size()});
  w.field("lag_bytes", lag_of(state.sources)).field("lag_messages", unstored_messages(state.partitions));
  w.field("unreadable", static_cast<std::uint64_t>(unreadable)).close_object();
}

void write_source(http::JsonWriter& w, const source::SourceStatus& s) {
  w.open_object().field("source", s.source.to_hex()).field("epoch", s.epoch).bytes_field("file", s.path);
  w.field("topic", s.channel).field("rule", s.rule).field("state", source::file_state_name(s.state));
  w.field("size", s.size).field("read", s.read).field("acknowledged", s.acknowledged).field("lag", lag_of(s));
  w.field("problem", s.problem).close_object();
}

// kNotFound: the server has other data than before; kRejected: another agent has taken over.
Error end_of_session(const http::ClientResponse& answer) {
  const bool unknown = http::read_api_error(answer.body).code == "unknown_session";
  return Error(unknown ? ErrorCode::kNotFound : ErrorCode::kRejected,
               error_of_answer(answer.status, answer.body).message());
}

std::optional<config::RepairRequest> read_repair(const nlohmann::json& tree) {
  const auto revision = tree.is_object() ? tree.value("revision", nlohmann::json()) : nlohmann::json();
  if (!revision.is_number_unsigned()) return std::nullopt;
  return config::RepairRequest{revision.get<std::uint64_t>(),
                               config::read_wanted(tree.value("ranges", nlohmann::json()))};
}

class Reporter final : public AgentReporter {
 public:
  Reporter(AgentIdentity identity, std::function<std::uint64_t()> session, std::function<AgentState()> state,
           PreviewRules preview, std::function<void(Error)> on_refused,
           std::function<void(config::RepairRequest)> on_wanted)
      : identity_(std::move(identity)),
        session_(std::move(session)),
        state_(std::move(state)),
        preview_(std::move(preview)),
        on_refused_(std::move(on_refused)),
        on_wanted_(std::move(on_wanted)),
        client_(client_options(identity_)),
        thread_([this](std::stop_token stop) { run(stop); }) {}

 private:
  static http::ClientOptions client_options(const AgentIdentity& identity) {
    http::ClientOptions options = identity.client;
    options.silence_time = kLongestAnswer;
    return options;
  }

  void run(std::stop_token stop) {
    while (!stop.stop_requested()) {
      const std::uint64_t session = session_();
      if (session != 0) send(session, stop);
      pause_for(session == 0 ? std::chrono::nanoseconds(kLookForSession) : kReportEvery, stop);
    }
  }

  // The producer tells about a server that is away; here it would be said twice.
  void send(std::uint64_t session, const std::stop_token& stop) {
    const auto answer = post("/api/v1/agent/state", session, agent_state_json(state_()), stop);
    if (!answer.ok()) return;
    if (answer->status == 200) take_questions(session, answer->body, stop);
    if (answer->status == 400)
      log_warn("the server does not understand this agent's state: {}", printable(answer->body));
    if (answer->status == 409) on_refused_(end_of_session(*answer));
  }

  // An answer that does not get through is asked for again.
  void take_questions(std::uint64_t session, const std::string& body, const std::stop_token& stop) {
    const nlohmann::json asked = http::parse_json(body, 8);
    if (!asked.is_object()) return;
    if (auto request = read_repair(asked.value("repair", nlohmann::json())); request && on_wanted_)
      on_wanted_(std::move(*request));
    if (const auto question = config::read_question(asked.value("preview", nlohmann::json())))
      (void)post("/api/v1/agent/preview", session, preview_(*question, stop), stop).ok();
  }

  Result<http::ClientResponse> post(const char* target, std::uint64_t session, std::string body,
                                    const std::stop_token& stop) {
    http::ClientRequest request{"POST", target, {}, std::move(body)};
    request.headers = {{"Content-Type", "application/json"},
                       {"Logboom-Agent", identity_.id},
                       {"Logboom-Session", std::to_string(session)}};
    return client_.send(request, stop);
  }

  const AgentIdentity identity_;
  const std::function<std::uint64_t()> session_;
  const std::function<AgentState()> state_;
  const PreviewRules preview_;
  const std::function<void(Error)> on_refused_;
  const std::function<void(config::RepairRequest)> on_wanted_;
  http::HttpClient client_;
  std::jthread thread_;
};

constexpr auto kTellEvery = std::chrono::seconds(10);
// Each time leaves a revision in etcd: hosts are many, transfers few.
constexpr auto kTellFilesEvery = std::chrono::minutes(10);
constexpr auto kTellTopicsEvery = std::chrono::minutes(1);
constexpr auto kTellChangesWithin = std::chrono::seconds(1);

// What changes seldom; an object that is not closed.
std::string words_of(const AgentIdentity& identity, const AgentState& state) {
  std::string out;
  http::JsonWriter w(out);
  w.open_object().field("id", identity.id).field("name", identity.name).field("version", state.version);
  w.field("role", state.role).key("started").time(state.started).field("problem", state.problem);
  w.key("rules").open_object().field("from", name_of(state.rules_from)).field("revision", state.rules.revision);
  w.field("problem", state.rules_problem).close_object();
  return out;
}

// What changes all the time; the rest of the object.
std::string figures_of(const AgentState& state) {
  if (!state.partitions.empty()) {
    return fmt::format(R"(,"lag_messages":{},"topics":{}}})", unstored_messages(state.partitions),
                       partitions_json(state.partitions));
  }
  return fmt::format(R"(,"files":{},"lag_bytes":{}}})", state.sources.size(), lag_of(state.sources));
}

class Teller final : public PresenceTeller {
 public:
  Teller(AgentIdentity identity, std::unique_ptr<config::Presence> presence, std::function<AgentState()> state)
      : identity_(std::move(identity)),
        presence_(std::move(presence)),
        state_(std::move(state)),
        thread_([this](std::stop_token stop) { run(stop); }) {}

 private:
  // The source of rules tells about an etcd that is away; here it would be said twice.
  void run(std::stop_token stop) {
    std::string told;
    std::string figures;
    auto due = std::chrono::nanoseconds(0);
    auto figures_due = std::chrono::nanoseconds(0);
    while (!stop.stop_requested()) {
      const AgentState state = state_();
      const std::string words = words_of(identity_, state);
      if (words != told || due.count() <= 0) {
        if (words != told || figures_due.count() <= 0) {
          figures = figures_of(state);
          figures_due = state.partitions.empty() ? kTellFilesEvery : kTellTopicsEvery;
        }
        told = presence_->tell(words + figures, stop).ok() ? words : std::string();
        due = kTellEvery;
      }
      due -= kTellChangesWithin;
      figures_due -= kTellChangesWithin;
      pause_for(kTellChangesWithin, stop);
    }
  }

  const AgentIdentity identity_;
  const std::unique_ptr<config::Presence> presence_;
  const std::function<AgentState()> state_;
  std::jthread thread_;
};

}  // namespace

std::unique_ptr<PresenceTeller> start_presence_teller(AgentIdentity identity,
                                                      std::unique_ptr<config::Presence> presence,
                                                      std::function<AgentState()> state) {
  return std::make_unique<Teller>(std::move(identity), std::move(presence), std::move(state));
}

std::uint64_t unstored_messages(const std::vector<PartitionStatus>& partitions) {
  std::uint64_t lag = 0;
  for (const PartitionStatus& p : partitions) lag += lag_of(p);
  return lag;
}

std::string partitions_json(const std::vector<PartitionStatus>& partitions) {
  std::string out;
  http::JsonWriter w(out);
  w.open_array();
  const auto number_or_null = [&](const char* name, std::int64_t value) {
    w.key(name);
    value < 0 ? w.null() : w.number(value);
  };
  for (const PartitionStatus& p : partitions) {
    w.open_object().field("topic", p.topic).field("partition", std::int64_t{p.partition});
    number_or_null("stored", p.stored);
    number_or_null("end", p.end);
    number_or_null("lag", p.stored < 0 || p.end < 0 ? -1 : static_cast<std::int64_t>(lag_of(p)));
    w.close_object();
  }
  w.close_array();
  return out;
}

std::string agent_state_json(AgentState state) {
  std::string out;
  http::JsonWriter w(out);
  w.open_object().field("version", state.version).field("role", state.role).key("started").time(state.started);
  w.field("problem", state.problem).key("rules").open_object().field("from", name_of(state.rules_from));
  w.field("revision", state.rules.revision).field("problem", state.rules_problem).close_object();
  write_totals(w, state);
  if (state.repairs_followed != 0) w.field("repairs_followed", state.repairs_followed);
  w.key("topics").raw(partitions_json(state.partitions));
  const std::size_t shown = std::min(state.sources.size(), kReportedFiles);
  std::partial_sort(state.sources.begin(), state.sources.begin() + static_cast<std::ptrdiff_t>(shown),
                    state.sources.end(), [](const source::SourceStatus& a, const source::SourceStatus& b) {
                      if (a.problem.empty() != b.problem.empty()) return !a.problem.empty();
                      if (lag_of(a) != lag_of(b)) return lag_of(a) > lag_of(b);
                      return a.path < b.path;
                    });
  w.key("sources").open_array();
  for (std::size_t i = 0; i < shown; ++i) write_source(w, state.sources[i]);
  w.close_array().close_object();
  return out;
}

std::unique_ptr<AgentReporter> start_agent_reporter(AgentIdentity identity, std::function<std::uint64_t()> session,
                                                    std::function<AgentState()> state, PreviewRules preview,
                                                    std::function<void(Error)> on_refused,
                                                    std::function<void(config::RepairRequest)> on_wanted) {
  return std::make_unique<Reporter>(std::move(identity), std::move(session), std::move(state), std::move(preview),
                                    std::move(on_refused), std::move(on_wanted));
}

}  // namespace logboom::app
