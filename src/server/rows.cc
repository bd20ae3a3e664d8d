#include "server/rows.h"

#include <array>
#include <charconv>

#include <fmt/format.h>

#include "http/message.h"
#include "parse/fields.h"
#include "parse/utf16.h"

namespace logboom::server {
namespace {

struct ValueKind {
  std::string_view operator()(std::monostate) const { return "null"; }
  std::string_view operator()(bool) const { return "bool"; }
  std::string_view operator()(std::int64_t) const { return "number"; }
  std::string_view operator()(std::uint64_t) const { return "number"; }
  std::string_view operator()(double) const { return "number"; }
  std::string_view operator()(const std::string&) const { return "string"; }
};

// The longest prefix of at most `limit` bytes that does not end inside a UTF-8 character.
std::string_view cut_at_character(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return text;
  std::size_t end = limit;
  while (end > 0 && limit - end < 4 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  const bool is_continuation = (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80;
  return text.substr(0, is_continuation ? limit : end);
}

}  // namespace

std::string_view time_origin_name(TimeOrigin origin) {
  switch (origin) {
    case TimeOrigin::kParsed:
      return "parsed";
    case TimeOrigin::kPredecessor:
      return "predecessor";
    case TimeOrigin::kArrival:
      return "arrival";
  }
  return "";
}

std::string_view format_name(Format format) {
  switch (format) {
    case Format::kText:
      return "text";
    case Format::kJson:
      return "json";
    case Format::kUtf16Le:
      return "utf-16le";
    case Format::kUtf16Be:
      return "utf-16be";
  }
  return "";
}

// A record of a batch of JSON need not be an object.
Format format_of(const logstore::Row& row) {
  return row.format == Format::kJson && !parse::may_be_object(row.text) ? Format::kText : row.format;
}

std::string_view shown_text(const logstore::Row& row, std::string& buffer) {
  if (!is_utf16(row.format)) return row.text;
  return buffer = parse::decode_utf16(row.text, row.format, row.offset);
}

std::string row_id(const logstore::Row& row) {
  std::string id = fmt::format("{}.{}.{}", row.source.to_hex(), row.epoch, row.offset);
  return row.channel == "logs" ? id : id + "." + row.channel;
}

void RowWriter::write_text(http::JsonWriter& out, const logstore::Row& row) const {
  std::string decoded;
  const std::string_view whole = shown_text(row, decoded);
  const std::string_view text = text_limit_ > 0 ? cut_at_character(whole, text_limit_) : whole;
  out.key("text").string(text);
  if (!http::is_utf8(text)) out.field("raw", http::base64(text));
  out.field("bytes", std::uint64_t{row.text.size()});
  if (text.size() < whole.size()) out.field("truncated", true);
}

void RowWriter::write_parsed(http::JsonWriter& out, const logstore::Row& row) {
  out.key("parsed").open_array();
  for (const auto& field : parser_.fields(row.format, row.text)) {
    out.open_object().bytes_field("name", field.name).bytes_field("value", parse::to_text(field.value));
    out.field("type", std::visit(ValueKind(), field.value)).close_object();
  }
  out.close_array();
}

void RowWriter::write(http::JsonWriter& out, const logstore::Row& row) {
  out.open_object().field("id", row_id(row)).field("source", row.source.to_hex()).field("epoch", row.epoch);
  out.field("offset", row.offset).key("time").time(row.time).field("time_origin", time_origin_name(row.time_origin));
  out.field("level", level_name(row.level)).bytes_field("host", row.host).bytes_field("file", row.path);
  out.field("topic", row.channel).field("format", format_name(format_of(row)));
  out.field("lines", row.lines).field("commit", row.commit);
  write_text(out, row);
  if (row.flags & Record::kFragment) out.field("fragment", true);
  if (row.flags & Record::kContinuation) out.field("continuation", true);
  if (row.flags & Record::kBinary) out.field("binary", true);
  if (!row.fields.empty()) {
    out.key("fields").open_object();
    for (const auto& [name, value] : row.fields) out.field(name, value);
    out.close_object();
  }
  if (parse_) write_parsed(out, row);
  out.field("cursor", encode_cursor(logstore::key_of(row))).close_object();
}

void RowWriter::write_all(http::JsonWriter& out, const std::vector<logstore::Row>& rows) {
  out.open_array();
  for (const auto& row : rows) write(out, row);
  out.close_array();
}

std::string encode_cursor(const logstore::RowKey& key) {
  return fmt::format("{:016x}{}{:08x}{:016x}{:016x}", static_cast<std::uint64_t>(key.time), key.source.to_hex(),
                     key.epoch, key.offset, key.channel);
}

std::optional<logstore::RowKey> decode_cursor(std::string_view text) {
  if (text.size() != 88) return std::nullopt;
  const auto hex = [](std::string_view digits, auto& value) {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    return error == std::errc() && end == digits.data() + digits.size();
  };
  logstore::RowKey key;
  std::uint64_t time = 0;
  const auto source = SourceId::from_hex(text.substr(16, 32));
  if (!source || !hex(text.substr(0, 16), time) || !hex(text.substr(48, 8), key.epoch) ||
      !hex(text.substr(56, 16), key.offset) || !hex(text.substr(72), key.channel)) {
    return std::nullopt;
  }
  key.time = static_cast<TimeNs>(time);
  key.source = *source;
  return key;
}

void write_stats(http::JsonWriter& out, const logstore::SearchStats& stats) {
  out.open_object().field("records", stats.records).field("lines", stats.lines).field("exact", stats.exact);
  out.field("partial", stats.partial).field("blocks_total", stats.blocks_total).field("blocks_read", stats.blocks_read);
  out.field("bytes_read", stats.bytes_read)
      .field("rows_scanned", stats.rows_scanned)
      .field("damaged_blocks", stats.damaged_blocks);
  out.key("searched_back_to");
  stats.searched_back_to == INT64_MIN ? out.null() : out.time(stats.searched_back_to);
  out.key("elapsed").time(stats.elapsed.count()).close_object();
}

void write_buckets(http::JsonWriter& out, const std::vector<logstore::HistogramBucket>& buckets) {
  out.open_array();
  for (const auto& bucket : buckets) {
    out.open_object().key("start").time(bucket.start).key("counts").open_array();
    for (const std::uint64_t count : bucket.counts) out.number(count);
    out.close_array().close_object();
  }
  out.close_array();
}

void write_values(http::JsonWriter& out, const std::vector<logstore::ValueCount>& values) {
  out.open_array();
  for (const auto& value : values) {
    out.open_object().bytes_field("value", value.value).field("count", value.count).close_object();
  }
  out.close_array();
}

void write_error(http::JsonWriter& out, const Error& error) {
  const auto refusal = http::to_refusal(error);
  out.open_object().field("code", refusal.code).field("message", refusal.message).close_object();
}

}  // namespace logboom::server
