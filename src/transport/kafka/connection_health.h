// ConnectionHealth: how the Kafka clients of a program get on with their cluster. The library tells each client of each
// attempt that fails; a person is told once, by the log, and can ask for it. Thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
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
  // `remedy`: what a person may do about a fault; empty: nothing is said in the log.
  explicit ConnectionHealth(std::function<std::string(ConnectionFault)> remedy = {}) : remedy_(std::move(remedy)) {}

  // A connection failed. Said in the log where it is the first such since the cluster answered last, and once in ten
  // minutes while it lasts.
  void failed(const Trouble& trouble);
  // The cluster answered: what was said of it is over.
  void answered();
  // The last that failed since.
  std::optional<Trouble> trouble() const;

 private:
  const std::function<std::string(ConnectionFault)> remedy_;
  mutable Mutex mutex_;
  std::optional<Trouble> trouble_ LB_GUARDED_BY(mutex_);
  std::map<ConnectionFault, std::chrono::steady_clock::time_point> said_ LB_GUARDED_BY(mutex_);
};

}  // namespace logboom::transport::kafka
