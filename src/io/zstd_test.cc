#include "io/zstd.h"

#include <gtest/gtest.h>

namespace logboom {
namespace {

std::string sample() {
  std::string text;
  for (int i = 0; i < 2000; ++i) text += "line " + std::to_string(i * 7919 % 1000) + " of some log\n";
  return text;
}

TEST(Zstd, GivesBackWhatWentIn) {
  ZstdCompressor compressor;
  ZstdDecompressor decompressor;
  for (const std::string& bytes : {std::string(), std::string(1, '\0'), sample(), std::string(1 << 20, 'x')}) {
    const auto frame = compressor.compress(bytes);
    ASSERT_TRUE(frame.ok());
    const auto back = decompressor.decompress(*frame, 2 << 20);
    ASSERT_TRUE(back.ok());
    EXPECT_EQ(*back, bytes);
  }
}

TEST(Zstd, NoticesEveryFlippedByte) {
  ZstdCompressor compressor;
  ZstdDecompressor decompressor;
  const std::string bytes = sample().substr(0, 3000);
  const std::string frame = *compressor.compress(bytes);
  for (std::size_t i = 0; i < frame.size(); ++i) {
    std::string bad = frame;
    bad[i] = static_cast<char>(bad[i] ^ 0x10);
    const auto back = decompressor.decompress(bad, 1 << 20);
    // A flip in a reserved or unused bit may leave the content whole; it never changes it unnoticed.
    if (back.ok()) {
      EXPECT_EQ(*back, bytes) << i;
    }
  }
  EXPECT_EQ(decompressor.decompress(frame.substr(0, frame.size() - 1), 1 << 20).error().code(), ErrorCode::kCorrupt);
  EXPECT_EQ(decompressor.decompress(frame + "x", 1 << 20).error().code(), ErrorCode::kCorrupt);
  EXPECT_EQ(decompressor.decompress(frame + frame, 1 << 20).error().code(), ErrorCode::kCorrupt);
  EXPECT_EQ(decompressor.decompress("", 1 << 20).error().code(), ErrorCode::kCorrupt);
  const std::string skippable("\x50\x2a\x4d\x18\0\0\0\0", 8);
  EXPECT_EQ(decompressor.decompress(skippable, 1 << 20).error().code(), ErrorCode::kCorrupt);
}

TEST(Zstd, RefusesContentOverTheLimitBeforeItAllocates) {
  ZstdCompressor compressor;
  ZstdDecompressor decompressor;
  const std::string frame = *compressor.compress(std::string(1 << 20, 'x'));
  EXPECT_EQ(decompressor.decompress(frame, (1 << 20) - 1).error().code(), ErrorCode::kFull);
  EXPECT_TRUE(decompressor.decompress(frame, 1 << 20).ok());
}

TEST(Zstd, AppendsBehindWhatIsThere) {
  ZstdCompressor compressor;
  std::string out = "head";
  ASSERT_TRUE(compressor.compress_append("content", out).ok());
  EXPECT_EQ(out.substr(0, 4), "head");
  EXPECT_EQ(*ZstdDecompressor().decompress(std::string_view(out).substr(4), 100), "content");
}

}  // namespace
}  // namespace logboom
