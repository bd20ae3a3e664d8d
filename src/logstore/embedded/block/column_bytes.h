// Which bytes the values of a column can hold, from its encoding alone: no row is read.
#pragma once

#include <string_view>

#include "logstore/embedded/block/stored_templates.h"
#include "logstore/query/byte_set.h"

namespace logboom::logstore::embedded {

void add_bytes(std::string_view text, query::ByteSet& set);
// All bytes of these classes (ByteClassBit), capitals too.
const query::ByteSet& bytes_of_classes(std::uint8_t classes);
// All bytes of the column's values, perhaps more.
query::ByteSet column_bytes(const StoredTemplates& templates, const StoredColumn& column);

}  // namespace logboom::logstore::embedded
