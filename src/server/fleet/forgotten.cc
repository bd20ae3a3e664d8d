#include "server/fleet/forgotten.h"

#include <algorithm>
#include <optional>
#include <unordered_map>

#include <nlohmann/json.hpp>

#include "http/json_reading.h"

namespace logboom::server {
namespace {

using nlohmann::json;

// A source of the state as far as it can be compared.
struct Said {
  SourceId source;
  std::string channel;
  std::uint64_t epoch = 0;
  std::uint64_t acknowledged = 0;
  std::string file;
};

std::optional<Said> said_of(const json& item) {
  const auto text = [&](const char* name) {
    return http::has_text(item, name) ? item[name].get<std::string>() : std::string();
  };
  const auto number = [&](const char* name) {
    return http::has_count(item, name) ? item[name].get<std::uint64_t>() : std::uint64_t{0};
  };
  const auto source = Hash128::from_hex(text("source"));
  if (!source) return std::nullopt;
  return Said{*source, text("topic"), number("epoch"), number("acknowledged"), text("file")};
}

bool holds(const KnownSource& known, const Said& said) {
  if (known.epoch != said.epoch) return known.epoch > said.epoch;
  return known.coverage.missing(known.state.inherited, said.acknowledged).empty();
}

}  // namespace

std::string forgotten_file(const json& state, const std::vector<KnownSource>& known,
                           const std::function<bool(const SourceId&)>& its) {
  const auto sources = state.is_object() ? state.find("sources") : state.end();
  if (sources == state.end() || !sources->is_array()) return "";
  std::unordered_multimap<SourceId, const KnownSource*> by_id;
  for (const KnownSource& source : known) by_id.emplace(source.source, &source);
  for (const json& item : *sources) {
    const auto said = said_of(item);
    if (!said || said->acknowledged == 0 || !its(said->source)) continue;
    const auto [first, last] = by_id.equal_range(said->source);
    const bool held = std::any_of(first, last, [&](const auto& entry) {
      return entry.second->channel == said->channel && holds(*entry.second, *said);
    });
    if (!held) return said->file.empty() ? said->source.to_hex() : said->file;
  }
  return "";
}

}  // namespace logboom::server
