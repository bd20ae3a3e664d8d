#include "metricstore/line_builder.h"

#include <algorithm>

namespace logboom::metricstore {
namespace {

TimeNs floor_to(TimeNs time, TimeNs step) {
  const TimeNs rest = time % step;
  return time - (rest < 0 ? rest + step : rest);
}

}  // namespace

bool counts_up(Pick pick) {
  return pick == Pick::kRate || pick == Pick::kIncrease;
}

TimeNs begin_of(const MetricQuery& query) {
  if (!counts_up(query.pick)) return query.from;
  const TimeNs before = std::max<TimeNs>(query.step.count(), 60 * kNsPerSecond);
  return query.from < INT64_MIN + before ? query.from : query.from - before;
}

void LineBuilder::emit(TimeNs time, double value) {
  if (time < (step_ > 0 ? floor_to(from_, step_) : from_)) return;
  line_.times.push_back(time);
  line_.values.push_back(value);
}

double LineBuilder::value() const {
  switch (pick_) {
    case Pick::kMean:
      return bucket_.sum / bucket_.count;
    case Pick::kMin:
      return bucket_.min;
    case Pick::kMax:
      return bucket_.max;
    case Pick::kSum:
      return bucket_.sum;
    case Pick::kCount:
      return bucket_.count;
    case Pick::kRate:
      return increase_ / seconds_;
    case Pick::kIncrease:
      return increase_;
    case Pick::kLast:
      break;
  }
  return bucket_.last;
}

void LineBuilder::flush() {
  if (!open_) return;
  open_ = false;
  if (counts_up(pick_) && seconds_ <= 0) return;
  emit(bucket_.time, value());
}

void LineBuilder::add(const Aggregate& sample) {
  const TimeNs start = step_ > 0 ? floor_to(sample.time, step_) : sample.time;
  if (open_ && start != bucket_.time) flush();
  if (!open_) {
    open_ = true;
    bucket_ = sample;
    bucket_.time = start;
    increase_ = seconds_ = 0;
  } else {
    bucket_.min = std::min(bucket_.min, sample.min);
    bucket_.max = std::max(bucket_.max, sample.max);
    bucket_.sum += sample.sum;
    bucket_.count += sample.count;
    bucket_.last = sample.last;
  }
  if (previous_) {
    // What fell began anew at 0.
    increase_ += sample.last >= previous_->last ? sample.last - previous_->last : sample.last;
    seconds_ += static_cast<double>(sample.time - previous_->time) / static_cast<double>(kNsPerSecond);
  }
  previous_ = sample;
}

void LineBuilder::add(const TextPoint& sample) {
  line_.is_text = pick_ != Pick::kCount;
  const TimeNs start = step_ > 0 ? floor_to(sample.time, step_) : sample.time;
  if (start < (step_ > 0 ? floor_to(from_, step_) : from_)) return;
  if (!line_.is_text) return add(Aggregate{sample.time, 0, 0, 0, 0, sample.count});
  const bool same = !line_.times.empty() && line_.times.back() == start;
  if (!same) line_.times.push_back(start);
  if (!same) line_.texts.emplace_back();
  line_.texts.back() = sample.text;
}

void LineBuilder::finish(MetricLine& line) {
  flush();
  line.is_text = line_.is_text;
  line.times = std::move(line_.times);
  line.values = std::move(line_.values);
  line.texts = std::move(line_.texts);
  line_ = MetricLine();
  previous_.reset();
}

void LineMerger::add(const MetricLine& line) {
  for (std::size_t i = 0; i < line.values.size(); ++i) {
    const double value = line.values[i];
    const auto [it, added] = sums_.try_emplace(line.times[i], Sum{value, 1});
    if (added) continue;
    Sum& sum = it->second;
    ++sum.count;
    if (across_ == Across::kMin) {
      sum.value = std::min(sum.value, value);
    } else if (across_ == Across::kMax) {
      sum.value = std::max(sum.value, value);
    } else {
      sum.value += value;
    }
  }
}

void LineMerger::finish(MetricLine& line) const {
  for (const auto& [time, sum] : sums_) {
    line.times.push_back(time);
    line.values.push_back(across_ == Across::kMean ? sum.value / sum.count : sum.value);
  }
}

void LineGroups::add(const MetricLine& line) {
  MetricLine head;
  head.field = line.field;
  for (const std::string& tag : by_) {
    if (tag == "host") head.host = line.host;
    for (const SampleTag& own : line.tags) {
      if (own.name == tag) head.tags.push_back(own);
    }
  }
  std::sort(head.tags.begin(), head.tags.end());
  auto key = std::tuple(head.host, head.tags, head.field);
  const auto group = groups_.try_emplace(std::move(key), Group{std::move(head), LineMerger(across_)}).first;
  group->second.merger.add(line);
}

std::size_t LineGroups::points() const {
  std::size_t points = 0;
  for (const auto& [key, group] : groups_) points += group.merger.points();
  return points;
}

std::vector<MetricLine> LineGroups::finish() {
  std::vector<MetricLine> lines;
  for (auto& [key, group] : groups_) {
    group.merger.finish(group.line);
    lines.push_back(std::move(group.line));
  }
  groups_.clear();
  return lines;
}

}  // namespace logboom::metricstore
