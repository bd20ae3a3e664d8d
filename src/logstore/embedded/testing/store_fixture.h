// For tests of the embedded store: batches from plain text, and a store on any file system.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "io/memory_file_system.h"
#include "logstore/embedded/embedded_store.h"
#include "telemetry/registry.h"

namespace logboom::logstore::embedded::testing {

// A batch of whole lines (the last may lack its LF) at `begin` of the source; every record has time 1000 * offset.
// Carries one mark at its end when `previous` is given: the chain up to `begin`.
Batch text_batch(const SourceId& source, std::uint64_t begin, std::string_view text, const Hash128* previous = nullptr);

// `lines` lines like "2026-11-21 INFO request 17 took 42 ms", different for each seed.
std::string some_lines(std::uint64_t seed, std::size_t lines);

// What on_commit said, for one batch or many.
class Acks {
 public:
  OnCommit take();
  std::size_t count() const;
  std::size_t errors() const;
  Coverage covered() const;  // of all acknowledged batches

 private:
  mutable Mutex mutex_;
  std::size_t count_ LB_GUARDED_BY(mutex_) = 0;
  std::size_t errors_ LB_GUARDED_BY(mutex_) = 0;
  Coverage covered_ LB_GUARDED_BY(mutex_);
};

struct TestStore {
  explicit TestStore(FileSystem& fs, const Clock& clock, EmbeddedOptions options = small_options());
  static EmbeddedOptions small_options();

  LogWriter& writer() { return *store->writer(); }
  LedgerView& ledger() { return store->ledger(); }
  // Appends and waits until it is durable.
  void put(Batch batch);
  std::string export_text(const SourceId& source, std::vector<ExportOmission>* omissions = nullptr);
  AuditReport audit();

  Registry registry;
  std::unique_ptr<LogStore> store;
  Acks acks;
};

}  // namespace logboom::logstore::embedded::testing
