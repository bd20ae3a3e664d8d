#include "config/settings.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/check.h"
#include "config/list_text.h"

namespace logboom::config {
namespace {

struct DurationUnit {
  std::string_view name;
  std::int64_t milliseconds;
};
constexpr DurationUnit kDurationUnits[] = {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000},
                                           {"s", 1000},       {"ms", 1},        {"w", 604'800'000}};

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<bool> parse_boolean(std::string_view text) {
  if (text == "true" || text == "yes" || text == "on") return true;
  if (text == "false" || text == "no" || text == "off") return false;
  return std::nullopt;
}

std::string join(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, ", "));
}

Status validate_type(const OptionSpec& spec, std::string_view text) {
  const auto fail = [&](std::string_view what) {
    return Error(ErrorCode::kInvalidArgument, fmt::format("{}: '{}' is not {}", spec.name, text, what));
  };
  switch (spec.type) {
    case OptionType::kText:
    case OptionType::kList:
    case OptionType::kPath:
      return {};
    case OptionType::kSize:
      if (const auto parsed = ByteSize::parse(text); !parsed.ok()) return parsed.error().with_context(spec.name);
      return {};
    case OptionType::kDuration:
      if (const auto parsed = parse_duration(text); !parsed.ok()) return parsed.error().with_context(spec.name);
      return {};
    case OptionType::kInteger:
      return parse_integer(text) ? Status() : fail("a whole number");
    case OptionType::kBoolean:
      return parse_boolean(text) ? Status() : fail("true or false");
    case OptionType::kChoice:
      if (std::find(spec.choices.begin(), spec.choices.end(), text) != spec.choices.end()) return {};
      return fail(fmt::format("one of {}", join(spec.choices)));
  }
  return {};
}

Status validate(const OptionSpec& spec, std::string_view text) {
  LB_TRY(validate_type(spec, text));
  const auto expected = spec.check ? spec.check(text) : std::nullopt;
  if (!expected) return {};
  return Error(ErrorCode::kInvalidArgument, fmt::format("{}: '{}' is not {}", spec.name, text, *expected));
}

}  // namespace

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  const auto fail = [&] {
    return Error(
        ErrorCode::kInvalidArgument,
        fmt::format("'{}' is not a duration; write a number and a unit (ms, s, m, h, d, w), as in 90s or 30d", text));
  };
  if (text == "0") return std::chrono::milliseconds(0);
  double sum = 0;
  std::string_view rest = text;
  if (rest.empty()) return fail();
  while (!rest.empty()) {
    double number = 0;
    const auto [end, code] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    if (code != std::errc() || number < 0) return fail();
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    const std::size_t letters = std::min(rest.find_first_of("0123456789."), rest.size());
    const auto unit = std::find_if(std::begin(kDurationUnits), std::end(kDurationUnits),
                                   [&](const DurationUnit& u) { return u.name == rest.substr(0, letters); });
    if (unit == std::end(kDurationUnits)) return fail();
    sum += number * static_cast<double>(unit->milliseconds);
    rest.remove_prefix(letters);
  }
  if (!(sum <= 9e15)) return fail();
  return std::chrono::milliseconds(static_cast<std::int64_t>(sum));
}

std::string duration_text(std::chrono::milliseconds duration) {
  for (const auto& unit : {DurationUnit{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1000}}) {
    if (duration.count() > 0 && duration.count() % unit.milliseconds == 0)
      return fmt::format("{}{}", duration.count() / unit.milliseconds, unit.name);
  }
  return fmt::format("{}ms", duration.count());
}

std::string environment_name(std::string_view option) {
  std::string name = "LOGBOOM_";
  for (const char c : option) name += c == '.' || c == '-' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
  return name;
}

Settings::Settings(OptionTable table) : table_(std::move(table)) {
  for (const OptionSpec& option : table_) {
    LB_CHECK(validate(option, option.fallback).ok());
    values_[option.name] = {option.fallback, "default"};
  }
}

const OptionSpec* Settings::spec(std::string_view name) const {
  const auto found = std::find_if(table_.begin(), table_.end(), [&](const OptionSpec& s) { return s.name == name; });
  return found == table_.end() ? nullptr : &*found;
}

Status Settings::set(std::string_view name, std::string_view text, std::string_view origin) {
  const OptionSpec* option = spec(name);
  if (!option) {
    std::vector<std::string> names;
    for (const OptionSpec& s : table_) names.push_back(s.name);
    const std::string near = nearest_name(name, names);
    return Error(
        ErrorCode::kInvalidArgument,
        fmt::format("there is no setting '{}'{}", name, near.empty() ? "" : fmt::format("; did you mean '{}'?", near)));
  }
  LB_TRY(validate(*option, text));
  values_[option->name] = {std::string(text), std::string(origin)};
  return {};
}

void Settings::read_yaml(const std::string& file, std::string_view text, const YamlNode& root,
                         const std::vector<std::string>& ignored, std::vector<Problem>& problems) {
  if (root.kind == YamlNode::Kind::kNull) return;
  if (root.kind != YamlNode::Kind::kMap) {
    problems.push_back(problem_at(file, text, root, "expected 'name: value' lines", "see `logboom config init`"));
    return;
  }
  read_node(file, text, "", root, ignored, problems);
}

void Settings::read_node(const std::string& file, std::string_view text, const std::string& prefix,
                         const YamlNode& node, const std::vector<std::string>& ignored,
                         std::vector<Problem>& problems) {
  for (const auto& [key, value] : node.map) {
    const std::string name = prefix + key.scalar;
    if (std::find(ignored.begin(), ignored.end(), name) != ignored.end()) continue;
    const bool section =
        std::any_of(table_.begin(), table_.end(), [&](const OptionSpec& s) { return s.name.starts_with(name + "."); });
    if (value.kind == YamlNode::Kind::kMap && section) {
      read_node(file, text, name + ".", value, ignored, problems);
    } else if (const OptionSpec* option = spec(name);
               option && option->type == OptionType::kList && value.kind == YamlNode::Kind::kList) {
      std::string joined;
      for (const YamlNode& item : value.list) joined += (joined.empty() ? "" : ", ") + item.scalar;
      Status status = set(name, joined, fmt::format("{}:{}", file, key.line));
      if (!status.ok()) problems.push_back(problem_at(file, text, value, status.error().message()));
    } else if (value.kind == YamlNode::Kind::kList || value.kind == YamlNode::Kind::kMap) {
      problems.push_back(problem_at(file, text, key, fmt::format("'{}' is unknown or takes one plain value", name)));
    } else if (value.kind != YamlNode::Kind::kNull) {
      Status status = set(name, value.scalar, fmt::format("{}:{}", file, key.line));
      if (!status.ok()) problems.push_back(problem_at(file, text, spec(name) ? value : key, status.error().message()));
    }
  }
}

void Settings::read_environment(const std::function<const char*(const std::string&)>& lookup,
                                std::vector<Problem>& problems) {
  for (const OptionSpec& option : table_) {
    const std::string name = environment_name(option.name);
    const char* text = lookup(name);
    if (!text) continue;
    if (Status status = set(option.name, text, name); !status.ok()) {
      problems.push_back({"environment " + name, 0, 0, "", status.error().message(), "", false});
    }
  }
}

const SettingValue& Settings::value(std::string_view name) const {
  const auto found = values_.find(name);
  LB_CHECK(found != values_.end());
  return found->second;
}

std::vector<std::string> Settings::list(std::string_view name) const {
  std::vector<std::string> items;
  for (const std::string_view item : split_list(text(name))) {
    if (!item.empty()) items.emplace_back(item);
  }
  return items;
}

ByteSize Settings::size(std::string_view name) const {
  return *ByteSize::parse(text(name));
}
std::chrono::milliseconds Settings::duration(std::string_view name) const {
  return *parse_duration(text(name));
}
std::int64_t Settings::integer(std::string_view name) const {
  return *parse_integer(text(name));
}
bool Settings::boolean(std::string_view name) const {
  return *parse_boolean(text(name));
}

}  // namespace logboom::config
