#include <string>

#include <gtest/gtest.h>

#include "logstore/embedded/block/block_builder.h"
#include "logstore/embedded/block/block_reader.h"
#include "logstore/embedded/block/testing/block_batches.h"
#include "logstore/embedded/block/testing/noise.h"

namespace logboom::logstore::embedded {
namespace {

using testing::batch_of;
using testing::Noise;

EncodedBlock encode(const std::vector<Batch>& batches) {
  BlockBuilder builder;
  for (const Batch& batch : batches) EXPECT_TRUE(builder.add(batch, 1, 7).ok());
  auto block = builder.finish("note");
  EXPECT_TRUE(block.ok());
  return std::move(*block);
}

std::string export_all(BlockReader& reader, std::size_t segment) {
  std::string out;
  const Status done = reader.export_segment(segment, [&](const SegmentPiece& piece) {
    EXPECT_EQ(piece.offset - reader.meta().segments[segment].begin, out.size());
    out.append(piece.dropped ? std::string(piece.length, '#') : std::string(piece.bytes));
    return ok_status();
  });
  EXPECT_TRUE(done.ok()) << done.error().message();
  return out;
}

// Everything a block gives back equals the batch it was made of.
void expect_round_trip(const std::string& text) {
  const Batch batch = batch_of(text, 1000);
  std::vector<Batch> one;
  one.push_back(batch_of(text, 1000));
  const EncodedBlock block = encode(one);
  MemorySections sections(block.sections);
  auto reader = BlockReader::open(block.header, sections);
  ASSERT_TRUE(reader.ok()) << reader.error().message();
  ASSERT_EQ(reader->rows(), batch.records.size());
  EXPECT_EQ(reader->meta().raw_bytes, text.size());
  ASSERT_EQ(export_all(*reader, 0), text);
  const auto times = reader->times();
  const auto levels = reader->levels();
  const auto offsets = reader->offsets();
  const auto flags = reader->flags();
  const auto origins = reader->time_origins();
  const auto lines = reader->line_counts();
  ASSERT_TRUE(times.ok() && levels.ok() && offsets.ok() && flags.ok() && origins.ok() && lines.ok());
  for (std::uint32_t row = 0; row < reader->rows(); ++row) {
    const Record& record = batch.records[row];
    std::string line;
    ASSERT_TRUE(reader->text(row, line).ok());
    ASSERT_EQ(line, batch.text(record));
    ASSERT_EQ((**times)[row], record.time);
    ASSERT_EQ((**levels)[row], record.level);
    ASSERT_EQ((**offsets)[row], batch.offset(record));
    ASSERT_EQ((**flags)[row], record.flags);
    ASSERT_EQ((**origins)[row], record.time_origin);
    ASSERT_EQ((**lines)[row], record.lines);
    ASSERT_EQ(reader->commit_of(row), 7u);
    ASSERT_EQ(reader->segment_of(row).source_ref, 1u);
  }
}

TEST(Block, GivesBackLogTextAndEveryAttribute) {
  for (std::uint32_t seed = 0; seed < 40; ++seed) expect_round_trip(Noise(seed).text(10 + seed * 40));
}

TEST(Block, GivesBackMutatedLogText) {
  for (std::uint32_t seed = 0; seed < 40; ++seed) {
    Noise noise(seed + 1000);
    std::string text = noise.text(300);
    for (std::uint32_t i = 0; i < 1 + seed * 10; ++i)
      text[noise.below(static_cast<std::uint32_t>(text.size()))] = static_cast<char>(noise.below(256));
    expect_round_trip(text);
  }
}

TEST(Block, GivesBackRandomBytes) {
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    Noise noise(seed + 2000);
    expect_round_trip(noise.bytes(1 + noise.below(3000), seed % 2 == 0));
  }
}

TEST(Block, GivesBackLongLinesAndManyVariables) {
  Noise noise(5);
  std::string text;
  for (int i = 0; i < 30; ++i) {
    for (std::uint32_t n = 60 + noise.below(10); n > 0; --n)
      text += "v" + noise.number(1000) + (noise.below(2) ? " " : "=");
    text += "\n";
  }
  text += std::string(100000, 'y') + "\n" + std::string(70000, '7') + "\n";
  expect_round_trip(text);
}

TEST(Block, KeepsABlockWithoutRows) {
  std::vector<Batch> batches;
  batches.push_back(batch_of("\n\n\r\n"));
  const EncodedBlock block = encode(batches);
  MemorySections sections(block.sections);
  auto reader = BlockReader::open(block.header, sections);
  ASSERT_TRUE(reader.ok());
  EXPECT_EQ(reader->rows(), 0u);
  EXPECT_EQ(export_all(*reader, 0), "\n\n\r\n");
}

TEST(Block, OrdersInterleavedSourcesAndJoinsTheirBatches) {
  BlockBuilder builder;
  ASSERT_TRUE(builder.add(batch_of("b one\n", 0), 2, 1).ok());
  ASSERT_TRUE(builder.add(batch_of("a one\n\n", 50), 1, 2).ok());
  ASSERT_TRUE(builder.add(batch_of("b two\n", 6), 2, 3).ok());
  ASSERT_TRUE(builder.add(batch_of("\na two\n", 57), 1, 4).ok());
  ASSERT_TRUE(builder.add(batch_of("a later\n", 100), 1, 4).ok());
  auto block = builder.finish();
  ASSERT_TRUE(block.ok());
  EXPECT_TRUE(builder.empty());
  MemorySections sections(block->sections);
  auto reader = BlockReader::open(block->header, sections);
  ASSERT_TRUE(reader.ok());
  ASSERT_EQ(reader->meta().segments.size(), 3u);
  EXPECT_EQ(export_all(*reader, 0), "a one\n\n\na two\n");
  EXPECT_EQ(export_all(*reader, 1), "a later\n");
  EXPECT_EQ(export_all(*reader, 2), "b one\nb two\n");
  EXPECT_EQ(reader->commit_of(0), 2u);
  EXPECT_EQ(reader->commit_of(1), 4u);
  EXPECT_EQ(reader->commit_of(2), 4u);
  EXPECT_EQ(reader->commit_of(3), 1u);
  EXPECT_EQ(reader->commit_of(4), 3u);
  EXPECT_EQ(reader->segment_of(3).source_ref, 2u);
}

TEST(Block, KeepsThePlaceOfDroppedLinesButNotTheirBytes) {
  Batch batch = batch_of("keep 1\nsecret\nsecret\n\nkeep 2\nsecret\n", 10);
  batch.records.erase(batch.records.begin() + 4);
  batch.records.erase(batch.records.begin() + 1, batch.records.begin() + 3);
  batch.drops = {{7, 21, 2, 0}, {29, 36, 1, 0}};
  batch.drop_causes = {"exclude:secret"};
  std::vector<Batch> batches;
  batches.push_back(std::move(batch));
  const EncodedBlock block = encode(batches);
  MemorySections sections(block.sections);
  auto reader = BlockReader::open(block.header, sections);
  ASSERT_TRUE(reader.ok());
  EXPECT_EQ(export_all(*reader, 0), "keep 1\n##############\nkeep 2\n#######");
  EXPECT_EQ(reader->meta().dropped_lines, 3u);
  EXPECT_EQ(reader->meta().dropped_bytes, 21u);
  EXPECT_EQ(reader->meta().raw_bytes, 15u);
}

TEST(Block, KeepsRuleFieldsAndNote) {
  Batch batch = batch_of("x\n");
  batch.format = kLastFormat;
  batch.rule_revision = 9;
  batch.fields = {{"service", "shop"}};
  std::vector<Batch> batches;
  batches.push_back(std::move(batch));
  const EncodedBlock block = encode(batches);
  const auto meta = read_block_header(block.header);
  ASSERT_TRUE(meta.ok());
  EXPECT_EQ(meta->note, "note");
  ASSERT_EQ(meta->contexts.size(), 1u);
  EXPECT_EQ(meta->contexts[0], (SegmentContext{kLastFormat, "test", 9, {{"service", "shop"}}}));
}

TEST(Block, KeepsAFewWildTimesOutOfItsRange) {
  Batch batch = batch_of(Noise(3).text(400));
  for (Record& record : batch.records) record.time = 1'800'000'000 * kNsPerSecond + record.begin;
  batch.records[7].time = 0;
  batch.records[9].time = INT64_MAX;
  std::vector<Batch> batches;
  batches.push_back(std::move(batch));
  const EncodedBlock block = encode(batches);
  EXPECT_EQ(block.meta.outliers, (std::vector<TimeNs>{0, INT64_MAX}));
  EXPECT_GT(block.meta.min_time, 1'600'000'000 * kNsPerSecond);
  EXPECT_LT(block.meta.max_time, 1'900'000'000 * kNsPerSecond);
  EXPECT_TRUE(block.meta.overlaps(-5, 1));
  EXPECT_FALSE(block.meta.overlaps(1, 1'600'000'000 * kNsPerSecond));
}

TEST(Block, RefusesABatchThatContradictsItself) {
  BlockBuilder builder;
  ASSERT_TRUE(builder.add(batch_of("fine\n"), 1, 1).ok());
  Batch outside = batch_of("line\n");
  outside.records[0].length = 50;
  EXPECT_FALSE(builder.add(outside, 1, 1).ok());
  Batch overlapping = batch_of("line\nline\n");
  overlapping.records[1].begin = 3;
  overlapping.records[1].length = 1;
  EXPECT_FALSE(builder.add(overlapping, 1, 1).ok());
  Batch range = batch_of("line\n");
  range.end = 3;
  EXPECT_FALSE(builder.add(range, 1, 1).ok());
  EXPECT_EQ(builder.raw_bytes(), 5u);
  EXPECT_EQ(builder.rows(), 1u);
}

TEST(Block, NoticesEveryFlippedByte) {
  std::vector<Batch> batches;
  batches.push_back(batch_of(Noise(11).text(60)));
  const EncodedBlock block = encode(batches);
  for (std::size_t i = 0; i < block.header.size(); i += 3) {
    std::string header = block.header;
    header[i] = static_cast<char>(header[i] ^ 16);
    EXPECT_FALSE(read_block_header(header).ok());
  }
  for (std::size_t s = 0; s < block.sections.size(); ++s) {
    std::vector<std::string> damaged = block.sections;
    if (damaged[s].empty()) continue;
    damaged[s][damaged[s].size() / 2] = static_cast<char>(damaged[s][damaged[s].size() / 2] ^ 1);
    MemorySections sections(damaged);
    auto reader = BlockReader::open(block.header, sections);
    ASSERT_TRUE(reader.ok());
    EXPECT_FALSE(reader->offsets().ok()) << "section " << block.meta.sections[s].id;
  }
}

}  // namespace
}  // namespace logboom::logstore::embedded
