#include "transport/kafka/cluster_settings.h"

#include <array>
#include <charconv>

#include <fmt/format.h>

#include "base/log.h"

namespace logboom::transport::kafka {
namespace {

struct AdminDeleter {
  void operator()(rd_kafka_AdminOptions_t* options) const { rd_kafka_AdminOptions_destroy(options); }
  void operator()(rd_kafka_ConfigResource_t* resource) const { rd_kafka_ConfigResource_destroy(resource); }
  void operator()(rd_kafka_event_t* event) const { rd_kafka_event_destroy(event); }
};
template <typename T>
using AdminOwned = std::unique_ptr<T, AdminDeleter>;

Error refusal(rd_kafka_resp_err_t code, const char* text) {
  const bool rights =
      code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED || code == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED;
  return Error(rights ? ErrorCode::kRejected : ErrorCode::kUnavailable,
               text != nullptr && *text != '\0' ? printable(text) : reason(code));
}

ClusterSettings settings_of(const rd_kafka_ConfigResource_t* resource) {
  std::size_t count = 0;
  const rd_kafka_ConfigEntry_t** const entries = rd_kafka_ConfigResource_configs(resource, &count);
  std::map<std::string, std::string, std::less<>> values;
  for (std::size_t i = 0; i < count; ++i) {
    const char* value = rd_kafka_ConfigEntry_value(entries[i]);
    if (value != nullptr) values[rd_kafka_ConfigEntry_name(entries[i])] = value;
  }
  return ClusterSettings(std::move(values));
}

}  // namespace

std::string ClusterSettings::text(std::string_view name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? "" : found->second;
}

std::optional<std::int64_t> ClusterSettings::number(std::string_view name) const {
  const std::string value = text(name);
  std::int64_t number = 0;
  const auto parsed = std::from_chars(value.data(), value.data() + value.size(), number);
  if (value.empty() || parsed.ec != std::errc() || parsed.ptr != value.data() + value.size()) return std::nullopt;
  return number;
}

Result<ClusterSettings> ask_settings(rd_kafka_t* client, rd_kafka_ResourceType_t kind, const std::string& name,
                                     std::chrono::milliseconds wait) {
  const AdminOwned<rd_kafka_AdminOptions_t> options(
      rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS));
  std::array<char, 256> text{};
  rd_kafka_AdminOptions_set_request_timeout(options.get(), in_ms(wait), text.data(), text.size());
  const AdminOwned<rd_kafka_ConfigResource_t> resource(rd_kafka_ConfigResource_new(kind, name.c_str()));
  if (resource == nullptr) return Error(ErrorCode::kInvalidArgument, "not a name Kafka knows");
  const Owned<rd_kafka_queue_t> queue(rd_kafka_queue_new(client));
  rd_kafka_ConfigResource_t* asked = resource.get();
  rd_kafka_DescribeConfigs(client, &asked, 1, options.get(), queue.get());
  const AdminOwned<rd_kafka_event_t> event(rd_kafka_queue_poll(queue.get(), in_ms(wait) + 1000));
  if (event == nullptr) return refusal(RD_KAFKA_RESP_ERR__TIMED_OUT, nullptr);
  if (rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR)
    return refusal(rd_kafka_event_error(event.get()), rd_kafka_event_error_string(event.get()));
  std::size_t count = 0;
  const auto* answer = rd_kafka_event_DescribeConfigs_result(event.get());
  const auto** resources = answer == nullptr ? nullptr : rd_kafka_DescribeConfigs_result_resources(answer, &count);
  if (count != 1) return refusal(RD_KAFKA_RESP_ERR__BAD_MSG, nullptr);
  const rd_kafka_resp_err_t error = rd_kafka_ConfigResource_error(resources[0]);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return refusal(error, rd_kafka_ConfigResource_error_string(resources[0]));
  return settings_of(resources[0]);
}

}  // namespace logboom::transport::kafka
