// One message per record: the raw line or a JSON document as the value, everything else that makes it a part of its
// file in the headers (docs/formats/kafka.md). Pure functions but for the parser they keep; one thread at a time.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "parse/fields.h"
#include "record/batch.h"
#include "transport/kafka/message.h"

namespace logboom::transport::kafka {

class RecordEncoder {
 public:
  // Appends the messages of a batch, in order. `json` or the raw line. A record that makes a value larger than `most`
  // goes in fragments. The messages may point into `batch`.
  void encode(const Batch& batch, bool json, std::size_t most, std::vector<Outgoing>& out);

 private:
  void add_piece(const Batch& batch, std::size_t index, bool json, std::size_t most, std::vector<Outgoing>& out);
  std::string document(const Batch& batch, const Record& record, std::string_view text);

  parse::FieldParser fields_;
};

class RecordDecoder {
 public:
  // The batch of one record, or of a range without one.
  Result<Batch> decode(const Incoming& message);

 private:
  Result<std::string> text_of(const Incoming& message);

  parse::FieldParser fields_;
};

}  // namespace logboom::transport::kafka
