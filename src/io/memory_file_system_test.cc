// What only the file systems for tests promise: crashes and failures.
#include "io/memory_file_system.h"

#include <cerrno>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/faulty_file_system.h"

namespace logboom {
namespace {

constexpr std::uint64_t kSeeds = 200;

std::string content(FileSystem& files, const std::string& path) {
  const auto read = read_file(files, path, 1 << 20);
  return read.ok() ? *read : "(" + std::string(error_code_name(read.error().code())) + ")";
}

std::unique_ptr<File> create(FileSystem& files, const std::string& path) {
  return std::move(*files.open(path, OpenMode::kCreate));
}

TEST(MemoryFileSystem, ACrashKeepsWhatWasSynced) {
  MemoryFileSystem files;
  auto file = create(files, "/a");
  const std::string bytes(5000, 'x');
  ASSERT_TRUE(file->pwrite(bytes.data(), bytes.size(), 0).ok());
  ASSERT_TRUE(file->sync().ok());
  ASSERT_TRUE(files.sync_directory("/").ok());
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) EXPECT_EQ(content(*files.crash(seed), "/a"), bytes);
}

TEST(MemoryFileSystem, ACrashLosesKeepsOrTearsUnsyncedSectors) {
  MemoryFileSystem files;
  auto file = create(files, "/a");
  const std::string old_bytes(2048, 'o');
  ASSERT_TRUE(file->pwrite(old_bytes.data(), old_bytes.size(), 0).ok());
  ASSERT_TRUE(file->sync().ok());
  ASSERT_TRUE(files.sync_directory("/").ok());
  const std::string new_bytes(2048, 'n');
  ASSERT_TRUE(file->pwrite(new_bytes.data(), new_bytes.size(), 0).ok());
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    const std::string after = content(*files.crash(seed), "/a");
    ASSERT_EQ(after.size(), 2048U);
    for (std::size_t sector = 0; sector < 4; ++sector) {
      const std::string part = after.substr(sector * 512, 512);
      EXPECT_TRUE(part == std::string(512, 'o') || part == std::string(512, 'n'));
    }
    seen.insert(after);
  }
  EXPECT_TRUE(seen.contains(old_bytes));
  EXPECT_TRUE(seen.contains(new_bytes));
  EXPECT_EQ(seen.size(), 16U);  // every mixture of four sectors
}

TEST(MemoryFileSystem, ACrashMayKeepALaterWriteAndLoseAnEarlierOne) {
  MemoryFileSystem files;
  auto file = create(files, "/a");
  ASSERT_TRUE(file->truncate(8192).ok());
  ASSERT_TRUE(file->sync().ok());
  ASSERT_TRUE(files.sync_directory("/").ok());
  ASSERT_TRUE(file->pwrite("first", 5, 0).ok());
  ASSERT_TRUE(file->pwrite("second", 6, 4096).ok());
  std::set<std::pair<bool, bool>> seen;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    const std::string after = content(*files.crash(seed), "/a");
    seen.insert({after.starts_with("first"), after.substr(4096).starts_with("second")});
  }
  EXPECT_EQ(seen.size(), 4U);
}

TEST(MemoryFileSystem, ACrashUndoesAnUnsyncedTruncationInPart) {
  MemoryFileSystem files;
  auto file = create(files, "/a");
  const std::string bytes(3000, 'x');
  ASSERT_TRUE(file->pwrite(bytes.data(), bytes.size(), 0).ok());
  ASSERT_TRUE(file->sync().ok());
  ASSERT_TRUE(files.sync_directory("/").ok());
  ASSERT_TRUE(file->truncate(100).ok());
  std::set<std::size_t> sizes;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    const std::string after = content(*files.crash(seed), "/a");
    EXPECT_EQ(after.substr(0, 100), std::string(100, 'x'));
    sizes.insert(after.size());
  }
  EXPECT_EQ(sizes, (std::set<std::size_t>{100, 3000}));
}

TEST(MemoryFileSystem, ANameLastsOnlyAfterItsDirectoryWasSynced) {
  MemoryFileSystem files;
  ASSERT_TRUE(create(files, "/a")->sync().ok());
  int lost = 0;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) lost += files.crash(seed)->stat("/a").ok() ? 0 : 1;
  EXPECT_GT(lost, 0);
  EXPECT_LT(lost, static_cast<int>(kSeeds));
  ASSERT_TRUE(files.sync_directory("/").ok());
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) EXPECT_TRUE(files.crash(seed)->stat("/a").ok());
}

TEST(MemoryFileSystem, ACrashKeepsAFirstPartOfADirectorysChanges) {
  MemoryFileSystem files;
  create(files, "/a");
  create(files, "/b");
  ASSERT_TRUE(files.rename("/a", "/c").ok());
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    std::string names;
    const auto crashed = files.crash(seed);
    const auto entries = crashed->list("/");
    for (const auto& entry : *entries) names += entry.name;
    seen.insert(names);
  }
  EXPECT_EQ(seen, (std::set<std::string>{"", "a", "ab", "bc"}));
}

TEST(MemoryFileSystem, CrashesTheSameWayForTheSameSeed) {
  MemoryFileSystem files;
  auto file = create(files, "/a");
  ASSERT_TRUE(files.sync_directory("/").ok());
  const std::string bytes(9000, 'x');
  ASSERT_TRUE(file->pwrite(bytes.data(), bytes.size(), 0).ok());
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    EXPECT_EQ(content(*files.crash(seed), "/a"), content(*files.crash(seed), "/a"));
  }
}

TEST(MemoryFileSystem, AFailedSyncLosesBytesThatALaterOneDoesNotBring) {
  MemoryFileSystem files;
  auto file = create(files, "/a");
  ASSERT_TRUE(files.sync_directory("/").ok());
  files.fail_sync(2);
  ASSERT_TRUE(file->pwrite("one", 3, 0).ok());
  ASSERT_TRUE(file->sync().ok());
  ASSERT_TRUE(file->pwrite("two", 3, 0).ok());
  const Status failed = file->sync();
  EXPECT_EQ(failed.error().code(), ErrorCode::kIo);
  ASSERT_TRUE(file->sync().ok());
  EXPECT_EQ(content(files, "/a"), "two");
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) EXPECT_EQ(content(*files.crash(seed), "/a"), "one");
  ASSERT_TRUE(file->pwrite("two", 3, 0).ok());
  ASSERT_TRUE(file->sync().ok());
  EXPECT_EQ(content(*files.crash(1), "/a"), "two");
}

TEST(MemoryFileSystem, FillsUpAndFreesAgain) {
  MemoryFileSystem files;
  files.set_capacity(8192);
  auto file = create(files, "/a");
  const std::string bytes(10'000, 'x');
  const Status written = file->pwrite(bytes.data(), bytes.size(), 0);
  EXPECT_EQ(written.error().code(), ErrorCode::kFull);
  EXPECT_EQ(files.free_space("/")->available_bytes, 0U);
  EXPECT_TRUE(file->pwrite("y", 1, 0).ok());  // needs nothing new
  file.reset();
  ASSERT_TRUE(files.unlink("/a").ok());
  EXPECT_EQ(files.free_space("/")->available_bytes, 8192U);
}

TEST(MemoryFileSystem, UsesInodeNumbersAgainUnderANewHandle) {
  MemoryFileSystem files;
  create(files, "/a");
  const FileIdentity first = files.stat("/a")->identity;
  ASSERT_TRUE(files.unlink("/a").ok());
  create(files, "/a");
  const FileIdentity second = files.stat("/a")->identity;
  EXPECT_EQ(first.inode, second.inode);
  EXPECT_NE(first.handle, second.handle);
  files.set_identities(false, false);
  EXPECT_TRUE(files.stat("/a")->identity.handle.empty());
  EXPECT_EQ(files.stat("/a")->identity.birth_time, 0);
}

TEST(MemoryFileSystem, TakesItsTimesFromTheClock) {
  ManualClock clock;
  MemoryFileSystem files(clock);
  create(files, "/a");
  clock.advance(std::chrono::seconds(5));
  ASSERT_TRUE(create(files, "/a")->pwrite("x", 1, 0).ok());
  EXPECT_EQ(files.stat("/a")->modified - files.stat("/a")->identity.birth_time, 5 * kNsPerSecond);
}

TEST(FaultyFileSystem, FailsTheNthCallOfAKindAndCounts) {
  MemoryFileSystem memory;
  FaultyFileSystem files(memory);
  auto file = create(files, "/a");
  files.fail(Call::kSync, 2, ENOSPC);
  EXPECT_TRUE(file->sync().ok());
  const Status failed = file->sync();
  EXPECT_EQ(failed.error().code(), ErrorCode::kFull);
  EXPECT_EQ(failed.error().message(), "cannot sync /a: No space left on device");
  EXPECT_TRUE(file->sync().ok());
  EXPECT_EQ(files.count(Call::kSync), 3U);
  files.fail(Call::kOpen, 1, EACCES, 2);
  EXPECT_FALSE(files.open("/a", OpenMode::kRead).ok());
  EXPECT_FALSE(files.open("/a", OpenMode::kRead).ok());
  EXPECT_TRUE(files.open("/a", OpenMode::kRead).ok());
}

TEST(FaultyFileSystem, AFailedWriteLeavesItsFirstHalf) {
  MemoryFileSystem memory;
  FaultyFileSystem files(memory);
  auto file = create(files, "/a");
  files.fail(Call::kWrite, 1, EIO);
  EXPECT_FALSE(file->pwrite("12345678", 8, 0).ok());
  EXPECT_EQ(content(memory, "/a"), "1234");
}

TEST(FaultyFileSystem, ACutEndsEverything) {
  MemoryFileSystem memory;
  FaultyFileSystem files(memory);
  auto file = create(files, "/a");
  files.cut(2);
  EXPECT_TRUE(file->pwrite("1", 1, 0).ok());
  EXPECT_FALSE(file->pwrite("22", 2, 1).ok());
  EXPECT_TRUE(files.is_cut());
  EXPECT_FALSE(file->pwrite("3", 1, 3).ok());
  EXPECT_FALSE(files.stat("/a").ok());
  EXPECT_EQ(content(memory, "/a"), "12");
  files.heal();
  EXPECT_TRUE(file->sync().ok());
}

// S2 for the atomic replacement: cut at every step, then every crash shows the old or the new content.
TEST(ReplaceFile, HoldsTheOldOrTheNewContentAfterACutAtEveryStep) {
  for (std::uint64_t step = 1; true; ++step) {
    MemoryFileSystem memory;
    FaultyFileSystem files(memory);
    const std::string before(3000, 'o');
    const std::string after(5000, 'n');
    ASSERT_TRUE(replace_file(files, "/a", before).ok());
    files.cut(step);
    const bool done = replace_file(files, "/a", after).ok();
    for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
      const std::string found = content(*memory.crash(seed), "/a");
      if (done) {
        ASSERT_EQ(found, after) << "step " << step << " seed " << seed;
      } else {
        ASSERT_TRUE(found == before || found == after) << "step " << step << " seed " << seed;
      }
    }
    if (done) {
      EXPECT_GE(step, 6U);  // unlink, open, write, sync, rename, sync of the directory
      return;
    }
  }
}

}  // namespace
}  // namespace logboom
