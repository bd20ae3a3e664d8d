#include "app/preview_answers.h"

#include <thread>

#include <fmt/format.h>

#include "base/pause.h"
#include "config/rules_yaml.h"
#include "http/json.h"
#include "source/rule_preview.h"

namespace logboom::app {
namespace {

constexpr std::size_t kShown = 500;
constexpr std::size_t kShownBytes = config::kMostPreviewBytes / 2;  // the rest is for the last of them
constexpr auto kAskAgain = std::chrono::seconds(10);
constexpr auto kBetweenQuestions = std::chrono::milliseconds(200);

class Answering final : public PreviewAnswers {
 public:
  Answering(std::unique_ptr<config::PreviewQuestions> questions, PreviewRules preview)
      : questions_(std::move(questions)),
        preview_(std::move(preview)),
        thread_([this](std::stop_token stop) { run(stop); }) {}

 private:
  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      const auto question = questions_->next(stop);
      const bool answered = question.ok() && (!*question || questions_->answer(preview_(**question, stop), stop).ok());
      pause_for(answered ? std::chrono::nanoseconds(kBetweenQuestions) : kAskAgain, stop);
    }
  }

  const std::unique_ptr<config::PreviewQuestions> questions_;
  const PreviewRules preview_;
  std::jthread thread_;
};

}  // namespace

std::string preview_json(const config::PreviewQuestion& question, const config::RuleSet& in_force,
                         const std::vector<std::string>& own_directories, FileSystem& files, std::stop_token stop) {
  auto rules = config::rules_of_text("rules", question.yaml);
  if (!rules.ok()) return refused_preview(question, rules.error().message());
  rules->roots = in_force.roots;
  const source::RulePreview preview =
      source::preview_rules(*rules, {.own_directories = own_directories}, files, std::move(stop));
  double lines = 0;
  for (const source::PreviewedFile& file : preview.files) lines += file.lines_per_second;
  std::string out;
  http::JsonWriter w(out);
  w.open_object().field("id", question.id).field("files", std::uint64_t{preview.files.size()});
  w.field("lines_per_second", fmt::format("{:.1f}", lines)).key("problems").open_array();
  for (std::size_t i = 0; i < std::min(preview.problems.size(), kShown) && out.size() < kShownBytes / 2; ++i)
    w.string(preview.problems[i]);
  w.close_array().key("shown").open_array();
  for (std::size_t i = 0; i < std::min(preview.files.size(), kShown) && out.size() < kShownBytes; ++i) {
    const source::PreviewedFile& file = preview.files[i];
    w.open_object().bytes_field("file", file.path).field("rule", file.rule).field("topic", file.topic);
    w.field("size", file.size).field("lines_per_second", fmt::format("{:.1f}", file.lines_per_second));
    w.field("problem", file.problem).close_object();
  }
  w.close_array().close_object();
  return out;
}

std::string refused_preview(const config::PreviewQuestion& question, const std::string& problem) {
  std::string out;
  http::JsonWriter w(out);
  w.open_object().field("id", question.id).field("problem", problem).close_object();
  return out;
}

std::unique_ptr<PreviewAnswers> start_preview_answers(std::unique_ptr<config::PreviewQuestions> questions,
                                                      PreviewRules preview) {
  return std::make_unique<Answering>(std::move(questions), std::move(preview));
}

}  // namespace logboom::app
