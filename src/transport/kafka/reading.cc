#include "transport/kafka/reading.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"

namespace logboom::transport::kafka {

void ReadingConsumer::set_reading(Properties& properties, const KafkaReadingOptions& options) {
  properties.set("enable.auto.commit", "false").set("auto.offset.reset", "error").set("check.crcs", "true");
  properties.set("queued.max.messages.kbytes", std::to_string(std::max<std::uint64_t>(1, options.queue_bytes >> 10)));
  if (options.queue_records > 0)
    properties.set("queued.min.messages",
                   std::to_string(std::clamp<std::uint64_t>(options.queue_records, 1, 10'000'000)));
  properties.set("enable.partition.eof", "true");  // what is not there has to be noticed
  properties.set("allow.auto.create.topics", "false").set("fetch.wait.max.ms", "100");
  properties.set("topic.metadata.refresh.interval.ms", std::to_string(options.look_every.count()));
  properties.set_client(options.client);
}

void ReadingConsumer::commit(const Position& position, Result<Coverage> coverage) {
  if (coverage.ok()) return holdings_.durable(position);
  if (coverage.error().code() == ErrorCode::kCancelled) return holdings_.passed_over(position);
  log_warn("topic '{}', partition {}: not stored, delivered again from offset {}: {}", printable(position.topic),
           position.partition, position.first_message(), coverage.error().message());
  holdings_.failed(position);
  rd_kafka_queue_yield(queue_.get());
}

std::vector<PartitionStatus> ReadingConsumer::partitions() {
  auto all = holdings_.status();
  for (PartitionStatus& one : all) one.end = known_end(client_.get(), one.topic, one.partition);
  return all;
}

std::string ReadingConsumer::problem() {
  if (std::string of_connections = health_of(client_.get()).problem(); !of_connections.empty()) return of_connections;
  return problems_.first();
}

bool ReadingConsumer::recognise(const rd_kafka_message_t* message) {
  ClientState& state = state_of(rd_kafka_opaque(client_.get()));
  const bool all = std::exchange(cut_offs_, state.cut_offs) != state.cut_offs;
  bool again = false;
  const auto compare = [&](const Holdings::Key& key) {
    const bool fetched = fetch_to_compare(key);
    again |= fetched && message != nullptr && message->rkt != nullptr && message->partition == key.second &&
             rd_kafka_topic_name(message->rkt) == key.first;
  };
  std::ranges::for_each(std::exchange(state.gone, {}), compare);
  if (all) std::ranges::for_each(holdings_.keys(), compare);
  return again;
}

bool ReadingConsumer::ask_edges(Hole& hole, bool other) {
  const auto edges = edges_of(client_.get(), hole.topic, hole.partition, kAskWait);
  if (!edges.ok()) return false;
  hole.low = edges->low;
  hole.high = edges->high;
  const Holdings::Key key{hole.topic, hole.partition};
  recognition_.begins_at(key, hole.low);
  hole.other = other && recognition_.misses(key);
  if (hole.is_anew()) recognition_.forget(key);
  return true;
}

namespace {

using namespace std::chrono_literals;

constexpr auto kWait = 5s;

// For partitions of a topic that the store knows nothing of.
Result<std::vector<Position>> first_starts(rd_kafka_t* client, const std::string& topic,
                                           const std::vector<Position>& stored, Edge edge) {
  const Owned<rd_kafka_topic_t> handle(rd_kafka_topic_new(client, topic.c_str(), nullptr));
  LB_ASSIGN(const TopicState state, ask_topic(client, handle.get(), kWait));
  const PartitionList all = new_list(static_cast<std::size_t>(state.partitions));
  for (std::int32_t i = 0; i < state.partitions; ++i) rd_kafka_topic_partition_list_add(all.get(), topic.c_str(), i);
  LB_ASSIGN(const std::vector<Position> noted, noted_offsets(client, *all, kWait));
  const auto is_read = [&](const Position& position) { return position.topic == topic && position.offset >= 0; };
  if (std::any_of(noted.begin(), noted.end(), is_read) || std::any_of(stored.begin(), stored.end(), is_read))
    return noted;
  LB_ASSIGN(const std::vector<Position> starts, positions_at(client, topic, state.partitions, edge));
  const auto said = rd_kafka_commit(client, list_of(starts).get(), 0);
  if (said != RD_KAFKA_RESP_ERR_NO_ERROR)
    return Error(ErrorCode::kUnavailable, fmt::format("cannot note where reading begins: {}", reason(said)));
  return starts;
}

}  // namespace

const Position* find_in(const std::vector<Position>& positions, const std::string& topic, std::int32_t partition) {
  const auto at = std::find_if(positions.begin(), positions.end(), [&](const Position& position) {
    return position.topic == topic && position.partition == partition;
  });
  return at == positions.end() ? nullptr : &*at;
}

std::int64_t offset_in(const std::vector<Position>& positions, const std::string& topic, std::int32_t partition) {
  const Position* position = find_in(positions, topic, partition);
  return position == nullptr ? -1 : position->offset;
}

PartitionList new_list(std::size_t size) {
  return PartitionList(rd_kafka_topic_partition_list_new(static_cast<int>(size)));
}

PartitionList list_of(const std::vector<Position>& positions) {
  PartitionList list = new_list(positions.size());
  for (const Position& position : positions)
    rd_kafka_topic_partition_list_add(list.get(), position.topic.c_str(), position.partition)->offset = position.offset;
  return list;
}

Result<std::vector<Position>> noted_offsets(rd_kafka_t* client, const rd_kafka_topic_partition_list_t& partitions,
                                            std::chrono::milliseconds wait) {
  const PartitionList list(rd_kafka_topic_partition_list_copy(&partitions));
  const auto asked = rd_kafka_committed(client, list.get(), in_ms(wait));
  if (asked != RD_KAFKA_RESP_ERR_NO_ERROR)
    return Error(ErrorCode::kUnavailable, fmt::format("cannot read the group's offsets: {}", reason(asked)));
  std::vector<Position> out;
  for (int i = 0; i < list->cnt; ++i) {
    const auto& one = list->elems[i];
    if (one.err != RD_KAFKA_RESP_ERR_NO_ERROR)
      return Error(ErrorCode::kUnavailable, fmt::format("cannot read the group's offsets: {}", reason(one.err)));
    out.push_back({one.topic, one.partition, one.offset >= 0 ? one.offset : -1});
  }
  return out;
}

Result<Edges> edges_of(rd_kafka_t* client, const std::string& topic, std::int32_t partition,
                       std::chrono::milliseconds wait) {
  Edges edges;
  const auto asked =
      rd_kafka_query_watermark_offsets(client, topic.c_str(), partition, &edges.low, &edges.high, in_ms(wait));
  if (asked == RD_KAFKA_RESP_ERR_NO_ERROR) return edges;
  return Error(ErrorCode::kUnavailable, fmt::format("nobody says where topic '{}', partition {} begins and ends: {}",
                                                    printable(topic), partition, reason(asked)));
}

Result<std::vector<Position>> positions_at(rd_kafka_t* client, const std::string& topic, int partitions, Edge edge) {
  std::vector<Position> positions;
  for (std::int32_t i = 0; i < partitions; ++i) {
    LB_ASSIGN(const Edges edges, edges_of(client, topic, i, kWait));
    positions.push_back({topic, i, edge == Edge::kEnd ? edges.high : edges.low});
  }
  return positions;
}

Result<std::vector<Position>> starts_of(rd_kafka_t* client, const rd_kafka_topic_partition_list_t& given,
                                        const std::vector<Position>& stored, bool from_end,
                                        const std::set<std::string>& came_later) {
  std::vector<Position> starts;
  std::set<std::string> unknown;
  for (int i = 0; i < given.cnt; ++i) {
    const auto& one = given.elems[i];
    const Position* known = find_in(stored, one.topic, one.partition);
    starts.push_back(known != nullptr ? *known : Position{one.topic, one.partition, -1});
    if (starts.back().offset < 0) unknown.insert(one.topic);
  }
  for (const std::string& topic : unknown) {
    std::vector<Position> first;
    if (from_end) {
      LB_ASSIGN(first, first_starts(client, topic, stored, came_later.contains(topic) ? Edge::kBeginning : Edge::kEnd));
    }
    for (Position& start : starts) {
      if (start.topic == topic && start.offset < 0) start.offset = offset_in(first, topic, start.partition);
    }
  }
  for (Position& start : starts) {
    if (start.offset < 0) start.offset = RD_KAFKA_OFFSET_BEGINNING;
  }
  return starts;
}

}  // namespace logboom::transport::kafka
