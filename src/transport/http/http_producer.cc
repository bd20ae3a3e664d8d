#include "transport/http/http_producer.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <thread>

#include <fmt/format.h>

#include "base/check.h"
#include "base/log.h"
#include "base/mutex.h"
#include "base/pause.h"
#include "http/bearer_token.h"
#include "http/json_reading.h"
#include "io/zstd.h"
#include "record/encoding/delivery.h"
#include "transport/http/control_session.h"
#include "transport/http/parcel_queue.h"
#include "transport/sample_message.h"

namespace logboom::transport {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kMaxKnownSources = 256u << 20;  // bytes of the account of all sources

// What an answer other than 200 says.
Error refusal_of(const http::ClientResponse& answer, std::string& code) {
  http::ApiError said = http::read_api_error(answer.body);
  code = std::move(said.code);
  if (http::refuses_token(answer)) {
    return Error(ErrorCode::kUnavailable,
                 fmt::format("the server does not take this host's token ({}: {}); another one in its file "
                             "(agent.token_file) is taken without a restart",
                             answer.status, said.message.empty() ? "no reason given" : printable(said.message)));
  }
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
        queue_(options_.queue_bytes, options_.request_bytes,
               registry.gauge("logboom_transport_waiting_bytes", "Bytes published and not yet answered.")),
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
    queue_.drain(options_.drain);
    stop_.request_stop();
    for (Lane& lane : lanes_) lane.thread.join();
  }

  Status publish(std::shared_ptr<const Batch> batch, OnDelivered on_delivered, std::stop_token stop) override {
    return queue_.publish(std::move(batch), std::move(on_delivered), std::move(stop));
  }
  Status publish_samples(std::shared_ptr<const SampleBatch> samples, OnStored on_stored, std::stop_token stop) override;
  Result<std::vector<KnownSource>> known_sources() override;
  void close() override {
    queue_.close();
    asking_.request_stop();
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
  void deliver(Lane& lane, Parcel parcel);
  Result<std::vector<Result<Coverage>>> exchange(Lane& lane, const Parcel& parcel);
  Result<http::ClientResponse> until_answered(http::HttpClient& client, const http::ClientRequest& request);
  Result<http::ClientResponse> in_session(http::HttpClient& client, http::ClientRequest request, std::stop_token stop);
  Status open_session(http::HttpClient& client, const std::stop_token& stop);
  Error refused(const http::ClientResponse& answer);
  void end(const Error& error);
  std::optional<Error> ended() const;
  void say(const std::string& problem);

  const HttpOptions options_;
  const std::function<void(Error)> on_ended_;
  Counter& requests_;
  Counter& retries_;
  Counter& raw_;
  Counter& wire_;
  ParcelQueue queue_;
  std::stop_source stop_;    // of everything, once draining is over
  std::stop_source asking_;  // of known_sources(), at close()

  mutable Mutex mutex_;
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

// On the caller's thread, over a connection of their own: they are few, and wait for no file.
Status HttpTransport::publish_samples(std::shared_ptr<const SampleBatch> samples, OnStored on_stored,
                                      std::stop_token stop) {
  MutexLock sampling(sampling_);
  if (queue_.closed() || stop.stop_requested())
    return Error(ErrorCode::kCancelled, "cannot publish samples: the pipeline is stopping");
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
    Parcel parcel = queue_.take(lane.number);
    if (parcel.items.empty()) return;
    deliver(lane, std::move(parcel));
  }
}

void HttpTransport::deliver(Lane& lane, Parcel parcel) {
  auto outcomes = exchange(lane, parcel);
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < parcel.items.size(); ++i) {
    Parcel::Item& item = parcel.items[i];
    bytes += item.bytes;
    if (outcomes.ok()) raw_.add(item.batch->bytes.size());
    item.batch.reset();
    item.on_delivered(outcomes.ok() ? std::move((*outcomes)[i]) : Result<Coverage>(outcomes.error()));
  }
  queue_.end_turn(parcel, bytes);
}

Result<std::vector<Result<Coverage>>> HttpTransport::exchange(Lane& lane, const Parcel& parcel) {
  http::ClientRequest request;
  std::optional<Error> failed;
  if (!stop_.stop_requested()) {
    std::vector<std::shared_ptr<const Batch>> batches;
    for (const Parcel::Item& item : parcel.items) batches.push_back(item.batch);
    auto packed = lane.compressor->compress(encode_delivery(batches));
    if (packed.ok()) {
      request.body = *std::move(packed);
    } else {
      failed = std::move(packed).error();
    }
  }
  queue_.wait_for_turn(parcel);
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
    pause_for(wait, stop_.get_token());
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
