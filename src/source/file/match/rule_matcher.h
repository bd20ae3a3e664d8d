// CompiledRule and RuleMatcher: a rule set made ready for use, and which of its rules collect a given path.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/rule.h"
#include "parse/splitter.h"
#include "source/file/match/glob.h"
#include "source/file/match/record_filter.h"

namespace logboom::source {

struct CompiledRule {
  config::Rule rule;
  std::uint64_t revision = 0;
  std::uint32_t max_record = 0;
  std::string path;          // normalised: one slash between components, none at the end
  std::optional<Glob> glob;  // absent: `path` is a file, or a folder with all files below it
  std::unique_ptr<parse::RecordSplitter> splitter;
  std::unique_ptr<RecordFilter> filter;

  bool matches(std::string_view file) const;
  // The rule names exactly this file, so that a binary one is wanted, too.
  bool names(std::string_view file) const { return file == path; }
};
using RulePtr = std::shared_ptr<const CompiledRule>;

// kInvalidArgument naming what of the rule cannot be used. `literal`: the path has no special characters.
Result<RulePtr> compile_rule(const config::Rule& rule, std::uint64_t revision, std::uint32_t max_record, bool literal);

struct MatcherOptions {
  bool literal_paths = false;
  std::uint32_t max_record = 1u << 20;
  std::vector<std::string> own_directories;
};

// Immutable; a new rule set makes a new one. Bound: what the rules hold.
class RuleMatcher {
 public:
  RuleMatcher(const config::RuleSet& rules, const MatcherOptions& options);

  // At most one rule per channel, the first of the set: of two rules for one path and one topic the first wins.
  std::vector<RulePtr> rules_for(std::string_view path) const;
  // The rule of the channel that collects the files of a rotation group, for a file whose name has changed; null: none.
  // `by_folder`: a pattern for files of that folder will do, since numbers are missing in the name of a group.
  RulePtr rule_for_group(std::string_view group, std::string_view channel, bool by_folder) const;
  const std::vector<RulePtr>& rules() const { return rules_; }
  // The allowed root the path lies in; nullopt: outside of all of them.
  std::optional<std::string> root_of(std::string_view path) const;
  // Why a file is never read whatever a rule says (own files, key and password files, kernel files); empty: it may be.
  std::string refusal(std::string_view canonical_path) const;
  const std::vector<std::string>& rotated_to() const { return rotated_to_; }
  // Rules that could not be compiled, one message each.
  const std::vector<std::string>& problems() const { return problems_; }

 private:
  std::vector<RulePtr> rules_;
  std::vector<std::string> roots_;
  std::vector<std::string> rotated_to_;
  std::vector<std::string> own_directories_;
  std::vector<std::string> problems_;
};

// "/a//b/./c/" as "/a/b/c".
std::string normal_path(std::string_view path);
// Folder and name of a normalised path.
std::string_view folder_of(std::string_view path);
std::string_view name_of(std::string_view path);
// Whether `path` is `folder` or lies below it.
bool is_below(std::string_view path, std::string_view folder);

}  // namespace logboom::source
