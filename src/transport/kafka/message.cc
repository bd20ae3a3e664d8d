#include "transport/kafka/message.h"

#include <algorithm>

#include <fmt/format.h>

#include "record/encoding/batch_encoding.h"
#include "record/slice.h"
#include "transport/kafka/record_messages.h"
#include "transport/sample_message.h"

namespace logboom::transport::kafka {
namespace {

constexpr std::string_view kZstdMagic = "\x28\xb5\x2f\xfd";
// A batch's buffer in one message, before compression: bounds what a reader has to hold.
constexpr std::size_t kMostContent = 16u << 20;
// What a reader accepts: the content with its records and names.
constexpr std::size_t kMostDecompressed = 10 * kMostContent;
constexpr std::size_t kGuard = 256;

// Where to cut a batch in two: behind the record that passes the middle, or in the middle of one that is alone.
std::uint64_t cut_of(const Batch& batch) {
  const std::size_t middle = batch.bytes.size() / 2;
  for (const Record& record : batch.records) {
    if (record.end() >= middle && record.end() < batch.bytes.size()) return batch.begin + record.end();
  }
  return batch.begin + middle;
}

// The first part of a batch that goes out in several: its state is as of its own end.
Batch first_part(const Batch& batch, std::uint64_t end) {
  Batch part = slice_batch(batch, batch.begin, end);
  part.state.position = end;
  part.state.finished = false;
  part.state.guard = part.bytes.substr(part.bytes.size() - std::min(kGuard, part.bytes.size()));
  return part;
}

}  // namespace

std::string key_of(const SourceId& source) {
  return source.to_hex();
}

MessageEncoder::MessageEncoder(int zstd_level) : compressor_(zstd_level), records_(std::make_unique<RecordEncoder>()) {}
MessageEncoder::~MessageEncoder() = default;

Result<std::vector<Outgoing>> MessageEncoder::encode(const Batch& batch, Encoding encoding, std::size_t most) {
  std::vector<Outgoing> out;
  if (encoding == Encoding::kBatch) {
    LB_TRY(add_batch(batch, most, out));
  } else {
    records_->encode(batch, encoding == Encoding::kJson, most, out);
  }
  return out;
}

Status MessageEncoder::add_batch(const Batch& batch, std::size_t most, std::vector<Outgoing>& out) {
  const bool divisible = batch.disposition == Disposition::kStored && batch.bytes.size() > 1;
  if (!divisible || batch.bytes.size() <= kMostContent) {
    std::string value = encode_batch(batch);
    LB_ASSIGN(std::string packed, compressor_.compress(value));
    if (packed.size() < value.size()) value = std::move(packed);
    if (value.size() <= most || !divisible) {
      out.push_back({std::move(value), kBatchKind});
      return {};
    }
  }
  const std::uint64_t cut = cut_of(batch);
  LB_TRY(add_batch(first_part(batch, cut), most, out));
  return add_batch(slice_batch(batch, cut, batch.end), most, out);
}

std::vector<Outgoing> encode_samples(const SampleBatch& batch) {
  std::vector<Outgoing> out;
  out.reserve(batch.samples.size());
  for (const Sample& sample : batch.samples) out.push_back({sample_message(batch, sample), kSampleKind});
  return out;
}

MessageDecoder::MessageDecoder() : records_(std::make_unique<RecordDecoder>()) {}
MessageDecoder::~MessageDecoder() = default;

Result<Batch> MessageDecoder::decode(const Incoming& message) {
  const bool record = message.kind == kJsonKind || message.kind == kLineKind || message.kind == kRangeKind;
  if (!record && message.kind != kBatchKind) {
    return Error(ErrorCode::kUnsupported,
                 fmt::format("cannot read message: the kind '{}' is not known", message.kind.substr(0, 40)));
  }
  LB_ASSIGN(Batch batch, record ? records_->decode(message) : decode_whole(message.value));
  batch.unproved = message.unproved;
  return batch;
}

Result<Batch> MessageDecoder::decode_whole(std::string_view encoded) {
  std::string content;
  if (encoded.starts_with(kZstdMagic)) {
    LB_TRY(decompressor_.decompress_to(encoded, kMostDecompressed, content));
    encoded = content;
  }
  return decode_batch(encoded);
}

}  // namespace logboom::transport::kafka
