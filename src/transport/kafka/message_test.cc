#include "transport/kafka/message.h"

#include <random>

#include <gtest/gtest.h>

#include "record/encoding/batch_encoding.h"

namespace logboom::transport::kafka {
namespace {

// Lines of very different kinds: dropped ones, blank ones before, between and behind, one without an end.
Batch sample(std::size_t lines) {
  Batch batch;
  batch.source = {7, 9};
  batch.channel = "web_log";
  batch.begin = 1000;
  batch.arrival = 5;
  batch.rule = "web";
  batch.drop_causes = {"exclude:health"};
  batch.state.path = "/var/log/web.log";
  for (std::size_t i = 0; i < lines; ++i) {
    Record record;
    if (i % 7 == 3) {
      const auto at = static_cast<std::uint32_t>(batch.bytes.size());
      batch.bytes += "GET /health\n";
      batch.drops.push_back({at, at + 12, 1, 0});
    }
    if (i % 5 == 2) batch.bytes += "\r\n\n", record.blank = 3;
    record.begin = static_cast<std::uint32_t>(batch.bytes.size());
    const std::string text = "line " + std::to_string(i * 2654435761u) + std::string(i % 40, 'x');
    record.length = static_cast<std::uint32_t>(text.size());
    record.time = static_cast<TimeNs>(i) * 1000;
    batch.bytes += text + "\n";
    batch.records.push_back(record);
  }
  batch.bytes += "\n";
  batch.trailing_blank = 1;
  batch.end = batch.begin + batch.bytes.size();
  batch.marks = {{batch.end, {1, 2}}};
  batch.state.position = batch.end;
  EXPECT_TRUE(validate_batch(batch).ok());
  return batch;
}

std::vector<Batch> round_trip(const Batch& batch, Encoding encoding, std::size_t most) {
  MessageEncoder encoder(1);
  MessageDecoder decoder;
  std::vector<Batch> parts;
  auto messages = encoder.encode(batch, encoding, most);
  EXPECT_TRUE(messages.ok());
  for (const Outgoing& message : *messages) {
    EXPECT_LE(message.value.size(), most);
    auto part = decoder.decode({message.kind, message.value, false});
    EXPECT_TRUE(part.ok()) << part.error().message();
    if (part.ok()) parts.push_back(std::move(*part));
  }
  return parts;
}

TEST(KafkaMessage, ABatchComesBackAsItWas) {
  const Batch batch = sample(500);
  const auto parts = round_trip(batch, Encoding::kBatch, 950'000);
  ASSERT_EQ(parts.size(), 1u);
  EXPECT_EQ(encode_batch(parts[0]), encode_batch(batch));
}

TEST(KafkaMessage, PartsOfALargeBatchMakeUpItsRange) {
  const Batch batch = sample(2000);
  const auto parts = round_trip(batch, Encoding::kBatch, 3000);
  ASSERT_GT(parts.size(), 4u);
  std::string bytes;
  std::size_t records = 0;
  std::uint64_t at = batch.begin;
  for (const Batch& part : parts) {
    EXPECT_EQ(part.begin, at);
    EXPECT_EQ(part.state.position, part.end) << "a part says where it ends, not where the whole does";
    at = part.end;
    bytes += part.bytes;
    records += part.records.size();
  }
  EXPECT_EQ(at, batch.end);
  EXPECT_EQ(bytes, batch.bytes);
  EXPECT_EQ(records, batch.records.size());
}

TEST(KafkaMessage, ALineLargerThanAMessageIsCutIntoFragments) {
  Batch batch;
  batch.channel = "logs";
  std::mt19937 random(1);
  for (std::uint32_t i = 0; i < 20'000; ++i) batch.bytes += static_cast<char>('!' + random() % 90);
  batch.bytes += '\n';
  batch.end = batch.bytes.size();
  batch.records.emplace_back().length = 20'000;
  const auto parts = round_trip(batch, Encoding::kBatch, 5000);
  ASSERT_GT(parts.size(), 3u);
  EXPECT_TRUE(parts[0].records[0].flags & Record::kFragment);
  EXPECT_TRUE(parts[1].records[0].flags & Record::kContinuation);
  EXPECT_TRUE(parts.back().records[0].terminated());
}

TEST(KafkaMessage, ARangeWithoutRecordsTravels) {
  Batch gap;
  gap.channel = "logs";
  gap.begin = 10;
  gap.end = 90;
  gap.disposition = Disposition::kGap;
  gap.cause = "vanished";
  for (const Encoding encoding : {Encoding::kBatch}) {
    const auto parts = round_trip(gap, encoding, 1000);
    ASSERT_EQ(parts.size(), 1u);
    EXPECT_EQ(encode_batch(parts[0]), encode_batch(gap));
  }
}

TEST(KafkaMessage, WhatIsNoMessageOfOursIsRefusedWithAReason) {
  MessageDecoder decoder;
  MessageEncoder encoder(1);
  std::string good = encoder.encode(sample(100), Encoding::kBatch, 950'000)->at(0).value;
  EXPECT_EQ(decoder.decode({"batch", "garbage", false}).error().code(), ErrorCode::kCorrupt);
  EXPECT_EQ(decoder.decode({"batch2", good, false}).error().code(), ErrorCode::kUnsupported);
  for (const std::size_t at : {std::size_t{3}, good.size() / 2, good.size() - 1}) {
    std::string damaged = good;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    EXPECT_FALSE(decoder.decode({"batch", damaged, false}).ok()) << at;
  }
  EXPECT_FALSE(decoder.decode({"batch", std::string_view(good).substr(0, good.size() - 1), false}).ok());
}

TEST(KafkaMessage, WhatCameWithoutProofSaysSo) {
  MessageDecoder decoder;
  MessageEncoder encoder(1);
  const auto messages = encoder.encode(sample(3), Encoding::kBatch, 950'000);
  EXPECT_TRUE(decoder.decode({"batch", messages->at(0).value, true})->unproved);
}

}  // namespace
}  // namespace logboom::transport::kafka
