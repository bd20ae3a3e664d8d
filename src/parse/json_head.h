// Finds the time and the level of a JSON record at ingest speed: walks the top-level members and stops when it has
// both. Nested values and strings are stepped over, so text that only looks like a member is none. Internal to
// annotate().
#pragma once

#include <string_view>

#include "parse/time.h"
#include "record/batch.h"

namespace logboom::parse {

struct JsonHead {
  bool has_time = false;
  TimeNs time = 0;             // of the first of @timestamp, timestamp, time, ts, t, date that holds one
  Level level = Level::kNone;  // of the first of level, severity, log.level, lvl, loglevel that holds one
};

// False when the text is no JSON object as far as it had to be looked at; `head` must be fresh. (An out parameter, as
// copying what was just stored piece by piece makes the processor wait.)
bool scan_json_head(std::string_view text, const TimeContext& context, TimeHint& hint, JsonHead& head);

}  // namespace logboom::parse
