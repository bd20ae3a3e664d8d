#include "transport/sample_message.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "http/json.h"
#include "http/json_reading.h"
#include "parse/time.h"

namespace logboom::transport {
namespace {

using nlohmann::json;

constexpr int kDepth = 3;
constexpr std::size_t kMaxName = 256;
constexpr std::size_t kMaxText = 4096;
constexpr std::size_t kMaxTags = 32;
constexpr std::size_t kMaxFields = 256;

// The shortest text that reads back as the same double, and as a double.
std::string double_text(double value) {
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

void write_field(http::JsonWriter& out, const SampleField& field) {
  if (const auto* number = std::get_if<double>(&field.value)) {
    if (std::isfinite(*number)) out.key(field.name).raw(double_text(*number));
  } else if (const auto* whole = std::get_if<std::int64_t>(&field.value)) {
    out.field(field.name, *whole);
  } else if (const auto* truth = std::get_if<bool>(&field.value)) {
    out.field(field.name, *truth);
  } else {
    out.field(field.name, std::get<std::string>(field.value));
  }
}

Error wrong(const std::string& member, std::string_view expected) {
  return Error(ErrorCode::kInvalidArgument, fmt::format("a sample's {}: expected {}", member, expected));
}

bool is_text(std::string_view text, std::size_t most) {
  return text.size() <= most &&
         std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

// A name or a tag's value.
bool is_name(std::string_view text) {
  return !text.empty() && is_text(text, kMaxName);
}

// The text of a member; one that may be missing is empty then.
Result<std::string> text_of(const json& object, const char* name, bool required) {
  const auto at = object.find(name);
  if (at == object.end() && !required) return std::string();
  if (at == object.end() || !at->is_string() || (required && !is_name(at->get_ref<const std::string&>())) ||
      !is_text(at->get_ref<const std::string&>(), kMaxName))
    return wrong(name, "a text of at most 256 bytes without control characters");
  return at->get<std::string>();
}

Status read_tags(const json& object, Sample& sample) {
  const auto tags = object.find("tags");
  if (tags == object.end()) return ok_status();
  if (!tags->is_object() || tags->size() > kMaxTags) return wrong("tags", "an object of at most 32 texts");
  for (const auto& [name, value] : tags->items()) {  // the library keeps them sorted, each once
    if (!is_name(name) || name == "host" || !value.is_string() || !is_name(value.get_ref<const std::string&>()))
      return wrong("tags", "names other than host with texts of 1 to 256 bytes, no control characters");
    sample.tags.push_back({name, value.get<std::string>()});
  }
  return ok_status();
}

Result<FieldValue> value_of(const json& value) {
  if (value.is_boolean()) return FieldValue(value.get<bool>());
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX))
    return wrong("fields", "whole numbers up to 9223372036854775807");
  if (value.is_number_integer()) return FieldValue(value.get<std::int64_t>());
  if (value.is_number_float() && std::isfinite(value.get<double>())) return FieldValue(value.get<double>());
  if (value.is_string() && is_text(value.get_ref<const std::string&>(), kMaxText))
    return FieldValue(value.get<std::string>());
  return wrong("fields", "finite numbers, truth values, and texts of at most 4096 bytes without control characters");
}

Status read_fields(const json& object, Sample& sample) {
  const auto fields = object.find("fields");
  if (fields == object.end() || !fields->is_object() || fields->empty() || fields->size() > kMaxFields)
    return wrong("fields", "an object of 1 to 256 values");
  for (const auto& [name, value] : fields->items()) {
    if (!is_name(name)) return wrong("fields", "names of 1 to 256 bytes without control characters");
    LB_ASSIGN(FieldValue read, value_of(value));
    sample.fields.push_back({name, std::move(read)});
  }
  return ok_status();
}

}  // namespace

std::string sample_message(const SampleBatch& batch, const Sample& sample) {
  std::string text;
  http::JsonWriter out(text);
  out.open_object().field("@timestamp", parse::format_time_utc(sample.time)).field("measurement", sample.measurement);
  out.field("host.name", batch.host);
  if (!batch.host_ip.empty()) out.field("host.ip", batch.host_ip);
  out.field("topic", batch.topic);
  if (!sample.tags.empty()) {
    out.key("tags").open_object();
    for (const SampleTag& tag : sample.tags) out.field(tag.name, tag.value);
    out.close_object();
  }
  out.key("fields").open_object();
  for (const SampleField& field : sample.fields) write_field(out, field);
  out.close_object().close_object();
  return text;
}

Result<SampleBatch> read_sample_message(std::string_view text) {
  if (text.size() > kMaxSampleMessage) return wrong("message", "at most 262144 bytes");
  const json object = http::parse_json(text, kDepth);
  if (!object.is_object()) return wrong("message", "a JSON object");
  SampleBatch batch;
  Sample sample;
  LB_ASSIGN(sample.measurement, text_of(object, "measurement", true));
  LB_ASSIGN(batch.host, text_of(object, "host.name", true));
  LB_ASSIGN(batch.host_ip, text_of(object, "host.ip", false));
  LB_ASSIGN(batch.topic, text_of(object, "topic", false));
  LB_ASSIGN(const std::string stamp, text_of(object, "@timestamp", true));
  const auto time = stamp.ends_with('Z') ? parse::parse_time(stamp, {}) : std::nullopt;
  if (!time) return wrong("@timestamp", "a time as in 2026-11-20T14:31:58Z");
  sample.time = *time;
  LB_TRY(read_tags(object, sample));
  LB_TRY(read_fields(object, sample));
  batch.samples.push_back(std::move(sample));
  return batch;
}

std::string sample_lines(const SampleBatch& batch) {
  std::string text;
  for (const Sample& sample : batch.samples) text += sample_message(batch, sample) + "\n";
  return text;
}

Result<std::vector<SampleBatch>> read_sample_lines(std::string_view text) {
  if (text.size() > kMaxSampleLines) return wrong("lines", "at most 16777216 bytes");
  std::vector<SampleBatch> batches;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    auto one = read_sample_message(text.substr(0, end));
    if (!one.ok()) return one.error().with_context(fmt::format("line {}", number));
    text.remove_prefix(std::min(end + 1, text.size()));
    const bool same = !batches.empty() && batches.back().host == one->host && batches.back().host_ip == one->host_ip &&
                      batches.back().topic == one->topic;
    if (same) {
      batches.back().samples.push_back(std::move(one->samples.front()));
    } else {
      batches.push_back(std::move(*one));
    }
  }
  return batches;
}

}  // namespace logboom::transport
