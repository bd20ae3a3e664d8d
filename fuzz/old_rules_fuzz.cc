// What anybody may have written for older systems: the value of a host's key in etcd (JSON items) and INI files. Rules
// that are read are valid, and what is written of them reads back to the same, whatever start is given then.
#include <string>
#include <string_view>

#include "base/check.h"
#include "config/ini_file.h"
#include "config/rules_json.h"
#include "config/rules_yaml.h"

namespace {

using namespace logboom;
using namespace logboom::config;

const OptionTable& table() {
  static const OptionTable options = {{.name = "limits.memory", .type = OptionType::kSize, .fallback = "1MB"},
                                      {.name = "transport.topic", .fallback = ""},
                                      {.name = "transport.brokers", .type = OptionType::kList, .fallback = ""},
                                      {.name = "server.listen", .fallback = ""}};
  return options;
}

void check_items(const std::string& text) {
  std::vector<Problem> warnings;
  const auto rules = rules_of_json("etcd key /k", text, Start::kEnd, warnings);
  if (!rules.ok()) return;
  for (const Rule& rule : rules->rules) LB_CHECK(validate_rule(rule).empty());
  const std::string written = write_rules_json(rules->rules);
  const auto again = rules_of_json("etcd key /k", written, Start::kBeginning, warnings);
  LB_CHECK(again.ok() && write_rules_json(again->rules) == written);
}

void check_ini(const std::string& text) {
  std::vector<Problem> problems;
  for (const IniEntry& entry : read_ini("config.ini", text, problems)) LB_CHECK(entry.line > 0);
  Settings settings(table());
  read_ini_settings("config.ini", text, settings, problems);
  RuleSet rules;
  read_ini_rules("config.ini", text, rules, problems);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  check_items(text);
  check_ini(text);
  return 0;
}
