#include "app/local_api.h"

#include "app/paths.h"
#include "server/api.h"

namespace logboom::app {
namespace {

class LocalApiOverStore final : public LocalApi {
 public:
  static Result<std::unique_ptr<LocalApi>> open(Context& context, ApiNeed need) {
    auto local = std::make_unique<LocalApiOverStore>();
    if (need == ApiNeed::kWrite) {
      LB_ASSIGN(local->engine_, Engine::open(context.settings, context.deps()));
    } else {
      LB_ASSIGN(local->store_, open_store(context.settings, StoreMode::kRead, context.deps()));
    }
    logstore::LogStore& store = local->engine_ ? local->engine_->store() : *local->store_;
    server::ApiDeps deps{store, context.clock};
    deps.reread = make_reread(context.deps());
    deps.version = LOGBOOM_VERSION;
    deps.host = host_name(context.settings.text("agent.name"));
    deps.started = context.clock.now();
    server::register_api(local->router_, std::move(deps));
    if (local->engine_) register_program_routes(local->router_, *local->engine_, nullptr);
    return std::unique_ptr<LocalApi>(std::move(local));
  }
  const http::Router& router() const override { return router_; }

 private:
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<logstore::LogStore> store_;
  http::Router router_;  // its handlers refer to the store
};

}  // namespace

Result<std::unique_ptr<LocalApi>> LocalApi::open(Context& context, ApiNeed need) {
  return LocalApiOverStore::open(context, need);
}

}  // namespace logboom::app
