#include "logstore/elastic/groundwork.h"

#include <utility>

#include <nlohmann/json.hpp>

#include "base/log.h"
#include "logstore/elastic/index_template.h"

namespace logboom::logstore::elastic {

Groundwork::Groundwork(Cluster& cluster, LedgerIndex& ledger, const Clock& clock, Version version,
                       std::string index_pattern)
    : cluster_(cluster),
      ledger_(ledger),
      clock_(clock),
      version_(std::move(version)),
      pattern_(std::move(index_pattern)) {}

Status Groundwork::put(const std::string& topic, std::stop_token stop) {
  const Template made = index_template(version_, pattern_, topic);
  auto put = cluster_.json("PUT", made.target, made.body, stop);
  if (!put.ok()) return std::move(put).error().with_context("index template");
  return {};
}

Status Groundwork::put_template(const std::string& topic, std::stop_token stop) {
  MutexLock lock(mutex_);
  if (topics_.contains(topic)) return {};
  LB_TRY(put(topic, std::move(stop)));
  topics_.insert(topic);
  return {};
}

Status Groundwork::check(std::stop_token stop) {
  MutexLock lock(mutex_);
  const auto now = clock_.monotonic();
  if (seen_ && now - *seen_ < kTrusted) return {};
  LB_ASSIGN(const bool there, ledger_.is_there(stop));
  if (!there) {
    log_error(
        "the ledger in {} is gone: its index was deleted, or the cluster came back without its data; it and the "
        "templates are made anew, and what `logboom audit` calls missing was stored there before",
        cluster_.where());
    LB_TRY(ledger_.prepare(version_, stop));
    for (const std::string& topic : topics_) LB_TRY(put(topic, stop));
  }
  seen_ = now;
  return {};
}

}  // namespace logboom::logstore::elastic
