// Where the value of a field stands in the lines of one template, when these are JSON: then a block asks the columns
// that stand there instead of parsing every line.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "logstore/embedded/block/text_form.h"
#include "parse/fields.h"

namespace logboom::logstore::embedded {

struct JsonPlace {
  bool absent = false;  // no line of the template has the field
  // Else its JSON text is [begin, end) of the form's example, in every line.
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
};

// nullopt where that is not certain: the lines have to be parsed. Certain it is when the example is a valid record and
// no variable can hold a byte that would change which members a line has.
Result<std::optional<JsonPlace>> find_json_place(const TextForm& form, std::string_view field,
                                                 parse::FieldParser& parser);

}  // namespace logboom::logstore::embedded
