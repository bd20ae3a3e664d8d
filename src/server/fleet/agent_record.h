// AgentRecord: an agent or transfer as the server knows it, and what of its own words the server goes by.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace logboom::server {

// One agent as the server knows it.
struct AgentRecord {
  std::string id;  // 32 hexadecimal digits
  std::string name;
  std::string version;
  std::string token;  // id of the token that speaks for it
  std::uint64_t session = 0;
  std::string attempt;  // which attempt of the agent opened it; empty: it does not say
  TimeNs enrolled = 0;
  TimeNs seen = 0;      // since the start of the program; 0: not
  std::string state;    // what it said of itself last, a JSON object; empty: nothing since the start of the program
  TimeNs reported = 0;  // when
};

// 32 hexadecimal digits.
bool is_agent_id(const std::string& text);

// kRejected: the agent says that it takes its rules from etcd or its own files, so none put here would be followed.
Status takes_rules_from_here(const AgentRecord& agent);

// As it says of itself.
bool is_transfer(const AgentRecord& agent);

}  // namespace logboom::server
