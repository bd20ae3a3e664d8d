#include "app/generate/config_paths.h"

#include <algorithm>

#include <fmt/format.h>

#include "app/registry.h"
#include "base/log.h"

namespace logboom::app {
namespace {

constexpr std::string_view kCharacters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-.";

// A character that a class like [a-z] takes; the n-th where it takes several. '\0': none of ours.
char character_of(std::string_view bracket, std::uint64_t n) {
  std::string fitting;
  const auto pattern = pattern_of("/" + std::string(bracket));
  for (const char c : kCharacters) {
    if (pattern.ok() && pattern->takes && pattern->takes(std::string("/") + c)) fitting += c;
  }
  return fitting.empty() ? '\0' : fitting[n % fitting.size()];
}

// A name that one part of a pattern takes; its first star stands for `stem`.
std::string name_of(std::string_view pattern, const std::string& stem, std::uint64_t n) {
  std::string name;
  bool starred = false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '*') {
      if (!std::exchange(starred, true)) name += stem;
    } else if (pattern[i] == '?') {
      name += kCharacters[n % 36];
    } else if (pattern[i] == '[') {
      const std::size_t end = std::min(pattern.find(']', i + 2), pattern.size() - 1);
      name += character_of(pattern.substr(i, end + 1 - i), n);
      i = end;
    } else {
      if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
      name += pattern[i];
    }
  }
  return name;
}

Result<std::string> name_for(const RulePattern& pattern, const std::string& typed, std::uint64_t n) {
  const std::vector<std::string>& parts = pattern.alternatives[n % pattern.alternatives.size()];
  std::string path;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const bool last = i + 1 == parts.size();
    if (parts[i] == "**" && !last) continue;
    path += "/" + name_of(parts[i], last ? fmt::format("app-{}", n) : "app", n);
  }
  if (!pattern.takes(path)) {
    return Error(ErrorCode::kInvalidArgument,
                 fmt::format("cannot write for the pattern {}: no name was found that it takes", printable(typed)));
  }
  return path;
}

Result<std::string> path_of(const config::Rule& rule, std::uint64_t n, FileSystem& files) {
  const auto stat = files.stat(rule.path);
  if (stat.ok() && stat->type == FileType::kDirectory) return fmt::format("{}/app-{}.log", rule.path, n);
  if (rule.path.ends_with('/')) return fmt::format("{}app-{}.log", rule.path, n);
  LB_ASSIGN(const RulePattern pattern, pattern_of(rule.path));
  return pattern.alternatives.empty() ? rule.path : name_for(pattern, rule.path, n);
}

}  // namespace

Result<std::vector<std::string>> paths_of_rules(const std::vector<config::Rule>& rules, std::uint64_t count,
                                                FileSystem& files) {
  std::vector<std::string> paths;
  for (const config::Rule& rule : rules) {
    for (std::uint64_t n = 0; n < count; ++n) {
      LB_ASSIGN(std::string path, path_of(rule, n, files));
      if (std::ranges::find(paths, path) != paths.end()) break;  // it names no more
      if (files.stat(path).ok()) {
        return Error(ErrorCode::kInvalidArgument,
                     fmt::format("cannot write {} for the rule {}: it is there already, and made-up lines would "
                                 "replace what is in it; remove it first",
                                 printable(path), printable(rule.name)));
      }
      paths.push_back(std::move(path));
    }
  }
  if (paths.empty()) return Error(ErrorCode::kInvalidArgument, "the configuration names no path to collect");
  return paths;
}

}  // namespace logboom::app
