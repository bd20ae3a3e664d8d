#include "config/etcd/etcd_repairs.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "config/testing/etcd_test.h"
#include "http/json_reading.h"

namespace logboom::config {
namespace {

nlohmann::json tree(std::string_view text) {
  return http::parse_json(text, 2);
}

const WantedRange kOne{SourceId{1, 2}, 3, "web", {100, 4000}};
const WantedRange kTwo{SourceId{7, 0}, 0, "web", {0, UINT64_MAX}};

TEST(WantedRanges, AreReadAsTheyAreWritten) {
  const auto read = read_wanted(tree(write_wanted({kOne, kTwo})));
  ASSERT_EQ(read.size(), 2u);
  EXPECT_EQ(read[0].source, kOne.source);
  EXPECT_EQ(read[0].epoch, 3u);
  EXPECT_EQ(read[0].channel, "web");
  EXPECT_EQ(read[0].bytes.begin, 100u);
  EXPECT_EQ(read[1].bytes.end, UINT64_MAX);
}

TEST(WantedRanges, OfAnotherFormAreNone) {
  const std::string id(32, 'a');
  const auto with = [&](const std::string& members) {
    return read_wanted(tree("[{\"source\": \"" + id + "\", \"topic\": \"t\"" + members + "}]")).size();
  };
  EXPECT_EQ(with(R"(, "epoch": 0, "begin": 1, "end": 2)"), 1u);
  EXPECT_EQ(with(R"(, "epoch": 0, "begin": 2, "end": 2)"), 0u) << "empty";
  EXPECT_EQ(with(R"(, "epoch": 4294967296, "begin": 1, "end": 2)"), 0u) << "no epoch";
  EXPECT_EQ(with(R"(, "epoch": 0, "begin": -1, "end": 2)"), 0u);
  EXPECT_EQ(with(R"(, "epoch": 0, "end": 2)"), 0u);
  for (const char* other : {"", "{}", "[1]", "[[[[", R"([{"source": "x"}])", "null"})
    EXPECT_TRUE(read_wanted(tree(other)).empty());
  EXPECT_TRUE(read_wanted(tree(write_wanted(std::vector<WantedRange>(kMostWantedRanges + 1, kOne)))).empty());
}

using EtcdRepairsTest = EtcdTest;

TEST_F(EtcdRepairsTest, ARequestStandsUntilItIsFollowed) {
  EtcdOptions options;
  options.endpoints = {etcd_->endpoint()};
  const auto store = std::move(open_etcd_repair_asker(options)).value();
  const auto other = std::move(open_etcd_repairs(options, "10.1.2.9")).value();
  const auto agent = std::move(open_etcd_repairs(options, "10.1.2.3")).value();
  EXPECT_EQ(agent->asked({})->revision, 0u);
  ASSERT_TRUE(store->ask("10.1.2.3", {kOne}, {}).ok());
  const auto first = agent->asked({});
  ASSERT_EQ(first->ranges.size(), 1u);
  EXPECT_EQ(agent->asked({})->revision, first->revision) << "until it is followed";
  ASSERT_TRUE(store->ask("10.1.2.3", std::vector<WantedRange>(kMostWantedRanges + 5, kTwo), {}).ok());
  ASSERT_TRUE(agent->follow(first->revision, {}).ok());
  const auto second = agent->asked({});
  EXPECT_EQ(second->ranges.size(), kMostWantedRanges) << "a newer one stays";
  ASSERT_TRUE(agent->follow(second->revision, {}).ok());
  EXPECT_EQ(agent->asked({})->revision, 0u);
  EXPECT_EQ(other->asked({})->revision, 0u) << "nobody asked that host";
  etcd_->put(std::string(kEtcdRepairPrefix) + "10.1.2.3", "[");
  EXPECT_NE(agent->asked({})->revision, 0u);
  EXPECT_TRUE(agent->asked({})->ranges.empty());
}

}  // namespace
}  // namespace logboom::config
