#include "logstore/query/shown_text.h"

#include "parse/utf16.h"

namespace logboom::logstore::query {

void show_as_text(RecordView& view, std::uint64_t offset, std::string& buffer) {
  if (!is_utf16(view.format)) return;
  buffer = parse::decode_utf16(view.text, view.format, offset);
  view.text = buffer;
}

}  // namespace logboom::logstore::query
