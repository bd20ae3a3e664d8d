// LineBuilder: the points of one line from samples in rising time; LineMerger: one line from several. One thread each.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "metricstore/embedded/chunk_rows.h"
#include "metricstore/metric_store.h"

namespace logboom::metricstore::embedded {

class LineBuilder {
 public:
  // Points before `from` are not given; what stands before it is where counters begin.
  LineBuilder(Pick pick, TimeNs step, TimeNs from) : pick_(pick), step_(step), from_(from) {}
  void add(const Aggregate& sample);
  void add(const TextPoint& sample);
  // Times and values; the builder is empty then.
  void finish(MetricLine& line);
  std::size_t points() const { return line_.times.size(); }

 private:
  void flush();
  void emit(TimeNs time, double value);
  double value() const;

  const Pick pick_;
  const TimeNs step_;
  const TimeNs from_;
  bool open_ = false;
  Aggregate bucket_;  // time is where it begins
  std::string text_;
  double increase_ = 0;
  double seconds_ = 0;  // that the increase took
  std::optional<Aggregate> previous_;
  MetricLine line_;
};

class LineMerger {
 public:
  explicit LineMerger(Across across) : across_(across) {}
  void add(const MetricLine& line);
  void finish(MetricLine& line) const;
  std::size_t points() const { return sums_.size(); }

 private:
  struct Sum {
    double value = 0;
    double count = 0;
  };
  const Across across_;
  std::map<TimeNs, Sum> sums_;
};

}  // namespace logboom::metricstore::embedded
