// Where a member of a group begins in partitions that are given to it. Private to this folder: include it from .cc
// files only.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "record/position.h"
#include "transport/kafka/handle.h"

namespace logboom::transport::kafka {

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

// The offset of each partition of the list: where the store says. One that the store knows nothing of is read from its
// beginning; with `from_end`, a topic that nobody of the group has ever read is read from where it ends now, which is
// noted in the group before anything is read. Blocks up to a few seconds. kUnavailable: nobody can say now.
Result<std::vector<Position>> starts_of(rd_kafka_t* client, const rd_kafka_topic_partition_list_t& given,
                                        const std::vector<Position>& stored, bool from_end);

}  // namespace logboom::transport::kafka
