#include "source/collector.h"

namespace logboom::source {

std::string_view file_state_name(FileState state) {
  switch (state) {
    case FileState::kActive:
      return "active";
    case FileState::kIdle:
      return "idle";
    case FileState::kRotated:
      return "rotated";
    case FileState::kFinished:
      return "finished";
    case FileState::kUnreadable:
      return "unreadable";
    case FileState::kMissing:
      return "missing";
    case FileState::kBinary:
      return "binary";
    case FileState::kAlias:
      return "alias";
    case FileState::kWaiting:
      return "waiting";
  }
  return "unknown";
}

}  // namespace logboom::source
