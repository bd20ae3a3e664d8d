// Gap repair where agents send over Kafka and etcd stands between them and the store: a transfer asks for what its
// ledger misses, the agent reads it again (docs/fleet.md).
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "app/engine.h"
#include "config/central_rules.h"
#include "config/repair_requests.h"
#include "http/auth/event_log.h"
#include "http/router.h"
#include "transport/transport.h"

namespace logboom::app {

// What a channel misses of the files of a host of that name, as the ledger has it: gaps, holes between what stands in
// it, and what a repair has given up.
Result<std::vector<config::WantedRange>> missing_of(logstore::LedgerView& ledger, const std::string& host);

// POST /api/v1/agents/{id}/repair of a transfer. What it is given outlives the router.
void register_repair_route(http::Router& router, logstore::LedgerView& ledger, config::CentralRules& hosts,
                           config::RepairRequests& requests, http::EventLog& events);

// The producer as it is, but for the wanted ranges, which its first known_sources() does not name: a collector that
// starts on it reads them again. `inner` outlives it.
std::unique_ptr<Producer> without_wanted(Producer& inner, std::vector<config::WantedRange> wanted);

// Looks every ten seconds, from a thread of its own until it dies, whether this host is asked for something; says so
// once. `followed`: the revision of the request that this host follows now, 0: none.
class RepairWatch {
 public:
  virtual ~RepairWatch() = default;
};
std::unique_ptr<RepairWatch> start_repair_watch(std::unique_ptr<config::RepairRequests> requests,
                                                std::uint64_t followed,
                                                std::function<void(config::RepairRequest)> on_asked);

}  // namespace logboom::app
