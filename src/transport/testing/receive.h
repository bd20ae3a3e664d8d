// The next delivery of a consumer within a time, for tests.
#pragma once

#include <chrono>
#include <optional>
#include <thread>

#include "base/pause.h"
#include "transport/transport.h"

namespace logboom::transport {

// nullopt: none came in time.
inline std::optional<Delivery> receive(Consumer& from, std::chrono::milliseconds patience) {
  std::stop_source stop;
  std::jthread watch([&](std::stop_token done) {
    pause_for(patience, done);
    stop.request_stop();
  });
  return from.receive(stop.get_token());
}

}  // namespace logboom::transport
