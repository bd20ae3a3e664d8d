// Rules as YAML: the `collect:` section of logboom.yaml, the `configpath:` form of older systems, and the program's own
// rules.yaml. Reading gives every problem at once, with its place; writing gives text that reads back to the same
// rules.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/problem.h"
#include "config/rule.h"
#include "config/yaml.h"

namespace logboom::config {

// Limits that keep a hostile or mistaken rule from costing memory or time; reported by validate_rule.
inline constexpr std::size_t kMaxRules = 10'000;
inline constexpr std::size_t kMaxPatterns = 100;  // include and exclude of one rule
inline constexpr std::size_t kMaxPatternBytes = 10'000;
inline constexpr std::int64_t kMaxRegexMemory = 1 << 20;  // of RE2's compiled program
inline constexpr std::size_t kMaxGlobBytes = 4096;
inline constexpr std::size_t kMaxGlobStars = 4;      // "**" in one path
inline constexpr std::size_t kMaxGlobChoices = 256;  // alternatives of {a,b} multiplied

// Adds the rules of a document's `collect`, `configpath` and `metrics` keys to `rules`. Relative paths are refused.
// Appends problems.
void read_rules(const std::string& file, std::string_view text, const YamlNode& root, RuleSet& rules,
                std::vector<Problem>& problems);

// Adds items as other people's systems keep them (in etcd): an unknown key, and a second item for one path and topic,
// are warnings. `start` is for items that do not say. Problems name the item, not a line.
void read_foreign_items(const std::string& origin, const std::vector<YamlNode>& items, Start start, RuleSet& rules,
                        std::vector<Problem>& problems);

// The rules of a whole document; kInvalidArgument carries all problems at once.
Result<RuleSet> rules_of_text(const std::string& file, const std::string& text);

// Of a rule or of a host's settings: how batches are shared among the partitions of a topic in Kafka.
inline constexpr const char* kPartitionChoices = "key, round_robin, random or the number of a partition";
bool is_partition_choice(std::string_view text);

// Everything wrong with one rule, as sentences.
std::vector<std::string> validate_rule(const Rule& rule);

// "topic:path" where the rule has no name of its own.
std::string default_rule_name(const Rule& rule);

// A document with a `collect.items` list.
std::string write_rules(const std::vector<Rule>& rules);

}  // namespace logboom::config
