// InfluxWriter: the thread that sends what was appended: batches together in one request, again and again while the
// server cannot take them, in halves where it refuses some.
#pragma once

#include <atomic>
#include <deque>
#include <set>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "base/mutex.h"
#include "metricstore/influxdb/influx_server.h"
#include "metricstore/refusals.h"
#include "telemetry/registry.h"

namespace logboom::metricstore::influxdb {

// One sample as it is sent.
struct Line {
  std::string host;
  std::string measurement;
  std::string head;
  TimeNs time = 0;
  struct Field {
    std::string name;
    std::size_t kind = 0;  // index of FieldValue
    std::string text;
  };
  std::vector<Field> fields;
};

class InfluxWriter {
 public:
  InfluxWriter(const InfluxOptions& options, InfluxServer& server, Refusals& refusals, Registry& registry);
  ~InfluxWriter();

  // As in MetricStore.
  Status append(SampleBatch batch, OnStored on_stored, std::stop_token stop);
  Status flush();
  // What is not stored by then is answered as kUnavailable.
  Status close();
  void fill(MetricStats& stats) const;

 private:
  struct Pending {
    std::vector<Line> lines;
    OnStored on_stored;
    std::uint64_t bytes = 0;
    std::uint64_t values = 0;
  };
  void loop(std::stop_token stop);
  std::vector<Line> lines_of(const SampleBatch& batch);
  // Until all of it is stored or quarantined, or the stop.
  Status send(std::vector<Line> lines, std::stop_token stop);
  Status send_part(const std::vector<Line>& lines, std::stop_token stop);
  Status send_fields(const Line& line, std::stop_token stop);
  Status write(const std::string& text, std::stop_token stop);
  void refuse(const Line& line, const Line::Field* field, const Error& error);
  bool known_conflict(const Line& line, const Line::Field& field) const;

  const InfluxOptions options_;
  InfluxServer& server_;
  Refusals& refusals_;
  Counter& batches_total_;
  Counter& values_total_;
  Counter& refused_total_;
  Counter& errors_total_;
  Gauge& waiting_gauge_;
  // (measurement, field, kind) the server refused: not sent again. Bound: kMostConflicts. The thread's own.
  std::set<std::tuple<std::string, std::string, std::size_t>> conflicts_;
  std::atomic<std::uint64_t> values_{0}, batches_{0};
  mutable Mutex mutex_;
  CondVar changed_;
  std::deque<Pending> queue_ LB_GUARDED_BY(mutex_);
  std::uint64_t waiting_bytes_ LB_GUARDED_BY(mutex_) = 0;
  std::uint64_t appended_ LB_GUARDED_BY(mutex_) = 0;
  std::uint64_t settled_ LB_GUARDED_BY(mutex_) = 0;
  bool closing_ LB_GUARDED_BY(mutex_) = false;
  std::string problem_ LB_GUARDED_BY(mutex_);
  std::jthread thread_;
};

}  // namespace logboom::metricstore::influxdb
