#include "config/http/http_rule_source.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/mutex.h"
#include "config/central_rules.h"
#include "config/rules_yaml.h"
#include "config/yaml.h"
#include "http/json_reading.h"

namespace logboom::config {
namespace {

using nlohmann::json;

struct Version {
  std::uint64_t revision = 0;
  std::string text;
};

class HttpRuleSource final : public RuleSource {
 public:
  HttpRuleSource(HttpRuleOptions options, FileSystem& files, Version good)
      : options_(std::move(options)),
        files_(files),
        path_(kept_in(options_.data_directory)),
        client_(client_options(options_)),
        heard_(good),
        kept_revision_(good.revision) {}

  static std::string kept_in(const std::string& directory) { return directory + "/server-rules.yaml"; }

  Result<RuleSet> load() override {
    LB_ASSIGN(RuleSet rules, rules_of_text(fmt::format("revision {} of the server", heard_.revision), heard_.text));
    rules.revision = heard_.revision;
    rules.roots = options_.roots;
    rules.rotated_to = options_.rotated_to;
    if (!rules.metrics) rules.metrics = options_.own_metrics;
    LB_TRY(check_roots(rules, fmt::format("revision {} of the server", heard_.revision)));
    if (heard_.revision != kept_revision_) LB_TRY(keep());
    return rules;
  }

  bool wait_for_change(std::uint64_t, std::stop_token stop) override {
    for (BackOff pause(options_.least_pause, options_.most_pause); !stop.stop_requested();) {
      const auto answer = ask(stop);
      if (answer.ok()) {
        say("");
        pause.reset();
        in_step_ = true;
        if (answer->revision == heard_.revision && answer->text == heard_.text) continue;
        heard_ = *answer;
        return true;
      }
      if (stop.stop_requested()) break;
      in_step_ = false;
      say(answer.error().message());
      pause.wait(stop);
    }
    return false;
  }

  Status put(std::uint64_t, const std::vector<Rule>&, const std::string&) override { return kept_by_server(); }
  Result<std::vector<RuleHistoryEntry>> history() override { return kept_by_server(); }

  std::string problem() override {
    MutexLock lock(mutex_);
    return problem_;
  }

 private:
  static http::ClientOptions client_options(const HttpRuleOptions& options) {
    http::ClientOptions client = options.client;
    client.silence_time = options.poll + std::chrono::seconds(30);
    client.max_body = kMaxYamlBytes * 2;
    return client;
  }

  static Error kept_by_server() {
    return Error(ErrorCode::kUnsupported,
                 "the server keeps this host's rules; change them there with `logboom rules --host`");
  }

  // The next set, as soon as it differs from what was heard last; the same one when the poll ends without a change.
  Result<Version> ask(const std::stop_token& stop) {
    http::ClientRequest request;
    request.target = in_step_
                         ? fmt::format("/api/v1/agent/rules?seen={}&wait={}ms", heard_.revision, options_.poll.count())
                         : "/api/v1/agent/rules";
    request.headers = {{"Logboom-Agent", options_.agent}};
    LB_ASSIGN(const http::ClientResponse answer, client_.send(request, stop));
    if (answer.status != 200) {
      return Error(ErrorCode::kUnavailable, fmt::format("the server answers {}: {}", answer.status,
                                                        printable(http::read_api_error(answer.body).message)));
    }
    const json body = json::parse(answer.body, nullptr, false);
    if (!body.is_object() || !body.contains("revision") || !body["revision"].is_number_unsigned() ||
        !body.contains("yaml") || !body["yaml"].is_string())
      return Error(ErrorCode::kCorrupt, "the server's answer is none of logboom's");
    Version version{body["revision"].get<std::uint64_t>(), body["yaml"].get<std::string>()};
    if (version.revision == 0 && heard_.revision != 0)
      return Error(ErrorCode::kUnavailable, "the server has no rules for this host any more: was its data lost?");
    return version;
  }

  Status keep() {
    LB_TRY(replace_file(files_, path_, fmt::format("# revision {}\n{}", heard_.revision, heard_.text)));
    kept_revision_ = heard_.revision;
    return ok_status();
  }

  void say(const std::string& why) {
    MutexLock lock(mutex_);
    const std::string text =
        why.empty() ? "" : fmt::format("no rules from the server, the last good ones stay in force: {}", why);
    if (text == problem_) return;
    if (text.empty()) {
      log_info("rules can be had from the server again");
    } else {
      log_warn("{}", text);
    }
    problem_ = text;
  }

  const HttpRuleOptions options_;
  FileSystem& files_;
  const std::string path_;
  http::HttpClient client_;
  Version heard_;  // from the server, or from disk before anything was heard
  std::uint64_t kept_revision_;
  bool in_step_ = false;  // the server has said that heard_ is what it has; it may have lost and changed it before
  Mutex mutex_;
  std::string problem_ LB_GUARDED_BY(mutex_);
};

// "# revision N" and the rules; a file of another form is taken for none.
Result<Version> read_kept(FileSystem& files, const std::string& path) {
  auto text = read_file(files, path, kMaxYamlBytes);
  if (!text.ok()) {
    if (text.error().code() == ErrorCode::kNotFound) return Version{};
    return std::move(text).error();
  }
  constexpr std::string_view kHead = "# revision ";
  const std::size_t end = text->find('\n');
  if (!text->starts_with(kHead) || end == std::string::npos) {
    log_warn("{} is none of ours; waiting for the server's rules", path);
    return Version{};
  }
  return Version{std::strtoull(text->c_str() + kHead.size(), nullptr, 10), text->substr(end + 1)};
}

}  // namespace

Result<std::unique_ptr<RuleSource>> open_http_rules(HttpRuleOptions options, FileSystem& files) {
  LB_TRY(files.create_directories(options.data_directory));
  LB_ASSIGN(Version kept, read_kept(files, HttpRuleSource::kept_in(options.data_directory)));
  return std::unique_ptr<RuleSource>(std::make_unique<HttpRuleSource>(std::move(options), files, std::move(kept)));
}

}  // namespace logboom::config
