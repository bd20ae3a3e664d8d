#include "config/etcd/etcd_repairs.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "config/etcd/etcd_rule_source.h"
#include "http/json_reading.h"

namespace logboom::config {
namespace {

constexpr std::chrono::hours kStands{24};
constexpr int kDepth = 2;

class EtcdRepairAsker final : public RepairAsker {
 public:
  explicit EtcdRepairAsker(EtcdClient client) : client_(std::move(client)) {}

  Status ask(const std::string& agent, const std::vector<WantedRange>& ranges, std::stop_token stop) override {
    LB_ASSIGN(const std::uint64_t lease, client_.grant_lease(kStands, stop));
    const auto first = ranges.begin();
    const auto count = static_cast<std::ptrdiff_t>(std::min(ranges.size(), kMostWantedRanges));
    return client_.put(std::string(kEtcdRepairPrefix) + agent, write_wanted({first, first + count}), lease, stop);
  }

 private:
  EtcdClient client_;
};

class EtcdRepairs final : public RepairRequests {
 public:
  EtcdRepairs(EtcdClient client, std::vector<std::string> endpoints, std::string ip)
      : client_(std::move(client)), endpoints_(std::move(endpoints)), ip_(std::move(ip)) {}

  Result<RepairRequest> asked(std::stop_token stop) override {
    LB_ASSIGN(const std::string key, own_key());
    LB_ASSIGN(const EtcdRange range, client_.get(key, std::move(stop)));
    if (range.entries.empty()) return RepairRequest{};
    return RepairRequest{range.entries.front().revision,
                         read_wanted(http::parse_json(range.entries.front().value, kDepth))};
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

Result<std::unique_ptr<RepairAsker>> open_etcd_repair_asker(EtcdOptions options) {
  LB_ASSIGN(EtcdClient client, EtcdClient::open(std::move(options)));
  return std::unique_ptr<RepairAsker>(std::make_unique<EtcdRepairAsker>(std::move(client)));
}

Result<std::unique_ptr<RepairRequests>> open_etcd_repairs(EtcdOptions options, std::string ip) {
  std::vector<std::string> endpoints = options.endpoints;
  LB_ASSIGN(EtcdClient client, EtcdClient::open(std::move(options)));
  return std::unique_ptr<RepairRequests>(
      std::make_unique<EtcdRepairs>(std::move(client), std::move(endpoints), std::move(ip)));
}

}  // namespace logboom::config
