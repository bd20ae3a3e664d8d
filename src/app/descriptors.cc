#include "app/descriptors.h"

#include <algorithm>

#include <sys/resource.h>

namespace logboom::app {
namespace {

constexpr rlim_t kWanted = 65'536;
constexpr rlim_t kMostFollowed = 512;
constexpr rlim_t kLeastFollowed = 2;
constexpr rlim_t kMostProcesses = 256;

rlimit limit_now() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) limit = {1024, 1024};
  return limit;
}

}  // namespace

void raise_descriptor_limit() {
  rlimit limit = limit_now();
  limit.rlim_cur = std::max(limit.rlim_cur, std::min(kWanted, limit.rlim_max));
  // Where it is refused, what there is has to do: the shares below are of that.
  (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

std::uint32_t most_followed_files_open() {
  return static_cast<std::uint32_t>(std::clamp(limit_now().rlim_cur / 4, kLeastFollowed, kMostFollowed));
}

std::uint32_t most_processes_open() {
  return static_cast<std::uint32_t>(std::min(limit_now().rlim_cur / 8, kMostProcesses));
}

}  // namespace logboom::app
