#include "config/http/http_rule_source.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/mutex.h"
#include "config/rules_yaml.h"
#include "config/yaml.h"
#include "http/json_reading.h"

namespace logboom::config {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

struct Version {
  std::uint64_t revision = 0;
  std::string text;
};

// The part of a path that no wildcard can change, up to its last slash.
std::string fixed_folder(const std::string& path) {
  const std::string fixed = path.substr(0, path.find_first_of("*?[{"));
  return fixed.size() == path.size() ? path : fixed.substr(0, fixed.rfind('/'));
}

bool is_below(const std::string& path, const std::string& root) {
  if (root == "/") return true;
  return path.starts_with(root) && (path.size() == root.size() || path[root.size()] == '/');
}

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
    LB_TRY(check_roots(rules));
    if (heard_.revision != kept_revision_) LB_TRY(keep());
    return rules;
  }

  bool wait_for_change(std::uint64_t, std::stop_token stop) override {
    for (milliseconds wait = options_.least_pause; !stop.stop_requested();) {
      const auto answer = ask(stop);
      if (answer.ok()) {
        say("");
        wait = options_.least_pause;
        in_step_ = true;
        if (answer->revision == heard_.revision && answer->text == heard_.text) continue;
        heard_ = *answer;
        return true;
      }
      if (stop.stop_requested()) break;
      in_step_ = false;
      say(answer.error().message());
      pause(wait, stop);
      wait = std::min(wait * 2, options_.most_pause);
    }
    return false;
  }

  Status put(std::uint64_t, const std::vector<Rule>&, const std::string&) override { return kept_by_server(); }
  Result<std::vector<RuleHistoryEntry>> history() override { return kept_by_server(); }

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

  Status check_roots(const RuleSet& rules) const {
    for (const Rule& rule : rules.rules) {
      const std::string folder = fixed_folder(rule.path);
      const bool allowed = rules.roots.empty() || std::ranges::any_of(rules.roots, [&](const std::string& root) {
                             return is_below(folder, root);
                           });
      if (!allowed) {
        return Error(
            ErrorCode::kInvalidArgument,
            fmt::format("revision {} of the server: rule '{}' names {}, outside the roots this host allows ({})",
                        rules.revision, printable(rule.name), printable(rule.path), fmt::join(rules.roots, ", ")));
      }
    }
    return ok_status();
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

  void say(const std::string& problem) {
    if (problem == problem_) return;
    if (problem.empty()) {
      log_info("rules can be had from the server again");
    } else {
      log_warn("no rules from the server, the last good ones stay in force: {}", problem);
    }
    problem_ = problem;
  }

  static void pause(milliseconds time, const std::stop_token& stop) {
    Mutex mutex;
    CondVar never;
    MutexLock lock(mutex);
    never.wait_for(mutex, stop, time, [] { return false; });
  }

  const HttpRuleOptions options_;
  FileSystem& files_;
  const std::string path_;
  http::HttpClient client_;
  Version heard_;  // from the server, or from disk before anything was heard
  std::uint64_t kept_revision_;
  bool in_step_ = false;  // the server has said that heard_ is what it has; it may have lost and changed it before
  std::string problem_;
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
