// What queries see of a record's text: UTF-16 as UTF-8.
#pragma once

#include <cstdint>
#include <string>

#include "logstore/query/matcher.h"

namespace logboom::logstore::query {

// Of a UTF-16 record: puts its text into `buffer` as UTF-8 and lets the view show it; `offset` is that of the text in
// its file. Queries are about the text, rows keep the bytes.
void show_as_text(RecordView& view, std::uint64_t offset, std::string& buffer);

}  // namespace logboom::logstore::query
