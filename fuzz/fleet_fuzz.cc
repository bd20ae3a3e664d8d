// What an agent with a session may ask of its server, and what people then ask about it. The first line of the input is
// "METHOD TARGET", the rest the body. Bodies of batches and samples are packed first, or the fuzzer would never get
// past zstd.
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/check.h"
#include "http/json_reading.h"
#include "http/testing/recording_writer.h"
#include "http/url.h"
#include "io/memory_file_system.h"
#include "io/zstd.h"
#include "record/encoding/batch_encoding.h"
#include "server/fleet/agent_routes.h"
#include "server/fleet/fleet_routes.h"

namespace {

using namespace logboom;

const std::string kAgent(32, 'a');
const http::Principal kToken{"agent", http::Role::kIngest, http::Via::kToken, "t", 0};

// Takes every batch that is valid.
class Sink final : public Producer {
 public:
  Status publish(std::shared_ptr<const Batch> batch, OnDelivered on_delivered, std::stop_token) override {
    LB_CHECK(validate_batch(*batch).ok());
    Coverage coverage;
    coverage.add(batch->begin, batch->end);
    on_delivered(std::move(coverage));
    return ok_status();
  }
  Status publish_samples(std::shared_ptr<const SampleBatch> samples, OnStored on_stored, std::stop_token) override {
    LB_CHECK(samples->host == "web-1" && !samples->samples.empty());
    on_stored(ok_status());
    return ok_status();
  }
  Result<std::vector<KnownSource>> known_sources() override { return std::vector<KnownSource>(); }
  void close() override {}
};

struct World {
  World() {
    server::FleetOptions options;
    options.directory = "/data";
    options.own_agent = std::string(32, '0');
    options.token_is_valid = [](const std::string&) { return true; };
    LB_CHECK(files.create_directories("/data/rules").ok());
    fleet = std::move(server::Fleet::open(options, files, clock)).value();
    gate = std::move(http::Gate::open({.data_directory = "/data"}, files, clock)).value();
    server::register_agent_routes(router,
                                  {*fleet, rules, gate.get(), sink, [] { return std::vector<KnownSource>(); }, budget});
    server::register_fleet_routes(router, {*fleet, rules, *gate});
    server::AgentRecord record;
    record.id = kAgent;
    record.name = "web-1";
    LB_CHECK(!fleet->open_session(kToken, record, {}, session));
    stop.request_stop();
  }
  http::RecordingWriter ask(std::string_view method, std::string_view target, std::string body) {
    http::RecordingWriter writer;
    const auto parsed = http::parse_target(target);
    if (!parsed.ok()) return writer;
    http::Request request;
    request.method = method;
    request.path = parsed->path;
    request.query = parsed->query;
    request.body = std::move(body);
    request.headers = {{"logboom-agent", kAgent}, {"logboom-session", std::to_string(session)}};
    request.principal = kToken;
    auto match = router.match(request.method, request.path);
    if (!match.route) return writer;
    request.path_params = std::move(match.params);
    if (match.route->kind == http::RouteKind::kLongLived) request.stop = stop.get_token();
    match.route->handler(request, writer);
    return writer;
  }
  MemoryFileSystem files;
  ManualClock clock;
  MemoryBudget budget{256u << 20};
  Sink sink;
  std::unique_ptr<server::Fleet> fleet;
  std::unique_ptr<http::Gate> gate;
  server::HostRules rules{"/data", files, clock};
  http::Router router;
  std::uint64_t session = 0;
  std::stop_source stop;
};

void check_answer(const http::RecordingWriter& writer) {
  if (!writer.whole && !writer.head) return;
  LB_CHECK(writer.status() >= 200 && writer.status() < 600);
  const std::string text = writer.text();
  if (writer.status() >= 400) LB_CHECK(!http::read_api_error(text).message.empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(input.find('\n'), input.size());
  const std::string_view line = input.substr(0, end);
  const std::size_t space = std::min(line.find(' '), line.size());
  std::string body(input.substr(std::min(end + 1, input.size())));
  (void)http::read_api_error(body);
  if (line.find("batches") != std::string_view::npos || line.find("samples") != std::string_view::npos)
    body = *ZstdCompressor().compress(body);
  World world;
  check_answer(world.ask(line.substr(0, space), line.substr(std::min(space + 1, line.size())), std::move(body)));
  for (const char* path : {"/api/v1/agents", "/api/v1/agents/web-1", "/api/v1/agents/web-1/rules/history"}) {
    const auto writer = world.ask("GET", path, "");
    LB_CHECK(nlohmann::json::accept(writer.text()));
  }
  return 0;
}
