#include "http/bearer_token.h"

#include <algorithm>

namespace logboom::http {

BearerToken::Turn BearerToken::next() {
  MutexLock lock(mutex_);
  if (!refusal_ || take_another() || std::chrono::steady_clock::now() >= ask_at_) return {token_};
  return {token_, refusal_};
}

bool BearerToken::answered(const std::string& token, const ClientResponse& answer) {
  MutexLock lock(mutex_);
  if (token != token_) return refuses_token(answer);  // another client has found the new one
  if (!refuses_token(answer)) {
    refusal_.reset();
    pause_ = {};
    return false;
  }
  refusal_ = answer;
  pause_ = std::clamp(pause_ * 2, pauses_.least, pauses_.most);
  ask_at_ = std::chrono::steady_clock::now() + pause_;
  return take_another();
}

bool BearerToken::take_another() {
  const auto now = read_ ? read_() : Result<std::string>(token_);
  if (!now.ok() || now->empty() || *now == token_) return false;
  token_ = *now;
  refusal_.reset();
  pause_ = {};
  return true;
}

}  // namespace logboom::http
