// InfluxDB for real: names and strings of any characters, a server that goes and comes back; and a made-up one for what
// a real one does seldom.
#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "metricstore/influxdb/line_protocol.h"
#include "metricstore/testing/fake_influx.h"
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

// M2
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
  EXPECT_EQ(under_test.store().flush().error().code(), ErrorCode::kUnavailable) << "nobody waits for a dead server";
  EXPECT_EQ(answered, 0);
  ASSERT_TRUE(server.start());
  while (!under_test.store().flush().ok()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
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
  int taken = 0;
  Status last;
  while ((last = (*store)->append(batch_of("a", {sample_of(kStart, "load", {}, {{"one", 1.0}})}),
                                  [&](const Status& status) { failed += status.ok() ? 0 : 1; }, {}))
             .ok())
    ++taken;
  EXPECT_EQ(last.error().code(), ErrorCode::kFull) << last.error().message();
  EXPECT_NE(last.error().message().find("127.0.0.1:1"), std::string::npos) << last.error().message();
  EXPECT_LT(taken, 30);
  EXPECT_LE((*store)->stats().waiting_bytes, options.memory);
  ASSERT_TRUE((*store)->close().ok());
  EXPECT_EQ(failed, taken);
}

TEST_F(InfluxTest, AnExaminationSaysWhatIsWrong) {
  InfluxOptions options;
  options.url = influx_server()->url();
  options.database = "not there";
  const Findings good = examine_influx(options, {});
  ASSERT_EQ(good.size(), 1u);
  EXPECT_EQ(good[0].verdict, Verdict::kGood) << good[0].text;
  options.url = "http://127.0.0.1:1";
  const Findings bad = examine_influx(options, {});
  EXPECT_EQ(bad.at(0).verdict, Verdict::kBad);
  EXPECT_NE(bad[0].remedy.find("metrics_store.url"), std::string::npos);
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

// ---- the write API of 2.x

std::unique_ptr<MetricStore> second_version(const FakeInflux& server, Registry& registry, const Clock& clock) {
  InfluxOptions options;
  options.url = server.url();
  options.org = "my org";
  options.bucket = "metrics";
  options.token = "secret";
  options.retry_least = std::chrono::milliseconds(5);
  options.retry_greatest = std::chrono::milliseconds(20);
  auto store = open_influx_metric_store(options, clock, registry);
  EXPECT_TRUE(store.ok());
  return std::move(*store);
}

SampleBatch many(int count) {
  std::vector<Sample> samples;
  for (int i = 0; i < count; ++i)
    samples.push_back(sample_of(kStart + i, "m" + std::to_string(i), {}, {{"a", 1.5}, {"b", std::int64_t{i}}}));
  return batch_of("web-01", std::move(samples));
}

TEST(InfluxSecondVersion, IsAskedAsItsDocumentationSays) {
  FakeInflux server([](const auto&) { return FakeInflux::Answer{}; });
  ManualClock clock;
  Registry registry;
  const auto store = second_version(server, registry, clock);
  ASSERT_TRUE(put(*store, many(100)).ok());
  const auto seen = server.seen();
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].query, "org=my org&bucket=metrics&precision=ns");
  EXPECT_EQ(seen[0].authorization, "Token secret");
  ASSERT_EQ(seen[0].lines.size(), 100u);
  EXPECT_EQ(seen[0].lines[3], "m3,host=web-01,ip=10.0.0.1 a=1.5,b=3i " + std::to_string(kStart + 3));
}

TEST(InfluxSecondVersion, WhatItCannotTakeNowIsSentAgain) {
  int calls = 0;
  FakeInflux server([&](const auto&) {
    const int status = std::vector<int>{503, 429, 500, 401, 204}[static_cast<std::size_t>(std::min(calls++, 4))];
    return FakeInflux::Answer{status, R"({"code":"unavailable","message":"not now"})"};
  });
  ManualClock clock;
  Registry registry;
  const auto store = second_version(server, registry, clock);
  std::promise<Status> stored;
  ASSERT_TRUE(store->append(many(3), [&](Status status) { stored.set_value(std::move(status)); }, {}).ok());
  EXPECT_TRUE(stored.get_future().get().ok());
  EXPECT_EQ(server.seen().size(), 5u);
  EXPECT_EQ(server.stored().size(), 3u);
  EXPECT_EQ(store->stats().quarantined, 0u);
}

TEST(InfluxSecondVersion, WhatItRefusesIsFoundAndTheRestIsStoredOnce) {
  FakeInflux server([](const std::vector<std::string>& lines) {
    if (lines.size() > 40) return FakeInflux::Answer{413, R"({"code":"request too large","message":"too much"})"};
    for (const std::string& line : lines) {
      if (line.find("b=17i") != std::string::npos)
        return FakeInflux::Answer{400, R"({"code":"invalid","message":"field type conflict: b is float"})"};
    }
    return FakeInflux::Answer{};
  });
  ManualClock clock;
  Registry registry;
  const auto store = second_version(server, registry, clock);
  ASSERT_TRUE(put(*store, many(100)).ok());
  const auto stored = server.stored();
  EXPECT_EQ(std::set<std::string>(stored.begin(), stored.end()).size(), 100u);
  EXPECT_EQ(stored.size(), 100u) << "none twice";
  const MetricStats stats = store->stats();
  EXPECT_EQ(stats.quarantined, 1u);
  ASSERT_EQ(stats.refused.size(), 1u);
  EXPECT_EQ(stats.refused[0].measurement, "m17");
  EXPECT_EQ(stats.refused[0].field, "b");
  EXPECT_NE(stats.refused[0].reason.find("field type conflict: b is float"), std::string::npos)
      << stats.refused[0].reason;
  // It is known now: not sent again.
  const std::size_t asked = server.seen().size();
  ASSERT_TRUE(
      put(*store, batch_of("web-01", {sample_of(kStart, "m17", {}, {{"a", 2.0}, {"b", std::int64_t{17}}})})).ok());
  EXPECT_EQ(server.seen().size(), asked + 1);
  EXPECT_EQ(store->stats().quarantined, 2u);
}

}  // namespace
}  // namespace logboom::metricstore
