// The ways of app/registry.h from who collects to who stores: within the program, to a server, to Kafka.
#include "app/registry.h"
#include "app/registry/kafka.h"
#include "http/url.h"
#include "transport/http/control_session.h"
#include "transport/http/http_producer.h"
#include "transport/inprocess/inprocess_transport.h"

namespace logboom::app {
namespace {

// Whether a URL names the host it is asked on by its loopback address.
bool is_this_host(const std::string& url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string::npos) return false;
  const std::string host = http::host_of(url.substr(scheme + 3, url.find('/', scheme + 3) - scheme - 3));
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

}  // namespace

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

ControlLink open_control_link(const AgentIdentity& identity) {
  auto session =
      std::make_shared<transport::ControlSession>(identity.client, identity.id, identity.name, LOGBOOM_VERSION);
  return {[session] { return session->number(); }, [session] { session->forget(); }};
}

}  // namespace logboom::app
