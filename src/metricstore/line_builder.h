// LineBuilder: the points of one line from samples in rising time; LineMerger: one line from several. One thread each.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "metricstore/metric_store.h"

namespace logboom::metricstore {

// What one sample says, or as many as became one.
struct Aggregate {
  TimeNs time = 0;
  double min = 0;
  double max = 0;
  double sum = 0;
  double last = 0;
  double count = 0;
};

struct TextPoint {
  TimeNs time = 0;
  std::string text;
  double count = 0;
};

// Whether points are made of how a counter grew.
bool counts_up(Pick pick);
// Where reading for a query begins: a counter's first increase needs the sample before.
TimeNs begin_of(const MetricQuery& query);

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

// Lines of many series, one per field and tags of `by`.
class LineGroups {
 public:
  LineGroups(Across across, std::vector<std::string> by) : across_(across), by_(std::move(by)) {}
  // A line of a series with all its tags.
  void add(const MetricLine& line);
  std::size_t points() const;
  // Sorted; afterwards it is empty.
  std::vector<MetricLine> finish();

 private:
  struct Group {
    MetricLine line;  // without points
    LineMerger merger;
  };
  const Across across_;
  const std::vector<std::string> by_;
  std::map<std::tuple<std::string, std::vector<SampleTag>, std::string>, Group> groups_;
};

}  // namespace logboom::metricstore
