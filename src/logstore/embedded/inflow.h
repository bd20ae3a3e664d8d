// Inflow: how fast bytes come in, averaged over about a second. Pure; the caller brings the time.
#pragma once

#include <chrono>
#include <cmath>
#include <cstdint>

namespace logboom::logstore::embedded {

class Inflow {
 public:
  // `now` does not go back.
  void add(std::uint64_t bytes, std::chrono::nanoseconds now) {
    recent_ = recent_ * share_left(now) + static_cast<double>(bytes);
    last_ = now;
  }
  double bytes_per_second(std::chrono::nanoseconds now) const { return recent_ * share_left(now); }

 private:
  double share_left(std::chrono::nanoseconds now) const {
    return std::exp(-std::chrono::duration<double>(now - last_).count());
  }

  double recent_ = 0;
  std::chrono::nanoseconds last_{0};
};

}  // namespace logboom::logstore::embedded
