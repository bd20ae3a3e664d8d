#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "http/testing/recording_writer.h"
#include "http/url.h"
#include "io/memory_file_system.h"
#include "metricstore/embedded/embedded_metric_store.h"
#include "metricstore/testing/metric_samples.h"
#include "server/api.h"
#include "server/testing/fake_log_store.h"

namespace logboom::server {
namespace {

using metricstore::batch_of;
using metricstore::sample_of;
using nlohmann::json;

constexpr TimeNs kStart = 1'699'999'200 * kNsPerSecond;

class MetricRoutesTest : public testing::Test {
 protected:
  MetricRoutesTest() {
    metricstore::EmbeddedMetricOptions options;
    options.directory = "/metrics";
    auto opened = metricstore::open_embedded_metric_store(options, files_, clock_, registry_);
    EXPECT_TRUE(opened.ok());
    metrics_ = std::move(*opened);
    ApiDeps deps{.store = store_, .clock = clock_};
    deps.metrics = metrics_.get();
    register_api(router_, std::move(deps));
    std::vector<Sample> samples{
        sample_of(kStart, "host", {}, {{"os", std::string("Debian \"12\"")}, {"cores", std::int64_t{2}}})};
    for (int i = 0; i < 6; ++i)
      samples.push_back(sample_of(kStart + i * 10 * kNsPerSecond, "cpu", {{"cpu", "total"}}, {{"used", i + 0.5}}));
    EXPECT_TRUE(put(*metrics_, batch_of("web-01", samples)).ok());
    EXPECT_TRUE(put(*metrics_, batch_of("web,02", {sample_of(kStart, "cpu", {{"cpu", "0"}}, {{"used", 9.0}})})).ok());
  }
  http::RecordingWriter call(const std::string& target) {
    http::Request request;
    request.method = "GET";
    const auto parsed = http::parse_target(target);
    request.path = parsed->path;
    request.query = parsed->query;
    request.principal = http::Principal{"anna", http::Role::kViewer, http::Via::kToken, "", 0};
    http::RecordingWriter writer;
    router_.match("GET", request.path).route->handler(request, writer);
    return writer;
  }
  json get(const std::string& target) {
    const auto writer = call("/api/v1/metrics/" + target);
    EXPECT_EQ(writer.status(), 200) << writer.text();
    return json::parse(writer.text());
  }
  std::string refused(const std::string& target) {
    const auto writer = call("/api/v1/metrics/" + target);
    EXPECT_EQ(writer.status(), 400) << writer.text();
    return json::parse(writer.text())["error"]["message"];
  }

  MemoryFileSystem files_;
  ManualClock clock_{kStart + 60 * kNsPerSecond};
  Registry registry_;
  std::unique_ptr<metricstore::MetricStore> metrics_;
  FakeLogStore store_;
  http::Router router_;
};

TEST_F(MetricRoutesTest, HostsComeWithWhatIsKnownOfThem) {
  const json answer = get("hosts");
  ASSERT_EQ(answer["hosts"].size(), 2u);
  const json& web = answer["hosts"][1];
  EXPECT_EQ(web["host"], "web-01");
  EXPECT_EQ(web["ip"], "10.0.0.1");
  EXPECT_EQ(web["facts"]["os"], "Debian \"12\"");
  EXPECT_EQ(web["facts"]["cores"], 2);
  EXPECT_EQ(web["last"], std::to_string(kStart + 50 * kNsPerSecond));
  EXPECT_EQ(web["measurements"], json::array({"cpu", "host"}));
  EXPECT_EQ(answer["store"]["series"], 3);
  EXPECT_EQ(get("hosts?since=-20s")["hosts"].size(), 1u);
}

TEST_F(MetricRoutesTest, SeriesAreFilteredByTags) {
  EXPECT_EQ(get("series?measurement=cpu")["series"].size(), 2u);
  const json one = get("series?tags=cpu%21%3Dtotal,host%3Dweb%5C,*")["series"];
  ASSERT_EQ(one.size(), 1u);
  EXPECT_EQ(one[0]["fields"]["used"], 9.0);
  EXPECT_EQ(get("series?limit=1")["series"].size(), 1u);
}

TEST_F(MetricRoutesTest, AQueryGivesLines) {
  const json answer = get("query?measurement=cpu&host=web-01&fields=used&step=30s&pick=max");
  ASSERT_EQ(answer["lines"].size(), 1u);
  EXPECT_EQ(answer["lines"][0]["tags"]["cpu"], "total");
  EXPECT_EQ(answer["lines"][0]["values"], json::array({2.5, 5.5}));
  EXPECT_EQ(answer["lines"][0]["times"][1], std::to_string(kStart + 30 * kNsPerSecond));
  EXPECT_EQ(answer["resolution_seconds"], 0);
  EXPECT_EQ(get("query?measurement=cpu")["points"], 7) << "the samples themselves";
  EXPECT_EQ(get("query?measurement=cpu&step=1m&across=sum")["lines"].size(), 1u);
  EXPECT_EQ(get("query?measurement=host&fields=os")["lines"][0]["values"][0], "Debian \"12\"");
}

TEST_F(MetricRoutesTest, WhatCannotBeReadIsRefusedByName) {
  EXPECT_NE(refused("query").find("measurement"), std::string::npos);
  EXPECT_NE(refused("query?measurement=cpu&pick=median").find("mean, min, max"), std::string::npos);
  EXPECT_NE(refused("query?measurement=cpu&step=1m&across=x").find("across"), std::string::npos);
  EXPECT_NE(refused("query?measurement=cpu&tags=x").find("name=value"), std::string::npos);
  EXPECT_NE(refused("query?measurement=cpu&from=soon").find("from"), std::string::npos);
  EXPECT_NE(refused("query?measurement=cpu&step=1ms&pick=mean").find("step"), std::string::npos);
  EXPECT_NE(refused("series?limit=x").find("limit"), std::string::npos);
}

TEST_F(MetricRoutesTest, WithoutAStoreThereIsNothing) {
  http::Router router;
  register_api(router, ApiDeps{.store = store_, .clock = clock_});
  http::RecordingWriter writer;
  http::Request request;
  request.method = "GET";
  request.path = "/api/v1/metrics/hosts";
  router.match("GET", request.path).route->handler(request, writer);
  EXPECT_EQ(writer.status(), 404);
}

}  // namespace
}  // namespace logboom::server
