// What a large body may take of the memory that all of them share. Internal to http/; of the network thread.
#pragma once

#include <cstddef>

#include "http/core.h"

namespace logboom::http {

// A share of ServerLimits::large_bodies, given back when it dies. Nothing else in use: any one body is granted.
class LargeBody {
 public:
  LargeBody(Shared& shared, std::size_t bytes) : shared_(shared), bytes_(bytes) {
    granted_ =
        bytes == 0 || shared.large_bodies == 0 || shared.large_bodies + bytes <= shared.options.limits.large_bodies;
    if (granted_) shared_.large_bodies += bytes_;
  }
  ~LargeBody() {
    if (granted_) shared_.large_bodies -= bytes_;
  }
  LargeBody(const LargeBody&) = delete;
  LargeBody& operator=(const LargeBody&) = delete;
  bool granted() const { return granted_; }

 private:
  Shared& shared_;
  const std::size_t bytes_;
  bool granted_ = false;
};

}  // namespace logboom::http
