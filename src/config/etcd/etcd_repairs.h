// RepairRequests in etcd: one key a host, under a lease.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/etcd/etcd_client.h"
#include "config/repair_requests.h"

namespace logboom::config {

// Requests lie under this and the host's IP.
inline constexpr std::string_view kEtcdRepairPrefix = "/logboom/repairs/";

// `ip` is this host's, empty: as host_ip() finds it. kInvalidArgument: no endpoint is named.
Result<std::unique_ptr<RepairRequests>> open_etcd_repairs(EtcdOptions options, std::string ip);

// The value of a key, and what one says: none for a value that is not wholly of this form.
std::string write_wanted(const std::vector<WantedRange>& ranges);
std::vector<WantedRange> read_wanted(std::string_view value);

}  // namespace logboom::config
