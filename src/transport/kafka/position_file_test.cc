#include "transport/kafka/position_file.h"

#include <gtest/gtest.h>

#include "io/memory_file_system.h"

namespace logboom::transport::kafka {
namespace {

constexpr const char* kPath = "/kafka.positions";

Batch batch(std::uint64_t begin, std::uint64_t end, std::uint32_t epoch = 0) {
  Batch out;
  out.source = {1, 2};
  out.channel = "logs";
  out.epoch = epoch;
  out.begin = begin;
  out.end = end;
  out.marks = {{end, {3, end}}};
  out.state.path = "/var/log/a.log";
  out.state.position = end;
  return out;
}

TEST(PositionFile, WhatWasDeliveredIsKnownAfterARestart) {
  MemoryFileSystem fs;
  {
    auto file = PositionFile::open(fs, kPath);
    ASSERT_TRUE(file.ok());
    (*file)->delivered(batch(0, 10));
    (*file)->delivered(batch(20, 30));
    ASSERT_TRUE((*file)->save().ok());
  }
  auto file = PositionFile::open(fs, kPath);
  ASSERT_TRUE(file.ok());
  const auto known = (*file)->known();
  ASSERT_EQ(known.size(), 1u);
  EXPECT_EQ(known[0].coverage.contiguous_end(0), 10u) << "what failed between is not passed over";
  EXPECT_TRUE(known[0].coverage.contains(20, 30));
  EXPECT_EQ(known[0].marks.size(), 2u);
  EXPECT_EQ(known[0].state.path, "/var/log/a.log");
}

TEST(PositionFile, MarksAreKnownBeforeTheBatchIsDelivered) {
  MemoryFileSystem fs;
  auto file = std::move(PositionFile::open(fs, kPath)).value();
  EXPECT_TRUE(file->sending(batch(0, 10)));
  EXPECT_FALSE(file->sending(batch(0, 10))) << "nothing new";
  ASSERT_TRUE(file->save().ok());
  file = std::move(PositionFile::open(fs, kPath)).value();
  const auto known = file->known();
  ASSERT_EQ(known.size(), 1u);
  EXPECT_TRUE(known[0].coverage.empty());
  EXPECT_EQ(known[0].state.position, 0u);
  EXPECT_EQ(known[0].marks.size(), 1u);
  EXPECT_FALSE(file->sending(batch(0, 10, 1))) << "the epoch before is not delivered";
}

TEST(PositionFile, WhereAFileBeginsIsKnownUntilItIsDelivered) {
  MemoryFileSystem fs;
  auto file = std::move(PositionFile::open(fs, kPath)).value();
  Batch left_out = batch(0, 500);
  left_out.marks.clear();
  left_out.disposition = Disposition::kDropped;
  left_out.cause = "exclude:debug";
  EXPECT_FALSE(file->sending(left_out)) << "a range that is dropped otherwise is read again";
  left_out.cause = kStartAtEnd;
  EXPECT_TRUE(file->sending(left_out));
  EXPECT_FALSE(file->sending(left_out)) << "nothing new";
  ASSERT_TRUE(file->save().ok());
  file = std::move(PositionFile::open(fs, kPath)).value();
  ASSERT_EQ(file->known().size(), 1u);
  EXPECT_EQ(file->known()[0].starts_at, 500u);
  EXPECT_TRUE(file->known()[0].coverage.empty()) << "it has to be sent";
  file->delivered(left_out);
  EXPECT_EQ(file->known()[0].starts_at, 0u);
}

TEST(PositionFile, ANewEpochBeginsAnewAndAnOldOneChangesNothing) {
  MemoryFileSystem fs;
  auto file = std::move(PositionFile::open(fs, kPath)).value();
  file->delivered(batch(0, 10));
  file->delivered(batch(0, 5, 1));
  file->delivered(batch(10, 20));
  const auto known = file->known();
  EXPECT_EQ(known[0].epoch, 1u);
  EXPECT_EQ(known[0].coverage.end(), 5u);
}

TEST(PositionFile, ADamagedFileIsPutAside) {
  MemoryFileSystem fs;
  auto file = std::move(PositionFile::open(fs, kPath)).value();
  file->delivered(batch(0, 10));
  ASSERT_TRUE(file->save().ok());
  std::string bytes = *read_file(fs, kPath, 10'000);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  ASSERT_TRUE(replace_file(fs, kPath, bytes).ok());
  file = std::move(PositionFile::open(fs, kPath)).value();
  EXPECT_TRUE(file->known().empty());
  EXPECT_TRUE(read_file(fs, std::string(kPath) + ".damaged", 10'000).ok());
}

}  // namespace
}  // namespace logboom::transport::kafka
