#include "config/etcd/etcd_previews.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/pause.h"
#include "config/etcd/etcd_rule_source.h"
#include "http/auth/secret.h"
#include "http/json_reading.h"

namespace logboom::config {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kStands{60};
constexpr std::chrono::milliseconds kBetweenTries{200};
constexpr int kDepth = 2;

std::string question_key(const std::string& host) {
  return std::string(kEtcdPreviewPrefix) + host;
}

std::optional<PreviewQuestion> question_of(const EtcdEntry& entry) {
  if (entry.value.size() > 2 * kMostPreviewBytes) return std::nullopt;
  auto question = read_question(http::parse_json(entry.value, kDepth));
  if (question && question->yaml.size() > kMostPreviewBytes) return std::nullopt;
  return question;
}

class EtcdPreviewAsker final : public PreviewAsker {
 public:
  explicit EtcdPreviewAsker(EtcdOptions options) : options_(std::move(options)) {}

  Result<std::string> ask(const std::string& agent, std::string yaml, std::chrono::milliseconds longest,
                          std::stop_token stop) override {
    if (yaml.size() > kMostPreviewBytes)
      return Error(ErrorCode::kInvalidArgument, "an agent is asked over etcd about rules of at most 1 MiB");
    EtcdOptions options = options_;
    options.watch_silence = longest;
    LB_ASSIGN(EtcdClient client, EtcdClient::open(std::move(options)));
    const PreviewQuestion question{http::random_id(8), std::move(yaml)};
    LB_ASSIGN(const std::uint64_t lease, client.grant_lease(kStands, stop));
    LB_TRY(client.put(question_key(agent), write_question(question), lease, stop));
    return wait(client, agent, question.id, Clock::now() + longest, stop);
  }

 private:
  struct Seen {
    std::uint64_t store_revision = 0;
    std::uint64_t asked = 0;            // revision of the question; 0: it is gone
    std::optional<std::string> answer;  // to the question
  };

  static Result<std::string> wait(EtcdClient& client, const std::string& agent, const std::string& id,
                                  Clock::time_point until, const std::stop_token& stop) {
    for (;;) {
      auto seen = look(client, agent, id, stop);
      if (!seen.ok() && seen.error().code() != ErrorCode::kUnavailable) return seen.error();
      if (seen.ok() && seen->answer) return *seen->answer;
      if (seen.ok() && seen->asked == 0)
        return Error(ErrorCode::kRejected,
                     "somebody else has asked this agent meanwhile, or it does not understand the question; try again");
      if (Clock::now() >= until) {
        if (!seen.ok()) return seen.error();
        (void)client.commit({question_key(agent), seen->asked, {}, {question_key(agent)}}, stop).ok();
        return Error(ErrorCode::kUnavailable,
                     "the agent has not answered; may it read and write under /logboom/previews/ in etcd, and is it of "
                     "this version?");
      }
      if (!seen.ok() || !changes(client, agent, seen->store_revision, stop)) pause_for(kBetweenTries, stop);
    }
  }

  // An answer that is there is taken away.
  static Result<Seen> look(EtcdClient& client, const std::string& agent, const std::string& id,
                           const std::stop_token& stop) {
    const std::string answer_key = etcd_preview_answer_key(agent);
    LB_ASSIGN(const auto ranges, client.get_all({{question_key(agent)}, {answer_key}}, stop));
    Seen seen;
    seen.store_revision = ranges[0].revision;
    if (!ranges[0].entries.empty()) {
      const auto asked = question_of(ranges[0].entries.front());
      if (asked && asked->id == id) seen.asked = ranges[0].entries.front().revision;
    }
    if (ranges[1].entries.empty()) return seen;
    const EtcdEntry& entry = ranges[1].entries.front();
    const bool ours = entry.value.find(id) != std::string::npos;
    if (!ours) return seen;
    (void)client.commit({answer_key, entry.revision, {}, {answer_key}}, stop).ok();
    LB_ASSIGN(const auto answer, read_preview(entry.value));
    if (answer["id"] == id) seen.answer = entry.value;
    return seen;
  }

  // Whether something was heard of the question or its answer.
  static bool changes(EtcdClient& client, const std::string& agent, std::uint64_t since, const std::stop_token& stop) {
    const auto heard = client.watch(
        {question_key(agent), etcd_preview_answer_key(agent)}, since + 1, [](const EtcdChange&) { return false; },
        stop);
    return heard.ok() && *heard;
  }

  const EtcdOptions options_;
};

class EtcdPreviewQuestions final : public PreviewQuestions {
 public:
  EtcdPreviewQuestions(EtcdClient client, std::vector<std::string> endpoints, std::string ip)
      : client_(std::move(client)), endpoints_(std::move(endpoints)), ip_(std::move(ip)) {}

  Result<std::optional<PreviewQuestion>> next(std::stop_token stop) override {
    for (;;) {
      LB_ASSIGN(host_, ip_.empty() ? host_ip(endpoints_) : Result<std::string>(ip_));
      const std::string key = question_key(host_);
      LB_ASSIGN(const EtcdRange range, client_.get(key, stop));
      if (!range.entries.empty()) {
        revision_ = range.entries.front().revision;
        if (auto question = question_of(range.entries.front())) return question;
        log_warn("a question in etcd about rules for this host cannot be read; it is removed");
        LB_TRY(client_.commit({key, revision_, {}, {key}}, stop));
        return std::optional<PreviewQuestion>();
      }
      const auto asked = [](const EtcdChange& change) { return change.deleted; };
      LB_ASSIGN(const bool heard, client_.watch({key}, range.revision + 1, asked, stop));
      if (!heard) return std::optional<PreviewQuestion>();
    }
  }

  Status answer(const std::string& json, std::stop_token stop) override {
    const std::string key = question_key(host_);
    LB_ASSIGN(const std::uint64_t lease, client_.grant_lease(kStands, stop));
    LB_TRY(client_.commit({key, revision_, {{etcd_preview_answer_key(host_), json}}, {key}, lease}, stop));
    return ok_status();
  }

 private:
  EtcdClient client_;
  const std::vector<std::string> endpoints_;
  const std::string ip_;
  std::string host_;
  std::uint64_t revision_ = 0;  // of the question given last
};

}  // namespace

std::string etcd_preview_answer_key(const std::string& host) {
  return question_key(host) + "/answer";
}

Result<std::unique_ptr<PreviewAsker>> open_etcd_preview_asker(EtcdOptions options) {
  if (options.endpoints.empty()) LB_TRY(EtcdClient::open(options));
  return std::unique_ptr<PreviewAsker>(std::make_unique<EtcdPreviewAsker>(std::move(options)));
}

Result<std::unique_ptr<PreviewQuestions>> open_etcd_preview_questions(EtcdOptions options, std::string ip) {
  std::vector<std::string> endpoints = options.endpoints;
  LB_ASSIGN(EtcdClient client, EtcdClient::open(std::move(options)));
  return std::unique_ptr<PreviewQuestions>(
      std::make_unique<EtcdPreviewQuestions>(std::move(client), std::move(endpoints), std::move(ip)));
}

}  // namespace logboom::config
