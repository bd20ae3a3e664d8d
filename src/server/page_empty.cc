// Stands in for the embedded page where there was no Node to build it.
#include "server/page.h"

namespace logboom::server {
const std::vector<Asset>& page_assets() {
  static const std::vector<Asset> kNone;
  return kNone;
}
}  // namespace logboom::server
