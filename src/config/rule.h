// A collection rule: what to collect, where from, to which channel. RuleSet is what a host runs at one revision;
// comparing two of them says which rules start, restart or stop.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/metrics_rule.h"
#include "record/batch.h"

namespace logboom::config {

enum class Start { kBeginning, kEnd };
enum class MultilineKind { kAuto, kNone, kStartPattern };
enum class FormatChoice { kAuto, kText, kJson };

struct Multiline {
  MultilineKind kind = MultilineKind::kAuto;
  std::string start_pattern;  // RE2, of the first line of a record; for kStartPattern
  bool operator==(const Multiline&) const = default;
};

// Plain data; validated by validate_rule.
struct Rule {
  std::string name;  // unique in its set; default "topic:path"
  std::string path;  // file, directory (all regular files below it) or glob (*, ?, [..], {a,b}, **)
  std::string topic = "logs";
  FormatChoice format = FormatChoice::kAuto;
  Multiline multiline;
  std::vector<std::string> include;  // RE2 patterns, unanchored; a record is kept when any matches (empty: all)
  std::vector<std::string>
      exclude;                      // a record is left out when any matches; each drop is in the ledger under this rule
  Start start = Start::kBeginning;  // for files present when the rule starts; files created later: always beginning
  bool keep_blank = false;          // make records of blank lines
  // How its batches go to Kafka; empty: as the host's own settings say.
  std::string partition;                                    // key, round_robin, random or the number of a partition
  std::string encoding;                                     // json, line or batch
  std::vector<std::pair<std::string, std::string>> fields;  // constant fields put on every record
  bool operator==(const Rule&) const = default;
};

struct RuleSet {
  std::uint64_t revision = 0;
  std::vector<Rule> rules;
  std::vector<std::string> roots;  // absolute; nothing outside is ever read; empty: "/" without the built-in refusals
  std::vector<std::string> rotated_to;  // further folders where rotated copies go
  std::optional<MetricsRule> metrics;   // nothing is said of them: the program decides
  bool operator==(const RuleSet&) const = default;
};

// Rules by name: what a reload starts, restarts (stop, then start with the position kept) and stops.
struct RuleDiff {
  std::vector<Rule> started;
  std::vector<Rule> changed;
  std::vector<std::string> stopped;
};
RuleDiff diff_rules(const RuleSet& before, const RuleSet& after);

// Letters, digits, '.', '_' and '-', at most 249: what Kafka takes as the name of a topic.
bool is_topic_name(std::string_view name);

// The rule of that name; nullptr: there is none.
const Rule* find_rule(const std::vector<Rule>& rules, std::string_view name);

}  // namespace logboom::config
