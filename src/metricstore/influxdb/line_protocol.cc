#include "metricstore/influxdb/line_protocol.h"

#include <algorithm>

#include <fmt/format.h>

namespace logboom::metricstore::influxdb {
namespace {

constexpr std::string_view kBackslash = "\xef\xbc\xbc";  // U+FF3C
constexpr std::string_view kHash = "\xef\xbc\x83";       // U+FF03

std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string out;
  for (std::size_t at = 0;;) {
    const std::size_t found = text.find(from, at);
    out += text.substr(at, found - at);
    if (found == std::string_view::npos) return out;
    out += to;
    at = found + from.size();
  }
}

// The stored text with a backslash before every character that would end it.
std::string escaped(std::string_view stored) {
  std::string out;
  for (const char c : stored) {
    if (c == ',' || c == ' ' || c == '=') out += '\\';
    out += c;
  }
  return out;
}

std::string value_text(const FieldValue& value) {
  if (const auto* number = std::get_if<double>(&value)) return fmt::format("{}", *number);
  if (const auto* number = std::get_if<std::int64_t>(&value)) return fmt::format("{}i", *number);
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  std::string out = "\"";
  for (const char c : std::get<std::string>(value)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

}  // namespace

std::string_view reserved_problem(std::string_view name) {
  return name == "time" ? "is a name that InfluxDB keeps for itself" : std::string_view();
}

std::string as_stored(std::string_view text, bool measurement) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool before_special =
        i + 1 == text.size() || std::string_view(",= \\\"").find(text[i + 1]) != std::string_view::npos;
    if (text[i] == '\\' && before_special) {
      out += kBackslash;
    } else if (text[i] == '#' && i == 0 && measurement) {
      out += kHash;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string restored(std::string_view text) {
  return replaced(replaced(text, kBackslash, "\\"), kHash, "#");
}

std::string line_head(const std::string& host, const std::string& ip, const Sample& sample) {
  std::vector<SampleTag> tags = sample.tags;
  tags.push_back({"host", host});
  if (!ip.empty()) tags.push_back({"ip", ip});
  std::sort(tags.begin(), tags.end());
  // An equals sign needs no escape in a measurement, and would keep its backslash there.
  std::string head;
  for (const char c : as_stored(sample.measurement, true)) {
    if (c == ',' || c == ' ') head += '\\';
    head += c;
  }
  for (const SampleTag& tag : tags)
    head += "," + escaped(as_stored(tag.name, false)) + "=" + escaped(as_stored(tag.value, false));
  return head + " ";
}

std::string line_field(const SampleField& field) {
  return escaped(as_stored(field.name, false)) + "=" + value_text(field.value);
}

std::string line_of(std::string_view head, const std::vector<std::string>& fields, TimeNs time) {
  std::string line(head);
  for (const std::string& field : fields) line += (line.size() > head.size() ? "," : "") + field;
  return line + fmt::format(" {}\n", time);
}

std::string quoted_name(std::string_view name) {
  return "\"" + replaced(replaced(name, "\\", "\\\\"), "\"", "\\\"") + "\"";
}

std::string quoted_text(std::string_view text) {
  return "'" + replaced(replaced(text, "\\", "\\\\"), "'", "\\'") + "'";
}

std::string pattern_regex(std::string_view pattern) {
  std::string out = "/^(?s:";
  for (const char c : pattern) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       static_cast<unsigned char>(c) >= 0x80;
    if (c == '*') {
      out += ".*";
    } else if (c == '?') {
      out += '.';
    } else if (plain) {
      out += c;
    } else {
      out += fmt::format("\\x{:02x}", static_cast<unsigned>(c));
    }
  }
  return out + ")$/";
}

}  // namespace logboom::metricstore::influxdb
