#include "transport/http/http_producer.h"

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <thread>
#include <unordered_map>

#include <fmt/format.h>

#include "base/check.h"
#include "base/log.h"
#include "base/mutex.h"
#include "http/json_reading.h"
#include "io/zstd.h"
#include "record/encoding/delivery.h"
#include "transport/http/control_session.h"
#include "transport/sample_message.h"

namespace logboom::transport {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kMaxKnownSources = 256u << 20;  // bytes of the account of all sources

struct Item {
  std::shared_ptr<const Batch> batch;
  OnDelivered on_delivered;
  std::uint64_t bytes = 0;
};

// What one request carries, and its place behind earlier requests of the same sources.
struct Parcel {
  std::vector<Item> items;                  // in the order they were published
  std::map<SourceId, std::uint64_t> turns;  // of each source in it
};

// How many requests of a source were made up, and how many of them are over.
struct Turns {
  std::uint64_t given = 0;
  std::uint64_t over = 0;
};

// What an answer other than 200 says.
Error refusal_of(const http::ClientResponse& answer, std::string& code) {
  http::ApiError said = http::read_api_error(answer.body);
  code = std::move(said.code);
  return Error(ErrorCode::kUnavailable,
               fmt::format("the server answers {}: {}", answer.status,
                           said.message.empty() ? "no reason given" : printable(said.message)));
}

class HttpTransport final : public HttpProducer {
 public:
  HttpTransport(HttpOptions options, Registry& registry, std::function<void(Error)> on_ended)
      : options_(std::move(options)),
        on_ended_(std::move(on_ended)),
        requests_(registry.counter("logboom_transport_requests_total", "Requests answered with outcomes.")),
        retries_(registry.counter("logboom_transport_retries_total", "Requests that have to be sent again.")),
        raw_(registry.counter("logboom_transport_raw_bytes_total", "Bytes of batches delivered.")),
        wire_(registry.counter("logboom_transport_wire_bytes_total", "Bytes of requests, compressed.")),
        waiting_(registry.gauge("logboom_transport_waiting_bytes", "Bytes published and not yet answered.")),
        lanes_(options_.lanes) {
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
      Lane& lane = lanes_[i];
      lane.number = i;
      lane.compressor.emplace(options_.level);
      lane.client = std::make_unique<http::HttpClient>(client_options());
      lane.thread = std::jthread([this, &lane] { run(lane); });
    }
  }

  ~HttpTransport() override {
    close();
    {
      MutexLock lock(mutex_);
      changed_.wait_for(mutex_, {}, options_.drain, [this]() LB_NO_THREAD_SAFETY_ANALYSIS { return held_ == 0; });
    }
    stop_.request_stop();
    for (Lane& lane : lanes_) lane.thread.join();
  }

  Status publish(std::shared_ptr<const Batch> batch, OnDelivered on_delivered, std::stop_token stop) override;
  Status publish_samples(std::shared_ptr<const SampleBatch> samples, OnStored on_stored, std::stop_token stop) override;
  Result<std::vector<KnownSource>> known_sources() override;
  void close() override {
    MutexLock lock(mutex_);
    closed_ = true;
    asking_.request_stop();
    changed_.notify_all();
  }
  std::string problem() const override {
    MutexLock lock(mutex_);
    return problem_;
  }
  std::uint64_t session() const override {
    MutexLock lock(mutex_);
    return session_;
  }

 private:
  struct Lane {
    std::size_t number = 0;
    std::unique_ptr<http::HttpClient> client;
    std::optional<ZstdCompressor> compressor;
    std::jthread thread;
  };

  http::ClientOptions client_options() const {
    http::ClientOptions client = options_.client;
    client.silence_time = options_.silence;
    client.max_body = kMaxKnownSources;
    return client;
  }

  void run(Lane& lane);
  Parcel take(const Lane& lane);
  bool may_take(const SourceId& source) const LB_REQUIRES(mutex_);
  bool something_to_take() const LB_REQUIRES(mutex_);
  void deliver(Lane& lane, Parcel parcel);
  Result<std::vector<Result<Coverage>>> exchange(Lane& lane, const Parcel& parcel);
  void wait_for_turn(const Parcel& parcel);
  void end_turn(const Parcel& parcel, std::uint64_t bytes);
  Result<http::ClientResponse> until_answered(http::HttpClient& client, const http::ClientRequest& request);
  Result<http::ClientResponse> in_session(http::HttpClient& client, http::ClientRequest request, std::stop_token stop);
  Status open_session(http::HttpClient& client, const std::stop_token& stop);
  Error refused(const http::ClientResponse& answer);
  void end(const Error& error);
  std::optional<Error> ended() const;
  void say(const std::string& problem);
  void pause(milliseconds time);

  const HttpOptions options_;
  const std::function<void(Error)> on_ended_;
  Counter& requests_;
  Counter& retries_;
  Counter& raw_;
  Counter& wire_;
  Gauge& waiting_;
  std::stop_source stop_;    // of everything, once draining is over
  std::stop_source asking_;  // of known_sources(), at close()

  mutable Mutex mutex_;
  CondVar changed_;
  std::deque<Item> items_ LB_GUARDED_BY(mutex_);                     // published and not taken by a lane, oldest first
  std::unordered_map<SourceId, Turns> turns_ LB_GUARDED_BY(mutex_);  // of sources with requests made up
  std::set<std::size_t> idle_ LB_GUARDED_BY(mutex_);                 // numbers of lanes with nothing to do
  std::uint64_t unsent_ LB_GUARDED_BY(mutex_) = 0;                   // bytes of items_
  std::uint64_t held_ LB_GUARDED_BY(mutex_) = 0;                     // bytes published and not answered
  bool closed_ LB_GUARDED_BY(mutex_) = false;
  const std::string attempt_ = new_attempt();
  std::uint64_t session_ LB_GUARDED_BY(mutex_) = 0;
  std::string problem_ LB_GUARDED_BY(mutex_);
  std::optional<Error> ended_ LB_GUARDED_BY(mutex_);
  Mutex opening_;   // held while a session is opened
  Mutex sampling_;  // held while samples are sent
  std::unique_ptr<http::HttpClient> samples_client_ LB_GUARDED_BY(sampling_);
  ZstdCompressor samples_compressor_ LB_GUARDED_BY(sampling_);
  std::deque<Lane> lanes_;
};

Status HttpTransport::publish(std::shared_ptr<const Batch> batch, OnDelivered on_delivered, std::stop_token stop) {
  Item item{std::move(batch), std::move(on_delivered), 0};
  item.bytes = item.batch->memory();
  MutexLock lock(mutex_);
  const bool ready = changed_.wait(mutex_, stop, [&]() LB_NO_THREAD_SAFETY_ANALYSIS {
    return closed_ || held_ == 0 || held_ + item.bytes <= options_.queue_bytes;
  });
  if (!ready || closed_) return Error(ErrorCode::kCancelled, "cannot publish a batch: the pipeline is stopping");
  held_ += item.bytes;
  waiting_.set(static_cast<std::int64_t>(held_));
  unsent_ += item.bytes;
  items_.push_back(std::move(item));
  changed_.notify_all();
  return ok_status();
}

// On the caller's thread, over a connection of their own: they are few, and wait for no file.
Status HttpTransport::publish_samples(std::shared_ptr<const SampleBatch> samples, OnStored on_stored,
                                      std::stop_token stop) {
  MutexLock sampling(sampling_);
  {
    MutexLock lock(mutex_);
    if (closed_ || stop.stop_requested())
      return Error(ErrorCode::kCancelled, "cannot publish samples: the pipeline is stopping");
  }
  if (!samples_client_) samples_client_ = std::make_unique<http::HttpClient>(client_options());
  LB_ASSIGN(std::string packed, samples_compressor_.compress(sample_lines(*samples)));
  http::ClientRequest request{
      "POST", "/api/v1/agent/samples", {{"Content-Type", "application/octet-stream"}}, std::move(packed)};
  const auto answer = in_session(*samples_client_, std::move(request), std::move(stop));
  const bool stored = answer.ok() && answer->status == 204;
  on_stored(stored ? ok_status() : Status(answer.ok() ? refused(*answer) : answer.error()));
  return ok_status();
}

Result<std::vector<KnownSource>> HttpTransport::known_sources() {
  http::HttpClient client(client_options());
  http::ClientRequest request;
  request.target = "/api/v1/agent/sources";
  auto answer = in_session(client, std::move(request), asking_.get_token());
  if (!answer.ok()) {
    say(answer.error().message());
    return std::move(answer).error();
  }
  if (answer->status != 200) return refused(*answer);
  say("");
  ZstdDecompressor decompressor;
  LB_ASSIGN(const std::string bytes, decompressor.decompress(answer->body, kMaxKnownSources));
  return decode_known_sources(bytes);
}

// --- one lane

void HttpTransport::run(Lane& lane) {
  while (true) {
    Parcel parcel = take(lane);
    if (parcel.items.empty()) return;
    deliver(lane, std::move(parcel));
  }
}

// While one request of a source is being answered, one more is made ready behind it if there is enough for a whole one:
// small ones would only be more, and more than one would keep lanes from other sources.
bool HttpTransport::may_take(const SourceId& source) const {
  const auto turns = turns_.find(source);
  const std::uint64_t most = unsent_ >= options_.request_bytes ? 2 : 1;
  return turns == turns_.end() || turns->second.given - turns->second.over < most;
}

bool HttpTransport::something_to_take() const {
  return std::ranges::any_of(
      items_, [this](const Item& item) LB_NO_THREAD_SAFETY_ANALYSIS { return may_take(item.batch->source); });
}

// The oldest items of sources that may be taken, each source's in order. Empty: closed and drained, or the stop came.
// The first idle lane takes: with little to send the others never connect.
Parcel HttpTransport::take(const Lane& lane) {
  MutexLock lock(mutex_);
  idle_.insert(lane.number);
  changed_.wait(mutex_, [&]() LB_NO_THREAD_SAFETY_ANALYSIS {
    return (closed_ && items_.empty()) || (*idle_.begin() == lane.number && something_to_take());
  });
  idle_.erase(lane.number);
  Parcel parcel;
  std::uint64_t bytes = 0;
  std::set<SourceId> left;  // has an item that stays, so all behind it stay
  std::deque<Item> rest;
  for (Item& item : items_) {
    const SourceId source = item.batch->source;
    const bool fits = parcel.items.size() < kMaxDeliveryBatches &&
                      (parcel.items.empty() || bytes + item.bytes <= options_.request_bytes);
    if (!fits || left.contains(source) || (!parcel.turns.contains(source) && !may_take(source))) {
      left.insert(source);
      rest.push_back(std::move(item));
      continue;
    }
    if (!parcel.turns.contains(source)) parcel.turns.emplace(source, turns_[source].given++);
    bytes += item.bytes;
    parcel.items.push_back(std::move(item));
  }
  items_ = std::move(rest);
  unsent_ -= bytes;
  changed_.notify_all();  // the next lane is the first idle one now
  return parcel;
}

void HttpTransport::deliver(Lane& lane, Parcel parcel) {
  auto outcomes = exchange(lane, parcel);
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < parcel.items.size(); ++i) {
    Item& item = parcel.items[i];
    bytes += item.bytes;
    if (outcomes.ok()) raw_.add(item.batch->bytes.size());
    item.batch.reset();
    item.on_delivered(outcomes.ok() ? std::move((*outcomes)[i]) : Result<Coverage>(outcomes.error()));
  }
  end_turn(parcel, bytes);
}

// Until the requests before it of every source in it are over. Those were made up before it, all at once, so nobody
// waits for one that waits for him.
void HttpTransport::wait_for_turn(const Parcel& parcel) {
  MutexLock lock(mutex_);
  changed_.wait(mutex_, [&]() LB_NO_THREAD_SAFETY_ANALYSIS {
    return std::ranges::all_of(parcel.turns, [this](const auto& turn) LB_NO_THREAD_SAFETY_ANALYSIS {
      return turns_.at(turn.first).over == turn.second;
    });
  });
}

void HttpTransport::end_turn(const Parcel& parcel, std::uint64_t bytes) {
  MutexLock lock(mutex_);
  for (const auto& [source, turn] : parcel.turns) {
    Turns& turns = turns_[source];
    if (++turns.over == turns.given) turns_.erase(source);
  }
  held_ -= bytes;
  waiting_.set(static_cast<std::int64_t>(held_));
  changed_.notify_all();
}

Result<std::vector<Result<Coverage>>> HttpTransport::exchange(Lane& lane, const Parcel& parcel) {
  http::ClientRequest request;
  std::optional<Error> failed;
  if (!stop_.stop_requested()) {
    std::vector<std::shared_ptr<const Batch>> batches;
    for (const Item& item : parcel.items) batches.push_back(item.batch);
    auto packed = lane.compressor->compress(encode_delivery(batches));
    if (packed.ok()) {
      request.body = *std::move(packed);
    } else {
      failed = std::move(packed).error();
    }
  }
  wait_for_turn(parcel);
  if (stop_.stop_requested()) return Error(ErrorCode::kCancelled, "cannot deliver a batch: the agent is stopping");
  if (failed) return *std::move(failed);
  request.method = "POST";
  request.target = "/api/v1/agent/batches";
  request.headers = {{"Content-Type", "application/x-logboom-delivery"}};
  LB_ASSIGN(const http::ClientResponse answer, until_answered(*lane.client, request));
  LB_ASSIGN(auto outcomes, decode_outcomes(answer.body));
  if (outcomes.size() != parcel.items.size())
    return Error(ErrorCode::kCorrupt, "cannot deliver batches: the server's answer is of another number of them");
  requests_.add();
  wire_.add(request.body.size());
  return outcomes;
}

// Sends the request until the server has answered it with 200; an error: it never will, or the stop came.
Result<http::ClientResponse> HttpTransport::until_answered(http::HttpClient& client,
                                                           const http::ClientRequest& request) {
  for (milliseconds wait = options_.least_pause;; wait = std::min(wait * 2, options_.most_pause)) {
    auto answer = in_session(client, request, stop_.get_token());
    if (answer.ok() && answer->status == 200) {
      say("");
      return answer;
    }
    const Error error = answer.ok() ? refused(*answer) : answer.error();
    if (auto gone = ended()) return *std::move(gone);
    if (stop_.stop_requested()) return Error(ErrorCode::kCancelled, "cannot deliver a batch: the agent is stopping");
    if (error.code() == ErrorCode::kRejected) return error;
    say(error.message());
    retries_.add();
    pause(wait);
  }
}

// --- the session

Result<http::ClientResponse> HttpTransport::in_session(http::HttpClient& client, http::ClientRequest request,
                                                       std::stop_token stop) {
  LB_TRY(open_session(client, stop));
  request.headers.emplace_back("Logboom-Agent", options_.agent);
  request.headers.emplace_back("Logboom-Session", std::to_string(session()));
  return client.send(request, stop);
}

Status HttpTransport::open_session(http::HttpClient& client, const std::stop_token& stop) {
  MutexLock opening(opening_);
  if (auto gone = ended()) return *std::move(gone);
  if (session() != 0) return ok_status();
  LB_ASSIGN(const http::ClientResponse answer,
            client.send(session_request(options_.agent, options_.name, options_.version, attempt_), stop));
  if (answer.status != 200) return refused(answer);
  LB_ASSIGN(const std::uint64_t number, session_number(answer));
  MutexLock lock(mutex_);
  session_ = number;
  return ok_status();
}

// kUnavailable: try again; kRejected: these bytes never. Ends the session where the answer does.
Error HttpTransport::refused(const http::ClientResponse& answer) {
  std::string code;
  const Error error = refusal_of(answer, code);
  if (code == "fenced") end(Error(ErrorCode::kRejected, error.message()));
  if (code == "unknown_session") end(Error(ErrorCode::kNotFound, error.message()));
  const bool for_good = answer.status == 400 || answer.status == 413 || answer.status == 501;
  return for_good ? Error(ErrorCode::kRejected, error.message()) : error;
}

void HttpTransport::end(const Error& error) {
  {
    MutexLock lock(mutex_);
    if (ended_) return;
    ended_ = error;
    problem_ = error.message();
  }
  on_ended_(error);
}

std::optional<Error> HttpTransport::ended() const {
  MutexLock lock(mutex_);
  return ended_;
}

void HttpTransport::say(const std::string& problem) {
  MutexLock lock(mutex_);
  if (ended_ || problem == problem_) return;
  if (problem.empty()) {
    log_info("the server takes batches again");
  } else {
    log_warn("not delivered yet: {}", problem);
  }
  problem_ = problem;
}

void HttpTransport::pause(milliseconds time) {
  MutexLock lock(mutex_);
  CondVar never;
  never.wait_for(mutex_, stop_.get_token(), time, [] { return false; });
}

}  // namespace

Result<std::unique_ptr<HttpProducer>> open_http_producer(HttpOptions options, Registry& registry,
                                                         std::function<void(Error)> on_ended) {
  if (options.lanes == 0 || options.lanes > 16)
    return Error(ErrorCode::kInvalidArgument, "cannot send over HTTP: an agent has 1 to 16 connections");
  if (options.agent.size() != 32)
    return Error(ErrorCode::kInvalidArgument, "cannot send over HTTP: the agent's identity needs 32 digits");
  return std::unique_ptr<HttpProducer>(
      std::make_unique<HttpTransport>(std::move(options), registry, std::move(on_ended)));
}

}  // namespace logboom::transport
