#include "telemetry/registry.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace logboom {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Registry, PrintsCountersAndGaugesWithHelpAndType) {
  Registry registry;
  registry.counter("logboom_read_bytes_total", "Bytes read.").add(42);
  registry.gauge("logboom_queue_bytes", "Bytes waiting.").set(-7);
  EXPECT_EQ(registry.prometheus_text(),
            "# HELP logboom_queue_bytes Bytes waiting.\n# TYPE logboom_queue_bytes gauge\nlogboom_queue_bytes -7\n"
            "# HELP logboom_read_bytes_total Bytes read.\n# TYPE logboom_read_bytes_total counter\n"
            "logboom_read_bytes_total 42\n");
}

TEST(Registry, GivesTheSameSeriesForTheSameLabelsInAnyOrder) {
  Registry registry;
  Counter& a = registry.counter("x_total", "", {{"a", "1"}, {"b", "2"}});
  Counter& b = registry.counter("x_total", "", {{"b", "2"}, {"a", "1"}});
  EXPECT_EQ(&a, &b);
  EXPECT_NE(&a, &registry.counter("x_total", "", {{"a", "1"}}));
}

TEST(Registry, EscapesLabelValuesAndHelp) {
  Registry registry;
  registry.counter("x_total", "one\ntwo \\", {{"path", "a\"b\\c\nd"}}).add();
  EXPECT_THAT(registry.prometheus_text(), HasSubstr("x_total{path=\"a\\\"b\\\\c\\nd\"} 1\n"));
  EXPECT_THAT(registry.prometheus_text(), HasSubstr("# HELP x_total one\\ntwo \\\\\n"));
}

TEST(Registry, PutsSeriesBeyondTheLimitIntoOne) {
  Registry registry;
  for (std::size_t i = 0; i < Registry::kMaxSeries + 5; ++i) {
    registry.counter("x_total", "", {{"i", std::to_string(i)}}).add();
  }
  registry.gauge("late", "").add(3);
  const std::string text = registry.prometheus_text();
  EXPECT_THAT(text, HasSubstr("logboom_overflow 5\n"));
  EXPECT_THAT(text, HasSubstr("logboom_overflow_gauge 3\n"));
  EXPECT_THAT(text, Not(HasSubstr("late")));
}

TEST(Registry, NeverGivesOneNameTwoTypes) {
  Registry registry;
  registry.counter("x", "counts").add();
  registry.gauge("x", "a gauge").set(9);
  EXPECT_THAT(registry.prometheus_text(), HasSubstr("# TYPE x counter\nx 1\n"));
  EXPECT_THAT(registry.prometheus_text(), Not(HasSubstr("# TYPE x gauge")));
}

TEST(Registry, CountsFromManyThreads) {
  Registry registry;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&registry] {
        for (int i = 0; i < 1000; ++i) registry.counter("x_total", "", {{"k", std::to_string(i % 7)}}).add();
      });
    }
  }
  std::uint64_t sum = 0;
  for (int k = 0; k < 7; ++k) sum += registry.counter("x_total", "", {{"k", std::to_string(k)}}).value();
  EXPECT_EQ(sum, 4000U);
}

}  // namespace
}  // namespace logboom
