#include "metricstore/embedded/chunk_rows.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace logboom::metricstore::embedded {
namespace {

constexpr std::uint32_t kNoValue = UINT32_MAX;

// For every row of the chunk the index of the column's value.
std::vector<std::uint32_t> value_of_row(const Column& column, std::size_t rows) {
  std::vector<std::uint32_t> out(rows, kNoValue);
  std::uint32_t next = 0;
  for (std::size_t row = 0; row < rows; ++row) {
    if (column.present.empty() || column.present[row] != 0) out[row] = next++;
  }
  return out;
}

// Appends values chosen from `from`; kNoValue leaves the row without one.
class Gathering {
 public:
  explicit Gathering(const Column& from) : from_(from) { column_.kind = from.kind; }
  void take(std::uint32_t index) {
    column_.present.push_back(index != kNoValue);
    if (index == kNoValue) return;
    if (from_.kind == FieldKind::kDouble) {
      column_.doubles.push_back(from_.doubles[index]);
    } else if (from_.kind == FieldKind::kText) {
      column_.texts.push_back(from_.texts[index]);
    } else {
      column_.integers.push_back(from_.integers[index]);
    }
  }
  Column finish() {
    if (column_.size() == column_.present.size()) column_.present.clear();
    return std::move(column_);
  }

 private:
  const Column& from_;
  Column column_;
};

void append_values(const Column& from, Column& to) {
  to.doubles.insert(to.doubles.end(), from.doubles.begin(), from.doubles.end());
  to.integers.insert(to.integers.end(), from.integers.begin(), from.integers.end());
  to.texts.insert(to.texts.end(), from.texts.begin(), from.texts.end());
}

}  // namespace

RowCollector::Collected& RowCollector::column(ColumnKey key, FieldKind kind) {
  auto it = std::lower_bound(columns_.begin(), columns_.end(), key,
                             [](const Collected& c, ColumnKey wanted) { return c.key < wanted; });
  if (it == columns_.end() || it->key != key) it = columns_.insert(it, Collected{key, {}, {}});
  if (it->column.kind != kind) {
    it->column = Column{};
    it->column.kind = kind;
    it->rows.clear();
  }
  return *it;
}

bool RowCollector::add(TimeNs time, const FieldValues& values) {
  if (times_.size() >= kMaxChunkRows) return false;
  const auto row = static_cast<std::uint32_t>(times_.size());
  times_.push_back(time);
  for (const auto& [field, value] : values) {
    Collected& to = column({field, Part::kValue}, kind_of(value));
    if (!to.rows.empty() && to.rows.back() == row) continue;
    to.column.push(value);
    to.rows.push_back(row);
  }
  return true;
}

void RowCollector::add(const Chunk& chunk) {
  const auto first = static_cast<std::uint32_t>(times_.size());
  times_.insert(times_.end(), chunk.times.begin(), chunk.times.end());
  for (const ChunkColumn& from : chunk.columns) {
    Collected& to = column(from.key, from.column.kind);
    append_values(from.column, to.column);
    for (std::size_t row = 0; row < chunk.times.size(); ++row) {
      if (from.column.present.empty() || from.column.present[row] != 0)
        to.rows.push_back(first + static_cast<std::uint32_t>(row));
    }
  }
}

bool RowCollector::rising() const {
  return std::adjacent_find(times_.begin(), times_.end(), [](TimeNs a, TimeNs b) { return a >= b; }) == times_.end();
}

Chunk RowCollector::finish() {
  std::vector<std::uint32_t> order(times_.size());
  std::iota(order.begin(), order.end(), 0u);
  if (!rising()) std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return times_[a] < times_[b]; });
  Chunk out;
  for (const std::uint32_t row : order) {
    if (out.times.empty() || out.times.back() != times_[row]) out.times.push_back(times_[row]);
  }
  // A long time of resending may bring more rows than a chunk may have: the latest stay.
  const std::size_t surplus = out.times.size() > kMaxChunkRows ? out.times.size() - kMaxChunkRows : 0;
  out.times.erase(out.times.begin(), out.times.begin() + static_cast<std::ptrdiff_t>(surplus));
  for (Collected& collected : columns_) {
    std::vector<std::uint32_t> index(times_.size(), kNoValue);
    for (std::size_t i = 0; i < collected.rows.size(); ++i) index[collected.rows[i]] = static_cast<std::uint32_t>(i);
    Gathering gathering(collected.column);
    auto row = order.begin();
    for (const TimeNs time : out.times) {
      while (times_[*row] < time) ++row;
      std::uint32_t chosen = kNoValue;
      for (; row != order.end() && times_[*row] == time; ++row) {
        if (index[*row] != kNoValue) chosen = index[*row];
      }
      gathering.take(chosen);
    }
    Column column = gathering.finish();
    if (column.size() > 0) out.columns.push_back({collected.key, std::move(column)});
  }
  times_.clear();
  columns_.clear();
  return out;
}

Chunk merge_chunks(const Chunk& older, const Chunk& newer) {
  RowCollector rows;
  rows.add(older);
  rows.add(newer);
  return rows.finish();
}

// ---------------------------------------------------------------- rolling up

namespace {

// The rows [begin, end) of a chunk that fall into one bucket.
struct Bucket {
  TimeNs start = 0;
  std::size_t begin = 0;
  std::size_t end = 0;
};

std::vector<Bucket> buckets_of(const std::vector<TimeNs>& times, TimeNs width) {
  std::vector<Bucket> out;
  for (std::size_t row = 0; row < times.size(); ++row) {
    const TimeNs start = floor_to(times[row], width);
    if (out.empty() || out.back().start != start) out.push_back({start, row, row});
    out.back().end = row + 1;
  }
  return out;
}

// What the values [first, last) of a column became.
struct Rolled {
  std::size_t min = 0;  // where it stands
  std::size_t max = 0;
  double sum = 0;
};

template <typename T>
Rolled roll(const std::vector<T>& values, std::size_t first, std::size_t last) {
  const auto begin = values.begin();
  const auto [min, max] =
      std::minmax_element(begin + static_cast<std::ptrdiff_t>(first), begin + static_cast<std::ptrdiff_t>(last));
  return {static_cast<std::size_t>(min - begin), static_cast<std::size_t>(max - begin), 0};
}

// Exact for integers and for doubles of few decimals.
class Sums {
 public:
  explicit Sums(const Column& column) : column_(column) {
    if (column.kind == FieldKind::kDouble) decimals_ = scale_doubles(column.doubles, scaled_);
  }
  double operator()(std::size_t first, std::size_t last) const {
    if (column_.kind == FieldKind::kDouble && decimals_ == kNotDecimal) {
      long double sum = 0;
      for (std::size_t i = first; i < last; ++i) sum += column_.doubles[i];
      return static_cast<double>(sum);
    }
    const std::vector<std::int64_t>& whole = column_.kind == FieldKind::kDouble ? scaled_ : column_.integers;
    long double sum = 0;
    for (std::size_t i = first; i < last; ++i) sum += static_cast<long double>(whole[i]);
    return from_scaled(static_cast<double>(sum), decimals_);
  }

 private:
  const Column& column_;
  std::vector<std::int64_t> scaled_;
  std::uint8_t decimals_ = 0;
};

// The columns that a raw column becomes.
class RolledColumn {
 public:
  RolledColumn(FieldId field, const Column& from) : from_(from), sums_(from) {
    const FieldKind kind = from.kind == FieldKind::kBoolean ? FieldKind::kInteger : from.kind;
    for (const Part part : parts()) {
      columns_.push_back({{field, part}, {}});
      columns_.back().column.kind =
          part == Part::kSum ? FieldKind::kDouble : (part == Part::kCount ? FieldKind::kInteger : kind);
    }
  }
  // The next bucket has the values [first, last).
  void add(std::size_t first, std::size_t last) {
    for (ChunkColumn& column : columns_) column.column.present.push_back(first < last);
    if (first == last) return;
    if (from_.kind == FieldKind::kText) {
      columns_[0].column.texts.push_back(from_.texts[last - 1]);
      columns_[1].column.integers.push_back(static_cast<std::int64_t>(last - first));
    } else if (from_.kind == FieldKind::kDouble) {
      add_numbers(from_.doubles, first, last, &Column::doubles);
    } else {
      add_numbers(from_.integers, first, last, &Column::integers);
    }
  }
  void finish(Chunk& out) {
    for (ChunkColumn& column : columns_) {
      if (column.column.size() == column.column.present.size()) column.column.present.clear();
      out.columns.push_back(std::move(column));
    }
  }

 private:
  std::vector<Part> parts() const {
    if (from_.kind == FieldKind::kText) return {Part::kLast, Part::kCount};
    return {Part::kMin, Part::kMax, Part::kSum, Part::kLast, Part::kCount};
  }
  template <typename T>
  void add_numbers(const std::vector<T>& values, std::size_t first, std::size_t last, std::vector<T> Column::*to) {
    const Rolled rolled = roll(values, first, last);
    (columns_[0].column.*to).push_back(values[rolled.min]);
    (columns_[1].column.*to).push_back(values[rolled.max]);
    columns_[2].column.doubles.push_back(sums_(first, last));
    (columns_[3].column.*to).push_back(values[last - 1]);
    columns_[4].column.integers.push_back(static_cast<std::int64_t>(last - first));
  }
  const Column& from_;
  Sums sums_;
  std::vector<ChunkColumn> columns_;
};

}  // namespace

Chunk roll_up(const Chunk& raw, TimeNs width) {
  const std::vector<Bucket> buckets = buckets_of(raw.times, width);
  Chunk out;
  for (const Bucket& bucket : buckets) out.times.push_back(bucket.start);
  for (const ChunkColumn& column : raw.columns) {
    if (column.key.part != Part::kValue) continue;
    RolledColumn rolled(column.key.field, column.column);
    std::size_t next = 0;
    for (const Bucket& bucket : buckets) {
      const std::size_t first = next;
      for (std::size_t row = bucket.begin; row < bucket.end; ++row)
        next += column.column.present.empty() || column.column.present[row] != 0;
      rolled.add(first, next);
    }
    rolled.finish(out);
  }
  return out;
}

// ---------------------------------------------------------------- reading

namespace {

// The number in a row, if it has one.
class Numbers {
 public:
  Numbers(const Column* column, std::size_t rows) : column_(column) {
    if (column != nullptr) index_ = value_of_row(*column, rows);
  }
  bool has(std::size_t row) const { return column_ != nullptr && index_[row] != kNoValue; }
  double at(std::size_t row) const {
    return column_->kind == FieldKind::kDouble ? column_->doubles[index_[row]]
                                               : static_cast<double>(column_->integers[index_[row]]);
  }
  double at_or(std::size_t row, double absent) const { return has(row) ? at(row) : absent; }

 private:
  const Column* column_;
  std::vector<std::uint32_t> index_;
};

const Column* number_column(const Chunk& chunk, ColumnKey key) {
  const Column* column = chunk.find(key);
  return column == nullptr || column->kind == FieldKind::kText ? nullptr : column;
}

}  // namespace

std::vector<Aggregate> read_aggregates(const Chunk& chunk, Tier tier, FieldId field) {
  const bool raw = tier == Tier::kRaw;
  const std::size_t rows = chunk.times.size();
  const auto numbers = [&](Part part) { return Numbers(number_column(chunk, {field, part}), rows); };
  const Numbers last = numbers(raw ? Part::kValue : Part::kLast);
  const Numbers min = numbers(Part::kMin), max = numbers(Part::kMax), sum = numbers(Part::kSum);
  const Numbers count = numbers(Part::kCount);
  std::vector<Aggregate> out;
  for (std::size_t row = 0; row < rows; ++row) {
    if (!last.has(row)) continue;
    const double value = last.at(row);
    out.push_back({chunk.times[row], min.at_or(row, value), max.at_or(row, value), sum.at_or(row, value), value,
                   count.at_or(row, 1)});
  }
  return out;
}

std::vector<TextPoint> read_texts(const Chunk& chunk, Tier tier, FieldId field) {
  const Column* column = chunk.find({field, tier == Tier::kRaw ? Part::kValue : Part::kLast});
  std::vector<TextPoint> out;
  if (column == nullptr || column->kind != FieldKind::kText) return out;
  const std::vector<std::uint32_t> index = value_of_row(*column, chunk.times.size());
  const Numbers count(number_column(chunk, {field, Part::kCount}), chunk.times.size());
  for (std::size_t row = 0; row < chunk.times.size(); ++row) {
    if (index[row] != kNoValue) out.push_back({chunk.times[row], column->texts[index[row]], count.at_or(row, 1)});
  }
  return out;
}

}  // namespace logboom::metricstore::embedded
