// What an agent answers to a question what rules would collect on its host (config/previews.h).
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "config/previews.h"
#include "config/rule.h"
#include "io/file_system.h"

namespace logboom::app {

// The answer, as read_preview() takes it, of at most kMostPreviewBytes. Blocks for a second. Nothing outside the roots
// in force is looked at.
std::string preview_json(const config::PreviewQuestion& question, const config::RuleSet& in_force,
                         const std::vector<std::string>& own_directories, FileSystem& files, std::stop_token stop);
// The answer of who has no rules.
std::string refused_preview(const config::PreviewQuestion& question, const std::string& problem);

using PreviewRules = std::function<std::string(const config::PreviewQuestion& question, std::stop_token stop)>;

// Answers what this host is asked, from a thread of its own until it dies. A place that is away or refuses is asked
// again every ten seconds; its other users tell of it.
class PreviewAnswers {
 public:
  virtual ~PreviewAnswers() = default;
};
std::unique_ptr<PreviewAnswers> start_preview_answers(std::unique_ptr<config::PreviewQuestions> questions,
                                                      PreviewRules preview);

}  // namespace logboom::app
