// A message that anybody may have put into a topic: its kind, headers and value; and the agent's note of what it
// delivered. What decodes is a valid batch, and what is sent of it comes back as it was.
#include <string>
#include <string_view>

#include "base/check.h"
#include "io/memory_file_system.h"
#include "record/encoding/batch_encoding.h"
#include "sealed.h"
#include "transport/kafka/message.h"
#include "transport/kafka/position_file.h"

namespace {

using namespace logboom;
using namespace logboom::transport::kafka;

constexpr std::string_view kKinds[] = {kBatchKind, kJsonKind, kLineKind, kRangeKind, "unknown"};

void check_sent_again(const Batch& batch) {
  MessageEncoder encoder(1);
  MessageDecoder decoder;
  for (const Encoding encoding : {Encoding::kBatch, Encoding::kJson, Encoding::kLine}) {
    const auto messages = encoder.encode(batch, encoding, 4096);
    if (!messages.ok()) continue;
    std::uint64_t at = batch.begin;
    for (const Outgoing& message : *messages) {
      const auto again = decoder.decode({message.kind, message.value, false, message.record, message.blanks});
      LB_CHECK(again.ok() && again->begin == at);
      at = again->end;
    }
    LB_CHECK(at == batch.end);
  }
}

void check_positions(std::string_view content) {
  static MemoryFileSystem files;
  std::string bytes;
  ByteWriter(bytes).u64(xxh3_64(content));
  bytes += content;
  LB_CHECK(replace_file(files, "/kafka.positions", bytes).ok());
  auto file = PositionFile::open(files, "/kafka.positions");
  LB_CHECK(file.ok() && (*file)->save().ok());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::string_view input(reinterpret_cast<const char*>(data + 1), size - 1);
  check_positions(input);
  Incoming message;
  message.kind = kKinds[data[0] % std::size(kKinds)];
  message.unproved = (data[0] & 0x80) != 0;
  const std::string record = fuzz::sealed_batch(fuzz::take_part(input));
  message.record = record;
  message.blanks = fuzz::take_part(input);
  const bool whole = message.kind == kBatchKind;
  const std::string value = whole && (data[0] & 0x40) != 0 ? fuzz::sealed_batch(input) : std::string(input);
  message.value = value;
  MessageDecoder decoder;
  const auto batch = decoder.decode(message);
  if (!batch.ok()) return 0;
  LB_CHECK(validate_batch(*batch).ok());
  if (!batch->unproved) check_sent_again(*batch);
  return 0;
}
