#include "config/etcd/etcd_client.h"

#include <charconv>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "http/json.h"
#include "http/json_reading.h"

namespace logboom::config {
namespace {

using nlohmann::json;

// Codes of gRPC, as the gateway gives them.
constexpr int kInvalidRequest = 3;
constexpr int kPermissionDenied = 7;
constexpr int kFailedPrecondition = 9;
constexpr int kUnauthenticated = 16;

Error not_etcd(const std::string& endpoint) {
  return Error(ErrorCode::kCorrupt, fmt::format("{} does not answer as etcd's v3 gateway does", endpoint));
}

// Integers of 64 bits are strings in this JSON, and absent when zero.
std::uint64_t number_of(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end()) return 0;
  if (found->is_number_unsigned()) return found->get<std::uint64_t>();
  if (!found->is_string()) return 0;
  const auto& text = found->get_ref<const std::string&>();
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::string bytes_of(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return "";
  auto bytes = http::from_base64(found->get_ref<const std::string&>());
  return bytes.ok() ? std::move(*bytes) : std::string();
}

const json& part(const json& object, const char* name) {
  static const json kNone = json::object();
  const auto found = object.find(name);
  return found != object.end() && found->is_object() ? *found : kNone;
}

const json& list(const json& object, const char* name) {
  static const json kNone = json::array();
  const auto found = object.find(name);
  return found != object.end() && found->is_array() ? *found : kNone;
}

std::string text_of(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

bool is_true(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && *found == json(true);
}

EtcdEntry entry_of(const json& row) {
  return {bytes_of(row, "key"), bytes_of(row, "value"), number_of(row, "mod_revision")};
}

EtcdRange range_of(const json& answer) {
  EtcdRange range;
  range.cluster = number_of(part(answer, "header"), "cluster_id");
  range.revision = number_of(part(answer, "header"), "revision");
  for (const json& row : list(answer, "kvs")) {
    if (row.is_object()) range.entries.push_back(entry_of(row));
  }
  return range;
}

// The first key behind all that begin so.
std::string end_of_prefix(std::string prefix) {
  while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xff) prefix.pop_back();
  if (prefix.empty()) return std::string(1, '\0');
  prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  return prefix;
}

std::string url_of(const std::string& endpoint) {
  return endpoint.find("://") == std::string::npos ? "http://" + endpoint : endpoint;
}

bool is_login_trouble(int code, const std::string& message) {
  return code == kUnauthenticated || message.find("user name is empty") != std::string::npos ||
         message.find("invalid auth token") != std::string::npos;
}

}  // namespace

class EtcdClient::Core {
 public:
  explicit Core(EtcdOptions options) : options_(std::move(options)) { use(0); }

  // The answer of the first endpoint that gives one, beginning with the one that answered last.
  Result<json> call(const char* path, const json& body, const std::stop_token& stop) {
    std::string problems;
    for (std::size_t i = 0; i < options_.endpoints.size(); ++i) {
      auto answer = call_here(path, body, stop);
      const bool final = answer.ok() || answer.error().code() == ErrorCode::kRejected || stop.stop_requested();
      if (final) return answer;
      problems += (problems.empty() ? "" : "; ") + answer.error().message();
      use((at_ + 1) % options_.endpoints.size());
    }
    return Error(ErrorCode::kUnavailable, problems);
  }

  // The operations in one transaction, without conditions: a response to each.
  Result<json> call_all(json operations, const std::stop_token& stop) {
    const std::size_t count = operations.size();
    LB_ASSIGN(json answer, call("/v3/kv/txn", {{"success", std::move(operations)}}, stop));
    if (list(answer, "responses").size() != count) return not_etcd(endpoint());
    return answer;
  }

  // `body` holds a request for each key, one behind the other.
  Result<bool> watch(const std::string& body, const std::function<bool(const EtcdChange&)>& on_change,
                     const std::stop_token& stop) {
    LB_TRY(sign_in(stop));
    bool taken = false;
    std::string refusal;
    http::LineReader lines([&](std::string_view line) {
      const json message = json::parse(line, nullptr, false);
      if (!message.is_object()) return false;
      const json& result = part(message, "result");
      refusal = text_of(result, "cancel_reason") + text_of(part(message, "error"), "message");
      if (is_true(result, "canceled") || !refusal.empty()) return false;
      taken = !hand_over(result, on_change);
      return !taken;
    });
    http::HttpClient client(client_options(options_.watch_silence));
    const auto answer = client.stream(request_with("/v3/watch", body), std::ref(lines), stop);
    if (taken) return true;
    if (is_login_trouble(0, refusal)) token_.clear();
    if (!refusal.empty()) return Error(ErrorCode::kUnavailable, fmt::format("{}: {}", endpoint(), printable(refusal)));
    if (!answer.ok() && stop.stop_requested()) return answer.error();
    if (!answer.ok() || answer->status / 100 == 2) return false;
    return refusal_of(*answer);
  }

 private:
  const std::string& endpoint() const { return options_.endpoints[at_]; }

  http::ClientOptions client_options(std::chrono::milliseconds silence) const {
    http::ClientOptions options = options_.client;
    options.server = url_of(endpoint());
    options.silence_time = silence;
    options.max_body = options_.max_answer;
    return options;
  }

  // Tokens are the cluster's, but a member that was away may not know them.
  void use(std::size_t endpoint) {
    at_ = endpoint;
    token_.clear();
    client_.emplace(client_options(options_.answer_time));
  }

  http::ClientRequest request_of(const char* path, const json& body) const {
    return request_with(path, http::dump_json(body));
  }
  http::ClientRequest request_with(const char* path, std::string body) const {
    http::ClientRequest request{"POST", path, {{"Content-Type", "application/json"}}, std::move(body)};
    if (!token_.empty()) request.headers.emplace_back("Authorization", token_);
    return request;
  }

  Result<json> call_here(const char* path, const json& body, const std::stop_token& stop) {
    const bool had_token = !token_.empty();
    LB_TRY(sign_in(stop));
    auto answer = send(path, body, stop);
    if (!answer.ok() && had_token && token_.empty()) {  // it had run out
      LB_TRY(sign_in(stop));
      answer = send(path, body, stop);
    }
    return answer;
  }

  Result<json> send(const char* path, const json& body, const std::stop_token& stop) {
    LB_ASSIGN(const http::ClientResponse answer, client_->send(request_of(path, body), stop));
    if (answer.status != 200) return refusal_of(answer);
    json parsed = json::parse(answer.body, nullptr, false);
    if (!parsed.is_object()) return not_etcd(endpoint());
    return parsed;
  }

  // Also forgets a token that etcd no longer takes.
  Error refusal_of(const http::ClientResponse& answer) {
    const json body = json::parse(answer.body, nullptr, false);
    const std::string message = body.is_object() ? text_of(body, "error") : "";
    if (message.empty()) return not_etcd(endpoint());
    const int code = static_cast<int>(number_of(body, "code"));
    const std::string text = fmt::format("{} answers: {}", endpoint(), printable(message));
    if (is_login_trouble(code, message)) {
      token_.clear();
      if (options_.user.empty()) return Error(ErrorCode::kRejected, text + " (set etcd.user and etcd.password_file)");
      return Error(ErrorCode::kUnavailable, text);
    }
    const bool refused = code == kInvalidRequest || code == kPermissionDenied || code == kFailedPrecondition;
    return Error(refused ? ErrorCode::kRejected : ErrorCode::kUnavailable, text);
  }

  Status sign_in(const std::stop_token& stop) {
    if (options_.user.empty() || !token_.empty()) return {};
    const json body = {{"name", options_.user}, {"password", options_.password}};
    LB_ASSIGN(const http::ClientResponse answer, client_->send(request_of("/v3/auth/authenticate", body), stop));
    if (answer.status != 200) {
      // Where nobody has to sign in, everybody may do everything.
      if (answer.body.find("authentication is not enabled") != std::string::npos) return {};
      return refusal_of(answer).with_context(fmt::format("cannot sign in as {}", printable(options_.user)));
    }
    const json parsed = json::parse(answer.body, nullptr, false);
    if (!parsed.is_object()) return not_etcd(endpoint());
    token_ = text_of(parsed, "token");
    return {};
  }

  static bool hand_over(const json& result, const std::function<bool(const EtcdChange&)>& on_change) {
    for (const json& event : list(result, "events")) {
      if (!event.is_object()) continue;
      EtcdChange change;
      change.cluster = number_of(part(result, "header"), "cluster_id");
      change.deleted = text_of(event, "type") == "DELETE";
      change.entry = entry_of(part(event, "kv"));
      if (!on_change(change)) return false;
    }
    return true;
  }

  const EtcdOptions options_;
  std::size_t at_ = 0;  // the endpoint in use
  std::optional<http::HttpClient> client_;
  std::string token_;
};

Result<EtcdClient> EtcdClient::open(EtcdOptions options) {
  if (options.endpoints.empty())
    return Error(ErrorCode::kInvalidArgument, "etcd.endpoints: name at least one endpoint of etcd, HOST:PORT");
  return EtcdClient(std::make_unique<Core>(std::move(options)));
}

EtcdClient::EtcdClient(std::unique_ptr<Core> core) : core_(std::move(core)) {}
EtcdClient::~EtcdClient() = default;
EtcdClient::EtcdClient(EtcdClient&&) noexcept = default;

namespace {

json request_of(const EtcdQuery& query) {
  if (!query.prefix) return {{"key", http::base64(query.key)}, {"keys_only", query.keys_only}};
  return {{"key", query.key.empty() ? http::base64(std::string(1, '\0')) : http::base64(query.key)},
          {"range_end", http::base64(end_of_prefix(query.key))},
          {"keys_only", query.keys_only}};
}

json put_of(const std::string& key, const std::string& value, std::uint64_t lease) {
  return {{"key", http::base64(key)}, {"value", http::base64(value)}, {"lease", std::to_string(lease)}};
}

json request_of(const EtcdTransaction& transaction) {
  json done = json::array();
  for (const auto& [key, value] : transaction.puts)
    done.push_back({{"request_put", put_of(key, value, transaction.lease)}});
  for (const std::string& key : transaction.deletes)
    done.push_back({{"request_delete_range", {{"key", http::base64(key)}}}});
  const json compare = {{"key", http::base64(transaction.key)},
                        {"target", "MOD"},
                        {"result", "EQUAL"},
                        {"mod_revision", std::to_string(transaction.expected)}};
  return {{"compare", json::array({compare})}, {"success", std::move(done)}};
}

}  // namespace

Result<EtcdRange> EtcdClient::get(const std::string& key, std::stop_token stop) {
  LB_ASSIGN(const json answer, core_->call("/v3/kv/range", request_of(EtcdQuery{key}), stop));
  return range_of(answer);
}

Result<EtcdRange> EtcdClient::get_prefix(const std::string& prefix, bool keys_only, std::stop_token stop) {
  LB_ASSIGN(const json answer, core_->call("/v3/kv/range", request_of(EtcdQuery{prefix, true, keys_only}), stop));
  return range_of(answer);
}

Result<std::vector<EtcdRange>> EtcdClient::get_all(const std::vector<EtcdQuery>& queries, std::stop_token stop) {
  json operations = json::array();
  for (const EtcdQuery& query : queries) operations.push_back({{"request_range", request_of(query)}});
  LB_ASSIGN(const json answer, core_->call_all(std::move(operations), stop));
  std::vector<EtcdRange> ranges;
  for (const json& response : list(answer, "responses")) {
    ranges.push_back(range_of(part(response, "response_range")));
    ranges.back().cluster = number_of(part(answer, "header"), "cluster_id");
    ranges.back().revision = number_of(part(answer, "header"), "revision");
  }
  return ranges;
}

Result<bool> EtcdClient::commit(const EtcdTransaction& transaction, std::stop_token stop) {
  LB_ASSIGN(const json answer, core_->call("/v3/kv/txn", request_of(transaction), stop));
  return is_true(answer, "succeeded");
}

Result<std::vector<bool>> EtcdClient::commit_all(const std::vector<EtcdTransaction>& transactions,
                                                 std::stop_token stop) {
  json operations = json::array();
  for (const EtcdTransaction& transaction : transactions)
    operations.push_back({{"request_txn", request_of(transaction)}});
  LB_ASSIGN(const json answer, core_->call_all(std::move(operations), stop));
  std::vector<bool> done;
  for (const json& response : list(answer, "responses"))
    done.push_back(is_true(part(response, "response_txn"), "succeeded"));
  return done;
}

Status EtcdClient::put(const std::string& key, const std::string& value, std::uint64_t lease, std::stop_token stop) {
  LB_TRY(core_->call("/v3/kv/put", put_of(key, value, lease), stop));
  return ok_status();
}

Result<std::uint64_t> EtcdClient::grant_lease(std::chrono::seconds time, std::stop_token stop) {
  LB_ASSIGN(const json answer, core_->call("/v3/lease/grant", {{"TTL", std::to_string(time.count())}}, stop));
  return number_of(answer, "ID");
}

Result<bool> EtcdClient::keep_alive(std::uint64_t lease, std::stop_token stop) {
  LB_ASSIGN(const json answer, core_->call("/v3/lease/keepalive", {{"ID", std::to_string(lease)}}, stop));
  return number_of(part(answer, "result"), "TTL") > 0;
}

Result<bool> EtcdClient::watch(const std::vector<std::string>& keys, std::uint64_t from,
                               const std::function<bool(const EtcdChange&)>& on_change, std::stop_token stop) {
  std::string body;
  for (const std::string& key : keys) {
    const json create = {{"key", http::base64(key)}, {"start_revision", std::to_string(from)}, {"fragment", true}};
    body += json{{"create_request", create}}.dump() + "\n";
  }
  return core_->watch(body, on_change, stop);
}

}  // namespace logboom::config
