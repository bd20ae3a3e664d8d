// Lists as people write them in one line: items with commas between them.
#pragma once

#include <string_view>
#include <vector>

namespace logboom::config {

// Without the white space around it (spaces and tabs, and the CR of a line's end).
std::string_view trimmed(std::string_view text);

// The items in their order, trimmed; views into `text`. Empty ones between commas are kept, a comma at the end adds
// none, and nothing has no items.
std::vector<std::string_view> split_list(std::string_view text);

}  // namespace logboom::config
