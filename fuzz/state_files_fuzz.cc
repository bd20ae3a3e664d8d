// The small files of a data directory, as another program, a crash or a person may leave them: access tokens, sessions,
// access events, agents, whose sources are whose, the history of rules. The first byte says which. What is read does
// not end the program and can be written again.
#include <string>
#include <string_view>

#include "base/check.h"
#include "config/rule_history.h"
#include "http/auth/gate.h"
#include "io/memory_file_system.h"
#include "server/fleet/fleet.h"
#include "server/fleet/host_rules.h"

namespace {

using namespace logboom;

const std::string kAgent(32, 'a');

struct World {
  World() { LB_CHECK(files.create_directories("/data/rules").ok()); }
  MemoryFileSystem files;
  ManualClock clock;
};

void check_gate(World& world) {
  auto gate = http::Gate::open({.data_directory = "/data"}, world.files, world.clock);
  if (!gate.ok()) return;
  http::Request request;
  request.principal = http::Principal{"admin", http::Role::kAdmin, http::Via::kToken, "", 0};
  (void)(*gate)->create_token(request, "a", http::Role::kViewer, {});
  (*gate)->events().add("tried", "somebody", "127.0.0.1", "");
}

void check_fleet(World& world) {
  server::FleetOptions options;
  options.directory = "/data";
  options.own_agent = std::string(32, '0');
  options.token_is_valid = [](const std::string&) { return true; };
  auto fleet = server::Fleet::open(options, world.files, world.clock);
  if (!fleet.ok()) return;
  const http::Principal token{"agent", http::Role::kIngest, http::Via::kToken, "t", 0};
  server::AgentRecord record;
  record.id = kAgent;
  record.name = "web-1";
  std::uint64_t session = 0;
  (void)(*fleet)->open_session(token, record, {}, session);
  (void)(*fleet)->claim(kAgent, {{1, 2}});
}

void check_history(World& world) {
  auto entries = config::read_rule_history(world.files, "/data/rules/" + kAgent + ".ndjson");
  if (entries.ok()) LB_CHECK(config::write_rule_history(world.files, "/data/again", std::move(*entries)).ok());
  server::HostRules rules("/data", world.files, world.clock);
  (void)rules.current(kAgent);
  (void)rules.put(kAgent, 0, "collect:\n  items: []\n", "somebody");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string kPaths[] = {"/data/tokens.json",          "/data/sessions.json",
                                       "/data/access-events.ndjson", "/data/agents.json",
                                       "/data/agent-sources.txt",    "/data/rules/" + kAgent + ".ndjson"};
  if (size == 0) return 0;
  World world;
  const std::size_t which = data[0] % std::size(kPaths);
  LB_CHECK(replace_file(world.files, kPaths[which], std::string_view(reinterpret_cast<const char*>(data + 1), size - 1))
               .ok());
  if (which < 3) return check_gate(world), 0;
  if (which < 5) return check_fleet(world), 0;
  check_history(world);
  return 0;
}
