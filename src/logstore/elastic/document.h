// Records as documents of the target and back: docs/formats/document.md. An id is made of the record's identity alone,
// so sending a record again makes no second document.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/result.h"
#include "logstore/log_store.h"
#include "parse/fields.h"
#include "record/batch.h"

namespace logboom::logstore::elastic {

// "<source>.<epoch>.<offset>.<channel>", the channel as the 16 hexadecimal digits of channel_key().
std::string document_id(const SourceId& source, std::uint32_t epoch, std::uint64_t offset, std::string_view channel);

// Of the text of a record and whether a line end follows; the blank lines around it may come with its neighbour.
std::string content_hash(const Batch& batch, std::size_t record);

// The bytes of blank lines behind the last record that its document carries; 0 where something else lies between.
std::uint32_t tail_of(const Batch& batch);

// Whether every byte of the batch is in a document, or dropped by a rule; else blank_rest() says what is not.
// Those bytes are kept in the ledger.
std::string_view blank_rest(const Batch& batch);

// One thread at a time.
class DocumentWriter {
 public:
  // Appends the two lines of a bulk request that create the document. `plain` leaves out fields and labels, which the
  // mapping may refuse; searches do not need them.
  void add(const Batch& batch, std::size_t record, const std::string& index, std::uint64_t commit, bool plain,
           std::string& out);

 private:
  parse::FieldParser fields_;
};

// A document as it was stored.
struct StoredRecord {
  Row row;
  std::string rule;
  std::uint64_t begin = 0;  // its share of the file, with blank lines
  std::uint64_t end = 0;
  std::string blank;  // bytes of blank lines before the text, and behind its line end
  std::string tail;
  std::string hash;
  bool terminated() const { return (row.flags & Record::kTerminated) != 0; }
};

// kCorrupt: not a document by logboom.
Result<StoredRecord> read_document(const nlohmann::json& source);
// Its share of its file, byte for byte.
std::string bytes_of(const StoredRecord& record);
// The members read_document() needs.
const std::vector<std::string>& document_members();

}  // namespace logboom::logstore::elastic
