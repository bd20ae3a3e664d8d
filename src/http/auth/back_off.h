// BackOff: after a few failures of one key (an address, an account) further attempts wait, longer each time.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

#include "base/clock.h"
#include "base/mutex.h"

namespace logboom::http {

// Thread-safe. Bound: kMaxKeys; the key that failed longest ago is forgotten first.
class BackOff {
 public:
  static constexpr std::size_t kMaxKeys = 4096;
  static constexpr std::uint32_t kFree = 5;            // failures without a wait
  static constexpr std::chrono::seconds kLongest{60};  // 1, 2, 4 ... 60 s
  static constexpr std::chrono::minutes kForget{15};   // without a failure
  explicit BackOff(const Clock& clock) : clock_(clock) {}
  // How long an attempt has to wait; zero: it may go on.
  std::chrono::seconds wait(const std::string& key);
  // Failures of this key so far, this one included.
  std::uint32_t failed(const std::string& key);
  void succeeded(const std::string& key);

 private:
  struct Entry {
    std::uint32_t failures = 0;
    std::chrono::nanoseconds last{0};
    std::chrono::nanoseconds until{0};
  };
  const Clock& clock_;
  Mutex mutex_;
  std::map<std::string, Entry> entries_ LB_GUARDED_BY(mutex_);
};

}  // namespace logboom::http
