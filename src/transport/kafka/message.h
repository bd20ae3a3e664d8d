// Batches as Kafka messages and back: docs/formats/kafka.md. Pure functions but for the compression contexts they keep;
// one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "io/zstd.h"
#include "record/batch.h"
#include "record/sample.h"

namespace logboom::transport::kafka {

// What the value of a message is. `kBatch`: many records as logboom writes them, for pipelines that end in logboom.
enum class Encoding : std::uint8_t { kBatch, kJson, kLine };

// Headers of messages by logboom.
inline constexpr const char* kKindHeader = "logboom";           // "batch", "json", "line", "range" or "sample"
inline constexpr const char* kAcksHeader = "logboom.acks";      // "0" or "1": sent without proof of durability
inline constexpr const char* kRecordHeader = "logboom.record";  // json, line, range: the batch without its bytes
inline constexpr const char* kBlanksHeader = "logboom.blank";   // json, line, range: bytes of blank lines in the range
inline constexpr std::string_view kBatchKind = "batch";
inline constexpr std::string_view kJsonKind = "json";
inline constexpr std::string_view kLineKind = "line";
inline constexpr std::string_view kRangeKind = "range";    // beside json and line: what has no record
inline constexpr std::string_view kSampleKind = "sample";  // of a host's metrics: docs/formats/metrics.md

// One message to be sent, a part of a batch's range. Messages of one batch in order make up its range.
struct Outgoing {
  std::string value;
  std::string_view kind;
  std::string record = {};  // headers; empty: none
  std::string blanks = {};
};

// A message per sample.
std::vector<Outgoing> encode_samples(const SampleBatch& batch);

// The key of a source's messages: one file's lines stay in one partition.
std::string key_of(const SourceId& source);

class RecordEncoder;
class RecordDecoder;

class MessageEncoder {
 public:
  explicit MessageEncoder(int zstd_level);
  ~MessageEncoder();
  // No value is larger than `most` bytes unless a single byte of a record would not fit otherwise. kInternal: memory.
  Result<std::vector<Outgoing>> encode(const Batch& batch, Encoding encoding, std::size_t most);

 private:
  Status add_batch(const Batch& batch, std::size_t most, std::vector<Outgoing>& out);

  ZstdCompressor compressor_;
  std::unique_ptr<RecordEncoder> records_;
};

// A message as it was received; views into the library's memory.
struct Incoming {
  std::string_view kind;  // empty: no message by logboom
  std::string_view value;
  bool unproved = false;
  std::string_view record = {};
  std::string_view blanks = {};
};

class MessageDecoder {
 public:
  MessageDecoder();
  ~MessageDecoder();
  // The batch of a message whose kind is not empty. kCorrupt, kUnsupported, kInvalidArgument: it is no batch; the text
  // says why.
  Result<Batch> decode(const Incoming& message);

 private:
  Result<Batch> decode_whole(std::string_view value);

  ZstdDecompressor decompressor_;
  std::unique_ptr<RecordDecoder> records_;
};

}  // namespace logboom::transport::kafka
