// A configuration file of anybody: YAML, rules, settings. What is read is valid, and what is written of it reads back
// to the same; every rule's path and patterns are asked of paths.
#include <string>
#include <string_view>

#include "base/check.h"
#include "config/rules_yaml.h"
#include "config/settings.h"
#include "source/file/match/glob.h"

namespace {

using namespace logboom;
using namespace logboom::config;

const OptionTable& table() {
  static const OptionTable options = {
      {.name = "a.text", .fallback = "x"},
      {.name = "a.size", .type = OptionType::kSize, .fallback = "1MB"},
      {.name = "a.time", .type = OptionType::kDuration, .fallback = "1s"},
      {.name = "b", .type = OptionType::kInteger, .fallback = "1"},
      {.name = "c", .type = OptionType::kBoolean, .fallback = "true"},
      {.name = "d", .type = OptionType::kChoice, .fallback = "on", .choices = {"on", "off"}},
      {.name = "e", .type = OptionType::kList, .fallback = ""}};
  return options;
}

void check_settings(std::string_view text, const YamlNode& root) {
  std::vector<Problem> problems;
  Settings settings(table());
  settings.read_yaml("f.yaml", text, root, {"collect", "configpath"}, problems);
  (void)settings.size("a.size");
  (void)settings.duration("a.time");
  (void)settings.integer("b");
  (void)settings.boolean("c");
  (void)settings.list("e");
}

void check_glob(std::string_view pattern) {
  const auto glob = source::Glob::compile(pattern);
  if (!glob.ok()) return;
  (void)glob->matches("/var/log/app/a.log.1");
  (void)glob->matches(std::string("/") + std::string(200, 'a') + "/b/" + std::string(200, 'a'));
}

void check_rules(const std::string& text) {
  const auto rules = rules_of_text("f.yaml", text);
  if (!rules.ok()) return;
  for (const Rule& rule : rules->rules) {
    LB_CHECK(validate_rule(rule).empty());
    check_glob(rule.path);
  }
  const std::string written = write_rules(rules->rules);
  const auto again = rules_of_text("f.yaml", written);
  LB_CHECK(again.ok() && write_rules(again->rules) == written);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  YamlNode root;
  std::vector<Problem> problems;
  if (parse_yaml("f.yaml", text, root, problems)) check_settings(text, root);
  check_rules(text);
  check_glob(text);
  (void)parse_duration(text);
  (void)ByteSize::parse(text);
  return 0;
}
