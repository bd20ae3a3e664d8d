// Truncated, copied and truncated, shortened: rows of the fault matrix and losses of peers, each on real files.
#include "source/testing/follower_fixture.h"

namespace logboom::source::testing {
namespace {

using std::chrono::seconds;
using ::testing::IsEmpty;

class TruncationTest : public FollowerTest {
 protected:
  // An empty store, one rule, and `app.log` with so many lines and without a copy; not started.
  void begin_anew(const std::string& path, int lines) {
    only_rule(path);
    for (const char* name : {"app.log", "app.log.1"}) std::filesystem::remove(at(name));
    write("app.log", numbered(0, lines));
  }
  // Once everything has come to its end, and the same after a restart.
  void expect_once_for_good(int lines) {
    for (const bool restarted : {false, true}) {
      if (restarted) start();
      live(seconds(60));
      expect_once(0, lines);
    }
  }
};

TEST_F(TruncationTest, A6_CopytruncateWithUnreadBytes) {
  follow("app.log", numbered(0, 10));
  append("app.log", numbered(10, 20));
  copytruncate("app.log");
  append("app.log", numbered(20, 30));
  scan();
  expect_once(0, 30);
  EXPECT_THAT(store.causes(), IsEmpty());
  EXPECT_EQ(status_of("app.log").epoch, 1u);
}

TEST_F(TruncationTest, A6_CopytruncateWhenARuleNamesTheCopies) {
  follow("app.log*", numbered(0, 10));
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
  expect_once_for_good(110);
}

// The writer goes on between the copy and the truncation: more was read than the copy has.
TEST_F(TruncationTest, A6_TheCopyIsShorterThanWhatWasRead) {
  for (const bool seen_before : {false, true}) {
    begin_anew("app.log*", 50);
    store.may_repeat = true;
    start();
    for (int i = 50; i < 80; ++i) append("app.log", numbered(i, i + 1)), scan();
    copy("app.log", "app.log.1");
    if (seen_before) scan();
    append("app.log", numbered(80, 200));
    scan();
    truncate("app.log");
    append("app.log", numbered(200, 210));
    scan();
    expect_once_for_good(210);
    EXPECT_EQ(store.conflicts, 0u);
    EXPECT_EQ(status_of("app.log").epoch, 1u);
  }
}

// The copy is looked at before anyone has noticed that its original was truncated.
TEST_F(TruncationTest, A6_TheCopyIsSeenBeforeTheTruncation) {
  store.may_repeat = true;
  follow("app.log*", numbered(0, 50));
  for (int i = 50; i < 80; ++i) append("app.log", numbered(i, i + 1)), scan();
  copy("app.log", "app.log.1");
  append("app.log", numbered(80, 200));
  scan();
  truncate("app.log");
  append("app.log", numbered(200, 210));
  follower->paths_changed({at("app.log.1")});
  follower->read_ready();
  scan();
  live(seconds(60));
  expect_once(0, 210);
}

TEST_F(TruncationTest, A6_TheEndOfAShorterCopyIsComparedWithWhatIsStored) {
  store.may_repeat = true;
  follow("app.log*", numbered(0, 1000));
  append("app.log", numbered(1000, 1003));
  scan();
  std::string bytes = numbered(0, 1003);
  bytes[bytes.size() - 3] = 'X';
  write("app.log.1", bytes.substr(0, bytes.size() - 1));
  append("app.log", numbered(1003, 1100));
  truncate("app.log");
  scan();
  live(seconds(60));
  EXPECT_EQ(store.repeats, 1u);
  EXPECT_EQ(store.conflicts, 1u) << "the store is told of the other bytes";
}

TEST_F(TruncationTest, A9_GrownPastTheOldEndBetweenTwoLooks) {
  follow("app.log", numbered(0, 10));
  truncate("app.log");
  append("app.log", numbered(100, 200));
  scan();
  EXPECT_THAT(store.causes(), IsEmpty()) << "nothing that was ever in the file is lost";
}

TEST_F(TruncationTest, A7_CopytruncateWhileDown) {
  for (const char* path : {"app.log", "app.log*"}) {
    begin_anew(path, 10);
    start();
    stop();
    append("app.log", numbered(10, 20));
    copytruncate("app.log");
    append("app.log", numbered(20, 30));
    start();
    expect_once_for_good(30);
    EXPECT_EQ(status_of("app.log").epoch, 1u);
  }
}

TEST_F(TruncationTest, A9_TruncatedThenRegrownWhileDown) {
  follow("app.log", numbered(0, 10));
  stop();
  truncate("app.log");
  append("app.log", numbered(100, 200));
  start();
  for (int i = 100; i < 200; ++i) EXPECT_EQ(store.lines()["line " + std::to_string(i)], 1);
  EXPECT_EQ(status_of("app.log").epoch, 1u);
}

TEST_F(TruncationTest, A9_TruncatedThenRegrownWhileRunning) {
  follow("app.log", numbered(0, 10));
  truncate("app.log");
  append("app.log", numbered(100, 200));
  scan();
  auto lines = store.lines();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(lines["line " + std::to_string(i)], 1);
  for (int i = 100; i < 200; ++i) EXPECT_EQ(lines["line " + std::to_string(i)], 1);
}

TEST_F(TruncationTest, TruncatedThenRestartedThreeTimes) {
  follow("app.log", numbered(0, 50));
  truncate("app.log");
  append("app.log", numbered(50, 60));
  scan();
  for (int i = 0; i < 3; ++i) start();
  expect_once(0, 60);
}

TEST_F(TruncationTest, ATruncationLosesWhatWasSeenButNotReadAndSaysSo) {
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

TEST_F(TruncationTest, SameBannerBeforeAndAfterATruncation) {
  const std::string banner = std::string(4096, '#') + "\n";
  follow("app.log*", banner + numbered(0, 10));
  copytruncate("app.log");
  append("app.log", banner + numbered(10, 20));
  live(seconds(60));
  expect_once(0, 20);
  EXPECT_EQ(store.lines()[std::string(4096, '#')], 2);
}

TEST_F(TruncationTest, A24_ShortenedToAnEqualPrefix) {
  follow("app.log", numbered(0, 10));
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
  const auto& newest = store.streams.rbegin()->second;
  EXPECT_EQ(newest.state.inherited, newest.ranges.begin()->first) << "the epoch says where its own ranges begin";
}

TEST_F(TruncationTest, A24_AnInheritedEpochEndsWithoutAGap) {
  follow("app.log", numbered(0, 10));
  for (int i = 1; i < 20; ++i) append("app.log", numbered(i * 10, i * 10 + 10)), scan();
  stop();
  truncate("app.log", numbered(0, 150).size());
  start();
  move("app.log", "moved.txt");
  scan();
  EXPECT_EQ(store.streams.rbegin()->second.state.path, at("moved.txt")) << "its new name is said";
  remove("moved.txt");
  live(seconds(60));
  EXPECT_THAT(store.causes(), IsEmpty()) << "what was lost is held by the epoch before";
}

TEST_F(TruncationTest, AFailedAcknowledgementAcrossATruncation) {
  follow("app.log", numbered(0, 10));
  emitter->corked = true;
  append("app.log", numbered(10, 20));
  scan();
  copytruncate("app.log");
  append("app.log", numbered(20, 30));
  scan();
  emitter->fail = 1;
  emitter->corked = false;
  emitter->deliver();
  live(seconds(30));
  expect_once(0, 30);
}

TEST_F(TruncationTest, ShrunkButNotBelowThePosition) {
  follow("app.log", numbered(0, 10) + "half");
  truncate("app.log", numbered(0, 10).size());
  append("app.log", numbered(10, 11));
  scan();
  remove("app.log");
  live(seconds(60));
  expect_once(0, 11);
  EXPECT_THAT(store.causes(), IsEmpty());
  EXPECT_EQ(store.streams.size(), 1u) << "no new epoch";
}

}  // namespace
}  // namespace logboom::source::testing
