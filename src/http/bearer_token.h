// BearerToken: a token that its clients share, read again once a server refuses it. A refused one is not sent over and
// over: until there is another, the answer that refused it stands for a while that doubles each time, never shorter
// than what a server lets somebody wait who guesses (http/auth/back_off.h).
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "base/mutex.h"
#include "base/result.h"
#include "http/client.h"

namespace logboom::http {

// Thread-safe.
class BearerToken {
 public:
  struct Pauses {
    std::chrono::milliseconds least{1'000};
    std::chrono::milliseconds most{64'000};
  };

  // `read`: the token as it is now; called with a lock held, only while the last one is refused. What cannot be read or
  // is empty leaves the one there is. Empty: there is never another.
  BearerToken(std::string token, std::function<Result<std::string>()> read) : BearerToken(token, read, Pauses()) {}
  BearerToken(std::string token, std::function<Result<std::string>()> read, Pauses pauses)
      : read_(std::move(read)), pauses_(pauses), token_(std::move(token)) {}

  // What to send now; or the answer to take for the server's, which is not to be asked yet.
  struct Turn {
    std::string token;
    std::optional<ClientResponse> refusal = {};
  };
  Turn next();
  // The server's answer to a request with that token; true: it was refused, and there is another one to send.
  bool answered(const std::string& token, const ClientResponse& answer);

 private:
  bool take_another() LB_REQUIRES(mutex_);

  const std::function<Result<std::string>()> read_;
  const Pauses pauses_;
  Mutex mutex_;
  std::string token_ LB_GUARDED_BY(mutex_);
  std::optional<ClientResponse> refusal_ LB_GUARDED_BY(mutex_);  // of token_
  std::chrono::milliseconds pause_ LB_GUARDED_BY(mutex_){0};
  std::chrono::steady_clock::time_point ask_at_ LB_GUARDED_BY(mutex_){};
};

// Whether the answer says that the token which came with the request is not taken.
inline bool refuses_token(const ClientResponse& answer) {
  return answer.status == 401 || answer.status == 429;
}

}  // namespace logboom::http
