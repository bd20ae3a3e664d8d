// What is remembered of files that ended: enough to know their copies and what came behind them, and no more.
#include <filesystem>

#include "source/testing/follower_fixture.h"

namespace logboom::source::testing {
namespace {

using std::chrono::seconds;
using ::testing::IsEmpty;

class RememberedTest : public FollowerTest {};

TEST_F(RememberedTest, FilesThatEndedAreNoLongerKept) {
  rule(dir);
  start();
  for (int i = 0; i < 50; ++i) write("job-" + std::to_string(i) + ".log", numbered(10 * i, 10 * i + 10));
  scan();
  for (int i = 0; i < 50; ++i) remove("job-" + std::to_string(i) + ".log");
  live(seconds(60));
  EXPECT_EQ(registry.gauge("logboom_source_files", "").value(), 0);
  EXPECT_THAT(board->all(), IsEmpty());
  stop();
  start();
  EXPECT_EQ(registry.gauge("logboom_source_files", "").value(), 0);
  expect_once(0, 500);
}

TEST_F(RememberedTest, ACopyThatComesLongAfterItsFile) {
  for (const bool restarted : {false, true}) {
    const std::string name = restarted ? "again/" : "first/";
    make_folder(name);
    only_rule(at(name));
    write(name + "app.log", numbered(0, 200));
    start();
    for (int i = 200; i < 100'000; i += 2000)
      append(name + "app.log", numbered(i, std::min(i + 2000, 100'000))), scan();
    remove(name + "app.log");
    live(seconds(60));
    if (restarted) start();
    write(name + "app.log.1.zst", zstd(numbered(0, 100'020)));
    live(seconds(60));
    expect_once(0, 100'020);
  }
}

TEST_F(RememberedTest, AFileThatComesBack) {
  rule(dir);
  std::filesystem::create_directory(dir + ".elsewhere");
  write("app.log", numbered(0, 10));
  start();
  std::filesystem::rename(at("app.log"), dir + ".elsewhere/app.log");
  live(seconds(60));
  std::filesystem::rename(dir + ".elsewhere/app.log", at("app.log"));
  append("app.log", numbered(10, 20));
  live(seconds(30));
  std::filesystem::remove_all(dir + ".elsewhere");
  expect_once(0, 20);
  EXPECT_EQ(store.sources().size(), 1u);
}

// A rule that was taken away and comes back later finds its files where they were.
TEST_F(RememberedTest, ARuleThatComesBack) {
  rule("app.log", "one");
  rule("app.log", "two");
  write("app.log", numbered(0, 10));
  start();
  rules.rules.pop_back();
  stop();
  remove("app.log");
  start();
  live(seconds(60));
  rule("app.log", "two");
  follower->set_rules(rules);
  write("app.log.1.zst", zstd(numbered(0, 10)));
  live(seconds(60));
  stop();
  start();
  live(seconds(60));
  for (const auto& [key, stream] : store.streams) EXPECT_EQ(stream.coverage.bytes(), numbered(0, 10).size());
}

// The last thing the store heard is that an epoch was closed; the next one was written and rotated while nobody looked.
TEST_F(RememberedTest, A8_StoppedBehindATruncation) {
  follow("app.log", numbered(0, 10));
  copytruncate("app.log");
  live(seconds(30));
  stop();
  append("app.log", numbered(10, 20));
  move("app.log.1", "app.log.2");
  write("app.log.1.zst", zstd(numbered(10, 20)));
  set_age("app.log.1.zst", -seconds(1));
  remove("app.log");
  write("app.log", numbered(20, 30));
  start();
  live(seconds(60));
  expect_once(0, 30);
}

// The numbers of the rotated files go up between the look at their names and the look at their bytes.
TEST_F(RememberedTest, A6_ACompressedCopyIsRenamedWhileItIsTold) {
  follow(dir, numbered(0, 10));
  stop();
  write("app.log.1.zst", zstd(numbered(0, 20)));
  remove("app.log");
  write("app.log", numbered(20, 30));
  start_unread();
  move("app.log.1.zst", "app.log.2.zst");
  move("app.log", "app.log.1");
  write("app.log", numbered(30, 40));
  settle();
  live(seconds(60));
  expect_once(0, 40);
}

// A program that was stopped in its tracks finds its open file emptied, written anew, and compressed.
TEST_F(RememberedTest, A8_EmptiedThenRotatedAndCompressedWhileNobodyLooked) {
  follow(dir, numbered(0, 10));
  write("app.log.2.zst", zstd(numbered(0, 10)));
  truncate("app.log");
  append("app.log", numbered(10, 40));
  write("app.log.1.zst", zstd(numbered(10, 40)));
  remove("app.log");
  write("app.log", numbered(40, 50));
  follower->paths_changed({at("app.log.1.zst")});
  settle();
  live(seconds(60));
  expect_once(0, 50);
}

// The copy of a file that was emptied is compressed before it is accounted for as a copy.
TEST_F(RememberedTest, A8_TheCopyIsCompressedWhileItIsRead) {
  follow(dir, numbered(0, 10));
  append("app.log", numbered(10, 20));
  copytruncate("app.log");
  follower->scan();
  for (int i = 0; i < 3; ++i) follower->read_ready();
  write("app.log.1.zst", zstd(numbered(0, 20)));
  remove("app.log.1");
  append("app.log", numbered(20, 30));
  live(seconds(60));
  expect_once(0, 30);
}

// Only the lines that all generations begin with were stored of it; the rest stands in its compressed copy.
TEST_F(RememberedTest, A12_OnlyTheBannerWasStored) {
  rule(dir);
  const std::string banner = "=== one\n=== two\n";
  write("app.log", banner);
  start();
  stop();
  append("app.log", numbered(0, 10));
  for (auto& [key, stream] : store.streams) stream.state.size = (banner + numbered(0, 10)).size();  // seen, not read
  write("app.log.2.zst", zstd(banner));
  write("app.log.1.zst", zstd(banner + numbered(0, 10)));
  remove("app.log");
  start();
  live(seconds(60));
  expect_once(0, 10);
  EXPECT_EQ(store.lines()["=== one"], 2);
  EXPECT_EQ(store.causes().size(), 1u);  // the copy
}

// Its rest was given up before its compressed copy came.
TEST_F(RememberedTest, A12_ACopyThatHasWhatWasGivenUp) {
  for (const bool restarted : {false, true}) {
    const std::string name = restarted ? "again/" : "first/";
    make_folder(name);
    only_rule(at(name));
    write(name + "app.log", "=== one\n");
    start();
    stop();
    for (auto& [key, stream] : store.streams) stream.state.size = 1000;
    remove(name + "app.log");
    start();
    live(seconds(60));
    if (restarted) start();
    write(name + "app.log.1.zst", zstd("=== one\n" + numbered(0, 200)));
    live(seconds(60));
    expect_once(0, 200);
  }
}

// What the next epoch has grown to is no size of the one before, also when nothing more is heard of it.
TEST_F(RememberedTest, A9_StoppedWhileATruncatedFileIsFinished) {
  follow("app.log", numbered(0, 10));
  append("app.log", numbered(10, 20));
  copytruncate("app.log");
  append("app.log", numbered(20, 60));
  follower->scan();
  for (int i = 0; i < 2; ++i) follower->read_ready();  // what only the copy has is sent, and not acknowledged yet
  stop();
  for (const auto& [key, stream] : store.streams) EXPECT_LE(stream.state.size, numbered(0, 20).size());
  start();
  live(seconds(60));
  expect_once(0, 60);
  EXPECT_THAT(store.causes(), IsEmpty());
}

// The copy was met, and waited for, when it was compressed.
TEST_F(RememberedTest, A8_ACopyThatWasWaitedForIsCompressed) {
  follow(dir, numbered(0, 10));
  append("app.log", numbered(10, 20));
  copy("app.log", "app.log.1");
  follower->paths_changed({at("app.log.1")});
  follower->read_ready();
  write("app.log.1.zst", zstd(numbered(0, 20)));
  remove("app.log.1");
  truncate("app.log");
  append("app.log", numbered(20, 50));
  live(seconds(60));
  expect_once(0, 50);
}

// Copied and emptied, then itself moved to the folder of the old ones, before anyone looked.
TEST_F(RememberedTest, A8_EmptiedThenMovedToAnotherFolder) {
  rule(dir);
  make_folder("old");
  write("app.log", numbered(0, 10));
  start();
  append("app.log", numbered(10, 20));
  write("app.log.1.zst", zstd(numbered(0, 20)));
  truncate("app.log");
  append("app.log", numbered(20, 22));
  move("app.log", "old/app.log.1");
  write("app.log", numbered(22, 30));
  live(seconds(60));
  expect_once(0, 30);
}

// Its new name is one the rule takes, that of its successor is not.
TEST_F(RememberedTest, A5_RotatedUnderNamesOfTwoKindsWhileDown) {
  follow("*.log", numbered(0, 10));
  stop();
  append("app.log", numbered(10, 20));
  move("app.log", "app-00019.log");
  write("app.log", numbered(20, 30));
  set_age("app.log", -seconds(1));
  move("app.log", "app.log-20261120");
  write("app.log", numbered(30, 40));
  start();
  live(seconds(30));
  expect_once(0, 40);
}

// More equal bytes at the beginning than a new file of the same name mostly has.
TEST_F(RememberedTest, A12_ALongBannerBeforeAndBehindTheSameName) {
  rule(dir);
  const std::string banner(8000, '=');
  write("app.log", banner + "\n");
  start();
  append("app.log", numbered(0, 10'000));
  scan();
  remove("app.log");
  live(seconds(60));
  write("app.log", banner + "\n" + numbered(10'000, 10'100));
  live(seconds(60));
  append("app.log", numbered(10'100, 20'000));
  live(seconds(60));
  expect_once(0, 20'000);
  EXPECT_EQ(store.lines()[banner], 2);
}

}  // namespace
}  // namespace logboom::source::testing
