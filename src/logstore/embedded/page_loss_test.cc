// S7: every page of every file of a small store is lost in turn. After `repair`, or without it, a collector that has
// the sources still stores nothing twice and everything that is missing; what cannot be had again is named.
#include <map>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "logstore/embedded/testing/store_fixture.h"

namespace logboom::logstore::embedded::testing {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kPage = 16384;
constexpr const char* kFirst = "/data/logs-000001.db";
const SourceId kLarge{1, 1};  // blocks in both files
const SourceId kSmall{1, 2};  // tail chunks in both files
const SourceId kGone{1, 3};   // in the first file, with a gap; its source is not there any more
const SourceId kLate{1, 4};   // in the second file

using Inputs = std::map<SourceId, std::string>;

// Appends what the store does not have of the sources, as a collector does.
void collect(TestStore& test, const Inputs& inputs) {
  const auto known = test.writer().known_sources(Expired::kHeld);
  ASSERT_TRUE(known.ok());
  for (const auto& [source, text] : inputs) {
    Coverage held;
    for (const KnownSource& k : *known) {
      if (k.source == source) held = k.coverage;
    }
    for (const Interval& part : held.missing(0, text.size())) {
      const std::string_view bytes = std::string_view(text).substr(part.begin, part.end - part.begin);
      Hash128 chain{};
      test.put(text_batch(source, part.begin, bytes, part.begin == 0 ? &chain : nullptr));
    }
  }
}

class PageLoss : public ::testing::Test {
 protected:
  PageLoss() {
    inputs_[kLarge] = some_lines(1, 9'000);
    inputs_[kSmall] = some_lines(2, 50);
    inputs_[kGone] = some_lines(3, 40);
    inputs_[kLate] = some_lines(4, 30);
    Inputs first{{kLarge, inputs_[kLarge].substr(0, inputs_[kLarge].find('\n', 500'000) + 1)},
                 {kSmall, inputs_[kSmall].substr(0, inputs_[kSmall].find('\n', 2'000) + 1)},
                 {kGone, inputs_[kGone]}};
    {
      TestStore test(fs_, clock_);
      collect(test, first);
      Batch gap;
      gap.source = kGone;
      gap.channel = "logs";
      gap.begin = inputs_[kGone].size();
      gap.end = gap.begin + 100;
      gap.disposition = Disposition::kGap;
      gap.cause = "vanished";
      test.put(std::move(gap));
      clock_.advance(24h);
      collect(test, inputs_);
    }
    for (const auto& [source, text] : inputs_) {
      lines_ += static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
    }
    all_ = inputs_;
    inputs_.erase(kGone);
    for (const DirectoryEntry& entry : *fs_.list("/data")) {
      files_[entry.name] = *read_file(fs_, "/data/" + entry.name, 1u << 30);
    }
  }

  // The store with one page of zeros.
  std::unique_ptr<MemoryFileSystem> without(const std::string& name, std::uint64_t page) {
    auto fs = std::make_unique<MemoryFileSystem>(clock_);
    EXPECT_TRUE(fs->create_directories("/data").ok());
    for (const auto& [other, bytes] : files_) {
      std::string content = bytes;
      if (other == name) content.replace(page * kPage, kPage, kPage, '\0');
      EXPECT_TRUE(replace_file(*fs, "/data/" + other, content).ok());
    }
    return fs;
  }

  // Every line is there once, or its loss is named.
  void check(TestStore& test) {
    std::uint64_t missing = 0;
    for (const auto& [source, text] : inputs_) EXPECT_EQ(test.export_text(source), text) << source.to_hex();
    const AuditReport report = test.audit();
    for (const AuditFinding& f : report.findings) {
      EXPECT_TRUE(f.kind == "damaged" || f.kind == "gap" || (f.kind == "missing" && f.source == kGone))
          << f.kind << " " << f.source.to_hex() << " " << f.begin << "-" << f.end << ": " << f.detail;
      if (f.kind == "missing") missing += f.end - f.begin;
    }
    const std::string& gone = all_[kGone];
    const auto lost = static_cast<std::uint64_t>(std::count(gone.begin(), gone.end(), '\n'));
    EXPECT_EQ(test.store->keeper().stats().records, lines_ - (missing == 0 ? 0 : lost));
    if (missing == 0) {
      EXPECT_EQ(test.export_text(kGone).substr(0, gone.size()), gone);
    }
  }

  ManualClock clock_;
  MemoryFileSystem fs_{clock_};
  Inputs all_;
  Inputs inputs_;  // those of which the sources are still there
  std::uint64_t lines_ = 0;
  std::map<std::string, std::string> files_;
};

void accept_all(TestStore& test) {
  for (const AuditFinding& f : test.audit().findings) {
    EXPECT_TRUE(test.store->keeper().accept(f.id, "me").ok());
  }
  EXPECT_TRUE(test.audit().clean);
}

TEST_F(PageLoss, S7RepairedAndCollectedAgain) {
  for (const auto& [name, bytes] : files_) {
    if (!name.ends_with(".db")) continue;
    for (std::uint64_t page = 0; page < bytes.size() / kPage; ++page) {
      SCOPED_TRACE(fmt::format("page {} of {}", page + 1, name));
      const auto fs = without(name, page);
      const auto report = repair_embedded_store("/data", *fs, clock_);
      ASSERT_TRUE(report.ok()) << report.error().message();
      {
        TestStore test(*fs, clock_);
        collect(test, inputs_);
        check(test);
      }
      TestStore test(*fs, clock_);
      collect(test, inputs_);
      check(test);
      accept_all(test);
      EXPECT_EQ(repair_embedded_store("/data", *fs, clock_).ok(), false) << "while it is open";
    }
  }
}

TEST_F(PageLoss, S7CollectedBeforeTheRepair) {
  for (const auto& [name, bytes] : files_) {
    if (!name.ends_with(".db")) continue;
    for (std::uint64_t page = 0; page < bytes.size() / kPage; ++page) {
      SCOPED_TRACE(fmt::format("page {} of {}", page + 1, name));
      const auto fs = without(name, page);
      {
        TestStore test(*fs, clock_);
        collect(test, inputs_);
        EXPECT_EQ(test.acks.errors(), 0u);
      }
      const auto report = repair_embedded_store("/data", *fs, clock_);
      ASSERT_TRUE(report.ok()) << report.error().message();
      TestStore test(*fs, clock_);
      collect(test, inputs_);
      check(test);
      accept_all(test);
    }
  }
}

// After a crash most of what was acknowledged stands in the WAL alone, and with it the first page as it is now.
TEST_F(PageLoss, S8TheFirstPageIsLostAfterACrash) {
  MemoryFileSystem before(clock_);
  TestStore running(before, clock_);
  for (std::size_t part = 1; part <= 3; ++part) {
    for (const auto& [source, text] : all_) {
      const std::size_t end = part == 3 ? text.size() : text.find('\n', text.size() / 3 * part) + 1;
      collect(running, {{source, text.substr(0, end)}});
    }
  }
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    const std::unique_ptr<MemoryFileSystem> fs = before.crash(seed);
    ASSERT_GT(fs->stat("/data/logs-000001.db-wal")->size, 10 * kPage);
    std::string file = *read_file(*fs, kFirst, 1u << 30);
    const std::size_t head = std::min<std::size_t>(file.size(), kPage);
    file.replace(0, head, head, '\0');
    ASSERT_TRUE(replace_file(*fs, kFirst, file).ok());
    const bool torn = seed % 2 == 1;
    if (torn) {
      const auto wal = fs->open("/data/logs-000001.db-wal", OpenMode::kReadWrite);
      ASSERT_TRUE((*wal)->pwrite("torn", 4, (*wal)->stat()->size / 2).ok());
    }
    const auto report = repair_embedded_store("/data", *fs, clock_);
    ASSERT_TRUE(report.ok()) << report.error().message();
    TestStore test(*fs, clock_);
    if (!torn) {
      EXPECT_EQ(test.export_text(kGone), all_[kGone]);
    }
    collect(test, all_);
    for (const auto& [source, text] : all_) EXPECT_EQ(test.export_text(source), text);
    EXPECT_EQ(test.store->keeper().stats().records, lines_);
    accept_all(test);
  }
}

// While no file could be read everything that is still there was collected again; a block may hold one source of which
// that is so beside one of which it is not.
TEST_F(PageLoss, S8AllFilesUnreadableAndCollectedBeforeTheRepair) {
  auto fs = std::make_unique<MemoryFileSystem>(clock_);
  ASSERT_TRUE(fs->create_directories("/data").ok());
  for (auto [name, content] : files_) {
    if (name.ends_with(".db")) content.replace(0, kPage, kPage, '\0');
    ASSERT_TRUE(replace_file(*fs, "/data/" + name, content).ok());
  }
  {
    TestStore test(*fs, clock_);
    for (const SourceId& source : {kLate, kSmall}) collect(test, {{source, inputs_[source]}});
    collect(test, inputs_);
    EXPECT_EQ(test.store->keeper().stats().records, lines_ - 40);
  }
  const auto report = repair_embedded_store("/data", *fs, clock_);
  ASSERT_TRUE(report.ok()) << report.error().message();
  EXPECT_EQ(report->files_rebuilt, 2u);
  TestStore test(*fs, clock_);
  collect(test, inputs_);
  EXPECT_EQ(test.export_text(kGone), all_[kGone]);
  check(test);
  accept_all(test);
}

// P8: what a missing file held is stored again once a repair has given it up, and not before: it may come back.
TEST_F(PageLoss, S8AMissingFileIsGivenUpByARepair) {
  for (const bool comes_back : {false, true}) {
    const auto fs = without("none", 0);
    ASSERT_TRUE(fs->unlink("/data/logs-000001.db").ok());
    if (comes_back) {
      {
        TestStore test(*fs, clock_);
        collect(test, inputs_);
        EXPECT_TRUE(test.audit().needs_repair);
      }
      ASSERT_TRUE(replace_file(*fs, "/data/logs-000001.db", files_["logs-000001.db"]).ok());
      TestStore test(*fs, clock_);
      collect(test, inputs_);
      check(test);
      EXPECT_FALSE(test.audit().needs_repair);
      continue;
    }
    const auto report = repair_embedded_store("/data", *fs, clock_);
    ASSERT_TRUE(report.ok()) << report.error().message();
    EXPECT_EQ(report->files_given_up, 1u);
    EXPECT_FALSE(report->complete);
    for (const bool too_late : {false, true}) {
      if (too_late) {
        ASSERT_TRUE(replace_file(*fs, "/data/logs-000001.db", files_["logs-000001.db"]).ok());
      }
      TestStore test(*fs, clock_);
      collect(test, inputs_);
      for (const auto& [source, text] : inputs_) EXPECT_EQ(test.export_text(source), text);
      EXPECT_EQ(test.store->keeper().stats().records, lines_ - 40);
      EXPECT_FALSE(test.audit().needs_repair);
      accept_all(test);
    }
    EXPECT_EQ(repair_embedded_store("/data", *fs, clock_)->files_given_up, 0u);
  }
}

}  // namespace
}  // namespace logboom::logstore::embedded::testing
