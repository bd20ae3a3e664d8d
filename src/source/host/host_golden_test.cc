// Looks at the folders of tests/cases/host, which hold what kernels and containers of several kinds say.
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "source/host/host_reader.h"
#include "source/host/prometheus.h"
#include "source/host/samples.h"
#include "source/host/testing/host_folder.h"

namespace logboom::source::host {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr TimeNs kNow = 1'763'735'410 * kNsPerSecond;

class HostGolden : public ::testing::Test {
 protected:
  std::vector<Sample> look(const std::string& name, std::chrono::nanoseconds at) {
    if (!name.empty()) folder_.fill(name);
    before_ = std::exchange(now_, {});
    reader_.look(at, now_);
    return make_samples(before_, now_, kNow, 100);
  }

  HostFolder folder_;
  HostReader reader_{folder_.options()};
  HostReadings before_, now_;
};

TEST_F(HostGolden, CpuTimesAreSharesOfTheTimeBetweenTwoLooks) {
  const auto first = look("debian-12", 100s);
  EXPECT_EQ(find_sample(first, "cpu"), nullptr);
  const auto samples = look("debian-12-later", 110s);
  const Sample* total = find_sample(samples, "cpu", {{"cpu", "total"}});
  ASSERT_NE(total, nullptr);
  EXPECT_DOUBLE_EQ(number_of(*total, "user"), 20);  // 400 of 2000 ticks
  EXPECT_DOUBLE_EQ(number_of(*total, "system"), 10);
  EXPECT_DOUBLE_EQ(number_of(*total, "idle"), 60);
  EXPECT_DOUBLE_EQ(number_of(*total, "iowait"), 0);  // it fell by five
  EXPECT_DOUBLE_EQ(number_of(*total, "softirq"), 5);
  EXPECT_DOUBLE_EQ(number_of(*total, "steal"), 5);
  EXPECT_DOUBLE_EQ(number_of(*total, "used"), 40);
  const Sample* core = find_sample(samples, "cpu", {{"cpu", "1"}});
  ASSERT_NE(core, nullptr);
  EXPECT_DOUBLE_EQ(number_of(*core, "idle"), 70);
  for (const Sample& sample : samples) EXPECT_EQ(sample.time, kNow);
}

TEST_F(HostGolden, MemoryIsWhatFreeSays) {
  const auto samples = look("debian-12", 100s);
  const Sample* memory = find_sample(samples, "memory");
  ASSERT_NE(memory, nullptr);
  EXPECT_EQ(count_of(*memory, "total"), 8148012 * 1024ll);
  EXPECT_EQ(count_of(*memory, "used"), (8148012 - 5298012) * 1024ll);
  EXPECT_EQ(count_of(*memory, "cached"), (3889120 + 410112) * 1024ll);
  EXPECT_EQ(count_of(*memory, "swap_used"), (2097148 - 1572860) * 1024ll);
  EXPECT_NEAR(number_of(*memory, "swap_used_percent"), 25, 0.01);
  EXPECT_FALSE(has_field(*memory, "swap_in_rate"));
  const auto later = look("debian-12-later", 110s);
  EXPECT_DOUBLE_EQ(number_of(*find_sample(later, "memory"), "swap_in_rate"), 3);
  EXPECT_DOUBLE_EQ(number_of(*find_sample(later, "memory"), "major_faults_rate"), 2);
}

TEST_F(HostGolden, PressureIsTheShareOfTimeStalledBetweenTwoLooks) {
  look("debian-12", 100s);
  const auto samples = look("debian-12-later", 110s);
  const Sample* io = find_sample(samples, "pressure", {{"resource", "io"}});
  ASSERT_NE(io, nullptr);
  EXPECT_DOUBLE_EQ(number_of(*io, "some"), 10);
  EXPECT_DOUBLE_EQ(number_of(*io, "full"), 5);
  EXPECT_DOUBLE_EQ(number_of(*io, "some_avg10"), 0.2);
  EXPECT_DOUBLE_EQ(number_of(*find_sample(samples, "pressure", {{"resource", "cpu"}}), "some"), 2.5);
}

TEST_F(HostGolden, OnlyLocalFileSystemsAreAsked) {
  look("debian-12", 100s);
  std::vector<std::string> shown;
  for (const DiskSpace& disk : now_.disks) shown.push_back(disk.mount);
  EXPECT_THAT(shown, ElementsAre("/", "/boot", "/srv/with space"));
  EXPECT_THAT(folder_.asked(), ElementsAre("/", "/boot", "/srv/with space"));
  const auto samples = make_samples({}, now_, kNow, 100);
  const Sample* disk =
      find_sample(samples, "disk", {{"device", "/dev/sdb"}, {"mount", "/srv/with space"}, {"type", "xfs"}});
  ASSERT_NE(disk, nullptr);
  EXPECT_EQ(count_of(*disk, "total"), 1000);
  EXPECT_EQ(count_of(*disk, "used"), 600);
  EXPECT_DOUBLE_EQ(number_of(*disk, "used_percent"), 66.667);  // of what users can have, as df says
  EXPECT_DOUBLE_EQ(number_of(*disk, "inodes_used_percent"), 10);
  EXPECT_TRUE(std::get<bool>(*field_of(*disk, "read_only")));
}

TEST_F(HostGolden, DisksAreWholeOnesAndTheirTimesMayWrap) {
  look("debian-12", 100s);
  const auto samples = look("debian-12-later", 110s);
  ASSERT_EQ(now_.activity.size(), 2u);
  const Sample* sda = find_sample(samples, "diskio", {{"device", "sda"}});
  ASSERT_NE(sda, nullptr);
  EXPECT_DOUBLE_EQ(number_of(*sda, "read_rate"), 20480 * 512 / 10.0);
  EXPECT_DOUBLE_EQ(number_of(*sda, "write_rate"), 40960 * 512 / 10.0);
  EXPECT_DOUBLE_EQ(number_of(*sda, "reads_rate"), 10);
  EXPECT_DOUBLE_EQ(number_of(*sda, "busy"), 25);
  EXPECT_DOUBLE_EQ(number_of(*sda, "queue"), 0.5);
  EXPECT_DOUBLE_EQ(number_of(*sda, "read_wait"), 0.5);
  EXPECT_DOUBLE_EQ(number_of(*sda, "write_wait"), 5);  // 1000 ms, over the wrap
  EXPECT_EQ(count_of(*sda, "read_bytes"), (8000000 + 20480) * 512ll);
}

TEST_F(HostGolden, TheNetworkHasCountersAndRates) {
  look("debian-12", 100s);
  const auto samples = look("debian-12-later", 110s);
  const Sample* eth0 = find_sample(samples, "net", {{"interface", "eth0"}});
  ASSERT_NE(eth0, nullptr);
  EXPECT_EQ(count_of(*eth0, "bytes_received"), 4304967000);
  EXPECT_DOUBLE_EQ(number_of(*eth0, "received_rate"), 1e6);
  EXPECT_DOUBLE_EQ(number_of(*eth0, "packets_received_rate"), 10);
  EXPECT_DOUBLE_EQ(number_of(*eth0, "sent_rate"), 0);
  EXPECT_EQ(count_of(*eth0, "errors_sent"), 3);
}

TEST_F(HostGolden, ProcessesAreCountedByStateAndTheBusiestAreNamed) {
  look("debian-12", 100s);
  const auto samples = look("debian-12-later", 110s);
  const Sample* all = find_sample(samples, "processes");
  ASSERT_NE(all, nullptr);
  EXPECT_EQ(count_of(*all, "total"), 10);
  EXPECT_EQ(count_of(*all, "running"), 2);
  EXPECT_EQ(count_of(*all, "waiting"), 0);  // postgres has gone
  EXPECT_EQ(count_of(*all, "zombie"), 1);
  EXPECT_EQ(count_of(*all, "stopped"), 1);
  EXPECT_EQ(count_of(*all, "idle"), 2);
  EXPECT_DOUBLE_EQ(number_of(*all, "forks_rate"), 5);
  const Sample* nginx = find_sample(samples, "process", {{"name", "nginx"}});
  ASSERT_NE(nginx, nullptr);
  EXPECT_DOUBLE_EQ(number_of(*nginx, "cpu"), 50);  // two of them: 500 ticks in 10 s
  EXPECT_EQ(count_of(*nginx, "processes"), 2);
  EXPECT_EQ(count_of(*nginx, "memory"), 11000 * 4096ll);
  EXPECT_EQ(count_of(*nginx, "pid"), 902);
  const Sample* compiler = find_sample(samples, "process", {{"name", "cc1plus"}});
  ASSERT_NE(compiler, nullptr);
  EXPECT_DOUBLE_EQ(number_of(*compiler, "cpu"), 99);  // began between the looks
  EXPECT_NE(find_sample(samples, "process", {{"name", "weird) R (name"}}), nullptr);
}

TEST_F(HostGolden, HostAndOwnCostAreSaid) {
  look("debian-12", 100s);
  const auto samples = look("debian-12-later", 110s);
  const Sample* host = find_sample(samples, "host");
  ASSERT_NE(host, nullptr);
  EXPECT_EQ(std::get<std::string>(*field_of(*host, "os")), "Debian GNU/Linux 12 (bookworm)");
  EXPECT_EQ(std::get<std::string>(*field_of(*host, "kernel")), "6.1.0-28-amd64");
  EXPECT_EQ(std::get<std::string>(*field_of(*host, "addresses")), "10.0.0.5,fd00::5");
  EXPECT_EQ(count_of(*host, "cores"), 2);
  EXPECT_EQ(count_of(*host, "uptime"), 35410);
  const Sample* own = find_sample(samples, "logboom");
  ASSERT_NE(own, nullptr);
  EXPECT_DOUBLE_EQ(number_of(*own, "cpu"), 2.5);
  EXPECT_EQ(count_of(*own, "memory"), 8192 * 4096);
  EXPECT_EQ(count_of(*own, "descriptors"), 2);  // three less the one that counts
}

TEST_F(HostGolden, AContainersLimitsAreItsMemoryAndItsCores) {
  const auto samples = look("container", 100s);
  const Sample* memory = find_sample(samples, "memory");
  ASSERT_NE(memory, nullptr);
  EXPECT_EQ(count_of(*memory, "total"), 536870912);
  EXPECT_EQ(count_of(*memory, "used"), 209715200 - 52428800);
  const Sample* limits = find_sample(samples, "container");
  ASSERT_NE(limits, nullptr);
  EXPECT_DOUBLE_EQ(number_of(*limits, "cpu_limit"), 1.5);
  EXPECT_NEAR(number_of(*limits, "memory_used_percent"), 29.297, 0.001);
  folder_.write("sys/fs/cgroup/cpu.stat", "usage_usec 12500000\nthrottled_usec 1300000\n");
  const auto later = look("", 110s);
  EXPECT_DOUBLE_EQ(number_of(*find_sample(later, "container"), "cpu_cores"), 0.75);
  EXPECT_DOUBLE_EQ(number_of(*find_sample(later, "container"), "cpu_used_percent"), 50);
  EXPECT_DOUBLE_EQ(number_of(*find_sample(later, "container"), "throttled_percent"), 10);
  std::vector<std::string> shown;
  for (const DiskSpace& disk : now_.disks) shown.push_back(disk.mount);
  EXPECT_THAT(shown, ElementsAre("/", "/data"));  // not the file of the host that is mounted on resolv.conf
}

TEST_F(HostGolden, AnOldKernelSaysLessAndTheRestIsThere) {
  const auto samples = look("arm-3.10", 100s);
  const Sample* memory = find_sample(samples, "memory");
  ASSERT_NE(memory, nullptr);
  EXPECT_EQ(count_of(*memory, "available"), 320000 * 1024);
  EXPECT_FALSE(has_field(*memory, "swap_used_percent"));
  EXPECT_EQ(find_sample(samples, "pressure"), nullptr);
  EXPECT_EQ(find_sample(samples, "files"), nullptr);
  EXPECT_EQ(count_of(*find_sample(samples, "diskio", {{"device", "mmcblk0"}}), "reads"), 4312);
  EXPECT_EQ(now_.activity.size(), 1u);
  EXPECT_EQ(now_.interfaces.at(0).name, "eth0.7");
  EXPECT_EQ(now_.disks.size(), 2u);
  EXPECT_EQ(reader_.malformed(), 0u);
}

TEST_F(HostGolden, ACounterThatBeganAnewHasNoRate) {
  look("debian-12", 100s);
  folder_.write("proc/net/dev", "a|b\n eth0: 5 1 0 0 0 0 0 0 7 1 0 0 0 0 0 0\n");
  const auto samples = look("", 110s);
  const Sample* eth0 = find_sample(samples, "net", {{"interface", "eth0"}});
  ASSERT_NE(eth0, nullptr);
  EXPECT_EQ(count_of(*eth0, "bytes_received"), 5);
  EXPECT_FALSE(has_field(*eth0, "packets_received_rate"));
  EXPECT_FALSE(has_field(*eth0, "sent_rate"));
}

TEST_F(HostGolden, WhatVanishesBetweenLooksIsLeftOutAlone) {
  look("debian-12", 100s);
  for (const char* gone : {"proc/net/dev", "proc/pressure", "proc/vmstat", "proc/901", "proc/self/mountinfo"})
    folder_.remove(gone);
  folder_.write("proc/diskstats", "");
  auto samples = look("", 110s);
  EXPECT_NE(find_sample(samples, "load"), nullptr);
  folder_.remove("proc");
  samples = look("", 120s);
  folder_.fill("debian-12-later");
  samples = look("", 130s);
  EXPECT_NE(find_sample(samples, "memory"), nullptr);
  EXPECT_EQ(reader_.malformed(), 0u);
}

TEST_F(HostGolden, AMalformedFileTakesItsOwnMeasurementAlone) {
  look("debian-12", 100s);
  folder_.write("proc/meminfo", "MemTotal: lots of kB\n");
  folder_.write("proc/loadavg", std::string(100'000, 'x'));
  const auto samples = look("", 110s);
  EXPECT_EQ(find_sample(samples, "memory"), nullptr);
  EXPECT_EQ(find_sample(samples, "load"), nullptr);
  EXPECT_NE(find_sample(samples, "net"), nullptr);
  EXPECT_EQ(reader_.malformed(), 2u);
  look("debian-12-later", 120s);
  EXPECT_EQ(reader_.malformed(), 0u);
}

TEST_F(HostGolden, AFileWithoutEndIsNoMeasurement) {
  look("debian-12", 100s);
  folder_.write("proc/stat", std::string(kMostProcBytes + 1, 'c'));
  const auto samples = look("", 110s);
  EXPECT_EQ(find_sample(samples, "cpu"), nullptr);
  EXPECT_EQ(reader_.malformed(), 1u);
}

TEST_F(HostGolden, PrometheusTextHasTheNamesOfNodeExporter) {
  look("debian-12", 100s);
  const std::string text = prometheus_text(now_, "web-\"1", 100);
  EXPECT_THAT(text, HasSubstr("# TYPE node_cpu_seconds_total counter\n"));
  EXPECT_THAT(text, HasSubstr("node_cpu_seconds_total{cpu=\"0\",mode=\"user\"} 50660.76\n"));
  EXPECT_THAT(text, HasSubstr("node_memory_MemAvailable_bytes 5425164288\n"));
  EXPECT_THAT(text,
              HasSubstr("node_filesystem_avail_bytes{device=\"/dev/sda1\",fstype=\"ext4\",mountpoint=\"/\"} 300\n"));
  EXPECT_THAT(text, HasSubstr("node_disk_read_bytes_total{device=\"sda\"} 4096000000\n"));
  EXPECT_THAT(text, HasSubstr("node_network_receive_bytes_total{device=\"eth0\"} 4294967000\n"));
  EXPECT_THAT(text, HasSubstr("node_pressure_io_stalled_seconds_total 3\n"));
  EXPECT_THAT(text, HasSubstr("node_boot_time_seconds 1763700000\n"));
  EXPECT_THAT(text, HasSubstr("nodename=\"web-\\\"1\""));
  EXPECT_THAT(text, Not(HasSubstr("node_pressure_cpu_stalled")));
}

}  // namespace
}  // namespace logboom::source::host
