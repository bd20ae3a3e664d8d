#include "transport/kafka/message_reader.h"

#include <fmt/format.h>

#include "base/log.h"
#include "io/hashing.h"
#include "transport/sample_message.h"

namespace logboom::transport::kafka {
namespace {

std::string_view header(rd_kafka_headers_t* headers, const char* name) {
  const void* value = nullptr;
  std::size_t size = 0;
  if (headers == nullptr || rd_kafka_header_get_last(headers, name, &value, &size) != RD_KAFKA_RESP_ERR_NO_ERROR)
    return {};
  return {static_cast<const char*>(value), size};
}

Incoming incoming(const rd_kafka_message_t& message) {
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) headers = nullptr;
  Incoming in;
  in.kind = header(headers, kKindHeader);
  in.value = {static_cast<const char*>(message.payload), message.len};
  in.unproved = !header(headers, kAcksHeader).empty();
  in.record = header(headers, kRecordHeader);
  in.blanks = header(headers, kBlanksHeader);
  return in;
}

TimeNs time_of(const rd_kafka_message_t& message) {
  rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
  const std::int64_t ms = rd_kafka_message_timestamp(&message, &type);
  return type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE || ms < 0 ? 0 : ms * kNsPerMs;
}

}  // namespace

std::uint64_t hash_of(const rd_kafka_message_t& message) {
  const Incoming in = incoming(message);
  const std::string_view key(static_cast<const char*>(message.key), message.key == nullptr ? 0 : message.key_len);
  rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
  const std::int64_t time = rd_kafka_message_timestamp(&message, &type);
  std::uint64_t hash = static_cast<std::uint64_t>(time);
  for (const std::string_view part : {key, in.kind, in.record, in.blanks, in.value}) hash = xxh3_64(part, hash);
  return hash;
}

MessageReader::MessageReader(Registry& registry)
    : messages_(registry.counter("logboom_kafka_messages_received_total", "Messages taken from Kafka.")),
      bytes_(registry.counter("logboom_kafka_bytes_received_total", "Bytes of their values.")),
      unreadable_(registry.counter("logboom_kafka_unreadable_total", "Messages by logboom that cannot be read.")),
      lost_(registry.counter("logboom_kafka_lost_total", "Messages that were gone before they were read.")),
      lives_(registry.counter("logboom_kafka_topics_anew_total", "Partitions whose offsets began anew.")) {}

Delivery MessageReader::read(const rd_kafka_message_t& message, Tenure& tenure) {
  const std::string topic = rd_kafka_topic_name(message.rkt);
  messages_.add();
  bytes_.add(message.len);
  const Position position{topic, message.partition, message.offset + 1, -1, {message.offset, hash_of(message)}};
  tenure.last = position.last;
  Foreign foreign;
  foreign.topic = topic;
  foreign.partition = message.partition;
  foreign.offset = message.offset;
  foreign.life = tenure.life;
  foreign.term = tenure.term;
  foreign.time = time_of(message);
  const Incoming in = incoming(message);
  if (!in.kind.empty()) {
    Result<Message> decoded = decode(in);
    if (decoded.ok()) return Delivery{std::move(*decoded), position};
    unreadable_.add();
    foreign.problem = decoded.error().message();
    log_error("topic '{}', partition {}, offset {}: {}; its bytes go to quarantine", printable(topic),
              message.partition, message.offset, foreign.problem);
  }
  foreign.value = in.value;
  return Delivery{std::move(foreign), position};
}

Result<Message> MessageReader::decode(const Incoming& in) {
  if (in.kind == kSampleKind) {
    LB_ASSIGN(SampleBatch samples, read_sample_message(in.value));
    return Message(std::make_shared<const SampleBatch>(std::move(samples)));
  }
  LB_ASSIGN(Batch batch, decoder_.decode(in));
  return Message(std::make_shared<const Batch>(std::move(batch)));
}

std::optional<Delivery> MessageReader::lost(const Hole& hole, const Tenure& tenure) {
  Foreign foreign;
  foreign.topic = hole.topic;
  foreign.partition = hole.partition;
  foreign.life = tenure.life;
  foreign.term = tenure.term;
  if (hole.is_anew()) {
    lives_.add();
    foreign.lost = hole.low;
    foreign.problem =
        hole.other ? fmt::format(
                         "the topic was made anew: other messages than were read lie before offset {}, "
                         "it is read from its beginning at {}",
                         hole.wanted, hole.low)
                   : fmt::format("the topic was made anew: its last offset was {} and is {}", hole.wanted, hole.high);
  } else {
    foreign.offset = hole.wanted;
    foreign.lost = hole.low - hole.wanted;
    foreign.problem = "removed by the topic's retention before they were read";
  }
  log_error("topic '{}', partition {}: {}; messages lost: {}", printable(hole.topic), hole.partition, foreign.problem,
            foreign.lost);
  if (foreign.lost == 0) return std::nullopt;
  lost_.add(static_cast<std::uint64_t>(foreign.lost));
  const std::int64_t first = foreign.offset;
  return Delivery{std::move(foreign), Position{hole.topic, hole.partition, hole.low, first}};
}

}  // namespace logboom::transport::kafka
