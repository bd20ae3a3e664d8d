#include "app/central_rules_api.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <pwd.h>
#include <unistd.h>

#include "app/paths.h"
#include "config/central_rules.h"
#include "config/rules_yaml.h"
#include "http/url.h"

namespace logboom::app {
namespace {

using nlohmann::json;

// Who changes rules: the place knows only its own users, if any.
std::string author() {
  const passwd* user = ::getpwuid(::getuid());
  return fmt::format("{}@{}", user ? user->pw_name : std::to_string(::getuid()), host_name("auto"));
}

class CentralRulesApi final : public ApiAccess {
 public:
  CentralRulesApi(Context& context, std::unique_ptr<config::CentralRules> rules)
      : context_(context), rules_(std::move(rules)) {}

  Result<ApiResponse> call(const ApiRequest& request, const BodySink&, std::stop_token stop) override {
    LB_ASSIGN(const json answer, answer_of(request, stop));
    return ApiResponse{200, {}, answer.dump(-1, ' ', false, json::error_handler_t::replace)};
  }
  std::string where() const override { return "etcd at " + context_.settings.text("etcd.endpoints"); }
  bool running() const override { return true; }  // the hosts follow

 private:
  Result<json> answer_of(const ApiRequest& request, const std::stop_token& stop) {
    std::string_view path = request.path;
    if (path == "/api/v1/agents") return hosts(stop);
    if (request.method == "POST")
      return Error(ErrorCode::kUnsupported, "a host that takes its rules from etcd cannot be asked from here");
    const bool history = path.ends_with("/history");
    if (history) path.remove_suffix(std::string_view("/history").size());
    LB_ASSIGN(const std::string host, host_of(path));
    if (history) return history_of(host, stop);
    return request.method == "PUT" ? replace(host, request.body, stop) : rules_of(host, stop);
  }

  Result<std::string> host_of(std::string_view path) const {
    constexpr std::string_view kAgents = "/api/v1/agents/";
    if (path.starts_with(kAgents)) {
      LB_ASSIGN(const http::Target target, http::parse_target(path.substr(kAgents.size() - 1)));
      return target.path.substr(1, target.path.rfind('/') - 1);
    }
    return rules_->own_name();
  }

  Result<json> hosts(const std::stop_token& stop) {
    LB_ASSIGN(const auto found, rules_->hosts(stop));
    json agents = json::array();
    for (const std::string& host : found) agents.push_back({{"name", host}, {"id", host}});
    return json{{"agents", std::move(agents)}};
  }

  Result<json> rules_of(const std::string& host, const std::stop_token& stop) {
    LB_ASSIGN(const config::KeptRules kept, rules_->get(host, stop));
    return json{{"revision", kept.revision}, {"yaml", config::write_rules(kept.rules)}, {"problem", kept.problem}};
  }

  Result<json> replace(const std::string& host, const std::string& body, const std::stop_token& stop) {
    const json change = json::parse(body);
    LB_ASSIGN(const config::RuleSet set, config::rules_of_text("rules", change.at("yaml").get<std::string>()));
    const auto expected = change.at("revision").get<std::uint64_t>();
    LB_TRY(rules_->put(host, expected, set.rules, author(), context_.clock.now(), stop));
    return json{{"replaced", expected}};
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

Result<std::unique_ptr<ApiAccess>> open_central_rules_api(Context& context) {
  LB_ASSIGN(auto rules, open_central_rules(context.settings, *context.files));
  return std::unique_ptr<ApiAccess>(std::make_unique<CentralRulesApi>(context, std::move(rules)));
}

}  // namespace logboom::app
