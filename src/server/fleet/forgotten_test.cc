#include "server/fleet/forgotten.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace logboom::server {
namespace {

using nlohmann::json;

constexpr SourceId kSource{1, 2};

json state(std::uint64_t acknowledged, std::uint64_t epoch = 0) {
  return {{"sources",
           {{{"source", kSource.to_hex()},
             {"topic", "logs"},
             {"epoch", epoch},
             {"acknowledged", acknowledged},
             {"file", "/a.log"}}}}};
}

KnownSource known(std::uint64_t begin, std::uint64_t end, std::uint32_t epoch = 0) {
  KnownSource source;
  source.source = kSource;
  source.channel = "logs";
  source.epoch = epoch;
  source.coverage.add(begin, end);
  return source;
}

std::string forgotten(const json& said, std::vector<KnownSource> held, bool its = true) {
  return forgotten_file(said, held, [&](const SourceId&) { return its; });
}

TEST(Forgotten, WhatIsHeldIsNot) {
  EXPECT_EQ(forgotten(state(10), {known(0, 10)}), "");
  EXPECT_EQ(forgotten(state(10), {known(0, 20)}), "") << "it has grown since";
  EXPECT_EQ(forgotten(state(10), {known(0, 3, 1)}), "") << "a newer epoch";
  EXPECT_EQ(forgotten(state(0), {}), "");
  EXPECT_EQ(forgotten(state(10), {}, false), "") << "another one's";
}

TEST(Forgotten, WhatAStoreFromABackupMisses) {
  EXPECT_EQ(forgotten(state(10), {known(0, 9)}), "/a.log");
  EXPECT_EQ(forgotten(state(10), {}), "/a.log");
  EXPECT_EQ(forgotten(state(10, 1), {known(0, 10)}), "/a.log") << "the epoch is younger than the backup";
  KnownSource hole = known(0, 5);
  hole.coverage.add(7, 20);
  EXPECT_EQ(forgotten(state(10), {hole}), "/a.log") << "more came behind what is forgotten";
  KnownSource other = known(0, 10);
  other.channel = "others";
  EXPECT_EQ(forgotten(state(10), {other}), "/a.log");
}

TEST(Forgotten, AStateMayHoldAnything) {
  for (const char* text :
       {"[]", "{}", "null", R"({"sources":{}})", R"({"sources":[1,{},{"source":7},{"source":"x"}]})",
        R"({"sources":[{"source":"00000000000000010000000000000002","acknowledged":-1,"epoch":"x"}]})"})
    EXPECT_EQ(forgotten(json::parse(text), {}), "") << text;
}

}  // namespace
}  // namespace logboom::server
