// Many generations of a file: numbered rotation over and over, equal names in many folders, generations that came and
// went while nobody looked, generations that begin with the same lines.
#include <filesystem>

#include "source/testing/follower_fixture.h"

namespace logboom::source::testing {
namespace {

using std::chrono::seconds;
using ::testing::IsEmpty;

class GenerationsTest : public FollowerTest {
 protected:
  // app.log.1 becomes app.log.2, and so on.
  void shift(int generations) {
    for (int i = generations; i >= 1; --i) {
      const std::string name = "app.log." + std::to_string(i);
      if (std::filesystem::exists(at(name))) move(name, "app.log." + std::to_string(i + 1));
    }
  }
  // Until a file made now is made later than what is there, as far as the file system can tell.
  void next_tick() {
    write("tick", "");
    const auto made = [&] { return posix->stat(at("tick"))->identity.birth_time; };
    const TimeNs before = made();
    while (made() <= before) remove("tick"), write("tick", "");
    remove("tick");
  }
  void same_times(const std::vector<std::string>& names) {
    const auto time = std::filesystem::last_write_time(at(names.front()));
    for (const std::string& name : names) std::filesystem::last_write_time(at(name), time);
  }
};

TEST_F(GenerationsTest, A6_ManyCopiesUnderTheSameName) {
  follow(dir, "");
  int next = 0;
  for (int round = 0; round < 2 * static_cast<int>(NameIndex::kPerName); ++round) {
    append("app.log", numbered(next, next + 3)), next += 3;
    scan();
    shift(round);
    copy("app.log", "app.log.1");
    scan();  // the copy is there, and not truncated yet
    truncate("app.log");
    live(seconds(12), 2);
  }
  expect_once(0, next);
}

TEST_F(GenerationsTest, A6_ACopyThatIsBeingCompressed) {
  for (const bool copy_is_known : {false, true}) {
    const std::string name = copy_is_known ? "known/" : "unknown/";
    make_folder(name);
    only_rule(at(name));
    write(name + "app.log", numbered(0, 10));
    start();
    append(name + "app.log", numbered(10, 20));
    copy(name + "app.log", name + "app.log.1");
    if (copy_is_known) scan();
    truncate(name + "app.log");
    write(name + "app.log.1.zst", zstd(numbered(0, 20)));
    live(seconds(20), 20);
    remove(name + "app.log.1");
    live(seconds(60), 30);
    expect_once(0, 20);
  }
}

TEST_F(GenerationsTest, A6_CopiesThatAreThereAtTheFirstLook) {
  rule(dir);
  write("app.log", numbered(0, 10));
  copy("app.log", "app.log.1");
  write("web.log", numbered(10, 20));
  copy("web.log", "web-20261120.log");  // comes before it
  write("web-1.log", numbered(20, 30));
  start();
  live(seconds(15), 15);
  truncate("app.log");
  truncate("web.log");
  live(seconds(15), 15);
  append("app.log", numbered(30, 40));
  live(seconds(15), 15);
  expect_once(0, 40);
}

TEST_F(GenerationsTest, A14_ACopyOfAFileWithTwoNames) {
  follow(dir, numbered(0, 10));
  std::filesystem::create_hard_link(at("app.log"), at("kept"));
  scan();
  append("app.log", numbered(10, 20));
  scan();
  copy("app.log", "app.log.1");
  scan();
  truncate("app.log");
  live(seconds(30), 15);
  append("app.log", numbered(20, 30));
  live(seconds(5));
  expect_once(0, 30);
}

TEST_F(GenerationsTest, A6_EqualNamesInManyFolders) {
  const int folders = 2 * static_cast<int>(NameIndex::kPerName);
  const auto name = [](int n, const std::string& file) { return "pod-" + std::to_string(n) + "/" + file; };
  rule(dir);
  for (int n = 0; n < folders; ++n) {
    make_folder("pod-" + std::to_string(n));
    write(name(n, "app.log"), numbered(10 * n, 10 * n + 10));
  }
  start();
  for (int n = 0; n < folders; ++n) copy(name(n, "app.log"), name(n, "app.log.1"));
  live(seconds(15), 3);
  expect_once(0, 10 * folders);
}

TEST_F(GenerationsTest, A8_ManyGenerationsKnownFromBefore) {
  follow(dir, "");
  int next = 0;
  for (int round = 0; round < 2 * static_cast<int>(NameIndex::kPerName); ++round) {
    append("app.log", numbered(next, next + 3)), next += 3;
    live(seconds(12), 2);
    remove("app.log");
    write("app.log", "");
    scan();
  }
  append("app.log", numbered(next, next + 3)), next += 3;
  scan();
  stop();
  move("app.log", "app.log.1");
  copy("app.log.1", "app.log.2");  // as a compressor makes another file of it
  remove("app.log.1");
  start();
  live(seconds(15), 3);
  expect_once(0, next);
}

TEST_F(GenerationsTest, A5_RotatedOutWhileDown) {
  rule("app.log");
  write("app.log.1", "older than the agent\n");
  next_tick();
  write("app.log", numbered(0, 10));
  start();
  stop();
  remove("app.log.1");
  remove("app.log");  // as `rotate 2` does in the end
  next_tick();
  write("app.log.2", numbered(10, 20));
  write("app.log.1", numbered(20, 30));
  write("app.log", numbered(30, 40));
  start();
  live(seconds(30));
  expect_once(0, 40);
  EXPECT_THAT(store.causes(), IsEmpty());
}

TEST_F(GenerationsTest, A5_WhatIsOlderThanAVanishedFileIsNotCollected) {
  rule("app.log");
  write("app.log.1", "older than the agent\n");
  next_tick();
  write("app.log", numbered(0, 10));
  start();
  remove("app.log");
  live(seconds(30));
  stop();
  start();
  live(seconds(30));
  expect_once(0, 10);
  EXPECT_EQ(store.lines().count("older than the agent"), 0u);
}

TEST_F(GenerationsTest, A5_AGenerationTakesTheNameOfTheOneBefore) {
  follow("app.log", numbered(0, 10));
  next_tick();
  move("app.log", "app.log.1");
  write("app.log", numbered(10, 20));
  move("app.log", "app.log.1");  // the first one is no more, the second was never seen under its own name
  write("app.log", numbered(20, 30));
  scan();
  live(seconds(30));
  expect_once(0, 30);
}

TEST_F(GenerationsTest, A5_GenerationsWithEqualTimes) {
  follow("app.log", numbered(0, 10));
  stop();
  next_tick();
  append("app.log", numbered(10, 20));
  move("app.log", "app.log.3");
  write("app.log.2", numbered(20, 30));
  write("app.log.1", numbered(30, 40));
  write("app.log", numbered(40, 50));
  same_times({"app.log.3", "app.log.2", "app.log.1", "app.log"});
  start();
  expect_once(0, 50);
}

TEST_F(GenerationsTest, A5_ALateWriterOfTheOldestGeneration) {
  follow("app.log", numbered(0, 10));
  stop();
  next_tick();
  move("app.log", "app.log.2");
  write("app.log.1", numbered(10, 20));
  set_age("app.log.1", seconds(100));
  append("app.log.2", numbered(20, 30));
  write("app.log", numbered(30, 40));
  start();
  expect_once(0, 40);
}

TEST_F(GenerationsTest, ASymlinkThatWasMovedOnWhileDown) {
  make_folder("links");
  make_folder("real");
  rule("links/*.log");
  write("real/0.log", numbered(0, 10));
  std::filesystem::create_symlink(at("real/0.log"), at("links/pod.log"));
  start();
  stop();
  append("real/0.log", numbered(10, 20));
  write("real/1.log", numbered(20, 30));
  remove("links/pod.log");
  std::filesystem::create_symlink(at("real/1.log"), at("links/pod.log"));
  start();
  expect_once(0, 30);
  append("real/0.log", numbered(30, 40));
  live(seconds(5));
  expect_once(0, 40);
}

TEST_F(GenerationsTest, ALinkToAFolderThatWasMovedOnWhileDown) {
  for (const char* name : {"releases/1", "releases/2"}) make_folder(name);
  rule("current/app.log");
  write("releases/1/app.log", numbered(0, 10));
  std::filesystem::create_symlink(at("releases/1"), at("current"));
  start();
  stop();
  append("releases/1/app.log", numbered(10, 20));
  write("releases/2/app.log", numbered(20, 30));
  remove("current");
  std::filesystem::create_symlink(at("releases/2"), at("current"));
  start();
  expect_once(0, 30);
  append("releases/1/app.log", numbered(30, 40));
  live(seconds(5));
  expect_once(0, 40);
}

TEST_F(GenerationsTest, A6_CopiesOfASuccessorAreNoGenerations) {
  for (const bool vanishes : {false, true}) {
    const std::string name = vanishes ? "vanishes/" : "moves/";
    make_folder(name);
    only_rule(name + "app.log");
    write(name + "app.log", numbered(0, 10));
    start();
    next_tick();
    move(name + "app.log", name + "app.log.7");
    write(name + "app.log", numbered(10, 20));
    live(seconds(5));
    for (int round = 0; round < 3; ++round) {
      copy(name + "app.log", name + "app.log.2026112" + std::to_string(round));
      truncate(name + "app.log");
      live(seconds(5));
      append(name + "app.log", numbered(20 + 10 * round, 30 + 10 * round));
      live(seconds(5));
    }
    if (vanishes)
      remove(name + "app.log.7");
    else
      move(name + "app.log.7", name + "app.log.8");
    live(seconds(60), 20);
    stop();
    start();
    live(seconds(60), 20);
    expect_once(0, 50);
  }
}

TEST_F(GenerationsTest, A8_TruncatedThenRotatedAndCompressedWhileDown) {
  follow("*.log", "of an epoch before\n");
  truncate("app.log");
  scan();
  append("app.log", numbered(0, 10));
  scan();
  stop();
  copytruncate("app.log");
  next_tick();
  append("app.log", numbered(10, 20));
  write("app.log.2.zst", zstd(numbered(10, 20)));
  remove("app.log");
  write("app.log", numbered(20, 30));
  start();
  live(seconds(60), 30);
  expect_once(0, 30);
}

// The first line of every generation is the same, and was committed alone.
TEST_F(GenerationsTest, A12_AVanishedFileAndOneThatBeginsLikeIt) {
  follow(dir, "header\n");
  append("app.log", numbered(0, 1000));
  scan();
  remove("app.log");  // moved to where nobody looks
  live(seconds(30));
  write("app.log", "header\n" + numbered(1000, 1010));
  live(seconds(30));
  append("app.log", numbered(1010, 3000));
  live(seconds(30));
  expect_once(0, 3000);
  EXPECT_EQ(store.lines()["header"], 2);
}

// A day without lines leaves a generation of nothing but the header: it is no second original of every later copy.
TEST_F(GenerationsTest, A12_AGenerationOfTheFirstLineAlone) {
  follow(dir, "header\n");
  remove("app.log");
  live(seconds(30));
  stop();
  write("app.log", "header\n" + numbered(0, 10));
  start();
  live(seconds(30));
  write("app.log.1.zst", zstd("header\n" + numbered(0, 10)));
  remove("app.log");
  live(seconds(30));
  expect_once(0, 10);
  EXPECT_EQ(store.lines()["header"], 2);
}

TEST_F(GenerationsTest, A5_RotatedOutGenerationsThatBeginAlike) {
  follow("app.log", "header\n");
  append("app.log", numbered(0, 1000));
  scan();
  stop();
  remove("app.log");
  next_tick();
  write("app.log.1", "header\n" + numbered(1000, 1010));
  write("app.log", "header\n" + numbered(1010, 1020));
  start();
  live(seconds(30));
  expect_once(0, 1020);
  EXPECT_EQ(store.lines()["header"], 3);
}

// Two generations with the same banner, of which only the second is live: the first is no copy of it, whatever it comes
// to have later.
TEST_F(GenerationsTest, A12_AGenerationThatBeginsLikeTheLiveOne) {
  for (const int burst : {0, 1, 100}) {
    const std::string name = "burst" + std::to_string(burst);
    make_folder(name);
    only_rule(dir + "/" + name);
    write(name + "/app.log", "before\n");
    start();
    stop();
    move(name + "/app.log", name + "/app.log.2");
    write(name + "/app.log", "banner\n");
    write(name + "/app.log.1", "banner\n" + numbered(0, 10));
    start();
    live(seconds(60), 30);
    append(name + "/app.log", numbered(10, 10 + burst));
    scan();
    live(seconds(60), 30);
    expect_once(0, 10 + burst);
    EXPECT_EQ(store.lines()["banner"], 2) << name;
  }
}

}  // namespace
}  // namespace logboom::source::testing
