// MemoryBudget: one byte budget for everything between reading and acknowledgement. A reader acquires a lease before
// it fills a buffer and the lease travels with the batch; at the limit acquire() blocks, so files are the buffer.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>

#include "base/mutex.h"

namespace logboom {

// Thread-safe. Bound: the sum of live leases never exceeds limit(), except that with no lease alive any single
// request is granted, so one item larger than the budget cannot block for ever.
class MemoryBudget {
 public:
  // Gives its bytes back when it dies. Movable; an empty lease holds nothing.
  class Lease {
   public:
    Lease() = default;
    Lease(Lease&& other) noexcept : budget_(other.budget_), bytes_(other.bytes_) { other.budget_ = nullptr; }
    Lease& operator=(Lease&& other) noexcept;
    ~Lease() { reset(); }
    void reset();
    // Gives back what is over `bytes`; never grows.
    void shrink(std::uint64_t bytes);
    std::uint64_t bytes() const { return budget_ ? bytes_ : 0; }

   private:
    friend class MemoryBudget;
    Lease(MemoryBudget* budget, std::uint64_t bytes) : budget_(budget), bytes_(bytes) {}
    MemoryBudget* budget_ = nullptr;
    std::uint64_t bytes_ = 0;
  };

  explicit MemoryBudget(std::uint64_t limit) : limit_(limit) {}
  // Outlives all its leases.
  ~MemoryBudget() = default;
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

  // Blocks until the bytes fit; nullopt when the stop came first.
  std::optional<Lease> acquire(std::uint64_t bytes, std::stop_token stop);
  // Never blocks; nullopt when the bytes do not fit now.
  std::optional<Lease> try_acquire(std::uint64_t bytes);
  std::uint64_t used() const;
  std::uint64_t limit() const { return limit_; }

 private:
  bool fits(std::uint64_t bytes) const LB_REQUIRES(mutex_) { return used_ == 0 || used_ + bytes <= limit_; }
  void give_back(std::uint64_t bytes);

  const std::uint64_t limit_;
  mutable Mutex mutex_;
  CondVar freed_;
  std::uint64_t used_ LB_GUARDED_BY(mutex_) = 0;
};

}  // namespace logboom
