#include "app/local_api.h"

#include <fmt/format.h>

#include "app/paths.h"
#include "base/log.h"
#include "http/auth/gate.h"
#include "server/api.h"
#include "server/fleet/fleet_routes.h"

namespace logboom::app {
namespace {

class LocalApiOverStore final : public LocalApi {
 public:
  static Result<std::unique_ptr<LocalApi>> open(Context& context, bool writes) {
    auto local = std::make_unique<LocalApiOverStore>();
    if (writes) {
      LB_ASSIGN(local->engine_, Engine::open(context.settings, context.deps()));
    } else {
      LB_ASSIGN(local->store_, open_store(context.settings, StoreMode::kRead, context.deps()));
      LB_TRY(local->open_metrics(context));
    }
    logstore::LogStore& store = local->engine_ ? local->engine_->store() : *local->store_;
    server::ApiDeps deps{store, context.clock};
    deps.metrics = local->engine_ ? local->engine_->metrics() : local->metrics_.get();
    deps.reread = make_reread(context.deps());
    deps.version = LOGBOOM_VERSION;
    deps.host = host_name(context.settings.text("agent.name"));
    deps.started = context.clock.now();
    server::register_api(local->router_, std::move(deps));
    if (local->engine_) register_program_routes(local->router_, context, *local->engine_, nullptr);
    return std::unique_ptr<LocalApi>(std::move(local));
  }
  const http::Router& router() const override { return router_; }

 private:
  // Where there is none, or it is damaged, everything else can still be asked.
  Status open_metrics(Context& context) {
    auto opened = open_metric_store(context.settings, StoreMode::kRead, context.deps());
    if (opened.ok()) metrics_ = std::move(*opened);
    if (!opened.ok() && opened.error().code() != ErrorCode::kNotFound) log_warn("{}", opened.error().message());
    return {};
  }

  std::unique_ptr<Engine> engine_;
  std::unique_ptr<logstore::LogStore> store_;
  std::unique_ptr<metricstore::MetricStore> metrics_;
  http::Router router_;  // its handlers refer to the store
};

class LocalApiOverRules final : public LocalApi {
 public:
  static Result<std::unique_ptr<LocalApi>> open(Context& context, bool writes) {
    auto local = std::make_unique<LocalApiOverRules>();
    if (writes) LB_TRY(local->take_lock(context));
    LB_ASSIGN(local->gate_, http::Gate::open({context.data_directory()}, *context.files, context.clock));
    LB_ASSIGN(local->rules_, open_rules_of_files(context, writes));
    register_rule_routes(local->router_, *local->rules_, &local->gate_->events());
    if (context.files->stat(context.data_directory() + "/agents.json").ok()) LB_TRY(local->know_agents(context));
    return std::unique_ptr<LocalApi>(std::move(local));
  }
  const http::Router& router() const override { return router_; }

 private:
  Status take_lock(Context& context) {
    auto lock = lock_store(context.settings, *context.files);
    if (!lock.ok() && lock.error().code() == ErrorCode::kUnavailable) {
      return Error(ErrorCode::kUnavailable,
                   fmt::format("cannot change the rules in {}: a logboom works there and does not answer; it starts, "
                               "stops or imports: try again in a moment",
                               printable(context.data_directory())));
    }
    LB_ASSIGN(lock_, std::move(lock));
    return {};
  }

  Status know_agents(Context& context) {
    server::FleetOptions options;
    options.directory = context.data_directory();
    LB_ASSIGN(fleet_, server::Fleet::open(std::move(options), *context.files, context.clock));
    host_rules_ = std::make_unique<server::HostRules>(context.data_directory(), *context.files, context.clock);
    server::register_fleet_routes(router_, {*fleet_, *host_rules_, *gate_});
    return {};
  }

  std::unique_ptr<FileLock> lock_;
  std::unique_ptr<http::Gate> gate_;
  std::unique_ptr<RulesInForce> rules_;
  std::unique_ptr<server::Fleet> fleet_;
  std::unique_ptr<server::HostRules> host_rules_;
  http::Router router_;  // its handlers refer to all of them
};

}  // namespace

Result<std::unique_ptr<LocalApi>> LocalApi::open(Context& context, bool writes) {
  return LocalApiOverStore::open(context, writes);
}

Result<std::unique_ptr<LocalApi>> LocalApi::open_rules(Context& context, bool writes) {
  return LocalApiOverRules::open(context, writes);
}

}  // namespace logboom::app
