#include "io/sqlite/shared_file.h"

#include "base/check.h"

namespace logboom::sqlite {

LockLevel SharedFile::lock(LockLevel held, LockLevel wanted) {
  MutexLock lock(mutex_);
  if (held >= wanted) return held;
  if (held == LockLevel::kNone) {
    if (pending_ || exclusive_) return held;
    ++shared_;
    held = LockLevel::kShared;
  }
  if (wanted == LockLevel::kReserved && held == LockLevel::kShared) {
    if (reserved_ || pending_ || exclusive_) return held;
    reserved_ = true;
    return LockLevel::kReserved;
  }
  if (wanted != LockLevel::kExclusive) return held;
  if (held < LockLevel::kPending) {
    const bool others = pending_ || exclusive_ || (held != LockLevel::kReserved && reserved_);
    if (others) return held;
    reserved_ = true;  // pending implies it, whether or not it was asked for before
    pending_ = true;
  }
  if (shared_ > 1) return LockLevel::kPending;
  exclusive_ = true;
  return LockLevel::kExclusive;
}

void SharedFile::unlock(LockLevel held, LockLevel to) {
  MutexLock lock(mutex_);
  if (held <= to) return;
  if (held >= LockLevel::kReserved) reserved_ = false;
  if (held >= LockLevel::kPending) pending_ = false;
  if (held == LockLevel::kExclusive) exclusive_ = false;
  if (to == LockLevel::kNone) --shared_;
  LB_CHECK(shared_ >= 0);
}

bool SharedFile::is_reserved() const {
  MutexLock lock(mutex_);
  return reserved_;
}

bool SharedFile::shm_lock_shared(int first, int count) {
  MutexLock lock(mutex_);
  for (int i = first; i < first + count; ++i) {
    if (slots_[i] < 0) return false;
  }
  for (int i = first; i < first + count; ++i) ++slots_[i];
  return true;
}

bool SharedFile::shm_lock_exclusive(int first, int count) {
  MutexLock lock(mutex_);
  for (int i = first; i < first + count; ++i) {
    if (slots_[i] != 0) return false;
  }
  for (int i = first; i < first + count; ++i) slots_[i] = -1;
  return true;
}

void SharedFile::shm_unlock_shared(int first, int count) {
  MutexLock lock(mutex_);
  for (int i = first; i < first + count; ++i) {
    LB_CHECK(slots_[i] > 0);
    --slots_[i];
  }
}

void SharedFile::shm_unlock_exclusive(int first, int count) {
  MutexLock lock(mutex_);
  for (int i = first; i < first + count; ++i) {
    LB_CHECK(slots_[i] == -1);
    slots_[i] = 0;
  }
}

volatile void* SharedFile::shm_region(int index, std::size_t size, bool extend) {
  MutexLock lock(mutex_);
  while (static_cast<std::size_t>(index) >= regions_.size()) {
    if (!extend) return nullptr;
    regions_.push_back(std::make_unique<std::byte[]>(size));
  }
  return regions_[static_cast<std::size_t>(index)].get();
}

void SharedFile::shm_barrier() {
  __sync_synchronize();  // a full fence; std::atomic_thread_fence does not compile with the thread sanitizer
  MutexLock lock(mutex_);
}

void SharedFile::note_failure(const Error& error) {
  MutexLock lock(mutex_);
  last_failure_ = error;
}

void SharedFile::note_failed_sync() {
  MutexLock lock(mutex_);
  sync_failed_ = true;
}

std::optional<Error> SharedFile::last_failure() const {
  MutexLock lock(mutex_);
  return last_failure_;
}

bool SharedFile::sync_failed() const {
  MutexLock lock(mutex_);
  return sync_failed_;
}

}  // namespace logboom::sqlite
