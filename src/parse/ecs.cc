#include "parse/ecs.h"

#include "parse/time.h"
#include "parse/utf16.h"

namespace logboom::parse {
namespace {

void write_value(http::JsonWriter& json, const FieldValue& value) {
  if (std::holds_alternative<std::monostate>(value)) return void(json.null());
  if (const auto* flag = std::get_if<bool>(&value)) return void(json.boolean(*flag));
  if (const auto* number = std::get_if<std::int64_t>(&value)) return void(json.number(*number));
  if (const auto* number = std::get_if<std::uint64_t>(&value)) return void(json.number(*number));
  json.string(to_text(value));
}

void write_text(http::JsonWriter& json, const Batch& batch, const Record& record, std::string_view text) {
  if (is_utf16(batch.format)) {
    json.field("message", decode_utf16(text, batch.format, batch.offset(record)));
    json.field("logboom.raw", http::base64(text));
    return;
  }
  json.field("message", text);
  if (!http::is_utf8(text)) json.field("logboom.raw", http::base64(text));
}

}  // namespace

void write_ecs(http::JsonWriter& json, const Batch& batch, const Record& record, std::string_view text, bool labels) {
  json.field("@timestamp", format_time_utc(record.time));
  write_text(json, batch, record, text);
  if (record.level != Level::kNone) json.field("log.level", level_name(record.level));
  json.field("log.file.path", batch.state.path).field("log.offset", batch.offset(record));
  json.field("host.name", batch.state.host).field("topic", batch.channel);
  for (std::size_t i = 0; labels && i < batch.fields.size(); ++i)
    json.field("labels." + batch.fields[i].first, batch.fields[i].second);
}

void write_ecs_fields(http::JsonWriter& json, const std::vector<Field>& fields) {
  for (const Field& field : fields) {
    json.key("fields." + field.name);
    write_value(json, field.value);
  }
}

}  // namespace logboom::parse
