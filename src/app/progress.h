// Progress: one line on stderr for long work, redrawn in place; silent in a pipe.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace logboom::app {

// Used by one thread.
class Progress {
 public:
  // `shown`: false makes every call a no-op.
  Progress(bool shown, std::string what);
  ~Progress();
  // `done` of `total` bytes (0: unknown), and anything more to say.
  void update(std::uint64_t done, std::uint64_t total, std::string_view more = "");
  // Wipes the line.
  void finish();

 private:
  const bool shown_;
  const std::string what_;
  const std::chrono::steady_clock::time_point began_;
  std::chrono::steady_clock::time_point drawn_;
  bool dirty_ = false;
};

}  // namespace logboom::app
