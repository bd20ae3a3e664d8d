#include "source/rule_preview.h"

#include <algorithm>

#include "base/pause.h"
#include "source/file/match/discovery.h"
#include "source/file/match/rule_matcher.h"

namespace logboom::source {
namespace {

constexpr std::size_t kTail = 64 << 10;

std::uint64_t size_of(FileSystem& files, const std::string& path) {
  const auto info = files.stat(path);
  return info.ok() ? info->size : 0;
}

// Bytes of a line, by the lines at the end of the file; 0: there is none, or it cannot be read.
double line_length(FileSystem& files, const std::string& path, std::uint64_t size, std::string& problem) {
  auto file = files.open(path, OpenMode::kRead);
  if (!file.ok()) {
    problem = file.error().message();
    return 0;
  }
  std::string tail(std::min<std::uint64_t>(size, kTail), '\0');
  const auto got = (*file)->pread(tail.data(), tail.size(), size - tail.size());
  if (!got.ok()) {
    problem = got.error().message();
    return 0;
  }
  const auto lines = std::count(tail.begin(), tail.begin() + static_cast<std::ptrdiff_t>(*got), '\n');
  return lines > 0 ? static_cast<double>(*got) / static_cast<double>(lines) : 0;
}

std::string problem_of(const RuleMatcher& matcher, FileSystem& files, const std::string& path) {
  if (!matcher.root_of(path)) return "it lies outside the roots this host allows";
  const auto real = files.canonical(path);
  return matcher.refusal(real.ok() ? *real : path);
}

std::vector<PreviewedFile> files_of(const RuleMatcher& matcher, const Discovery& found, FileSystem& files) {
  std::vector<PreviewedFile> out;
  for (const std::string& path : found.files) {
    const std::string problem = problem_of(matcher, files, path);
    for (const RulePtr& rule : matcher.rules_for(path)) {
      PreviewedFile& file = out.emplace_back();
      file.path = path;
      file.rule = rule->rule.name;
      file.topic = rule->rule.topic;
      file.size = size_of(files, path);
      file.problem = problem;
    }
  }
  return out;
}

std::chrono::nanoseconds wait(std::chrono::milliseconds time, std::stop_token stop) {
  const auto began = std::chrono::steady_clock::now();
  pause_for(time, stop);
  return std::chrono::steady_clock::now() - began;
}

void measure(PreviewedFile& file, FileSystem& files, double seconds) {
  const std::uint64_t now = size_of(files, file.path);
  if (!file.problem.empty()) return;
  const double line = line_length(files, file.path, now, file.problem);
  if (now > file.size && seconds > 0) file.bytes_per_second = static_cast<double>(now - file.size) / seconds;
  if (line > 0) file.lines_per_second = file.bytes_per_second / line;
  file.size = now;
}

}  // namespace

RulePreview preview_rules(const config::RuleSet& rules, const PreviewOptions& options, FileSystem& files,
                          std::stop_token stop) {
  const RuleMatcher matcher(rules, {.own_directories = options.own_directories});
  const Discovery found = discover(files, matcher);
  RulePreview preview;
  preview.problems = matcher.problems();
  for (const PathProblem& problem : found.problems) preview.problems.push_back(problem.text);
  preview.files = files_of(matcher, found, files);
  const double seconds = std::chrono::duration<double>(wait(options.watch, std::move(stop))).count();
  for (PreviewedFile& file : preview.files) measure(file, files, seconds);
  std::ranges::stable_sort(preview.files, [](const PreviewedFile& a, const PreviewedFile& b) {
    if (a.problem.empty() != b.problem.empty()) return !a.problem.empty();
    return a.bytes_per_second > b.bytes_per_second;
  });
  return preview;
}

}  // namespace logboom::source
