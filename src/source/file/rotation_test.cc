// Rotation and identity: rows of the fault matrix and losses of peers, each on real files.
#include "source/testing/follower_fixture.h"

namespace logboom::source::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string numbered(int from, int to, const std::string& what = "line") {
  std::string text;
  for (int i = from; i < to; ++i) text += what + " " + std::to_string(i) + "\n";
  return text;
}

class RotationTest : public FollowerTest {
 protected:
  // Every line exactly once, nothing else.
  void expect_once(int from, int to) {
    auto lines = store.lines();
    std::vector<std::string> wrong;
    for (int i = from; i < to; ++i) {
      const int count = std::exchange(lines["line " + std::to_string(i)], 0);
      if (count != 1) wrong.push_back(std::to_string(i) + " x" + std::to_string(count));
    }
    for (const auto& [line, count] : lines) {
      if (count > 0 && line.starts_with("line ")) wrong.push_back(line + " is too much");
    }
    if (!wrong.empty()) ADD_FAILURE() << wrong.size() << " lines wrong: " << wrong.front() << " to " << wrong.back();
  }
};

// A5: rename rotation, nine generations, late lines in .1.
TEST_F(RotationTest, A5_RenameRotationWithLateLines) {
  rule("app.log");
  write("app.log", numbered(0, 10));
  start();
  int next = 10;
  for (int round = 0; round < 9; ++round) {
    for (int i = 8; i >= 1; --i) {
      if (std::filesystem::exists(at("app.log." + std::to_string(i))))
        move("app.log." + std::to_string(i), "app.log." + std::to_string(i + 1));
    }
    append("app.log", numbered(next, next + 5)), next += 5;
    move("app.log", "app.log.1");
    if (round % 2 == 0) scan();
    append("app.log.1", numbered(next, next + 5)), next += 5;  // the writer still has the old descriptor
    write("app.log", numbered(next, next + 5)), next += 5;
    live(seconds(1), 2);
  }
  live(seconds(40));
  append("app.log.1", numbered(next, next + 5)), next += 5;
  live(seconds(1));
  expect_once(0, next);
  EXPECT_EQ(store.sources().size(), 10u);
  EXPECT_THAT(store.causes(), IsEmpty());
}

TEST_F(RotationTest, A5_RenameRotationWhileDown) {
  rule("app.log");
  write("app.log", numbered(0, 10));
  start();
  stop();
  append("app.log", numbered(10, 20));
  move("app.log", "app.log.1");
  write("app.log", numbered(20, 30));
  start();
  expect_once(0, 30);
  EXPECT_EQ(store.sources().size(), 2u);
  live(seconds(30));
  EXPECT_EQ(status_of("app.log.1").state, FileState::kFinished);
}

TEST_F(RotationTest, A5_SeveralGenerationsWhileDownAreAllCollected) {
  rule("app.log");
  write("app.log.1", "older than the agent\n");
  write("app.log", numbered(0, 10));
  start();
  stop();
  append("app.log", numbered(10, 20));
  move("app.log.1", "app.log.4");
  move("app.log", "app.log.3");
  std::filesystem::last_write_time(at("app.log.3"), std::filesystem::file_time_type::clock::now() - seconds(100));
  std::filesystem::last_write_time(at("app.log.4"), std::filesystem::file_time_type::clock::now() - seconds(1000));
  write("app.log.2", numbered(20, 30));
  write("app.log.1", numbered(30, 40));
  write("app.log", numbered(40, 50));
  start();
  expect_once(0, 50);
  EXPECT_EQ(store.lines().count("older than the agent"), 0u);
}

TEST_F(RotationTest, RotatedIntoAnotherFolder) {
  std::filesystem::create_directories(at("old"));
  rules.rotated_to = {at("old")};
  rule("app.log");
  write("app.log", numbered(0, 10));
  start();
  append("app.log", numbered(10, 20));
  move("app.log", "old/app.log");
  scan();
  append("old/app.log", numbered(20, 30));
  write("app.log", numbered(30, 40));
  scan();
  expect_once(0, 40);
  stop();
  append("old/app.log", numbered(40, 50));
  start();
  expect_once(0, 50);
}

// A6: copytruncate while the agent reads slower than the writer.
TEST_F(RotationTest, A6_CopytruncateWithUnreadBytes) {
  rule("app.log");
  write("app.log", numbered(0, 10));
  start();
  append("app.log", numbered(10, 20));
  copy("app.log", "app.log.1");
  truncate("app.log");
  append("app.log", numbered(20, 30));
  scan();
  expect_once(0, 30);
  EXPECT_THAT(store.causes(), IsEmpty());
  EXPECT_EQ(status_of("app.log").epoch, 1u);
}

TEST_F(RotationTest, A6_CopytruncateWhenARuleNamesTheCopies) {
  rule("app.log*");
  write("app.log", numbered(0, 10));
  start();
  for (int round = 0; round < 5; ++round) {
    const int n = 10 + round * 20;
    append("app.log", numbered(n, n + 10));
    for (int i = 5; i >= 1; --i) {
      if (std::filesystem::exists(at("app.log." + std::to_string(i))))
        move("app.log." + std::to_string(i), "app.log." + std::to_string(i + 1));
    }
    copy("app.log", "app.log.1");
    if (round % 2 == 0) scan();
    truncate("app.log");
    append("app.log", numbered(n + 10, n + 20));
    live(seconds(1), 2);
  }
  live(seconds(60));
  expect_once(0, 110);
  start();
  live(seconds(60));
  expect_once(0, 110);
}

// A7, loss 30.
TEST_F(RotationTest, A7_CopytruncateWhileDown) {
  for (const char* path : {"app.log", "app.log*"}) {
    store = {};
    rules.rules.clear();
    rule(path);
    for (const char* name : {"app.log", "app.log.1"}) std::filesystem::remove(at(name));
    write("app.log", numbered(0, 10));
    start();
    stop();
    append("app.log", numbered(10, 20));
    copy("app.log", "app.log.1");
    truncate("app.log");
    append("app.log", numbered(20, 30));
    start();
    live(seconds(30));
    expect_once(0, 30);
    start();
    live(seconds(30));
    expect_once(0, 30);
    EXPECT_EQ(status_of("app.log").epoch, 1u);
  }
}

// A9, loss 30: size alone would miss it.
TEST_F(RotationTest, A9_TruncatedThenRegrownWhileDown) {
  rule("app.log");
  write("app.log", numbered(0, 10));
  start();
  stop();
  truncate("app.log");
  append("app.log", numbered(100, 200));
  start();
  for (int i = 100; i < 200; ++i) EXPECT_EQ(store.lines()["line " + std::to_string(i)], 1);
  EXPECT_EQ(status_of("app.log").epoch, 1u);
}

TEST_F(RotationTest, A9_TruncatedThenRegrownWhileRunning) {
  rule("app.log");
  write("app.log", numbered(0, 10));
  start();
  truncate("app.log");
  append("app.log", numbered(100, 200));
  scan();
  auto lines = store.lines();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(lines["line " + std::to_string(i)], 1);
  for (int i = 100; i < 200; ++i) EXPECT_EQ(lines["line " + std::to_string(i)], 1);
}

// Loss 8: the position after a truncation is kept, no restart reads again.
TEST_F(RotationTest, TruncatedThenRestartedThreeTimes) {
  rule("app.log");
  write("app.log", numbered(0, 50));
  start();
  truncate("app.log");
  append("app.log", numbered(50, 60));
  scan();
  for (int i = 0; i < 3; ++i) start();
  expect_once(0, 60);
}

TEST_F(RotationTest, ATruncationLosesWhatWasSeenButNotReadAndSaysSo) {
  rule("app.log");
  options.batch_bytes = 50;
  write("app.log", numbered(0, 5));
  start();
  emitter->corked = true;
  append("app.log", "half a line");
  scan();
  truncate("app.log");
  scan();
  emitter->corked = false;
  emitter->deliver();
  settle();
  EXPECT_EQ(store.bytes_of(at("app.log")), numbered(0, 5) + "half a line") << "it was still in memory";
  EXPECT_THAT(store.causes(), IsEmpty());
}

// A10, losses 7, 9 and 12: the inode number comes back, the handle does not.
TEST_F(RotationTest, A10_InodeReuse) {
  rule("app.log");
  std::size_t with_bytes = 0;
  for (int round = 0; round < 200; ++round) {
    write("app.log", "line " + std::to_string(round) + "\n");
    if (round == 0)
      start();
    else
      scan();
    remove("app.log");
    ++with_bytes;
    if (round % 50 == 0) live(seconds(20), 4);
  }
  live(seconds(60));
  expect_once(0, 200);
  EXPECT_EQ(store.sources().size(), with_bytes);
}

TEST_F(RotationTest, A11_DeletedWhileRunningIsReadToTheEnd) {
  rule("app.log");
  write("app.log", numbered(0, 10));
  start();
  std::ofstream writer(at("app.log"), std::ios::app);
  writer << numbered(10, 20) << std::flush;
  remove("app.log");
  scan();
  writer << numbered(20, 30) << "half" << std::flush;
  live(seconds(2));
  writer << " line\n" << std::flush;
  live(seconds(2));
  writer << "unfinished" << std::flush;
  live(seconds(30));
  expect_once(0, 30);
  EXPECT_EQ(store.lines()["half line"], 1);
  EXPECT_EQ(store.lines()["unfinished"], 1);
  EXPECT_THAT(store.causes(), IsEmpty());
}

TEST_F(RotationTest, A11_DeletedWhileDownIsAGap) {
  rule("app.log");
  options.batch_bytes = 100;
  write("app.log", numbered(0, 100));
  emitter = nullptr;
  start();
  emitter->corked = true;
  append("app.log", numbered(100, 200));
  scan();
  // The first of several batches reaches the store, then the agent dies; it says how long the file was.
  while (emitter->waiting.size() > 1) emitter->waiting.pop_back();
  emitter->deliver();
  stop();
  remove("app.log");
  start();
  live(seconds(60));
  ASSERT_EQ(store.causes().size(), 1u);
  EXPECT_THAT(store.causes()[0], HasSubstr(std::to_string(numbered(0, 200).size()) + ":gap:vanished"));
  const std::size_t batches = store.batches;
  start();
  live(seconds(60));
  EXPECT_EQ(store.batches, batches) << "said once";
}

// A12: equal heads, and whole files identical; losses 13 and 14.
TEST_F(RotationTest, A12_EqualBannersAndIdenticalFilesAreSourcesOfTheirOwn) {
  const std::string banner(1024, '=');
  for (int i = 0; i < 50; ++i) write("f" + std::to_string(i) + ".log", banner + "\n");
  rule("*.log");
  start();
  live(seconds(20));
  EXPECT_EQ(store.sources().size(), 50u);
  for (int i = 0; i < 50; ++i) append("f" + std::to_string(i) + ".log", "line " + std::to_string(i) + "\n");
  scan();
  expect_once(0, 50);
  EXPECT_EQ(store.lines()[banner], 50);
}

// Loss 13: a fixed banner larger than any fingerprint, before and after a copytruncate.
TEST_F(RotationTest, SameBannerBeforeAndAfterATruncation) {
  const std::string banner = std::string(4096, '#') + "\n";
  rule("app.log*");
  write("app.log", banner + numbered(0, 10));
  start();
  copy("app.log", "app.log.1");
  truncate("app.log");
  append("app.log", banner + numbered(10, 20));
  live(seconds(60));
  expect_once(0, 20);
  EXPECT_EQ(store.lines()[std::string(4096, '#')], 2);
}

TEST_F(RotationTest, ACopyMadeBySomeoneIsNotCollectedUntilItDiffers) {
  rule("app.log*");
  write("app.log", numbered(0, 100));
  start();
  copy("app.log", "app.log.1");
  scan();
  EXPECT_EQ(status_of("app.log.1").state, FileState::kWaiting);
  live(seconds(30));
  EXPECT_EQ(status_of("app.log.1").state, FileState::kAlias);
  expect_once(0, 100);
  ASSERT_EQ(store.causes().size(), 1u);
  EXPECT_THAT(store.causes()[0], HasSubstr("dropped:copy of "));
  append("app.log.1", "line 100\n");
  live(seconds(5));
  expect_once(0, 101);
}

TEST_F(RotationTest, ACopyThatGrowsIntoSomethingElseIsCollected) {
  rule("app.log*");
  write("app.log", numbered(0, 100));
  start();
  write("app.log.1", numbered(0, 50));
  scan();
  append("app.log.1", "something else\n");
  live(seconds(30));
  EXPECT_EQ(store.lines()["something else"], 1);
  EXPECT_EQ(store.lines()["line 1"], 2) << "another file with equal lines";
}

TEST_F(RotationTest, TwoCandidatesAreCollectedAndFlagged) {
  rule("app.log*");
  write("app.log", numbered(0, 10));
  start();
  stop();
  append("app.log", numbered(10, 20));
  copy("app.log", "app.log.1");
  copy("app.log", "app.log.2");
  remove("app.log");
  start();
  live(seconds(120));
  EXPECT_EQ(store.lines()["line 15"], 2) << "a flagged duplicate beats a loss";
  int flagged = 0;
  for (const auto& [key, stream] : store.streams) flagged += stream.state.flagged;
  EXPECT_GE(flagged, 1);
}

// A23: rotated to a name of another pattern.
TEST_F(RotationTest, A23_RenamedToAnotherPattern) {
  rule("log.txt");
  write("log.txt", numbered(0, 10));
  start();
  append("log.txt", numbered(10, 20));
  move("log.txt", "20191203140129.txt");
  write("log.txt", numbered(20, 30));
  scan();
  append("20191203140129.txt", numbered(30, 40));
  scan();
  expect_once(0, 40);
  stop();
  append("log.txt", numbered(40, 50));
  move("log.txt", "20191203150129.txt");
  write("log.txt", numbered(50, 60));
  start();
  expect_once(0, 60);
}

// A24: the host lost its page cache.
TEST_F(RotationTest, A24_ShortenedToAnEqualPrefix) {
  rule("app.log");
  write("app.log", numbered(0, 10));
  start();
  for (int i = 1; i < 20; ++i) append("app.log", numbered(i * 10, i * 10 + 10)), scan();
  stop();
  const std::uint64_t kept = numbered(0, 150).size();
  truncate("app.log", kept);
  append("app.log", "");
  start();
  EXPECT_EQ(status_of("app.log").epoch, 1u);
  append("app.log", numbered(200, 210));
  scan();
  expect_once(0, 210);
  start();
  append("app.log", numbered(210, 220));
  scan();
  expect_once(0, 220);
}

// A4: the agent's own state does not matter, the store's does; and an empty store means everything again.
TEST_F(RotationTest, A4_SourceIdsSurviveTheLossOfAllState) {
  rule("app.log");
  write("app.log", numbered(0, 10));
  start();
  const auto before = store.sources();
  store = {};
  start();
  EXPECT_EQ(store.sources(), before);
}

// Loss 29: rotation while the pipeline is stalled.
TEST_F(RotationTest, RotatedWhileNothingIsAcknowledged) {
  rule("app.log*");
  write("app.log", numbered(0, 10));
  start();
  emitter->corked = true;
  append("app.log", numbered(10, 20));
  scan();
  move("app.log", "app.log.1");
  write("app.log", numbered(20, 30));
  live(seconds(30));
  append("app.log", numbered(30, 40));
  live(seconds(1));
  emitter->corked = false;
  emitter->deliver();
  settle();
  live(seconds(30));
  expect_once(0, 40);
}

// A truncation while batches of the old epoch are in flight and one of them fails.
TEST_F(RotationTest, AFailedAcknowledgementAcrossATruncation) {
  rule("app.log");
  write("app.log", numbered(0, 10));
  start();
  emitter->corked = true;
  append("app.log", numbered(10, 20));
  scan();
  copy("app.log", "app.log.1");
  truncate("app.log");
  append("app.log", numbered(20, 30));
  scan();
  emitter->fail = 1;
  emitter->corked = false;
  emitter->deliver();
  live(seconds(30));
  expect_once(0, 30);
}

// A restored file system or another mount: every handle is new, the content is not.
TEST_F(RotationTest, ARestoredFileIsBoundByContent) {
  rule("app.log");
  write("app.log", numbered(0, 1000));
  start();
  stop();
  copy("app.log", "restored");
  remove("app.log");
  move("restored", "app.log");
  append("app.log", numbered(1000, 1010));
  start();
  live(seconds(60));
  expect_once(0, 1010);
}

// Loss 17: the tail behind a symlink that is pointed elsewhere.
TEST_F(RotationTest, ASymlinkPointedToANewFile) {
  std::filesystem::create_directories(at("pods"));
  std::filesystem::create_directories(at("containers"));
  write("pods/0.log", numbered(0, 10));
  std::filesystem::create_symlink(at("pods/0.log"), at("containers/app.log"));
  rule("containers/*.log");
  start();
  append("pods/0.log", numbered(10, 20));
  write("pods/1.log", numbered(20, 30));
  remove("containers/app.log");
  std::filesystem::create_symlink(at("pods/1.log"), at("containers/app.log"));
  scan();
  append("pods/0.log", numbered(30, 40));
  live(seconds(5));
  append("pods/1.log", numbered(40, 50));
  live(seconds(60));
  expect_once(0, 50);
}

// A shortened file that still has everything that was read: what was cut off is no loss of this source's bytes.
TEST_F(RotationTest, ShrunkButNotBelowThePosition) {
  rule("app.log");
  write("app.log", numbered(0, 10) + "half");
  start();
  truncate("app.log", numbered(0, 10).size());
  append("app.log", numbered(10, 11));
  scan();
  remove("app.log");
  live(seconds(60));
  expect_once(0, 11);
  EXPECT_THAT(store.causes(), IsEmpty());
  EXPECT_EQ(store.streams.size(), 1u) << "no new epoch";
}

TEST_F(RotationTest, TheStoreLearnsANewName) {
  rule("*.log");
  write("a.log", "line 0\n");
  start();
  move("a.log", "b.log");
  scan();
  EXPECT_EQ(store.streams.begin()->second.state.path, at("b.log"));
  expect_once(0, 1);
}

}  // namespace
}  // namespace logboom::source::testing
