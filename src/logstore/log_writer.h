// LogWriter: what takes batches into a store. Acknowledged means durable: records, ledger and identities in one fsynced
// commit.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

#include "base/result.h"
#include "record/batch.h"
#include "record/interval_set.h"
#include "record/position.h"

namespace logboom::logstore {

// Runs once per appended batch, from a thread of the store, after the durable commit: what of the batch's range is now
// in the ledger (all of it, also what was there before), or the error that keeps it from being durable.
using OnCommit = std::function<void(Result<Coverage>)>;

// Whether what retention has removed counts as held, or is wanted again (`import --again`).
enum class Expired { kHeld, kWanted };

// Thread-safe. Batches of one source must be appended in order by one thread.
class LogWriter {
 public:
  virtual ~LogWriter() = default;
  // Takes the batch; parts the ledger already holds are verified and left out (P2: the same bytes are a repeat, other
  // bytes go to quarantine as a conflict; what can no longer be read is compared by the prefix marks inside it). Stored
  // in place of what the ledger held: gaps; ranges called stored whose bytes were damaged and given up by a repair; and
  // of a batch with `again` expired ranges, which are then stored like any other, arrived now, and expire anew. Blocks
  // while the store's memory is full; kCancelled at the stop (then on_commit is not called). After a failed write or
  // sync of a file nothing more is acknowledged on it (P7).
  virtual Status append(std::shared_ptr<const Batch> batch, std::optional<Position> position, OnCommit on_commit,
                        std::stop_token stop) = 0;
  // Blocks until everything appended before is durable or has failed. A store that takes nothing now (a full disk, a
  // target that is down) keeps it waiting; close() of the store answers for what is left.
  virtual Status flush() = 0;
  // The newest epoch of every (source, channel), what changed last comes last. The coverage leaves out what a collector
  // should read again where it can: stored ranges whose bytes a repair gave up, and with kWanted expired ones.
  virtual Result<std::vector<KnownSource>> known_sources(Expired expired) = 0;
  // For messages of the transport whose content another store keeps. From expect() on, reading goes on before this one;
  // settle() says that these are durable there, which is noted, when it returns ok, or with a later commit. pass_over()
  // is for one that comes again behind one that is expected: reading goes on before it, at no cost, until it has come.
  virtual void expect(const Position& position) = 0;
  virtual void pass_over(const Position& position) = 0;
  virtual Status settle(const std::vector<Position>& positions) = 0;
  // Where reading each partition of the transport goes on, as of now: everything before it is durable here, whoever
  // stored it. kUnavailable: the store cannot be asked now.
  virtual Result<std::vector<Position>> positions() = 0;
};

}  // namespace logboom::logstore
