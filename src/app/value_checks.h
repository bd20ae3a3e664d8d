// Checks of values that several options have in common; each says what is expected (see config::ValueCheck).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "config/settings.h"
#include "http/url.h"

namespace logboom::app {

// A whole number within these bounds.
config::ValueCheck whole_number(std::int64_t least, std::int64_t most);

// Of every item of a list; else `expected`.
config::ValueCheck each_item(bool (*fits)(std::string_view item), const char* expected);

// Host and port of http:// or https://; nullopt: it is no such URL.
std::optional<http::Authority> authority_of_url(std::string_view url);

}  // namespace logboom::app
