#include "transport/kafka/connection_health.h"

#include <fmt/format.h>

#include "base/log.h"

namespace logboom::transport::kafka {
namespace {

using namespace std::chrono_literals;

constexpr auto kSayAgain = 10min;
// Of several clients, some may still use the old password when the first is let in.
constexpr auto kQuiet = 1min;

}  // namespace

void ConnectionHealth::failed(const std::string& broker, Trouble trouble) {
  const auto now = std::chrono::steady_clock::now();
  const bool waits = trouble.fault == ConnectionFault::kUnreachable;
  std::string words;
  {
    MutexLock lock(mutex_);
    const auto said = said_.find(trouble.fault);
    // One broker of several may come and go.
    const bool again =
        said == said_.end() || now - said->second.at >= (said->second.over && !waits ? kQuiet : kSayAgain);
    if (again && remedy_) {
      const std::string where = broker.empty() ? "Kafka" : "Kafka " + printable(broker);
      words = fmt::format("{}: {} (remedy: {})", where, trouble.text, remedy_(trouble.fault));
      said_[trouble.fault] = {now, false};
    }
    trouble_ = std::move(trouble);
    well_ = false;
  }
  if (words.empty()) return;
  if (waits) {
    log_warn("{}", words);
  } else {
    log_error("{}", words);
  }
}

void ConnectionHealth::answered() {
  if (well_) return;
  bool tell = false;
  {
    MutexLock lock(mutex_);
    trouble_.reset();
    well_ = true;
    for (auto& [fault, said] : said_) tell |= !std::exchange(said.over, true);
  }
  if (tell) log_info("Kafka answers again");
}

std::optional<ConnectionHealth::Trouble> ConnectionHealth::trouble() const {
  MutexLock lock(mutex_);
  return trouble_;
}

std::string ConnectionHealth::problem() const {
  const auto last = trouble();
  if (!last || last->fault == ConnectionFault::kUnreachable) return "";
  return fmt::format("Kafka: {}; {}", last->text, remedy_ ? remedy_(last->fault) : "");
}

}  // namespace logboom::transport::kafka
