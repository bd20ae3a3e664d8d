#include "source/file/file_collector.h"

#include <thread>

#include "base/mutex.h"
#include "source/testing/follower_fixture.h"

namespace logboom::source::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Who has the store: all emitters on it and the test.
struct Turns {
  Mutex mutex;
  CondVar changed;
};

// A FakeEmitter for two threads: the collector's, and the test's that waits for lines.
class SharedEmitter final : public Emitter {
 public:
  SharedEmitter(FakeStore& store, Turns& turns) : store_(store), turns_(turns), inner_(store) {}
  Status emit(Batch batch, std::stop_token stop) override {
    MutexLock lock(turns_.mutex);
    const Status status = inner_.emit(std::move(batch), stop);
    turns_.changed.notify_all();
    if (fails_at > 0 && --fails_at == 0) throw std::bad_alloc();
    return status;
  }
  std::vector<Ack> take_acks() override {
    MutexLock lock(turns_.mutex);
    return inner_.take_acks();
  }
  int ack_descriptor() const override { return inner_.ack_descriptor(); }
  Result<std::vector<KnownSource>> known_sources() override {
    MutexLock lock(turns_.mutex);
    return inner_.known_sources();
  }
  bool wait_for_line(const std::string& line) {
    MutexLock lock(turns_.mutex);
    return turns_.changed.wait_for(turns_.mutex, {}, seconds(60), [&] { return store_.lines().contains(line); });
  }

  int fails_at = 0;  // the n-th batch is handed over, but its emit() throws

 private:
  FakeStore& store_;
  Turns& turns_;
  FakeEmitter inner_;
};

class FileCollectorTest : public FollowerTest {
 protected:
  void run() {
    collector = make_file_collector(options, rules, *fs, system_clock, *budget, registry);
    thread = std::jthread([this](std::stop_token stop) { status = collector->run(shared, stop); });
  }
  ~FileCollectorTest() override {
    thread.request_stop();
    if (thread.joinable()) thread.join();
  }
  SystemClock system_clock;
  Turns turns;
  SharedEmitter shared{store, turns};
  Status status;
  std::unique_ptr<FileCollector> collector;
  std::jthread thread;
};

TEST_F(FileCollectorTest, FollowsWithInotify) {
  options.reconcile = milliseconds(1'000'000);  // only events can tell
  write("app.log", "first\n");
  rule("*.log");
  run();
  ASSERT_TRUE(shared.wait_for_line("first"));
  append("app.log", "second\n");
  ASSERT_TRUE(shared.wait_for_line("second"));
  write("new.log", "third\n");
  ASSERT_TRUE(shared.wait_for_line("third"));
  move("app.log", "app.log.1");
  append("app.log.1", "late\n");
  write("app.log", "fresh\n");
  ASSERT_TRUE(shared.wait_for_line("late"));
  ASSERT_TRUE(shared.wait_for_line("fresh"));
}

// Q4: what was handed over before is not lost, what was not is read by the next run.
TEST_F(FileCollectorTest, BeginsAnewAfterAnAllocationThatFailed) {
  options.batch_bytes = 4096;
  std::string text;
  for (int i = 0; i < 2000; ++i) text += "line " + std::to_string(i) + "\n";
  write("app.log", text);
  rule("app.log");
  shared.fails_at = 3;
  SharedEmitter again(store, turns);
  collector = make_file_collector(options, rules, *fs, system_clock, *budget, registry);
  thread = std::jthread([&](std::stop_token stop) {
    EXPECT_THROW((void)collector->run(shared, stop), std::bad_alloc);
    status = collector->run(again, stop);
  });
  ASSERT_TRUE(again.wait_for_line("line 1999"));
  append("app.log", "the last\n");
  ASSERT_TRUE(again.wait_for_line("the last"));
  thread.request_stop();
  thread.join();
  expect_once(0, 2000);
}

TEST_F(FileCollectorTest, SeesAFileWhoseFolderComesLater) {
  options.reconcile = milliseconds(1'000'000);  // only events can tell
  std::filesystem::create_directory(at("seen"));
  write("seen/app.log", "first\n");
  rule("seen/app.log");
  rule("deep/er/named.log");
  rule("other/*/glob.log");
  run();
  ASSERT_TRUE(shared.wait_for_line("first"));
  const auto make = [this](const char* folder) {
    // Behind the scans that follow a change of the watches: those see everything, also what no event told.
    std::this_thread::sleep_for(milliseconds(300));
    std::filesystem::create_directory(at(folder));
  };
  make("deep");
  make("deep/er");
  write("deep/er/named.log", "named\n");
  ASSERT_TRUE(shared.wait_for_line("named"));
  make("other");
  make("other/one");
  write("other/one/glob.log", "matched\n");
  ASSERT_TRUE(shared.wait_for_line("matched"));
}

TEST_F(FileCollectorTest, TakesNewRulesAtOnceAndStopsAtOnce) {
  options.reconcile = milliseconds(1'000'000);
  write("b.log", "by rule\n");
  run();
  rule("b.log");
  collector->set_rules(rules);
  ASSERT_TRUE(shared.wait_for_line("by rule"));
  thread.request_stop();
  thread.join();
  EXPECT_TRUE(status.ok());
}

TEST_F(FileCollectorTest, OneShotReturnsByItself) {
  write("app.log", "a\nb\nc");
  rule("app.log");
  rule("missing.log");
  options.one_shot = options.explicit_paths = true;
  run();
  thread.join();
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(store.bytes_of(at("app.log")), "a\nb\nc");
  bool missing = false;
  for (const SourceStatus& s : collector->status()) missing |= s.state == FileState::kMissing;
  EXPECT_TRUE(missing);
}

}  // namespace
}  // namespace logboom::source::testing
