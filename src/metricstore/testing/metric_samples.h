// Short ways to write samples, batches and questions in tests.
#pragma once

#include <future>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "metricstore/metric_store.h"

namespace logboom::metricstore {

inline Sample sample_of(TimeNs time, std::string measurement, std::vector<SampleTag> tags,
                        std::vector<SampleField> fields) {
  return {time, std::move(measurement), std::move(tags), std::move(fields)};
}

inline SampleBatch batch_of(std::string host, std::vector<Sample> samples) {
  return {std::move(host), "10.0.0.1", "system", std::move(samples)};
}

// Appends and waits for the answer. kUnavailable: the batch waits in the store.
inline Status put(MetricStore& store, SampleBatch batch) {
  const auto answer = std::make_shared<std::promise<Status>>();
  auto done = answer->get_future();
  LB_TRY(store.append(std::move(batch), [answer](Status status) { answer->set_value(std::move(status)); }, {}));
  LB_TRY(store.flush());
  return done.get();
}

class LineCollector final : public MetricVisitor {
 public:
  bool on_line(MetricLine line) override {
    lines.push_back(std::move(line));
    return true;
  }
  std::vector<MetricLine> lines;
};

// The lines of an answer; an error fails the test.
inline std::vector<MetricLine> lines_of(MetricStore& store, const MetricQuery& query) {
  LineCollector collector;
  const auto answer = store.query(query, collector, {});
  EXPECT_TRUE(answer.ok()) << (answer.ok() ? "" : answer.error().message());
  return std::move(collector.lines);
}

// The values of the only line.
inline std::vector<double> values_of(MetricStore& store, const MetricQuery& query) {
  const std::vector<MetricLine> lines = lines_of(store, query);
  EXPECT_EQ(lines.size(), 1u);
  return lines.size() == 1 ? lines[0].values : std::vector<double>();
}

inline MetricQuery query_of(std::string measurement, std::string field, TimeNs from, TimeNs to, int step_seconds,
                            Pick pick) {
  MetricQuery query;
  query.measurement = std::move(measurement);
  if (!field.empty()) query.fields = {std::move(field)};
  query.from = from;
  query.to = to;
  query.step = std::chrono::seconds(step_seconds);
  query.pick = pick;
  return query;
}

}  // namespace logboom::metricstore
