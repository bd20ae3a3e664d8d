#include <string>

#include "app/options.h"
#include "app/value_checks.h"
#include "config/rules_yaml.h"

namespace logboom::app {

using config::OptionType;

namespace {

// As librdkafka takes them: [PROTOCOL://]HOST[:PORT]. It takes a port beyond 65535 modulo that.
bool is_broker(std::string_view text) {
  if (const std::size_t at = text.find("://"); at != std::string_view::npos) text.remove_prefix(at + 3);
  if (text.find_first_of(" \t/\"'") != std::string_view::npos) return false;
  const std::size_t colon = text.ends_with(']') ? std::string_view::npos : text.rfind(':');
  const std::string_view port = colon == std::string_view::npos ? "9092" : text.substr(colon + 1);
  const bool digits =
      !port.empty() && port.size() <= 5 && port.find_first_not_of("0123456789") == std::string_view::npos;
  const int number = digits ? std::stoi(std::string(port)) : 0;
  return !text.substr(0, colon).empty() && number >= 1 && number <= 65535;
}

std::optional<std::string> partition_choice(std::string_view text) {
  if (config::is_partition_choice(text)) return std::nullopt;
  return config::kPartitionChoices;
}

config::OptionTable kafka_options() {
  return {
      {"transport.brokers",
       OptionType::kList,
       "",
       "Kafka: addresses of brokers, host:port; any of them may be down.",
       {},
       false,
       each_item(is_broker, "a list of brokers with commas between them, as in 10.0.0.1:9092, kafka-2:9092")},
      {"transport.encoding",
       OptionType::kChoice,
       "json",
       "Kafka: what a message is: a JSON document per record, the raw line, or a batch of many records for pipelines "
       "that end in logboom, at a fraction of the cost (docs/formats/kafka.md).",
       {"json", "line", "batch"}},
      {"transport.queue_records",
       OptionType::kInteger,
       "0",
       "Kafka: most records that wait for the brokers' acknowledgement, beside the bound in bytes; 0: only that.",
       {},
       false,
       whole_number(0, 1'000'000'000)},
      {"transport.acks",
       OptionType::kChoice,
       "all",
       "Kafka: who has a message when it counts as delivered: all replicas in sync, the leader (1), or nobody (0). "
       "With "
       "1 and 0 the audit calls what came so unproved.",
       {"all", "1", "0"}},
      {"transport.compression",
       OptionType::kChoice,
       "none",
       "Kafka: the client library's compression. Batches are compressed by logboom itself (transport.level).",
       {"none", "gzip", "snappy", "lz4", "zstd"}},
      {"transport.partition",
       OptionType::kText,
       "key",
       "Kafka: key (a file's lines stay in order in one partition), round_robin, random, or the number of a partition.",
       {},
       false,
       partition_choice},
      {"transport.tls", OptionType::kBoolean, "false", "Kafka: TLS to the brokers; their certificates are verified."},
      {"transport.tls_ca", OptionType::kPath, "",
       "Kafka: authorities in PEM that sign the brokers; default: the system's."},
      {"transport.tls_cert", OptionType::kPath, "",
       "Kafka: this client's certificate in PEM, where the brokers want one."},
      {"transport.tls_key", OptionType::kPath, "", "Kafka: its private key in PEM."},
      {"transport.sasl",
       OptionType::kChoice,
       "none",
       "Kafka: how to sign in.",
       {"none", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"}},
      {"transport.user", OptionType::kText, "", "Kafka: user to sign in as."},
      {"transport.password_file", OptionType::kPath, "", "Kafka: holds the user's password."},
      {"transfer.topics", OptionType::kList, "", "Topics a transfer stores."},
      {"transfer.group", OptionType::kText, "logboom",
       "Consumer group in Kafka of the transfers that share the topics, with OpenSearch or Elasticsearch as their "
       "store. Another cluster to store in needs another group."},
      {"transfer.member", OptionType::kText, "auto",
       "This transfer's name in its group, the same over restarts; auto: made of the host's key and the data "
       "directory."},
      {"transfer.session", OptionType::kDuration, "10s",
       "A transfer of a group that was silent for so long loses its partitions to the others."},
      {"transfer.queue_records",
       OptionType::kInteger,
       "0",
       "Most records of a partition that are fetched ahead, beside the bound in bytes; 0: only that.",
       {},
       false,
       whole_number(0, 1'000'000'000)},
      {"transfer.start_at",
       OptionType::kChoice,
       "earliest",
       "Where a transfer begins in a topic it has never read; topics and partitions that come into being later are "
       "read "
       "from their beginning.",
       {"earliest", "latest"}},
  };
}

}  // namespace

config::OptionTable transport_options() {
  config::OptionTable options = {
      {"transport.kind",
       OptionType::kChoice,
       "auto",
       "What lies between collecting and storing; auto: a queue inside the program for `up`, HTTP for an agent.",
       {"auto", "inprocess", "http", "kafka"}},
      {"transport.connections",
       OptionType::kInteger,
       "6",
       "Most connections of an agent to its server: requests under way at once. Used as they are needed.",
       {},
       false,
       whole_number(1, 16)},
      {"transport.level",
       OptionType::kInteger,
       "1",
       "Of zstd for what an agent sends; below 1 costs less CPU and more network. To a server on the agent's own host "
       "(127.0.0.1) nothing is compressed unless a level is set.",
       {},
       false,
       whole_number(-7, 19)},
  };
  for (config::OptionSpec& option : kafka_options()) options.push_back(std::move(option));
  return options;
}

}  // namespace logboom::app
