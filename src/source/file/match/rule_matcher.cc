#include "source/file/match/rule_matcher.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/log.h"
#include "source/file/identity/identity.h"

namespace logboom::source {
namespace {

parse::SplitOptions split_options(const config::Rule& rule, std::uint32_t max_record) {
  parse::SplitOptions options;
  switch (rule.multiline.kind) {
    case config::MultilineKind::kAuto:
      options.multiline = parse::MultilineMode::kAuto;
      break;
    case config::MultilineKind::kNone:
      options.multiline = parse::MultilineMode::kNone;
      break;
    case config::MultilineKind::kStartPattern:
      options.multiline = parse::MultilineMode::kStartPattern;
      break;
  }
  options.start_pattern = rule.multiline.start_pattern;
  options.max_record = max_record;
  options.keep_blank = rule.keep_blank;
  return options;
}

bool has_special_characters(std::string_view path) {
  return path.find_first_of("*?[{\\") != std::string_view::npos;
}

// Files that hold keys and passwords, whatever a central rule asks for.
bool is_secret(std::string_view path) {
  constexpr std::array<std::string_view, 3> kPrefixes = {"/etc/shadow", "/etc/gshadow", "/etc/sudoers"};
  constexpr std::array<std::string_view, 4> kFolders = {"/.ssh/", "/.gnupg/", "/ssl/private/", "/etc/logboom/"};
  if (std::any_of(kPrefixes.begin(), kPrefixes.end(), [&](auto p) { return path.starts_with(p); })) return true;
  if (std::any_of(kFolders.begin(), kFolders.end(), [&](auto f) { return path.find(f) != std::string_view::npos; }))
    return true;
  return path.starts_with("/etc/ssh/") && path.ends_with("_key");
}

}  // namespace

std::string normal_path(std::string_view path) {
  std::string out;
  for (const std::string& component : split_path(path)) out += "/" + component;
  return out.empty() ? "/" : out;
}

std::string_view folder_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string_view name_of(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

bool is_below(std::string_view path, std::string_view folder) {
  if (folder == "/") return path.starts_with("/");
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

bool CompiledRule::matches(std::string_view file) const {
  if (file == path) return true;
  return glob ? glob->matches(file) : is_below(file, path);
}

Result<RulePtr> compile_rule(const config::Rule& rule, std::uint64_t revision, std::uint32_t max_record, bool literal) {
  auto compiled = std::make_shared<CompiledRule>();
  compiled->rule = rule;
  compiled->revision = revision;
  compiled->max_record = max_record;
  if (rule.path.empty() || rule.path[0] != '/') {
    return Error(ErrorCode::kInvalidArgument,
                 fmt::format("cannot collect \"{}\": a path begins with /", printable(rule.path)));
  }
  compiled->path = normal_path(rule.path);
  if (!literal && has_special_characters(rule.path)) {
    LB_ASSIGN(compiled->glob, Glob::compile(rule.path));
  }
  LB_ASSIGN(compiled->splitter, parse::RecordSplitter::make(split_options(rule, max_record)));
  LB_ASSIGN(compiled->filter, RecordFilter::make(rule.include, rule.exclude));
  return RulePtr(std::move(compiled));
}

RuleMatcher::RuleMatcher(const config::RuleSet& rules, const MatcherOptions& options)
    : own_directories_(options.own_directories) {
  for (const config::Rule& rule : rules.rules) {
    auto compiled = compile_rule(rule, rules.revision, options.max_record, options.literal_paths);
    if (compiled.ok()) {
      rules_.push_back(std::move(compiled).value());
    } else {
      problems_.push_back(fmt::format("rule {}: {}", printable(rule.name), compiled.error().message()));
    }
  }
  for (const std::string& root : rules.roots) roots_.push_back(normal_path(root));
  for (const std::string& folder : rules.rotated_to) rotated_to_.push_back(normal_path(folder));
}

std::vector<RulePtr> RuleMatcher::rules_for(std::string_view path) const {
  std::vector<RulePtr> found;
  for (const RulePtr& rule : rules_) {
    const bool taken =
        std::any_of(found.begin(), found.end(), [&](const RulePtr& r) { return r->rule.topic == rule->rule.topic; });
    if (!taken && rule->matches(path)) found.push_back(rule);
  }
  return found;
}

RulePtr RuleMatcher::rule_for_group(std::string_view group, std::string_view channel, bool by_folder) const {
  for (const RulePtr& rule : rules_) {
    if (rule->rule.topic != channel) continue;
    if (rule->matches(group) || (!rule->glob && rotation_group(rule->path) == group)) return rule;
  }
  if (!by_folder) return nullptr;
  const auto found = std::find_if(rules_.begin(), rules_.end(), [&](const RulePtr& rule) {
    return rule->rule.topic == channel && rule->glob && folder_of(rule->path) == folder_of(group);
  });
  return found == rules_.end() ? nullptr : *found;
}

std::optional<std::string> RuleMatcher::root_of(std::string_view path) const {
  if (roots_.empty()) return "/";
  const auto found =
      std::find_if(roots_.begin(), roots_.end(), [&](const std::string& root) { return is_below(path, root); });
  return found == roots_.end() ? std::nullopt : std::optional<std::string>(*found);
}

std::string RuleMatcher::refusal(std::string_view path) const {
  for (const std::string& own : own_directories_) {
    if (is_below(path, own)) return "it is logboom's own";
  }
  if (is_secret(path)) return "it holds keys or passwords";
  for (const std::string_view kernel : {"/proc", "/sys", "/dev"}) {
    if (is_below(path, kernel)) return "it belongs to the kernel";
  }
  return {};
}

}  // namespace logboom::source
