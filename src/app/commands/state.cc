// sources and status.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/api_access.h"
#include "app/commands/commands.h"
#include "app/frames.h"
#include "base/byte_size.h"
#include "base/counted.h"
#include "base/log.h"

namespace logboom::app {
namespace {

using nlohmann::json;

std::string bytes_text(const json& value) {
  return value.is_number() ? ByteSize(value.get<std::uint64_t>()).to_string() : "-";
}

}  // namespace

int run_sources(Context& context, const Args&) {
  if (Status form = refuse_csv(context); !form.ok()) return fail(form.error());
  auto api = open_api(context, ApiNeed::kRead);
  if (!api.ok()) return fail(api.error());
  const auto answer = call_json(**api, {"GET", "/api/v1/sources", {}}, context.stop);
  if (!answer.ok()) return fail(answer.error());
  const json sources = answer->value("sources", json::array());
  if (context.output != OutputFormat::kText) {
    fmt::print("{}\n", sources.dump());
    return kOk;
  }
  fmt::print("{:<10} {:>10} {:>10} {:>10} {:>10}  {}\n", "state", "size", "durable", "lag", "records", "file");
  for (const json& s : sources) {
    fmt::print("{:<10} {:>10} {:>10} {:>10} {:>10}  {}\n", s.value("state", ""), bytes_text(s.value("size", json())),
               bytes_text(s.value("acknowledged", json())), bytes_text(s.value("lag", json())),
               s.value("records", std::uint64_t{0}), printable(exact_bytes(s, "file", "file_raw")));
    if (const std::string problem = s.value("problem", ""); !problem.empty())
      fmt::print("{:<10} {}\n", "", printable(problem));
  }
  return kOk;
}

int run_status(Context& context, const Args&) {
  if (Status form = refuse_csv(context); !form.ok()) return fail(form.error());
  auto api = open_api(context, ApiNeed::kRead);
  if (!api.ok()) return fail(api.error());
  const auto answer = call_json(**api, {"GET", "/api/v1/status", {}}, context.stop);
  if (!answer.ok()) return fail(answer.error());
  if (context.output != OutputFormat::kText) {
    fmt::print("{}\n", answer->dump());
    return kOk;
  }
  const json store = answer->value("store", json::object());
  const json sources = answer->value("sources", json::object());
  const auto raw = store.value("raw_bytes", std::uint64_t{0});
  const auto disk = store.value("bytes_on_disk", std::uint64_t{0});
  fmt::print("logboom {} on {}, {}\n", answer->value("version", ""), printable(answer->value("host", "")),
             (*api)->where());
  fmt::print("store    {} records, {} raw in {} on disk ({:.1f} times smaller), {}, {}\n",
             store.value("records", std::uint64_t{0}), ByteSize(raw).to_string(), ByteSize(disk).to_string(),
             disk > 0 ? static_cast<double>(raw) / static_cast<double>(disk) : 0.0,
             counted(store.value("files", std::uint64_t{0}), "file"),
             counted(store.value("blocks", std::uint64_t{0}), "block"));
  fmt::print("times    {} to {}\n", time_text(store.value("oldest", json())), time_text(store.value("newest", json())));
  fmt::print("sources  {} known, {} active, {} unreadable, lag {}\n", sources.value("total", 0),
             sources.value("active", 0), sources.value("unreadable", 0),
             bytes_text(sources.value("lag_bytes", json())));
  for (const char* trouble : {"problem", "deletion_held"}) {
    if (const std::string text = store.value(trouble, ""); !text.empty())
      fmt::print("{:<8} {}\n", trouble[0] == 'p' ? "problem" : "held", printable(text));
  }
  if (const auto damaged = store.value("damaged_blocks", std::uint64_t{0}); damaged > 0) {
    fmt::print(
        "damage   in {} of the store: `logboom audit` names them, `logboom repair` takes them out while "
        "the program is stopped\n",
        counted(damaged, "place"));
  }
  const json pipeline = answer->value("pipeline", json::object());
  for (const auto& [name, value] : pipeline.items()) {
    if (name == "topics") continue;  // `logboom fleet` shows each
    fmt::print("{:<8} {}\n", name, value.is_string() ? printable(value.get<std::string>()) : value.dump());
  }
  return kOk;
}

}  // namespace logboom::app
