#include "source/host/host_collector.h"

#include <gtest/gtest.h>

#include "source/host/testing/host_folder.h"

namespace logboom::source {
namespace {

using namespace std::chrono_literals;
using host::HostFolder;

class HostCollectorTest : public ::testing::Test {
 protected:
  HostCollectorTest() { folder_.fill("debian-12"); }

  ManualClock clock_{1'763'735'410 * kNsPerSecond};
  Registry registry_;
  HostFolder folder_;
  std::vector<SampleBatch> taken_;
  HostCollector collector_{{"web-1", [] { return std::string("10.0.0.5"); }, folder_.options()},
                           clock_,
                           registry_,
                           [this](SampleBatch batch) { taken_.push_back(std::move(batch)); }};
};

TEST_F(HostCollectorTest, TheFirstSampleIsOfTheFirstWholeIntervalAndHasRates) {
  EXPECT_EQ(collector_.step(), 10s);
  EXPECT_TRUE(taken_.empty());
  folder_.fill("debian-12-later");
  clock_.advance(10s);
  collector_.step();
  ASSERT_EQ(taken_.size(), 1u);
  EXPECT_EQ(taken_[0].host, "web-1");
  EXPECT_EQ(taken_[0].host_ip, "10.0.0.5");
  EXPECT_EQ(taken_[0].topic, "system");
  EXPECT_NE(host::find_sample(taken_[0].samples, "cpu"), nullptr);
  EXPECT_EQ(taken_[0].samples[0].time, 1'763'735'420 * kNsPerSecond);
}

TEST_F(HostCollectorTest, OfSixtySecondsEverySampleIsTakenOnceThoughTheRuleChanges) {
  collector_.set_rule({true, 1s, "system"});
  collector_.step();
  for (int half = 1; half <= 120; ++half) {
    clock_.advance(500ms);
    collector_.step();
    if (half % 7 == 0) collector_.set_rule({true, 1s, half % 2 == 0 ? "other" : "system"});
  }
  ASSERT_EQ(taken_.size(), 60u);
  for (std::size_t i = 0; i < taken_.size(); ++i)
    EXPECT_EQ(taken_[i].samples[0].time, (1'763'735'411 + static_cast<TimeNs>(i)) * kNsPerSecond);
}

TEST_F(HostCollectorTest, OffIsOffAndOnBeginsAnew) {
  collector_.step();
  EXPECT_NE(collector_.prometheus_text(), "");
  collector_.set_rule({false, 10s, "system"});
  collector_.step();
  clock_.advance(60s);
  collector_.step();
  EXPECT_TRUE(taken_.empty());
  EXPECT_EQ(collector_.prometheus_text(), "");
  collector_.set_rule({true, 10s, "system"});
  collector_.step();
  clock_.advance(10s);
  collector_.step();
  EXPECT_EQ(taken_.size(), 1u);
}

TEST_F(HostCollectorTest, RatesAreOfTheMonotonicClock) {
  collector_.step();
  folder_.fill("debian-12-later");
  clock_.advance(10s);
  clock_.set_wall(clock_.now() + 3600 * kNsPerSecond);  // the host slept, or its clock was set
  collector_.step();
  ASSERT_EQ(taken_.size(), 1u);
  const Sample* eth0 = host::find_sample(taken_[0].samples, "net", {{"interface", "eth0"}});
  ASSERT_NE(eth0, nullptr);
  EXPECT_DOUBLE_EQ(host::number_of(*eth0, "received_rate"), 1e6);
}

TEST_F(HostCollectorTest, RunEndsAtTheStop) {
  std::jthread thread([this](std::stop_token stop) { collector_.run(stop); });
  collector_.set_rule({false, 1s, "system"});
  collector_.set_rule({true, 24h, "system"});
  thread.request_stop();
  thread.join();
}

}  // namespace
}  // namespace logboom::source
