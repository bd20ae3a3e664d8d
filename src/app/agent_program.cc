#include "app/agent_program.h"

#include <optional>
#include <utility>

#include <fmt/format.h>

#include "app/agent_state.h"
#include "app/collecting.h"
#include "app/paths.h"
#include "app/preview_answers.h"
#include "app/repairs.h"
#include "base/counted.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/pause.h"

namespace logboom::app {
namespace {

constexpr auto kPauseBetweenSessions = std::chrono::seconds(1);

// What this host is asked to send again.
struct Wanted {
  config::RepairRequest request;
  bool by_server = false;  // else in etcd
};

// How a session ended, told by the threads of the producer, of reports and of what is asked.
class SessionEnd {
 public:
  void tell(Error error) {
    MutexLock lock(mutex_);
    error_ = std::move(error);
    changed_.notify_all();
  }
  void tell(Wanted wanted) {
    MutexLock lock(mutex_);
    error_ =
        Error(ErrorCode::kUnavailable, fmt::format("asked for {}: {} of this host's files, which their store misses",
                                                   wanted.by_server ? "by the server" : "in etcd",
                                                   counted(wanted.request.ranges.size(), "part")));
    wanted_ = std::move(wanted);
    changed_.notify_all();
  }
  Wanted wanted() {
    MutexLock lock(mutex_);
    return std::move(wanted_);
  }
  // nullopt: the stop came first.
  std::optional<Error> wait(std::stop_token stop) {
    MutexLock lock(mutex_);
    changed_.wait(mutex_, std::move(stop), [this]() LB_NO_THREAD_SAFETY_ANALYSIS { return error_.has_value(); });
    return error_;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::optional<Error> error_ LB_GUARDED_BY(mutex_);
  Wanted wanted_ LB_GUARDED_BY(mutex_);
};

class AgentOfThisHost final : public AgentProgram {
 public:
  AgentOfThisHost(Context& context, AgentIdentity identity, std::unique_ptr<FileLock> lock,
                  std::unique_ptr<config::RuleSource> rules)
      : context_(context),
        identity_(std::move(identity)),
        started_(context.clock.now()),
        lock_(std::move(lock)),
        rules_(std::move(rules)),
        budget_(context.settings.size("limits.memory").bytes() / 2) {}

  Status run(std::stop_token stop) override {
    while (!stop.stop_requested()) {
      LB_ASSIGN(const auto end, one_session(stop));
      if (!end) break;
      if (end->code() == ErrorCode::kRejected) return *end;
      log_warn("{}; asking again what it holds", end->message());
      pause_for(kPauseBetweenSessions, stop);
    }
    return {};
  }

 private:
  // Collects and sends until the stop (nullopt) or the end of the session with the server.
  Result<std::optional<Error>> one_session(std::stop_token stop) {
    SessionEnd end;
    Collecting collecting(context_.settings, context_.deps(), budget_, true);  // outlives every delivery
    LB_ASSIGN(AgentLink link, open_agent_link(
                                  context_.settings, identity_, [&collecting] { return collecting.rules(); },
                                  context_.deps(), [&end](Error error) { end.tell(std::move(error)); }));
    const Wanted wanted = std::exchange(wanted_, {});
    if (wanted.by_server) followed_by_server_ = wanted.request.revision;
    const auto producer = without_wanted(*link.producer, wanted.request.ranges);
    LB_TRY(collecting.start(*producer, *rules_));
    std::optional<Error> ended;
    {
      LB_ASSIGN(const auto beside, start_beside(collecting, link, wanted.by_server ? 0 : wanted.request.revision, end));
      ended = end.wait(stop);
    }
    wanted_ = end.wanted();
    collecting.request_stop();
    link.producer->close();
    collecting.join();
    link.producer.reset();  // delivers what it still can
    return ended;
  }

  // What goes on beside the batches of a session, each from a thread of its own: what this agent says, and what it is
  // asked. Of `followed` as start_repair_watch's.
  struct Beside {
    std::unique_ptr<AgentReporter> reporter;
    std::unique_ptr<PresenceTeller> teller;
    std::unique_ptr<PreviewAnswers> answers;
    std::unique_ptr<RepairWatch> repairs;
  };
  Result<Beside> start_beside(Collecting& collecting, const AgentLink& link, std::uint64_t followed, SessionEnd& end) {
    const auto state = [&] { return state_of(collecting, link.problem()); };
    const PreviewRules preview = [&](const config::PreviewQuestion& question, std::stop_token stopped) {
      return preview_json(question, collecting.rules(), {context_.data_directory()}, *context_.files,
                          std::move(stopped));
    };
    Beside beside;
    // Where batches go to Kafka, a server that is named is told all the same.
    ControlLink control;
    if (!link.session && !identity_.client.server.empty()) control = open_control_link(identity_);
    if (link.session || control.session) {
      std::function<void(config::RepairRequest)> on_wanted;
      if (control.session)
        on_wanted = [&end](config::RepairRequest request) { end.tell(Wanted{std::move(request), true}); };
      beside.reporter = start_agent_reporter(
          identity_, link.session ? link.session : control.session, state, preview,
          [&end, forget = control.forget](Error error) {
            if (forget && error.code() == ErrorCode::kNotFound) return forget();
            end.tell(std::move(error));
          },
          std::move(on_wanted));
    }
    LB_ASSIGN(auto presence, open_presence(context_.settings, context_.config_file, "", *context_.files));
    if (presence) beside.teller = start_presence_teller(identity_, std::move(presence), state);
    LB_ASSIGN(auto questions, open_preview_questions(context_.settings, context_.config_file, *context_.files));
    if (questions) beside.answers = start_preview_answers(std::move(questions), preview);
    // Over Kafka the store cannot ask for what it misses.
    std::unique_ptr<config::RepairRequests> requests;
    if (!link.session) {
      LB_ASSIGN(requests, open_repair_requests(context_.settings, context_.config_file, *context_.files));
    }
    if (!requests) return beside;
    beside.repairs = start_repair_watch(std::move(requests), followed, [&end](config::RepairRequest request) {
      end.tell(Wanted{std::move(request), false});
    });
    return beside;
  }

  AgentState state_of(Collecting& collecting, std::string problem) {
    AgentState state;
    state.version = LOGBOOM_VERSION;
    state.started = started_;
    state.rules_from = rule_origin(context_.settings, context_.config_file);
    state.rules = collecting.rules();
    state.rules_problem = collecting.rules_problem();
    state.problem = std::move(problem);
    state.sources = collecting.source_status();
    state.repairs_followed = followed_by_server_;
    return state;
  }

  Context& context_;
  const AgentIdentity identity_;
  const TimeNs started_;
  std::unique_ptr<FileLock> lock_;
  std::unique_ptr<config::RuleSource> rules_;
  MemoryBudget budget_;
  Wanted wanted_;                         // for the next session
  std::uint64_t followed_by_server_ = 0;  // revision; constant in a session
};

}  // namespace

Result<std::unique_ptr<AgentProgram>> AgentProgram::open(Context& context) {
  const std::string directory = context.data_directory();
  LB_TRY(context.files->create_directories(directory));
  auto lock = context.files->lock(directory + "/agent.lock", LockMode::kExclusive);
  if (!lock.ok() && lock.error().code() == ErrorCode::kUnavailable) {
    return Error(ErrorCode::kUnavailable,
                 fmt::format("another agent runs on {}; name another folder with --data-dir", directory));
  }
  if (!lock.ok()) return std::move(lock).error();
  LB_ASSIGN(AgentIdentity identity, agent_identity(context.settings, *context.files));
  LB_ASSIGN(auto rules, open_agent_rules(context.settings, context.config_file, identity, context.deps()));
  return std::unique_ptr<AgentProgram>(
      std::make_unique<AgentOfThisHost>(context, std::move(identity), std::move(lock).value(), std::move(rules)));
}

}  // namespace logboom::app
