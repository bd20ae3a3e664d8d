#include "logstore/elastic/testing/fake_cluster.h"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "logstore/elastic/index_template.h"

namespace logboom::logstore::elastic {
namespace {

using nlohmann::json;

http::Response answer(const json& body, int status = 200) {
  http::Response response;
  response.status = status;
  response.headers.emplace_back("Content-Type", "application/json");
  response.body = body.dump();
  return response;
}

json error(int status, const std::string& type) {
  return {{"error", {{"type", type}, {"reason", "as the test says"}}}, {"status", status}};
}

// The kind a search of the ledger asks for.
std::string kind_of(const json& body) {
  for (const auto& filter : body["query"]["bool"]["filter"]) {
    if (filter.contains("term") && filter["term"].contains("kind")) return filter["term"]["kind"];
  }
  return "";
}

std::tuple<std::string, std::uint64_t, std::uint64_t> place_of(const json& source) {
  return {source.value("logboom.source", ""), source.value("logboom.epoch", std::uint64_t{0}),
          source.value("log.offset", std::uint64_t{0})};
}

// What the query says of commits, wherever in it; of its other filters nothing is looked at.
bool takes_commit(const json& query, std::int64_t commit) {
  if (query.is_array())
    return std::all_of(query.begin(), query.end(), [&](const json& q) { return takes_commit(q, commit); });
  if (query.contains("bool")) return takes_commit(query["bool"].value("filter", json::array()), commit);
  if (!query.contains("range") || !query["range"].contains("logboom.commit")) return true;
  const json& range = query["range"]["logboom.commit"];
  return commit >= range["gte"].get<std::int64_t>() && commit <= range["lte"].get<std::int64_t>();
}

}  // namespace

class FakeCluster::OpenGuard final : public http::Guard {
 public:
  std::optional<http::Refusal> admit(const http::Request&) override { return std::nullopt; }
  std::optional<http::Refusal> authorize(http::Request& request, const http::Route*) override {
    request.principal = http::Principal{"test", http::Role::kAdmin, http::Via::kToken, "", 0};
    return std::nullopt;
  }
};

FakeCluster::FakeCluster() : guard_(std::make_unique<OpenGuard>()) {
  add_routes();
  start();
}

FakeCluster::~FakeCluster() {
  stop();
}

void FakeCluster::start() {
  http::ServerOptions options;
  options.listen = fmt::format("127.0.0.1:{}", port_);
  server_ = std::make_unique<http::HttpServer>(options, router_, *guard_, registry_, clock_);
  const Status started = server_->start();
  LB_CHECK(started.ok());
  port_ = server_->port();
}

void FakeCluster::stop() {
  if (server_) server_->stop_now();
  server_.reset();
}

std::string FakeCluster::url() const {
  return fmt::format("http://127.0.0.1:{}", port_);
}

void FakeCluster::add_routes() {
  const auto add = [this](const char* method, const char* pattern, http::Handler handler) {
    http::Route route(method, pattern, http::Access::everyone(), std::move(handler));
    route.max_body = 64u << 20;
    router_.add(std::move(route));
  };
  add("GET", "/", [this](const http::Request&, http::ResponseWriter& w) {
    MutexLock lock(mutex_);
    w.send(answer({{"version", {{"number", number_}, {"distribution", distribution_}}}}));
  });
  const auto acknowledged = [](const http::Request&, http::ResponseWriter& w) {
    w.send(answer({{"acknowledged", true}}));
  };
  add("PUT", "/_index_template/{name}", acknowledged);
  add("PUT", "/{index}", acknowledged);
  add("GET", "/{index}/_mapping", acknowledged);
  add("GET", "/{index}/_mapping/field/topic", acknowledged);
  add("PUT", "/{index}/_doc/{id}", [this](const http::Request& r, http::ResponseWriter& w) {
    MutexLock lock(mutex_);
    indices_[std::string(r.param("index"))][std::string(r.param("id"))] = {json::parse(r.body), next_seq_++};
    w.send(answer({{"result", "created"}}));
  });
  add("POST", "/{index}/_refresh", acknowledged);
  add("POST", "/_bulk", [this](const http::Request& r, http::ResponseWriter& w) { handle_bulk("", r, w); });
  add("POST", "/{index}/_bulk",
      [this](const http::Request& r, http::ResponseWriter& w) { handle_bulk(std::string(r.param("index")), r, w); });
  add("POST", "/_mget", [this](const http::Request& r, http::ResponseWriter& w) {
    MutexLock lock(mutex_);
    w.send(answer(mget("", json::parse(r.body))));
  });
  add("POST", "/{index}/_mget", [this](const http::Request& r, http::ResponseWriter& w) {
    MutexLock lock(mutex_);
    w.send(answer(mget(std::string(r.param("index")), json::parse(r.body))));
  });
  add("POST", "/{index}/_search", [this](const http::Request& r, http::ResponseWriter& w) {
    MutexLock lock(mutex_);
    w.send(answer(search(std::string(r.param("index")), json::parse(r.body))));
  });
}

// Every other line is a document.
void FakeCluster::count_documents(const http::Request& request, http::ResponseWriter& writer) {
  static constexpr std::string_view kCreated = R"({"create":{"status":201}})";
  const auto documents = static_cast<std::size_t>(std::count(request.body.begin(), request.body.end(), '\n')) / 2;
  std::string items;
  items.reserve(documents * (kCreated.size() + 1));
  for (std::size_t i = 0; i < documents; ++i) items.append(i == 0 ? "" : ",").append(kCreated);
  counted_ += documents;
  http::Response response;
  response.headers.push_back({"Content-Type", "application/json"});
  response.body = R"({"errors":false,"items":[)" + items + "]}";
  writer.send(std::move(response));
}

void FakeCluster::handle_bulk(const std::string& index, const http::Request& request, http::ResponseWriter& writer) {
  if (only_count_ && index != kLedgerIndex) return count_documents(request, writer);
  int status = 0;
  json items = json::array();
  {
    MutexLock lock(mutex_);
    const bool of_ledger = index == kLedgerIndex;
    const auto& script = of_ledger ? on_ledger_bulk_ : on_bulk_;
    int& count = of_ledger ? ledger_bulks_ : bulks_;
    if (script) status = script(count);
    ++count;
    if (status <= 0) {
      const std::string body = request.body;
      for (std::size_t at = 0; at < body.size();) {
        const std::size_t end = body.find('\n', at);
        const json action = json::parse(body.substr(at, end - at));
        const std::size_t next = body.find('\n', end + 1);
        Item item;
        item.op = action.begin().key();
        item.index = action.begin().value().value("_index", index);
        item.id = action.begin().value().value("_id", "");
        item.source = json::parse(body.substr(end + 1, next - end - 1));
        at = next + 1;
        const int forced = on_item_ && !of_ledger ? on_item_(item) : 0;
        json outcome = forced != 0 ? error(forced, "scripted") : apply(item, action.begin().value());
        if (forced != 0) outcome["status"] = forced;
        items.push_back({{item.op, std::move(outcome)}});
      }
    }
  }
  if (status > 0) return writer.send(answer(error(status, "scripted"), status));
  if (status == kCut) {
    writer.begin(200, {});
    writer.write("{");
    return;
  }
  writer.send(answer({{"items", std::move(items)}}));
}

json FakeCluster::apply(const Item& item, const json& action) {
  Documents& documents = indices_[item.index];
  const auto at = documents.find(item.id);
  const bool there = at != documents.end();
  const bool other = action.contains("if_seq_no") && (!there || at->second.seq_no != action["if_seq_no"]);
  if ((item.op == "create" && there) || other) {
    json refused = error(409, "version_conflict_engine_exception");
    refused["status"] = 409;
    return refused;
  }
  documents[item.id] = {item.source, next_seq_};
  return {{"status", there ? 200 : 201}, {"_seq_no", next_seq_++}, {"_primary_term", 1}};
}

json FakeCluster::mget(const std::string& index, const json& body) const {
  json docs = json::array();
  const auto add = [&](const std::string& of, const std::string& id) LB_NO_THREAD_SAFETY_ANALYSIS {
    const auto documents = indices_.find(of);
    const bool found = documents != indices_.end() && documents->second.contains(id);
    json doc{{"_id", id}, {"found", found}};
    if (found) {
      const Document& stored = documents->second.at(id);
      doc["_source"] = stored.source;
      doc["_seq_no"] = stored.seq_no;
      doc["_primary_term"] = 1;
    }
    docs.push_back(std::move(doc));
  };
  for (const auto& id : body.value("ids", json::array())) add(index, id);
  for (const auto& doc : body.value("docs", json::array())) add(doc["_index"], doc["_id"]);
  return {{"docs", std::move(docs)}};
}

json FakeCluster::search(const std::string& index, const json& body) const {
  json hits = json::array();
  for (const auto& [name, documents] : indices_) {
    if ((index == kLedgerIndex) != (name == kLedgerIndex)) continue;
    for (const auto& [id, document] : documents) {
      if (index == kLedgerIndex && document.source.value("kind", "") != kind_of(body)) continue;
      if (!takes_commit(body["query"], document.source.value("logboom.commit", std::int64_t{0}))) continue;
      hits.push_back({{"_index", name},
                      {"_id", id},
                      {"_source", document.source},
                      {"_seq_no", document.seq_no},
                      {"_primary_term", 1},
                      {"sort", json::array({id})}});
    }
  }
  std::sort(hits.begin(), hits.end(),
            [](const json& a, const json& b) { return place_of(a["_source"]) < place_of(b["_source"]); });
  auto first = hits.begin();
  if (body.contains("search_after")) {
    first = std::find_if(first, hits.end(), [&](const json& hit) { return hit["sort"] == body["search_after"]; });
    if (first != hits.end()) ++first;
  }
  const auto left = static_cast<std::size_t>(hits.end() - first);
  const auto last = first + static_cast<std::ptrdiff_t>(std::min(left, body.value("size", left)));
  json page = json::array_t(first, last);
  if (body.contains("docvalue_fields")) {
    for (json& hit : page) {
      const json source = std::move(hit["_source"]);
      hit.erase("_source");
      for (const std::string name : body["docvalue_fields"]) hit["fields"][name] = json::array({source.at(name)});
    }
  }
  return {{"hits", {{"hits", std::move(page)}}}};
}

void FakeCluster::only_count() {
  only_count_ = true;
}

void FakeCluster::on_item(std::function<int(const Item&)> script) {
  MutexLock lock(mutex_);
  on_item_ = std::move(script);
}

void FakeCluster::on_bulk(std::function<int(int)> script) {
  MutexLock lock(mutex_);
  on_bulk_ = std::move(script);
}

void FakeCluster::on_ledger_bulk(std::function<int(int)> script) {
  MutexLock lock(mutex_);
  on_ledger_bulk_ = std::move(script);
}

void FakeCluster::set_version(std::string number, std::string distribution) {
  MutexLock lock(mutex_);
  number_ = std::move(number);
  distribution_ = std::move(distribution);
}

std::map<std::string, json> FakeCluster::documents() const {
  MutexLock lock(mutex_);
  std::map<std::string, json> out;
  for (const auto& [name, documents] : indices_) {
    if (name == kLedgerIndex) continue;
    for (const auto& [id, document] : documents) out[name + "/" + id] = document.source;
  }
  return out;
}

std::vector<json> FakeCluster::ledger(const std::string& kind) const {
  MutexLock lock(mutex_);
  std::vector<json> out;
  const auto at = indices_.find(kLedgerIndex);
  if (at == indices_.end()) return out;
  for (const auto& [id, document] : at->second) {
    if (document.source.value("kind", "") == kind) out.push_back(document.source);
  }
  return out;
}

std::vector<std::string> FakeCluster::indices() const {
  MutexLock lock(mutex_);
  std::vector<std::string> out;
  for (const auto& [name, documents] : indices_) {
    if (name != kLedgerIndex) out.push_back(name);
  }
  return out;
}

int FakeCluster::bulks() const {
  MutexLock lock(mutex_);
  return bulks_;
}

void FakeCluster::edit_ledger(const std::function<void(json&)>& edit) {
  MutexLock lock(mutex_);
  for (auto& [id, document] : indices_[kLedgerIndex]) {
    edit(document.source);
    document.seq_no = next_seq_++;
  }
}

}  // namespace logboom::logstore::elastic
