// Kafka in app/registry.h: what agents send there, what a transfer reads, and what is asked of it beforehand.
#include "app/registry/kafka.h"

#include <charconv>
#include <map>

#include "app/paths.h"
#include "app/registry/identity.h"
#include "app/registry/secrets.h"
#include "transport/kafka/examine.h"
#include "transport/kafka/kafka_consumer.h"
#include "transport/kafka/kafka_group.h"
#include "transport/kafka/position_file.h"

namespace logboom::app {
namespace {

Result<transport::kafka::ClientOptions> kafka_client(const config::Settings& settings, FileSystem& files) {
  transport::kafka::ClientOptions client;
  for (const std::string& broker : settings.list("transport.brokers"))
    client.brokers += (client.brokers.empty() ? "" : ",") + broker;
  if (client.brokers.empty())
    return Error(ErrorCode::kInvalidArgument, "transport.brokers: name at least one Kafka broker, host:port");
  client.client_id = "logboom-" + host_name(settings.text("agent.name"));
  client.tls = settings.boolean("transport.tls");
  client.ca_file = settings.text("transport.tls_ca");
  client.cert_file = settings.text("transport.tls_cert");
  client.key_file = settings.text("transport.tls_key");
  if (const std::string sasl = settings.text("transport.sasl"); sasl != "none") {
    client.sasl = sasl;
    client.user = settings.text("transport.user");
    client.password = [path = settings.text("transport.password_file"), &files] { return password_in(path, files); };
    LB_TRY(client.password());
  }
  client.health = transport::kafka::health_of(client);
  return client;
}

using SendChoice = transport::KafkaProducerOptions::Choice;

SendChoice choice_of(const std::string& partition, const std::string& encoding) {
  using Partitioning = transport::KafkaProducerOptions::Partitioning;
  SendChoice choice;
  choice.partitioning = partition == "key"           ? Partitioning::kKey
                        : partition == "round_robin" ? Partitioning::kRoundRobin
                        : partition == "random"      ? Partitioning::kRandom
                                                     : Partitioning::kFixed;
  if (choice.partitioning == Partitioning::kFixed)
    std::from_chars(partition.data(), partition.data() + partition.size(), choice.partition);
  choice.encoding = encoding == "batch"  ? transport::kafka::Encoding::kBatch
                    : encoding == "line" ? transport::kafka::Encoding::kLine
                                         : transport::kafka::Encoding::kJson;
  return choice;
}

// How batches go to Kafka: as their rule says, else as the host's settings do. One thread. Bound: one entry per rule
// there ever was since the start.
class SendChoices {
 public:
  SendChoices(const config::Settings& settings, std::function<config::RuleSet()> rules)
      : partition_(settings.text("transport.partition")),
        encoding_(settings.text("transport.encoding")),
        rules_(std::move(rules)) {}

  SendChoice of(const Batch& batch) {
    if (batch.rule_revision > revision_ || by_rule_.empty()) look();
    const auto at = by_rule_.find(batch.rule);
    return at == by_rule_.end() ? choice_of(partition_, encoding_) : at->second;
  }

 private:
  // What a rule that is gone said stays for its last batches.
  void look() {
    const config::RuleSet set = rules_();
    revision_ = set.revision;
    for (const config::Rule& rule : set.rules) {
      by_rule_[rule.name] = choice_of(rule.partition.empty() ? partition_ : rule.partition,
                                      rule.encoding.empty() ? encoding_ : rule.encoding);
    }
  }
  const std::string partition_;
  const std::string encoding_;
  const std::function<config::RuleSet()> rules_;
  std::uint64_t revision_ = 0;
  std::map<std::string, SendChoice> by_rule_;
};

}  // namespace

Result<std::unique_ptr<transport::KafkaProducer>> open_kafka_sender(const config::Settings& settings,
                                                                    std::function<config::RuleSet()> rules, Deps deps) {
  using Acks = transport::KafkaProducerOptions::Acks;
  transport::KafkaProducerOptions options;
  LB_ASSIGN(options.client, kafka_client(settings, deps.files));
  const std::string& acks = settings.text("transport.acks");
  options.acks = acks == "all" ? Acks::kAll : acks == "1" ? Acks::kLeader : Acks::kNone;
  options.choice = choice_of(settings.text("transport.partition"), settings.text("transport.encoding"));
  options.choose = [choices = std::make_shared<SendChoices>(settings, std::move(rules))](const Batch& batch) {
    return choices->of(batch);
  };
  options.codec = settings.text("transport.compression");
  options.level = static_cast<int>(settings.integer("transport.level"));
  options.queue_records = static_cast<std::uint64_t>(settings.integer("transport.queue_records"));
  LB_ASSIGN(options.positions,
            transport::kafka::PositionFile::open(deps.files, settings.text("data_dir") + "/kafka.positions"));
  LB_ASSIGN(const std::string agent, own_agent_id(settings, deps.files));
  LB_ASSIGN(options.position_topic, transport::kafka::PositionTopic::open(options.client, agent));
  return transport::open_kafka_producer(std::move(options), deps.registry);
}

namespace {

Status set_reading(transport::KafkaReadingOptions& options, const config::Settings& settings, FileSystem& files) {
  LB_ASSIGN(options.client, kafka_client(settings, files));
  options.topics = settings.list("transfer.topics");
  options.from_end = settings.text("transfer.start_at") == "latest";
  options.queue_records = static_cast<std::uint64_t>(settings.integer("transfer.queue_records"));
  // librdkafka 2.0.2 looks only once a second whether a full queue has room again (its issue 2879): no more than this
  // is read in a second, however fast the store is. With half of the memory for the store that is within the limit.
  options.queue_bytes = settings.size("limits.memory").bytes() / 8 * 3;
  return {};
}

Result<std::unique_ptr<Consumer>> open_group(const config::Settings& settings, TopicReaders with, Deps deps) {
  transport::KafkaGroupOptions options;
  LB_TRY(set_reading(options, settings, deps.files));
  options.member = settings.text("transfer.member");
  if (options.member == "auto") {
    LB_ASSIGN(const std::string id, transfer_id(settings, deps.files));
    options.member = "logboom-" + id;
  }
  options.group = settings.text("transfer.group");
  options.session = settings.duration("transfer.session");
  options.stored = std::move(with.stored);
  options.on_ended = std::move(with.on_ended);
  return transport::open_kafka_group(std::move(options), deps.registry);
}

}  // namespace

Result<std::unique_ptr<Consumer>> open_topics(const config::Settings& settings, TopicReaders with, Deps deps) {
  if (settings.list("transfer.topics").empty())
    return Error(ErrorCode::kInvalidArgument, "transfer.topics: name the topics to store");
  if (settings.text("logs.kind") == "elastic") return open_group(settings, std::move(with), deps);
  transport::KafkaConsumerOptions options;
  LB_TRY(set_reading(options, settings, deps.files));
  LB_ASSIGN(options.positions, with.stored());
  options.begin_at = std::move(with.begin_at);
  return transport::open_kafka_consumer(std::move(options), deps.registry);
}

Findings examine_kafka(const config::Settings& settings, Deps deps, std::vector<std::string> written,
                       std::vector<std::string> read, std::stop_token stop) {
  auto client = kafka_client(settings, deps.files);
  if (!client.ok()) return unasked("Kafka", client.error());
  transport::KafkaExamination examination;
  examination.client = std::move(*client);
  examination.brokers = settings.list("transport.brokers");
  examination.written = std::move(written);
  examination.read = std::move(read);
  examination.proved = settings.text("transport.acks") == "all";
  return transport::examine_kafka(examination, std::move(stop));
}

Status refuse_compacted(const config::Settings& settings, Deps deps, std::vector<std::string> topics,
                        std::stop_token stop) {
  transport::KafkaExamination examination;
  LB_ASSIGN(examination.client, kafka_client(settings, deps.files));
  examination.read = std::move(topics);
  examination.patience = std::chrono::seconds(2);
  return transport::refuse_compacted(examination, std::move(stop));
}

}  // namespace logboom::app
