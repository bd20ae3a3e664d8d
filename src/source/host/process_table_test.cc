#include "source/host/process_table.h"

#include <gtest/gtest.h>

#include "source/host/testing/host_folder.h"

namespace logboom::source::host {
namespace {

using namespace std::chrono_literals;

class ProcessTableTest : public ::testing::Test {
 protected:
  void process(int pid, const std::string& name, int ticks, int started = 1) {
    folder_.write("proc/" + std::to_string(pid) + "/stat",
                  std::to_string(pid) + " (" + name + ") S 1 1 1 0 -1 0 0 0 0 0 " + std::to_string(ticks) +
                      " 0 0 0 20 0 1 0 " + std::to_string(started) + " 0 100 0\n");
  }
  ProcessesReading look(ProcessTable& table, std::chrono::nanoseconds now) {
    ProcessesReading out;
    EXPECT_TRUE(table.look(now, buffer_, out));
    return out;
  }
  ProcessTableOptions options(std::size_t looks) { return {.proc = folder_.root() + "/proc", .looks = looks}; }

  HostFolder folder_;
  std::string buffer_;
};

TEST_F(ProcessTableTest, OfMoreThanALookReadsEachComesInTurnAndTheBusyEveryTime) {
  for (int pid = 1; pid <= 100; ++pid) process(pid, "idle" + std::to_string(pid), 0);
  process(50, "busy", 0);
  ProcessTable table(options(10));
  for (int second = 1; second <= 12; ++second) look(table, std::chrono::seconds(second));
  process(50, "busy", 1000);
  auto now = look(table, 13s);
  for (int second = 14; second <= 30 && now.top[0].cpu == 0; ++second) now = look(table, std::chrono::seconds(second));
  ASSERT_EQ(now.top[0].name, "busy");
  EXPECT_EQ(now.total, 100u);
  EXPECT_EQ(now.sleeping, 100u);
  process(50, "busy", 1050);
  now = look(table, 31s);
  ASSERT_EQ(now.top[0].name, "busy");
  EXPECT_GT(now.top[0].cpu, 0);
}

TEST_F(ProcessTableTest, AnIdThatIsUsedAnewIsAnotherProcess) {
  process(7, "old", 5000, 10);
  ProcessTable table(options(10));
  look(table, 1s);
  process(7, "new", 6000, 900);
  const auto now = look(table, 2s);
  EXPECT_EQ(now.top[0].name, "new");
  EXPECT_DOUBLE_EQ(now.top[0].cpu, 0);  // how long it took for them is not known
}

TEST_F(ProcessTableTest, WhatGoesBetweenTheListAndTheReadIsPassedOver) {
  process(7, "here", 0);
  folder_.write("proc/8/other", "");  // listed, and has no stat any more
  ProcessTable table(options(10));
  const auto now = look(table, 1s);
  EXPECT_EQ(now.total, 2u);
  EXPECT_EQ(now.sleeping, 1u);
}

TEST_F(ProcessTableTest, NoMoreAreKnownThanTheMost) {
  for (int pid = 1; pid <= 50; ++pid) process(pid, "p", 0);
  ProcessTableOptions few = options(100);
  few.most = 20;
  ProcessTable table(few);
  const auto now = look(table, 1s);
  EXPECT_EQ(now.total, 50u);
  EXPECT_EQ(now.sleeping, 20u);
}

TEST_F(ProcessTableTest, WithoutAListThereIsNothing) {
  ProcessTable table({.proc = folder_.root() + "/nowhere"});
  ProcessesReading out;
  EXPECT_FALSE(table.look(1s, buffer_, out));
}

}  // namespace
}  // namespace logboom::source::host
