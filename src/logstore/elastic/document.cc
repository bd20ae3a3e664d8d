#include "logstore/elastic/document.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "http/json.h"
#include "io/hashing.h"
#include "parse/ecs.h"

namespace logboom::logstore::elastic {
namespace {

using http::JsonWriter;

struct Share {
  std::uint32_t begin = 0;  // in the batch's buffer
  std::uint32_t end = 0;    // with the tail
  std::uint32_t tail = 0;
};

Share share_of(const Batch& batch, std::size_t index) {
  const Record& record = batch.records[index];
  Share share{record.begin - record.blank, record.end(), 0};
  if (index + 1 == batch.records.size()) share.tail = tail_of(batch);
  share.end += share.tail;
  return share;
}

std::string_view bytes_of(const Batch& batch, const Share& share) {
  return std::string_view(batch.bytes).substr(share.begin, share.end - share.begin);
}

// Values of strings written with escapes: an index over the text alone would miss them.
void write_escaped(JsonWriter& w, const Batch& batch, std::string_view text) {
  if (batch.format != Format::kJson || text.find('\\') == std::string_view::npos) return;
  std::string all;
  parse::for_each_escaped_string(text, [&](std::string_view value) { all += std::string(value) + '\n'; });
  if (!all.empty()) w.field("logboom.escaped", all);
}

void write_labels(JsonWriter& w, const Batch& batch) {
  if (batch.fields.empty()) return;
  w.key("logboom.labels").open_array();
  for (const auto& [name, value] : batch.fields) w.string(name);
  w.close_array();
  w.key("logboom.constants").open_array();
  for (const auto& [name, value] : batch.fields) w.open_array().string(name).string(value).close_array();
  w.close_array();
}

std::string text_of(const nlohmann::json& source, const char* name) {
  const auto at = source.find(name);
  return at != source.end() && at->is_string() ? at->get<std::string>() : std::string();
}

std::uint64_t number_of(const nlohmann::json& source, const char* name) {
  const auto at = source.find(name);
  return at != source.end() && at->is_number_integer() ? at->get<std::uint64_t>() : 0;
}

std::string bytes_of(const nlohmann::json& source, const char* name) {
  auto bytes = http::from_base64(text_of(source, name));
  return bytes.ok() ? std::move(*bytes) : std::string();
}

}  // namespace

std::string document_id(const SourceId& source, std::uint32_t epoch, std::uint64_t offset, std::string_view channel) {
  return fmt::format("{}.{}.{}.{:016x}", source.to_hex(), epoch, offset, channel_key(channel));
}

std::uint32_t tail_of(const Batch& batch) {
  if (batch.records.empty()) return 0;
  const std::uint32_t end = batch.records.back().end();
  return batch.drops.empty() || batch.drops.back().end <= end ? batch.trailing_blank : 0;
}

std::string_view blank_rest(const Batch& batch) {
  if (tail_of(batch) == batch.trailing_blank) return {};
  return std::string_view(batch.bytes).substr(batch.bytes.size() - batch.trailing_blank);
}

std::string content_hash(const Batch& batch, std::size_t record) {
  const Record& of = batch.records[record];
  return xxh3_128(std::string_view(batch.bytes).substr(of.begin, of.end() - of.begin)).to_hex();
}

void DocumentWriter::add(const Batch& batch, std::size_t index, const std::string& name, std::uint64_t commit,
                         bool plain, std::string& out) {
  const Record& record = batch.records[index];
  const Share share = share_of(batch, index);
  const std::string_view text = batch.text(record);
  JsonWriter action(out);
  action.open_object().key("create").open_object().field("_index", name);
  action.field("_id", document_id(batch.source, batch.epoch, batch.offset(record), batch.channel));
  action.close_object().close_object();
  out += '\n';
  JsonWriter w(out);
  w.open_object();
  parse::write_ecs(w, batch, record, text, !plain);
  if (!plain) parse::write_ecs_fields(w, fields_.fields(batch.format, text));
  w.field("logboom.source", batch.source.to_hex()).field("logboom.epoch", batch.epoch);
  w.field("logboom.channel", fmt::format("{:016x}", channel_key(batch.channel)));
  w.field("logboom.time", std::int64_t{record.time}).field("logboom.commit", commit);
  w.field("logboom.begin", batch.begin + share.begin).field("logboom.end", batch.begin + share.end);
  w.field("logboom.lines", record.lines).field("logboom.flags", std::uint32_t{record.flags});
  w.field("logboom.format", static_cast<std::uint32_t>(batch.format));
  w.field("logboom.origin", static_cast<std::uint32_t>(record.time_origin));
  w.field("logboom.rule", batch.rule).field("logboom.hash", content_hash(batch, index));
  if (record.blank > 0) w.field("logboom.blank", http::base64(bytes_of(batch, share).substr(0, record.blank)));
  if (share.tail > 0) {
    const std::string_view bytes = bytes_of(batch, share);
    w.field("logboom.tail", http::base64(bytes.substr(bytes.size() - share.tail)));
  }
  if (!http::is_utf8(batch.state.path)) w.field("logboom.path", http::base64(batch.state.path));
  write_escaped(w, batch, text);
  write_labels(w, batch);
  w.close_object();
  out += '\n';
}

std::string bytes_of(const StoredRecord& record) {
  return record.blank + record.row.text + (record.terminated() ? "\n" : "") + record.tail;
}

const std::vector<std::string>& document_members() {
  static const std::vector<std::string> members{
      "message",      "logboom.raw",    "log.level",     "log.file.path",  "log.offset",       "host.name",
      "topic",        "logboom.source", "logboom.epoch", "logboom.time",   "logboom.commit",   "logboom.begin",
      "logboom.end",  "logboom.lines",  "logboom.flags", "logboom.format", "logboom.origin",   "logboom.rule",
      "logboom.hash", "logboom.blank",  "logboom.tail",  "logboom.path",   "logboom.constants"};
  return members;
}

Result<StoredRecord> read_document(const nlohmann::json& source) {
  const auto id = Hash128::from_hex(text_of(source, "logboom.source"));
  if (!id) return Error(ErrorCode::kCorrupt, "cannot read a document: it has no logboom.source");
  StoredRecord stored;
  Row& row = stored.row;
  row.source = *id;
  row.epoch = static_cast<std::uint32_t>(number_of(source, "logboom.epoch"));
  row.offset = number_of(source, "log.offset");
  const auto time = source.find("logboom.time");
  row.time = time != source.end() && time->is_number_integer() ? time->get<std::int64_t>() : 0;
  row.time_origin = static_cast<TimeOrigin>(std::min<std::uint64_t>(number_of(source, "logboom.origin"), 2));
  row.level = level_from_name(text_of(source, "log.level")).value_or(Level::kNone);
  row.format =
      static_cast<Format>(std::min(number_of(source, "logboom.format"), static_cast<std::uint64_t>(kLastFormat)));
  row.flags = static_cast<std::uint8_t>(number_of(source, "logboom.flags"));
  row.lines = static_cast<std::uint32_t>(number_of(source, "logboom.lines"));
  row.commit = number_of(source, "logboom.commit");
  row.host = text_of(source, "host.name");
  row.path = source.contains("logboom.path") ? bytes_of(source, "logboom.path") : text_of(source, "log.file.path");
  row.channel = text_of(source, "topic");
  row.text = source.contains("logboom.raw") ? bytes_of(source, "logboom.raw") : text_of(source, "message");
  if (const auto labels = source.find("logboom.constants"); labels != source.end() && labels->is_array()) {
    for (const auto& pair : *labels) {
      if (pair.is_array() && pair.size() == 2 && pair[0].is_string() && pair[1].is_string())
        row.fields.emplace_back(pair[0].get<std::string>(), pair[1].get<std::string>());
    }
  }
  stored.rule = text_of(source, "logboom.rule");
  stored.begin = number_of(source, "logboom.begin");
  stored.end = number_of(source, "logboom.end");
  stored.blank = bytes_of(source, "logboom.blank");
  stored.tail = bytes_of(source, "logboom.tail");
  stored.hash = text_of(source, "logboom.hash");
  return stored;
}

}  // namespace logboom::logstore::elastic
