// GeneratedLogs: writes several log files at a rate, with the rotations applications and logrotate do.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "app/generate/line_maker.h"
#include "base/clock.h"
#include "base/result.h"

namespace logboom::app {

enum class Rotation { kNone, kRename, kCopyTruncate, kGzip };

struct GenerateOptions {
  std::vector<std::string> paths;   // one writer each
  std::vector<LineFormat> formats;  // by file, repeated
  std::uint64_t seed = 1;
  std::uint64_t bytes = 0;  // in all, spread evenly; 0: no limit
  std::uint64_t lines = 0;  // in all; 0: no limit
  double rate = 0;          // lines per second in all; 0: as fast as it goes
  Rotation rotation = Rotation::kNone;
  std::string rotate_name;                    // strftime pattern of the rotated file's name; empty: name.1, name.2, ...
  std::chrono::milliseconds rotate_every{0};  // 0 with a rotation: every second
  std::optional<TimeNs> start;                // time of the first line; none: a fixed time, with a rate the clock's
};

struct GenerateProgress {
  std::uint64_t bytes = 0;
  std::uint64_t lines = 0;
};

// Writes until the limits, or the stop. Existing files are replaced. kIo when a file cannot be written.
Result<GenerateProgress> generate_logs(const GenerateOptions& options, const Clock& clock,
                                       const std::function<void(const GenerateProgress&)>& on_progress,
                                       std::stop_token stop);

}  // namespace logboom::app
