#include "metricstore/metric_store.h"

#include <gtest/gtest.h>

namespace logboom::metricstore {
namespace {

TEST(MetricQuery, AsksOnlyWhatStoresAnswer) {
  MetricQuery query;
  query.measurement = "cpu";
  query.from = 0;
  query.to = kNsPerSecond;
  query.step = std::chrono::seconds(10);
  EXPECT_TRUE(check_query(query).ok());
  query.step = std::chrono::milliseconds(1);
  EXPECT_FALSE(check_query(query).ok());
  query.step = std::chrono::seconds(0);
  EXPECT_FALSE(check_query(query).ok()) << "a mean of nothing but single samples";
  query.pick = Pick::kRate;
  EXPECT_TRUE(check_query(query).ok());
  query.across = Across::kSum;
  EXPECT_FALSE(check_query(query).ok());
  query.across = Across::kNone;
  query.to = 0;
  EXPECT_FALSE(check_query(query).ok());
  query.to = 1;
  query.measurement.clear();
  EXPECT_FALSE(check_query(query).ok());
}

TEST(TagFilter, PatternsMatchAsInTheShell) {
  EXPECT_TRUE(matches_pattern("web-*", "web-01"));
  EXPECT_TRUE(matches_pattern("*", ""));
  EXPECT_TRUE(matches_pattern("w?b*1", "web-01"));
  EXPECT_TRUE(matches_pattern("*a*a*", "banana"));
  EXPECT_FALSE(matches_pattern("web-*", "db-01"));
  EXPECT_FALSE(matches_pattern("web", "web-01"));
  EXPECT_FALSE(matches_pattern("?", ""));
  EXPECT_FALSE(matches_pattern("*a*a*a*a*a*a*a*a*b", std::string(200, 'a')));
}

TEST(Names, ThatWouldBreakALineAreRefused) {
  EXPECT_TRUE(name_problem("/dev/vda1, \"x\" = y\\").empty());
  EXPECT_TRUE(name_problem("主机").empty());
  EXPECT_FALSE(name_problem("").empty());
  EXPECT_FALSE(name_problem("a\nb").empty());
  EXPECT_FALSE(name_problem("a\xff").empty());
  EXPECT_FALSE(name_problem(std::string(kMaxNameBytes + 1, 'a')).empty());
}

}  // namespace
}  // namespace logboom::metricstore
