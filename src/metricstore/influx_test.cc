// InfluxDB for real: names and strings of any characters, a server that goes and comes back; and a made-up one for what
// a real one does seldom.
#include <random>

#include <gtest/gtest.h>

#include "metricstore/influxdb/line_protocol.h"
#include "metricstore/testing/influx_under_test.h"
#include "metricstore/testing/metric_samples.h"

namespace logboom::metricstore {
namespace {

class InfluxTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = InfluxProcess::missing(); !why.empty()) {
      ASSERT_EQ(std::getenv("CI"), nullptr) << why;
      GTEST_SKIP() << why;
    }
  }
};

// Of characters that mean something somewhere, and some that do not.
std::string odd_text(std::mt19937_64& random, std::size_t longest, bool lines) {
  static const std::vector<std::string> kParts = {",", " ", "=", "\\", "\"", "'",    "#", "`", ";",  "/",
                                                  "*", "?", "$", "a",  "_",  "time", "-", "é", "主", "\xf0\x9f\x98\x80",
                                                  "{", "}", "%"};
  std::string text;
  const std::size_t parts = 1 + random() % longest;
  for (std::size_t i = 0; i < parts; ++i) text += lines && random() % 8 == 0 ? "\n" : kParts[random() % kParts.size()];
  return text;
}

TEST_F(InfluxTest, NamesTagsAndStringsOfAnyCharactersComeBack) {
  InfluxUnderTest under_test(influx_server()->url());
  std::mt19937_64 random(7);
  for (int round = 0; round < 60; ++round) {
    Sample sample{kStart + round, odd_text(random, 6, false), {}, {}};
    std::set<std::string> names{"time", "ip", "host"};
    for (int i = 0; i < 3; ++i) {
      std::string name = odd_text(random, 5, false);
      if (names.insert(name).second) sample.tags.push_back({name, odd_text(random, 6, false)});
    }
    std::sort(sample.tags.begin(), sample.tags.end());
    for (int i = 0; i < 3; ++i) {
      std::string name = odd_text(random, 5, false);
      if (names.insert(name).second) sample.fields.push_back({name, odd_text(random, 20, true)});
    }
    if (sample.fields.empty()) continue;
    const std::string host = odd_text(random, 5, false);
    SCOPED_TRACE(influxdb::line_head(host, "", sample));
    ASSERT_TRUE(put(under_test.store(), batch_of(host, {sample})).ok());
    ASSERT_EQ(under_test.store().stats().quarantined, 0u);
    std::map<std::string, std::string> found;
    MetricQuery query = query_of(sample.measurement, "", sample.time, sample.time + 1, 0, Pick::kLast);
    query.tags = {{"host", host}};
    // A star or a question mark in the host's name is a pattern here.
    for (const MetricLine& line : lines_of(under_test.store(), query)) {
      if (line.host != host || line.tags != sample.tags) continue;
      found[line.field] = line.texts.at(0);
    }
    ASSERT_EQ(found.size(), sample.fields.size());
    for (const SampleField& field : sample.fields) EXPECT_EQ(found[field.name], std::get<std::string>(field.value));
  }
}

TEST_F(InfluxTest, WhileTheServerIsDownSamplesWaitAndNothingStandsTwice) {
  InfluxProcess server;
  ASSERT_TRUE(server.start());
  InfluxUnderTest under_test(server.url());
  ASSERT_TRUE(put(under_test.store(), batch_of("a", {sample_of(kStart, "load", {}, {{"one", 0.0}})})).ok());
  server.kill();
  std::atomic<int> answered{0};
  constexpr int kBatches = 50;
  for (int i = 1; i <= kBatches; ++i) {
    ASSERT_TRUE(under_test.store()
                    .append(batch_of("a", {sample_of(kStart + i * kNsPerSecond, "load", {}, {{"one", i * 1.0}})}),
                            [&](const Status& status) { answered += status.ok() ? 1 : 1000; }, {})
                    .ok());
  }
  while (under_test.store().stats().problem.empty()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_EQ(answered, 0);
  ASSERT_TRUE(server.start());
  ASSERT_TRUE(under_test.store().flush().ok());
  EXPECT_EQ(answered, kBatches);
  EXPECT_EQ(under_test.store().stats().problem, "");
  EXPECT_EQ(
      values_of(under_test.store(), query_of("load", "one", kStart, kStart + 3600 * kNsPerSecond, 3600, Pick::kCount)),
      std::vector<double>{kBatches + 1});
}

TEST_F(InfluxTest, MemoryIsBoundedWhileTheServerIsDownAndACloseTellsWhatIsLeft) {
  InfluxOptions options;
  options.url = "http://127.0.0.1:1";
  options.database = "x";
  options.memory = 4000;
  ManualClock clock;
  Registry registry;
  auto store = open_influx_metric_store(options, clock, registry);
  ASSERT_TRUE(store.ok());
  std::atomic<int> failed{0};
  std::stop_source stop;
  std::jthread stopper([&] {
    while ((*store)->stats().waiting_bytes < 3000) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    stop.request_stop();
  });
  int taken = 0;
  while ((*store)
             ->append(
                 batch_of("a", {sample_of(kStart, "load", {}, {{"one", 1.0}})}),
                 [&](const Status& status) { failed += status.ok() ? 0 : 1; }, stop.get_token())
             .ok())
    ++taken;
  EXPECT_LT(taken, 30);
  EXPECT_LE((*store)->stats().waiting_bytes, options.memory);
  ASSERT_TRUE((*store)->close().ok());
  EXPECT_EQ(failed, taken);
}

TEST(InfluxOptions, OneVersionIsNamed) {
  ManualClock clock;
  Registry registry;
  InfluxOptions options;
  EXPECT_FALSE(open_influx_metric_store(options, clock, registry).ok());
  options.url = "http://127.0.0.1:1";
  EXPECT_FALSE(open_influx_metric_store(options, clock, registry).ok());
  options.database = "x";
  EXPECT_TRUE(open_influx_metric_store(options, clock, registry).ok());
  options.org = options.bucket = options.token = "y";
  EXPECT_FALSE(open_influx_metric_store(options, clock, registry).ok());
  options.database = "";
  EXPECT_TRUE(open_influx_metric_store(options, clock, registry).ok());
}

}  // namespace
}  // namespace logboom::metricstore
