// Internal to io/sqlite/: what all connections of this process to one database file share: SQLite's file locks, the
// shared memory of WAL mode with its locks, and the last failure of input or output.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/mutex.h"
#include "base/result.h"

namespace logboom::sqlite {

// SQLite's lock levels of a database file, in its order and with its values.
enum class LockLevel { kNone = 0, kShared = 1, kReserved = 2, kPending = 3, kExclusive = 4 };

// Thread-safe. A connection is named by the address of its handle.
class SharedFile {
 public:
  static constexpr int kShmSlots = 8;  // SQLITE_SHM_NLOCK

  // Raises the lock of a connection that holds `held`; the level it holds afterwards. Below `wanted` means busy (an
  // exclusive lock that waits for readers stays kPending, so that no new ones come).
  LockLevel lock(LockLevel held, LockLevel wanted);
  void unlock(LockLevel held, LockLevel to);
  bool is_reserved() const;

  // One lock of SQLite's shared memory over slots [first, first + count). False means busy.
  bool shm_lock_shared(int first, int count);
  bool shm_lock_exclusive(int first, int count);
  void shm_unlock_shared(int first, int count);
  void shm_unlock_exclusive(int first, int count);
  // The index-th region, zeroed when it is new; nullptr when it does not exist and `extend` is false. Valid as long as
  // the SharedFile.
  volatile void* shm_region(int index, std::size_t size, bool extend);
  // Orders the accesses of all threads to the regions.
  void shm_barrier();

  void note_failure(const Error& error);
  void note_failed_sync();
  // The last failure of the file system, if any.
  std::optional<Error> last_failure() const;
  bool sync_failed() const;

 private:
  mutable Mutex mutex_;
  int shared_ LB_GUARDED_BY(mutex_) = 0;  // connections at kShared or above
  bool reserved_ LB_GUARDED_BY(mutex_) = false;
  bool pending_ LB_GUARDED_BY(mutex_) = false;
  bool exclusive_ LB_GUARDED_BY(mutex_) = false;
  std::array<int, kShmSlots> slots_ LB_GUARDED_BY(mutex_) = {};  // -1: exclusive, n: n times shared
  std::vector<std::unique_ptr<std::byte[]>> regions_ LB_GUARDED_BY(mutex_);
  std::optional<Error> last_failure_ LB_GUARDED_BY(mutex_);
  bool sync_failed_ LB_GUARDED_BY(mutex_) = false;
};

}  // namespace logboom::sqlite
