// Sample: what a host's metrics are made of, and SampleBatch, the message they travel in. A sample is one measurement
// of one series at one moment; the fields of a measurement are taken together. Values without threads; one owner at a
// time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/clock.h"

namespace logboom {

// A field keeps the kind it was first sent with: a store refuses a field whose kind changed. Doubles are finite.
using FieldValue = std::variant<double, std::int64_t, bool, std::string>;

// `name` and `value` are UTF-8 without control characters, neither is empty.
struct SampleTag {
  std::string name;
  std::string value;
  friend auto operator<=>(const SampleTag&, const SampleTag&) = default;
};

struct SampleField {
  std::string name;
  FieldValue value;
  friend bool operator==(const SampleField&, const SampleField&) = default;
};

// The series of a sample is its host, its measurement and its tags. Times of one series rise strictly, so that a sample
// sent again overwrites itself: nothing stands twice.
struct Sample {
  TimeNs time = 0;          // when it was taken; frozen before it is first sent
  std::string measurement;  // cpu, memory, disk, ...
  // Sorted by name, each name once; `host` is not among them. cpu=3, device=/dev/vda1, interface=eth0.
  std::vector<SampleTag> tags;
  std::vector<SampleField> fields;  // at least one, each name once
  friend bool operator==(const Sample&, const Sample&) = default;
};

// All samples a host took at one moment, for one topic. The unit of sending and of acknowledgement: stored wholly or
// not at all, and harmless when stored again.
struct SampleBatch {
  std::string host;     // the host's name
  std::string host_ip;  // as in log records; empty: not known
  std::string topic;
  std::vector<Sample> samples;
  friend bool operator==(const SampleBatch&, const SampleBatch&) = default;
};

}  // namespace logboom
