#include "config/rules_yaml.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <set>

#include <fmt/format.h>
#include <re2/re2.h>

namespace logboom::config {
namespace {

const std::vector<std::string> kItemKeys = {"name",    "path",  "topic",      "format", "multiline", "include",
                                            "exclude", "start", "keep_blank", "fields", "partition", "encoding"};
const std::vector<std::string> kCollectKeys = {"items", "roots", "rotated_to"};

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return text;
}

// Reads nodes of one document and remembers what is wrong.
class RuleReader {
 public:
  RuleReader(const std::string& file, std::string_view text, std::vector<Problem>& problems, bool foreign = false)
      : file_(file), text_(text), problems_(problems), foreign_(foreign) {}

  void read(const YamlNode& root, RuleSet& rules) {
    if (const YamlNode* collect = root.find("collect")) read_collect(*collect, rules);
    if (const YamlNode* paths = root.find("configpath")) read_config_path(*paths, rules);
    if (const YamlNode* metrics = root.find("metrics"))
      rules.metrics = read_metrics_rule(file_, text_, *metrics, foreign_, problems_);
    if (rules.rules.size() > kMaxRules) problem(root, fmt::format("more than {} rules", kMaxRules));
    check_names(root, rules);
  }

  // Of somebody else's list; `start` where it does not say.
  void read_foreign_item(const YamlNode& item, Start start, RuleSet& rules) {
    if (!expect(item, YamlNode::Kind::kMap, "an item with \"path\" and \"topic\"")) return;
    Rule rule;
    rule.start = start;
    read_item(item, rule);
    if (rule.name.empty()) rule.name = default_rule_name(rule);
    const auto twin = std::ranges::find(rules.rules, rule.name, &Rule::name);
    if (twin == rules.rules.end()) return add(item, std::move(rule), rules);
    const bool same = twin->path == rule.path && twin->topic == rule.topic;
    problem(item, fmt::format("there is an item '{}' before it", rule.name),
            same ? "the first one counts" : "give one of them another name");
    problems_.back().warning = same;
  }

 private:
  void problem(const YamlNode& node, std::string message, std::string hint = "") {
    problems_.push_back(problem_at(file_, text_, node, std::move(message), std::move(hint)));
  }

  void unknown_key(const YamlNode& key, const std::vector<std::string>& known) {
    const std::string near = nearest_name(key.scalar, known);
    problem(
        key, fmt::format("unknown key '{}'", key.scalar),
        near.empty() ? fmt::format("known here: {}", fmt::join(known, ", ")) : fmt::format("did you mean '{}'?", near));
    problems_.back().warning = foreign_;
  }

  bool expect(const YamlNode& node, YamlNode::Kind kind, std::string_view what) {
    if (node.kind == kind) return true;
    problem(node, fmt::format("expected {}", what));
    return false;
  }

  void strings(const YamlNode& node, std::vector<std::string>& out) {
    if (node.kind == YamlNode::Kind::kNull) return;
    if (node.kind == YamlNode::Kind::kScalar) {
      out.push_back(node.scalar);
      return;
    }
    if (!expect(node, YamlNode::Kind::kList, "a list")) return;
    for (const YamlNode& item : node.list) {
      if (expect(item, YamlNode::Kind::kScalar, "a text")) out.push_back(item.scalar);
    }
  }

  void folders(const YamlNode& node, std::vector<std::string>& out) {
    strings(node, out);
    for (const std::string& folder : out) {
      if (!folder.starts_with('/')) problem(node, fmt::format("'{}' is not an absolute path", folder));
    }
  }

  void read_collect(const YamlNode& collect, RuleSet& rules) {
    if (collect.kind == YamlNode::Kind::kNull) return;
    if (!expect(collect, YamlNode::Kind::kMap, "'items:', 'roots:' or 'rotated_to:'")) return;
    for (const auto& [key, value] : collect.map) {
      if (key.scalar == "roots") {
        folders(value, rules.roots);
      } else if (key.scalar == "rotated_to") {
        folders(value, rules.rotated_to);
      } else if (key.scalar == "items") {
        read_items(value, rules);
      } else {
        unknown_key(key, kCollectKeys);
      }
    }
  }

  void read_items(const YamlNode& items, RuleSet& rules) {
    if (items.kind == YamlNode::Kind::kNull || !expect(items, YamlNode::Kind::kList, "a list of items ('- path: ...')"))
      return;
    for (const YamlNode& item : items.list) {
      if (!expect(item, YamlNode::Kind::kMap, "an item with 'path:'")) continue;
      Rule rule;
      read_item(item, rule);
      add(item, std::move(rule), rules);
    }
  }

  void add(const YamlNode& place, Rule rule, RuleSet& rules) {
    if (rule.name.empty()) rule.name = default_rule_name(rule);
    for (const std::string& message : validate_rule(rule)) problem(place, message);
    rules.rules.push_back(std::move(rule));
  }

  // The older form: name > path of one file.
  void read_config_path(const YamlNode& paths, RuleSet& rules) {
    if (paths.kind == YamlNode::Kind::kNull || !expect(paths, YamlNode::Kind::kMap, "'name: \"path\"' lines")) return;
    for (const auto& [key, value] : paths.map) {
      if (!expect(value, YamlNode::Kind::kScalar, "a path")) continue;
      Rule rule;
      rule.name = key.scalar;
      rule.path = value.scalar;
      add(value, std::move(rule), rules);
    }
  }

  void read_item(const YamlNode& item, Rule& rule) {
    for (const auto& [key, value] : item.map) {
      const std::string name = foreign_ ? lower(key.scalar) : key.scalar;
      if (std::find(kItemKeys.begin(), kItemKeys.end(), name) == kItemKeys.end()) {
        unknown_key(key, kItemKeys);
      } else {
        read_item_key(name, value, rule);
      }
    }
    if (rule.path.empty()) problem(item, "an item needs a 'path:'");
  }

  void read_item_key(const std::string& key, const YamlNode& value, Rule& rule) {
    if (key == "include") return strings(value, rule.include);
    if (key == "exclude") return strings(value, rule.exclude);
    if (key == "multiline") return read_multiline(value, rule.multiline);
    if (key == "fields") return read_fields(value, rule);
    if (!expect(value, YamlNode::Kind::kScalar, "a plain value")) return;
    const std::string& text = value.scalar;
    if (key == "name") rule.name = text;
    if (key == "path") rule.path = text;
    if (key == "topic") rule.topic = text;
    if (key == "partition") rule.partition = text;
    if (key == "encoding") rule.encoding = text;
    if (key == "format")
      choice(value, {{"auto", 0}, {"text", 1}, {"json", 2}},
             [&](int v) { rule.format = static_cast<FormatChoice>(v); });
    if (key == "start")
      choice(value, {{"beginning", 0}, {"end", 1}}, [&](int v) { rule.start = static_cast<Start>(v); });
    if (key == "keep_blank") choice(value, {{"true", 1}, {"false", 0}}, [&](int v) { rule.keep_blank = v == 1; });
  }

  void choice(const YamlNode& value, const std::vector<std::pair<std::string, int>>& choices,
              const std::function<void(int)>& take) {
    std::vector<std::string> names;
    for (const auto& [name, number] : choices) {
      if (value.scalar == name) return take(number);
      names.push_back(name);
    }
    problem(value, fmt::format("'{}' is none of: {}", value.scalar, fmt::join(names, ", ")));
  }

  void read_multiline(const YamlNode& value, Multiline& multiline) {
    if (value.kind == YamlNode::Kind::kMap) {
      const YamlNode* start = value.find("start");
      if (!start || start->kind != YamlNode::Kind::kScalar || value.map.size() != 1) {
        return problem(value, "expected {start: 'pattern of a first line'}");
      }
      multiline.kind = MultilineKind::kStartPattern;
      multiline.start_pattern = start->scalar;
      return;
    }
    if (!expect(value, YamlNode::Kind::kScalar, "auto, none or {start: 'pattern'}")) return;
    choice(value, {{"auto", 0}, {"none", 1}}, [&](int v) { multiline.kind = static_cast<MultilineKind>(v); });
  }

  void read_fields(const YamlNode& value, Rule& rule) {
    if (!expect(value, YamlNode::Kind::kMap, "'name: value' pairs")) return;
    for (const auto& [key, field] : value.map) {
      if (expect(field, YamlNode::Kind::kScalar, "a plain value")) rule.fields.emplace_back(key.scalar, field.scalar);
    }
  }

  void check_names(const YamlNode& root, const RuleSet& rules) {
    std::set<std::string> seen;
    for (const Rule& rule : rules.rules) {
      if (!seen.insert(rule.name).second)
        problem(root, fmt::format("two rules are named '{}'", rule.name), "give one of them another 'name:'");
    }
  }

  const std::string& file_;
  std::string_view text_;
  std::vector<Problem>& problems_;
  const bool foreign_;
};

void check_pattern(const std::string& what, const std::string& pattern, std::vector<std::string>& problems) {
  if (pattern.size() > kMaxPatternBytes) {
    problems.push_back(fmt::format("{}: the pattern is longer than {} bytes", what, kMaxPatternBytes));
    return;
  }
  RE2::Options options;
  options.set_max_mem(kMaxRegexMemory);
  options.set_log_errors(false);
  options.set_encoding(RE2::Options::EncodingLatin1);
  const RE2 re(pattern, options);
  if (!re.ok())
    problems.push_back(fmt::format("{}: '{}' is not a usable regular expression: {}", what, pattern, re.error()));
}

// How many alternatives the {a,b} groups of a glob make.
std::size_t glob_choices(std::string_view glob) {
  std::size_t product = 1;
  std::size_t in_group = 0;
  int depth = 0;
  for (const char c : glob) {
    if (c == '{') in_group = depth++ == 0 ? 1 : in_group + 1;
    if (c == ',' && depth > 0) ++in_group;
    if (c == '}' && depth > 0 && --depth == 0) product = std::min<std::size_t>(product * in_group, 1u << 20);
  }
  return product;
}

void check_path(const std::string& path, std::vector<std::string>& problems) {
  if (path.size() >= 2 && path[1] == ':' && (path.size() == 2 || path[2] == '/' || path[2] == '\\')) {
    problems.push_back(
        fmt::format("'{}' is a Windows path; this program runs on Linux and needs one like /var/log/app.log", path));
  } else if (!path.starts_with('/')) {
    problems.push_back(fmt::format("'{}' is not an absolute path", path));
  }
  std::size_t stars = 0;
  for (std::size_t at = path.find("**"); at != std::string::npos; at = path.find("**", at + 2)) ++stars;
  if (path.size() > kMaxGlobBytes || stars > kMaxGlobStars || glob_choices(path) > kMaxGlobChoices) {
    problems.push_back(fmt::format("the path is too large a pattern (at most {} bytes, {} times '**', {} alternatives)",
                                   kMaxGlobBytes, kMaxGlobStars, kMaxGlobChoices));
  }
  if (path.find('\0') != std::string::npos) problems.push_back("the path holds a NUL byte");
}

void check_topic(const std::string& topic, std::vector<std::string>& problems) {
  if (!is_topic_name(topic))
    problems.push_back(fmt::format("'{}' is no topic name (letters, digits, '.', '_', '-', at most 249)", topic));
}

void check_sending(const Rule& rule, std::vector<std::string>& problems) {
  if (!rule.partition.empty() && !is_partition_choice(rule.partition))
    problems.push_back(fmt::format("partition: '{}' is none of: {}", rule.partition, kPartitionChoices));
  const auto& encoding = rule.encoding;
  if (!encoding.empty() && encoding != "json" && encoding != "line" && encoding != "batch")
    problems.push_back(fmt::format("encoding: '{}' is none of: json, line, batch", encoding));
}

}  // namespace

bool is_partition_choice(std::string_view text) {
  if (text == "key" || text == "round_robin" || text == "random") return true;
  std::int32_t number = -1;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size() && number >= 0;
}

std::string default_rule_name(const Rule& rule) {
  return rule.topic + ":" + rule.path;
}

Result<RuleSet> rules_of_text(const std::string& file, const std::string& text) {
  std::vector<Problem> problems;
  YamlNode root;
  RuleSet rules;
  if (parse_yaml(file, text, root, problems)) read_rules(file, text, root, rules, problems);
  if (!problems.empty()) return to_error(problems);
  return rules;
}

std::vector<std::string> validate_rule(const Rule& rule) {
  std::vector<std::string> problems;
  check_path(rule.path, problems);
  check_topic(rule.topic, problems);
  check_sending(rule, problems);
  if (rule.include.size() + rule.exclude.size() > kMaxPatterns)
    problems.push_back(fmt::format("more than {} patterns", kMaxPatterns));
  for (const std::string& pattern : rule.include) check_pattern("include", pattern, problems);
  for (const std::string& pattern : rule.exclude) check_pattern("exclude", pattern, problems);
  if (rule.multiline.kind == MultilineKind::kStartPattern)
    check_pattern("multiline start", rule.multiline.start_pattern, problems);
  return problems;
}

void read_rules(const std::string& file, std::string_view text, const YamlNode& root, RuleSet& rules,
                std::vector<Problem>& problems) {
  if (root.kind == YamlNode::Kind::kMap) {
    RuleReader(file, text, problems).read(root, rules);
  } else if (root.kind != YamlNode::Kind::kNull) {
    problems.push_back(problem_at(file, text, root, "the document is not a mapping", "begin with 'collect:'"));
  }
}

void read_foreign_items(const std::string& origin, const std::vector<YamlNode>& items, Start start, RuleSet& rules,
                        std::vector<Problem>& problems) {
  if (items.size() > kMaxRules) {
    problems.push_back({origin, 0, 0, "", fmt::format("more than {} items", kMaxRules), "", false});
    return;
  }
  std::size_t number = 0;
  for (const YamlNode& item : items)
    RuleReader(fmt::format("{}, item {}", origin, ++number), "", problems, true).read_foreign_item(item, start, rules);
}

std::string write_rules(const std::vector<Rule>& rules) {
  std::string out = "collect:\n  items:\n";
  for (const Rule& rule : rules) {
    out += fmt::format("    - name: {}\n      path: {}\n      topic: {}\n", yaml_scalar(rule.name),
                       yaml_scalar(rule.path), yaml_scalar(rule.topic));
    if (rule.format != FormatChoice::kAuto)
      out += fmt::format("      format: {}\n", rule.format == FormatChoice::kJson ? "json" : "text");
    if (rule.multiline.kind == MultilineKind::kNone) out += "      multiline: none\n";
    if (rule.multiline.kind == MultilineKind::kStartPattern)
      out += fmt::format("      multiline: {{start: {}}}\n", yaml_scalar(rule.multiline.start_pattern));
    if (rule.start == Start::kEnd) out += "      start: end\n";
    if (rule.keep_blank) out += "      keep_blank: true\n";
    if (!rule.partition.empty()) out += fmt::format("      partition: {}\n", yaml_scalar(rule.partition));
    if (!rule.encoding.empty()) out += fmt::format("      encoding: {}\n", yaml_scalar(rule.encoding));
    for (const auto& [key, patterns] : {std::pair{"include", &rule.include}, {"exclude", &rule.exclude}}) {
      if (!patterns->empty()) out += fmt::format("      {}:\n", key);
      for (const std::string& pattern : *patterns) out += fmt::format("        - {}\n", yaml_scalar(pattern));
    }
    if (!rule.fields.empty()) out += "      fields:\n";
    for (const auto& [name, value] : rule.fields)
      out += fmt::format("        {}: {}\n", yaml_scalar(name), yaml_scalar(value));
  }
  if (rules.empty()) out = "collect:\n  items: []\n";
  return out;
}

}  // namespace logboom::config
