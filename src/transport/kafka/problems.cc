#include "transport/kafka/problems.h"

#include "base/log.h"

namespace logboom::transport::kafka {
namespace {

using Clock = std::chrono::steady_clock;

// One that is not said again is over: nothing is tried there any more.
constexpr auto kLasts = std::chrono::seconds(60);

}  // namespace

void Problems::set(const std::string& what, const std::string& words) {
  if (words.empty() && none_) return;
  bool same = true;
  {
    MutexLock lock(mutex_);
    if (words.empty()) {
      problems_.erase(what);
    } else {
      Problem& problem = problems_[what];
      same = problem.words == words;
      problem = {words, Clock::now()};
    }
    none_ = problems_.empty();
  }
  if (!same) log_warn("{}", words);
}

std::string Problems::first() const {
  MutexLock lock(mutex_);
  for (const auto& [what, problem] : problems_) {
    if (Clock::now() - problem.said < kLasts) return problem.words;
  }
  return "";
}

}  // namespace logboom::transport::kafka
