#include "transport/kafka/record_messages.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "http/json.h"
#include "parse/ecs.h"
#include "record/encoding/batch_encoding.h"
#include "record/slice.h"

namespace logboom::transport::kafka {
namespace {

// A dropped line's bytes stay where they are; this stands in their place.
constexpr char kLeftOut = '\n';

// The part of a batch that record `index` carries: its text, what lies between it and the record before it, and for the
// last one what lies behind it. `index` == count: the batch has no records.
struct Piece {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  bool last = false;
};

Piece piece_of(const Batch& batch, std::size_t index) {
  Piece piece;
  piece.begin = index == 0 ? 0 : batch.records[index - 1].end();
  piece.last = index + 1 >= batch.records.size();
  piece.end = piece.last ? static_cast<std::uint32_t>(batch.bytes.size()) : batch.records[index].end();
  return piece;
}

// The last piece carries the source's state; the others only where they belong.
void set_state(const Batch& batch, bool last, Batch& part) {
  part.state = {};
  if (last) {
    part.state = batch.state;
    return;
  }
  part.state.path = batch.state.path;
  part.state.host = batch.state.host;
  part.state.format = batch.state.format;
  part.state.position = part.end;
}

// Everything of the piece but its bytes.
Batch skeleton_of(const Batch& batch, std::size_t index, const Piece& piece) {
  Batch part;
  part.source = batch.source;
  part.epoch = batch.epoch;
  part.channel = batch.channel;
  part.begin = batch.begin + piece.begin;
  part.end = batch.begin + piece.end;
  part.rule = batch.rule;
  part.rule_revision = batch.rule_revision;
  part.arrival = batch.arrival;
  part.format = batch.format;
  part.fields = batch.fields;
  if (index < batch.records.size()) {
    part.records.push_back(batch.records[index]);
    part.records[0].begin -= piece.begin;
  }
  const auto at = std::lower_bound(batch.drops.begin(), batch.drops.end(), piece.begin,
                                   [](const DroppedRun& run, std::uint32_t begin) { return run.begin < begin; });
  for (auto run = at; run != batch.drops.end() && run->begin < piece.end; ++run)
    part.drops.push_back({run->begin - piece.begin, run->end - piece.begin, run->lines, run->cause});
  if (!part.drops.empty()) part.drop_causes = batch.drop_causes;
  if (piece.last) part.trailing_blank = batch.trailing_blank;
  for (const PrefixMark& mark : batch.marks) {
    if (mark.offset > part.begin && mark.offset <= part.end) part.marks.push_back(mark);
  }
  set_state(batch, piece.last, part);
  return part;
}

// The blank bytes of the piece, in order.
std::string blanks_of(const Batch& batch, const Batch& part) {
  const std::uint64_t offset = part.begin - batch.begin;
  std::string out;
  for (const Record& record : part.records)
    out += batch.bytes.substr(offset + record.begin - record.blank, record.blank);
  return out + batch.bytes.substr(batch.bytes.size() - part.trailing_blank);
}

Outgoing headed(const Batch& part, std::string_view kind) {
  Outgoing message;
  message.kind = kind;
  message.record = encode_batch(part);
  return message;
}

// Puts the buffer of a piece together again.
Result<std::string> join(const Batch& part, std::string_view text, std::string_view blanks) {
  const std::uint64_t size = part.end - part.begin;
  std::uint64_t parts = text.size() + blanks.size() + (part.records.empty() ? 0 : part.records[0].terminated());
  for (const DroppedRun& run : part.drops) parts += run.end - std::min(run.begin, run.end);
  if (parts != size || part.records.size() > 1)
    return Error(ErrorCode::kCorrupt, fmt::format("{} bytes where {} are due", parts, size));
  std::string out(size, kLeftOut);
  std::size_t blank = 0;
  if (!part.records.empty()) {
    const Record& record = part.records[0];
    if (record.length != text.size() || record.blank > blanks.size() || record.begin < record.blank ||
        std::uint64_t{record.begin} + record.length > size)
      return Error(ErrorCode::kCorrupt, "the text is not as long as its header says");
    std::copy_n(blanks.begin(), record.blank, out.begin() + record.begin - record.blank);
    std::copy(text.begin(), text.end(), out.begin() + record.begin);
    blank = record.blank;
  }
  std::copy(blanks.begin() + static_cast<std::ptrdiff_t>(blank), blanks.end(),
            out.end() - static_cast<std::ptrdiff_t>(blanks.size() - blank));
  return out;
}

}  // namespace

void RecordEncoder::encode(const Batch& batch, bool json, std::size_t most, std::vector<Outgoing>& out) {
  if (batch.disposition != Disposition::kStored) {
    out.push_back(headed(batch, kRangeKind));
    return;
  }
  const std::size_t pieces = std::max<std::size_t>(1, batch.records.size());
  for (std::size_t i = 0; i < pieces; ++i) add_piece(batch, i, json, most, out);
}

void RecordEncoder::add_piece(const Batch& batch, std::size_t index, bool json, std::size_t most,
                              std::vector<Outgoing>& out) {
  const Piece piece = piece_of(batch, index);
  const Batch part = skeleton_of(batch, index, piece);
  if (part.records.empty()) {
    Outgoing message = headed(part, kRangeKind);
    message.blanks = blanks_of(batch, part);
    out.push_back(std::move(message));
    return;
  }
  const std::string_view text = batch.text(batch.records[index]);
  std::string value = json ? document(batch, batch.records[index], text) : std::string();
  if ((json ? value.size() : text.size()) > most && text.size() > 1) {
    const std::uint64_t cut = part.begin + part.records[0].begin + text.size() / 2;
    Batch head = slice_batch(batch, part.begin, cut);
    set_state(batch, false, head);
    encode(head, json, most, out);
    Batch rest = slice_batch(batch, cut, part.end);
    set_state(batch, piece.last, rest);
    encode(rest, json, most, out);
    return;
  }
  Outgoing message = headed(part, json ? kJsonKind : kLineKind);
  message.value = json ? std::move(value) : std::string(text);
  message.blanks = blanks_of(batch, part);
  out.push_back(std::move(message));
}

std::string RecordEncoder::document(const Batch& batch, const Record& record, std::string_view text) {
  std::string out;
  http::JsonWriter json(out);
  json.open_object();
  parse::write_ecs(json, batch, record, text);
  parse::write_ecs_fields(json, fields_.fields(batch.format, text));
  json.close_object();
  return out;
}

Result<std::string> RecordDecoder::text_of(const Incoming& message) {
  if (message.kind != kJsonKind) return std::string(message.value);
  if (auto raw = fields_.field(Format::kJson, message.value, "logboom.raw"))
    return http::from_base64(parse::to_text(*raw));
  if (auto text = fields_.field(Format::kJson, message.value, "message")) return parse::to_text(*text);
  return Error(ErrorCode::kCorrupt, "cannot read message: its value is no JSON object with a message");
}

Result<Batch> RecordDecoder::decode(const Incoming& message) {
  if (message.kind == kRangeKind && message.blanks.empty()) {
    if (auto whole = decode_batch(message.record); whole.ok()) return whole;
  }
  LB_ASSIGN(const std::string text, text_of(message));
  auto batch = decode_batch(message.record, [&](const Batch& part) { return join(part, text, message.blanks); });
  if (!batch.ok()) return std::move(batch).error().with_context("header logboom.record");
  return batch;
}

}  // namespace logboom::transport::kafka
