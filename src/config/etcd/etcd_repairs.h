// Requests for ranges in etcd: one key a host, under a lease of a day.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "config/etcd/etcd_client.h"
#include "config/repair_requests.h"

namespace logboom::config {

// Requests lie under this and the host's IP.
inline constexpr std::string_view kEtcdRepairPrefix = "/logboom/repairs/";

// Agents are named by their IPs. kInvalidArgument: no endpoint is named.
Result<std::unique_ptr<RepairAsker>> open_etcd_repair_asker(EtcdOptions options);

// `ip` is this host's, empty: as host_ip() finds it. kInvalidArgument: no endpoint is named.
Result<std::unique_ptr<RepairRequests>> open_etcd_repairs(EtcdOptions options, std::string ip);

}  // namespace logboom::config
