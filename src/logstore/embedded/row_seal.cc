#include "logstore/embedded/row_seal.h"

#include <fmt/format.h>

namespace logboom::logstore::embedded {

Status check_row_version(std::uint8_t version, std::string_view what) {
  if (version == kRowVersion) return ok_status();
  return Error(ErrorCode::kUnsupported,
               fmt::format("cannot read {}: version {} is newer than this program", what, version));
}

Error damaged_row(std::string_view what) {
  return Error(ErrorCode::kCorrupt, fmt::format("cannot read {}: its content makes no sense", what));
}

}  // namespace logboom::logstore::embedded
