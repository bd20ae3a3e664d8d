// Compressed copies, holes, damaged disks, lost rights and floods.
#include <zlib.h>

#include "io/faulty_file_system.h"
#include "source/testing/follower_fixture.h"

namespace logboom::source::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string gzip(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

class DamageTest : public FollowerTest {
 protected:
  void compress(const std::string& name) {
    std::ifstream in(at(name), std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(in)), {});
    const auto modified = std::filesystem::last_write_time(at(name));
    write(name + ".gz", gzip(text));
    std::filesystem::last_write_time(at(name + ".gz"), modified);
    remove(name);
  }
};

// A8, loss 15: rotated and compressed while down, three generations, resumed in the middle of the .gz.
TEST_F(DamageTest, A8_RotatedAndCompressedWhileDown) {
  for (const char* path : {"app.log", "app.log*"}) {
    for (const auto& entry : std::filesystem::directory_iterator(dir)) std::filesystem::remove(entry);
    only_rule(path);
    write("app.log", numbered(0, 1000));
    start();
    stop();
    append("app.log", numbered(1000, 2000));
    move("app.log", "app.log.3");
    set_age("app.log.3", seconds(300));
    compress("app.log.3");
    write("app.log.2", numbered(2000, 3000));
    set_age("app.log.2", seconds(200));
    compress("app.log.2");
    write("app.log.1", numbered(3000, 4000));
    set_age("app.log.1", seconds(100));
    write("app.log", numbered(4000, 5000));
    start();
    live(seconds(60), 30);
    expect_once(0, 5000);
    start();
    live(seconds(60), 30);
    expect_once(0, 5000);
    start();
    live(seconds(60), 30);
    expect_once(0, 5000);
  }
}

TEST_F(DamageTest, A8_CompressedWhileRunning) {
  follow("app.log*", numbered(0, 1000));
  append("app.log", numbered(1000, 1500));
  move("app.log", "app.log.1");
  write("app.log", numbered(1500, 2000));
  scan();
  const std::string whole = gzip(numbered(0, 1500));
  write("app.log.1.gz", whole.substr(0, whole.size() / 2));
  scan();
  EXPECT_EQ(status_of("app.log.1.gz").state, FileState::kWaiting);
  append("app.log.1.gz", whole.substr(whole.size() / 2));
  scan();
  remove("app.log.1");
  live(seconds(60), 20);
  expect_once(0, 2000);
  start();
  live(seconds(60), 20);
  expect_once(0, 2000);
}

// Written, compressed and removed between two looks, while its descriptor was held: read there, not in its copy again.
TEST_F(DamageTest, A8_CompressedBeforeItsFirstByteWasRead) {
  follow("app.log*", "");
  append("app.log", numbered(0, 500));
  write("app.log.1.gz", gzip(numbered(0, 500)));
  remove("app.log");
  live(seconds(30));
  expect_once(0, 500);
  // Its successor is still undecided when the same happens to it: it might be the first one, restored.
  write("app.log", "");
  scan();
  append("app.log", numbered(500, 1000));
  write("app.log.2.gz", gzip(numbered(500, 1000)));
  remove("app.log");
  live(seconds(30));
  expect_once(0, 1000);
}

// Seen, but compressed and removed before it could be opened: its copy has its bytes, and nothing is left of it to
// read.
TEST_F(DamageTest, A8_CompressedBeforeItWasOpened) {
  follow("app.log*", numbered(0, 500));
  write("app.log.1.gz", gzip(numbered(0, 500)));
  remove("app.log");
  live(seconds(30));
  write("app.log", numbered(500, 600));
  follower->scan();  // not opened yet
  write("app.log.2.gz", gzip(numbered(500, 600)));
  remove("app.log");
  live(seconds(30));
  expect_once(0, 600);
  for (const SourceStatus& status : board->all()) {
    if (status.path == at("app.log")) {
      EXPECT_EQ(status.size, status.read);
    }
  }
}

// The last line is held back as a group that may go on when the agent dies; meanwhile the file turns into its .gz.
TEST_F(DamageTest, A8_KilledBetweenRotationAndCompression) {
  for (int seen = 0; seen < 4; ++seen) {
    for (const auto& entry : std::filesystem::directory_iterator(dir)) std::filesystem::remove(entry);
    only_rule("").multiline.kind = config::MultilineKind::kAuto;
    write("w-2.log", numbered(0, 1000));
    start();
    append("w-2.log", numbered(1000, 1010));
    scan();
    move("w-2.log", "w-2.log.1795225676582250");
    write("w-2.log", numbered(1010, 1020));
    if (seen > 0) scan();
    write("w-2.log.1795225676582250.gz", gzip(numbered(0, 1010)));
    if (seen > 1) scan();
    if (seen == 3) start();
    remove("w-2.log.1795225676582250");
    start();
    live(seconds(120), 60);
    EXPECT_THAT(store.causes(), ::testing::Each(HasSubstr("copy of"))) << seen;
    expect_once(0, 1020);
  }
}

// S7: what a damaged store lost of a file that lies only in its compressed copy comes again from there, the copy being
// known as one or not; and of a file that was compressed when it was collected.
TEST_F(DamageTest, S7_WhatTheStoreLostComesFromTheCompressedCopy) {
  for (const auto& [path, told] : {std::pair{"app.log", true}, {"app.log*", true}, {"app.log*", false}}) {
    for (const int lost : {0, 1, -1}) {
      SCOPED_TRACE(::testing::Message() << path << (told ? ", told" : ", not told") << ", range " << lost);
      for (const auto& entry : std::filesystem::directory_iterator(dir)) std::filesystem::remove(entry);
      only_rule(path);
      write("app.log", numbered(0, 1000));
      start();
      for (int at = 1000; at < 4000; at += 1000) append("app.log", numbered(at, at + 1000)), scan();
      move("app.log", "app.log.1");
      write("app.log", numbered(4000, 5000));
      live(seconds(60), 20);
      compress("app.log.1");
      live(seconds(told ? 60 : 1), 20);
      expect_once(0, 5000);
      stop();
      Interval gone;
      for (const auto& [key, stream] : store.streams) {
        if (stream.ranges.size() == 4) gone = store.lose(stream.state.path, lost);
      }
      ASSERT_LT(gone.begin, gone.end);
      for (int restart = 0; restart < 2; ++restart) {
        start();
        live(seconds(60), 20);
        expect_once(0, 5000);
      }
    }
  }
}

TEST_F(DamageTest, S7_WhatTheStoreLostOfACompressedFile) {
  rule("*.gz");
  write("old.gz", gzip(numbered(0, 300'000)));
  start();
  live(seconds(30));
  expect_once(0, 300'000);
  stop();
  const Interval gone = store.lose(at("old.gz"), 1);
  ASSERT_LT(gone.begin, gone.end);
  start();
  live(seconds(30));
  expect_once(0, 300'000);
}

// Neither the file nor a copy is there: what was lost stays lost, and nothing is said of it that the store does not
// know better.
TEST_F(DamageTest, S7_WhatTheStoreLostIsNowhere) {
  follow("app.log*", numbered(0, 1000));
  append("app.log", numbered(1000, 2000));
  scan();
  move("app.log", "app.log.1");
  live(seconds(60), 20);
  remove("app.log.1");
  live(seconds(60), 20);
  stop();
  const auto causes = store.causes();
  const Interval gone = store.lose(store.streams.begin()->second.state.path, 0);
  ASSERT_LT(gone.begin, gone.end);
  write("app.log.1.gz", gzip(numbered(5000, 7000)));
  start();
  live(seconds(120), 40);
  EXPECT_EQ(store.causes(), causes);
  auto lines = store.lines();
  EXPECT_EQ(lines["line 0"], 0);
  EXPECT_EQ(lines["line 1500"], 1);
  EXPECT_EQ(lines["line 6000"], 1);
}

TEST_F(DamageTest, ImportReadsCompressedFilesAndNothingTwice) {
  write("app.log.1.gz", gzip(numbered(0, 500)) + gzip(numbered(500, 1000)));
  rule("app.log.1.gz");
  options.one_shot = options.explicit_paths = true;
  start();
  expect_once(0, 1000);
  EXPECT_TRUE(follower->complete());
  start();
  EXPECT_TRUE(follower->complete());
  expect_once(0, 1000);
}

TEST_F(DamageTest, ImportContinuesAnImportedFileInItsCompressedCopy) {
  options.one_shot = options.explicit_paths = true;
  write("app.log", numbered(0, 1000));
  rule("app.log");
  start();
  append("app.log", numbered(1000, 1200));
  move("app.log", "app.log.1");
  compress("app.log.1");
  rules.rules.clear();
  rule("app.log.1.gz");
  start();
  EXPECT_TRUE(follower->complete());
  expect_once(0, 1200);
}

// Bad input 19.
TEST_F(DamageTest, DamagedCompressedFilesGiveWhatTheyHaveAndAGap) {
  std::string cut = gzip(numbered(0, 5000));
  cut.resize(cut.size() / 2);
  write("cut.log.gz", cut);
  std::string corrupt = gzip(numbered(5000, 10000));
  corrupt[corrupt.size() / 2] ^= 0x55;
  write("corrupt.log.gz", corrupt);
  rule("*.gz");
  start();
  live(seconds(60), 20);
  EXPECT_EQ(store.causes().size(), 2u);
  for (const std::string& cause : store.causes()) EXPECT_THAT(cause, HasSubstr(":gap:"));
  EXPECT_EQ(store.lines()["line 0"], 1);
  EXPECT_EQ(store.lines()["line 5000"], 1);
  const std::size_t batches = store.batches;
  start();
  live(seconds(60), 5);
  EXPECT_EQ(store.batches, batches);
}

// Bad input 5, loss 28: a hole is stepped over, not read.
TEST_F(DamageTest, HolesAreRanges) {
  write("sparse.log", "head\nhalf");
  truncate("sparse.log", std::uint64_t{1} << 40);
  append("sparse.log", "tail\n");
  rule("sparse.log");
  start();
  const std::uint64_t tail = (std::uint64_t{1} << 40);
  EXPECT_THAT(store.causes(), ElementsAre("9-" + std::to_string(tail) + ":hole"));
  EXPECT_EQ(store.bytes_of(at("sparse.log")), "head\nhalftail\n");
  start();
  append("sparse.log", "more\n");
  scan();
  EXPECT_EQ(store.lines()["more"], 1);
}

// Bad input 4.
TEST_F(DamageTest, LongRunsOfZerosAreOneRangeShortOnesStayInTheirLine) {
  const std::string zeros(100'000, '\0');
  write("app.log", "a\n" + zeros + "b\n" + std::string("c\0d\n", 4));
  rule("app.log");
  options.batch_bytes = 10'000;
  options.max_line = 4'000;
  start();
  auto lines = store.lines();
  EXPECT_EQ(lines["a"], 1);
  EXPECT_EQ(lines["b"], 1);
  EXPECT_EQ(lines[std::string("c\0d", 3)], 1);
  std::uint64_t hole = 0;
  for (const auto& [key, stream] : store.streams) {
    for (const auto& [begin, range] : stream.ranges) {
      if (range.disposition == Disposition::kHole) hole += range.end - begin;
    }
  }
  EXPECT_EQ(hole, zeros.size());
}

// Files that are allocated ahead: the zeros at the end wait until they are written.
TEST_F(DamageTest, ZerosAtTheEndWaitForWhatIsWrittenThere) {
  write("app.log", "one\n" + std::string(50'000, '\0'));
  rule("app.log");
  start();
  live(seconds(60), 5);
  EXPECT_EQ(store.bytes_of(at("app.log")), "one\n");
  {
    std::fstream file(at("app.log"), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4);
    file << "two\n";
  }
  live(seconds(60), 5);
  EXPECT_EQ(store.bytes_of(at("app.log")), "one\ntwo\n");
  EXPECT_EQ(status_of("app.log").epoch, 0u);
  options.one_shot = true;
  start();
  EXPECT_THAT(store.causes(), ElementsAre("8-50004:hole"));
}

// Bad input 4: an import does not wait for what may be written into the zeros at the end.
TEST_F(DamageTest, ZerosAtTheEndBehindLinesEndAnImport) {
  write("app.log", "text\nhalf" + std::string(50'000, '\0'));
  rule("app.log");
  options.one_shot = true;
  start();
  EXPECT_EQ(store.lines()["text"], 1);
  EXPECT_EQ(store.lines()["half"], 1);
  EXPECT_THAT(store.causes(), ElementsAre("9-50009:hole"));
}

// A16: what fails once is read again; what always fails is a gap with the system's error.
TEST_F(DamageTest, A16_ReadErrorsAreRetriedAndThenAGap) {
  write("app.log", numbered(0, 100));
  rule("app.log");
  FaultyFileSystem faulty(*posix);
  fs = &faulty;
  start();
  append("app.log", numbered(100, 200));
  faulty.fail(Call::kRead, 1, EIO, 4);
  scan();
  live(seconds(3));
  for (int i = 0; i < 200; ++i) EXPECT_EQ(store.lines()["line " + std::to_string(i)], 1);
  EXPECT_THAT(store.causes(), IsEmpty());
  const std::uint64_t before = numbered(0, 200).size();
  append("app.log", numbered(200, 300));
  faulty.fail(Call::kRead, 1, EIO, 1'000'000);
  live(seconds(30), 30);
  faulty.heal();
  live(seconds(5));
  ASSERT_FALSE(store.causes().empty());
  EXPECT_THAT(store.causes()[0], ::testing::StartsWith(std::to_string(before) + "-"));
  EXPECT_THAT(store.causes()[0], HasSubstr("Input/output error"));
  stop();
  fs = posix.get();
}

// A17, bad input 14.
TEST_F(DamageTest, A17_ReadPermissionLostAndGivenBack) {
  write("app.log", "line 0\n");
  rule("app.log");
  FaultyFileSystem faulty(*posix);
  fs = &faulty;
  faulty.fail(Call::kOpen, 1, EACCES, 1'000);
  start();
  EXPECT_EQ(status_of("app.log").state, FileState::kUnreadable);
  EXPECT_THAT(status_of("app.log").problem, HasSubstr("app.log"));
  EXPECT_THAT(status_of("app.log").problem, HasSubstr("Permission denied"));
  live(seconds(10), 3);
  faulty.heal();
  live(seconds(10), 3);
  expect_once(0, 1);
  EXPECT_EQ(status_of("app.log").problem, "");
  stop();
  fs = posix.get();
}

// A19: more changed files than descriptors.
TEST_F(DamageTest, A19_TheOpenSetRotates) {
  options.max_open_files = 8;
  rule("*.log");
  for (int i = 0; i < 200; ++i) write("f" + std::to_string(i) + ".log", "line " + std::to_string(i) + "\n");
  start();
  expect_once(0, 200);
  for (int i = 0; i < 200; ++i) append("f" + std::to_string(i) + ".log", "line " + std::to_string(200 + i) + "\n");
  scan();
  expect_once(0, 400);
  EXPECT_LE(registry.gauge("logboom_source_open_files", "").value(), 9);
}

// Bad input 17, loss 26: a flood gets one batch per turn, a quiet file is not kept waiting.
TEST_F(DamageTest, AFloodDoesNotStarveQuietFiles) {
  options.batch_bytes = 1'000;
  rule("*.log");
  write("a-flood.log", numbered(0, 10'000));
  write("quiet.log", "quiet 1\n");
  start_unread();
  EXPECT_TRUE(follower->read_ready());
  EXPECT_EQ(store.lines()["quiet 1"], 1);
  EXPECT_LE(store.batches, 3u);
  settle();
  EXPECT_EQ(store.lines().size(), 10'001u);
}

// Loss 22: a budget smaller than the lines that are held back.
TEST_F(DamageTest, HeldLinesNeverBlockTheBudget) {
  budget = std::make_unique<MemoryBudget>(64u << 10);
  options.batch_bytes = 16u << 10;
  options.max_line = 8u << 10;
  rule("*.log");
  for (int i = 0; i < 100; ++i)
    write("f" + std::to_string(i) + ".log", std::string(8'000, 'a' + static_cast<char>(i % 26)));
  start();
  EXPECT_EQ(store.lines().size(), 0u);
  EXPECT_EQ(budget->used(), 0u);
  for (int i = 0; i < 100; ++i) append("f" + std::to_string(i) + ".log", std::to_string(i) + "\n");
  scan();
  EXPECT_EQ(store.lines().size(), 100u);
}

TEST_F(DamageTest, ManyTruncationsInAnHourRaiseAnAlarm) {
  follow("app.log", "");
  for (int i = 0; i < 30; ++i) {
    write("app.log", "line " + std::to_string(i) + "\n");
    scan();
    write("app.log", "");
    live(seconds(2), 2);
  }
  expect_once(0, 30);
  EXPECT_THAT(status_of("app.log").problem, HasSubstr("more than 20 times within an hour"));
}

TEST_F(DamageTest, StartAsksAgainWhenTheStoreIsAway) {
  rule("app.log");
  make_follower();
  emitter->reachable = false;
  EXPECT_FALSE(follower->start(rules).ok());
  emitter->reachable = true;
  EXPECT_TRUE(follower->start(rules).ok());
}

}  // namespace
}  // namespace logboom::source::testing
