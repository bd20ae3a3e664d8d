// Gives the records of a batch their time and level, as far as their text says so; else the predecessor's time in the
// same file, else the time of arrival.
#pragma once

#include <cstdint>

#include "parse/time.h"
#include "record/batch.h"

namespace logboom::parse {

// What a file carries from batch to batch.
struct AnnotateCarry {
  TimeHint hint;
  TimeNs previous = 0;  // time of the last record, 0: none
  bool plain = false;   // no record is looked at as JSON (the rule says text)
};

// Fills time, time_origin and level of batch.records from batch.bytes, batch.format and batch.arrival. A batch of
// kText in which a record may be a JSON object becomes kJson (see Format): each record is judged by its own bytes, so
// the same bytes mean the same however they were cut into batches.
void annotate(Batch& batch, std::int32_t zone_seconds, AnnotateCarry& carry);

}  // namespace logboom::parse
