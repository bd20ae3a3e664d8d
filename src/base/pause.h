// Waiting for nothing but the time, or a stop. No polling.
#pragma once

#include <chrono>
#include <stop_token>

namespace logboom {

// False: the stop came first, or had come before.
bool pause_for(std::chrono::nanoseconds time, const std::stop_token& stop);

void wait_for_stop(const std::stop_token& stop);

}  // namespace logboom
