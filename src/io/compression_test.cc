#include "io/compression.h"

#include <cstdlib>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "io/gzip.h"
#include "io/memory_file_system.h"

namespace logboom {
namespace {

using End = DecompressingReader::End;
using State = Decompressor::State;

std::string gzipped(std::string_view bytes) {
  return *logboom::gzip(bytes, 6);
}

std::string zstd(std::string_view bytes) {
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  out.resize(ZSTD_compress2(context, out.data(), out.size(), bytes.data(), bytes.size()));
  ZSTD_freeCCtx(context);
  return out;
}

std::string xz(std::string_view bytes) {
  std::string out(lzma_stream_buffer_bound(bytes.size()), '\0');
  std::size_t size = 0;
  EXPECT_EQ(lzma_easy_buffer_encode(6, LZMA_CHECK_CRC64, nullptr, reinterpret_cast<const uint8_t*>(bytes.data()),
                                    bytes.size(), reinterpret_cast<uint8_t*>(out.data()), &size, out.size()),
            LZMA_OK);
  out.resize(size);
  return out;
}

std::string sample(std::size_t lines, int seed = 1) {
  std::string out;
  for (std::size_t i = 0; i < lines; ++i) {
    out += "2026-01-01T00:00:00Z host app[" + std::to_string(i * 7919 * static_cast<std::size_t>(seed) % 100'003) +
           "]: hi\n";
  }
  return out;
}

struct Everything {
  std::string content;
  State state = State::kInside;
  std::size_t consumed = 0;
};

// Feeds `bytes` in pieces of `in_piece` into room for `out_piece`.
Everything decompress(CompressionKind kind, std::string_view bytes, std::size_t in_piece, std::size_t out_piece,
                      const DecompressionLimits& limits = {}) {
  auto decompressor = *Decompressor::make(kind, limits);
  Everything all;
  std::vector<char> out(out_piece);
  bool holds_output = false;
  while (holds_output || all.consumed < bytes.size()) {
    const auto step = decompressor->step(bytes.substr(all.consumed, in_piece), out.data(), out.size());
    all.content.append(out.data(), step.produced);
    all.consumed += step.consumed;
    all.state = step.state;
    holds_output = step.produced == out.size();
    if (!decompressor->error().ok()) break;
  }
  return all;
}

struct Format {
  CompressionKind kind;
  std::function<std::string(std::string_view)> compress;
};

class DecompressorTest : public testing::TestWithParam<Format> {
 protected:
  std::string compress(std::string_view bytes) const { return GetParam().compress(bytes); }
  CompressionKind kind() const { return GetParam().kind; }
};

TEST_P(DecompressorTest, GivesTheContentForEveryChunking) {
  const std::string text = sample(500);
  const std::string bytes = compress(text);
  for (const std::size_t in_piece : {std::size_t{1}, std::size_t{7}, std::size_t{1000}, bytes.size()}) {
    for (const std::size_t out_piece :
         {std::size_t{1}, std::size_t{13}, std::size_t{4096}, text.size(), 2 * text.size()}) {
      const Everything all = decompress(kind(), bytes, in_piece, out_piece);
      ASSERT_EQ(all.content, text) << in_piece << " " << out_piece;
      ASSERT_EQ(all.state, State::kBetween);
      ASSERT_EQ(all.consumed, bytes.size());
    }
  }
}

TEST_P(DecompressorTest, JoinsConcatenatedMembersEmptyOnesToo) {
  const std::string bytes = compress(sample(10)) + compress("") + compress(sample(20, 3)) + compress("");
  for (const std::size_t piece : {std::size_t{1}, std::size_t{64}, bytes.size()}) {
    const Everything all = decompress(kind(), bytes, piece, 100);
    EXPECT_EQ(all.content, sample(10) + sample(20, 3));
    EXPECT_EQ(all.state, State::kBetween);
  }
}

TEST_P(DecompressorTest, EveryTruncationGivesAPrefixAndIsSeen) {
  const std::string text = sample(60);
  const std::string bytes = compress(text);
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
    const Everything all = decompress(kind(), std::string_view(bytes).substr(0, cut), 4096, 4096);
    ASSERT_EQ(all.state, State::kInside) << cut;
    ASSERT_TRUE(text.starts_with(all.content)) << cut;
  }
}

TEST_P(DecompressorTest, AFlippedBitIsNoticedOrHarmless) {
  const std::string text = sample(60);
  const std::string bytes = compress(text);
  int noticed = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string bad = bytes;
    bad[i] = static_cast<char>(bad[i] ^ 0x04);
    const Everything all = decompress(kind(), bad, 4096, 4096);
    if (all.state == State::kBetween) {
      ASSERT_EQ(all.content, text) << i;  // a flag or time of the header
    } else {
      ++noticed;
    }
  }
  EXPECT_GT(noticed, static_cast<int>(bytes.size()) * 8 / 10);
}

TEST_P(DecompressorTest, StopsABombByItsRatioAndByItsSize) {
  const std::string bytes = compress(std::string(80 << 20, '\0'));
  DecompressionLimits limits;
  limits.ratio = 100;
  const Everything by_ratio = decompress(kind(), bytes, 4096, 1 << 20, limits);
  EXPECT_EQ(by_ratio.state, State::kOverLimit);
  EXPECT_LE(by_ratio.content.size(), std::size_t{66} << 20);
  limits = {};
  limits.output_bytes = 1 << 20;
  const Everything by_size = decompress(kind(), bytes, 4096, 64 << 10, limits);
  EXPECT_EQ(by_size.state, State::kOverLimit);
  EXPECT_LE(by_size.content.size(), (std::size_t{1} << 20) + (64 << 10));
  limits = {};
  limits.ratio = 1'000'000;
  EXPECT_EQ(decompress(kind(), bytes, 4096, 1 << 20, limits).content.size(), std::size_t{80} << 20);
}

TEST_P(DecompressorTest, IsDetectedByItsFirstBytesWhateverTheirNumber) {
  const std::string bytes = compress(sample(3));
  EXPECT_EQ(detect_compression(bytes), kind());
  EXPECT_EQ(detect_compression(bytes.substr(0, 6)), kind());
  for (std::size_t n = 0; n < 6; ++n) {
    const auto detected = detect_compression(bytes.substr(0, n));
    EXPECT_TRUE(!detected || *detected == kind()) << n;
  }
}

TEST_P(DecompressorTest, ForeignBytesAfterAMemberAreDamageBehindTheContent) {
  const Everything all = decompress(kind(), compress("content") + "garbage that is no member", 4096, 4096);
  EXPECT_EQ(all.content, "content");
  EXPECT_EQ(all.state, State::kCorrupt);
}

TEST_P(DecompressorTest, AFileIsReadAsItGrows) {
  const std::string text = sample(5000);
  const std::string bytes = compress(text);
  MemoryFileSystem files;
  auto file = *files.open("/a", OpenMode::kCreate);
  auto reader = *DecompressingReader::make(*file, kind());
  std::string content;
  char buffer[1000];
  const auto drain = [&] {
    while (true) {
      const auto chunk = reader->read(buffer, sizeof buffer);
      EXPECT_TRUE(chunk.ok());
      content.append(buffer, chunk->size);
      if (chunk->size == 0) return chunk->end;
    }
  };
  EXPECT_EQ(drain(), End::kTruncated);  // nothing there yet
  for (std::size_t at = 0; at < bytes.size(); at += 100) {
    const std::string part = bytes.substr(at, 100);
    ASSERT_TRUE(file->pwrite(part.data(), part.size(), at).ok());
    const bool whole = at + part.size() == bytes.size();
    for (int i = 0; i < 40; ++i) ASSERT_EQ(drain(), whole ? End::kClean : End::kTruncated);
  }
  EXPECT_EQ(content, text);
  EXPECT_EQ(reader->position(), text.size());
  EXPECT_EQ(reader->compressed_position(), bytes.size());
  const std::string garbage = "garbage longer than a header";
  ASSERT_TRUE(file->pwrite(garbage.data(), garbage.size(), bytes.size()).ok());
  EXPECT_EQ(drain(), End::kCorrupt);
  EXPECT_EQ(drain(), End::kCorrupt);
  ASSERT_FALSE(reader->error().ok());
  EXPECT_EQ(reader->error().error().code(), ErrorCode::kCorrupt);
  EXPECT_THAT(reader->error().error().message(), testing::HasSubstr("from byte"));
}

INSTANTIATE_TEST_SUITE_P(All, DecompressorTest,
                         testing::Values(Format{CompressionKind::kGzip, gzipped}, Format{CompressionKind::kZstd, zstd},
                                         Format{CompressionKind::kXz, xz}),
                         [](const auto& test) { return std::string(compression_name(test.param.kind)); });

TEST(Decompressor, RefusesAZstdWindowOverTheLimit) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, 28);
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
  const std::string text = sample(1000);
  std::string out(ZSTD_compressBound(text.size()), '\0');
  ZSTD_inBuffer input{text.data(), text.size(), 0};
  ZSTD_outBuffer output{out.data(), out.size(), 0};
  // Streamed, so that the window is not shrunk to the content.
  ZSTD_compressStream2(context, &output, &input, ZSTD_e_flush);
  ZSTD_compressStream2(context, &output, &input, ZSTD_e_end);
  out.resize(output.pos);
  ZSTD_freeCCtx(context);
  EXPECT_EQ(decompress(CompressionKind::kZstd, out, 4096, 4096).state, State::kOverLimit);
  DecompressionLimits limits;
  limits.memory_bytes = 256 << 20;
  EXPECT_EQ(decompress(CompressionKind::kZstd, out, 4096, 4096, limits).content, text);
}

TEST(Decompressor, RefusesXzThatNeedsMoreMemoryThanTheLimit) {
  DecompressionLimits limits;
  limits.memory_bytes = 1 << 20;
  EXPECT_EQ(decompress(CompressionKind::kXz, xz(sample(10)), 4096, 4096, limits).state, State::kOverLimit);
}

TEST(Decompressor, SkipsZstdFramesWithoutContentAndPaddingOfTheOthers) {
  const std::string skippable = std::string("\x53\x2a\x4d\x18\x03\x00\x00\x00", 8) + "abc";
  EXPECT_EQ(detect_compression(skippable), CompressionKind::kZstd);
  const Everything all = decompress(CompressionKind::kZstd, skippable + zstd("x") + skippable, 4096, 4096);
  EXPECT_EQ(all.content, "x");
  EXPECT_EQ(all.state, State::kBetween);
  const std::string padding(512, '\0');
  EXPECT_EQ(decompress(CompressionKind::kGzip, gzipped("x") + padding, 100, 100).state, State::kBetween);
  EXPECT_EQ(decompress(CompressionKind::kXz, xz("x") + padding + xz("y"), 100, 100).content, "xy");
}

TEST(Decompressor, PlainTextIsNotCompressed) {
  EXPECT_EQ(detect_compression("plain text"), CompressionKind::kNone);
  EXPECT_EQ(detect_compression("P"), std::nullopt);  // as a zstd frame without content may begin
  EXPECT_EQ(detect_compression("Pl"), CompressionKind::kNone);
  EXPECT_EQ(detect_compression(""), std::nullopt);
  EXPECT_FALSE(Decompressor::make(CompressionKind::kNone).ok());
}

}  // namespace
}  // namespace logboom
