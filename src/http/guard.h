// Guard: the doorkeeper of a server. Called on the network thread for every request, after its header and before its
// body is read, so it never blocks on a disk.
#pragma once

#include <optional>

#include "http/message.h"
#include "http/router.h"

namespace logboom::http {

class Guard {
 public:
  virtual ~Guard() = default;
  // Before routing: is this a request we look at at all (Host)?
  virtual std::optional<Refusal> admit(const Request& request) = 0;
  // After routing; `route` is nullptr when none matched. Sets request.principal.
  virtual std::optional<Refusal> authorize(Request& request, const Route* route) = 0;
};

}  // namespace logboom::http
