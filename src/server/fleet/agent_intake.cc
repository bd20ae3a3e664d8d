#include "server/fleet/agent_intake.h"

#include <memory>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "base/mutex.h"
#include "io/zstd.h"
#include "record/encoding/delivery.h"
#include "server/fleet/agent_answers.h"
#include "transport/sample_message.h"

namespace logboom::server {
namespace {

using http::Request;
using http::ResponseWriter;

// The outcomes of one request's batches, as they come from the store's threads.
class Outcomes {
 public:
  explicit Outcomes(std::size_t count) : outcomes_(count, Result<Coverage>(Coverage())), open_(count) {}

  void put(std::size_t index, Result<Coverage> outcome) {
    MutexLock lock(mutex_);
    outcomes_[index] = std::move(outcome);
    if (--open_ == 0) all_.notify_all();
  }
  // nullopt: the stop came first.
  std::optional<std::vector<Result<Coverage>>> wait(std::stop_token stop) {
    MutexLock lock(mutex_);
    if (!all_.wait(mutex_, std::move(stop), [this]() LB_NO_THREAD_SAFETY_ANALYSIS { return open_ == 0; }))
      return std::nullopt;
    return outcomes_;
  }

 private:
  Mutex mutex_;
  CondVar all_;
  std::vector<Result<Coverage>> outcomes_ LB_GUARDED_BY(mutex_);
  std::size_t open_ LB_GUARDED_BY(mutex_);
};

// What requests are unpacked in. Kept from one to the next: fresh memory costs as much as what is done with it. Bound:
// kKept rooms of at most kLargest bytes lie idle.
class Rooms {
 public:
  struct Room {
    ZstdDecompressor decompressor;
    std::string content;
  };

  std::unique_ptr<Room> take() {
    MutexLock lock(mutex_);
    if (idle_.empty()) return std::make_unique<Room>();
    auto room = std::move(idle_.back());
    idle_.pop_back();
    return room;
  }
  void give(std::unique_ptr<Room> room) {
    MutexLock lock(mutex_);
    if (idle_.size() < kKept && room->content.capacity() <= kLargest) idle_.push_back(std::move(room));
  }

 private:
  static constexpr std::size_t kKept = 4;
  static constexpr std::size_t kLargest = 8u << 20;
  Mutex mutex_;
  std::vector<std::unique_ptr<Room>> idle_ LB_GUARDED_BY(mutex_);
};

Result<std::vector<Batch>> unpack(Rooms& rooms, const std::string& body) {
  auto room = rooms.take();
  LB_TRY(room->decompressor.decompress_to(body, kMaxDeliveryContent, room->content));
  auto batches = decode_delivery(room->content);
  rooms.give(std::move(room));
  return batches;
}

// Whether the agent should send the same bytes again later: nothing is wrong with them.
bool passes(const Error& error) {
  const ErrorCode code = error.code();
  return code == ErrorCode::kFull || code == ErrorCode::kIo || code == ErrorCode::kUnavailable ||
         code == ErrorCode::kCancelled || code == ErrorCode::kInternal;
}

void answer_outcomes(ResponseWriter& writer, const std::vector<Result<Coverage>>& outcomes) {
  for (const Result<Coverage>& outcome : outcomes) {
    if (!outcome.ok() && passes(outcome.error())) return refuse(writer, outcome.error());
  }
  answer_bytes(writer, encode_outcomes(outcomes));
}

// Hands the batches to the store in their order; fewer than all when the client has gone.
Status hand_over(Producer& store_side, std::vector<Batch> batches, const std::shared_ptr<Outcomes>& outcomes,
                 const std::stop_token& stop) {
  for (std::size_t i = 0; i < batches.size(); ++i) {
    auto shared = std::make_shared<const Batch>(std::move(batches[i]));
    LB_TRY(store_side.publish(
        std::move(shared), [outcomes, i](Result<Coverage> coverage) { outcomes->put(i, std::move(coverage)); }, stop));
  }
  return ok_status();
}

void batches_route(const AgentRouteDeps& deps, Rooms& rooms, const Request& request, ResponseWriter& writer) {
  Fleet::Admission admission;
  if (const auto refusal = deps.fleet.admit(request, admission)) return writer.send(http::to_response(*refusal));
  const auto size = zstd_content_size(request.body);
  if (!size || *size > kMaxDeliveryContent) {
    return refuse(writer, Error(ErrorCode::kInvalidArgument,
                                fmt::format("the body must be one zstd frame with its size, of at most {} bytes",
                                            kMaxDeliveryContent)));
  }
  auto lease = deps.budget.acquire(2 * *size, request.stop);
  if (!lease) return refuse(writer, Error(ErrorCode::kCancelled, "stopped"));
  auto batches = unpack(rooms, request.body);
  if (!batches.ok()) return refuse(writer, Error(ErrorCode::kInvalidArgument, batches.error().message()));
  std::vector<SourceId> sources;
  for (const Batch& batch : *batches) sources.push_back(batch.source);
  if (Status claimed = deps.fleet.claim(admission.agent(), sources); !claimed.ok()) {
    if (claimed.error().code() != ErrorCode::kRejected) return refuse(writer, claimed.error());
    return refuse(writer, Error(ErrorCode::kInvalidArgument, claimed.error().message()));
  }
  const auto outcomes = std::make_shared<Outcomes>(batches->size());
  const Status handed = hand_over(deps.store_side, std::move(*batches), outcomes, request.stop);
  admission.end();
  lease->reset();  // the store charges its own budget
  if (!handed.ok()) return refuse(writer, Error(ErrorCode::kUnavailable, handed.error().message()));
  const auto all = outcomes->wait(request.stop);
  if (!all) return refuse(writer, Error(ErrorCode::kUnavailable, "the server is stopping"));
  answer_outcomes(writer, *all);
}

// --- samples

// Samples of an agent's host, under the name the agent is known by: nobody speaks for another host.
Result<std::vector<SampleBatch>> unpack_samples(const AgentRouteDeps& deps, const std::string& agent,
                                                const std::string& body) {
  const auto size = zstd_content_size(body);
  if (!size || *size > transport::kMaxSampleLines) {
    return Error(
        ErrorCode::kInvalidArgument,
        fmt::format("the body must be one zstd frame with its size, of at most {} bytes", transport::kMaxSampleLines));
  }
  ZstdDecompressor decompressor;
  const auto text = decompressor.decompress(body, transport::kMaxSampleLines);
  if (!text.ok()) return Error(ErrorCode::kInvalidArgument, text.error().message());
  LB_ASSIGN(auto batches, transport::read_sample_lines(*text));
  LB_ASSIGN(const AgentRecord record, deps.fleet.find(agent));
  for (SampleBatch& batch : batches) batch.host = record.name;
  return batches;
}

void samples_route(const AgentRouteDeps& deps, const Request& request, ResponseWriter& writer) {
  Fleet::Admission admission;
  if (const auto refusal = deps.fleet.admit(request, admission)) return writer.send(http::to_response(*refusal));
  auto lease = deps.budget.acquire(4 * zstd_content_size(request.body).value_or(0), request.stop);
  if (!lease) return refuse(writer, Error(ErrorCode::kCancelled, "stopped"));
  auto batches = unpack_samples(deps, admission.agent(), request.body);
  if (!batches.ok()) return refuse(writer, batches.error());
  const auto outcomes = std::make_shared<Outcomes>(batches->size());
  for (std::size_t i = 0; i < batches->size(); ++i) {
    const auto put = [outcomes, i](const Status& stored) {
      outcomes->put(i, stored.ok() ? Result<Coverage>(Coverage()) : Result<Coverage>(stored.error()));
    };
    auto shared = std::make_shared<const SampleBatch>(std::move((*batches)[i]));
    const Status handed = deps.store_side.publish_samples(std::move(shared), put, request.stop);
    if (!handed.ok()) return refuse(writer, Error(ErrorCode::kUnavailable, handed.error().message()));
  }
  admission.end();
  const auto all = outcomes->wait(request.stop);
  if (!all) return refuse(writer, Error(ErrorCode::kUnavailable, "the server is stopping"));
  for (const auto& outcome : *all) {
    if (!outcome.ok()) return refuse(writer, outcome.error());
  }
  writer.send({204, {}, "", {}});
}

}  // namespace

http::Handler batches_handler(AgentRouteDeps deps) {
  return [deps = std::move(deps), rooms = std::make_shared<Rooms>()](const Request& request, ResponseWriter& writer) {
    batches_route(deps, *rooms, request, writer);
  };
}

http::Handler samples_handler(AgentRouteDeps deps) {
  return [deps = std::move(deps)](const Request& request, ResponseWriter& writer) {
    samples_route(deps, request, writer);
  };
}

}  // namespace logboom::server
