#include "server/params.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "http/json_reading.h"
#include "http/url.h"
#include "parse/time.h"

namespace logboom::server {
namespace {

constexpr int kBodyDepth = 2;  // members, and lists of strings

Error bad(std::string_view name, std::string_view value, std::string_view expected) {
  return Error(ErrorCode::kInvalidArgument, fmt::format("cannot read the parameter \"{}\": \"{}\" is not {}", name,
                                                        printable(value.substr(0, 80)), expected));
}

template <typename T>
std::optional<T> whole_number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])});
      diagonal = above;
    }
  }
  return row[b.size()];
}

// Seconds, milliseconds, microseconds or nanoseconds: what lies between the years 1970 and about 5000 in each.
std::optional<TimeNs> epoch(std::string_view text) {
  const auto value = whole_number<std::int64_t>(text);
  if (!value) return std::nullopt;
  const std::int64_t size = *value < 0 ? -*value : *value;
  if (*value == INT64_MIN) return std::nullopt;
  if (size < 100'000'000'000) {
    if (size > INT64_MAX / kNsPerSecond) return std::nullopt;
    return *value * kNsPerSecond;
  }
  if (size < 100'000'000'000'000) {
    return size > INT64_MAX / kNsPerMs ? std::nullopt : std::optional<TimeNs>(*value * kNsPerMs);
  }
  if (size < 100'000'000'000'000'000) {
    return size > INT64_MAX / kNsPerUs ? std::nullopt : std::optional<TimeNs>(*value * kNsPerUs);
  }
  return *value;
}

std::optional<std::string> text_of(const nlohmann::json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return std::string(value.get<bool>() ? "true" : "false");
  if (value.is_number()) return value.dump();
  if (!value.is_array()) return std::nullopt;
  std::string joined;
  for (const auto& item : value) {
    if (!item.is_string()) return std::nullopt;
    joined += (joined.empty() ? "" : ",") + item.get<std::string>();
  }
  return joined;
}

}  // namespace

std::string nearest_hint(std::string_view typed, const std::vector<std::string>& known) {
  if (typed.size() > 40 || known.empty()) return {};
  const auto best = std::ranges::min_element(known, {}, [&](const std::string& k) { return edit_distance(typed, k); });
  return edit_distance(typed, *best) > 2 ? "" : fmt::format("; did you mean \"{}\"?", *best);
}

Result<Params> Params::read(const http::Request& request, const std::vector<std::string>& known) {
  Params params;
  params.values_ = request.query;
  if (!request.body.empty()) LB_TRY(params.read_body(request.body));
  for (std::size_t i = 0; i < params.values_.size(); ++i) {
    const std::string& name = params.values_[i].first;
    if (std::ranges::find(known, name) == known.end()) {
      return Error(ErrorCode::kInvalidArgument, fmt::format("there is no parameter \"{}\" here{}",
                                                            printable(name.substr(0, 40)), nearest_hint(name, known)));
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (params.values_[j].first == name) {
        return Error(ErrorCode::kInvalidArgument, fmt::format("the parameter \"{}\" is given twice", name));
      }
    }
  }
  return params;
}

Status Params::read_body(const std::string& body) {
  const auto root = http::parse_json(body, kBodyDepth);
  if (!root.is_object()) return Error(ErrorCode::kInvalidArgument, "the body must be a JSON object of plain members");
  for (const auto& [name, value] : root.items()) {
    if (value.is_null()) continue;
    auto text = text_of(value);
    if (!text) {
      return Error(ErrorCode::kInvalidArgument,
                   fmt::format("/{}: must be a string, a number, true or false, or a list of strings",
                               printable(name.substr(0, 40))));
    }
    values_.emplace_back(name, std::move(*text));
  }
  return {};
}

const std::string* Params::find(std::string_view name) const {
  const auto it = std::ranges::find_if(values_, [&](const auto& p) { return p.first == name; });
  return it == values_.end() ? nullptr : &it->second;
}

std::string Params::text(std::string_view name) const {
  const std::string* value = find(name);
  return value ? *value : std::string();
}

Result<std::uint64_t> Params::number(std::string_view name, std::uint64_t absent, std::uint64_t most) const {
  const std::string* text = find(name);
  if (!text || text->empty()) return absent;
  const auto value = whole_number<std::uint64_t>(*text);
  if (!value || *value > most) {
    return bad(name, *text, most == UINT64_MAX ? std::string("a number") : fmt::format("a number from 0 to {}", most));
  }
  return *value;
}

Result<bool> Params::flag(std::string_view name, bool absent) const {
  const std::string* text = find(name);
  if (!text) return absent;
  if (*text == "true" || *text == "1" || text->empty()) return true;
  if (*text == "false" || *text == "0") return false;
  return bad(name, *text, "true or false");
}

Result<std::optional<TimeNs>> Params::time(std::string_view name, TimeNs now) const {
  const std::string* text = find(name);
  if (!text || text->empty()) return std::optional<TimeNs>();
  const auto value = parse_time_parameter(*text, now);
  if (!value) return bad(name, *text, "a time; use -1h, now, 2026-11-20T14:31:58Z or an epoch");
  return value;
}

Result<std::optional<std::chrono::nanoseconds>> Params::duration(std::string_view name) const {
  const std::string* text = find(name);
  if (!text || text->empty()) return std::optional<std::chrono::nanoseconds>();
  const auto value = parse_duration(*text);
  if (!value) return bad(name, *text, "a duration; use 500ms, 10s, 5m, 1h or 1d");
  return value;
}

std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto count = whole_number<std::int64_t>(text.substr(0, digits));
  const std::string_view unit = text.substr(digits);
  static constexpr std::pair<std::string_view, std::int64_t> kUnits[] = {{"", kNsPerSecond},
                                                                         {"ms", kNsPerMs},
                                                                         {"s", kNsPerSecond},
                                                                         {"m", 60 * kNsPerSecond},
                                                                         {"h", 3600 * kNsPerSecond},
                                                                         {"d", 86400 * kNsPerSecond},
                                                                         {"w", 7 * 86400 * kNsPerSecond}};
  const auto it = std::ranges::find_if(kUnits, [&](const auto& u) { return u.first == unit; });
  constexpr std::int64_t kLongest = 100LL * 366 * 86400 * kNsPerSecond;
  if (!count || it == std::end(kUnits) || *count > kLongest / it->second) return std::nullopt;
  return std::chrono::nanoseconds(*count * it->second);
}

std::optional<TimeNs> parse_time_parameter(std::string_view text, TimeNs now) {
  if (text == "now") return now;
  if (text.starts_with('-') || text.starts_with("now-")) {
    const auto back = parse_duration(text.substr(text.find('-') + 1));
    const bool has_unit = !text.empty() && (text.back() < '0' || text.back() > '9');
    if (back && has_unit && now > INT64_MIN + back->count()) return now - back->count();
  }
  if (const auto value = epoch(text)) return value;
  return parse::parse_time(text, {.arrival = now, .zone_seconds = 0});
}

}  // namespace logboom::server
