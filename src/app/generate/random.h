// Random: the generator's source of chance; the same seed gives the same numbers on every machine (splitmix64, Steele,
// Lea and Flood 2014), which the distributions of the standard library do not promise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace logboom::app {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  // In [0, n); n > 0.
  std::uint64_t below(std::uint64_t n) { return next() % n; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  // Small numbers often, large ones seldom, as latencies and sizes are: in [1, limit].
  std::uint64_t skewed(std::uint64_t limit) { return 1 + below(1 + below(1 + below(limit))); }
  template <typename T, std::size_t N>
  const T& pick(const T (&items)[N]) {
    return items[below(N)];
  }

 private:
  std::uint64_t state_;
};

}  // namespace logboom::app
