// The composition root: with registry/, which holds what is declared here, the only place that names implementations.
#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "app/reloads.h"
#include "base/clock.h"
#include "base/finding.h"
#include "base/memory_budget.h"
#include "config/central_rules.h"
#include "config/presence.h"
#include "config/previews.h"
#include "config/repair_requests.h"
#include "config/rule_source.h"
#include "config/settings.h"
#include "http/client.h"
#include "io/file_system.h"
#include "logstore/log_store.h"
#include "metricstore/metric_store.h"
#include "source/file/file_collector.h"
#include "source/host/host_collector.h"
#include "telemetry/registry.h"
#include "transport/transport.h"

namespace logboom::app {

enum class StoreMode { kWrite, kRead };

// What the parts of the program share; outlives all of them.
struct Deps {
  FileSystem& files;
  const Clock& clock;
  Registry& registry;
  Reloads* reloads = nullptr;  // none: nothing is read anew
  std::stop_token stop = {};   // of the program: ends what waits for others while it is opened
};

Result<std::unique_ptr<logstore::LogStore>> open_store(const config::Settings& settings, StoreMode mode, Deps deps);
// What a program that works on the store holds from its start to its end: while this lives none can start.
// kUnavailable: one works on it now.
Result<std::unique_ptr<FileLock>> lock_store(const config::Settings& settings, FileSystem& files);
struct RepairSummary {
  std::vector<std::string> notes;  // for people, one line each
  bool rebuilt = false;            // files were made anew or given up
  bool complete = false;           // as far as the files themselves tell, nothing is lost
};
Result<RepairSummary> repair_store(const config::Settings& settings, Deps deps);

logstore::RetentionPolicy retention_policy(const config::Settings& settings, FileSystem& files);

// Where the samples of hosts go. kNotFound with kRead: there is none yet.
Result<std::unique_ptr<metricstore::MetricStore>> open_metric_store(const config::Settings& settings, StoreMode mode,
                                                                    Deps deps);
metricstore::MetricRetention metric_retention(const config::Settings& settings);

struct Transport {
  std::unique_ptr<Producer> producer;
  std::unique_ptr<Consumer> consumer;
};
Result<Transport> open_transport(const config::Settings& settings,
                                 std::function<Result<std::vector<KnownSource>>()> known_sources);

// How a server of an https:// address is told from others: the agent.tls_* settings.
http::ClientTls server_tls(const config::Settings& settings);

// How this host speaks to its server as an agent.
struct AgentIdentity {
  std::string id;
  std::string name;
  http::ClientOptions client;  // server, token, TLS
};
// Where this host's token as an agent lies.
std::string agent_token_file(const config::Settings& settings, FileSystem& files);
// kInvalidArgument: no server is named, or no token can be read. An agent that sends to Kafka needs no server: then
// `client` names none.
Result<AgentIdentity> agent_identity(const config::Settings& settings, FileSystem& files);

struct AgentLink {
  std::unique_ptr<Producer> producer;
  // Of the producer, as long as it lives: the number of its session, 0 before the first (none over Kafka); why
  // nothing is delivered.
  std::function<std::uint64_t()> session;
  std::function<std::string()> problem;
};
// The way from this agent to its server or to Kafka; `rules`: those in force, from any thread as long as the producer
// lives; `on_ended` as open_http_producer's.
Result<AgentLink> open_agent_link(const config::Settings& settings, const AgentIdentity& identity,
                                  std::function<config::RuleSet()> rules, Deps deps,
                                  std::function<void(Error)> on_ended);

// The session with a server of a program that only reports there.
struct ControlLink {
  std::function<std::uint64_t()> session;  // its number, 0: none now; may block for seconds
  std::function<void()> forget;            // the server does not know it: another is opened
};
ControlLink open_control_link(const AgentIdentity& identity);
// How this host's transfer is known to a server; `client` names none where the settings do not.
Result<AgentIdentity> transfer_identity(const config::Settings& settings, FileSystem& files);

// What is in transfer.topics, from where the store says. Every partition where the store is this program's own; those
// that its group gives it where several transfers may have one store. `on_ended`: another transfer has taken this one's
// place in the group. kInvalidArgument: no brokers or no topics are named.
struct TopicReaders {
  std::function<Result<std::vector<Position>>()> stored;
  std::function<Status(const std::vector<Position>&)> begin_at;
  std::function<void(Error)> on_ended;
};
Result<std::unique_ptr<Consumer>> open_topics(const config::Settings& settings, TopicReaders with, Deps deps);

// This host's identity as an agent.
Result<std::string> own_agent_id(const config::Settings& settings, FileSystem& files);

struct CollectorSetup {
  bool one_shot = false;
  bool explicit_paths = false;
};
Result<std::unique_ptr<source::FileCollector>> open_collector(const config::Settings& settings,
                                                              const CollectorSetup& setup, config::RuleSet rules,
                                                              MemoryBudget& budget, Deps deps);

// Samples this host; what it takes goes to `emit`.
std::unique_ptr<source::HostCollector> open_host_collector(const config::Settings& settings, source::EmitSamples emit,
                                                           Deps deps);
// What of metrics is in force: what the rules say, else the default: on, but over Kafka, whose topics are not ours to
// make.
config::MetricsRule metrics_in_force(const config::Settings& settings, const config::RuleSet& rules);

// For one spooled stream; `path` holds it, `name` is its identity.
Result<std::unique_ptr<source::Collector>> open_stream_collector(const config::Settings& settings,
                                                                 const std::string& path, const std::string& name,
                                                                 const std::string& topic, MemoryBudget& budget,
                                                                 Deps deps);

// For audits: the file of a source, as far as it is still on this machine's disk (AuditRequest::reread).
std::function<logstore::ReadBytes(const logstore::SourceInfo&)> make_reread(Deps deps);

Result<std::unique_ptr<config::RuleSource>> open_rules(const config::Settings& settings, const std::string& config_file,
                                                       std::vector<config::Rule> given, bool read_only, Deps deps);
// Of an agent: where `rules.from` says. Roots come from the host's own file in either case.
Result<std::unique_ptr<config::RuleSource>> open_agent_rules(const config::Settings& settings,
                                                             const std::string& config_file,
                                                             const AgentIdentity& identity, Deps deps);
enum class RuleOrigin { kFile, kServer, kEtcd };
// Where a program with these settings takes its rules from.
RuleOrigin rule_origin(const config::Settings& settings, const std::string& config_file);
// Where `rules.from` says that the rules of many hosts are kept. kInvalidArgument: it says nothing of the kind.
Result<std::unique_ptr<config::CentralRules>> open_central_rules(const config::Settings& settings, FileSystem& files);
// How this host says there that it is there; nullptr where there is nobody to tell. `part`: which of several programs
// on the host; empty: its agent.
Result<std::unique_ptr<config::Presence>> open_presence(const config::Settings& settings,
                                                        const std::string& config_file, const std::string& part,
                                                        FileSystem& files);
// How a store behind Kafka asks agents for what it misses: over etcd, where rules are kept there, else by the server it
// reports to; nullptr where there is neither.
Result<std::unique_ptr<config::RepairAsker>> open_repair_asker(const config::Settings& settings,
                                                               const std::string& config_file, FileSystem& files);
// Where this host finds what it is asked for in etcd; nullptr where rules are kept elsewhere.
Result<std::unique_ptr<config::RepairRequests>> open_repair_requests(const config::Settings& settings,
                                                                     const std::string& config_file, FileSystem& files);
// What this host is asked there about rules; nullptr where there is no such place.
Result<std::unique_ptr<config::PreviewQuestions>> open_preview_questions(const config::Settings& settings,
                                                                         const std::string& config_file,
                                                                         FileSystem& files);
// Asks hosts there. kInvalidArgument: the settings name no such place.
Result<std::unique_ptr<config::PreviewAsker>> open_preview_asker(const config::Settings& settings, FileSystem& files);
// The path of a rule as a pattern: its parts between slashes, for each of the alternatives its braces stand for ("**":
// any folders), and whether it takes a path. Without alternatives it names one file or folder.
struct RulePattern {
  std::vector<std::vector<std::string>> alternatives;
  std::function<bool(std::string_view path)> takes;
};
// kInvalidArgument: an open bracket, or beyond the bounds of patterns.
Result<RulePattern> pattern_of(const std::string& path);
// What a host's own file says of rules, whichever form it has; without a file nothing.
Result<config::RuleSet> own_rules(const std::string& config_file, FileSystem& files);

// What a person should know of the servers that the settings name, as their folders' examine.h say. `rules` gets what
// etcd holds for this host; `written` and `read` are topics of Kafka, `stored` those that come into the store.
Findings examine_etcd(const config::Settings& settings, Deps deps, std::stop_token stop,
                      std::vector<config::Rule>& rules);
Findings examine_kafka(const config::Settings& settings, Deps deps, std::vector<std::string> written,
                       std::vector<std::string> read, std::stop_token stop);
// kInvalidArgument: one of these topics is compacted. Waits two seconds at most where nobody answers.
Status refuse_compacted(const config::Settings& settings, Deps deps, std::vector<std::string> topics,
                        std::stop_token stop);
Findings examine_elastic(const config::Settings& settings, Deps deps, const std::vector<std::string>& stored,
                         std::stop_token stop);
// Where samples of hosts go, when that is InfluxDB.
Findings examine_influx(const config::Settings& settings, Deps deps, std::stop_token stop);

}  // namespace logboom::app
