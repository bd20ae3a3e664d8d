// Previews: questions of people to agents, what rules would collect there, on their way to the agent (which takes them
// with the answer to its next report) and back.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <stop_token>
#include <string>

#include "base/mutex.h"
#include "base/result.h"

namespace logboom::server {

// Thread-safe. Bound: one question per agent.
class Previews {
 public:
  struct Question {
    std::string id;
    std::string yaml;
  };

  // The agent's answer, a JSON object. Blocks until then: kUnavailable: none within `longest`; kRejected: somebody else
  // has asked the same agent meanwhile; kCancelled: the stop.
  Result<std::string> ask(const std::string& agent, std::string yaml, std::chrono::milliseconds longest,
                          std::stop_token stop);
  // What the agent has to answer, the same until it has; nullopt: nothing.
  std::optional<Question> next(const std::string& agent);
  // An answer to a question that is no longer asked is dropped.
  void answer(const std::string& agent, const std::string& id, std::string answer);

 private:
  struct Asked {
    Question question;
    std::optional<std::string> answer;
  };
  Mutex mutex_;
  CondVar changed_;
  std::map<std::string, Asked> asked_ LB_GUARDED_BY(mutex_);  // by agent
};

}  // namespace logboom::server
