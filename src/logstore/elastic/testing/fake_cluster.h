// A small OpenSearch in memory for tests: documents with versions, _bulk, _mget, and searches that return everything of
// a kind, or of a range of commits, in file order, page by page. Tests script what goes wrong.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/mutex.h"
#include "http/guard.h"
#include "http/router.h"
#include "http/server.h"
#include "telemetry/registry.h"

namespace logboom::logstore::elastic {

class FakeCluster {
 public:
  struct Item {
    std::string op;
    std::string index;
    std::string id;
    nlohmann::json source;
  };
  struct Document {
    nlohmann::json source;
    std::int64_t seq_no = 0;
  };
  using Documents = std::map<std::string, Document>;  // by id

  FakeCluster();
  ~FakeCluster();
  // Starts again on the same port after stop().
  void start();
  void stop();

  std::string url() const;
  // A target that costs next to nothing, for measuring: documents for the data indices are counted, not looked at.
  void only_count();
  std::uint64_t counted() const { return counted_; }
  // What a bulk item answers in the place of being applied; 0: it is applied.
  void on_item(std::function<int(const Item&)> script);
  // Called before a bulk request to the data indices with how many came before; a status that answers the whole
  // request, or 0. kCut: it is applied and the connection is cut before the answer.
  static constexpr int kCut = -1;
  void on_bulk(std::function<int(int before)> script);
  // The same for bulk requests of the ledger.
  void on_ledger_bulk(std::function<int(int before)> script);
  void set_version(std::string number, std::string distribution);

  // Documents of all indices but the ledger: id > source.
  std::map<std::string, nlohmann::json> documents() const;
  std::vector<nlohmann::json> ledger(const std::string& kind) const;
  std::vector<std::string> indices() const;
  int bulks() const;
  // Writes into the ledger behind the program's back.
  void edit_ledger(const std::function<void(nlohmann::json& source)>& edit);

 private:
  class OpenGuard;
  void add_routes();
  void count_documents(const http::Request& request, http::ResponseWriter& writer);
  void handle_bulk(const std::string& index, const http::Request& request, http::ResponseWriter& writer);
  nlohmann::json apply(const Item& item, const nlohmann::json& action) LB_REQUIRES(mutex_);
  nlohmann::json mget(const std::string& index, const nlohmann::json& body) const LB_REQUIRES(mutex_);
  nlohmann::json search(const std::string& index, const nlohmann::json& body) const LB_REQUIRES(mutex_);

  std::atomic<bool> only_count_ = false;
  std::atomic<std::uint64_t> counted_ = 0;
  mutable Mutex mutex_;
  std::map<std::string, Documents> indices_ LB_GUARDED_BY(mutex_);
  std::int64_t next_seq_ LB_GUARDED_BY(mutex_) = 0;
  std::function<int(const Item&)> on_item_ LB_GUARDED_BY(mutex_);
  std::function<int(int)> on_bulk_ LB_GUARDED_BY(mutex_);
  std::function<int(int)> on_ledger_bulk_ LB_GUARDED_BY(mutex_);
  int bulks_ LB_GUARDED_BY(mutex_) = 0;
  int ledger_bulks_ LB_GUARDED_BY(mutex_) = 0;
  std::string number_ LB_GUARDED_BY(mutex_) = "2.19.4";
  std::string distribution_ LB_GUARDED_BY(mutex_) = "opensearch";
  SystemClock clock_;
  Registry registry_;
  http::Router router_;
  std::unique_ptr<OpenGuard> guard_;
  std::unique_ptr<http::HttpServer> server_;
  std::uint16_t port_ = 0;
};

}  // namespace logboom::logstore::elastic
