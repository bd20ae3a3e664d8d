#include <cmath>
#include <limits>
#include <thread>

#include <gtest/gtest.h>

#include "metricstore/testing/embedded_under_test.h"
#include "metricstore/testing/influx_under_test.h"
#include "metricstore/testing/metric_samples.h"
#include "metricstore/testing/store_contract.h"

namespace logboom::metricstore {
namespace {

constexpr TimeNs kSecond = kNsPerSecond;
constexpr TimeNs kMinute = 60 * kSecond;
constexpr TimeNs kHour = 60 * kMinute;

class MetricStoreContract : public ::testing::TestWithParam<StoreCase> {
 protected:
  void SetUp() override {
    under_test_ = GetParam().make();
    if (under_test_ == nullptr) GTEST_SKIP() << GetParam().name << ": its server is not there";
  }
  MetricStore& store() { return under_test_->store(); }
  void reopen() { under_test_->reopen(); }

  // One sample every ten seconds.
  void put_counts(const std::string& host, std::vector<SampleTag> tags, const std::vector<std::int64_t>& values) {
    std::vector<Sample> samples;
    for (std::size_t i = 0; i < values.size(); ++i)
      samples.push_back(sample_of(kStart + static_cast<TimeNs>(i) * 10 * kSecond, "net", tags, {{"bytes", values[i]}}));
    ASSERT_TRUE(put(store(), batch_of(host, std::move(samples))).ok());
  }

 private:
  std::unique_ptr<StoreUnderTest> under_test_;
};

TEST_P(MetricStoreContract, WhatWasAcknowledgedIsThereAlsoAfterReopening) {
  const Sample sample = sample_of(kStart + 7, "cpu", {{"cpu", "0"}},
                                  {{"user", 12.5},
                                   {"ticks", std::int64_t{9'000'000'000'000'001}},
                                   {"on", true},
                                   {"governor", std::string("power \"save\"\\ = ,\nnext")}});
  ASSERT_TRUE(put(store(), batch_of("web-01", {sample})).ok());
  for (int round = 0; round < 2; ++round) {
    const auto lines = lines_of(store(), query_of("cpu", "", kStart, kStart + kSecond, 0, Pick::kLast));
    ASSERT_EQ(lines.size(), 4u);
    std::map<std::string, MetricLine> by_field;
    for (const MetricLine& line : lines) {
      EXPECT_EQ(line.host, "web-01");
      EXPECT_EQ(line.tags, sample.tags);
      EXPECT_EQ(line.times, std::vector<TimeNs>{kStart + 7});
      by_field[line.field] = line;
    }
    EXPECT_EQ(by_field["user"].values, std::vector<double>{12.5});
    EXPECT_EQ(by_field["ticks"].values, std::vector<double>{9'000'000'000'000'001.0});
    EXPECT_EQ(by_field["on"].values, std::vector<double>{1});
    EXPECT_TRUE(by_field["governor"].is_text);
    EXPECT_EQ(by_field["governor"].texts, std::vector<std::string>{"power \"save\"\\ = ,\nnext"});
    reopen();
  }
}

// Bad input 32: the same time twice.
TEST_P(MetricStoreContract, ASampleSentAgainOverwritesItself) {
  const auto at = [](double value) { return sample_of(kStart, "load", {}, {{"one", value}}); };
  for (const double value : {1.0, 1.0, 2.0}) ASSERT_TRUE(put(store(), batch_of("a", {at(value)})).ok());
  EXPECT_EQ(values_of(store(), query_of("load", "one", kStart, kStart + kMinute, 60, Pick::kCount)),
            std::vector<double>{1});
  EXPECT_EQ(values_of(store(), query_of("load", "one", kStart, kStart + kMinute, 60, Pick::kSum)),
            std::vector<double>{2});
}

TEST_P(MetricStoreContract, FieldsOfOneTimeComeTogether) {
  ASSERT_TRUE(put(store(), batch_of("a", {sample_of(kStart, "load", {}, {{"one", 1.0}})})).ok());
  ASSERT_TRUE(put(store(), batch_of("a", {sample_of(kStart, "load", {}, {{"five", 5.0}})})).ok());
  EXPECT_EQ(lines_of(store(), query_of("load", "", kStart, kStart + 1, 0, Pick::kLast)).size(), 2u);
}

TEST_P(MetricStoreContract, AStepIsWhatItsSamplesSay) {
  std::vector<Sample> samples;
  for (int i = 0; i < 12; ++i) samples.push_back(sample_of(kStart + i * 10 * kSecond, "cpu", {}, {{"user", i * 1.5}}));
  ASSERT_TRUE(put(store(), batch_of("a", std::move(samples))).ok());
  const auto picked = [&](Pick pick) {
    return values_of(store(), query_of("cpu", "user", kStart, kStart + 2 * kMinute, 60, pick));
  };
  EXPECT_EQ(picked(Pick::kMin), (std::vector<double>{0, 9}));
  EXPECT_EQ(picked(Pick::kMax), (std::vector<double>{7.5, 16.5}));
  EXPECT_EQ(picked(Pick::kSum), (std::vector<double>{22.5, 76.5}));
  EXPECT_EQ(picked(Pick::kMean), (std::vector<double>{3.75, 12.75}));
  EXPECT_EQ(picked(Pick::kLast), (std::vector<double>{7.5, 16.5}));
  EXPECT_EQ(picked(Pick::kCount), (std::vector<double>{6, 6}));
  const auto lines = lines_of(store(), query_of("cpu", "user", kStart, kStart + 2 * kMinute, 60, Pick::kMean));
  EXPECT_EQ(lines.at(0).times, (std::vector<TimeNs>{kStart, kStart + kMinute}));
}

TEST_P(MetricStoreContract, TheRangeIncludesItsBeginAndNotItsEnd) {
  put_counts("a", {}, {1, 2, 3, 4});
  EXPECT_EQ(values_of(store(), query_of("net", "bytes", kStart + 10 * kSecond, kStart + 30 * kSecond, 0, Pick::kLast)),
            (std::vector<double>{2, 3}));
}

TEST_P(MetricStoreContract, BucketsWithoutSamplesAreLeftOut) {
  ASSERT_TRUE(put(store(), batch_of("a", {sample_of(kStart, "load", {}, {{"one", 1.0}}),
                                          sample_of(kStart + 5 * kMinute, "load", {}, {{"one", 2.0}})}))
                  .ok());
  const auto lines = lines_of(store(), query_of("load", "one", kStart, kStart + kHour, 60, Pick::kMean));
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].times, (std::vector<TimeNs>{kStart, kStart + 5 * kMinute}));
}

TEST_P(MetricStoreContract, ACounterThatFellBeganAnew) {
  put_counts("a", {}, {1000, 1100, 1300, 50, 150});
  EXPECT_EQ(values_of(store(), query_of("net", "bytes", kStart, kStart + kMinute, 0, Pick::kRate)),
            (std::vector<double>{10, 20, 5, 10}));
  EXPECT_EQ(values_of(store(), query_of("net", "bytes", kStart, kStart + kMinute, 60, Pick::kIncrease)),
            (std::vector<double>{450}));
  EXPECT_EQ(values_of(store(), query_of("net", "bytes", kStart, kStart + kMinute, 60, Pick::kRate)),
            (std::vector<double>{450.0 / 40}));
}

TEST_P(MetricStoreContract, SeriesAreChosenByTagsAndHost) {
  put_counts("web-01", {{"interface", "eth0"}}, {1});
  put_counts("web-01", {{"interface", "lo"}}, {2});
  put_counts("web-02", {{"interface", "eth0"}, {"rack", "b"}}, {3});
  put_counts("db-01", {}, {4});
  const auto sum = [&](std::vector<TagFilter> tags) {
    MetricQuery query = query_of("net", "bytes", kStart, kStart + kMinute, 0, Pick::kLast);
    query.tags = std::move(tags);
    double total = 0;
    for (const MetricLine& line : lines_of(store(), query)) total += line.values.at(0);
    return total;
  };
  EXPECT_EQ(sum({}), 10);
  EXPECT_EQ(sum({{"host", "web-*"}}), 6);
  EXPECT_EQ(sum({{"host", "web-01"}, {"interface", "lo"}}), 2);
  EXPECT_EQ(sum({{"interface", "lo", true}}), 8);
  EXPECT_EQ(sum({{"rack", "*"}}), 3);
  EXPECT_EQ(sum({{"rack", "*", true}}), 7);
  EXPECT_EQ(sum({{"host", "web-0[12]"}}), 0);
  EXPECT_EQ(sum({{"host", "web-01' OR 1=1 --"}}), 0);
}

TEST_P(MetricStoreContract, SeriesAreTakenTogether) {
  put_counts("web-01", {{"interface", "eth0"}}, {1, 2});
  put_counts("web-01", {{"interface", "lo"}}, {10, 20});
  put_counts("web-02", {{"interface", "eth0"}}, {100});
  MetricQuery query = query_of("net", "bytes", kStart, kStart + kMinute, 10, Pick::kMean);
  query.across = Across::kSum;
  auto lines = lines_of(store(), query);
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].host, "");
  EXPECT_EQ(lines[0].values, (std::vector<double>{111, 22}));
  query.by = {"host"};
  lines = lines_of(store(), query);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].host, "web-01");
  EXPECT_EQ(lines[0].values, (std::vector<double>{11, 22}));
  EXPECT_EQ(lines[1].values, (std::vector<double>{100}));
  query.by = {"interface"};
  query.across = Across::kMax;
  lines = lines_of(store(), query);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].tags, (std::vector<SampleTag>{{"interface", "eth0"}}));
  EXPECT_EQ(lines[0].values, (std::vector<double>{100, 2}));
}

// M3
TEST_P(MetricStoreContract, AFieldThatChangedItsKindIsQuarantinedAndTheRestFlows) {
  ASSERT_TRUE(put(store(), batch_of("a", {sample_of(kStart, "load", {}, {{"one", 1.0}})})).ok());
  ASSERT_TRUE(put(store(), batch_of("a", {sample_of(kStart + kSecond, "load", {}, {{"one", std::string("high")}}),
                                          sample_of(kStart + kSecond, "cpu", {}, {{"user", 2.0}})}))
                  .ok());
  EXPECT_EQ(values_of(store(), query_of("load", "one", kStart, kStart + kMinute, 0, Pick::kLast)),
            std::vector<double>{1});
  EXPECT_EQ(values_of(store(), query_of("cpu", "user", kStart, kStart + kMinute, 0, Pick::kLast)),
            std::vector<double>{2});
  const MetricStats stats = store().stats();
  EXPECT_GE(stats.quarantined, 1u);
  ASSERT_FALSE(stats.refused.empty());
  EXPECT_EQ(stats.refused[0].measurement, "load");
  EXPECT_NE(stats.refused[0].reason, "");
}

// Bad input 32.
TEST_P(MetricStoreContract, NoBadValueOrNameGetsIn) {
  const double inf = std::numeric_limits<double>::infinity();
  ASSERT_TRUE(put(store(), batch_of("a", {sample_of(kStart, "x", {}, {{"nan", std::nan("")}, {"inf", -inf}}),
                                          sample_of(kStart, "x\ny,z=1 v=2", {}, {{"f", 1.0}}),
                                          sample_of(kStart, "x", {{"t", "a\nb"}}, {{"f", 1.0}}),
                                          sample_of(kStart, "x", {{"host", "other"}}, {{"f", 1.0}}),
                                          sample_of(kStart, "x", {}, {{"", 1.0}, {"zero", -0.0}, {"big", 1e308}})}))
                  .ok());
  const auto lines = lines_of(store(), query_of("x", "", kStart, kStart + 1, 0, Pick::kLast));
  ASSERT_EQ(lines.size(), 2u);
  for (const MetricLine& line : lines) EXPECT_EQ(line.values[0], line.field == "big" ? 1e308 : 0.0);
  EXPECT_EQ(store().stats().quarantined, 6u);
}

TEST_P(MetricStoreContract, NamesOfAnyCharactersComeBack) {
  const std::string odd = "a, b=c \"d\" \\ e'f`g;h{i}/j*k?l 主机";
  const Sample sample = sample_of(kStart, "m " + odd, {{"t " + odd, "v " + odd + "\\"}}, {{"f " + odd, 1.0}});
  ASSERT_TRUE(put(store(), batch_of("h " + odd, {sample})).ok());
  const auto lines = lines_of(store(), query_of("m " + odd, "f " + odd, kStart, kStart + 1, 0, Pick::kLast));
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].host, "h " + odd);
  EXPECT_EQ(lines[0].tags, sample.tags);
  EXPECT_EQ(lines[0].field, "f " + odd);
}

TEST_P(MetricStoreContract, SeriesAreListedWithTheirNewestValues) {
  put_counts("b", {{"interface", "eth0"}}, {1, 2, 3});
  put_counts("a", {{"interface", "lo"}}, {7});
  ASSERT_TRUE(put(store(), batch_of("a", {sample_of(kStart, "host", {}, {{"os", std::string("Debian")}})})).ok());
  for (int round = 0; round < 2; ++round) {
    const auto all = store().series({}, {});
    ASSERT_TRUE(all.ok());
    ASSERT_EQ(all->size(), 3u);
    EXPECT_EQ((*all)[0].measurement, "host");
    EXPECT_EQ(std::get<std::string>((*all)[0].fields.at(0).value), "Debian");
    EXPECT_EQ((*all)[1].host, "a");
    EXPECT_EQ((*all)[2].host, "b");
    EXPECT_EQ((*all)[2].host_ip, "10.0.0.1");
    EXPECT_EQ((*all)[2].last, kStart + 20 * kSecond);
    EXPECT_EQ(std::get<std::int64_t>((*all)[2].fields.at(0).value), 3);
    SeriesRequest request;
    request.measurement = "net";
    request.tags = {{"host", "a"}};
    EXPECT_EQ(store().series(request, {})->size(), 1u);
    request = {};
    request.since = kStart + kSecond;
    EXPECT_EQ(store().series(request, {})->size(), 1u);
    reopen();
  }
}

TEST_P(MetricStoreContract, StringsAreAskedByLastOrCount) {
  std::vector<Sample> samples;
  for (int i = 0; i < 4; ++i)
    samples.push_back(
        sample_of(kStart + i * 30 * kSecond, "host", {}, {{"state", std::string(i < 3 ? "up" : "down")}, {"n", 1.0}}));
  ASSERT_TRUE(put(store(), batch_of("a", std::move(samples))).ok());
  const auto lines = lines_of(store(), query_of("host", "state", kStart, kStart + kHour, 60, Pick::kLast));
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].texts, (std::vector<std::string>{"up", "down"}));
  EXPECT_EQ(values_of(store(), query_of("host", "state", kStart, kStart + kHour, 60, Pick::kCount)),
            (std::vector<double>{2, 2}));
  LineCollector none;
  EXPECT_EQ(store().query(query_of("host", "state", kStart, kStart + kHour, 60, Pick::kMean), none, {}).error().code(),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(lines_of(store(), query_of("host", "", kStart, kStart + kHour, 60, Pick::kMean)).size(), 1u);
}

TEST_P(MetricStoreContract, WhatIsNotThereIsAnEmptyAnswer) {
  put_counts("a", {}, {1});
  EXPECT_TRUE(lines_of(store(), query_of("nothing", "", kStart, kStart + kHour, 60, Pick::kMean)).empty());
  EXPECT_TRUE(lines_of(store(), query_of("net", "nothing", kStart, kStart + kHour, 60, Pick::kMean)).empty());
  EXPECT_TRUE(lines_of(store(), query_of("net", "bytes", kStart - kHour, kStart, 60, Pick::kMean)).empty());
}

TEST_P(MetricStoreContract, TooManyPointsAreRefusedWithAHint) {
  put_counts("a", {}, {1, 2, 3, 4, 5});
  MetricQuery query = query_of("net", "bytes", kStart, kStart + kHour, 0, Pick::kLast);
  query.max_points = 4;
  LineCollector collector;
  const auto answer = store().query(query, collector, {});
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_NE(answer.error().message().find("step"), std::string::npos);
}

TEST_P(MetricStoreContract, AStopEndsAQuery) {
  put_counts("a", {}, {1, 2, 3});
  std::stop_source stop;
  stop.request_stop();
  LineCollector collector;
  const auto answer =
      store().query(query_of("net", "bytes", kStart, kStart + kHour, 0, Pick::kLast), collector, stop.get_token());
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code(), ErrorCode::kCancelled);
}

TEST_P(MetricStoreContract, ManyWriteAndAskAtOnce) {
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 3; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 20; ++i) {
        const std::string host = "h" + std::to_string(thread);
        ASSERT_TRUE(
            put(store(), batch_of(host, {sample_of(kStart + i * kSecond, "load", {}, {{"one", i * 1.0}})})).ok());
        const auto lines = lines_of(store(), query_of("load", "one", kStart, kStart + kHour, 0, Pick::kLast));
        std::size_t own = 0;
        for (const MetricLine& line : lines) own += line.host == host ? line.values.size() : 0;
        EXPECT_EQ(own, static_cast<std::size_t>(i) + 1);
      }
    });
  }
}

TEST_P(MetricStoreContract, ABatchOfNothingIsStored) {
  EXPECT_TRUE(put(store(), batch_of("a", {})).ok());
  EXPECT_TRUE(put(store(), batch_of("", {sample_of(kStart, "x", {}, {{"f", 1.0}})})).ok());
  EXPECT_EQ(store().stats().quarantined, 1u);
}

TEST_P(MetricStoreContract, AfterCloseItRefuses) {
  ASSERT_TRUE(store().close().ok());
  EXPECT_EQ(put(store(), batch_of("a", {})).error().code(), ErrorCode::kUnavailable);
}

INSTANTIATE_TEST_SUITE_P(Embedded, MetricStoreContract, ::testing::ValuesIn(embedded_cases()),
                         [](const auto& one) { return one.param.name; });

INSTANTIATE_TEST_SUITE_P(InRealInflux, MetricStoreContract, ::testing::ValuesIn(influx_cases()),
                         [](const auto& one) { return one.param.name; });

}  // namespace
}  // namespace logboom::metricstore
