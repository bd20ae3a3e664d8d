// The log store in OpenSearch or Elasticsearch: documents others can read (docs/formats/document.md), and the ledger
// beside them in the same cluster, so that every line is there once whatever is killed (docs/exactly-once.md). The
// cluster's own means keep, delete and back up what is stored.
#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "http/client.h"
#include "logstore/log_store.h"
#include "telemetry/registry.h"

namespace logboom::logstore {

struct ElasticOptions {
  std::vector<std::string> urls;  // of nodes of one cluster
  std::string user;
  std::string password;
  std::string api_key;
  std::string index = "logboom-{topic}-{day}";
  unsigned writers = 2;
  std::uint64_t memory = 32u << 20;  // batches appended and not durable
  bool read_only = false;
  bool shared = false;                         // others write there, too: what is followed waits for theirs
  http::ClientOptions client;                  // what every connection has in common (TLS, the largest answer)
  std::chrono::milliseconds patience{60'000};  // how long opening for writing waits for the cluster
  std::chrono::milliseconds drain{4'000};      // longest wait of close() for what was appended
};

// kInvalidArgument: options; kRejected: the cluster does not let us in; kUnsupported: another kind or version of
// server; kUnavailable: no node answers; kCancelled: the stop came first. `clock` and `registry` outlive the store.
Result<std::unique_ptr<LogStore>> open_elastic_store(const ElasticOptions& options, const Clock& clock,
                                                     Registry& registry, std::stop_token stop);

}  // namespace logboom::logstore
