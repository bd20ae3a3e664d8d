#include "record/encoding/batch_encoding.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/hashing.h"
#include "record/encoding/byte_stream.h"

namespace logboom {
namespace {

using testing::HasSubstr;

// Two records, a dropped run and blank lines in every place.
Batch sample() {
  Batch b;
  b.source = {0x0123456789abcdef, 42};
  b.epoch = 7;
  b.channel = "web_log";
  b.begin = 1'000'000;
  b.bytes = "\r\none\n\ndropped\ntwo\n more\n\n";
  b.end = b.begin + b.bytes.size();
  b.cause = "";
  b.rule = "nginx";
  b.rule_revision = 12;
  b.arrival = 1'700'000'000 * kNsPerSecond;
  b.format = Format::kJson;
  Record one;
  one.blank = 2, one.begin = 2, one.length = 3, one.time = b.arrival - 5;
  one.level = Level::kWarn, one.time_origin = TimeOrigin::kParsed;
  Record two;
  two.begin = 15, two.length = 9, two.lines = 2, two.time = INT64_MIN;
  two.flags = Record::kTerminated | Record::kBinary, two.time_origin = TimeOrigin::kPredecessor;
  b.records = {one, two};
  b.drops = {{6, 15, 1, 0}};
  b.drop_causes = {"exclude:/dropped"};
  b.trailing_blank = 1;
  b.fields = {{"service", "shop"}, {"", "\xff"}};
  b.marks = {{b.begin + 5, {1, 2}}, {b.end, {3, UINT64_MAX}}};
  b.state.identity = {std::string("h\0x", 3), 1, 2, UINT64_MAX, -7};
  b.state.path = "/var/log/\xff\n";
  b.state.host = "host";
  b.state.group = "/var/log/app.log";
  b.state.finished = b.state.flagged = true;
  b.state.inherited = 7;
  b.state.folder = "/srv/releases/1";
  b.state.format = Format::kJson;
  b.state.position = b.end;
  b.state.guard = "more\n\n";
  b.state.size = b.end + 100;
  return b;
}

void expect_equal(const Batch& a, const Batch& b) {
  EXPECT_EQ(encode_batch(a), encode_batch(b));
  EXPECT_EQ(a.source, b.source);
  EXPECT_EQ(a.bytes, b.bytes);
  EXPECT_EQ(a.fields, b.fields);
  EXPECT_EQ(a.marks, b.marks);
  EXPECT_EQ(a.state.identity, b.state.identity);
  EXPECT_EQ(a.state.guard, b.state.guard);
  EXPECT_EQ(a.state.size, b.state.size);
  EXPECT_EQ(a.state.inherited, b.state.inherited);
  EXPECT_EQ(a.state.folder, b.state.folder);
  ASSERT_EQ(a.records.size(), b.records.size());
  for (std::size_t i = 0; i < a.records.size(); ++i) {
    EXPECT_EQ(std::memcmp(&a.records[i], &b.records[i], offsetof(Record, time_origin) + 1), 0) << i;
  }
}

// The error of decoding a batch that a hostile sender encoded.
std::string refusal(const Batch& batch) {
  const auto decoded = decode_batch(encode_batch(batch));
  return decoded.ok() ? "accepted" : decoded.error().message();
}

TEST(BatchEncoding, KeepsEverythingButTheLease) {
  const Batch batch = sample();
  ASSERT_TRUE(validate_batch(batch).ok()) << validate_batch(batch).error().message();
  const auto decoded = decode_batch(encode_batch(batch));
  ASSERT_TRUE(decoded.ok()) << decoded.error().message();
  expect_equal(*decoded, batch);
}

TEST(BatchEncoding, KeepsBatchesWithoutRecords) {
  Batch hole;
  hole.begin = 4096;
  hole.end = std::uint64_t{1} << 40;
  hole.disposition = Disposition::kHole;
  auto decoded = decode_batch(encode_batch(hole));
  ASSERT_TRUE(decoded.ok()) << decoded.error().message();
  expect_equal(*decoded, hole);

  Batch quarantined;
  quarantined.bytes = "no LF here";
  quarantined.end = quarantined.bytes.size();
  quarantined.disposition = Disposition::kQuarantined;
  quarantined.cause = "too long";
  decoded = decode_batch(encode_batch(quarantined));
  ASSERT_TRUE(decoded.ok()) << decoded.error().message();
  expect_equal(*decoded, quarantined);
  EXPECT_EQ(decode_batch(encode_batch(Batch())).ok(), true);
}

TEST(BatchEncoding, IsCompact) {
  Batch b;
  for (int i = 0; i < 1000; ++i) {
    Record r;
    r.begin = static_cast<std::uint32_t>(b.bytes.size());
    r.length = 100;
    r.time = i * kNsPerMs;
    b.records.push_back(r);
    b.bytes += std::string(100, 'x') + "\n";
  }
  b.end = b.bytes.size();
  EXPECT_LT(encode_batch(b).size(), b.bytes.size() + 9 * 1000);
}

TEST(BatchEncoding, NamesEveryFlippedBitAsAnError) {
  const std::string good = encode_batch(sample());
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    const auto decoded = decode_batch(bad);
    ASSERT_FALSE(decoded.ok()) << bit;
    ASSERT_THAT(decoded.error().message(), HasSubstr("field "));
  }
}

TEST(BatchEncoding, RefusesEveryCutAndAnythingBehind) {
  const std::string good = encode_batch(sample());
  for (std::size_t size = 0; size < good.size(); ++size) {
    ASSERT_FALSE(decode_batch(std::string_view(good).substr(0, size)).ok()) << size;
  }
  EXPECT_FALSE(decode_batch(good + "x").ok());
}

// A valid envelope around a payload, as a hostile sender would make it.
std::string seal(const std::string& payload) {
  std::string out("LBBA\1\0\0\0", 8);
  ByteWriter w(out);
  w.u64(payload.size());
  w.u64(xxh3_64(payload));
  return out + payload;
}

TEST(BatchEncoding, SurvivesDamageUnderARightChecksum) {
  const std::string payload = encode_batch(sample()).substr(24);
  for (std::size_t size = 0; size < payload.size(); ++size) {
    ASSERT_FALSE(decode_batch(seal(payload.substr(0, size))).ok()) << size;
  }
  EXPECT_THAT(decode_batch(seal(payload + "x")).error().message(), HasSubstr("field end of batch"));
  std::mt19937_64 random(1);
  for (int round = 0; round < 20000; ++round) {
    std::string bad = payload;
    for (std::size_t n = 1 + random() % 3; n > 0; --n) bad[random() % bad.size()] = static_cast<char>(random());
    const auto decoded = decode_batch(seal(bad));
    if (decoded.ok()) {
      ASSERT_TRUE(validate_batch(*decoded).ok());
    }
  }
}

TEST(BatchEncoding, SaysWhichVersionItDoesNotKnow) {
  std::string newer = encode_batch(sample());
  newer[4] = 2;
  const auto decoded = decode_batch(newer);
  EXPECT_EQ(decoded.error().code(), ErrorCode::kUnsupported);
  EXPECT_THAT(decoded.error().message(), HasSubstr("field version: 2"));
}

// Bad input 30.
TEST(BatchEncoding, RefusesBadRangesByName) {
  Batch b = sample();
  std::swap(b.begin, b.end);
  EXPECT_THAT(refusal(b), HasSubstr("field end"));
  b = sample();
  b.begin = (std::uint64_t{1} << 63) - 2;
  b.end = b.begin + b.bytes.size();
  EXPECT_THAT(refusal(b), HasSubstr("field end"));
  b = sample();
  b.begin = UINT64_MAX - 3;
  b.end = UINT64_MAX;
  EXPECT_THAT(refusal(b), HasSubstr("field end"));
  b = sample();
  b.bytes.pop_back();
  EXPECT_THAT(refusal(b), HasSubstr("field bytes"));
  b = sample();
  b.disposition = Disposition::kGap;
  EXPECT_THAT(refusal(b), HasSubstr("field bytes"));
}

TEST(BatchEncoding, RefusesBadRecordsByName) {
  Batch b = sample();
  b.records[1].begin -= 1, b.records[1].length += 1;
  EXPECT_THAT(refusal(b), HasSubstr("field "));  // overlaps the dropped run
  b = sample();
  b.records.pop_back();
  EXPECT_THAT(refusal(b), HasSubstr("field trailing_blank"));
  b = sample();
  b.records.clear();
  b.drops.clear();
  EXPECT_THAT(refusal(b), HasSubstr("field trailing_blank"));
  b = sample();
  b.records[0].length = UINT32_MAX;
  EXPECT_THAT(refusal(b), HasSubstr("field records[0].length"));
  b = sample();
  b.records[0].flags = 0, b.records[0].length = 4;
  EXPECT_EQ(refusal(b), "accepted");
  b.records[0].flags = Record::kTerminated;
  EXPECT_THAT(refusal(b), HasSubstr("field "));
  b = sample();
  b.records[0].blank = 0, b.records[0].begin = 0, b.records[0].length = 5;
  EXPECT_EQ(refusal(b), "accepted");
  b.records[0].blank = 3, b.records[0].begin = 3, b.records[0].length = 2;
  EXPECT_THAT(refusal(b), HasSubstr("records[0].blank"));
  b = sample();
  b.records.resize(1'000'000);
  EXPECT_THAT(refusal(b), HasSubstr("field records"));
}

TEST(BatchEncoding, RefusesBadEnumerationsAndIndicesByName) {
  Batch b = sample();
  b.records[0].level = static_cast<Level>(7);
  EXPECT_THAT(refusal(b), HasSubstr("field records[0].level"));
  b = sample();
  b.records[0].time_origin = static_cast<TimeOrigin>(3);
  EXPECT_THAT(refusal(b), HasSubstr("field records[0].time_origin"));
  b = sample();
  b.disposition = static_cast<Disposition>(5);
  EXPECT_THAT(refusal(b), HasSubstr("field disposition"));
  b = sample();
  b.drops[0].cause = 1;
  EXPECT_THAT(refusal(b), HasSubstr("field drops[0].cause"));
  b = sample();
  std::swap(b.marks[0], b.marks[1]);
  EXPECT_THAT(refusal(b), HasSubstr("field marks"));
  b = sample();
  b.state.inherited = b.state.position + 1;
  EXPECT_THAT(refusal(b), HasSubstr("field state.inherited"));
  b = sample();
  b.state.guard.assign(257, 'x');
  EXPECT_THAT(refusal(b), HasSubstr("field state.guard"));
}

TEST(BatchEncoding, AStateMayComeWithTheMarksItsEpochInherits) {
  Batch b;
  b.epoch = 1;
  b.begin = b.end = b.state.position = b.state.inherited = 100;
  b.marks = {{50, {1, 2}}, {100, {3, 4}}};
  EXPECT_TRUE(validate_batch(b).ok());
  b.marks.push_back({101, {5, 6}});
  EXPECT_FALSE(validate_batch(b).ok());
}

TEST(BatchEncoding, ACountOfAMillionRecordsInAFewBytesCostsNothing) {
  Batch b = sample();
  const std::string payload = encode_batch(b).substr(24);
  std::string bomb = payload.substr(0, payload.find(b.bytes) + b.bytes.size());
  ByteWriter w(bomb);
  w.varint(1'000'000);
  EXPECT_THAT(decode_batch(seal(bomb)).error().message(), HasSubstr("field records"));
}

}  // namespace
}  // namespace logboom
