// What app/registry.h has that collects on this host: files, a stream, the host itself.
#include "app/descriptors.h"
#include "app/paths.h"
#include "app/registry.h"
#include "app/registry/identity.h"
#include "config/etcd/etcd_rule_source.h"
#include "source/file/present_file.h"
#include "source/file/stream_collector.h"

namespace logboom::app {
namespace {

// Of a batch that may go as one message per record, which takes several times its memory.
constexpr std::uint64_t kKafkaBatch = 512u << 10;

}  // namespace

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

std::function<logstore::ReadBytes(const logstore::SourceInfo&)> make_reread(Deps deps) {
  return [&files = deps.files](const logstore::SourceInfo& info) -> logstore::ReadBytes {
    auto opened = source::open_present_file(files, info.state.path, info.state.identity);
    if (!opened.ok()) return {};
    return [file = std::make_shared<source::PresentFile>(std::move(*opened))](
               char* to, std::size_t size, std::uint64_t offset) { return file->content->read(to, size, offset); };
  };
}

}  // namespace logboom::app
