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
    auto part = decoder.decode({message.kind, message.value, false, message.record, message.blanks});
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

// What a text holds where a batch's dropped lines stood.
std::string without_drops(const Batch& batch) {
  std::string bytes = batch.bytes;
  for (const DroppedRun& run : batch.drops) std::fill_n(bytes.begin() + run.begin, run.end - run.begin, '\n');
  return bytes;
}

TEST(KafkaMessage, RecordByRecordItIsTheSameRange) {
  Batch batch = sample(300);
  batch.bytes[batch.records[4].begin + 2] = '\xff';  // no UTF-8
  batch.bytes[batch.records[5].begin + 1] = '\0';
  batch.records[6].level = Level::kError;
  for (const Encoding encoding : {Encoding::kJson, Encoding::kLine}) {
    const auto parts = round_trip(batch, encoding, 950'000);
    ASSERT_EQ(parts.size(), batch.records.size());
    std::string bytes;
    std::size_t dropped = 0;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      EXPECT_EQ(parts[i].begin, i == 0 ? batch.begin : parts[i - 1].end);
      EXPECT_EQ(parts[i].text(parts[i].records.at(0)), batch.text(batch.records[i]));
      EXPECT_EQ(parts[i].records[0].time, batch.records[i].time);
      EXPECT_EQ(parts[i].records[0].level, batch.records[i].level);
      EXPECT_EQ(parts[i].state.path, batch.state.path);
      bytes += parts[i].bytes;
      dropped += parts[i].drops.size();
    }
    EXPECT_EQ(bytes, without_drops(batch)) << "what a rule dropped does not travel";
    EXPECT_EQ(dropped, batch.drops.size());
    EXPECT_EQ(parts.back().end, batch.end);
    EXPECT_EQ(parts.back().marks, batch.marks);
    EXPECT_EQ(parts.back().state.position, batch.state.position);
  }
}

TEST(KafkaMessage, ADocumentHasTheFieldsOfEcs) {
  MessageEncoder encoder(1);
  Batch batch;
  batch.channel = "web_log";
  batch.begin = 100;
  batch.bytes = "{\"status\": 200, \"user\": {\"name\": \"Ann\"}}\n";
  batch.end = 100 + batch.bytes.size();
  batch.format = Format::kJson;
  batch.fields = {{"service", "shop"}};
  batch.state.path = "/var/log/web.log";
  batch.state.host = "web-1";
  Record record;
  record.length = static_cast<std::uint32_t>(batch.bytes.size() - 1);
  record.time = 1'700'000'000'000'000'000;
  record.level = Level::kWarn;
  batch.records = {record};
  EXPECT_EQ(encoder.encode(batch, Encoding::kJson, 950'000)->at(0).value,
            R"({"@timestamp":"2023-11-14T22:13:20Z","message":"{\"status\": 200, \"user\": {\"name\": \"Ann\"}}",)"
            R"("log.level":"warn","log.file.path":"/var/log/web.log","log.offset":100,"host.name":"web-1",)"
            R"("topic":"web_log","labels.service":"shop","fields.status":200,"fields.user.name":"Ann"})");
}

TEST(KafkaMessage, ALineLargerThanAMessageGoesInFragmentsRecordByRecordToo) {
  Batch batch;
  batch.channel = "logs";
  batch.begin = 50;
  batch.bytes = "\n\n" + std::string(900, 'y') + "\nlast\n";
  batch.end = batch.begin + batch.bytes.size();
  batch.records.resize(2);
  batch.records[0].begin = batch.records[0].blank = 2;
  batch.records[0].length = 900;
  batch.records[1].begin = 903;
  batch.records[1].length = 4;
  batch.state.position = batch.end;
  for (const Encoding encoding : {Encoding::kJson, Encoding::kLine}) {
    const auto parts = round_trip(batch, encoding, 300);
    ASSERT_GT(parts.size(), 3u);
    std::string bytes;
    for (const Batch& part : parts) {
      EXPECT_EQ(part.begin, batch.begin + bytes.size());
      EXPECT_EQ(part.state.position, part.end);
      bytes += part.bytes;
    }
    EXPECT_EQ(bytes, batch.bytes);
    EXPECT_TRUE(parts[0].records[0].flags & Record::kFragment);
    EXPECT_TRUE(parts[1].records[0].flags & Record::kContinuation);
  }
}

TEST(KafkaMessage, AHeaderThatDoesNotFitItsValueIsRefused) {
  MessageEncoder encoder(1);
  MessageDecoder decoder;
  for (const Encoding encoding : {Encoding::kJson, Encoding::kLine}) {
    const auto messages = encoder.encode(sample(3), encoding, 950'000);
    const Outgoing& one = messages->at(0);
    const Outgoing& two = messages->at(2);
    EXPECT_TRUE(decoder.decode({one.kind, one.value, false, one.record, one.blanks}).ok());
    EXPECT_FALSE(decoder.decode({one.kind, two.value + "x", false, one.record, one.blanks}).ok());
    EXPECT_FALSE(decoder.decode({two.kind, two.value, false, two.record, ""}).ok());
    EXPECT_FALSE(decoder.decode({two.kind, two.value, false, two.record, "abc"}).ok()) << "not blank";
    EXPECT_FALSE(decoder.decode({one.kind, one.value, false, "", ""}).ok());
  }
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
  for (const Encoding encoding : {Encoding::kBatch, Encoding::kJson, Encoding::kLine}) {
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
