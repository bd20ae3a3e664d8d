// Renamed, deleted, copied, restored: rows of the fault matrix and losses of peers, each on real files.
#include "source/testing/follower_fixture.h"

namespace logboom::source::testing {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class RotationTest : public FollowerTest {};

TEST_F(RotationTest, A5_RenameRotationWithLateLines) {
  follow("app.log", numbered(0, 10));
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
  follow("app.log", numbered(0, 10));
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

// What a repair of the store cannot save of a source is its handle and its group.
TEST_F(RotationTest, A5_RotatedAndForgottenByADamagedStore) {
  follow("app.log", numbered(0, 10));
  move("app.log", "app.log.1");
  live(seconds(1));
  stop();
  append("app.log.1", numbered(10, 20));
  for (auto& [key, stream] : store.streams) {
    stream.state.identity = {};
    stream.state.group.clear();
  }
  start();
  expect_once(0, 20);
  EXPECT_EQ(store.sources().size(), 1u);
  EXPECT_THAT(store.causes(), IsEmpty());
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
  set_age("app.log.3", seconds(100));
  set_age("app.log.4", seconds(1000));
  write("app.log.2", numbered(20, 30));
  write("app.log.1", numbered(30, 40));
  write("app.log", numbered(40, 50));
  start();
  expect_once(0, 50);
  EXPECT_EQ(store.lines().count("older than the agent"), 0u);
}

TEST_F(RotationTest, RotatedIntoAnotherFolder) {
  make_folder("old");
  rules.rotated_to = {at("old")};
  follow("app.log", numbered(0, 10));
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
  follow("app.log", numbered(0, 10));
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

TEST_F(RotationTest, ACopyMadeBySomeoneIsNotCollectedUntilItDiffers) {
  follow("app.log*", numbered(0, 100));
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
  follow("app.log*", numbered(0, 100));
  write("app.log.1", numbered(0, 50));
  scan();
  append("app.log.1", "something else\n");
  live(seconds(30));
  EXPECT_EQ(store.lines()["something else"], 1);
  EXPECT_EQ(store.lines()["line 1"], 2) << "another file with equal lines";
}

TEST_F(RotationTest, TwoCandidatesAreCollectedAndFlagged) {
  follow("app.log*", numbered(0, 10));
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

TEST_F(RotationTest, A4_SourceIdsSurviveTheLossOfAllState) {
  follow("app.log", numbered(0, 10));
  const auto before = store.sources();
  store = {};
  start();
  EXPECT_EQ(store.sources(), before);
}

TEST_F(RotationTest, RotatedWhileNothingIsAcknowledged) {
  follow("app.log*", numbered(0, 10));
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

TEST_F(RotationTest, ARestoredFileIsBoundByContent) {
  follow("app.log", numbered(0, 1000));
  stop();
  copy("app.log", "restored");
  remove("app.log");
  move("restored", "app.log");
  append("app.log", numbered(1000, 1010));
  start();
  live(seconds(60));
  expect_once(0, 1010);
}

TEST_F(RotationTest, ASymlinkPointedToANewFile) {
  make_folder("pods");
  make_folder("containers");
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

TEST_F(RotationTest, TheStoreLearnsANewName) {
  rule("*.log");
  write("a.log", "line 0\n");
  start();
  move("a.log", "b.log");
  scan();
  EXPECT_EQ(store.streams.begin()->second.state.path, at("b.log"));
  expect_once(0, 1);
}

// Deleted between the walk and the first read, with no event: its copy is looked for at once.
TEST_F(RotationTest, GoneBeforeItWasOpened) {
  follow("app.log*", numbered(0, 10));
  stop();
  append("app.log", numbered(10, 20));
  start_unread();
  copy("app.log", "app.log.1");
  remove("app.log");
  settle();
  later(seconds(1));
  expect_once(0, 20);
}

}  // namespace
}  // namespace logboom::source::testing
