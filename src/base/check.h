// Broken invariants abort, in every build: a wrong store is worse than a stopped one. Bad *data* is no broken
// invariant; it is counted and quarantined (see docs/architecture.md).
#pragma once

namespace logboom {
[[noreturn]] void check_failed(const char* expression, const char* file, int line);
}

#define LB_CHECK(expression) \
  (static_cast<bool>(expression) ? static_cast<void>(0) : ::logboom::check_failed(#expression, __FILE__, __LINE__))
