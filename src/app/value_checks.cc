#include "app/value_checks.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "config/list_text.h"

namespace logboom::app {

config::ValueCheck whole_number(std::int64_t least, std::int64_t most) {
  return [=](std::string_view text) -> std::optional<std::string> {
    std::int64_t value = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    if (read.ec == std::errc() && value >= least && value <= most) return std::nullopt;
    return fmt::format("a whole number from {} to {}", least, most);
  };
}

config::ValueCheck each_item(bool (*fits)(std::string_view item), const char* expected) {
  return [=](std::string_view text) -> std::optional<std::string> {
    if (std::ranges::all_of(config::split_list(text), fits)) return std::nullopt;
    return expected;
  };
}

std::optional<http::Authority> authority_of_url(std::string_view url) {
  if (!url.starts_with("http://") && !url.starts_with("https://")) return std::nullopt;
  url.remove_prefix(url.find("://") + 3);
  auto authority = http::parse_authority(url.substr(0, url.find('/')));
  return authority.ok() ? std::optional(std::move(*authority)) : std::nullopt;
}

}  // namespace logboom::app
