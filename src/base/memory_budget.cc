#include "base/memory_budget.h"

namespace logboom {

MemoryBudget::Lease& MemoryBudget::Lease::operator=(Lease&& other) noexcept {
  if (this != &other) {
    reset();
    budget_ = other.budget_;
    bytes_ = other.bytes_;
    other.budget_ = nullptr;
  }
  return *this;
}

void MemoryBudget::Lease::reset() {
  if (budget_) budget_->give_back(bytes_);
  budget_ = nullptr;
  bytes_ = 0;
}

void MemoryBudget::Lease::shrink(std::uint64_t bytes) {
  if (!budget_ || bytes >= bytes_) return;
  budget_->give_back(bytes_ - bytes);
  bytes_ = bytes;
}

std::optional<MemoryBudget::Lease> MemoryBudget::acquire(std::uint64_t bytes, std::stop_token stop) {
  MutexLock lock(mutex_);
  const bool granted = freed_.wait(mutex_, stop, [&]() LB_NO_THREAD_SAFETY_ANALYSIS { return fits(bytes); });
  if (!granted) return std::nullopt;
  used_ += bytes;
  return Lease(this, bytes);
}

std::optional<MemoryBudget::Lease> MemoryBudget::try_acquire(std::uint64_t bytes) {
  MutexLock lock(mutex_);
  if (!fits(bytes)) return std::nullopt;
  used_ += bytes;
  return Lease(this, bytes);
}

std::uint64_t MemoryBudget::used() const {
  MutexLock lock(mutex_);
  return used_;
}

void MemoryBudget::give_back(std::uint64_t bytes) {
  {
    MutexLock lock(mutex_);
    used_ -= bytes;
  }
  freed_.notify_all();
}

}  // namespace logboom
