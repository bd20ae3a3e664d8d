// agent, server and transfer: the roles of a fleet.
#include <fmt/format.h>
#include <malloc.h>

#include "app/agent_program.h"
#include "app/agent_state.h"
#include "app/commands/commands.h"
#include "app/engine.h"
#include "app/page_server.h"
#include "app/server_checks.h"
#include "app/service.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/pause.h"
#include "config/ini_file.h"

namespace logboom::app {
namespace {

// The common options name the server and the token of an agent, too.
Status take_common_options(Context& context) {
  if (!context.server.empty()) LB_TRY(context.settings.set("agent.server", context.server, "--server"));
  if (!context.token_file.empty()) LB_TRY(context.settings.set("agent.token_file", context.token_file, "--token-file"));
  return {};
}

// What goes without saying in the files of the system logboom replaces is said once.
void tell_old_meaning(const Context& context, const char* meaning) {
  if (config::is_ini_file(context.config_file)) log_info("{}: {}", context.config_file, meaning);
}

Status run_agent_program(Context& context, const Args& args) {
  LB_TRY(take_common_options(context));
  const auto settings = follow_settings(context, args);
  tell_old_meaning(context,
                   "files that are there when their rule starts are read from their end, and a message is the raw line "
                   "([kafka] value = json, an item's \"start\": \"beginning\" change that)");
  LB_TRY(refuse_what_loses_lines(context.settings, context.config_file, context.deps(), context.stop));
  LB_ASSIGN(auto agent, AgentProgram::open(context));
  const bool kafka = context.settings.text("transport.kind") == "kafka";
  log_info("sending to {}", printable(kafka ? "Kafka at " + context.settings.text("transport.brokers")
                                            : context.settings.text("agent.server")));
  const StartExamination examination(context.settings, context.config_file, context.deps());
  notify_service_manager("READY=1");
  LB_TRY(agent->run(context.stop));
  notify_service_manager("STOPPING=1");
  return {};
}

// Until the program is told to stop.
Status serve(std::stop_token stop, Engine& engine, PageServer& server) {
  std::fflush(stdout);
  notify_service_manager("READY=1");
  wait_for_stop(stop);
  notify_service_manager("STOPPING=1");
  server.stop();
  return engine.stop();
}

// Requests come and go megabytes at a time; memory that went back to the system between them would be cleared anew for
// each. What is kept is bounded by the arenas.
void keep_freed_memory() {
  constexpr int kArenas = 4;
  constexpr int kKeptOfEach = 32 << 20;
  ::mallopt(M_ARENA_MAX, kArenas);
  ::mallopt(M_MMAP_THRESHOLD, kKeptOfEach);
  ::mallopt(M_TRIM_THRESHOLD, kKeptOfEach);
}

Status run_server_program(Context& context) {
  keep_freed_memory();
  LB_ASSIGN(auto engine, Engine::open(context.settings, context.deps()));
  LB_ASSIGN(Producer * store_side, engine->start_taking_batches());
  LB_ASSIGN(auto server, PageServer::start(context, *engine, {.tcp = true, .batches_to = store_side}));
  fmt::print("stored in   {}\n", context.stored_in());
  print_page(*server);
  return serve(context.stop, *engine, *server);
}

// The end of a program that is told to stop from outside, or has to for a reason of its own.
class Ending {
 public:
  explicit Ending(std::stop_token outside) : forward_(std::move(outside), [this] { source_.request_stop(); }) {}
  std::stop_token token() const { return source_.get_token(); }
  void tell(Error error) {
    {
      MutexLock lock(mutex_);
      why_ = std::move(error);
    }
    source_.request_stop();
  }
  Status why() {
    MutexLock lock(mutex_);
    return why_;
  }

 private:
  std::stop_source source_;
  Mutex mutex_;
  Status why_ LB_GUARDED_BY(mutex_);
  std::stop_callback<std::function<void()>> forward_;
};

// Where a transfer says how far it is: to a server, in etcd, or both.
struct Reports {
  std::unique_ptr<AgentReporter> to_server;
  std::unique_ptr<PresenceTeller> in_etcd;
};

// Why nothing is being stored; asking the store costs, so now and then. Thread-safe.
class StoreProblem {
 public:
  explicit StoreProblem(Engine& engine) : engine_(engine) {}
  std::string text() {
    MutexLock lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    if (now < ask_at_) return text_;
    text_ = engine_.store().keeper().stats().problem;
    if (text_.empty() && engine_.metrics() != nullptr) text_ = engine_.metrics()->stats().problem;
    ask_at_ = now + std::chrono::seconds(15);
    return text_;
  }

 private:
  Engine& engine_;
  Mutex mutex_;
  std::string text_ LB_GUARDED_BY(mutex_);
  std::chrono::steady_clock::time_point ask_at_ LB_GUARDED_BY(mutex_){};
};

Result<Reports> start_reports(Context& context, Engine& engine) {
  LB_ASSIGN(const AgentIdentity identity, transfer_identity(context.settings, *context.files));
  const auto problem = std::make_shared<StoreProblem>(engine);
  const auto state = [&engine, problem, started = context.clock.now()] {
    AgentState now;
    now.role = "transfer";
    now.version = LOGBOOM_VERSION;
    now.started = started;
    now.problem = engine.topics_problem();
    if (now.problem.empty()) now.problem = problem->text();
    now.partitions = engine.partitions();
    return now;
  };
  Reports reports;
  if (!identity.client.server.empty()) {
    const ControlLink link = open_control_link(identity);
    reports.to_server = start_agent_reporter(
        identity, link.session, state,
        [](const config::PreviewQuestion& q, std::stop_token) { return refused_preview(q, "a transfer has no rules"); },
        [link](const Error& error) {
          if (error.code() == ErrorCode::kNotFound) return link.forget();
          log_error("this transfer reports no more: {}", error.message());
        },
        {});
  }
  LB_ASSIGN(auto presence, open_presence(context.settings, context.config_file, "transfer-" + identity.id.substr(0, 8),
                                         *context.files));
  if (presence) reports.in_etcd = start_presence_teller(identity, std::move(presence), state);
  return reports;
}

Status run_transfer_program(Context& context) {
  if (context.settings.text("transfer.start_at") == "latest")
    tell_old_meaning(context,
                     "topics that were never read here begin at their newest message ([kafka] start_at = earliest "
                     "changes that)");
  LB_TRY(refuse_what_loses_lines(context.settings, context.config_file, context.deps(), context.stop));
  const StartExamination examination(context.settings, context.config_file, context.deps());
  Ending ending(context.stop);
  LB_ASSIGN(auto engine, Engine::open(context.settings, context.deps()));
  LB_TRY(engine->start_reading_topics([&ending](Error error) { ending.tell(std::move(error)); }));
  LB_ASSIGN(auto server, PageServer::start(context, *engine, {.tcp = true, .asks_agents = true}));
  LB_ASSIGN(const auto reports, start_reports(context, *engine));
  fmt::print("reading     {} from Kafka at {}\nstored in   {}\n", printable(context.settings.text("transfer.topics")),
             printable(context.settings.text("transport.brokers")), context.stored_in());
  print_page(*server);
  LB_TRY(serve(ending.token(), *engine, *server));
  return ending.why();
}

}  // namespace

int run_agent(Context& context, const Args& args) {
  const Status ran = run_agent_program(context, args);
  return ran.ok() ? kOk : fail(ran.error());
}

int run_transfer(Context& context, const Args& args) {
  const auto settings = follow_settings(context, args);
  const Status ran = run_transfer_program(context);
  return ran.ok() ? kOk : fail(ran.error());
}

int run_server(Context& context, const Args& args) {
  const auto settings = follow_settings(context, args);
  const Status ran = run_server_program(context);
  return ran.ok() ? kOk : fail(ran.error());
}

}  // namespace logboom::app
