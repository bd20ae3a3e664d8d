// ConnectionPool: read-only connections to one database file, each lent for one short read of its own. For a checkpoint
// that needs the log for itself new reads are held back. Thread-safe.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/mutex.h"
#include "base/result.h"

namespace logboom::sqlite {

// `Connection` is a database with its prepared statements. Idle ones are kept up to a number, further ones are closed
// after use.
template <typename Connection>
class ConnectionPool {
 public:
  ConnectionPool(std::string path, std::size_t most_idle) : path_(std::move(path)), most_idle_(most_idle) {}

  // An idle one, else what `connect` makes; it waits while reads are held back. kNotFound after retire(). Each one goes
  // back by release().
  template <typename Connect>
  Result<std::unique_ptr<Connection>> acquire(Connect connect) {
    {
      MutexLock lock(mutex_);
      changed_.wait(mutex_, [this]() LB_REQUIRES(mutex_) { return !held_; });
      if (retired_) return Error(ErrorCode::kNotFound, fmt::format("cannot read {}: it was removed", path_));
      ++running_;
      if (!idle_.empty()) {
        auto connection = std::move(idle_.back());
        idle_.pop_back();
        return connection;
      }
    }
    Result<std::unique_ptr<Connection>> connection = connect();
    if (!connection.ok()) release(nullptr);
    return connection;
  }
  void release(std::unique_ptr<Connection> connection) {
    MutexLock lock(mutex_);
    --running_;
    if (connection != nullptr && !retired_ && idle_.size() < most_idle_) idle_.push_back(std::move(connection));
    changed_.notify_all();
  }

  // Holds new reads back until resume() and waits for the running ones.
  void hold() {
    MutexLock lock(mutex_);
    held_ = true;
    changed_.wait(mutex_, [this]() LB_REQUIRES(mutex_) { return running_ == 0; });
  }
  void resume() {
    MutexLock lock(mutex_);
    held_ = false;
    changed_.notify_all();
  }
  // Closes the idle ones: for a file that is opened anew while reads are held back.
  void clear() {
    MutexLock lock(mutex_);
    idle_.clear();
  }
  // No more reads; returns when the running ones are over and every connection is closed.
  void retire() {
    MutexLock lock(mutex_);
    retired_ = true;
    changed_.wait(mutex_, [this]() LB_REQUIRES(mutex_) { return running_ == 0; });
    idle_.clear();
  }

 private:
  const std::string path_;
  const std::size_t most_idle_;
  Mutex mutex_;
  CondVar changed_;
  std::vector<std::unique_ptr<Connection>> idle_ LB_GUARDED_BY(mutex_);
  unsigned running_ LB_GUARDED_BY(mutex_) = 0;
  bool held_ LB_GUARDED_BY(mutex_) = false;
  bool retired_ LB_GUARDED_BY(mutex_) = false;
};

}  // namespace logboom::sqlite
