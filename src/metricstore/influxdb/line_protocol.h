// Line protocol, as both InfluxDB 1.x and 2.x read it: names and values escaped, and back. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "record/sample.h"

namespace logboom::metricstore::influxdb {

// Why InfluxDB cannot hold the name of a tag or field, or empty.
std::string_view reserved_problem(std::string_view name);

// "cpu,cpu=0,host=web-01 " : everything before the fields.
std::string line_head(const std::string& host, const std::string& ip, const Sample& sample);
// "used=12.5"
std::string line_field(const SampleField& field);
// The head, these fields, the time and a line end.
std::string line_of(std::string_view head, const std::vector<std::string>& fields, TimeNs time);

// A name or value as the server gives it back.
std::string restored(std::string_view text);
// What the server holds for a name or value; the same unless it has one of the characters that cannot be written.
std::string as_stored(std::string_view text, bool measurement);

// Of InfluxQL: "name" in double quotes, 'text' in single quotes.
std::string quoted_name(std::string_view name);
std::string quoted_text(std::string_view text);
// A pattern of TagFilter as a regular expression between slashes that matches the whole value.
std::string pattern_regex(std::string_view pattern);

}  // namespace logboom::metricstore::influxdb
