#include "app/central_rules_api.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <pwd.h>
#include <unistd.h>

#include "app/paths.h"
#include "base/log.h"
#include "config/central_rules.h"
#include "config/rules_yaml.h"
#include "http/json_reading.h"
#include "http/url.h"
#include "server/fleet/agent_words.h"
#include "server/fleet/rule_changes.h"

namespace logboom::app {
namespace {

using nlohmann::json;

constexpr std::string_view kAgents = "/api/v1/agents/";
constexpr std::string_view kPreview = "/preview";  // behind the path of a host's rules

// Who changes rules: the place knows only its own users, if any.
std::string author() {
  const passwd* user = ::getpwuid(::getuid());
  return fmt::format("{}@{}", user ? user->pw_name : std::to_string(::getuid()), host_name("auto"));
}

std::string id_of(const config::CentralHost& host) {
  return host.part.empty() ? host.name : host.name + "/" + host.part;
}

// As the server of a fleet answers; what a host does not say there is null. Figures are some minutes old.
json row_of_host(const config::CentralHost& host) {
  const json words = http::parse_json(host.words, 4);
  const bool said = words.is_object();
  const json rules = said ? words.value("rules", json::object()) : json::object();
  const auto text = [](const json& from, const char* name) {
    return http::has_text(from, name) ? from[name] : json("");
  };
  const auto number = [](const json& from, const char* name) {
    return http::has_count(from, name) ? from[name] : json();
  };
  // Anybody may write there.
  json topics = said ? words.value("topics", json::array()) : json::array();
  if (!topics.is_array() || !std::ranges::all_of(topics, server::is_partition_row)) topics = json::array();
  const std::string name = text(words, "name");
  return {{"name", name.empty() ? host.name : name},
          {"id", id_of(host)},
          {"online", said},
          {"version", text(words, "version")},
          {"role", host.part.empty() ? "agent" : "transfer"},
          {"rules_from", said ? "etcd" : ""},
          {"rules_desired", host.revision},
          {"rules_applied", number(rules, "revision")},
          {"rules_problem", text(rules, "problem")},
          {"problem", text(words, "problem")},
          {"files", number(words, "files")},
          {"lag_bytes", number(words, "lag_bytes")},
          {"lag_messages", number(words, "lag_messages")},
          {"topics", std::move(topics)}};
}

class CentralRulesApi final : public ApiAccess {
 public:
  CentralRulesApi(Context& context, std::unique_ptr<config::CentralRules> rules)
      : context_(context), rules_(std::move(rules)) {}

  Result<ApiResponse> call(const ApiRequest& request, const BodySink&, std::stop_token stop) override {
    LB_ASSIGN(const json answer, answer_of(request, stop));
    return ApiResponse{200, {}, http::dump_json(answer)};
  }
  std::string where() const override { return "etcd at " + context_.settings.text("etcd.endpoints"); }
  bool running() const override { return true; }  // the hosts follow

 private:
  Result<json> answer_of(const ApiRequest& request, const std::stop_token& stop) {
    std::string_view path = request.path;
    if (path == "/api/v1/agents") return hosts(stop);
    if (path == "/api/v1/fleet/rules")
      return request.method == "PUT" ? replace_many(request.body, stop) : rules_of_many(request.query, stop);
    if (request.method == "POST" && path.ends_with(kPreview)) {
      path.remove_suffix(kPreview.size());
      return preview(path, request.body, stop);
    }
    if (request.method == "POST")
      return Error(ErrorCode::kUnsupported, "a host that takes its rules from etcd cannot be asked for that from here");
    const bool history = path.ends_with("/history");
    if (history) path.remove_suffix(std::string_view("/history").size());
    if (path.starts_with(kAgents) && !path.ends_with("/rules")) return host_row(path, stop);
    LB_ASSIGN(const std::string host, host_of(path, stop));
    if (history) return history_of(host, stop);
    return request.method == "PUT" ? replace(host, request.body, stop) : rules_of(host, stop);
  }

  Result<json> preview(std::string_view path, const std::string& body, const std::stop_token& stop) {
    LB_ASSIGN(const std::string host, host_of(path, stop));
    LB_ASSIGN(const CentralAgent agent, central_agent(*rules_, host, stop));
    LB_ASSIGN(const auto asker, open_preview_asker(context_.settings, *context_.files));
    LB_ASSIGN(const std::string answer,
              asker->ask(agent.host, json::parse(body).at("yaml"), config::kLongestPreview, stop));
    return config::read_preview(answer);
  }

  // By its IP, whether it is known or not, or by the name that its agent says it has.
  Result<std::string> known_host(const std::string& name, const std::stop_token& stop) {
    if (config::is_ip(name)) return name;
    LB_ASSIGN(const auto hosts, rules_->hosts(stop));
    std::vector<std::string> found;
    for (const config::CentralHost& host : hosts) {
      if (host.part.empty() && row_of_host(host)["name"] == name) found.push_back(host.name);
    }
    if (found.size() == 1) return found.front();
    if (found.empty())
      return Error(ErrorCode::kNotFound,
                   fmt::format("no host {} has rules in etcd or is there; name its IP", printable(name)));
    return Error(ErrorCode::kInvalidArgument, fmt::format("{} hosts have the name {}; name one by its IP: {}",
                                                          found.size(), printable(name), fmt::join(found, ", ")));
  }

  Result<std::string> host_of(std::string_view path, const std::stop_token& stop) {
    if (!path.starts_with(kAgents)) return rules_->own_name();
    LB_ASSIGN(const std::string name, named_in(path.substr(0, path.rfind('/'))));
    return known_host(name, stop);
  }

  // What the commands have encoded; a transfer's id holds a slash, which a path would not.
  static Result<std::string> named_in(std::string_view path) {
    LB_ASSIGN(const http::Pairs pairs, http::parse_query("id=" + std::string(path.substr(kAgents.size()))));
    return pairs.empty() ? std::string() : pairs.front().second;
  }

  Result<json> hosts(const std::stop_token& stop) {
    LB_ASSIGN(const auto found, rules_->hosts(stop));
    json agents = json::array();
    for (const config::CentralHost& host : found) agents.push_back(row_of_host(host));
    return json{{"agents", std::move(agents)}};
  }

  // By its id, or else by its name.
  Result<json> host_row(std::string_view path, const std::stop_token& stop) {
    LB_ASSIGN(const std::string asked, named_in(path));
    LB_ASSIGN(const auto found, rules_->hosts(stop));
    const auto named = [&](const config::CentralHost& host) { return row_of_host(host)["name"] == asked; };
    auto host = std::ranges::find(found, asked, id_of);
    if (host == found.end()) host = std::ranges::find_if(found, named);
    if (host == found.end())
      return Error(ErrorCode::kNotFound, fmt::format("no host {} has rules in etcd or is there", printable(asked)));
    json row = row_of_host(*host);
    row["sources"] = json::array();
    return row;
  }

  static json row_of_rules(const config::KeptRules& kept) {
    return {{"revision", kept.revision}, {"yaml", config::write_rules(kept.rules)}, {"problem", kept.problem}};
  }

  Result<json> rules_of(const std::string& host, const std::stop_token& stop) {
    LB_ASSIGN(const auto kept, rules_->get({host}, stop));
    return row_of_rules(kept.front());
  }

  Result<json> rules_of_many(const http::Pairs& query, const std::stop_token& stop) {
    std::string asked;
    for (const auto& [name, value] : query) {
      if (name == "agents") asked = value;
    }
    LB_ASSIGN(const auto agents, server::read_agents(asked));
    LB_ASSIGN(const auto kept, rules_->get(agents, stop));
    json rows = json::array();
    for (std::size_t i = 0; i < agents.size(); ++i) {
      rows.push_back(row_of_rules(kept[i]));
      rows.back()["agent"] = agents[i];
    }
    return json{{"agents", std::move(rows)}};
  }

  Result<json> replace(const std::string& host, const std::string& body, const std::stop_token& stop) {
    const json change = json::parse(body);
    LB_ASSIGN(config::RuleSet set, config::rules_of_text("rules", change.at("yaml").get<std::string>()));
    const auto expected = change.at("revision").get<std::uint64_t>();
    LB_TRY(rules_->put({{host, expected, std::move(set.rules)}}, author(), context_.clock.now(), stop).front());
    return json{{"replaced", expected}};
  }

  Result<json> replace_many(const std::string& body, const std::stop_token& stop) {
    LB_ASSIGN(const auto asked, server::read_rule_changes(body));
    std::vector<config::CentralChange> changes;
    for (const server::RuleChange& change : asked) {
      LB_ASSIGN(config::RuleSet set, config::rules_of_text("rules", change.yaml));
      changes.push_back({change.agent, change.expected, std::move(set.rules)});
    }
    const auto outcomes = rules_->put(changes, author(), context_.clock.now(), stop);
    json rows = json::array();
    for (std::size_t i = 0; i < asked.size(); ++i) {
      rows.push_back(outcomes[i].ok() ? json{{"agent", asked[i].agent}}
                                      : server::refused_row(asked[i].agent, outcomes[i].error()));
    }
    return json{{"agents", std::move(rows)}};
  }

  Result<json> history_of(const std::string& host, const std::stop_token& stop) {
    LB_ASSIGN(const auto entries, rules_->history(host, stop));
    json rows = json::array();
    for (const auto& entry : entries) {
      rows.push_back({{"revision", entry.revision},
                      {"time", entry.time == 0 ? json() : json(std::to_string(entry.time))},
                      {"author", entry.author},
                      {"yaml", entry.text}});
    }
    return json{{"entries", std::move(rows)}};
  }

  Context& context_;
  const std::unique_ptr<config::CentralRules> rules_;
};

}  // namespace

Result<CentralAgent> central_agent(config::CentralRules& hosts, const std::string& id_or_name, std::stop_token stop) {
  LB_ASSIGN(const auto found, hosts.hosts(std::move(stop)));
  std::vector<CentralAgent> agents;
  for (const config::CentralHost& host : found) {
    const json row = row_of_host(host);
    const std::string name = row["name"].get<std::string>();
    if (row["online"] == true && row["role"] == "agent" && (host.name == id_or_name || name == id_or_name))
      agents.push_back({host.name, name});
  }
  if (agents.size() == 1) return agents.front();
  if (agents.empty()) {
    return Error(ErrorCode::kNotFound,
                 fmt::format("no agent {} is there, as etcd has it; see `logboom fleet`", printable(id_or_name)));
  }
  return Error(ErrorCode::kInvalidArgument,
               fmt::format("several agents have the name {}; name one by its IP", printable(id_or_name)));
}

bool rules_are_central(const Context& context) {
  return context.server.empty() && rule_origin(context.settings, context.config_file) == RuleOrigin::kEtcd;
}

Result<std::unique_ptr<ApiAccess>> open_central_rules_api(Context& context) {
  LB_ASSIGN(auto rules, open_central_rules(context.settings, *context.files));
  return std::unique_ptr<ApiAccess>(std::make_unique<CentralRulesApi>(context, std::move(rules)));
}

}  // namespace logboom::app
