#include "record/encoding/delivery.h"

#include <gtest/gtest.h>

namespace logboom {
namespace {

std::shared_ptr<const Batch> batch_of(std::uint64_t begin, const std::string& bytes) {
  Batch batch;
  batch.source = {7, begin};
  batch.channel = "logs";
  batch.begin = begin;
  batch.end = begin + bytes.size();
  batch.bytes = bytes;
  Record record;
  record.length = static_cast<std::uint32_t>(bytes.size() - 1);
  batch.records = {record};
  batch.state.position = batch.end;
  return std::make_shared<const Batch>(std::move(batch));
}

Coverage covered(std::uint64_t begin, std::uint64_t end) {
  Coverage coverage;
  coverage.add(begin, end);
  return coverage;
}

TEST(Delivery, BatchesComeBackInTheirOrder) {
  const auto back = decode_delivery(encode_delivery({batch_of(0, "one\n"), batch_of(4, "three\n")}));
  ASSERT_TRUE(back.ok()) << back.error().message();
  ASSERT_EQ(back->size(), 2u);
  EXPECT_EQ((*back)[0].bytes, "one\n");
  EXPECT_EQ((*back)[1].begin, 4u);
  EXPECT_TRUE(decode_delivery(encode_delivery({}))->empty());
}

TEST(Delivery, OutcomesComeBackWithCoverageOrError) {
  Coverage two = covered(0, 10);
  two.add(20, 30);
  const auto back = decode_outcomes(encode_outcomes({two, Error(ErrorCode::kFull, "disk full"), Coverage()}));
  ASSERT_TRUE(back.ok()) << back.error().message();
  ASSERT_EQ(back->size(), 3u);
  EXPECT_EQ(*(*back)[0], two);
  EXPECT_EQ((*back)[1].error().code(), ErrorCode::kFull);
  EXPECT_EQ((*back)[1].error().message(), "disk full");
  EXPECT_TRUE((*back)[2]->empty());
}

TEST(Delivery, WhereFilesBeginComesBackAndTakesNoRoomElsewhere) {
  std::vector<KnownSource> sources(3);
  const std::string without = encode_known_sources(sources);
  sources[1].starts_at = 500;
  const std::string with = encode_known_sources(sources);
  EXPECT_TRUE(with.starts_with(without));
  const auto back = decode_known_sources(with);
  ASSERT_TRUE(back.ok()) << back.error().message();
  EXPECT_EQ((*back)[0].starts_at, 0u);
  EXPECT_EQ((*back)[1].starts_at, 500u);
  EXPECT_FALSE(decode_known_sources(with.substr(0, with.size() - 1)).ok());
  EXPECT_FALSE(decode_known_sources(without + "\x01\x03\x01").ok()) << "there is no such source";
  EXPECT_FALSE(decode_known_sources(encode_known_sources({}) + std::string("\x01\x00\x01", 3)).ok());
}

TEST(Delivery, KnownSourcesComeBackWhole) {
  KnownSource known;
  known.source = {1, 2};
  known.channel = "web";
  known.epoch = 3;
  known.coverage = covered(0, 4096);
  known.marks = {{4096, {5, 6}}};
  known.state.path = "/var/log/a.log";
  known.state.identity.handle = std::string("\0\1\2", 3);
  known.state.position = 4096;
  known.state.finished = true;
  const auto back = decode_known_sources(encode_known_sources({known}));
  ASSERT_TRUE(back.ok()) << back.error().message();
  const KnownSource& got = back->at(0);
  EXPECT_EQ(got.source, known.source);
  EXPECT_EQ(got.channel, "web");
  EXPECT_EQ(got.epoch, 3u);
  EXPECT_EQ(got.coverage, known.coverage);
  EXPECT_EQ(got.marks, known.marks);
  EXPECT_EQ(got.state.path, known.state.path);
  EXPECT_EQ(got.state.identity, known.state.identity);
  EXPECT_TRUE(got.state.finished);
}

// X8, B30: every cut and every changed byte is refused or gives a valid delivery, and never more memory than it has.
TEST(Delivery, DamageIsRefusedOrHarmless) {
  const std::string whole = encode_delivery({batch_of(0, "one\n")});
  for (std::size_t cut = 0; cut < whole.size(); ++cut) EXPECT_FALSE(decode_delivery(whole.substr(0, cut)).ok()) << cut;
  EXPECT_FALSE(decode_delivery(whole + "x").ok());
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 0x55);
    EXPECT_FALSE(decode_delivery(changed).ok()) << at;
  }
  const std::string known = encode_known_sources({KnownSource{}});
  for (std::size_t cut = 0; cut < known.size(); ++cut) EXPECT_FALSE(decode_known_sources(known.substr(0, cut)).ok());
  const std::string outcomes = encode_outcomes({covered(0, 9), Error(ErrorCode::kIo, "x")});
  for (std::size_t cut = 0; cut < outcomes.size(); ++cut) EXPECT_FALSE(decode_outcomes(outcomes.substr(0, cut)).ok());
}

TEST(Delivery, ANewerVersionIsNamed) {
  std::string newer = encode_delivery({});
  newer[4] = 9;
  EXPECT_EQ(decode_delivery(newer).error().code(), ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace logboom
