// Cluster: requests to the nodes of one OpenSearch or Elasticsearch cluster: sign-in, fail-over from node to node, JSON
// answers. Thread-safe: each call takes a connection of a pool. Bound: one connection per call at work.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/mutex.h"
#include "base/result.h"
#include "http/client.h"

namespace logboom::logstore::elastic {

struct ClusterOptions {
  std::vector<std::string> urls;  // of nodes; tried in turn
  std::string user;               // with a password, or
  std::string password;
  std::string api_key;         // this
  http::ClientOptions client;  // what all connections have in common; `server` is set for each
};

struct Answer {
  int status = 0;
  std::string body;
};

struct Version {
  bool opensearch = false;
  int major = 0;
  int minor = 0;
  std::string text;  // "OpenSearch 2.19.4"
};

enum class BodyKind { kJson, kLines };

class Cluster {
 public:
  explicit Cluster(ClusterOptions options);
  ~Cluster();

  // The first node that answers; any HTTP status is an answer. kUnavailable: no node answers; kCancelled: the stop;
  // kFull: the answer is larger than most_answer().
  Result<Answer> ask(std::string_view method, const std::string& target, std::string_view body, BodyKind kind,
                     std::stop_token stop);
  // As ask(), then json_of() the answer.
  Result<nlohmann::json> json(std::string_view method, const std::string& target, std::string_view body,
                              std::stop_token stop, BodyKind kind = BodyKind::kJson);
  // The JSON of an answer of `target`; statuses from 400 on are errors as error_of() says.
  Result<nlohmann::json> json_of(const std::string& target, const Answer& answer) const;
  // What the node says it is. kUnsupported: nothing this program can write to.
  Result<Version> version(std::stop_token stop);

  // Bytes; and how many those of answers in pages are to have.
  std::size_t most_answer() const { return options_.client.max_body; }
  std::size_t page_bytes() const { return most_answer() / 16; }
  // "http://10.0.0.1:9200, ...": for messages.
  const std::string& where() const { return where_; }
  // kInvalidArgument 400, kRejected 401 and 403, kNotFound 404, kUnavailable 429 and 5xx; the text has the reason the
  // node gives.
  Error error_of(const std::string& target, const Answer& answer) const;

 private:
  struct Connection;
  std::unique_ptr<Connection> take();
  void give_back(std::unique_ptr<Connection> connection);
  Result<Answer> ask_node(Connection& connection, const http::ClientRequest& request, std::stop_token stop);

  const ClusterOptions options_;
  std::string where_;
  http::Headers sign_in_;
  std::atomic<bool> takes_gzip_ = true;
  Mutex mutex_;
  std::size_t node_ LB_GUARDED_BY(mutex_) = 0;  // the one that answered last
  std::vector<std::unique_ptr<Connection>> idle_ LB_GUARDED_BY(mutex_);
};

}  // namespace logboom::logstore::elastic
