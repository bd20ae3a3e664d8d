#include "server/fleet/previews.h"

#include "http/auth/secret.h"

namespace logboom::server {

Result<std::string> Previews::ask(const std::string& agent, std::string yaml, std::chrono::milliseconds longest,
                                  std::stop_token stop) {
  const std::string id = http::random_id(8);
  MutexLock lock(mutex_);
  asked_[agent] = {{id, std::move(yaml)}, std::nullopt};
  changed_.notify_all();  // whoever asked this agent before
  const auto over = [&]() LB_NO_THREAD_SAFETY_ANALYSIS {
    const auto mine = asked_.find(agent);
    return mine == asked_.end() || mine->second.question.id != id || mine->second.answer;
  };
  const bool answered = changed_.wait_for(mutex_, stop, longest, over);
  const auto mine = asked_.find(agent);
  if (mine == asked_.end() || mine->second.question.id != id)
    return Error(ErrorCode::kRejected, "somebody else has asked this agent meanwhile; try again");
  const auto given = std::move(mine->second.answer);
  asked_.erase(mine);
  if (answered && given) return *given;
  if (stop.stop_requested()) return Error(ErrorCode::kCancelled, "stopped");
  return Error(ErrorCode::kUnavailable, "the agent has not answered; is it online, and of this version?");
}

std::optional<Previews::Question> Previews::next(const std::string& agent) {
  MutexLock lock(mutex_);
  const auto asked = asked_.find(agent);
  if (asked == asked_.end() || asked->second.answer) return std::nullopt;
  return asked->second.question;
}

void Previews::answer(const std::string& agent, const std::string& id, std::string answer) {
  MutexLock lock(mutex_);
  const auto asked = asked_.find(agent);
  if (asked == asked_.end() || asked->second.question.id != id) return;
  asked->second.answer = std::move(answer);
  changed_.notify_all();
}

}  // namespace logboom::server
