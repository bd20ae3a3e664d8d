// LogStore: where records and the ledger live. A store gives four small interfaces, each in a header of its own:
// LogWriter, LogSearcher, LedgerView and StoreKeeper. One machine: embedded/; a cluster of OpenSearch: elastic/.
#pragma once

#include "logstore/ledger_view.h"
#include "logstore/log_searcher.h"
#include "logstore/log_writer.h"
#include "logstore/store_keeper.h"

namespace logboom::logstore {

// The four sides of one store; they live as long as it. A store opened for reading has no writer.
class LogStore {
 public:
  virtual ~LogStore() = default;
  virtual LogWriter* writer() = 0;  // nullptr when opened for reading
  virtual LogSearcher& searcher() = 0;
  virtual LedgerView& ledger() = 0;
  virtual StoreKeeper& keeper() = 0;
};

}  // namespace logboom::logstore
