// What the long-running commands have in common.
#pragma once

#include <stop_token>
#include <string>

namespace logboom::app {

// Tells systemd (READY=1, STOPPING=1) where it runs us; nothing elsewhere.
void notify_service_manager(const std::string& state);
// Blocks until the stop.
void wait_for_stop(std::stop_token stop);

}  // namespace logboom::app
