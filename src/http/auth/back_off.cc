#include "http/auth/back_off.h"

#include <algorithm>

namespace logboom::http {

std::chrono::seconds BackOff::wait(const std::string& key) {
  MutexLock lock(mutex_);
  const auto it = entries_.find(key);
  if (it == entries_.end()) return std::chrono::seconds(0);
  const auto left = it->second.until - clock_.monotonic();
  return left.count() <= 0 ? std::chrono::seconds(0) : std::chrono::ceil<std::chrono::seconds>(left);
}

std::uint32_t BackOff::failed(const std::string& key) {
  MutexLock lock(mutex_);
  const auto now = clock_.monotonic();
  auto it = entries_.find(key);
  if (it == entries_.end()) {
    if (entries_.size() >= kMaxKeys)
      entries_.erase(std::ranges::min_element(entries_, {}, [](const auto& e) { return e.second.last; }));
    it = entries_.emplace(key, Entry{}).first;
  }
  Entry& entry = it->second;
  if (now - entry.last > kForget) entry.failures = 0;
  ++entry.failures;
  entry.last = now;
  if (entry.failures >= kFree) {
    const auto exponent = std::min<std::uint32_t>(entry.failures - kFree, 6);
    entry.until = now + std::min<std::chrono::seconds>(std::chrono::seconds(1LL << exponent), kLongest);
  }
  return entry.failures;
}

void BackOff::succeeded(const std::string& key) {
  MutexLock lock(mutex_);
  entries_.erase(key);
}

}  // namespace logboom::http
