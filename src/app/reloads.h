// Reloads: SIGHUP, handed to whoever has something to read anew: the collector its rules, the program its settings.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>

#include "base/mutex.h"

namespace logboom::app {

// Thread-safe; outlives what it gives.
class Reloads {
 public:
  // Until this goes the handler runs at every request, in the thread that asks; it does not block. Gone, it runs no
  // more.
  class Subscription {
   public:
    Subscription(Reloads& reloads, std::function<void()> handler);
    ~Subscription();
    Subscription(const Subscription&) = delete;
    Subscription& operator=(const Subscription&) = delete;

   private:
    Reloads& reloads_;
    std::uint64_t id_ = 0;
  };

  void request();

 private:
  Mutex mutex_;
  std::uint64_t next_ LB_GUARDED_BY(mutex_) = 0;
  std::map<std::uint64_t, std::function<void()>> handlers_ LB_GUARDED_BY(mutex_);
};

}  // namespace logboom::app
