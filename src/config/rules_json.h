// Rules as JSON: the list of items that etcd holds under a host's key, written by logboom and by anybody else.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/problem.h"
#include "config/rule.h"

namespace logboom::config {

// `origin` names the text in problems ("etcd key /x"); `start` is for items that do not say. kInvalidArgument carries
// all that is wrong at once: then nothing of the text is to be used. What can be lived with (an unknown key) is added
// to `warnings`.
Result<RuleSet> rules_of_json(const std::string& origin, std::string_view text, Start start,
                              std::vector<Problem>& warnings);

// What etcd holds under a host's system key: {"interval": 10, "topic": "system"}, or "off". Errors and warnings as of
// rules_of_json.
Result<MetricsRule> metrics_rule_of_json(const std::string& origin, std::string_view text,
                                         std::vector<Problem>& warnings);

// Reads back to the same rules, whatever `start` is given then.
std::string write_rules_json(const std::vector<Rule>& rules);

}  // namespace logboom::config
