#include "app/page_server.h"

#include <algorithm>

#include <fmt/format.h>
#include <unistd.h>

#include "app/local_api.h"
#include "app/paths.h"
#include "http/auth/gate.h"
#include "http/json.h"
#include "http/server.h"
#include "server/api.h"
#include "server/fleet/agent_routes.h"
#include "server/fleet/fleet_routes.h"
#include "server/page.h"

namespace logboom::app {
namespace {

// Every agent holds one question for rules open.
constexpr std::size_t kWaitingAgents = 1000;

std::string pipeline_json(const config::Settings& settings, Engine& engine) {
  std::string out;
  http::JsonWriter json(out);
  json.open_object();
  json.field("budget_used", engine.budget_used());
  json.field("budget_limit", settings.size("limits.memory").bytes() / 2);
  json.field("rules_revision", engine.rules().revision);
  json.field("rules_problem", engine.rules_problem());
  json.close_object();
  return out;
}

class PageServerOfEngine final : public PageServer {
 public:
  static Result<std::unique_ptr<PageServer>> start(Context& context, Engine& engine, const PageServerOptions& options) {
    auto made = std::make_unique<PageServerOfEngine>();
    http::GateOptions gate;
    gate.data_directory = context.data_directory();
    gate.listen = context.settings.text("server.listen");
    gate.public_url = context.settings.text("server.public_url");
    gate.tls = !context.settings.text("server.tls_cert").empty();
    LB_ASSIGN(made->gate_, http::Gate::open(gate, *context.files, context.clock));
    server::register_api(made->router_, made->deps(context, engine));
    register_program_routes(made->router_, engine, &made->gate_->events());
    if (options.batches_to) LB_TRY(made->take_agents(context, engine, *options.batches_to));
    server::register_page(made->router_, server::page_assets());
    http::ServerOptions server;
    server.listen = options.tcp ? gate.listen : "";
    server.unix_socket = socket_path(context.data_directory());
    server.tls_certificate = context.settings.text("server.tls_cert");
    server.tls_key = context.settings.text("server.tls_key");
    if (options.batches_to) server.limits.streams += kWaitingAgents;
    made->server_ =
        std::make_unique<http::HttpServer>(server, made->router_, *made->gate_, context.registry, context.clock);
    if (Status started = made->server_->start(); !started.ok()) {
      return started.error().with_context("server.listen (" + context.settings.value("server.listen").origin + ")");
    }
    made->gate_->set_port(made->server_->port());
    return std::unique_ptr<PageServer>(std::move(made));
  }

  std::string sign_in_url() override { return gate_->sign_in_address(fmt::format("uid:{}", ::geteuid())).url; }
  void stop() override { server_->stop(); }

 private:
  Status take_agents(Context& context, Engine& engine, Producer& batches_to) {
    logstore::LogWriter& store = *engine.store().writer();
    server::FleetOptions options;
    options.directory = context.data_directory();
    LB_ASSIGN(options.own_agent, own_agent_id(context.settings, *context.files));
    LB_ASSIGN(const auto known, store.known_sources(logstore::Expired::kHeld));
    for (const KnownSource& source : known) options.stored.push_back(source.source);
    options.token_is_valid = [this](const std::string& id) { return gate_->tokens().is_valid(id); };
    LB_ASSIGN(fleet_, server::Fleet::open(std::move(options), *context.files, context.clock));
    budget_ = std::make_unique<MemoryBudget>(context.settings.size("limits.memory").bytes() / 4);
    rules_ = std::make_unique<server::HostRules>(context.data_directory(), *context.files, context.clock);
    server::register_agent_routes(router_,
                                  {*fleet_, *rules_, gate_.get(), batches_to,
                                   [&store] { return store.known_sources(logstore::Expired::kHeld); }, *budget_});
    server::register_fleet_routes(router_, {*fleet_, *rules_, *gate_, context.clock});
    return {};
  }

  server::ApiDeps deps(Context& context, Engine& engine) {
    server::ApiDeps deps{engine.store(), context.clock};
    deps.registry = &context.registry;
    deps.gate = gate_.get();
    deps.source_status = [&engine] { return engine.source_status(); };
    deps.reread = make_reread(context.deps());
    deps.pipeline_json = [&context, &engine] { return pipeline_json(context.settings, engine); };
    deps.version = LOGBOOM_VERSION;
    deps.host = host_name(context.settings.text("agent.name"));
    deps.started = context.clock.now();
    return deps;
  }

  std::unique_ptr<http::Gate> gate_;
  std::unique_ptr<server::Fleet> fleet_;
  std::unique_ptr<server::HostRules> rules_;
  std::unique_ptr<MemoryBudget> budget_;
  http::Router router_;
  std::unique_ptr<http::HttpServer> server_;
};

}  // namespace

Result<std::unique_ptr<PageServer>> PageServer::start(Context& context, Engine& engine,
                                                      const PageServerOptions& options) {
  return PageServerOfEngine::start(context, engine, options);
}

}  // namespace logboom::app
