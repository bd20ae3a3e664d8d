#include "agent/sample_ring.h"

#include <gtest/gtest.h>

#include "io/memory_file_system.h"

namespace logboom::agent {
namespace {

class SampleRingTest : public ::testing::Test {
 protected:
  std::unique_ptr<SampleRing> open(std::uint64_t bytes = 1 << 20, std::uint64_t file_bytes = 4096) {
    auto ring = SampleRing::open({"/data/samples", bytes, file_bytes, 1000}, files_);
    EXPECT_TRUE(ring.ok()) << ring.error().message();
    return std::move(ring).value();
  }
  std::size_t files_there() { return files_.list("/data/samples")->size(); }
  // Does not compress.
  static std::string text(int number, std::size_t size = 1000) {
    std::string out = std::to_string(number) + " ";
    std::uint32_t state = static_cast<std::uint32_t>(number) + 1;
    while (out.size() < size) out += static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
    return out;
  }
  static std::vector<std::string> all(SampleRing& ring) {
    std::vector<std::string> texts;
    for (auto entry = ring.next(1); entry; entry = ring.next(entry->number + 1)) texts.push_back(entry->text);
    return texts;
  }

  MemoryFileSystem files_;
};

TEST_F(SampleRingTest, WhatIsNotAcknowledgedIsThereAfterAStart) {
  {
    auto ring = open();
    for (int i = 1; i <= 10; ++i) EXPECT_EQ(*ring->push(text(i)), static_cast<std::uint64_t>(i));
    EXPECT_EQ(ring->next(1)->text, text(1));
    for (const std::uint64_t number : {2, 1, 3}) ring->acknowledge(number);
    EXPECT_EQ(ring->next(1)->number, 4u);
    EXPECT_EQ(ring->waiting(), 7u);
  }
  auto ring = open();
  const auto texts = all(*ring);
  ASSERT_GE(texts.size(), 7u);  // what was acknowledged may come again, as long as its file is there
  EXPECT_EQ(texts.back(), text(10));
  EXPECT_EQ(texts[texts.size() - 7], text(4));
  EXPECT_TRUE(ring->push(text(11)).ok());
  EXPECT_EQ(all(*ring).back(), text(11));
}

TEST_F(SampleRingTest, WhenAllIsAcknowledgedItIsEmptyOnTheDiskAsWell) {
  auto ring = open();
  for (int i = 1; i <= 20; ++i) ASSERT_TRUE(ring->push(text(i)).ok());
  EXPECT_GT(files_there(), 3u);
  for (std::uint64_t i = 20; i >= 1; --i) ring->acknowledge(i);
  EXPECT_EQ(files_there(), 1u);
  EXPECT_LT(ring->bytes(), 100u);
  EXPECT_EQ(ring->waiting(), 0u);
  ring.reset();
  ring = open();
  EXPECT_EQ(ring->next(1), std::nullopt);
  for (int i = 0; i < 5; ++i) {
    const auto number = ring->push(text(i));
    ASSERT_TRUE(number.ok());
    ring->acknowledge(*number);
    ring.reset();
    ring = open();
  }
  EXPECT_LE(files_there(), 2u);
}

TEST_F(SampleRingTest, WhenItIsFullTheOldestGo) {
  auto ring = open(20'000);
  for (int i = 1; i <= 100; ++i) ASSERT_TRUE(ring->push(text(i)).ok());
  EXPECT_LE(ring->bytes(), 20'000u);
  const auto texts = all(*ring);
  EXPECT_EQ(texts.back(), text(100));
  EXPECT_EQ(texts.front(), text(101 - static_cast<int>(texts.size())));
  EXPECT_GT(texts.size(), 10u);
  EXPECT_EQ(ring->dropped(), 100 - texts.size());
  ring->acknowledge(1);  // gone long ago
  EXPECT_EQ(all(*ring), texts);
}

TEST_F(SampleRingTest, NoMoreEntriesThanTheMostAreHeld) {
  auto ring = open(64 << 20, 1 << 14);
  for (int i = 1; i <= 3000; ++i) ASSERT_TRUE(ring->push("x").ok());
  EXPECT_LE(ring->waiting(), 1000u);
  EXPECT_GT(ring->waiting(), 100u);
}

TEST_F(SampleRingTest, ATornEndCostsNothingBeforeIt) {
  open()->push(text(1)).ok();
  {
    auto ring = open();
    ASSERT_TRUE(ring->push(text(2)).ok());
  }
  std::string path;
  for (const auto& entry : *files_.list("/data/samples")) path = std::max(path, "/data/samples/" + entry.name);
  auto file = *files_.open(path, OpenMode::kReadWrite);
  const std::uint64_t size = file->stat()->size;
  for (std::uint64_t cut = size; cut-- > 0;) {
    ASSERT_TRUE(file->truncate(cut).ok());
    EXPECT_EQ(all(*open()), std::vector<std::string>{text(1)});
  }
}

TEST_F(SampleRingTest, AFlippedBitCostsItsEntryAndWhatFollowsInItsFile) {
  open()->push(text(1)).ok();
  const std::string path = "/data/samples/" + files_.list("/data/samples")->front().name;
  auto file = *files_.open(path, OpenMode::kReadWrite);
  ASSERT_TRUE(file->pwrite("!", 1, 200).ok());
  auto ring = open();
  EXPECT_EQ(ring->next(1), std::nullopt);
  EXPECT_EQ(ring->dropped(), 1u);
}

TEST_F(SampleRingTest, BytesOfAnybodyAreNoSamples) {
  auto file = files_.create_directories("/data/samples").ok()
                  ? files_.open("/data/samples/000000000007.samples", OpenMode::kCreate)
                  : Error(ErrorCode::kIo, "");
  ASSERT_TRUE(file.ok());
  const std::string bytes = std::string("LBSR\x01", 5) + std::string(100, '\xff');
  ASSERT_TRUE((*file)->pwrite(bytes.data(), bytes.size(), 0).ok());
  ASSERT_TRUE(files_.open("/data/samples/notes.txt", OpenMode::kCreate).ok());
  auto ring = open();
  EXPECT_EQ(ring->next(1), std::nullopt);
  ASSERT_TRUE(ring->push(text(1)).ok());
  EXPECT_EQ(all(*ring), std::vector<std::string>{text(1)});
}

}  // namespace
}  // namespace logboom::agent
