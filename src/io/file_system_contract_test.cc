// One suite for all implementations of FileSystem.
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "io/faulty_file_system.h"
#include "io/memory_file_system.h"

namespace logboom {
namespace {

using testing::IsEmpty;
using testing::UnorderedElementsAre;

// A file system under test with an empty directory in it, and ways to make links.
class World {
 public:
  virtual ~World() = default;
  virtual FileSystem& files() = 0;
  virtual std::string root() = 0;
  virtual void symlink(const std::string& target, const std::string& path) = 0;
  virtual void hard_link(const std::string& from, const std::string& to) = 0;
};

class PosixWorld final : public World {
 public:
  PosixWorld() {
    std::string name = (std::filesystem::temp_directory_path() / "logboom-io-XXXXXX").string();
    root_ = std::filesystem::canonical(mkdtemp(name.data()));
  }
  ~PosixWorld() override { std::filesystem::remove_all(root_); }
  FileSystem& files() override { return *files_; }
  std::string root() override { return root_; }
  void symlink(const std::string& target, const std::string& path) override {
    std::filesystem::create_symlink(target, path);
  }
  void hard_link(const std::string& from, const std::string& to) override {
    std::filesystem::create_hard_link(from, to);
  }

 private:
  std::unique_ptr<FileSystem> files_ = open_posix_file_system();
  std::string root_;
};

class MemoryWorld final : public World {
 public:
  explicit MemoryWorld(bool faulty) : faulty_(faulty) { EXPECT_TRUE(memory_.create_directories("/dir").ok()); }
  FileSystem& files() override { return faulty_ ? static_cast<FileSystem&>(wrapper_) : memory_; }
  std::string root() override { return "/dir"; }
  void symlink(const std::string& target, const std::string& path) override {
    EXPECT_TRUE(memory_.symlink(target, path).ok());
  }
  void hard_link(const std::string& from, const std::string& to) override {
    EXPECT_TRUE(memory_.hard_link(from, to).ok());
  }

 private:
  MemoryFileSystem memory_;
  FaultyFileSystem wrapper_{memory_};
  bool faulty_;
};

std::unique_ptr<World> make_world(const std::string& kind) {
  if (kind == "posix") return std::make_unique<PosixWorld>();
  return std::make_unique<MemoryWorld>(kind == "faulty");
}

class FileSystemContract : public testing::TestWithParam<std::string> {
 protected:
  std::string at(const std::string& name) { return world_->root() + "/" + name; }
  void put(const std::string& name, std::string_view content) {
    auto file = files_.open(at(name), OpenMode::kCreate);
    ASSERT_TRUE(file.ok()) << file.error().message();
    ASSERT_TRUE((*file)->truncate(0).ok());
    ASSERT_TRUE((*file)->pwrite(content.data(), content.size(), 0).ok());
  }
  std::string get(const std::string& name) {
    const auto content = read_file(files_, at(name), 1 << 20);
    return content.ok() ? *content : content.error().message();
  }
  std::vector<std::string> names(const std::string& name) {
    std::vector<std::string> out;
    const auto entries = files_.list(at(name));
    EXPECT_TRUE(entries.ok());
    for (const auto& entry : *entries) out.push_back(entry.name);
    return out;
  }

  std::unique_ptr<World> world_ = make_world(GetParam());
  FileSystem& files_ = world_->files();
};

TEST_P(FileSystemContract, ReadsWhatWasWrittenAndNoMore) {
  auto file = *files_.open(at("a"), OpenMode::kCreate);
  ASSERT_TRUE(file->pwrite("hello world", 11, 0).ok());
  ASSERT_TRUE(file->pwrite("HELLO", 5, 0).ok());
  char buffer[32] = {};
  EXPECT_EQ(*file->pread(buffer, sizeof buffer, 0), 11U);
  EXPECT_EQ(std::string(buffer, 11), "HELLO world");
  EXPECT_EQ(*file->pread(buffer, 5, 6), 5U);
  EXPECT_EQ(std::string(buffer, 5), "world");
  EXPECT_EQ(*file->pread(buffer, 5, 11), 0U);
  EXPECT_EQ(*file->pread(buffer, 5, 1000), 0U);
  ASSERT_TRUE(file->sync().ok());
}

TEST_P(FileSystemContract, WritesBehindTheEndLeaveZeros) {
  auto file = *files_.open(at("a"), OpenMode::kCreate);
  ASSERT_TRUE(file->pwrite("x", 1, 5000).ok());
  EXPECT_EQ(get("a"), std::string(5000, '\0') + "x");
}

TEST_P(FileSystemContract, TruncatesAndGrows) {
  put("a", std::string(6000, 'x'));
  auto file = *files_.open(at("a"), OpenMode::kReadWrite);
  ASSERT_TRUE(file->truncate(3).ok());
  EXPECT_EQ(get("a"), "xxx");
  ASSERT_TRUE(file->truncate(5).ok());
  EXPECT_EQ(get("a"), std::string("xxx\0\0", 5));
  EXPECT_EQ(file->stat()->size, 5U);
}

TEST_P(FileSystemContract, OpenModesSayWhetherTheFileMustExist) {
  EXPECT_EQ(files_.open(at("a"), OpenMode::kRead).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(files_.open(at("a"), OpenMode::kReadWrite).error().code(), ErrorCode::kNotFound);
  EXPECT_TRUE(files_.open(at("a"), OpenMode::kCreateNew).ok());
  const auto again = files_.open(at("a"), OpenMode::kCreateNew);
  EXPECT_EQ(again.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(again.error().os_error(), EEXIST);
  EXPECT_TRUE(files_.open(at("a"), OpenMode::kCreate).ok());
  EXPECT_EQ(files_.stat(at("a"))->mode, 0600U);
  EXPECT_EQ(files_.open(at("a/b"), OpenMode::kRead).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(files_.open(world_->root(), OpenMode::kRead).error().code(), ErrorCode::kInvalidArgument);
}

TEST_P(FileSystemContract, AFileOpenedForReadingCannotBeChanged) {
  put("a", "abc");
  auto file = *files_.open(at("a"), OpenMode::kRead);
  EXPECT_FALSE(file->pwrite("x", 1, 0).ok());
  EXPECT_FALSE(file->truncate(0).ok());
  EXPECT_EQ(get("a"), "abc");
}

TEST_P(FileSystemContract, IdentityFollowsTheFileNotTheName) {
  put("a", "one");
  put("b", "two");
  const FileIdentity a = files_.stat(at("a"))->identity;
  EXPECT_EQ(a, (*files_.open(at("a"), OpenMode::kRead))->stat()->identity);
  EXPECT_NE(a, files_.stat(at("b"))->identity);
  ASSERT_TRUE(files_.rename(at("a"), at("c")).ok());
  EXPECT_EQ(files_.stat(at("c"))->identity, a);
  world_->hard_link(at("c"), at("d"));
  EXPECT_EQ(files_.stat(at("d"))->identity, a);
  EXPECT_EQ(files_.stat(at("d"))->links, 2U);
  ASSERT_TRUE(files_.unlink(at("c")).ok());
  ASSERT_TRUE(files_.unlink(at("d")).ok());
  put("a", "three");
  EXPECT_NE(files_.stat(at("a"))->identity, a);  // even where the inode number is used again
}

TEST_P(FileSystemContract, StatTellsTypeSizeAndTime) {
  put("a", "12345");
  const auto before = files_.stat(at("a"));
  ASSERT_TRUE(before.ok());
  EXPECT_EQ(before->type, FileType::kRegular);
  EXPECT_EQ(before->size, 5U);
  EXPECT_GT(before->modified, 1'500'000'000 * kNsPerSecond);
  EXPECT_EQ(files_.stat(world_->root())->type, FileType::kDirectory);
  world_->symlink("a", at("link"));
  EXPECT_EQ(files_.stat(at("link"))->type, FileType::kRegular);
  EXPECT_EQ(files_.stat(at("link"), false)->type, FileType::kSymlink);
  EXPECT_EQ(files_.stat(at("none")).error().code(), ErrorCode::kNotFound);
}

TEST_P(FileSystemContract, AnOpenFileOutlivesItsName) {
  put("a", "abc");
  auto file = *files_.open(at("a"), OpenMode::kRead);
  ASSERT_TRUE(files_.unlink(at("a")).ok());
  char buffer[3];
  EXPECT_EQ(*file->pread(buffer, 3, 0), 3U);
  EXPECT_EQ(file->stat()->links, 0U);
  EXPECT_EQ(files_.unlink(at("a")).error().code(), ErrorCode::kNotFound);
}

TEST_P(FileSystemContract, RenameReplacesInOneStep) {
  put("a", "new");
  put("b", "old");
  auto old = *files_.open(at("b"), OpenMode::kRead);
  ASSERT_TRUE(files_.rename(at("a"), at("b")).ok());
  EXPECT_EQ(get("b"), "new");
  char buffer[3];
  EXPECT_EQ(*old->pread(buffer, 3, 0), 3U);
  EXPECT_EQ(std::string(buffer, 3), "old");
  EXPECT_EQ(names("."), std::vector<std::string>{"b"});
  EXPECT_EQ(files_.rename(at("a"), at("b")).error().code(), ErrorCode::kNotFound);
}

TEST_P(FileSystemContract, ListsNamesAndTypes) {
  EXPECT_THAT(names("."), IsEmpty());
  put("a", "");
  put("odd\n\xff name", "");
  ASSERT_TRUE(files_.create_directories(at("sub/deep")).ok());
  world_->symlink("nowhere", at("link"));
  EXPECT_THAT(names("."), UnorderedElementsAre("a", "odd\n\xff name", "sub", "link"));
  std::map<std::string, FileType> types;
  const auto entries = files_.list(world_->root());
  for (const auto& entry : *entries) types[entry.name] = entry.type;
  EXPECT_EQ(types["a"], FileType::kRegular);
  EXPECT_EQ(types["sub"], FileType::kDirectory);
  EXPECT_EQ(types["link"], FileType::kSymlink);
  EXPECT_EQ(files_.list(at("none")).error().code(), ErrorCode::kNotFound);
  EXPECT_FALSE(files_.list(at("a")).ok());
}

TEST_P(FileSystemContract, CreatesDirectoriesWithParentsAndIsFineWithExistingOnes) {
  ASSERT_TRUE(files_.create_directories(at("x/y/z")).ok());
  ASSERT_TRUE(files_.create_directories(at("x/y/z/")).ok());
  EXPECT_EQ(files_.stat(at("x/y/z"))->type, FileType::kDirectory);
  EXPECT_EQ(files_.stat(at("x/y"))->mode, 0700U);
  EXPECT_TRUE(files_.sync_directory(at("x/y")).ok());
  put("file", "");
  EXPECT_FALSE(files_.create_directories(at("file")).ok());
  EXPECT_FALSE(files_.create_directories(at("file/x")).ok());
  EXPECT_EQ(files_.sync_directory(at("none")).error().code(), ErrorCode::kNotFound);
}

TEST_P(FileSystemContract, FindsDataBehindHoles) {
  auto file = *files_.open(at("a"), OpenMode::kCreate);
  constexpr std::uint64_t kFar = 64 << 20;
  ASSERT_TRUE(file->pwrite("data", 4, kFar).ok());
  ASSERT_TRUE(file->truncate(2 * kFar).ok());
  const auto found = file->next_data(0);
  ASSERT_TRUE(found.ok());
  ASSERT_TRUE(found->has_value());
  EXPECT_LE(**found, kFar);
  EXPECT_GT(**found, kFar / 2);  // all of them keep a hole of 64 MiB
  EXPECT_EQ(**file->next_data(kFar), kFar);
  EXPECT_EQ(*file->next_data(kFar + (1 << 20)), std::nullopt);
  EXPECT_EQ(*file->next_data(3 * kFar), std::nullopt);
}

TEST_P(FileSystemContract, MapsOrSaysItCannot) {
  put("a", "mapped");
  auto file = *files_.open(at("a"), OpenMode::kRead);
  const auto mapped = file->map(6);
  if (!mapped.ok()) {
    EXPECT_EQ(mapped.error().code(), ErrorCode::kUnsupported);
    return;
  }
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(*mapped), 6), "mapped");
  EXPECT_FALSE(file->map(7).ok());  // touching it would kill the process
}

TEST_P(FileSystemContract, LocksConflictWithinOneProcess) {
  const std::string path = at("lock");
  auto exclusive = files_.lock(path, LockMode::kExclusive);
  ASSERT_TRUE(exclusive.ok());
  EXPECT_EQ(files_.lock(path, LockMode::kExclusive).error().code(), ErrorCode::kUnavailable);
  EXPECT_EQ(files_.lock(path, LockMode::kShared).error().code(), ErrorCode::kUnavailable);
  exclusive->reset();
  auto one = files_.lock(path, LockMode::kShared);
  auto two = files_.lock(path, LockMode::kShared);
  ASSERT_TRUE(one.ok() && two.ok());
  EXPECT_EQ(files_.lock(path, LockMode::kExclusive).error().code(), ErrorCode::kUnavailable);
  one->reset();
  EXPECT_FALSE(files_.lock(path, LockMode::kExclusive).ok());
  two->reset();
  EXPECT_TRUE(files_.lock(path, LockMode::kExclusive).ok());
}

TEST_P(FileSystemContract, CanonicalPathsHaveNoSymlinksAndDots) {
  ASSERT_TRUE(files_.create_directories(at("x/y")).ok());
  put("x/y/f", "");
  world_->symlink("x/../x/y", at("link"));
  EXPECT_EQ(*files_.canonical(at("link/./../y/f")), at("x/y/f"));
  EXPECT_EQ(files_.canonical(at("none")).error().code(), ErrorCode::kNotFound);
  world_->symlink(at("loop2"), at("loop1"));
  world_->symlink(at("loop1"), at("loop2"));
  EXPECT_EQ(files_.canonical(at("loop1")).error().os_error(), ELOOP);
  EXPECT_FALSE(files_.open(at("loop1"), OpenMode::kRead).ok());
}

TEST_P(FileSystemContract, OpenBeneathNeverLeavesItsRoot) {
  ASSERT_TRUE(files_.create_directories(at("root/sub")).ok());
  ASSERT_TRUE(files_.create_directories(at("rootless")).ok());
  put("root/sub/f", "inside");
  put("secret", "outside");
  put("rootless/f", "neighbour");
  world_->symlink("sub/f", at("root/relative"));
  world_->symlink(at("root/sub/f"), at("root/absolute"));
  world_->symlink(at("root/sub"), at("root/sub_link"));
  world_->symlink("../secret", at("root/out"));
  world_->symlink(at("secret"), at("root/absolute_out"));
  world_->symlink("..", at("root/up"));
  const std::string root = at("root");
  for (const char* good : {"/sub/f", "/relative", "/absolute", "/sub_link/f", "//sub//f"}) {
    EXPECT_TRUE(files_.open_beneath(root, root + good).ok()) << good;
    EXPECT_TRUE(files_.open_beneath(root + "/", root + good).ok()) << good;
  }
  for (const char* bad : {"/out", "/absolute_out", "/up/secret", "/sub/../sub/f", "/../secret", "less/f", ""}) {
    const auto opened = files_.open_beneath(root, root + bad);
    ASSERT_FALSE(opened.ok()) << bad;
    EXPECT_EQ(opened.error().code(), ErrorCode::kRejected) << bad << ": " << opened.error().message();
  }
  EXPECT_EQ(files_.open_beneath(root, root + "/none").error().code(), ErrorCode::kNotFound);
  EXPECT_FALSE(files_.open_beneath(root, root + "/sub").ok());
  EXPECT_TRUE(files_.open_beneath("/", root + "/sub/f").ok());
}

TEST_P(FileSystemContract, TellsFreeSpace) {
  const auto space = files_.free_space(world_->root());
  ASSERT_TRUE(space.ok());
  EXPECT_GT(space->total_bytes, 0U);
  EXPECT_LE(space->available_bytes, space->total_bytes);
  EXPECT_EQ(files_.free_space(at("none")).error().code(), ErrorCode::kNotFound);
}

TEST_P(FileSystemContract, ReadFileHoldsItsLimit) {
  put("a", std::string(70'000, 'x'));
  EXPECT_EQ(read_file(files_, at("a"), 70'000)->size(), 70'000U);
  EXPECT_EQ(read_file(files_, at("a"), 69'999).error().code(), ErrorCode::kFull);
  put("empty", "");
  EXPECT_EQ(*read_file(files_, at("empty"), 0), "");
}

TEST_P(FileSystemContract, ReplaceFileLeavesNothingElse) {
  ASSERT_TRUE(replace_file(files_, at("a"), "one").ok());
  put("a.new", "left by a crash");
  ASSERT_TRUE(replace_file(files_, at("a"), "two").ok());
  EXPECT_EQ(get("a"), "two");
  EXPECT_EQ(files_.stat(at("a"))->mode, 0600U);
  EXPECT_EQ(names("."), std::vector<std::string>{"a"});
  EXPECT_EQ(replace_file(files_, at("none/a"), "x").error().code(), ErrorCode::kNotFound);
}

TEST_P(FileSystemContract, ErrorsNameThePathPrintably) {
  const auto opened = files_.open(at("bad\nname"), OpenMode::kRead);
  EXPECT_THAT(opened.error().message(), testing::HasSubstr("bad\\nname"));
}

INSTANTIATE_TEST_SUITE_P(All, FileSystemContract, testing::Values("posix", "memory", "faulty"),
                         [](const auto& test) { return test.param; });

TEST(PosixFileSystem, NeverBlocksOnAFifo) {
  PosixWorld world;
  const std::string path = world.root() + "/fifo";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  auto file = world.files().open(path, OpenMode::kRead);
  ASSERT_TRUE(file.ok());
  EXPECT_EQ((*file)->stat()->type, FileType::kOther);
  EXPECT_TRUE(world.files().open_beneath(world.root(), path).ok());
}

TEST(PosixFileSystem, RefusesKernelFilesBelowARootThatIsNone) {
  PosixWorld world;
  const auto opened = world.files().open_beneath("/", "/proc/self/environ");
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code(), ErrorCode::kRejected);
  const auto magic = world.files().open_beneath("/proc", "/proc/self/root/etc/passwd");
  ASSERT_FALSE(magic.ok());
  EXPECT_EQ(magic.error().code(), ErrorCode::kRejected);
}

// A hostile user swaps a directory and a symlink that leads out while we open.
TEST(PosixFileSystem, OpenBeneathStandsASwapRace) {
  PosixWorld world;
  const std::string root = world.root() + "/root";
  const std::string out = world.root() + "/out";
  ASSERT_TRUE(world.files().create_directories(root + "/d").ok());
  ASSERT_TRUE(world.files().create_directories(out).ok());
  ASSERT_TRUE(replace_file(world.files(), root + "/d/f", "inside").ok());
  ASSERT_TRUE(replace_file(world.files(), out + "/f", "outside").ok());
  world.symlink(out, root + "/link");
  std::jthread swapper([&](std::stop_token stop) {
    while (!stop.stop_requested()) {
      rename((root + "/d").c_str(), (root + "/aside").c_str());
      rename((root + "/link").c_str(), (root + "/d").c_str());
      rename((root + "/d").c_str(), (root + "/link").c_str());
      rename((root + "/aside").c_str(), (root + "/d").c_str());
    }
  });
  int inside = 0;
  for (int i = 0; i < 20'000; ++i) {
    auto file = world.files().open_beneath(root, root + "/d/f");
    if (!file.ok()) continue;
    char buffer[16];
    const auto n = (*file)->pread(buffer, sizeof buffer, 0);
    ASSERT_EQ(std::string(buffer, *n), "inside");
    ++inside;
  }
  EXPECT_GT(inside, 0);
}

}  // namespace
}  // namespace logboom
