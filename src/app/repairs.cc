#include "app/repairs.h"

#include <optional>
#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/central_rules_api.h"
#include "app/route_help.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/pause.h"

namespace logboom::app {
namespace {

using nlohmann::json;

constexpr auto kLookEvery = std::chrono::seconds(10);

// The ranges of one source and epoch.
void add_missing(const logstore::SourceInfo& info, std::vector<config::WantedRange>& missing) {
  Coverage held;
  std::uint64_t end = info.state.inherited;
  for (const LedgerRange& range : info.ranges) {
    end = std::max(end, range.end);
    if (range.disposition != Disposition::kGap) held.add(range.begin, range.end);
  }
  for (const Interval& lost : info.lost) held.remove(lost.begin, lost.end);
  for (const Interval& bytes : held.missing(info.state.inherited, end))
    missing.push_back({info.source, info.epoch, info.channel, bytes});
}

Result<json> ask_agent(logstore::LedgerView& ledger, const FindAgent& find, config::RepairAsker& asker,
                       const std::string& asked, const std::stop_token& stop) {
  LB_ASSIGN(const CentralAgent agent, find(asked, stop));
  LB_ASSIGN(const auto missing, missing_of(ledger, agent.name));
  if (!missing.empty()) LB_TRY(asker.ask(agent.host, missing, stop));
  std::uint64_t bytes = 0;
  for (const config::WantedRange& range : missing) bytes += range.bytes.end - range.bytes.begin;
  return json{{"agent", agent.host}, {"name", agent.name}, {"ranges", missing.size()}, {"bytes", bytes}};
}

http::Route repair_route(http::Handler handler) {
  http::Route repair = route(
      "POST", "/api/v1/agents/{id}/repair", http::Role::kAdmin,
      "Asks an agent, over etcd or by the server it reports to, to send again what is missing of its files, as far as "
      "it still has it.",
      "The agent that was asked, and how many ranges and bytes for.", std::move(handler));
  repair.parameters = {
      {"id", http::ParameterPlace::kPath, "string", true, "The agent's name or, over etcd, its IP.", ""}};
  return repair;
}

class WithoutWanted final : public Producer {
 public:
  WithoutWanted(Producer& inner, std::vector<config::WantedRange> wanted) : inner_(inner), wanted_(std::move(wanted)) {}

  Status publish(std::shared_ptr<const Batch> batch, OnDelivered on_delivered, std::stop_token stop) override {
    return inner_.publish(std::move(batch), std::move(on_delivered), std::move(stop));
  }
  Status publish_samples(std::shared_ptr<const SampleBatch> samples, OnStored on_stored,
                         std::stop_token stop) override {
    return inner_.publish_samples(std::move(samples), std::move(on_stored), std::move(stop));
  }
  Result<std::vector<KnownSource>> known_sources() override {
    LB_ASSIGN(auto known, inner_.known_sources());
    MutexLock lock(mutex_);
    for (const config::WantedRange& range : std::exchange(wanted_, {})) {
      for (KnownSource& source : known) {
        if (source.source == range.source && source.epoch == range.epoch && source.channel == range.channel)
          source.coverage.remove(range.bytes.begin, range.bytes.end);
      }
    }
    return known;
  }
  void close() override { inner_.close(); }

 private:
  Producer& inner_;
  Mutex mutex_;
  std::vector<config::WantedRange> wanted_ LB_GUARDED_BY(mutex_);
};

class RepairWatchOfThisHost final : public RepairWatch {
 public:
  RepairWatchOfThisHost(std::unique_ptr<config::RepairRequests> requests, std::uint64_t followed,
                        std::function<void(config::RepairRequest)> on_asked)
      : requests_(std::move(requests)),
        followed_(followed),
        on_asked_(std::move(on_asked)),
        thread_([this](std::stop_token stop) { run(stop); }) {}

 private:
  void run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      if (auto request = look(stop)) return on_asked_(std::move(*request));
      pause_for(kLookEvery, stop);
    }
  }

  // An etcd that is away is told of by the source of rules.
  std::optional<config::RepairRequest> look(const std::stop_token& stop) {
    if (followed_ != 0 && !requests_->follow(followed_, stop).ok()) return std::nullopt;
    followed_ = 0;
    auto request = requests_->asked(stop);
    if (!request.ok() || request->revision == 0) return std::nullopt;
    if (!request->ranges.empty()) return std::move(*request);
    log_warn("a request in etcd for parts of this host's files cannot be read; it is removed");
    followed_ = request->revision;
    return std::nullopt;
  }

  const std::unique_ptr<config::RepairRequests> requests_;
  std::uint64_t followed_;  // until it is gone
  const std::function<void(config::RepairRequest)> on_asked_;
  std::jthread thread_;
};

}  // namespace

Result<std::vector<config::WantedRange>> missing_of(logstore::LedgerView& ledger, const std::string& host) {
  LB_ASSIGN(const auto sources, ledger.sources());
  std::vector<config::WantedRange> missing;
  for (const logstore::SourceInfo& info : sources) {
    if (info.state.host == host) add_missing(info, missing);
  }
  return missing;
}

Result<CentralAgent> agent_of_ledger(logstore::LedgerView& ledger, const std::string& name) {
  LB_ASSIGN(const auto sources, ledger.sources());
  for (const logstore::SourceInfo& info : sources) {
    if (info.state.host == name) return CentralAgent{name, name};
  }
  return Error(ErrorCode::kNotFound, fmt::format("there is nothing of an agent {} in this store", printable(name)));
}

void register_repair_route(http::Router& router, logstore::LedgerView& ledger, FindAgent find,
                           config::RepairAsker& asker, http::EventLog& events) {
  const auto mutex = std::make_shared<Mutex>();  // `find` and `asker` take one caller at a time
  router.add(repair_route([&ledger, find = std::move(find), &asker, &events, mutex](const http::Request& request,
                                                                                    http::ResponseWriter& writer) {
    MutexLock lock(*mutex);
    const auto asked = ask_agent(ledger, find, asker, std::string(request.param("id")), request.stop);
    if (!asked.ok()) return refuse(writer, asked.error());
    events.add("gaps asked for", request.principal ? request.principal->name : "unknown", request.peer.address,
               asked->value("name", ""));
    answer(writer, *asked);
  }));
}

void register_no_repair_route(http::Router& router, const char* why) {
  router.add(repair_route([why](const http::Request&, http::ResponseWriter& writer) {
    refuse(writer, Error(ErrorCode::kUnsupported, why));
  }));
}

std::unique_ptr<Producer> without_wanted(Producer& inner, std::vector<config::WantedRange> wanted) {
  return std::make_unique<WithoutWanted>(inner, std::move(wanted));
}

std::unique_ptr<RepairWatch> start_repair_watch(std::unique_ptr<config::RepairRequests> requests,
                                                std::uint64_t followed,
                                                std::function<void(config::RepairRequest)> on_asked) {
  return std::make_unique<RepairWatchOfThisHost>(std::move(requests), followed, std::move(on_asked));
}

}  // namespace logboom::app
