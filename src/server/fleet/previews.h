// Previews: questions of people to agents of this server, what rules would collect there, on their way to the agent
// (which takes them with the answer to its next report) and back.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <stop_token>
#include <string>

#include "base/mutex.h"
#include "base/result.h"
#include "config/previews.h"

namespace logboom::server {

// Thread-safe. Bound: one question per agent.
class Previews final : public config::PreviewAsker {
 public:
  using Question = config::PreviewQuestion;

  // Agents by their ids.
  Result<std::string> ask(const std::string& agent, std::string yaml, std::chrono::milliseconds longest,
                          std::stop_token stop) override;
  // What the agent has to answer, the same until it has; nullopt: nothing.
  std::optional<Question> next(const std::string& agent);
  // An answer (that read_preview() takes) to a question that is no longer asked is dropped.
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
