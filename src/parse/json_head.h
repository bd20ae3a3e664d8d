// Finds the time and the level of a JSON record at ingest speed: walks the top-level members and stops when it has
// both. Nested values and strings are stepped over, so text that only looks like a member is none. Internal to
// annotate().
#pragma once

#include <optional>
#include <string_view>

#include "parse/time.h"
#include "record/batch.h"

namespace logboom::parse {

struct JsonHead {
  std::optional<TimeNs> time;  // of the first of @timestamp, timestamp, time, ts, t, date that holds one
  Level level = Level::kNone;  // of the first of level, severity, log.level, lvl, loglevel that holds one
};

// nullopt when the text is no JSON object as far as it had to be looked at.
std::optional<JsonHead> scan_json_head(std::string_view text, const TimeContext& context, TimeHint& hint);

}  // namespace logboom::parse
