// Records that may be JSON: all fields, each one by name, the head scan, escaped strings and detection agree and stay
// inside.
#include <string_view>

#include "base/check.h"
#include "parse/fields.h"
#include "parse/json_head.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace logboom;
  using namespace logboom::parse;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  FieldParser parser;
  const auto fields = parser.fields(Format::kJson, text);
  LB_CHECK(fields.size() <= kMaxFields + 1);
  std::size_t checked = 0;
  for (const Field& field : fields) {
    if (++checked > 16) break;
    const auto one = parser.field(Format::kJson, text, field.name);
    LB_CHECK(one && *one == field.value);
  }
  std::size_t decoded = 0;
  for_each_escaped_string(text, [&](std::string_view value) { decoded += value.size(); });
  LB_CHECK(decoded <= size);
  TimeHint hint;
  JsonHead head;
  const bool is_object = scan_json_head(text, TimeContext(), hint, head);
  // What parses as an object is one for the head scan as well.
  LB_CHECK(fields.empty() || is_object || text.starts_with('\xef'));
  (void)detect_format(text);
  return 0;
}
