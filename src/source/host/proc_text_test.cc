#include "source/host/proc_text.h"

#include <gtest/gtest.h>

#include "source/host/delta.h"

namespace logboom::source::host {
namespace {

TEST(ProcText, ANumberTooLargeStaysAtTheMost) {
  MemoryReading memory;
  ASSERT_TRUE(parse_meminfo("MemTotal: 99999999999999999999999 kB\n", memory));
  EXPECT_GT(memory[MemoryKey::kMemTotal], 1ull << 62);
  CpuReading cpu;
  ASSERT_TRUE(parse_stat("cpu 99999999999999999999999 1 1 1\n", cpu));
  EXPECT_EQ(cpu.total.user, UINT64_MAX);
}

TEST(ProcText, WhatIsCutShortIsNotUnderstood) {
  CpuReading cpu;
  LoadReading load;
  PressureReading pressure;
  FilesReading files;
  std::vector<DiskActivity> disks;
  std::vector<InterfaceReading> interfaces;
  EXPECT_FALSE(parse_stat("", cpu));
  EXPECT_FALSE(parse_stat("cpu  1 2 3\n", cpu));
  EXPECT_FALSE(parse_stat("cpu0 1 2 3 4\n", cpu));
  EXPECT_FALSE(parse_stat("cpu 1 2 3 4\ncpux 1 2 3 4\n", cpu));
  EXPECT_FALSE(parse_loadavg("0.1 0.2 0.3", load));
  EXPECT_FALSE(parse_loadavg("nan inf 0.3 1/2 3", load));
  EXPECT_FALSE(parse_loadavg("-1 0.2 0.3 1/2 3", load));
  EXPECT_FALSE(parse_pressure("some avg10=0.00 avg60=0.00\n", pressure));
  EXPECT_FALSE(parse_pressure("full avg10=0.00 avg60=0.00 avg300=0.00 total=1\n", pressure));
  EXPECT_FALSE(parse_file_nr("12 0\n", files));
  EXPECT_FALSE(parse_diskstats("8 0 sda 1 2 3\n", disks));
  EXPECT_FALSE(parse_net_dev("eth0: 1 2 3\n", interfaces));
  EXPECT_FALSE(parse_net_dev("a page of HTML\n", interfaces));
}

TEST(ProcText, AProcessMayHaveAnyName) {
  ProcessStat stat;
  const std::string rest = " S 7 1 1 0 -1 0 0 0 0 0 11 22 0 0 20 0 3 0 4444 9999 55 0";
  const std::string text = "12 (a) (b\n) S 1 (c)" + rest;
  ASSERT_TRUE(parse_process_stat(text, stat));
  EXPECT_EQ(stat.name, "a) (b\n) S 1 (c");
  EXPECT_EQ(stat.state, 'S');
  EXPECT_EQ(stat.parent, 7);
  EXPECT_EQ(stat.cpu_ticks, 33u);
  EXPECT_EQ(stat.threads, 3u);
  EXPECT_EQ(stat.started_ticks, 4444u);
  EXPECT_EQ(stat.resident_pages, 55u);
  EXPECT_FALSE(parse_process_stat("12 (a" + rest, stat));
  EXPECT_FALSE(parse_process_stat("12 )a(" + rest, stat));
  EXPECT_FALSE(parse_process_stat("", stat));
}

TEST(ProcText, ShownTextHasNoControlCharactersAndIsUtf8) {
  EXPECT_EQ(shown_text("a\nb\x01"
                       "c\x7f"),
            "a?b?c?");
  EXPECT_EQ(shown_text("\xc3\xa4"), "\xc3\xa4");
  EXPECT_EQ(shown_text("\xff"
                       "a"),
            "?a");
  EXPECT_EQ(shown_text("ab\xc3\xa4", 3), "ab?");
}

TEST(ProcText, MountsBelowWhatMayHangAreLeftOut) {
  std::vector<Mount> mounts;
  ASSERT_TRUE(
      parse_mountinfo("1 0 8:1 / /home/a rw - ext4 /dev/a rw\n"
                      "2 0 0:9 / /home rw - unknownfs server rw\n"
                      "3 0 8:2 / /homes rw - ext4 /dev/b rw\n",
                      mounts));
  ASSERT_EQ(mounts.size(), 1u);
  EXPECT_EQ(mounts[0].path, "/homes");
  ASSERT_TRUE(parse_mountinfo("1 0 8:1 / / rw - ext4 /dev/a rw\n2 0 0:9 / / rw - nfs server rw\n", mounts));
  EXPECT_TRUE(mounts.empty());
  EXPECT_FALSE(parse_mountinfo("1 0 8:1 / / rw ext4 /dev/a rw\n", mounts));
}

TEST(ProcText, ThereAreNeverMoreThanTheMostDevices) {
  std::string text;
  std::string mounts_text;
  for (int i = 0; i < 5000; ++i) {
    text += "8 " + std::to_string(i) + " sd" + std::to_string(i) + " 1 1 1 1 1 1 1 1 1 1 1\n";
    mounts_text += "1 0 8:" + std::to_string(i) + " / /m" + std::to_string(i) + " rw - ext4 /dev/a rw\n";
  }
  std::vector<DiskActivity> disks;
  std::vector<Mount> mounts;
  ASSERT_TRUE(parse_diskstats(text, disks));
  EXPECT_EQ(disks.size(), kMostDevices);
  ASSERT_TRUE(parse_mountinfo(mounts_text, mounts));
  EXPECT_EQ(mounts.size(), kMostDevices);
}

TEST(ProcText, CpuMaxIsCoresOrNoLimit) {
  EXPECT_EQ(parse_cpu_max("max 100000\n"), std::nullopt);
  EXPECT_EQ(parse_cpu_max("50000 100000\n"), 0.5);
  EXPECT_EQ(parse_cpu_max("1 0\n"), std::nullopt);
  EXPECT_EQ(parse_number("max\n"), std::nullopt);
}

TEST(Growth, OfACounterThatWrappedOrWasReset) {
  EXPECT_EQ(growth(5, 7), 2u);
  EXPECT_EQ(growth(0xfffffff0ull, 0x10), 0x20u);
  EXPECT_EQ(growth(1000, 5), std::nullopt);
  EXPECT_EQ(growth(1ull << 40, 5), std::nullopt);
  EXPECT_EQ(growth(0xfffffff0ull, 0x80000000ull), std::nullopt);
}

}  // namespace
}  // namespace logboom::source::host
