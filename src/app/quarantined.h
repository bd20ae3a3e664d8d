// What an import could not store: findings of the audit for ranges whose bytes lie in quarantine.
#pragma once

#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "app/engine.h"
#include "logstore/log_store.h"

namespace logboom::app {

// By their ids; what a person accepted is left out. Reads no records: takes as long as listing the sources.
using QuarantinedRanges = std::map<std::string, logstore::AuditFinding>;
Result<QuarantinedRanges> quarantined_ranges(logstore::LedgerView& ledger, std::stop_token stop);

// Makes them problems of the import, one for each file, and takes their bytes off what it calls durable.
void tell_quarantined(const QuarantinedRanges& ranges, ImportProgress& progress);

}  // namespace logboom::app
