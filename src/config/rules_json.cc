#include "config/rules_json.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "config/rules_yaml.h"
#include "config/yaml.h"
#include "http/json_reading.h"

namespace logboom::config {
namespace {

using nlohmann::json;
using Written = nlohmann::ordered_json;

constexpr std::size_t kShownWarnings = 20;

// JSON as the tree that rules are read from; false when it is nested too deeply.
bool convert(const json& from, int depth, YamlNode& to) {
  if (depth > kMaxYamlDepth) return false;
  if (from.is_null()) return true;
  if (from.is_object()) {
    to.kind = YamlNode::Kind::kMap;
    for (const auto& [name, value] : from.items()) {
      YamlEntry& entry = to.map.emplace_back();
      entry.first.kind = YamlNode::Kind::kScalar;
      entry.first.scalar = name;
      if (!convert(value, depth + 1, entry.second)) return false;
    }
    return true;
  }
  if (from.is_array()) {
    to.kind = YamlNode::Kind::kList;
    return std::ranges::all_of(from,
                               [&](const json& item) { return convert(item, depth + 1, to.list.emplace_back()); });
  }
  to.kind = YamlNode::Kind::kScalar;
  to.quoted = from.is_string();
  to.scalar = from.is_string() ? from.get<std::string>() : from.dump();
  return true;
}

Result<YamlNode> parse(const std::string& origin, std::string_view text, const char* expected) {
  const auto refuse = [&](std::string message) {
    return to_error({{origin, 0, 0, "", std::move(message), expected, false}});
  };
  if (text.size() > kMaxYamlBytes) return refuse("the value is larger than 4 MiB");
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos)
    return refuse("the value is empty; [] collects nothing, and a key that is deleted is followed, too");
  json parsed;
  try {
    parsed = json::parse(text);
  } catch (const json::exception& error) {
    // "[json.exception.parse_error.101] parse error at line 1, column 2: ...", or out_of_range of a number.
    const std::string what = error.what();
    return refuse("the value is not JSON: " + what.substr(std::min(what.find("] ") + 2, what.size())));
  }
  YamlNode root;
  if (!convert(parsed, 0, root)) return refuse("the value is nested too deeply");
  return root;
}

void write_patterns(Written& item, const char* key, const std::vector<std::string>& patterns) {
  if (!patterns.empty()) item[key] = patterns;
}

Written item_of(const Rule& rule) {
  Written item;
  if (rule.name != default_rule_name(rule)) item["name"] = rule.name;
  item["path"] = rule.path;
  item["topic"] = rule.topic;
  if (rule.format != FormatChoice::kAuto) item["format"] = rule.format == FormatChoice::kJson ? "json" : "text";
  if (rule.multiline.kind == MultilineKind::kNone) item["multiline"] = "none";
  if (rule.multiline.kind == MultilineKind::kStartPattern) item["multiline"]["start"] = rule.multiline.start_pattern;
  item["start"] = rule.start == Start::kEnd ? "end" : "beginning";
  if (rule.keep_blank) item["keep_blank"] = true;
  if (!rule.partition.empty()) item["partition"] = rule.partition;
  if (!rule.encoding.empty()) item["encoding"] = rule.encoding;
  write_patterns(item, "include", rule.include);
  write_patterns(item, "exclude", rule.exclude);
  for (const auto& [name, value] : rule.fields) item["fields"][name] = value;
  return item;
}

}  // namespace

Result<RuleSet> rules_of_json(const std::string& origin, std::string_view text, Start start,
                              std::vector<Problem>& warnings) {
  constexpr const char* kExpected =
      R"(expected a list of items, as in [{"path": "/var/log/app.log", "topic": "web_log"}])";
  LB_ASSIGN(const YamlNode root, parse(origin, text, kExpected));
  if (root.kind != YamlNode::Kind::kList)
    return to_error({{origin, 0, 0, "", "the value is JSON, but no list", kExpected, false}});
  RuleSet rules;
  std::vector<Problem> problems;
  read_foreign_items(origin, root.list, start, rules, problems);
  if (any_error(problems)) return to_error(problems);
  const std::size_t shown = std::min(problems.size(), kShownWarnings);
  warnings.insert(warnings.end(), problems.begin(), problems.begin() + static_cast<std::ptrdiff_t>(shown));
  return rules;
}

Result<MetricsRule> metrics_rule_of_json(const std::string& origin, std::string_view text,
                                         std::vector<Problem>& warnings) {
  constexpr const char* kExpected = R"(expected {"interval": 10, "topic": "system"}, or "off")";
  LB_ASSIGN(const YamlNode root, parse(origin, text, kExpected));
  std::vector<Problem> problems;
  const auto rule = read_metrics_rule(origin, "", root, true, problems);
  if (!rule) return to_error(problems);
  std::ranges::move(problems, std::back_inserter(warnings));
  return *rule;
}

std::string write_rules_json(const std::vector<Rule>& rules) {
  Written items = Written::array();
  for (const Rule& rule : rules) items.push_back(item_of(rule));
  return http::dump_json(items);
}

}  // namespace logboom::config
