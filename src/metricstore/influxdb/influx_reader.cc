#include "metricstore/influxdb/influx_reader.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "metricstore/influxdb/line_protocol.h"
#include "metricstore/line_builder.h"

namespace logboom::metricstore::influxdb {
namespace {

using nlohmann::json;

constexpr TimeNs kMinuteNs = 60 * kNsPerSecond;
// Counters over a longer time are asked by their last value of each minute instead of every sample.
constexpr TimeNs kRawCounters = 24 * 3600 * kNsPerSecond;

bool is_number(const std::string& kind) {
  return kind == "float" || kind == "integer" || kind == "unsigned";
}

// ---------------------------------------------------------------- writing InfluxQL

std::string filter_text(const TagFilter& filter) {
  const std::string name = quoted_name(as_stored(filter.name, false));
  // A backslash at some places is stored as another character.
  std::string pattern = filter.value;
  const std::string stored = as_stored(pattern, false);
  if (pattern.find_first_of("*?") == std::string::npos) {
    return fmt::format("{} {} {}", name, filter.negated ? "!=" : "=", quoted_text(stored));
  }
  const std::string regex = pattern_regex(stored);
  return filter.negated ? fmt::format("({0} = '' OR {0} !~ {1})", name, regex)
                        : fmt::format("({0} != '' AND {0} =~ {1})", name, regex);
}

std::string where_text(const std::vector<TagFilter>& filters, TimeNs from, TimeNs to) {
  std::string text = fmt::format(" WHERE time >= {} AND time < {}", from, to);
  for (const TagFilter& filter : filters) text += " AND " + filter_text(filter);
  return text;
}

// The least and the greatest time InfluxDB takes.
TimeNs within(TimeNs time) {
  return std::clamp<TimeNs>(time, INT64_MIN + 1000, INT64_MAX - 1000);
}

struct Selection {
  std::vector<std::string> fields;  // in the order of the columns
  std::string text;
  bool raw = false;  // samples or their last of a minute, for LineBuilder
};

std::string column_text(const MetricQuery& query, const Selection& selection, bool thinned, const std::string& field) {
  const std::string name = quoted_name(as_stored(field, false));
  if (selection.raw) return thinned ? fmt::format("last({})", name) : name;
  return fmt::format("{}({})", pick_name(query.pick), name);
}

Selection select(const MetricQuery& query, std::vector<std::string> fields) {
  Selection selection;
  selection.fields = std::move(fields);
  selection.raw = query.step.count() == 0 || counts_up(query.pick);
  const bool thinned = selection.raw && query.step.count() > 0 && query.to - query.from > kRawCounters;
  std::string columns;
  for (std::size_t i = 0; i < selection.fields.size(); ++i)
    columns += fmt::format("{}{} AS \"f{}\"", i == 0 ? "" : ", ",
                           column_text(query, selection, thinned, selection.fields[i]), i);
  selection.text =
      fmt::format("SELECT {} FROM {}{} GROUP BY ", columns, quoted_name(as_stored(query.measurement, true)),
                  where_text(query.tags, within(begin_of(query)), within(query.to)));
  if (!selection.raw) selection.text += fmt::format("time({}ns), ", query.step.count());
  if (thinned) selection.text += fmt::format("time({}ns), ", std::min<TimeNs>(query.step.count(), kMinuteNs));
  selection.text += "*";
  if (!selection.raw || thinned) selection.text += " fill(none)";
  return selection;
}

// ---------------------------------------------------------------- reading answers

// Host, ip and the other tags of a series.
struct Tags {
  std::string host;
  std::string ip;
  std::vector<SampleTag> others;
};

Tags tags_of(const json& series) {
  Tags tags;
  const auto found = series.find("tags");
  if (found == series.end() || !found->is_object()) return tags;
  for (const auto& [name, value] : found->items()) {
    if (!value.is_string() || value.get_ref<const std::string&>().empty()) continue;
    const std::string text = restored(value.get_ref<const std::string&>());
    if (name == "host") {
      tags.host = text;
    } else if (name == "ip") {
      tags.ip = text;
    } else {
      tags.others.push_back({restored(name), text});
    }
  }
  std::sort(tags.others.begin(), tags.others.end());
  return tags;
}

// Rows of a series with a time and as many columns as asked for; others are left out.
template <typename Take>
void each_row(const json& series, std::size_t columns, Take take) {
  const auto values = series.find("values");
  if (values == series.end() || !values->is_array()) return;
  for (const json& row : *values) {
    if (row.is_array() && row.size() >= columns + 1 && row[0].is_number_integer()) take(row[0].get<TimeNs>(), row);
  }
}

double number_of(const json& value) {
  return value.is_boolean() ? static_cast<double>(value.get<bool>()) : value.get<double>();
}

void add_point(MetricLine& line, TimeNs time, const json& value) {
  line.times.push_back(time);
  if (value.is_string()) {
    line.is_text = true;
    line.texts.push_back(value.get<std::string>());
  } else {
    line.values.push_back(number_of(value));
  }
}

// The lines of one series, a field each.
std::vector<MetricLine> lines_of(const json& series, const MetricQuery& query, const Selection& selection) {
  const std::size_t count = selection.fields.size();
  std::vector<MetricLine> lines(count);
  std::vector<LineBuilder> builders(count, LineBuilder(query.pick, query.step.count(), query.from));
  const bool built = counts_up(query.pick);
  each_row(series, count, [&](TimeNs time, const json& row) {
    for (std::size_t i = 0; i < count; ++i) {
      const json& value = row[i + 1];
      if (value.is_null() || value.is_structured()) continue;
      if (built && !value.is_string()) {
        const double number = number_of(value);
        builders[i].add(Aggregate{time, number, number, number, number, 1});
      } else if (!built) {
        add_point(lines[i], time, value);
      }
    }
  });
  const Tags tags = tags_of(series);
  for (std::size_t i = 0; i < count; ++i) {
    if (built) builders[i].finish(lines[i]);
    lines[i].host = tags.host;
    lines[i].tags = tags.others;
    lines[i].field = selection.fields[i];
  }
  std::erase_if(lines, [](const MetricLine& line) { return line.times.empty(); });
  return lines;
}

// The fields that were asked for and can be picked so.
Result<std::vector<std::string>> pickable(const std::map<std::string, std::string>& kinds, const MetricQuery& query) {
  const bool any = (query.pick == Pick::kLast || query.pick == Pick::kCount) &&
                   (query.across == Across::kNone || query.pick == Pick::kCount);
  std::vector<std::string> fields;
  for (const auto& [name, kind] : kinds) {
    const bool named = std::find(query.fields.begin(), query.fields.end(), name) != query.fields.end();
    if (!query.fields.empty() && !named) continue;
    if (any || is_number(kind)) {
      fields.push_back(name);
    } else if (named) {
      return Error(ErrorCode::kInvalidArgument,
                   fmt::format("field \"{}\" is {}: ask for last or count of it", name, kind));
    }
  }
  return fields;
}

FieldValue value_of(const json& value, const std::string& kind) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>();
  if (kind == "integer" && value.is_number_integer()) return value.get<std::int64_t>();
  return value.is_number() ? value.get<double>() : 0.0;
}

}  // namespace

Result<InfluxReader::Kinds> InfluxReader::field_kinds(const std::string& measurement, std::stop_token stop) {
  const std::string from = measurement.empty() ? "" : " FROM " + quoted_name(as_stored(measurement, true));
  LB_ASSIGN(const json series, server_.query("SHOW FIELD KEYS" + from, std::move(stop)));
  Kinds kinds;
  for (const json& one : series) {
    if (!one.is_object() || !one.contains("values") || !one["values"].is_array()) continue;
    auto& fields = kinds[one.value("name", "")];
    for (const json& row : one["values"]) {
      if (row.is_array() && row.size() == 2 && row[0].is_string() && row[1].is_string())
        fields[restored(row[0].get<std::string>())] = row[1].get<std::string>();
    }
  }
  return kinds;
}

Result<MetricAnswer> InfluxReader::query(const MetricQuery& query, MetricVisitor& visitor, std::stop_token stop) {
  LB_TRY(check_query(query));
  if (stop.stop_requested()) return Error(ErrorCode::kCancelled, "the query was cancelled");
  LB_ASSIGN(Kinds kinds, field_kinds(query.measurement, stop));
  LB_ASSIGN(std::vector<std::string> fields, pickable(kinds[as_stored(query.measurement, true)], query));
  MetricAnswer answer;
  if (fields.empty()) return answer;
  const Selection selection = select(query, std::move(fields));
  LB_ASSIGN(const json series, server_.query(selection.text, stop));
  LineGroups groups(query.across, query.by);
  std::vector<MetricLine> lines;
  for (const json& one : series) {
    ++answer.series;
    for (MetricLine& line : lines_of(one, query, selection)) {
      if (query.across != Across::kNone) {
        groups.add(line);
      } else {
        lines.push_back(std::move(line));
      }
    }
  }
  if (query.across != Across::kNone) lines = groups.finish();
  for (MetricLine& line : lines) {
    answer.points += line.times.size();
    if (answer.points > query.max_points) {
      return Error(
          ErrorCode::kInvalidArgument,
          fmt::format("more than {} points: ask for a longer step, a shorter range or fewer series", query.max_points));
    }
    if (!visitor.on_line(std::move(line))) break;
  }
  return answer;
}

Result<std::vector<SeriesInfo>> InfluxReader::series(const SeriesRequest& request, std::stop_token stop) {
  LB_ASSIGN(Kinds kinds, field_kinds(request.measurement, stop));
  const std::string from = request.measurement.empty() ? "/.*/" : quoted_name(as_stored(request.measurement, true));
  LB_ASSIGN(const json found,
            server_.query(fmt::format("SELECT * FROM {}{} GROUP BY * ORDER BY time DESC LIMIT 1", from,
                                      where_text(request.tags, within(request.since), within(INT64_MAX))),
                          stop));
  std::vector<SeriesInfo> out;
  for (const json& one : found) {
    const json columns = one.value("columns", json::array());
    const std::string measurement = one.value("name", "");
    Tags tags = tags_of(one);
    each_row(one, columns.size() - 1, [&](TimeNs time, const json& row) {
      SeriesInfo info{tags.host, tags.ip, restored(measurement), tags.others, time, time, {}};
      for (std::size_t i = 1; i < columns.size(); ++i) {
        if (row[i].is_null() || !columns[i].is_string()) continue;
        const std::string name = restored(columns[i].get<std::string>());
        info.fields.push_back({name, value_of(row[i], kinds[measurement][name])});
      }
      out.push_back(std::move(info));
    });
  }
  std::sort(out.begin(), out.end(), [](const SeriesInfo& a, const SeriesInfo& b) {
    return std::tie(a.host, a.measurement, a.tags) < std::tie(b.host, b.measurement, b.tags);
  });
  if (out.size() > request.limit) out.resize(request.limit);
  return out;
}

}  // namespace logboom::metricstore::influxdb
