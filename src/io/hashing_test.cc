#include "io/hashing.h"

#include <gtest/gtest.h>

namespace logboom {
namespace {

// Known answers: the values are on disks, so they may never change.
TEST(Hashing, MatchesXxh3) {
  EXPECT_EQ(xxh3_64(""), 0x2d06800538d394c2U);
  EXPECT_EQ(xxh3_128("").to_hex(), "99aa06d3014798d86001c324468d497f");
  EXPECT_NE(xxh3_64("x", 1), xxh3_64("x", 2));
}

TEST(Hashing, AMarkIsTheSameHoweverItsBytesArrive) {
  const std::string bytes = "some bytes that arrive in pieces of all sizes";
  const Hash128 previous = xxh3_128("before");
  const Hash128 whole = chain_mark(previous, bytes);
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    MarkBuilder builder(previous);
    builder.add(std::string_view(bytes).substr(0, cut));
    static_cast<void>(builder.finish());  // may be asked in between
    builder.add(std::string_view(bytes).substr(cut));
    EXPECT_EQ(builder.finish(), whole);
  }
  EXPECT_NE(chain_mark({}, bytes), whole);
}

TEST(Hashing, AMarkCoversThePreviousOneHighThenLow) {
  std::string input;
  for (const std::uint64_t half : {std::uint64_t{0x0102030405060708}, std::uint64_t{0x1112131415161718}}) {
    for (int i = 0; i < 8; ++i) input += static_cast<char>(half >> (8 * i));
  }
  EXPECT_EQ(chain_mark({0x0102030405060708, 0x1112131415161718}, "x"), xxh3_128(input + "x"));
}

}  // namespace
}  // namespace logboom
