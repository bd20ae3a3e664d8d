#include "logstore/elastic/mapping_check.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace logboom::logstore::elastic {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::IsEmpty;

const json kWanted =
    json::parse(R"({"properties": {"@timestamp": {"type": "date"}, "message": {"type": "text", "analyzer": "logboom"},
  "log": {"properties": {"offset": {"type": "long"}}}, "labels": {"type": "object", "dynamic": true}}})");

TEST(MappingDifferences, AreNoneForWhatFitsAndHasMore) {
  json have = kWanted;
  have["properties"]["theirs"] = {{"type", "keyword"}};
  EXPECT_THAT(mapping_differences(kWanted, have), IsEmpty());
}

TEST(MappingDifferences, NameOtherTypesAndAnalyzersBeforeWhatIsMissing) {
  const json have = json::parse(R"({"properties": {"message": {"type": "text"}, "@timestamp": {"type": "keyword"}}})");
  EXPECT_THAT(mapping_differences(kWanted, have),
              ElementsAre("@timestamp is keyword, not date", "message has the analyzer standard, not logboom",
                          "log.offset is not mapped, long is wanted"));
}

TEST(MappingDifferences, TakeAnyJson) {
  for (const char* text :
       {"null", "[]", "7", R"({"properties": 1})", R"({"properties": {"log": 1, "message": {"type": 5}}})"})
    EXPECT_EQ(mapping_differences(kWanted, json::parse(text)).size(), 3u) << text;
  std::string deep = R"({"type": "x"})";
  for (int i = 0; i < 2000; ++i) deep.insert(0, R"({"properties": {"a": )").append("}}");
  EXPECT_EQ(mapping_differences(kWanted, json::parse(deep)).size(), 3u);
}

}  // namespace
}  // namespace logboom::logstore::elastic
