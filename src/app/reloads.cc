#include "app/reloads.h"

#include <utility>

#include "base/log.h"

namespace logboom::app {

Reloads::Subscription::Subscription(Reloads& reloads, std::function<void()> handler) : reloads_(reloads) {
  MutexLock lock(reloads_.mutex_);
  id_ = reloads_.next_++;
  reloads_.handlers_.emplace(id_, std::move(handler));
}

Reloads::Subscription::~Subscription() {
  MutexLock lock(reloads_.mutex_);
  reloads_.handlers_.erase(id_);
}

void Reloads::request() {
  MutexLock lock(mutex_);
  if (!handlers_.empty()) log_info("SIGHUP: reading the configuration anew");
  for (const auto& [id, handler] : handlers_) handler();
}

}  // namespace logboom::app
