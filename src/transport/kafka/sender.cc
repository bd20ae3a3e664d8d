#include "transport/kafka/sender.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/log.h"

namespace logboom::transport::kafka {
namespace {

using namespace std::chrono_literals;
using Acks = KafkaProducerOptions::Acks;

constexpr auto kLeastBackOff = 100ms;
constexpr auto kMostBackOff = 3s;
constexpr auto kSilence = 15s;  // without an acknowledgement
// What the library and we keep for a message besides its bytes.
constexpr std::size_t kMessageOverhead = 400;
constexpr std::size_t kMostEncoded = 4u << 20;  // and one batch
constexpr std::size_t kHeaderRoom = 48u << 10;

std::size_t memory_of(const Outgoing& message) {
  return message.value.size() + message.record.size() + message.blanks.size() + kMessageOverhead;
}

const char* acks_text(Acks acks) {
  return acks == Acks::kAll ? "all" : acks == Acks::kLeader ? "1" : "0";
}

bool too_large(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE || code == RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE ||
         code == RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE;
}

// Nothing that stands in the way of other topics, and sent again it would be refused again.
bool is_of_topic(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED || code == RD_KAFKA_RESP_ERR_INVALID_RECORD ||
         code == RD_KAFKA_RESP_ERR_POLICY_VIOLATION || code == RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION || too_large(code);
}

}  // namespace

SenderMetrics::SenderMetrics(Registry& registry)
    : messages(registry.counter("logboom_kafka_messages_sent_total", "Messages acknowledged by Kafka.")),
      bytes(registry.counter("logboom_kafka_bytes_sent_total", "Bytes of their values.")),
      restarts(registry.counter("logboom_kafka_producer_restarts_total", "New producer clients after an error.")),
      refused(registry.counter("logboom_kafka_refused_total", "Batches answered with an error.")) {}

Sender::Sender(const KafkaProducerOptions& options, Registry& registry, Done done)
    : options_(options),
      metrics_(registry),
      done_(std::move(done)),
      encoder_(options.level),
      back_off_(kLeastBackOff),
      random_(std::random_device{}()) {}

Sender::~Sender() {
  MutexLock lock(mutex_);
  reports_.reset();
}

Status Sender::open() {
  LB_ASSIGN(client_, make_client());
  MutexLock lock(mutex_);
  reports_.reset(rd_kafka_queue_get_main(client_.get()));
  return {};
}

Result<Owned<rd_kafka_t>> Sender::make_client() {
  Properties properties;
  const bool all = options_.acks == Acks::kAll;
  properties.set("acks", acks_text(options_.acks)).set("enable.idempotence", all ? "true" : "false");
  if (!all) properties.set("max.in.flight", "1");
  properties.set("message.timeout.ms", "0").set("compression.codec", options_.codec).set("partitioner", "murmur2");
  properties.set("queue.buffering.max.kbytes", std::to_string(std::max<std::uint64_t>(1, options_.queue_bytes >> 10)));
  properties.set("message.max.bytes", std::to_string(std::max<std::size_t>(options_.most_message + kHeaderRoom, 1000)));
  properties.set("batch.size", std::to_string(request_bytes_));
  rd_kafka_conf_set_dr_msg_cb(properties.get(), &Sender::on_report);
  properties.set_owner(this).set_client(options_.client);
  return properties.open(RD_KAFKA_PRODUCER);
}

void Sender::add(std::unique_ptr<Sending> sending) {
  const auto learned = most_.find(sending->topic());
  sending->most = learned == most_.end() ? options_.most_message : learned->second;
  sending->choice = options_.choose && sending->batch ? options_.choose(*sending->batch) : options_.choice;
  waiting_.push_back(std::move(sending));
}

void Sender::wake() {
  MutexLock lock(mutex_);
  if (reports_ != nullptr) rd_kafka_queue_yield(reports_.get());
}

std::string Sender::problem() const {
  if (options_.client.health) {
    if (std::string of_connections = options_.client.health->problem(); !of_connections.empty()) return of_connections;
  }
  return problems_.first();
}

void Sender::step(std::chrono::milliseconds wait) {
  const auto now = Clock::now();
  if (sent_.empty()) heard_ = now;
  if (now - heard_ > kSilence) problems_.set("", "Kafka acknowledges nothing");
  if (now >= again_at_) {
    send_waiting();
  } else {
    wait = std::min(wait, std::chrono::ceil<std::chrono::milliseconds>(again_at_ - now));
  }
  for (const auto& [name, topic] : topics_) {
    if (topic.partitions == 0) wait = std::min(wait, kAskAgain);
  }
  rd_kafka_poll(client_.get(), in_ms(wait));
  std::array<char, 512> text{};
  const rd_kafka_resp_err_t fatal = rd_kafka_fatal_error(client_.get(), text.data(), text.size());
  if (fatal != RD_KAFKA_RESP_ERR_NO_ERROR) trouble_ = {fatal, "", 0, text.data()};
  if (trouble_.code == RD_KAFKA_RESP_ERR_NO_ERROR) return settle_topics();
  // A client may be dead as soon as it is made (no right to write anything).
  if (Clock::now() >= again_at_) start_anew();
}

// ---------------------------------------------------------------- handing over

void Sender::send_waiting() {
  for (auto it = waiting_.begin(); it != waiting_.end() && trouble_.code == RD_KAFKA_RESP_ERR_NO_ERROR;) {
    const auto at = it++;
    const std::string channel = (*at)->topic();
    if (!ready(channel)) {
      // Its batches may have been answered, so no place in the list is sure.
      if (!topics_.contains(channel)) it = waiting_.begin();
      continue;
    }
    if (!has_partition(topics_[channel], **at)) {
      refuse_partition(at);
      continue;
    }
    // One message per record takes several times the memory of the batch: not all that waits is encoded at once.
    if ((*at)->parcels.empty() && encoded_ > kMostEncoded) return;
    if (!encode(**at)) {
      answer(waiting_, at, Error(ErrorCode::kInternal, "cannot encode a batch for Kafka: no memory"));
      continue;
    }
    if (!hand_over(**at)) {
      if (topics_[channel].refused.code == RD_KAFKA_RESP_ERR_NO_ERROR) return;
      continue;
    }
    sent_.splice(sent_.end(), waiting_, at);
  }
}

bool Sender::encode(Sending& sending) {
  if (!sending.parcels.empty()) return true;
  auto messages = sending.batch ? encoder_.encode(*sending.batch, sending.choice.encoding, sending.most)
                                : Result<std::vector<Outgoing>>(encode_samples(*sending.samples));
  if (!messages.ok()) return false;
  sending.parcels.reserve(messages->size());
  for (Outgoing& message : *messages) {
    encoded_ += memory_of(message);
    sending.parcels.push_back({std::move(message), &sending, false});
  }
  return true;
}

bool Sender::hand_over(Sending& sending) {
  Topic& topic = topics_[sending.topic()];
  for (; sending.next < sending.parcels.size(); ++sending.next) {
    Parcel& parcel = sending.parcels[sending.next];
    if (parcel.delivered) continue;
    const rd_kafka_resp_err_t code = produce(topic, parcel);
    if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) return false;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
      ++sending.out;
      continue;
    }
    note_trouble(code, sending);
    return false;
  }
  return true;
}

rd_kafka_resp_err_t Sender::produce(Topic& topic, Parcel& parcel) {
  const std::string key = parcel.sending->key();
  rd_kafka_headers_t* headers = rd_kafka_headers_new(4);
  rd_kafka_header_add(headers, kKindHeader, -1, parcel.message.kind.data(),
                      static_cast<ssize_t>(parcel.message.kind.size()));
  if (options_.acks != Acks::kAll) rd_kafka_header_add(headers, kAcksHeader, -1, acks_text(options_.acks), 1);
  for (const auto& [name, content] :
       {std::pair(kRecordHeader, &parcel.message.record), std::pair(kBlanksHeader, &parcel.message.blanks)}) {
    if (!content->empty())
      rd_kafka_header_add(headers, name, -1, content->data(), static_cast<ssize_t>(content->size()));
  }
  std::string& value = parcel.message.value;
  // The value is the parcel's until its report: the library copies nothing.
  const rd_kafka_resp_err_t code =
      rd_kafka_producev(client_.get(), RD_KAFKA_V_RKT(topic.handle.get()),
                        RD_KAFKA_V_PARTITION(partition_for(topic, parcel.sending->choice)), RD_KAFKA_V_MSGFLAGS(0),
                        RD_KAFKA_V_VALUE(value.data(), value.size()), RD_KAFKA_V_KEY(key.data(), key.size()),
                        RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_OPAQUE(&parcel), RD_KAFKA_V_END);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) rd_kafka_headers_destroy(headers);
  return code;
}

// ---------------------------------------------------------------- reports

void Sender::on_report(rd_kafka_t*, const rd_kafka_message_t* message, void* opaque) {
  static_cast<Sender*>(state_of(opaque).owner)->report(*static_cast<Parcel*>(message->_private), message->err);
}

void Sender::report(Parcel& parcel, rd_kafka_resp_err_t code) {
  Sending& sending = *parcel.sending;
  --sending.out;
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    const bool ours = code == RD_KAFKA_RESP_ERR__PURGE_QUEUE || code == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT;
    if (!ours) note_trouble(code, sending);
    return;
  }
  parcel.delivered = true;
  metrics_.messages.add();
  metrics_.bytes.add(parcel.message.value.size());
  encoded_ -= memory_of(parcel.message);
  parcel.message = {{}, parcel.message.kind};
  back_off_ = kLeastBackOff;
  if (++sending.delivered == sending.parcels.size()) complete(sending);
}

void Sender::complete(Sending& sending) {
  for (Sendings* list : {&sent_, &waiting_}) {
    const auto at = std::find_if(list->begin(), list->end(), [&](const auto& s) { return s.get() == &sending; });
    if (at == list->end()) continue;
    Coverage coverage;
    if (sending.batch) coverage.add(sending.batch->begin, sending.batch->end);
    heard_ = Clock::now();
    health_of(client_.get()).answered();
    problems_.set("", "");
    problems_.set(sending.topic(), "");
    return answer(*list, at, std::move(coverage));
  }
}

void Sender::answer(Sendings& list, Sendings::iterator at, Result<Coverage> answer) {
  std::unique_ptr<Sending> sending = std::move(*at);
  list.erase(at);
  if (!answer.ok()) {
    metrics_.refused.add();
    forget(*sending);
  }
  done_(std::move(sending), std::move(answer));
}

// Its messages are not sent.
void Sender::forget(Sending& sending) {
  for (const Parcel& parcel : sending.parcels) {
    if (!parcel.delivered) encoded_ -= memory_of(parcel.message);
  }
  sending.parcels.clear();
}

void Sender::note_trouble(rd_kafka_resp_err_t code, const Sending& sending) {
  const auto topic = topics_.find(sending.topic());
  Trouble& trouble = is_of_topic(code) && topic != topics_.end() ? topic->second.refused : trouble_;
  if (trouble.code != RD_KAFKA_RESP_ERR_NO_ERROR) return;  // the first is the cause
  trouble = {code, sending.topic(), sending.sequence};
}

// ---------------------------------------------------------------- after an error

// Takes everything back from the library and begins with a new client: only so no message overtakes a failed one, and
// only so a client that has declared itself dead is replaced.
void Sender::start_anew() {
  const Trouble trouble = trouble_;
  if (trouble.code != RD_KAFKA_RESP_ERR_NO_ERROR) {
    std::string words = trouble.words.empty() ? reason(trouble.code) : printable(trouble.words);
    if (trouble.code == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED)
      words = "this user may write to no topic; give it the right to write to those of its rules";
    problems_.set(trouble.topic, trouble.topic.empty()
                                     ? "Kafka: " + words
                                     : fmt::format("topic '{}': {}", printable(trouble.topic), words));
  }
  rd_kafka_purge(client_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  while (rd_kafka_outq_len(client_.get()) > 0) rd_kafka_poll(client_.get(), 100);
  topics_.clear();
  Result<Owned<rd_kafka_t>> fresh = make_client();
  if (fresh.ok()) {
    MutexLock lock(mutex_);
    reports_.reset();
    client_ = std::move(*fresh);
    reports_.reset(rd_kafka_queue_get_main(client_.get()));
  } else {
    log_error("{}", fresh.error().message());
  }
  metrics_.restarts.add();
  take_back("");
  trouble_ = {};
  if (trouble.code != RD_KAFKA_RESP_ERR_NO_ERROR) hold_off();
}

// Nothing is sent for a while, and for a longer one after the next error.
void Sender::hold_off() {
  again_at_ = Clock::now() + back_off_;
  back_off_ = std::min<std::chrono::milliseconds>(2 * back_off_, kMostBackOff);
}

// What came back undelivered waits again, in order. Of one topic; an empty name: of all.
void Sender::take_back(const std::string& topic) {
  for (auto it = sent_.begin(); it != sent_.end();) {
    const auto at = it++;
    if (topic.empty() || (*at)->topic() == topic) waiting_.splice(waiting_.end(), sent_, at);
  }
  waiting_.sort([](const auto& a, const auto& b) { return a->sequence < b->sequence; });
  for (const auto& sending : waiting_) {
    if (topic.empty() || sending->topic() == topic) sending->next = 0;
  }
}

bool Sender::has_out(const std::string& topic) const {
  const auto is_out = [&](const auto& sending) { return sending->out > 0 && sending->topic() == topic; };
  return std::any_of(sent_.begin(), sent_.end(), is_out) || std::any_of(waiting_.begin(), waiting_.end(), is_out);
}

// Topics that refused something, once the library has nothing more of them: the others flow on meanwhile.
void Sender::settle_topics() {
  std::vector<Trouble> over;
  for (auto& [name, topic] : topics_) {
    if (topic.refused.code == RD_KAFKA_RESP_ERR_NO_ERROR || has_out(name)) continue;
    over.push_back(std::exchange(topic.refused, {}));
  }
  for (const Trouble& trouble : over) {
    take_back(trouble.topic);
    if (too_large(trouble.code)) {
      settle_size(trouble);
    } else {
      refuse_topic(trouble.topic, reason(trouble.code));
    }
  }
}

// Brokers measure what comes for a partition in one request as if it were one message: first fewer go together, then
// the messages themselves become smaller.
void Sender::settle_size(const Trouble& trouble) {
  const auto at = std::find_if(waiting_.begin(), waiting_.end(),
                               [&](const auto& sending) { return sending->sequence == trouble.sequence; });
  if (at == waiting_.end()) return;
  std::size_t largest = kLeastMessage;
  for (const Parcel& parcel : (*at)->parcels) largest = std::max(largest, memory_of(parcel.message));
  if (request_bytes_ > largest) {
    request_bytes_ = std::max(largest, request_bytes_ / 2);
    return start_anew();
  }
  shrink(**at);
  if ((*at)->most >= kLeastMessage) {
    most_[trouble.topic] = (*at)->most;
    return;
  }
  const Error error(ErrorCode::kRejected,
                    fmt::format("cannot send to topic '{}': it refuses even messages of {} bytes; raise its "
                                "max.message.bytes",
                                printable(trouble.topic), kLeastMessage));
  problems_.set(trouble.topic, error.message());
  answer(waiting_, at, error);
}

void Sender::shrink(Sending& sending) {
  std::size_t largest = 0;
  for (const Parcel& parcel : sending.parcels) largest = std::max(largest, parcel.message.value.size());
  sending.most = std::min(sending.most, largest) / 2;
  forget(sending);
  sending.delivered = 0;
}

void Sender::give_up(const Error& error) {
  rd_kafka_purge(client_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  while (rd_kafka_outq_len(client_.get()) > 0) rd_kafka_poll(client_.get(), 100);
  for (Sendings* list : {&sent_, &waiting_}) {
    while (!list->empty()) answer(*list, list->begin(), error);
  }
  topics_.clear();
}

}  // namespace logboom::transport::kafka
