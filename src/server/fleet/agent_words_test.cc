#include "server/fleet/agent_words.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace logboom::server {
namespace {

using nlohmann::json;

json words() {
  return json::parse(R"({"version": "1", "role": "transfer", "problem": "", "rules": {"from": "etcd", "revision": 1,
      "problem": ""}, "totals": {"files": 1, "lag_bytes": 0, "lag_messages": 0, "unreadable": 0},
      "topics": [{"topic": "t", "partition": 0, "stored": null, "end": 5, "lag": null}],
      "sources": [{"source": "x", "epoch": 0, "file": "/a", "topic": "t", "rule": "r", "state": "active", "size": 1,
      "read": 1, "acknowledged": 1, "lag": 0, "problem": ""}]})");
}

TEST(WrongInAgentWords, IsNothingInWhatAgentsSay) {
  EXPECT_EQ(wrong_in_agent_words(words()), "");
  json older = words();
  for (const char* name : {"/role", "/topics"}) older.erase(std::string(name + 1));
  older["rules"].erase("from");
  older["totals"].erase("lag_messages");
  EXPECT_EQ(wrong_in_agent_words(older), "");
}

// One forged agent must not take the list of all from people.
TEST(WrongInAgentWords, NamesWhatWouldBeTakenForGranted) {
  for (const char* member :
       {"/role", "/problem", "/rules", "/rules/from", "/rules/revision", "/rules/problem", "/totals", "/totals/files",
        "/totals/lag_messages", "/topics", "/topics/0", "/topics/0/topic", "/topics/0/stored", "/sources",
        "/sources/0/state", "/sources/0/size", "/sources/0/file_raw"}) {
    json forged = words();
    forged[json::json_pointer(member)] = json{{"a", 1}};
    EXPECT_NE(wrong_in_agent_words(forged), "") << member;
  }
  json forged = words();
  forged["sources"][0] = 7;
  EXPECT_NE(wrong_in_agent_words(forged), "");
  EXPECT_NE(wrong_in_agent_words(json::parse("[]")), "");
  EXPECT_NE(wrong_in_agent_words(json(json::value_t::discarded)), "");
}

}  // namespace
}  // namespace logboom::server
