#include "base/result.h"

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

namespace logboom {

std::string_view error_code_name(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return "invalid argument";
    case ErrorCode::kNotFound:
      return "not found";
    case ErrorCode::kCorrupt:
      return "corrupt";
    case ErrorCode::kIo:
      return "io";
    case ErrorCode::kUnavailable:
      return "unavailable";
    case ErrorCode::kRejected:
      return "rejected";
    case ErrorCode::kFull:
      return "full";
    case ErrorCode::kCancelled:
      return "cancelled";
    case ErrorCode::kUnsupported:
      return "unsupported";
    case ErrorCode::kInternal:
      return "internal";
  }
  return "unknown";
}

Error Error::with_context(std::string_view context) const {
  return Error(code_, fmt::format("{}: {}", context, message_), os_error_);
}

Error os_error(std::string_view what, int error_number) {
  ErrorCode code = ErrorCode::kIo;
  if (error_number == ENOSPC || error_number == EDQUOT) code = ErrorCode::kFull;
  if (error_number == ENOENT) code = ErrorCode::kNotFound;
  char buffer[128];
  return Error(code, fmt::format("cannot {}: {}", what, strerror_r(error_number, buffer, sizeof buffer)), error_number);
}

}  // namespace logboom
