#include "logstore/field_values.h"

namespace logboom::logstore {
namespace {

std::optional<std::string> unless_empty(std::string_view text) {
  return text.empty() ? std::nullopt : std::optional(std::string(text));
}

}  // namespace

std::optional<std::string> value_of(const std::string& field, const query::RecordView& record,
                                    query::Matcher::Scratch& scratch) {
  switch (query::origin_of(field)) {
    case query::FieldOrigin::kHost:
      return unless_empty(record.host);
    case query::FieldOrigin::kFile:
      return unless_empty(record.path);
    case query::FieldOrigin::kLevel:
      return unless_empty(level_name(record.level));
    case query::FieldOrigin::kTopic:
      return unless_empty(record.channel);
    case query::FieldOrigin::kSource:
      return record.source.to_hex();
    case query::FieldOrigin::kRule:
      return unless_empty(record.rule);
    case query::FieldOrigin::kParsed:
      break;
  }
  if (record.constants != nullptr) {
    for (const auto& [name, value] : *record.constants) {
      if (name == field) return value;
    }
  }
  const auto value = scratch.fields.field(record.format, record.text, field);
  if (!value || std::holds_alternative<std::monostate>(*value)) return std::nullopt;
  return parse::to_text(*value);
}

void count_values(const std::vector<std::string>& fields, const query::RecordView& record,
                  query::Matcher::Scratch& scratch, Tally& tally) {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const auto value = value_of(fields[i], record, scratch);
    if (value) tally.add_value(i, *value);
  }
}

}  // namespace logboom::logstore
