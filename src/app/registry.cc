#include "app/registry.h"

#include <algorithm>
#include <charconv>
#include <map>

#include <fmt/format.h>

#include "app/descriptors.h"
#include "app/paths.h"
#include "base/log.h"
#include "config/etcd/etcd_presence.h"
#include "config/etcd/etcd_rule_source.h"
#include "config/etcd/etcd_rules.h"
#include "config/etcd/examine.h"
#include "config/file/file_rule_source.h"
#include "config/http/http_rule_source.h"
#include "config/ini_file.h"
#include "config/rules_yaml.h"
#include "config/yaml.h"
#include "http/url.h"
#include "io/hashing.h"
#include "logstore/elastic/elastic_store.h"
#include "logstore/elastic/examine.h"
#include "logstore/embedded/embedded_store.h"
#include "metricstore/embedded/embedded_metric_store.h"
#include "metricstore/influxdb/influx_metric_store.h"
#include "source/file/match/glob.h"
#include "source/file/present_file.h"
#include "source/file/stream_collector.h"
#include "transport/http/control_session.h"
#include "transport/http/http_producer.h"
#include "transport/inprocess/inprocess_transport.h"
#include "transport/kafka/examine.h"
#include "transport/kafka/kafka_consumer.h"
#include "transport/kafka/kafka_group.h"
#include "transport/kafka/kafka_producer.h"
#include "transport/kafka/position_file.h"

namespace logboom::app {

namespace {

std::string store_directory(const config::Settings& settings) {
  return settings.text("data_dir") + "/store";
}

// The password in the file the setting names.
Result<std::string> read_password(const config::Settings& settings, const std::string& name, FileSystem& files) {
  LB_ASSIGN(std::string password, read_file(files, absolute_path(settings.text(name)), 4096));
  while (!password.empty() && (password.back() == '\n' || password.back() == '\r')) password.pop_back();
  return password;
}

// What the setting says, or the file that NAME_file names in its place.
Result<std::string> secret_of(const config::Settings& settings, const std::string& name, FileSystem& files) {
  if (settings.text(name + "_file").empty()) return settings.text(name);
  return read_password(settings, name + "_file", files);
}

Result<logstore::ElasticOptions> elastic_access(const config::Settings& settings, FileSystem& files) {
  logstore::ElasticOptions options;
  options.urls = settings.list("elastic.url");
  options.index = settings.text("elastic.index");
  options.user = settings.text("elastic.user");
  LB_ASSIGN(options.password, secret_of(settings, "elastic.password", files));
  options.api_key = settings.text("elastic.api_key");
  options.client.tls.ca_file = settings.text("elastic.tls_ca");
  options.client.tls.certificate = settings.text("elastic.tls_cert");
  options.client.tls.key = settings.text("elastic.tls_key");
  options.client.tls.insecure_skip_verify = settings.boolean("elastic.insecure_skip_verify");
  return options;
}

Result<std::unique_ptr<logstore::LogStore>> open_elastic(const config::Settings& settings, StoreMode mode, Deps deps) {
  LB_ASSIGN(logstore::ElasticOptions options, elastic_access(settings, deps.files));
  options.writers = static_cast<unsigned>(settings.integer("elastic.writers"));
  options.memory = settings.size("limits.memory").bytes() / 4;
  options.read_only = mode == StoreMode::kRead;
  options.shared = !settings.list("transfer.topics").empty();  // further transfers of the group
  return logstore::open_elastic_store(options, deps.clock, deps.registry);
}

}  // namespace

Result<std::unique_ptr<logstore::LogStore>> open_store(const config::Settings& settings, StoreMode mode, Deps deps) {
  if (settings.text("logs.kind") == "elastic") return open_elastic(settings, mode, deps);
  logstore::EmbeddedOptions options;
  options.directory = store_directory(settings);
  options.access = mode == StoreMode::kWrite ? logstore::StoreAccess::kReadWrite : logstore::StoreAccess::kRead;
  options.file_bytes = settings.size("logs.file_size").bytes();
  options.query_memory = settings.size("logs.query_memory").bytes();
  options.workers = static_cast<unsigned>(settings.integer("logs.workers"));
  options.memory = settings.size("limits.memory").bytes() / 2;
  return logstore::open_embedded_store(options, deps.files, deps.clock, deps.registry);
}

Result<std::unique_ptr<FileLock>> lock_store(const config::Settings& settings, FileSystem& files) {
  return logstore::lock_embedded_store(store_directory(settings), logstore::StoreAccess::kReadWrite, files);
}

Result<RepairSummary> repair_store(const config::Settings& settings, Deps deps) {
  LB_ASSIGN(auto report, logstore::repair_embedded_store(store_directory(settings), deps.files, deps.clock));
  RepairSummary summary{std::move(report.notes), report.files_rebuilt + report.files_given_up > 0, report.complete};
  summary.notes.push_back(fmt::format("{} files checked, {} rebuilt, {} blocks recovered, {} lost",
                                      report.files_checked, report.files_rebuilt, report.blocks_recovered,
                                      report.blocks_lost));
  return summary;
}

logstore::RetentionPolicy retention_policy(const config::Settings& settings, FileSystem& files) {
  logstore::RetentionPolicy policy;
  policy.age = std::chrono::ceil<std::chrono::hours>(settings.duration("logs.retention.age"));
  const std::string& size = settings.text("logs.retention.size");
  if (size == "auto") {
    const auto space = files.free_space(settings.text("data_dir"));
    const std::uint64_t tenth = space.ok() ? space->total_bytes / 10 : policy.bytes;
    policy.bytes = std::min(policy.bytes, tenth);
  } else if (const auto parsed = ByteSize::parse(size); parsed.ok()) {
    policy.bytes = parsed->bytes();
  }
  return policy;
}

metricstore::MetricRetention metric_retention(const config::Settings& settings) {
  const auto hours = [&](const char* name) {
    return std::chrono::duration_cast<std::chrono::hours>(settings.duration(name));
  };
  return {{hours("metrics_store.retention.raw"), hours("metrics_store.retention.minute"),
           hours("metrics_store.retention.hour")}};
}

namespace {

Result<metricstore::InfluxOptions> influx_access(const config::Settings& settings, FileSystem& files) {
  metricstore::InfluxOptions options;
  options.url = settings.text("metrics_store.url");
  options.database = settings.text("metrics_store.database");
  options.user = settings.text("metrics_store.user");
  LB_ASSIGN(options.password, secret_of(settings, "metrics_store.password", files));
  options.org = settings.text("metrics_store.org");
  options.bucket = settings.text("metrics_store.bucket");
  LB_ASSIGN(options.token, secret_of(settings, "metrics_store.token", files));
  options.client.tls.ca_file = settings.text("metrics_store.tls_ca");
  options.client.tls.insecure_skip_verify = settings.boolean("metrics_store.insecure_skip_verify");
  options.client.silence_time = std::chrono::seconds(30);
  return options;
}

}  // namespace

Result<std::unique_ptr<metricstore::MetricStore>> open_metric_store(const config::Settings& settings, StoreMode mode,
                                                                    Deps deps) {
  if (settings.text("metrics_store.kind") == "influxdb") {
    LB_ASSIGN(const auto influx, influx_access(settings, deps.files));
    return metricstore::open_influx_metric_store(influx, deps.clock, deps.registry);
  }
  metricstore::EmbeddedMetricOptions options;
  options.directory = settings.text("data_dir") + "/metrics";
  options.access = mode == StoreMode::kWrite ? metricstore::MetricAccess::kReadWrite : metricstore::MetricAccess::kRead;
  options.retention = metric_retention(settings);
  options.max_series = static_cast<std::size_t>(settings.integer("metrics_store.max_series"));
  return metricstore::open_embedded_metric_store(options, deps.files, deps.clock, deps.registry);
}

Result<Transport> open_transport(const config::Settings& settings,
                                 std::function<Result<std::vector<KnownSource>>()> known_sources) {
  if (settings.text("transport.kind") == "http") {
    return Error(ErrorCode::kInvalidArgument,
                 "transport.kind: http is how an agent sends; here the store is in the same program");
  }
  transport::InProcessOptions options;
  options.queue_bytes = settings.size("limits.memory").bytes() / 4;
  auto made = transport::open_inprocess(options, std::move(known_sources));
  return Transport{std::move(made.producer), std::move(made.consumer)};
}

namespace {

std::string given_ip(const config::Settings& settings) {
  const std::string& ip = settings.text("agent.ip");
  return ip == "auto" ? "" : ip;
}

Result<std::string> read_agent_key(const config::Settings& settings, FileSystem& files) {
  const std::string& key_file = settings.text("agent.key_file");
  return load_agent_key(files, key_file == "auto" ? "" : key_file);
}

Result<std::string> read_agent_token(const config::Settings& settings, FileSystem& files) {
  const std::string path = agent_token_file(settings, files);
  auto token = read_file(files, path, 4096);
  if (!token.ok()) {
    return Error(ErrorCode::kInvalidArgument,
                 fmt::format("{}; on the server run `logboom token create --agent` and do what it prints",
                             token.error().message()));
  }
  while (!token->empty() && std::isspace(static_cast<unsigned char>(token->back()))) token->pop_back();
  return token;
}

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
  if (settings.text("transport.sasl") == "none") return client;
  client.sasl = settings.text("transport.sasl");
  client.user = settings.text("transport.user");
  LB_ASSIGN(client.password, read_password(settings, "transport.password_file", files));
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

}  // namespace

namespace {

// Of a transfer, the same over restarts: several on one host have each a data directory of its own.
Result<std::string> transfer_id(const config::Settings& settings, FileSystem& files) {
  LB_ASSIGN(const std::string host, own_agent_id(settings, files));
  return xxh3_128("logboom transfer\n" + host + '\n' + absolute_path(settings.text("data_dir"))).to_hex();
}

Status set_reading(transport::KafkaReadingOptions& options, const config::Settings& settings, FileSystem& files) {
  LB_ASSIGN(options.client, kafka_client(settings, files));
  options.topics = settings.list("transfer.topics");
  options.from_end = settings.text("transfer.start_at") == "latest";
  options.queue_records = static_cast<std::uint64_t>(settings.integer("transfer.queue_records"));
  options.queue_bytes = settings.size("limits.memory").bytes() / 8;
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

ControlLink open_control_link(const AgentIdentity& identity) {
  auto session =
      std::make_shared<transport::ControlSession>(identity.client, identity.id, identity.name, LOGBOOM_VERSION);
  return {[session] { return session->number(); }, [session] { session->forget(); }};
}

Result<AgentIdentity> transfer_identity(const config::Settings& settings, FileSystem& files) {
  AgentIdentity identity;
  LB_ASSIGN(identity.id, transfer_id(settings, files));
  identity.name = host_name(settings.text("agent.name"));
  identity.client.server = settings.text("agent.server");
  identity.client.tls = server_tls(settings);
  if (identity.client.server.empty()) return identity;
  LB_ASSIGN(identity.client.token, read_agent_token(settings, files));
  return identity;
}

std::string agent_token_file(const config::Settings& settings, FileSystem& files) {
  const std::string& named = settings.text("agent.token_file");
  if (named != "auto") return absolute_path(named);
  const std::string& key_file = settings.text("agent.key_file");
  return agent_folder(files, key_file == "auto" ? "" : key_file) + "/agent.token";
}

http::ClientTls server_tls(const config::Settings& settings) {
  const auto file = [&](const char* name) {
    const std::string& path = settings.text(name);
    return path.empty() ? path : absolute_path(path);
  };
  http::ClientTls tls;
  tls.fingerprint = settings.text("agent.tls_fingerprint");
  tls.ca_file = file("agent.tls_ca");
  tls.certificate = file("agent.tls_cert");
  tls.key = file("agent.tls_key");
  tls.insecure_skip_verify = settings.boolean("agent.insecure_skip_verify");
  return tls;
}

Result<AgentIdentity> agent_identity(const config::Settings& settings, FileSystem& files) {
  AgentIdentity identity;
  LB_ASSIGN(identity.id, own_agent_id(settings, files));
  identity.name = host_name(settings.text("agent.name"));
  identity.client.server = settings.text("agent.server");
  identity.client.tls = server_tls(settings);
  if (identity.client.server.empty() && settings.text("transport.kind") == "kafka") return identity;
  if (identity.client.server.empty())
    return Error(ErrorCode::kInvalidArgument, "agent.server: name the server this agent sends to (--server URL)");
  LB_ASSIGN(identity.client.token, read_agent_token(settings, files));
  return identity;
}

namespace {

// Whether a URL names the host it is asked on by its loopback address.
bool is_this_host(const std::string& url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string::npos) return false;
  const std::string host = http::host_of(url.substr(scheme + 3, url.find('/', scheme + 3) - scheme - 3));
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

}  // namespace

Result<AgentLink> open_agent_link(const config::Settings& settings, const AgentIdentity& identity,
                                  std::function<config::RuleSet()> rules, Deps deps,
                                  std::function<void(Error)> on_ended) {
  const std::string& kind = settings.text("transport.kind");
  if (kind == "inprocess")
    return Error(ErrorCode::kInvalidArgument, "transport.kind: an agent keeps no store, it sends over http or kafka");
  if (kind == "kafka") {
    LB_ASSIGN(auto topics, open_kafka_sender(settings, std::move(rules), deps));
    transport::KafkaProducer& kafka = *topics;
    return AgentLink{std::move(topics), {}, [&kafka] { return kafka.problem(); }};
  }
  constexpr std::uint64_t kMostLine = 32u << 20;
  if (settings.size("limits.line").bytes() > kMostLine)
    return Error(ErrorCode::kInvalidArgument, "limits.line: an agent sends lines of at most 32MiB to a server");
  transport::HttpOptions options;
  options.client = identity.client;
  options.agent = identity.id;
  options.name = identity.name;
  options.version = LOGBOOM_VERSION;
  options.queue_bytes = settings.size("limits.memory").bytes() / 4;
  options.lanes = static_cast<unsigned>(settings.integer("transport.connections"));
  const bool chosen = !settings.is_default("transport.level");
  options.level = !chosen && is_this_host(identity.client.server)
                      ? transport::kNoCompression
                      : static_cast<int>(settings.integer("transport.level"));
  LB_ASSIGN(auto producer, transport::open_http_producer(std::move(options), deps.registry, std::move(on_ended)));
  transport::HttpProducer& http = *producer;
  return AgentLink{std::move(producer), [&http] { return http.session(); }, [&http] { return http.problem(); }};
}

Result<std::string> own_agent_id(const config::Settings& settings, FileSystem& files) {
  LB_ASSIGN(const std::string key, read_agent_key(settings, files));
  return agent_id(key);
}

// Of a batch that may go as one message per record, which takes several times its memory.
constexpr std::uint64_t kKafkaBatch = 512u << 10;

Result<std::unique_ptr<source::FileCollector>> open_collector(const config::Settings& settings,
                                                              const CollectorSetup& setup, config::RuleSet rules,
                                                              MemoryBudget& budget, Deps deps) {
  source::FileCollectorOptions options;
  LB_ASSIGN(options.agent_key, read_agent_key(settings, deps.files));
  options.host = host_name(settings.text("agent.name"));
  if (settings.text("transport.kind") == "kafka") options.batch_bytes = kKafkaBatch;
  options.max_line = settings.size("limits.line").bytes();
  options.one_shot = setup.one_shot;
  options.explicit_paths = setup.explicit_paths;
  options.own_directories = {settings.text("data_dir")};
  options.max_open_files = most_followed_files_open();
  return source::make_file_collector(std::move(options), std::move(rules), deps.files, deps.clock, budget,
                                     deps.registry);
}

std::unique_ptr<source::HostCollector> open_host_collector(const config::Settings& settings, source::EmitSamples emit,
                                                           Deps deps) {
  source::HostCollectorOptions options;
  options.host = host_name(settings.text("agent.name"));
  options.reader.kept_open = most_processes_open();
  options.host_ip = [given = given_ip(settings), endpoints = settings.list("etcd.endpoints")] {
    if (!given.empty()) return given;
    const auto found = config::host_ip(endpoints);
    return found.ok() ? *found : std::string();
  };
  return std::make_unique<source::HostCollector>(std::move(options), deps.clock, deps.registry, std::move(emit));
}

config::MetricsRule metrics_in_force(const config::Settings& settings, const config::RuleSet& rules) {
  if (rules.metrics) return *rules.metrics;
  config::MetricsRule rule;
  rule.on = settings.text("transport.kind") != "kafka";
  return rule;
}

Result<std::unique_ptr<source::Collector>> open_stream_collector(const config::Settings& settings,
                                                                 const std::string& path, const std::string& name,
                                                                 const std::string& topic, MemoryBudget& budget,
                                                                 Deps deps) {
  source::StreamOptions options;
  LB_ASSIGN(options.agent_key, read_agent_key(settings, deps.files));
  options.path = path;
  options.name = "stdin:" + name;
  options.channel = topic;
  options.host = host_name(settings.text("agent.name"));
  options.max_line = static_cast<std::uint32_t>(settings.size("limits.line").bytes());
  return source::make_stream_collector(std::move(options), deps.files, deps.clock, budget);
}

std::function<logstore::ReadBytes(const logstore::SourceInfo&)> make_reread(Deps deps) {
  return [&files = deps.files](const logstore::SourceInfo& info) -> logstore::ReadBytes {
    auto opened = source::open_present_file(files, info.state.path, info.state.identity);
    if (!opened.ok()) return {};
    return [file = std::make_shared<source::PresentFile>(std::move(*opened))](
               char* to, std::size_t size, std::uint64_t offset) { return file->content->read(to, size, offset); };
  };
}

Result<RulePattern> pattern_of(const std::string& path) {
  if (!source::has_glob_characters(path)) return RulePattern();
  LB_ASSIGN(source::Glob glob, source::Glob::compile(path));
  auto alternatives = glob.alternatives();
  return RulePattern{std::move(alternatives), [glob = std::move(glob)](std::string_view p) { return glob.matches(p); }};
}

Result<config::RuleSet> own_rules(const std::string& config_file, FileSystem& files) {
  if (config_file.empty()) return config::RuleSet();
  LB_ASSIGN(const std::string text, read_file(files, config_file, config::kMaxYamlBytes));
  if (!config::is_ini_file(config_file)) return config::rules_of_text(config_file, text);
  config::RuleSet rules;
  std::vector<config::Problem> problems;
  config::read_ini_rules(config_file, text, rules, problems);
  if (!problems.empty()) return config::to_error(problems);
  return rules;
}

namespace {

Result<config::EtcdOptions> etcd_access(const config::Settings& settings, FileSystem& files) {
  config::EtcdOptions options;
  const bool tls = !settings.text("etcd.tls_ca").empty() || !settings.text("etcd.tls_cert").empty();
  for (const std::string& endpoint : settings.list("etcd.endpoints"))
    options.endpoints.push_back(endpoint.find("://") != std::string::npos ? endpoint
                                                                          : (tls ? "https://" : "http://") + endpoint);
  options.user = settings.text("etcd.user");
  LB_ASSIGN(options.password, secret_of(settings, "etcd.password", files));
  options.client.tls.ca_file = settings.text("etcd.tls_ca");
  options.client.tls.certificate = settings.text("etcd.tls_cert");
  options.client.tls.key = settings.text("etcd.tls_key");
  options.client.tls.insecure_skip_verify = settings.boolean("etcd.insecure_skip_verify");
  options.client.connect_time = std::chrono::seconds(2);
  return options;
}

config::Start default_start(const config::Settings& settings) {
  return settings.text("rules.start") == "end" ? config::Start::kEnd : config::Start::kBeginning;
}

// `given` are from the command line, in force beside etcd's as the file's own are.
Result<std::unique_ptr<config::RuleSource>> open_rules_of_etcd(const config::Settings& settings,
                                                               const std::string& config_file,
                                                               std::vector<config::Rule> given, Deps deps) {
  config::EtcdRuleOptions options;
  LB_ASSIGN(options.etcd, etcd_access(settings, deps.files));
  options.key = settings.text("etcd.collect_key");
  options.system_key = settings.text("etcd.system_key");
  options.ip = given_ip(settings);
  options.data_directory = settings.text("data_dir");
  LB_ASSIGN(config::RuleSet own, own_rules(config_file, deps.files));
  options.roots = std::move(own.roots);
  options.rotated_to = std::move(own.rotated_to);
  options.own_metrics = own.metrics;
  options.own = std::move(own.rules);
  std::ranges::move(given, std::back_inserter(options.own));
  options.start = default_start(settings);
  return config::open_etcd_rules(std::move(options), deps.files, deps.clock);
}

}  // namespace

Result<std::unique_ptr<config::CentralRules>> open_central_rules(const config::Settings& settings, FileSystem& files) {
  if (settings.text("rules.from") != "etcd")
    return Error(ErrorCode::kInvalidArgument, "rules.from: only etcd keeps rules for many hosts");
  LB_ASSIGN(config::EtcdOptions etcd, etcd_access(settings, files));
  return config::open_central_etcd_rules(std::move(etcd), settings.text("etcd.collect_key"), given_ip(settings),
                                         default_start(settings));
}

Result<std::unique_ptr<config::Presence>> open_presence(const config::Settings& settings,
                                                        const std::string& config_file, const std::string& part,
                                                        FileSystem& files) {
  if (rule_origin(settings, config_file) != RuleOrigin::kEtcd) return std::unique_ptr<config::Presence>();
  LB_ASSIGN(config::EtcdOptions etcd, etcd_access(settings, files));
  return config::open_etcd_presence(std::move(etcd), given_ip(settings), part);
}

Result<std::unique_ptr<config::RuleSource>> open_rules(const config::Settings& settings, const std::string& config_file,
                                                       std::vector<config::Rule> given, bool read_only, Deps deps) {
  if (rule_origin(settings, config_file) == RuleOrigin::kEtcd)
    return open_rules_of_etcd(settings, config_file, std::move(given), deps);
  config::FileRuleOptions options;
  options.config_file = config_file;
  options.data_directory = settings.text("data_dir");
  options.given = std::move(given);
  options.read_only = read_only;
  config::Rule var_log;
  var_log.path = "/var/log";
  var_log.name = "var-log";
  options.fallback = {var_log};
  return config::open_file_rules(options, deps.files, deps.clock);
}

RuleOrigin rule_origin(const config::Settings& settings, const std::string& config_file) {
  const std::string& from = settings.text("rules.from");
  if (from == "etcd") return RuleOrigin::kEtcd;
  return from == "server" || (from == "auto" && config_file.empty()) ? RuleOrigin::kServer : RuleOrigin::kFile;
}

Result<std::unique_ptr<config::RuleSource>> open_agent_rules(const config::Settings& settings,
                                                             const std::string& config_file,
                                                             const AgentIdentity& identity, Deps deps) {
  const RuleOrigin origin = rule_origin(settings, config_file);
  if (origin == RuleOrigin::kEtcd) return open_rules_of_etcd(settings, config_file, {}, deps);
  if (origin == RuleOrigin::kFile) {
    config::FileRuleOptions options;
    options.config_file = config_file;
    options.data_directory = settings.text("data_dir");
    return config::open_file_rules(options, deps.files, deps.clock);
  }
  if (identity.client.server.empty()) {
    return Error(ErrorCode::kInvalidArgument,
                 "rules.from: name a configuration file with rules (--config FILE), or the server that has them "
                 "(agent.server)");
  }
  config::HttpRuleOptions options;
  options.client = identity.client;
  options.agent = identity.id;
  options.data_directory = settings.text("data_dir");
  LB_ASSIGN(config::RuleSet own, own_rules(config_file, deps.files));
  if (!own.rules.empty()) {
    return Error(
        ErrorCode::kInvalidArgument,
        fmt::format("{}: rules.from is server, but collect.items names rules, too; keep one of them", config_file));
  }
  options.roots = std::move(own.roots);
  options.rotated_to = std::move(own.rotated_to);
  options.own_metrics = own.metrics;
  return config::open_http_rules(std::move(options), deps.files);
}

namespace {

// A server that cannot even be asked: a file the settings name cannot be read.
Findings unasked(const char* what, const Error& error) {
  return {{Verdict::kBad, what, error.message(), "correct the settings that name its files"}};
}

}  // namespace

Findings examine_etcd(const config::Settings& settings, Deps deps, std::stop_token stop,
                      std::vector<config::Rule>& rules) {
  auto access = etcd_access(settings, deps.files);
  if (!access.ok()) return unasked("etcd", access.error());
  const config::EtcdExamination examination{std::move(*access), settings.text("etcd.collect_key"), given_ip(settings),
                                            default_start(settings)};
  return config::examine_etcd(examination, deps.clock, std::move(stop), rules);
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

Findings examine_elastic(const config::Settings& settings, Deps deps, const std::vector<std::string>& stored,
                         std::stop_token stop) {
  const auto options = elastic_access(settings, deps.files);
  if (!options.ok()) return unasked("elastic", options.error());
  return logstore::examine_elastic(*options, stored, deps.clock, std::move(stop));
}

Findings examine_influx(const config::Settings& settings, Deps deps, std::stop_token stop) {
  const auto options = influx_access(settings, deps.files);
  if (!options.ok()) return unasked("metrics_store", options.error());
  return metricstore::examine_influx(*options, std::move(stop));
}

}  // namespace logboom::app
