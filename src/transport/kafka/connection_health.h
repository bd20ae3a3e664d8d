// ConnectionHealth: how the Kafka clients of a program get on with their cluster. The library tells each client of each
// attempt that fails; a person is told once, by the log, and can ask for it. Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "base/mutex.h"

namespace logboom::transport::kafka {

enum class ConnectionFault : std::uint8_t { kUnreachable, kName, kTls, kSignIn };

class ConnectionHealth {
 public:
  struct Trouble {
    ConnectionFault fault = ConnectionFault::kUnreachable;
    std::string text;
  };
  // `remedy`: what a person may do about a fault; none: nothing is said in the log.
  explicit ConnectionHealth(std::function<std::string(ConnectionFault)> remedy) : remedy_(std::move(remedy)) {}

  // A connection to `broker` (empty: which one is not known) failed. Each kind of fault is said at most once in ten
  // minutes, or in one minute where the cluster answered meanwhile.
  void failed(const std::string& broker, Trouble trouble);
  // The cluster answered: what failed before is over.
  void answered();
  // The last that failed since.
  std::optional<Trouble> trouble() const;
  // The same for people, where waiting alone does not help (a password, a certificate, a name); else empty.
  std::string problem() const;

 private:
  using Moment = std::chrono::steady_clock::time_point;
  struct Said {
    Moment at;
    bool over = false;  // the cluster answered since
  };
  const std::function<std::string(ConnectionFault)> remedy_;
  std::atomic<bool> well_ = true;
  mutable Mutex mutex_;
  std::optional<Trouble> trouble_ LB_GUARDED_BY(mutex_);
  std::map<ConnectionFault, Said> said_ LB_GUARDED_BY(mutex_);
};

}  // namespace logboom::transport::kafka
