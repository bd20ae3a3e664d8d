// What a person should know of a cluster before logboom stores in it: whether each node can be reached and lets us in,
// its version, health and clock, whether another template or an index that is there already gets in the way, and
// whether this user may write. Nothing is made or changed in the cluster.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/finding.h"
#include "logstore/elastic/elastic_store.h"

namespace logboom::logstore {

// `topics` are those that will be stored; none: what is there is looked at. Blocks up to ten seconds per question where
// nodes do not answer; the stop ends it.
Findings examine_elastic(const ElasticOptions& options, const std::vector<std::string>& topics, const Clock& clock,
                         std::stop_token stop);

}  // namespace logboom::logstore
