#include "config/etcd/etcd_repairs.h"

#include <algorithm>
#include <optional>

#include <nlohmann/json.hpp>

#include "config/etcd/etcd_rule_source.h"
#include "http/json_reading.h"

namespace logboom::config {
namespace {

using nlohmann::json;

constexpr std::chrono::hours kStands{24};
constexpr int kDepth = 2;

std::optional<WantedRange> read_range(const json& row) {
  const auto text = [&](const char* name) { return row.contains(name) && row[name].is_string(); };
  const auto number = [&](const char* name) { return row.contains(name) && row[name].is_number_unsigned(); };
  if (!row.is_object() || !text("source") || !text("topic") || !number("epoch") || !number("begin") || !number("end"))
    return std::nullopt;
  const auto source = SourceId::from_hex(row["source"].get_ref<const std::string&>());
  const auto epoch = row["epoch"].get<std::uint64_t>();
  const Interval bytes{row["begin"].get<std::uint64_t>(), row["end"].get<std::uint64_t>()};
  if (!source || epoch > UINT32_MAX || bytes.begin >= bytes.end) return std::nullopt;
  return WantedRange{*source, static_cast<std::uint32_t>(epoch), row["topic"].get<std::string>(), bytes};
}

class EtcdRepairs final : public RepairRequests {
 public:
  EtcdRepairs(EtcdClient client, std::vector<std::string> endpoints, std::string ip)
      : client_(std::move(client)), endpoints_(std::move(endpoints)), ip_(std::move(ip)) {}

  Status ask(const std::string& host, const std::vector<WantedRange>& ranges, std::stop_token stop) override {
    LB_ASSIGN(const std::uint64_t lease, client_.grant_lease(kStands, stop));
    const auto first = ranges.begin();
    const auto count = static_cast<std::ptrdiff_t>(std::min(ranges.size(), kMostWantedRanges));
    return client_.put(std::string(kEtcdRepairPrefix) + host, write_wanted({first, first + count}), lease, stop);
  }

  Result<RepairRequest> asked(std::stop_token stop) override {
    LB_ASSIGN(const std::string key, own_key());
    LB_ASSIGN(const EtcdRange range, client_.get(key, std::move(stop)));
    if (range.entries.empty()) return RepairRequest{};
    return RepairRequest{range.entries.front().revision, read_wanted(range.entries.front().value)};
  }

  Status follow(std::uint64_t revision, std::stop_token stop) override {
    LB_ASSIGN(const std::string key, own_key());
    LB_TRY(client_.commit({key, revision, {}, {key}}, std::move(stop)));
    return ok_status();
  }

 private:
  Result<std::string> own_key() const {
    LB_ASSIGN(const std::string host, ip_.empty() ? host_ip(endpoints_) : Result<std::string>(ip_));
    return std::string(kEtcdRepairPrefix) + host;
  }

  EtcdClient client_;
  const std::vector<std::string> endpoints_;
  const std::string ip_;
};

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

std::vector<WantedRange> read_wanted(std::string_view value) {
  const json rows = http::parse_json(value, kDepth);
  if (!rows.is_array() || rows.size() > kMostWantedRanges) return {};
  std::vector<WantedRange> ranges;
  for (const json& row : rows) {
    auto range = read_range(row);
    if (!range) return {};
    ranges.push_back(std::move(*range));
  }
  return ranges;
}

Result<std::unique_ptr<RepairRequests>> open_etcd_repairs(EtcdOptions options, std::string ip) {
  std::vector<std::string> endpoints = options.endpoints;
  LB_ASSIGN(EtcdClient client, EtcdClient::open(std::move(options)));
  return std::unique_ptr<RepairRequests>(
      std::make_unique<EtcdRepairs>(std::move(client), std::move(endpoints), std::move(ip)));
}

}  // namespace logboom::config
