#include "app/page_server.h"

#include <algorithm>

#include <fmt/format.h>
#include <unistd.h>

#include "app/agent_state.h"
#include "app/local_api.h"
#include "app/paths.h"
#include "app/repairs.h"
#include "base/log.h"
#include "http/auth/gate.h"
#include "http/certificate.h"
#include "http/json.h"
#include "http/server.h"
#include "http/url.h"
#include "server/api.h"
#include "server/fleet/agent_routes.h"
#include "server/fleet/fleet_routes.h"
#include "server/fleet/install_routes.h"
#include "server/page.h"

namespace logboom::app {
namespace {

// Every agent holds one question for rules open.
constexpr std::size_t kWaitingAgents = 1000;

// `fleet`: null where no agents are taken.
std::string pipeline_json(const config::Settings& settings, Engine& engine, const server::Fleet* fleet) {
  std::string out;
  http::JsonWriter json(out);
  json.open_object();
  json.field("budget_used", engine.budget_used());
  json.field("budget_limit", settings.size("limits.memory").bytes() / 4);
  json.field("rules_revision", engine.rules().revision);
  json.field("rules_problem", engine.rules_problem());
  json.field("topics_problem", engine.topics_problem());
  if (const auto partitions = engine.partitions(); !partitions.empty())
    json.field("lag_messages", unstored_messages(partitions)).key("topics").raw(partitions_json(partitions));
  if (fleet) json.field("agents", std::uint64_t{fleet->agents().size()});
  json.close_object();
  return out;
}

// The certificate and key the page is served with; none: plain HTTP.
struct ServedTls {
  std::string certificate;
  std::string key;
  std::string fingerprint;  // of a certificate of the program's own
};

Result<ServedTls> choose_tls(Context& context, bool loopback) {
  const config::Settings& settings = context.settings;
  const std::string& wanted = settings.text("server.tls");
  ServedTls given{settings.text("server.tls_cert"), settings.text("server.tls_key"), ""};
  if (wanted == "off") {
    if (!loopback)
      log_warn("serving without TLS to other hosts (server.tls: off): whoever is on the way reads tokens and logs");
    return ServedTls();
  }
  if (!given.certificate.empty() || (wanted == "auto" && loopback)) return given;
  std::vector<std::string> names = {host_name(""), "localhost", "127.0.0.1", "::1"};
  for (const char* setting : {"server.listen", "server.public_url"}) {
    const std::string& text = settings.text(setting);
    const std::size_t scheme = text.find("://");
    std::string_view rest = std::string_view(text).substr(scheme == std::string::npos ? 0 : scheme + 3);
    names.push_back(http::host_of(rest.substr(0, rest.find('/'))));
  }
  LB_ASSIGN(auto own, http::own_certificate(context.data_directory(), names, *context.files, context.clock));
  return ServedTls{own.certificate_file, own.key_file, own.fingerprint};
}

Error of_listen(Context& context, const Error& error) {
  return error.with_context("server.listen (" + context.settings.value("server.listen").origin + ")");
}

class PageServerOfEngine final : public PageServer {
 public:
  static Result<std::unique_ptr<PageServer>> start(Context& context, Engine& engine, const PageServerOptions& options) {
    auto made = std::make_unique<PageServerOfEngine>();
    http::GateOptions gate;
    gate.data_directory = context.data_directory();
    gate.listen = context.settings.text("server.listen");
    gate.public_url = context.settings.text("server.public_url");
    auto loopback = options.tcp ? http::is_loopback(gate.listen) : Result<bool>(true);
    if (!loopback.ok()) return of_listen(context, loopback.error());
    if (!*loopback) gate.allowed_hosts = {http::host_of(host_name(""))};
    LB_ASSIGN(const ServedTls tls, choose_tls(context, *loopback));
    gate.tls = !tls.certificate.empty();
    made->fingerprint_ = tls.fingerprint;
    LB_ASSIGN(made->gate_, http::Gate::open(gate, *context.files, context.clock));
    server::register_api(made->router_, made->deps(context, engine));
    register_program_routes(made->router_, context, engine, &made->gate_->events());
    if (options.batches_to) {
      LB_TRY(made->take_agents(context, engine, *options.batches_to));
    } else if (options.asks_agents) {
      LB_TRY(made->ask_agents(context, engine));
    } else {
      register_no_repair_route(made->router_,
                               "no agents send to this program: ask the server or the transfer they send to");
    }
    server::register_page(made->router_, server::page_assets());
    http::ServerOptions server;
    server.listen = options.tcp ? gate.listen : "";
    server.unix_socket = socket_path(context.data_directory());
    server.tls_certificate = tls.certificate;
    server.tls_key = tls.key;
    server.insecure = context.settings.text("server.tls") == "off";
    if (options.batches_to) server.limits.streams += kWaitingAgents;
    made->server_ =
        std::make_unique<http::HttpServer>(server, made->router_, *made->gate_, context.registry, context.clock);
    if (Status started = made->server_->start(); !started.ok()) return of_listen(context, started.error());
    made->gate_->set_port(made->server_->port());
    return std::unique_ptr<PageServer>(std::move(made));
  }

  std::string fingerprint() const override { return fingerprint_; }
  std::string sign_in_url() override { return gate_->sign_in_address(fmt::format("uid:{}", ::geteuid())).url; }
  void stop() override { server_->stop(); }

 private:
  Status take_agents(Context& context, Engine& engine, Producer& batches_to) {
    logstore::LogWriter& store = *engine.store().writer();
    server::FleetOptions options;
    options.directory = context.data_directory();
    LB_ASSIGN(options.own_agent, own_agent_id(context.settings, *context.files));
    LB_ASSIGN(const auto known, store.known_sources(logstore::Expired::kHeld));
    options.own_name = host_name(context.settings.text("agent.name"));
    for (const KnownSource& source : known) options.stored.push_back({source.source, source.state.host});
    LB_ASSIGN(const auto sources, engine.store().ledger().sources());
    for (const logstore::SourceInfo& source : sources) {
      if (!source.lost.empty()) options.lost.push_back(source.source);
    }
    options.token_is_valid = [this](const std::string& id) { return gate_->tokens().is_valid(id); };
    LB_ASSIGN(fleet_, server::Fleet::open(std::move(options), *context.files, context.clock));
    budget_ = std::make_unique<MemoryBudget>(context.settings.size("limits.memory").bytes() / 4);
    repairs_ = std::make_unique<server::Repairs>(context.clock);
    rules_ = std::make_unique<server::HostRules>(context.data_directory(), *context.files, context.clock);
    server::register_agent_routes(
        router_,
        {*fleet_, *rules_, gate_.get(), batches_to, [&store] { return store.known_sources(logstore::Expired::kHeld); },
         *budget_, &previews_, LOGBOOM_VERSION, &engine.store().ledger(), repairs_.get()});
    // Behind a proxy agents meet the proxy's certificate, not this one.
    const std::string pin = context.settings.text("server.public_url").empty() ? fingerprint_ : "";
    server::register_fleet_routes(router_, {*fleet_, *rules_, *gate_, &previews_, pin});
    server::register_install_routes(router_, {*gate_, *context.files, "/proc/self/exe", pin});
    return {};
  }

  // What is missing is asked for in etcd where rules are kept there, else by the server this program reports to.
  Status ask_agents(Context& context, Engine& engine) {
    LB_ASSIGN(asker_, open_repair_asker(context.settings, context.config_file, *context.files));
    if (!asker_) {
      register_no_repair_route(
          router_,
          "this transfer has no way to its agents: name the etcd that has their rules (rules.from: "
          "etcd, etcd.endpoints) or the server both report to (agent.server, agent.token_file)");
      return {};
    }
    logstore::LedgerView& ledger = engine.store().ledger();
    FindAgent find = [&ledger](const std::string& name, const std::stop_token&) {
      return agent_of_ledger(ledger, name);
    };
    if (rule_origin(context.settings, context.config_file) == RuleOrigin::kEtcd) {
      LB_ASSIGN(hosts_, open_central_rules(context.settings, *context.files));
      find = [this](const std::string& name, std::stop_token stop) { return central_agent(*hosts_, name, stop); };
    }
    register_repair_route(router_, ledger, std::move(find), *asker_, gate_->events());
    return {};
  }

  server::ApiDeps deps(Context& context, Engine& engine) {
    server::ApiDeps deps{engine.store(), context.clock};
    deps.registry = &context.registry;
    deps.gate = gate_.get();
    deps.metrics = engine.metrics();
    deps.source_status = [&engine] { return engine.source_status(); };
    deps.host_metrics = [&engine] { return engine.host_metrics(); };
    deps.reread = make_reread(context.deps());
    deps.pipeline_json = [this, &context, &engine] { return pipeline_json(context.settings, engine, fleet_.get()); };
    deps.version = LOGBOOM_VERSION;
    deps.host = host_name(context.settings.text("agent.name"));
    deps.started = context.clock.now();
    return deps;
  }

  std::string fingerprint_;
  std::unique_ptr<http::Gate> gate_;
  std::unique_ptr<server::Fleet> fleet_;
  std::unique_ptr<server::HostRules> rules_;
  std::unique_ptr<MemoryBudget> budget_;
  std::unique_ptr<config::CentralRules> hosts_;  // nullptr: agents are not asked over etcd
  std::unique_ptr<config::RepairAsker> asker_;   // nullptr: nor by a server
  std::unique_ptr<server::Repairs> repairs_;     // with fleet_
  server::Previews previews_;
  http::Router router_;
  std::unique_ptr<http::HttpServer> server_;
};

}  // namespace

void print_page(PageServer& server) {
  fmt::print("the page    {}\n            (works once; `logboom login` prints another)\n", server.sign_in_url());
  if (const std::string pin = server.fingerprint(); !pin.empty())
    fmt::print("certificate its own, fingerprint sha256:{}\n", pin);
}

Result<std::unique_ptr<PageServer>> PageServer::start(Context& context, Engine& engine,
                                                      const PageServerOptions& options) {
  return PageServerOfEngine::start(context, engine, options);
}

}  // namespace logboom::app
