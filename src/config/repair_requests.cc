#include "config/repair_requests.h"

#include <optional>

#include <nlohmann/json.hpp>

#include "http/json_reading.h"

namespace logboom::config {
namespace {

using nlohmann::json;

std::optional<WantedRange> read_range(const json& row) {
  using http::has_count;
  using http::has_text;
  if (!has_text(row, "source") || !has_text(row, "topic")) return std::nullopt;
  if (!has_count(row, "epoch") || !has_count(row, "begin") || !has_count(row, "end")) return std::nullopt;
  const auto source = SourceId::from_hex(row["source"].get_ref<const std::string&>());
  const auto epoch = row["epoch"].get<std::uint64_t>();
  const Interval bytes{row["begin"].get<std::uint64_t>(), row["end"].get<std::uint64_t>()};
  if (!source || epoch > UINT32_MAX || bytes.begin >= bytes.end) return std::nullopt;
  return WantedRange{*source, static_cast<std::uint32_t>(epoch), row["topic"].get<std::string>(), bytes};
}

}  // namespace

std::string write_wanted(const std::vector<WantedRange>& ranges) {
  json rows = json::array();
  for (const WantedRange& range : ranges) {
    rows.push_back({{"source", range.source.to_hex()},
                    {"epoch", range.epoch},
                    {"topic", range.channel},
                    {"begin", range.bytes.begin},
                    {"end", range.bytes.end}});
  }
  return http::dump_json(rows);
}

std::vector<WantedRange> read_wanted(const json& rows) {
  if (!rows.is_array() || rows.size() > kMostWantedRanges) return {};
  std::vector<WantedRange> ranges;
  for (const json& row : rows) {
    auto range = read_range(row);
    if (!range) return {};
    ranges.push_back(std::move(*range));
  }
  return ranges;
}

}  // namespace logboom::config
