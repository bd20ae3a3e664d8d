// Rows, statistics and cursors as JSON (docs/reference/api.md, "Row").
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/json.h"
#include "logstore/log_searcher.h"
#include "parse/fields.h"

namespace logboom::server {

// Not thread-safe (it keeps parser buffers); one per request.
class RowWriter {
 public:
  // `text_limit` 0: whole texts.
  RowWriter(std::size_t text_limit, bool parse) : text_limit_(text_limit), parse_(parse) {}
  void write(http::JsonWriter& out, const logstore::Row& row);
  void write_all(http::JsonWriter& out, const std::vector<logstore::Row>& rows);

 private:
  void write_text(http::JsonWriter& out, const logstore::Row& row) const;
  void write_parsed(http::JsonWriter& out, const logstore::Row& row);
  const std::size_t text_limit_;
  const bool parse_;
  parse::FieldParser parser_;
};

std::string row_id(const logstore::Row& row);
// A row's text as people see it: of UTF-16 what it says, in `buffer`; else its bytes.
std::string_view shown_text(const logstore::Row& row, std::string& buffer);
std::string_view format_name(Format format);
std::string_view time_origin_name(TimeOrigin origin);

// 88 hex digits: time, source, epoch, offset, channel.
std::string encode_cursor(const logstore::RowKey& key);
std::optional<logstore::RowKey> decode_cursor(std::string_view text);

void write_stats(http::JsonWriter& out, const logstore::SearchStats& stats);
void write_buckets(http::JsonWriter& out, const std::vector<logstore::HistogramBucket>& buckets);
void write_values(http::JsonWriter& out, const std::vector<logstore::ValueCount>& values);
// {"code", "message"}: without what must not leave (paths, secrets).
void write_error(http::JsonWriter& out, const Error& error);

}  // namespace logboom::server
