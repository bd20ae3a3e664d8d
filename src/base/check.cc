#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace logboom {

void check_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "logboom: broken invariant: %s (%s:%d)\n", expression, file, line);
  std::abort();
}

}  // namespace logboom
