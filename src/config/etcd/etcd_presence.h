// EtcdPresence: what this host says of itself in etcd, under a lease, for `logboom fleet`. etcd keeps every revision of
// a key until somebody compacts it, so the words are few and written only when they change; that the host is there is
// said by the lease alone.
#pragma once

#include <memory>
#include <string>

#include "config/etcd/etcd_client.h"
#include "config/presence.h"

namespace logboom::config {

// An agent's words lie under this and its host's IP, those of another program on the host under `/PART` behind it.
inline constexpr std::string_view kEtcdPresencePrefix = "/logboom/hosts/";

// `ip` of this host; empty: as host_ip() finds it. kInvalidArgument: no endpoint is named.
Result<std::unique_ptr<Presence>> open_etcd_presence(EtcdOptions options, std::string ip, std::string part = {});

}  // namespace logboom::config
