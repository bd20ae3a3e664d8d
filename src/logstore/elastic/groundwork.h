// Groundwork: what stands in the target before anything is written there: the ledger's index and the templates of every
// topic. It is laid again where it has gone while a writer runs: an index deleted by hand, a cluster that came back
// empty. Written without it, indices would get mappings that the target guesses from the first document.
#pragma once

#include <chrono>
#include <optional>
#include <set>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "base/mutex.h"
#include "logstore/elastic/cluster.h"
#include "logstore/elastic/ledger_index.h"

namespace logboom::logstore::elastic {

// Thread-safe. What it is given outlives it. Bound: the names of the topics written to.
class Groundwork {
 public:
  // No cluster goes down and comes back in less: after so long it is looked at again.
  static constexpr std::chrono::seconds kTrusted{1};

  Groundwork(Cluster& cluster, LedgerIndex& ledger, const Clock& clock, Version version, std::string index_pattern);

  // The template of a topic, once.
  Status put_template(const std::string& topic, std::stop_token stop);
  // Before each write. Asks the target at most once in kTrusted; lays everything again when the ledger is gone, and
  // says so in the log. Not ok: do not write now; the error is for people.
  Status check(std::stop_token stop);

 private:
  Status put(const std::string& topic, std::stop_token stop);

  Cluster& cluster_;
  LedgerIndex& ledger_;
  const Clock& clock_;
  const Version version_;
  const std::string pattern_;
  Mutex mutex_;  // held while the target is asked: others would write meanwhile
  std::set<std::string> topics_ LB_GUARDED_BY(mutex_);
  std::optional<std::chrono::nanoseconds> seen_ LB_GUARDED_BY(mutex_);  // when it was there, of Clock::monotonic()
};

}  // namespace logboom::logstore::elastic
