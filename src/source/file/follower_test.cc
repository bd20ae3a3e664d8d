#include "source/file/follower.h"

#include <sys/stat.h>
#include <unistd.h>

#include "source/testing/follower_fixture.h"

namespace logboom::source::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_F(FollowerTest, ReadsAFileFromBeginToEndAndFollowsIt) {
  write("app.log", "one\ntwo\n");
  rule("app.log");
  start();
  EXPECT_EQ(store.bytes_of(at("app.log")), "one\ntwo\n");
  append("app.log", "three\n");
  scan();
  EXPECT_EQ(store.bytes_of(at("app.log")), "one\ntwo\nthree\n");
  const SourceStatus status = status_of("app.log");
  EXPECT_EQ(status.size, 14u);
  EXPECT_EQ(status.acknowledged, 14u);
}

TEST_F(FollowerTest, ResumesWhereTheStoreStands) {
  write("app.log", numbered(0, 100));
  rule("app.log");
  start();
  stop();
  append("app.log", numbered(100, 200));
  start();
  EXPECT_EQ(store.bytes_of(at("app.log")), numbered(0, 200));
  EXPECT_EQ(store.sources().size(), 1u);
  const std::size_t batches = store.batches;
  start();
  EXPECT_EQ(store.batches, batches) << "nothing new: nothing sent";
}

TEST_F(FollowerTest, GlobsAndFoldersFindTheirFilesAndLaterOnesToo) {
  make_folder("a/b");
  write("a/x.log", "x\n");
  write("a/b/y.log", "y\n");
  write("a/skip.txt", "no\n");
  rule("a/**/*.log");
  make_folder("d/e");
  write("d/e/z", "z\n");
  rule("d", "other");
  start();
  EXPECT_EQ(store.lines().size(), 2u);
  EXPECT_EQ(store.lines("other").size(), 1u);
  write("a/b/new.log", "new\n");
  scan();
  EXPECT_EQ(store.lines()["new"], 1);
}

TEST_F(FollowerTest, AMissingFileIsSaidOnceAndReadWhenItComes) {
  rule("later.log");
  start();
  EXPECT_EQ(status_of("later.log").state, FileState::kMissing);
  write("later.log", "here\n");
  scan();
  EXPECT_EQ(store.lines()["here"], 1);
  for (const SourceStatus& status : board->all()) EXPECT_NE(status.state, FileState::kMissing);
}

// A13, bad input 10; peers' losses 18 and 19.
TEST_F(FollowerTest, A13_HoldsALastLineWithoutNewlineThenEmitsAFragment) {
  write("empty.log", "");
  write("one.log", "x");
  write("app.log", "whole\nhalf");
  rule("*.log");
  start();
  EXPECT_EQ(store.bytes_of(at("app.log")), "whole\n");
  EXPECT_EQ(store.bytes_of(at("one.log")), "");
  append("app.log", " other half\n");
  scan();
  EXPECT_EQ(store.lines()["half other half"], 1);
  later(seconds(6));
  EXPECT_EQ(store.bytes_of(at("one.log")), "x");
  append("one.log", "y\n");
  scan();
  EXPECT_EQ(store.bytes_of(at("one.log")), "xy\n");
  EXPECT_EQ(store.bytes_of(at("empty.log")), "");
}

TEST_F(FollowerTest, AHeldHalfLineIsReadAgainAfterARestart) {
  write("app.log", "whole\nhalf");
  rule("app.log");
  start();
  start();
  append("app.log", "!\n");
  scan();
  EXPECT_EQ(store.lines()["half!"], 1);
}

TEST_F(FollowerTest, OneShotFlushesTheLastLineAtOnceAndIsComplete) {
  write("app.log", "whole\nhalf");
  rule("app.log");
  options.one_shot = true;
  start();
  EXPECT_EQ(store.bytes_of(at("app.log")), "whole\nhalf");
  EXPECT_TRUE(follower->complete());
}

TEST_F(FollowerTest, IsNotCompleteBeforeTheAcknowledgements) {
  write("app.log", "line\n");
  rule("app.log");
  options.one_shot = true;
  start();
  emitter->corked = true;
  append("app.log", "more\n");
  scan();
  EXPECT_FALSE(follower->complete());
  emitter->deliver();
  settle();
  EXPECT_TRUE(follower->complete());
}

TEST_F(FollowerTest, HoldsAMultiLineGroupUntilItIsIdle) {
  write("app.log", "2026-11-20 10:00:00 ERROR boom\n\tat a.b.C\n");
  rule("app.log").multiline.kind = config::MultilineKind::kAuto;
  start();
  EXPECT_EQ(store.bytes_of(at("app.log")), "");
  append("app.log", "\tat d.e.F\n");
  scan();
  later(milliseconds(1100));
  EXPECT_EQ(store.lines().size(), 1u);
  EXPECT_EQ(store.bytes_of(at("app.log")), "2026-11-20 10:00:00 ERROR boom\n\tat a.b.C\n\tat d.e.F\n");
}

// A14; loss 14 is in the rotation tests.
TEST_F(FollowerTest, A14_HardLinkAndSymlinkAreOneSource) {
  write("app.log", "once\n");
  std::filesystem::create_hard_link(at("app.log"), at("hard.log"));
  std::filesystem::create_symlink(at("app.log"), at("soft.log"));
  rule("*.log");
  start();
  EXPECT_EQ(store.lines()["once"], 1);
  EXPECT_EQ(store.sources().size(), 1u);
  remove("app.log");
  append("hard.log", "twice\n");
  scan();
  EXPECT_EQ(store.lines()["twice"], 1);
}

// Bad inputs 11 and 12.
TEST_F(FollowerTest, NeverReadsFifosDevicesAndBrokenLinks) {
  ASSERT_EQ(::mkfifo(at("pipe.log").c_str(), 0600), 0);
  std::filesystem::create_symlink("/dev/zero", at("zero.log"));
  std::filesystem::create_symlink(at("loop.log"), at("loop.log"));
  std::filesystem::create_symlink(at("nowhere"), at("dangling.log"));
  write("good.log", "good\n");
  rule("*.log");
  rule("pipe.log", "pipes");
  start();
  EXPECT_EQ(store.sources().size(), 1u);
  EXPECT_THAT(status_of("pipe.log").problem, HasSubstr("no regular file"));
}

TEST_F(FollowerTest, NeverReadsItsOwnFilesOrLeavesTheRoots) {
  make_folder("own");
  make_folder("root");
  write("own/state.log", "own\n");
  write("outside.log", "outside\n");
  write("me.log", "me\n");
  std::filesystem::create_symlink(at("outside.log"), at("root/link.log"));
  write("root/in.log", "inside\n");
  options.own_directories = {at("own")};
  options.never = {fs->stat(at("me.log"))->identity};
  rule("**/*.log");
  rules.roots = {at("root"), at("own"), at("me.log")};
  start();
  EXPECT_EQ(store.lines(), (std::map<std::string, int>{{"inside", 1}}));
}

// A25; of two rules for one path and topic the first wins.
TEST_F(FollowerTest, A25_OneFileUnderTwoTopicsIsCollectedOncePerChannel) {
  write("app.log", numbered(0, 10));
  rule("app.log", "web");
  rule("*.log", "all");
  rule("app.*", "all").fields = {{"never", "used"}};
  start();
  EXPECT_EQ(store.bytes_of(at("app.log"), "web"), numbered(0, 10));
  EXPECT_EQ(store.bytes_of(at("app.log"), "all"), numbered(0, 10));
  for (const auto& [key, stream] : store.streams) {
    if (std::get<1>(key) != "all") continue;
    EXPECT_EQ(stream.ranges.begin()->second.rule, "all:*.log");
  }
}

TEST_F(FollowerTest, ExcludedLinesAreDropsWithTheirCause) {
  write("app.log", "keep a\nGET /healthz 1\nGET /healthz 2\n\nkeep b\n");
  rule("app.log").exclude = {"/healthz"};
  start();
  EXPECT_EQ(store.lines(), (std::map<std::string, int>{{"keep a", 1}, {"keep b", 1}}));
  EXPECT_EQ(store.streams.begin()->second.ranges.begin()->second.dropped_lines, 2u);
}

TEST_F(FollowerTest, ARetryIsNotForgottenWhileOthersAreUnderWay) {
  follow("app.log", "one\n");
  emitter->corked = true;
  append("app.log", "two\n");
  scan();
  append("app.log", "three\n");
  scan();
  emitter->fail = 1;
  emitter->deliver(1);
  settle();
  later(seconds(5));  // the time of the retry passes; the second one is still under way
  emitter->corked = false;
  emitter->deliver();
  settle();
  later(seconds(5));
  EXPECT_EQ(store.bytes_of(at("app.log")), "one\ntwo\nthree\n");
}

TEST_F(FollowerTest, IncludeKeepsOnlyWhatMatches) {
  write("app.log", "ERROR a\nINFO b\n");
  rule("app.log").include = {"ERROR", "WARN"};
  start();
  EXPECT_EQ(store.lines(), (std::map<std::string, int>{{"ERROR a", 1}}));
}

TEST_F(FollowerTest, ALoneLineLeavesSoonAnOpenGroupWaits) {
  rule("app.log").multiline.kind = config::MultilineKind::kAuto;
  write("app.log", "");
  start();
  append("app.log", "lone\n");
  scan();
  EXPECT_EQ(store.lines().size(), 0u);
  later(milliseconds(10));
  EXPECT_EQ(store.lines()["lone"], 1);
  append("app.log", "failed\n\tat a.b(C.java:1)\n");
  scan();
  later(milliseconds(50));
  EXPECT_EQ(store.lines().size(), 1u);
  append("app.log", "\tat a.c(C.java:2)\n");
  scan();
  later(milliseconds(100));
  EXPECT_EQ(store.lines()["failed\n\tat a.b(C.java:1)\n\tat a.c(C.java:2)"], 1);
}

TEST_F(FollowerTest, AFileThatWasQuietIsReadInOneLook) {
  rule("app.log").multiline.kind = config::MultilineKind::kAuto;
  write("app.log", "one\ntwo\n");
  clock.set_wall(wall_of("app.log") + kNsPerSecond);
  start();
  EXPECT_EQ(store.lines().size(), 2u) << "the last line too";
  // But not what comes behind it.
  append("app.log", "three\n");
  scan();
  EXPECT_EQ(store.lines().size(), 2u);
}

TEST_F(FollowerTest, StartAtEndDropsWhatIsThereAndSaysSo) {
  write("app.log", "old 1\nold 2\nhalf");
  rule("app.log").start = config::Start::kEnd;
  rule("app2.log").start = config::Start::kEnd;
  start();
  EXPECT_THAT(store.causes(), ElementsAre("0-12:dropped:start=end"));
  append("app.log", " line\nnew\n");
  write("app2.log", "created later: from its beginning\n");
  scan();
  EXPECT_EQ(store.lines().size(), 3u);
  EXPECT_EQ(store.lines()["half line"], 1);
  // Down while another file is created: its rule has run before, so it is no file of the start.
  stop();
  append("app.log", "down\n");
  start();
  EXPECT_EQ(store.lines()["down"], 1);
  EXPECT_EQ(store.causes().size(), 1u);
}

// As over Kafka, where the first message to a topic that is made for it can fail.
TEST_F(FollowerTest, StartAtEndHoldsWhenItWasNotStored) {
  write("app.log", "old 1\nold 2\nhalf");
  start();
  rule("app.log").start = config::Start::kEnd;
  follower->set_rules(rules);
  emitter->fail = 1;
  scan();
  EXPECT_THAT(store.causes(), ::testing::IsEmpty());
  append("app.log", " line\nnew\n");
  live(seconds(3));
  EXPECT_THAT(store.causes(), ElementsAre("0-12:dropped:start=end"));
  EXPECT_EQ(store.lines().size(), 2u);
  EXPECT_EQ(store.lines()["half line"], 1);
}

// At an agent's start: the rules of its file, and at once those with what etcd says.
TEST_F(FollowerTest, StartAtEndHoldsWhenRulesChangeAgainBeforeTheFirstScan) {
  write("app.log", "old\n");
  start();
  rule("app.log").start = config::Start::kEnd;
  follower->set_rules(rules);
  rule("web.log").start = config::Start::kEnd;
  follower->set_rules(rules);
  scan();
  EXPECT_THAT(store.causes(), ElementsAre("0-4:dropped:start=end"));
  write("web.log", "created later\n");
  follower->set_rules(rules);  // and now they have run
  scan();
  EXPECT_EQ(store.lines()["created later"], 1);
}

TEST_F(FollowerTest, BinaryFilesAreDroppedUnlessNamed) {
  const std::string binary(
      "\x7f"
      "ELF\0\0\1 text\n",
      13);
  write("wtmp.bin", binary);
  write("named.bin", binary);
  write("zeros.bin", std::string(10, '\0') + "text behind zeros\n");
  rule("*.bin");
  rule("named.bin", "named");
  start();
  EXPECT_THAT(store.causes(), ::testing::UnorderedElementsAre("0-13:dropped:binary", "0-13:dropped:binary"));
  EXPECT_EQ(store.bytes_of(at("named.bin"), "named"), binary);
  EXPECT_EQ(status_of("wtmp.bin").state, FileState::kBinary);
  EXPECT_EQ(store.bytes_of(at("zeros.bin")).size(), 28u);
  append("wtmp.bin", "more");
  scan();
  later(seconds(2));
  EXPECT_EQ(store.causes().size(), 3u);
}

TEST_F(FollowerTest, AFailedAcknowledgementIsReadAgainAndNothingStandsTwice) {
  options.batch_bytes = 100;
  write("app.log", numbered(0, 100));
  rule("app.log");
  stop();
  emitter = std::make_unique<FakeEmitter>(store);
  start();
  emitter->corked = true;
  append("app.log", numbered(100, 200));
  scan();
  ASSERT_GT(emitter->waiting.size(), 3u);
  emitter->fail = 2;
  emitter->deliver();
  emitter->corked = false;
  settle();
  EXPECT_LT(status_of("app.log").acknowledged, status_of("app.log").size);
  later(seconds(2));
  EXPECT_EQ(store.bytes_of(at("app.log")), numbered(0, 200));
  EXPECT_EQ(status_of("app.log").acknowledged, numbered(0, 200).size());
}

TEST_F(FollowerTest, AFailureIsRetriedThoughAnEarlierTimerFellIntoTheWait) {
  rule("app.log").multiline.kind = config::MultilineKind::kAuto;
  write("app.log", "one\n");
  start();
  later(milliseconds(10));
  emitter->corked = true;
  append("app.log", "two\n");
  scan();
  later(milliseconds(10));
  append("app.log", "three\nfour\n");  // the last line is held, with a timer
  scan();
  ASSERT_EQ(emitter->waiting.size(), 2u);
  Batch second = std::move(emitter->waiting.back());
  emitter->waiting.pop_back();
  emitter->fail = 1;
  emitter->deliver();
  settle();
  later(milliseconds(10));  // the timer finds a failure, and a batch in flight
  emitter->waiting.push_back(std::move(second));
  emitter->deliver();
  emitter->corked = false;
  settle();
  later(seconds(2));
  later(milliseconds(100));
  EXPECT_EQ(store.bytes_of(at("app.log")), "one\ntwo\nthree\nfour\n");
}

TEST_F(FollowerTest, RulesComeAndGoWithThePositionKept) {
  write("a.log", "a1\n");
  write("b.log", "b1\n");
  rule("a.log");
  start();
  rules.revision = 2;
  rule("b.log");
  follower->set_rules(rules);
  scan();
  EXPECT_EQ(store.lines()["b1"], 1);
  rules.rules.erase(rules.rules.begin());
  follower->set_rules(rules);
  append("a.log", "a2\n");
  scan();
  EXPECT_EQ(store.lines().count("a2"), 0u);
  rule("a.log");
  follower->set_rules(rules);
  scan();
  EXPECT_EQ(store.lines()["a1"], 1);
  EXPECT_EQ(store.lines()["a2"], 1);
}

// A file named as no file should be (bad input 15); import takes it as it stands.
TEST_F(FollowerTest, ExplicitPathsAreLiteral) {
  const std::string name = "-we*ird [x]{a,b}\n\"\xff.log";
  write(name, "weird\n");
  rule(name);
  options.explicit_paths = options.one_shot = true;
  start();
  EXPECT_EQ(store.lines()["weird"], 1);
}

// Root may read everything: for as long as this lives, the process is nobody, who owns the folder.
class AsNobody {
 public:
  explicit AsNobody(const std::string& folder) {
    if (!root_) return;
    EXPECT_EQ(::chown(folder.c_str(), kNobody, kNobody), 0);
    EXPECT_EQ(::seteuid(kNobody), 0);
  }
  ~AsNobody() {
    if (!root_) return;
    EXPECT_EQ(::seteuid(0), 0);
  }
  AsNobody(const AsNobody&) = delete;
  AsNobody& operator=(const AsNobody&) = delete;

 private:
  static constexpr ::uid_t kNobody = 65534;
  const bool root_ = ::geteuid() == 0;
};

// A17, bad input 14.
TEST_F(FollowerTest, A17_AnUnreadableFileIsNamedAndReadWhenItCanBe) {
  const AsNobody nobody(dir);
  write("app.log", "secret\n");
  ::chmod(at("app.log").c_str(), 0);
  rule("app.log");
  start();
  EXPECT_EQ(status_of("app.log").state, FileState::kUnreadable);
  EXPECT_THAT(status_of("app.log").problem, HasSubstr("app.log"));
  ::chmod(at("app.log").c_str(), 0600);
  live(seconds(10));
  EXPECT_EQ(store.lines()["secret"], 1);
}

// Bad inputs 2 and 3: the same records whatever the batch size.
TEST_F(FollowerTest, LongLinesLeaveInFragmentsWithConstantMemory) {
  std::string text = "short\n" + std::string(300'000, 'x') + "\nend\n";
  write("app.log", text);
  rule("app.log");
  options.max_line = 10'000;
  options.batch_bytes = 4'096;
  start();
  EXPECT_EQ(store.bytes_of(at("app.log")), text);
  for (const auto& [line, count] : store.lines()) EXPECT_LE(line.size(), 10'000u);
}

}  // namespace
}  // namespace logboom::source::testing
