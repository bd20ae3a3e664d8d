// A record as JSON members named as ECS has them: the messages and documents other programs read
// (docs/formats/kafka.md, docs/formats/document.md).
#pragma once

#include <string_view>
#include <vector>

#include "http/json.h"
#include "parse/fields.h"
#include "record/batch.h"

namespace logboom::parse {

// Members of the open object: time, text, level, file and offset, host, topic, and with `labels` the constant fields of
// the rule. `text` is the record's; where `message` cannot hold its bytes (no UTF-8), logboom.raw has them in base64.
void write_ecs(http::JsonWriter& json, const Batch& batch, const Record& record, std::string_view text,
               bool labels = true);
// The parsed fields: integers and truth values as such, everything else as text.
void write_ecs_fields(http::JsonWriter& json, const std::vector<Field>& fields);

}  // namespace logboom::parse
