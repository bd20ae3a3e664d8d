#include "transport/sample_message.h"

#include <algorithm>
#include <cmath>
#include <random>

#include <gtest/gtest.h>

namespace logboom::transport {
namespace {

Sample sample_of(TimeNs time) {
  Sample sample;
  sample.time = time;
  sample.measurement = "disk";
  sample.tags = {{"device", "/dev/sda1"}, {"mount", "/srv/\xc3\xa4 \"b\\"}};
  sample.fields = {
      {"free", std::int64_t{1} << 60}, {"read_only", false}, {"type", std::string("ext4")}, {"used", 12.5}};
  return sample;
}

SampleBatch batch_of(std::vector<Sample> samples) {
  return {"web-1", "10.0.0.5", "system", std::move(samples)};
}

TEST(SampleMessage, SaysEverythingOfASampleInTheFormOfTheDocument) {
  Sample sample;
  sample.time = 1'763'735'410 * kNsPerSecond;
  sample.measurement = "cpu";
  sample.tags = {{"cpu", "total"}};
  sample.fields = {{"user", 3.0}, {"count", std::int64_t{3}}};
  EXPECT_EQ(sample_message(batch_of({}), sample),
            R"({"@timestamp":"2025-11-21T14:30:10Z","measurement":"cpu","host.name":"web-1","host.ip":"10.0.0.5",)"
            R"("topic":"system","tags":{"cpu":"total"},"fields":{"user":3.0,"count":3}})");
}

TEST(SampleMessage, ReadsBackToTheSameSample) {
  const SampleBatch batch = batch_of({sample_of(1'763'735'410'123'456'789)});
  const auto read = read_sample_message(sample_message(batch, batch.samples[0]));
  ASSERT_TRUE(read.ok()) << read.error().message();
  EXPECT_EQ(*read, batch);
}

TEST(SampleMessage, EveryDoubleKeepsItsValueAndItsKind) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 2000; ++i) {
    double value = 0;
    const std::uint64_t bits = random();
    std::memcpy(&value, &bits, sizeof value);
    if (i == 0) value = 1e300;
    if (i == 1) value = -0.0;
    if (i == 2) value = 1e15;
    if (!std::isfinite(value)) continue;
    Sample sample = sample_of(kNsPerSecond);
    sample.fields = {{"x", value}};
    const auto read = read_sample_message(sample_message(batch_of({}), sample));
    ASSERT_TRUE(read.ok()) << value << ": " << read.error().message();
    EXPECT_EQ(read->samples[0].fields, sample.fields) << value;
  }
}

// Bad input 32.
TEST(SampleMessage, WhatIsNotFiniteIsLeftOut) {
  Sample sample = sample_of(kNsPerSecond);
  sample.fields = {{"bad", std::nan("")}, {"worse", HUGE_VAL}, {"good", 1.0}};
  const auto read = read_sample_message(sample_message(batch_of({}), sample));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->samples[0].fields, (std::vector<SampleField>{{"good", 1.0}}));
}

std::string refusal(const std::string& json) {
  const auto read = read_sample_message(json);
  return read.ok() ? "" : read.error().message();
}

// Bad input 32.
TEST(SampleMessage, WhatIsWrongIsNamed) {
  const auto with = [](const std::string& member) {
    return R"({"@timestamp":"2025-11-21T14:30:10Z","measurement":"cpu","host.name":"a","fields":{"x":1})" + member +
           "}";
  };
  EXPECT_EQ(refusal(with("")), "");
  EXPECT_EQ(refusal(with(R"(,"more":[1,2])")), "");
  EXPECT_NE(refusal("").find("a JSON object"), std::string::npos);
  EXPECT_NE(refusal("[]").find("a JSON object"), std::string::npos);
  EXPECT_NE(refusal("{}").find("measurement"), std::string::npos);
  EXPECT_NE(refusal(std::string(300'000, ' ')).find("262144"), std::string::npos);
  EXPECT_NE(refusal(std::string(100'000, '[')).find("a JSON object"), std::string::npos);
  EXPECT_NE(refusal(with(R"(,"fields":{})")).find("fields"), std::string::npos);
  EXPECT_NE(refusal(with(R"(,"fields":{"x":null})")).find("finite numbers"), std::string::npos);
  EXPECT_NE(refusal(with(R"(,"fields":{"x":18446744073709551615})")).find("9223372036854775807"), std::string::npos);
  EXPECT_NE(refusal(with(R"(,"fields":{"x":1e999})")).find("expected"), std::string::npos);
  EXPECT_NE(refusal(with(R"(,"fields":{"a\nb":1})")).find("names"), std::string::npos);
  EXPECT_NE(refusal(with(R"(,"tags":{"host":"b"})")).find("tags"), std::string::npos);
  EXPECT_NE(refusal(with(R"(,"tags":{"a":"b\nc=1"})")).find("tags"), std::string::npos);
  EXPECT_NE(refusal(with(R"(,"tags":["a"])")).find("tags"), std::string::npos);
  EXPECT_NE(refusal(with(",\"host.name\":\"\xff\"")).find("a JSON object"), std::string::npos);
  for (const char* time : {"yesterday", "2025-13-01T00:00:00Z", "1763735410", "2025-11-21T14:30:10", ""})
    EXPECT_NE(refusal(with(std::string(R"(,"@timestamp":")") + time + "\"")).find("@timestamp"), std::string::npos);
}

TEST(SampleMessage, LinesOfOneHostAreOneBatchInTheirOrder) {
  const SampleBatch first = batch_of({sample_of(1), sample_of(2)});
  SampleBatch second = batch_of({sample_of(3)});
  second.host = "web-2";
  const auto read = read_sample_lines(sample_lines(first) + sample_lines(second) + sample_lines(first));
  ASSERT_TRUE(read.ok()) << read.error().message();
  EXPECT_EQ(*read, (std::vector<SampleBatch>{first, second, first}));
  const auto wrong = read_sample_lines(sample_lines(first) + "{}\n");
  ASSERT_FALSE(wrong.ok());
  EXPECT_NE(wrong.error().message().find("line 3"), std::string::npos);
}

}  // namespace
}  // namespace logboom::transport
