// The store in a real InfluxDB for the contract suite: one server for all tests, a database for each.
#pragma once

#include <atomic>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "metricstore/influxdb/influx_metric_store.h"
#include "metricstore/testing/influx_process.h"
#include "metricstore/testing/store_contract.h"
#include "telemetry/registry.h"

namespace logboom::metricstore {

// Started by the first test that asks; nullptr where there is none.
inline InfluxProcess* influx_server() {
  static const std::unique_ptr<InfluxProcess> server = [] {
    std::unique_ptr<InfluxProcess> made;
    if (const std::string why = InfluxProcess::missing(); !why.empty()) {
      EXPECT_EQ(std::getenv("CI"), nullptr) << why;
    } else {
      made = std::make_unique<InfluxProcess>();
      EXPECT_TRUE(made->start());
    }
    return made;
  }();
  return server.get();
}

class InfluxUnderTest final : public StoreUnderTest {
 public:
  explicit InfluxUnderTest(const std::string& url) {
    static std::atomic<int> number{0};
    options_.url = url;
    options_.database = "logboom \"" + std::to_string(++number) + "\"";
    options_.retry_least = std::chrono::milliseconds(20);
    options_.retry_greatest = std::chrono::milliseconds(100);
    open();
  }
  MetricStore& store() override { return *store_; }
  void reopen() override {
    ASSERT_TRUE(store_->close().ok());
    open();
  }

 private:
  void open() {
    auto opened = open_influx_metric_store(options_, clock_, registry_);
    ASSERT_TRUE(opened.ok()) << opened.error().message();
    store_ = std::move(*opened);
  }
  InfluxOptions options_;
  ManualClock clock_{kStart};
  Registry registry_;
  std::unique_ptr<MetricStore> store_;
};

inline std::vector<StoreCase> influx_cases() {
  return {{"Influx", []() -> std::unique_ptr<StoreUnderTest> {
             InfluxProcess* server = influx_server();
             if (server == nullptr) return nullptr;
             return std::make_unique<InfluxUnderTest>(server->url());
           }}};
}

}  // namespace logboom::metricstore
