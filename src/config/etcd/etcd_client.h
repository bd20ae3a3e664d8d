// EtcdClient: the few calls of etcd's v3 JSON gateway (etcd 3.4 and later) that rules need. Any endpoint may be down: a
// call goes to the next one until one answers. Keys and values are bytes.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "http/client.h"

namespace logboom::config {

struct EtcdOptions {
  std::vector<std::string> endpoints;  // URLs, or HOST:PORT for http
  std::string user;                    // empty: no login
  std::string password;
  http::ClientOptions client;                       // TLS and the time to connect; the rest is set per call
  std::chrono::milliseconds answer_time{8'000};     // etcd itself gives a request up after seven seconds
  std::chrono::milliseconds watch_silence{30'000};  // then a watch ends: a member that hangs says nothing, either
  std::size_t max_answer = 64u << 20;               // a larger one is kFull
};

struct EtcdEntry {
  std::string key;
  std::string value;
  std::uint64_t revision = 0;  // of the store when it was written (mod_revision)
};

// What a call saw: revisions only mean something within one cluster, and go back only when it was restored.
struct EtcdRange {
  std::uint64_t cluster = 0;
  std::uint64_t revision = 0;  // of the store
  std::vector<EtcdEntry> entries;
};

struct EtcdChange {
  std::uint64_t cluster = 0;
  bool deleted = false;
  EtcdEntry entry;  // without a value when deleted
};

// All of it or nothing.
struct EtcdTransaction {
  std::string key;             // done only if this one
  std::uint64_t expected = 0;  // was written last at this revision; 0: is absent
  std::vector<std::pair<std::string, std::string>> puts;
  std::vector<std::string> deletes;
  std::uint64_t lease = 0;  // the puts go with it; 0: they stay
};

// A key, or all that begin so; without values where only the keys are wanted.
struct EtcdQuery {
  std::string key;
  bool prefix = false;
  bool keys_only = false;
};

// Not thread-safe. Calls block until an endpoint answers, all have failed, or the stop.
// Errors: kUnavailable: no endpoint could do it; kRejected: etcd refuses (rights, password, a request it does not
// take); kCancelled: the stop; kCorrupt: the answer is none of etcd's.
class EtcdClient {
 public:
  // kInvalidArgument: no endpoint is named.
  static Result<EtcdClient> open(EtcdOptions options);
  ~EtcdClient();
  EtcdClient(EtcdClient&&) noexcept;

  Result<EtcdRange> get(const std::string& key, std::stop_token stop);
  // Everything whose key begins so, in the order of keys; without values where only the keys are wanted.
  Result<EtcdRange> get_prefix(const std::string& prefix, bool keys_only, std::stop_token stop);
  // The answers to all of them, of one moment. etcd takes 128 in a request.
  Result<std::vector<EtcdRange>> get_all(const std::vector<EtcdQuery>& queries, std::stop_token stop);
  // False: the key is at another revision, nothing was done. After kUnavailable it may have been done.
  Result<bool> commit(const EtcdTransaction& transaction, std::stop_token stop);
  // The same of several in one request, each for itself, of different keys. etcd takes 128 operations: as many as there
  // are transactions and the longest of them has.
  Result<std::vector<bool>> commit_all(const std::vector<EtcdTransaction>& transactions, std::stop_token stop);
  // Under a lease: the key goes with it.
  Status put(const std::string& key, const std::string& value, std::uint64_t lease, std::stop_token stop);
  Result<std::uint64_t> grant_lease(std::chrono::seconds time, std::stop_token stop);
  // For its time again; false: it is gone.
  Result<bool> keep_alive(std::uint64_t lease, std::stop_token stop);
  // Hands over changes of the keys from that revision of the store on, until `on_change` returns false (true), or the
  // watch ends for any reason that a new get() mends: compaction, silence, a closed connection (false). Asks the
  // endpoint that answered last.
  Result<bool> watch(const std::vector<std::string>& keys, std::uint64_t from,
                     const std::function<bool(const EtcdChange&)>& on_change, std::stop_token stop);

 private:
  class Core;
  explicit EtcdClient(std::unique_ptr<Core> core);
  std::unique_ptr<Core> core_;
};

}  // namespace logboom::config
