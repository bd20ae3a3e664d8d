// What the consumers of partitions and of a group have in common: their client, what they hold, and where reading
// begins. Private to this folder: include it from .cc files only.
#pragma once

#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "transport/kafka/handle.h"
#include "transport/kafka/holdings.h"
#include "transport/kafka/kafka_consumer.h"
#include "transport/kafka/message_reader.h"
#include "transport/kafka/problems.h"
#include "transport/kafka/recognition.h"

namespace logboom::transport::kafka {

constexpr auto kAskWait = std::chrono::seconds(2);
constexpr auto kAskAgain = std::chrono::milliseconds(500);  // while a topic or the cluster is not there

// A client, its queue, and what was received from it and is not durable yet.
class ReadingConsumer : public Consumer {
 public:
  explicit ReadingConsumer(Registry& registry) : reader_(registry) {}
  void commit(const Position& position, Result<Coverage> coverage) override;
  std::vector<PartitionStatus> partitions() override;
  std::string problem() override;

 protected:
  // Nothing is noted or skipped by the library itself.
  static void set_reading(Properties& properties, const KafkaReadingOptions& options);
  // Where the partition of a hole begins and ends now; `other`: something else than was read was found in it, which
  // counts only while what was read could still be there. Blocks up to kAskWait. False: nobody can say.
  bool ask_edges(Hole& hole, bool other);
  // Partitions behind which another topic of the same name may be by now, as every connection was lost or they were
  // gone for a time, are fetched again from the last message that was read on. `message`, nullptr if none, is what came
  // last; true: it is of one of them, and comes again.
  bool recognise(const rd_kafka_message_t* message);
  // Fetches the partition so; false: there is nothing to compare.
  virtual bool fetch_to_compare(const Holdings::Key& key) = 0;

  MessageReader reader_;
  Owned<rd_kafka_t> client_;
  Owned<rd_kafka_queue_t> queue_;
  Holdings holdings_;
  Recognition recognition_;
  Problems problems_;  // by topic, or topic and partition

 private:
  std::uint64_t cut_offs_ = 0;
};

struct PartitionListDeleter {
  void operator()(rd_kafka_topic_partition_list_t* list) const { rd_kafka_topic_partition_list_destroy(list); }
};
using PartitionList = std::unique_ptr<rd_kafka_topic_partition_list_t, PartitionListDeleter>;
PartitionList new_list(std::size_t size);
// With their offsets.
PartitionList list_of(const std::vector<Position>& positions);

// The group's own notes of these partitions: the offset to go on at, < 0 where it has none. Blocks up to `wait`.
// kUnavailable: the cluster cannot be asked now.
Result<std::vector<Position>> noted_offsets(rd_kafka_t* client, const rd_kafka_topic_partition_list_t& partitions,
                                            std::chrono::milliseconds wait);

// What the positions say of a partition; nullptr: they do not name it.
const Position* find_in(const std::vector<Position>& positions, const std::string& topic, std::int32_t partition);
// Where the positions say that reading goes on; -1: they do not name the partition.
std::int64_t offset_in(const std::vector<Position>& positions, const std::string& topic, std::int32_t partition);

struct Edges {
  std::int64_t low = 0;
  std::int64_t high = 0;
};
// Where a partition begins and ends now. Blocks up to `wait`. kUnavailable: nobody can say now.
Result<Edges> edges_of(rd_kafka_t* client, const std::string& topic, std::int32_t partition,
                       std::chrono::milliseconds wait);

enum class Edge { kBeginning, kEnd };
// The same of the first `partitions` partitions of a topic, one edge of each; blocks up to a few seconds each.
Result<std::vector<Position>> positions_at(rd_kafka_t* client, const std::string& topic, int partitions, Edge edge);

// The offset of each partition of the list: where the store says. One that the store knows nothing of is read from its
// beginning; with `from_end`, a topic that nobody of the group has ever read is read from where it ends now (of
// `came_later`: begins), which is noted in the group before anything is read. Blocks up to a few seconds. kUnavailable:
// nobody can say now.
Result<std::vector<Position>> starts_of(rd_kafka_t* client, const rd_kafka_topic_partition_list_t& given,
                                        const std::vector<Position>& stored, bool from_end,
                                        const std::set<std::string>& came_later);

}  // namespace logboom::transport::kafka
