// Previews: what rules would collect on an agent's host, asked by people before they put the rules there. The question
// goes to the agent by its server, or over etcd where that keeps the rules; it answers in the same form either way
// (docs/formats/delivery.md, Preview).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "base/result.h"

namespace logboom::config {

// Of the rules in a question, and of an answer; etcd takes no more than 1.5 MiB.
inline constexpr std::size_t kMostPreviewBytes = 1u << 20;

// How long whoever asks waits for an answer.
inline constexpr std::chrono::seconds kLongestPreview{15};

struct PreviewQuestion {
  std::string id;  // the answer repeats it
  std::string yaml;
};

// Who asks.
class PreviewAsker {
 public:
  virtual ~PreviewAsker() = default;
  // The agent's answer, JSON that read_preview() takes. Blocks until then: kUnavailable: none within `longest`;
  // kRejected: somebody else has asked the same agent meanwhile, or the place refuses; kInvalidArgument: rules too
  // large to be asked about; kCorrupt: the answer is of another form; kCancelled: the stop.
  virtual Result<std::string> ask(const std::string& agent, std::string yaml, std::chrono::milliseconds longest,
                                  std::stop_token stop) = 0;
};

// What this host is asked where no server brings it questions. One owner thread.
class PreviewQuestions {
 public:
  virtual ~PreviewQuestions() = default;
  // Blocks until there is a question or, for any reason that another call mends, not any more (nullopt). kUnavailable:
  // the place is away; kRejected: it refuses; kCancelled: the stop.
  virtual Result<std::optional<PreviewQuestion>> next(std::stop_token stop) = 0;
  // Of the question that next() gave last. It is answered once: not, if it is no longer asked or somebody has answered
  // it. Errors as next()'s.
  virtual Status answer(const std::string& json, std::stop_token stop) = 0;
};

// A question as JSON; nullopt for what is not wholly of that form.
std::string write_question(const PreviewQuestion& question);
std::optional<PreviewQuestion> read_question(const nlohmann::json& tree);

// An answer with every member as docs/formats/delivery.md has it. kCorrupt names what is not.
Result<nlohmann::json> read_preview(std::string_view text);

}  // namespace logboom::config
