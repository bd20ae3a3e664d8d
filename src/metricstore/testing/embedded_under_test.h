// The embedded store for the contract suite: as it starts, and with every row turned into chunks at once.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "io/memory_file_system.h"
#include "metricstore/embedded/embedded_metric_store.h"
#include "metricstore/testing/store_contract.h"
#include "telemetry/registry.h"

namespace logboom::metricstore {

class EmbeddedUnderTest final : public StoreUnderTest {
 public:
  explicit EmbeddedUnderTest(std::size_t rows_to_chunk) {
    options_.directory = "/metrics";
    options_.group_commit = std::chrono::milliseconds(0);
    options_.rows_to_chunk = rows_to_chunk;
    open();
  }
  MetricStore& store() override { return *store_; }
  void reopen() override {
    ASSERT_TRUE(store_->close().ok());
    store_.reset();
    open();
  }
  ManualClock& clock() { return clock_; }

 private:
  void open() {
    auto opened = open_embedded_metric_store(options_, files_, clock_, registry_);
    ASSERT_TRUE(opened.ok()) << opened.error().message();
    store_ = std::move(*opened);
  }
  EmbeddedMetricOptions options_;
  MemoryFileSystem files_;
  ManualClock clock_{kStart + 60 * kNsPerSecond};
  Registry registry_;
  std::unique_ptr<MetricStore> store_;
};

inline std::vector<StoreCase> embedded_cases() {
  return {{"Recent", [] { return std::make_unique<EmbeddedUnderTest>(1'000'000); }},
          {"Chunks", [] { return std::make_unique<EmbeddedUnderTest>(1); }}};
}

}  // namespace logboom::metricstore
