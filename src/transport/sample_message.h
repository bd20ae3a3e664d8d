// Samples as JSON, the form they have in Kafka topics, in requests to a server and in an agent's ring: one message per
// sample, docs/formats/metrics.md. Pure functions, any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "record/sample.h"

namespace logboom::transport {

// Of one message, and of one text of lines. What is beyond is refused when it is read, never made.
inline constexpr std::size_t kMaxSampleMessage = 256u << 10;
inline constexpr std::size_t kMaxSampleLines = 16u << 20;

// One JSON object on one line, without a line end. Doubles always have a point or an exponent, so that the kind of a
// field can be read back; those that are not finite are left out.
std::string sample_message(const SampleBatch& batch, const Sample& sample);
// A batch of one sample. kInvalidArgument names the member that is wrong; unknown members are passed over.
Result<SampleBatch> read_sample_message(std::string_view json);

// A message a line, for all samples of a batch.
std::string sample_lines(const SampleBatch& batch);
// Samples of one host, ip and topic that follow each other are one batch. kInvalidArgument names the line.
Result<std::vector<SampleBatch>> read_sample_lines(std::string_view text);

}  // namespace logboom::transport
