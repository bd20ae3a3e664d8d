// FollowerTest: a follower on a real temporary folder with a clock that stands still; the tests move both.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/zstd.h"
#include "source/file/follower.h"
#include "source/testing/fake_emitter.h"

namespace logboom::source::testing {

// "line 7\n" and so on, from `from` up to but not including `to`.
inline std::string numbered(int from, int to) {
  std::string text;
  for (int i = from; i < to; ++i) text += "line " + std::to_string(i) + "\n";
  return text;
}

// What a compressor of rotated files makes of it.
inline std::string zstd(const std::string& text) {
  return *ZstdCompressor().compress(text);
}

class FollowerTest : public ::testing::Test {
 protected:
  FollowerTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "lb_source_XXXXXX").string();
    dir = ::mkdtemp(pattern.data());
    options.agent_key = "test key";
    options.host = "host";
  }
  ~FollowerTest() override {
    stop();
    EXPECT_THAT(store.violations, ::testing::IsEmpty());
    std::error_code ignored;
    std::filesystem::remove_all(dir, ignored);
  }

  std::string at(const std::string& name) const { return dir + "/" + name; }

  void write(const std::string& name, const std::string& text) {
    std::ofstream(at(name), std::ios::binary | std::ios::trunc) << text;
  }
  void append(const std::string& name, const std::string& text) {
    std::ofstream(at(name), std::ios::binary | std::ios::app) << text;
  }
  void move(const std::string& from, const std::string& to) { std::filesystem::rename(at(from), at(to)); }
  void copy(const std::string& from, const std::string& to) {
    std::filesystem::copy_file(at(from), at(to), std::filesystem::copy_options::overwrite_existing);
  }
  // As `copytruncate` rotates: the copy is `name`.1.
  void copytruncate(const std::string& name) {
    copy(name, name + ".1");
    truncate(name);
  }
  void make_folder(const std::string& name) { std::filesystem::create_directories(at(name)); }
  // As the file system tells it: last written so long ago; negative: later than all there is.
  void set_age(const std::string& name, std::chrono::seconds age) {
    std::filesystem::last_write_time(at(name), std::filesystem::file_time_type::clock::now() - age);
  }
  TimeNs wall_of(const std::string& name) const { return posix->stat(at(name))->modified; }
  void remove(const std::string& name) { std::filesystem::remove(at(name)); }
  void truncate(const std::string& name, std::uint64_t size = 0) { std::filesystem::resize_file(at(name), size); }

  config::Rule& rule(const std::string& path, const std::string& topic = "logs") {
    config::Rule& added = rules.rules.emplace_back();
    added.path = path.starts_with("/") ? path : at(path);
    added.topic = topic;
    added.name = topic + ":" + path;
    added.multiline.kind = config::MultilineKind::kNone;
    return added;
  }
  // An empty store and this rule alone: for tests of several rounds.
  config::Rule& only_rule(const std::string& path) {
    store = {};
    rules.rules.clear();
    return rule(path);
  }

  // A new process that has done nothing yet. `fs` lets a test put a faulty file system between.
  void make_follower() {
    stop();
    emitter = std::make_unique<FakeEmitter>(store);
    board = std::make_unique<StatusBoard>();
    follower = std::make_unique<Follower>(FollowerDeps{options, *fs, clock, *budget, registry, *board}, *emitter,
                                          stopper.get_token());
  }
  // A new process: the emitter asks the store again. It has seen what is there, and opened and read nothing yet.
  void start_unread() {
    make_follower();
    ASSERT_TRUE(follower->start(rules).ok());
    follower->scan();
  }
  // The same, and all that is there is read.
  void start() {
    ASSERT_NO_FATAL_FAILURE(start_unread());
    settle();
  }
  // Follows `app.log`, with these bytes, by one rule.
  void follow(const std::string& rule_path, const std::string& bytes) {
    rule(rule_path);
    write("app.log", bytes);
    start();
  }
  void stop() {
    follower.reset();
    emitter.reset();
  }
  void scan() {
    follower->scan();
    settle();
  }
  // Until nothing happens any more without time or files changing.
  void settle() {
    bool more = true;
    for (int i = 0; i < 100'000 && (more || !emitter->idle()); ++i) {
      follower->take_acks();
      follower->tick();
      more = follower->read_ready();
    }
  }
  void later(std::chrono::milliseconds by) {
    clock.advance(by);
    settle();
  }
  // As the loop does over a while: scans and timers.
  void live(std::chrono::milliseconds by, int steps = 10) {
    for (int i = 0; i < steps; ++i) clock.advance(by / steps), scan();
  }
  // Every numbered line exactly once, and no other numbered one.
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
  SourceStatus status_of(const std::string& name) const {
    for (const SourceStatus& status : board->all()) {
      if (status.path == at(name)) return status;
    }
    return {};
  }

  std::string dir;
  FakeStore store;
  ManualClock clock;
  Registry registry;
  std::unique_ptr<MemoryBudget> budget = std::make_unique<MemoryBudget>(64u << 20);
  FileCollectorOptions options;
  config::RuleSet rules;
  std::unique_ptr<FileSystem> posix = open_posix_file_system();
  FileSystem* fs = posix.get();
  std::stop_source stopper;
  std::unique_ptr<FakeEmitter> emitter;
  std::unique_ptr<StatusBoard> board;
  std::unique_ptr<Follower> follower;
};

}  // namespace logboom::source::testing
