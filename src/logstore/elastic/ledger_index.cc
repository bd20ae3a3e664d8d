#include "logstore/elastic/ledger_index.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "http/json.h"
#include "io/hashing.h"
#include "logstore/elastic/index_template.h"
#include "logstore/elastic/page_size.h"

namespace logboom::logstore::elastic {
namespace {

using http::JsonWriter;

constexpr std::size_t kPage = 500;

std::string index_path(std::string_view what) {
  return fmt::format("/{}/{}", kLedgerIndex, what);
}

// The first line of a document in a bulk request; the document follows. `stream`: with compare-and-set.
void write_action(const std::string& id, const TargetStream* stream, std::string& out) {
  JsonWriter w(out);
  const bool fresh = stream != nullptr && stream->seq_no < 0;
  w.open_object().key(fresh ? "create" : "index").open_object().field("_id", id);
  if (stream != nullptr && !fresh) w.field("if_seq_no", stream->seq_no).field("if_primary_term", stream->primary_term);
  w.close_object().close_object();
  out += '\n';
}

std::string position_id(const Position& position) {
  return fmt::format("p.{}.{:016x}", position.partition, channel_key(position.topic));
}

void write_position(const Position& position, std::string& out) {
  const std::string id = position_id(position);
  write_action(id, nullptr, out);
  JsonWriter w(out);
  w.open_object().field("kind", "position").field("key", id).field("topic", position.topic);
  w.field("partition", std::int64_t{position.partition}).field("offset", position.offset);
  if (position.last.known())
    w.field("last_offset", position.last.offset).field("last_hash", fmt::format("{:016x}", position.last.hash));
  w.close_object();
  out += '\n';
}

Position read_position(const nlohmann::json& source) {
  Position position{source.at("topic").get<std::string>(), source.at("partition").get<std::int32_t>(),
                    source.at("offset").get<std::int64_t>()};
  const auto offset = source.value("last_offset", std::int64_t{-1});
  const auto hash = source.value("last_hash", std::string());
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(hash.data(), hash.data() + hash.size(), value, 16);
  const bool whole = error == std::errc() && end == hash.data() + hash.size();
  if (whole && offset < position.offset) position.last = {offset, value};
  return position;
}

std::string blank_id(const BlankPiece& piece) {
  return fmt::format("b.{}.{}", stream_id(piece.key), piece.begin);
}

void write_blank(const BlankPiece& piece, std::string& out) {
  const std::string id = blank_id(piece);
  write_action(id, nullptr, out);
  JsonWriter w(out);
  w.open_object().field("kind", "blank").field("key", id).field("stream", stream_id(piece.key));
  w.field("begin", piece.begin).field("bytes", http::base64(piece.bytes)).close_object();
  out += '\n';
}

void write_quarantine(const QuarantineEntry& entry, std::string& out) {
  write_action(entry.id, nullptr, out);
  JsonWriter w(out);
  w.open_object().field("kind", "quarantine").field("key", fmt::format("{:020}{}", entry.time, entry.id));
  w.field("source", entry.source.to_hex()).field("epoch", entry.epoch).field("channel", entry.channel);
  w.field("begin", entry.begin).field("end", entry.end).field("reason", entry.reason);
  w.field("time", std::int64_t{entry.time}).field("bytes", http::base64(entry.bytes)).close_object();
  out += '\n';
}

Result<QuarantineEntry> read_quarantine(const nlohmann::json& hit) {
  const auto& source = hit.at("_source");
  QuarantineEntry entry;
  entry.id = hit.at("_id").get<std::string>();
  entry.source = Hash128::from_hex(source.value("source", "")).value_or(Hash128{});
  entry.epoch = source.value("epoch", 0U);
  entry.channel = source.value("channel", "");
  entry.begin = source.value("begin", std::uint64_t{0});
  entry.end = source.value("end", std::uint64_t{0});
  entry.reason = source.value("reason", "");
  entry.time = source.value("time", std::int64_t{0});
  LB_ASSIGN(entry.bytes, http::from_base64(source.value("bytes", "")));
  return entry;
}

// The one member of {"create": {...}} or {"index": {...}}.
const nlohmann::json& outcome_of(const nlohmann::json& item) {
  return item.begin().value();
}

std::string search_body(std::string_view kind, const std::string& filter, std::size_t count,
                        const nlohmann::json& after) {
  std::string body;
  JsonWriter w(body);
  w.open_object().field("size", std::uint64_t{count}).field("seq_no_primary_term", true);
  w.key("sort").open_array().open_object().field("key", "asc").close_object().close_array();
  if (!after.is_null()) w.key("search_after").raw(after.dump());
  w.key("query").open_object().key("bool").open_object().key("filter").open_array();
  w.raw(fmt::format(R"({{"term":{{"kind":"{}"}}}})", kind));
  if (!filter.empty()) w.raw(filter);
  w.close_array().close_object().close_object().close_object();
  return body;
}

}  // namespace

Status LedgerIndex::prepare(const Version& version, std::stop_token stop) {
  const Template made_again = ledger_template(version);
  auto put = cluster_.json("PUT", made_again.target, made_again.body, stop);
  if (!put.ok()) return std::move(put).error().with_context("index template");
  LB_ASSIGN(const bool there, is_there(stop));
  if (there) return {};
  const std::string target = fmt::format("/{}", kLedgerIndex);
  LB_ASSIGN(const Answer made, cluster_.ask("PUT", target, ledger_body(), BodyKind::kJson, stop));
  if (made.status == 200 || made.body.find("resource_already_exists") != std::string::npos) return {};
  return cluster_.error_of(target, made);
}

// By its mapping, which its user may see, but without the text of it.
Result<bool> LedgerIndex::is_there(std::stop_token stop) {
  const std::string target = fmt::format("/{}/_mapping?filter_path=none", kLedgerIndex);
  LB_ASSIGN(const Answer answer, cluster_.ask("GET", target, {}, BodyKind::kJson, std::move(stop)));
  if (answer.status == 200 || answer.status == 404) return answer.status == 200;
  return cluster_.error_of(target, answer);
}

Result<std::vector<TargetStream>> LedgerIndex::load(const std::vector<StreamKey>& keys, std::stop_token stop) {
  std::vector<TargetStream> out;
  PageSize page(kPage, cluster_.page_bytes());
  while (out.size() < keys.size()) {
    const std::size_t from = out.size();
    const std::size_t to = std::min(keys.size(), from + page.next());
    std::string body;
    JsonWriter w(body);
    w.open_object().key("ids").open_array();
    for (std::size_t i = from; i < to; ++i) w.string(stream_id(keys[i]));
    w.close_array().close_object();
    LB_ASSIGN(const std::optional<nlohmann::json> answer, page_of("_mget", body, page, stop));
    if (!answer) continue;
    const auto docs = answer->value("docs", nlohmann::json::array());
    if (docs.size() != to - from) return Error(ErrorCode::kUnavailable, "cannot read the ledger: an answer is cut");
    for (std::size_t i = from; i < to; ++i) {
      const auto& doc = docs[i - from];
      if (doc.contains("error")) return Error(ErrorCode::kUnavailable, "cannot read the ledger: " + doc.dump());
      if (!doc.value("found", false)) {
        out.emplace_back();
        out.back().key = keys[i];
        continue;
      }
      LB_ASSIGN(TargetStream stream, read_stream(doc));
      out.push_back(std::move(stream));
    }
  }
  return out;
}

Result<std::vector<TargetStream*>> LedgerIndex::save(const LedgerWrite& write, std::stop_token stop) {
  std::string body;
  for (TargetStream* stream : write.streams) {
    write_action(stream_id(stream->key), stream, body);
    body += stream_document(*stream) + '\n';
  }
  for (const QuarantineEntry& entry : write.quarantine) write_quarantine(entry, body);
  for (const BlankPiece& piece : write.blanks) write_blank(piece, body);
  for (const Position& position : write.positions) write_position(position, body);
  if (body.empty()) return std::vector<TargetStream*>();
  LB_ASSIGN(const nlohmann::json answer, cluster_.json("POST", index_path("_bulk"), body, stop, BodyKind::kLines));
  const auto items = answer.value("items", nlohmann::json::array());
  const std::size_t others = write.quarantine.size() + write.blanks.size() + write.positions.size();
  if (items.size() != write.streams.size() + others)
    return Error(ErrorCode::kUnavailable, "cannot write the ledger: the answer is cut");
  std::vector<TargetStream*> overtaken;
  std::string problem;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto& outcome = outcome_of(items[i]);
    const int status = outcome.value("status", 0);
    if (status == 200 || status == 201) {
      if (i >= write.streams.size()) continue;
      write.streams[i]->seq_no = outcome.value("_seq_no", std::int64_t{-1});
      write.streams[i]->primary_term = outcome.value("_primary_term", std::int64_t{0});
    } else if (status == 409 && i < write.streams.size()) {
      overtaken.push_back(write.streams[i]);
    } else {
      problem = fmt::format("cannot write the ledger: status {}: {}", status,
                            outcome.value("error", nlohmann::json::object()).dump().substr(0, 300));
    }
  }
  if (!problem.empty()) return Error(ErrorCode::kUnavailable, problem);
  return overtaken;
}

Status LedgerIndex::refresh(std::stop_token stop) {
  auto done = cluster_.json("POST", index_path("_refresh"), {}, stop);
  return done.ok() ? Status() : std::move(done).error();
}

// Nothing where that is more than one answer may be: then `page` is smaller.
Result<std::optional<nlohmann::json>> LedgerIndex::page_of(std::string_view what, const std::string& body,
                                                           PageSize& page, std::stop_token stop) {
  const std::string target = index_path(what);
  const auto answer = cluster_.ask("POST", target, body, BodyKind::kJson, stop);
  if (!answer.ok() && answer.error().code() == ErrorCode::kFull && page.too_large())
    return std::optional<nlohmann::json>();
  if (!answer.ok()) return answer.error();
  page.answered(page.next(), answer->body.size());
  LB_ASSIGN(nlohmann::json parsed, cluster_.json_of(target, *answer));
  return std::optional(std::move(parsed));
}

Status LedgerIndex::each(std::string_view kind, const std::string& filter, std::stop_token stop,
                         const std::function<Status(const nlohmann::json& hit)>& on_hit) {
  LB_TRY(refresh(stop));
  nlohmann::json after;
  PageSize page(kPage, cluster_.page_bytes());
  while (true) {
    const std::size_t asked = page.next();
    LB_ASSIGN(const std::optional<nlohmann::json> answer,
              page_of("_search", search_body(kind, filter, asked, after), page, stop));
    if (!answer) continue;
    try {
      const auto& hits = answer->at("hits").at("hits");
      for (const auto& hit : hits) LB_TRY(on_hit(hit));
      if (hits.size() < asked) return {};
      after = hits.back().at("sort");
    } catch (const nlohmann::json::exception& error) {
      return Error(ErrorCode::kCorrupt, fmt::format("cannot read the ledger: {}", error.what()));
    }
  }
}

Result<std::vector<TargetStream>> LedgerIndex::streams(std::optional<SourceId> source, std::stop_token stop) {
  std::vector<TargetStream> out;
  const std::string filter = source ? fmt::format(R"({{"term":{{"source":"{}"}}}})", source->to_hex()) : "";
  const auto on_hit = [&](const nlohmann::json& hit) -> Status {
    LB_ASSIGN(TargetStream stream, read_stream(hit));
    out.push_back(std::move(stream));
    return {};
  };
  LB_TRY(each("stream", filter, stop, on_hit));
  return out;
}

Result<std::vector<Position>> LedgerIndex::positions(std::stop_token stop) {
  std::vector<Position> out;
  const auto on_hit = [&](const nlohmann::json& hit) -> Status {
    out.push_back(read_position(hit.at("_source")));
    return {};
  };
  LB_TRY(each("position", "", stop, on_hit));
  return out;
}

Status LedgerIndex::quarantine(std::stop_token stop, const std::function<void(QuarantineEntry)>& visit) {
  return each("quarantine", "", std::move(stop), [&](const nlohmann::json& hit) -> Status {
    LB_ASSIGN(QuarantineEntry entry, read_quarantine(hit));
    visit(std::move(entry));
    return {};
  });
}

Result<std::vector<BlankPiece>> LedgerIndex::blanks(const StreamKey& key, std::stop_token stop) {
  std::vector<BlankPiece> out;
  const std::string filter = fmt::format(R"({{"term":{{"stream":"{}"}}}})", stream_id(key));
  const auto on_hit = [&](const nlohmann::json& hit) -> Status {
    const auto& source = hit.at("_source");
    LB_ASSIGN(std::string bytes, http::from_base64(source.value("bytes", "")));
    out.push_back({key, source.value("begin", std::uint64_t{0}), std::move(bytes)});
    return {};
  };
  LB_TRY(each("blank", filter, stop, on_hit));
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.begin < b.begin; });
  return out;
}

Status LedgerIndex::accept(const Accepted& accepted) {
  std::string body;
  JsonWriter w(body);
  w.open_object().field("kind", "accepted").field("key", accepted.finding).field("who", accepted.who);
  w.field("time", std::int64_t{accepted.when}).close_object();
  auto done = cluster_.json("PUT", index_path("_doc/a." + accepted.finding), body, {});
  return done.ok() ? Status() : std::move(done).error();
}

Result<std::map<std::string, Accepted>> LedgerIndex::accepted(std::stop_token stop) {
  std::map<std::string, Accepted> out;
  const auto on_hit = [&](const nlohmann::json& hit) -> Status {
    const auto& source = hit.at("_source");
    Accepted accepted{source.at("key").get<std::string>(), source.value("who", ""),
                      source.value("time", std::int64_t{0})};
    out[accepted.finding] = accepted;
    return {};
  };
  LB_TRY(each("accepted", "", stop, on_hit));
  return out;
}

}  // namespace logboom::logstore::elastic
