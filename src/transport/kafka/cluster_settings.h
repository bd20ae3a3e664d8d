// Settings of topics and brokers, asked of the cluster. Private to this folder: include it from .cc files only.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "transport/kafka/handle.h"

namespace logboom::transport::kafka {

class ClusterSettings {
 public:
  explicit ClusterSettings(std::map<std::string, std::string, std::less<>> values) : values_(std::move(values)) {}
  bool has(std::string_view name) const { return values_.find(name) != values_.end(); }
  // "" when it is not there.
  std::string text(std::string_view name) const;
  // nullopt when it is not there, or no number.
  std::optional<std::int64_t> number(std::string_view name) const;

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

// Of a topic (by name) or a broker (by id); blocks up to `wait`. kRejected: this user may not see them; kUnavailable:
// whoever knows does not answer.
Result<ClusterSettings> ask_settings(rd_kafka_t* client, rd_kafka_ResourceType_t kind, const std::string& name,
                                     std::chrono::milliseconds wait);

}  // namespace logboom::transport::kafka
