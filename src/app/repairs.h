// Gap repair where agents send over Kafka: a transfer asks for what its ledger misses, over etcd or by the server that
// both report to, and the agent reads it again (docs/fleet.md).
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "app/central_rules_api.h"
#include "app/engine.h"
#include "config/repair_requests.h"
#include "http/auth/event_log.h"
#include "http/router.h"
#include "transport/transport.h"

namespace logboom::app {

// What a channel misses of the files of a host of that name, as the ledger has it: gaps, holes between what stands in
// it, and what a repair has given up.
Result<std::vector<config::WantedRange>> missing_of(logstore::LedgerView& ledger, const std::string& host);

// The agent that a person names, where agents are asked.
using FindAgent = std::function<Result<CentralAgent>(const std::string& name, const std::stop_token& stop)>;
// One of which the ledger has something. kNotFound: it has nothing.
Result<CentralAgent> agent_of_ledger(logstore::LedgerView& ledger, const std::string& name);

// POST /api/v1/agents/{id}/repair of a transfer. What it is given outlives the router.
void register_repair_route(http::Router& router, logstore::LedgerView& ledger, FindAgent find,
                           config::RepairAsker& asker, http::EventLog& events);

// The same of a program that reaches no agents: it says `why`, and what to do.
void register_no_repair_route(http::Router& router, const char* why);

// The producer as it is, but for the wanted ranges, which its first known_sources() does not name: a collector that
// starts on it reads them again. `inner` outlives it.
std::unique_ptr<Producer> without_wanted(Producer& inner, std::vector<config::WantedRange> wanted);

// Looks in etcd every ten seconds, from a thread of its own until it dies, whether this host is asked for something;
// says so once. `followed`: the revision of the request that this host follows now, 0: none.
class RepairWatch {
 public:
  virtual ~RepairWatch() = default;
};
std::unique_ptr<RepairWatch> start_repair_watch(std::unique_ptr<config::RepairRequests> requests,
                                                std::uint64_t followed,
                                                std::function<void(config::RepairRequest)> on_asked);

}  // namespace logboom::app
