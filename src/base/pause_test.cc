#include "base/pause.h"

#include <thread>

#include <gtest/gtest.h>

namespace logboom {
namespace {

using namespace std::chrono_literals;

TEST(Pause, LastsAsLongAsItIsAskedTo) {
  const auto began = std::chrono::steady_clock::now();
  EXPECT_TRUE(pause_for(20ms, {}));
  EXPECT_GE(std::chrono::steady_clock::now() - began, 20ms);
}

TEST(Pause, EndsWithAStop) {
  std::stop_source stop;
  std::jthread asks([&] { stop.request_stop(); });
  EXPECT_FALSE(pause_for(1h, stop.get_token()));
  EXPECT_FALSE(pause_for(1h, stop.get_token())) << "one that had come";
  wait_for_stop(stop.get_token());
}

}  // namespace
}  // namespace logboom
