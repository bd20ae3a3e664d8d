// Whose rules the `rules` commands read and change, and how: those of one owner by its own route, those of many agents
// some hundred in a request.
#pragma once

#include <cstdint>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "app/api_access.h"
#include "config/rule.h"

namespace logboom::app {

// The running program, or an agent whose rules its server (or etcd) keeps.
struct RuleOwner {
  std::string agent;  // its name; empty: the program itself
  std::string id;     // as the API knows it
  std::string path;   // of the API
  // "web-1: ", for the lines about it.
  std::string label() const;
};

struct RulesNow {
  std::uint64_t revision = 0;
  std::string yaml;
  std::vector<config::Rule> rules;
  std::string problem;  // why newer ones are not in force
};

struct RuleReplacement {
  std::uint64_t expected = 0;  // the revision it was made from
  std::vector<config::Rule> rules;
};

// As many as a caller should hand over at once: they are one request, and then their lines appear.
inline constexpr std::size_t kOwnersAtOnce = 100;

RuleOwner this_program();
RuleOwner agent_named(const std::string& name);
// Agents whose name or id matches the pattern. kNotFound: none does.
Result<std::vector<RuleOwner>> agents_like(ApiAccess& api, const std::string& pattern, std::stop_token stop);

Result<std::vector<config::Rule>> parse_rules(const std::string& file, const std::string& text);

// Of each owner, in their order; several owners are agents. Errors as of ApiAccess::call.
std::vector<Result<RulesNow>> rules_of(ApiAccess& api, std::span<const RuleOwner> owners, const std::stop_token& stop);
// Of each owner, in their order. kRejected: its rules are no longer at `expected`; kInvalidArgument: they are wrong, or
// are written, but cannot be followed.
std::vector<Status> replace_rules(ApiAccess& api, std::span<const RuleOwner> owners,
                                  std::span<const RuleReplacement> with, const std::stop_token& stop);

}  // namespace logboom::app
