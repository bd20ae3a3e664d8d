// Crashes at every step of a small run (S2 of the fault matrix): what was acknowledged is there afterwards, what is
// there is a prefix of what was appended, and the audit finds nothing to say.
#include <cstdlib>

#include <gtest/gtest.h>

#include "io/faulty_file_system.h"
#include "io/hashing.h"
#include "logstore/embedded/testing/store_fixture.h"

namespace logboom::logstore::embedded::testing {
namespace {

constexpr std::size_t kSources = 3;

std::uint64_t crash_seeds() {
  const char* wanted = std::getenv("LOGBOOM_CRASH_SEEDS");
  return wanted == nullptr ? 200 : std::strtoull(wanted, nullptr, 10);
}

EmbeddedOptions crash_options() {
  EmbeddedOptions options = TestStore::small_options();
  options.block_bytes = 16 << 10;
  options.file_bytes = 420 << 10;
  options.workers = 1;
  return options;
}

struct Source {
  SourceId id;
  std::string text;  // all that is ever appended
  std::uint64_t position = 0;
  Hash128 chain{};
  Acks acks;
};

// Appends batches of all sizes in turn until `done` says so or the disk is cut off.
class CrashRun {
 public:
  CrashRun(FileSystem& fs, const ManualClock& clock, std::uint64_t seed, std::size_t rounds)
      : fs_(fs), clock_(clock), rounds_(rounds) {
    for (std::size_t i = 0; i < kSources; ++i) {
      sources_[i].id = SourceId{7, i};
      sources_[i].text = some_lines(seed * 10 + i, 220 * rounds);
    }
  }

  Source& source(std::size_t i) { return sources_[i]; }

  void go(const FaultyFileSystem& faulty) {
    Registry registry;
    auto store = open_embedded_store(crash_options(), fs_, clock_, registry);
    if (!store.ok()) return;
    for (std::size_t round = 0; round < rounds_ && !faulty.is_cut(); ++round) {
      for (std::size_t i = 0; i < kSources; ++i) append(*(*store)->writer(), sources_[i], lines_of(round, i));
      for (std::size_t i = 0; i < kSources; ++i) {
        while (sources_[i].acks.count() <= round && !faulty.is_cut()) std::this_thread::yield();
      }
    }
    static_cast<void>((*store)->keeper().close());
  }

 private:
  static std::size_t lines_of(std::size_t round, std::size_t source) {
    constexpr std::size_t kLines[] = {1, 3, 200, 10, 40, 2, 100, 1};
    return kLines[(round + 3 * source) % std::size(kLines)];
  }

  void append(LogWriter& writer, Source& source, std::size_t lines) {
    std::size_t end = source.position;
    for (std::size_t i = 0; i < lines; ++i) end = source.text.find('\n', end) + 1;
    const std::string_view bytes = std::string_view(source.text).substr(source.position, end - source.position);
    Batch batch = text_batch(source.id, source.position, bytes, &source.chain);
    source.chain = batch.marks[0].chain;
    source.position = end;
    ASSERT_TRUE(
        writer.append(std::make_shared<const Batch>(std::move(batch)), std::nullopt, source.acks.take(), {}).ok());
  }

  FileSystem& fs_;
  const ManualClock& clock_;
  const std::size_t rounds_;
  Source sources_[kSources];
};

void check_after_crash(CrashRun& run, FileSystem& disk, const ManualClock& clock) {
  TestStore test(disk, clock, crash_options());
  const auto known = test.writer().known_sources(Expired::kHeld);
  ASSERT_TRUE(known.ok());
  for (std::size_t i = 0; i < kSources; ++i) {
    Source& source = run.source(i);
    std::uint64_t stored = 0;
    for (const KnownSource& k : *known) {
      if (k.source == source.id) stored = k.coverage.contiguous_end(0);
    }
    ASSERT_GE(stored, source.acks.covered().contiguous_end(0)) << "acknowledged and lost, source " << i;
    ASSERT_LE(stored, source.position);
    if (stored == 0) continue;
    ASSERT_EQ(test.export_text(source.id), source.text.substr(0, stored));
  }
  const AuditReport report = test.audit();
  for (const AuditFinding& finding : report.findings) {
    ADD_FAILURE() << finding.kind << " " << finding.begin << "-" << finding.end << ": " << finding.detail;
  }
  // What was lost is sent again, with what had arrived, in batches cut elsewhere.
  for (std::size_t i = 0; i < kSources; ++i) {
    Source& source = run.source(i);
    if (source.position == 0) continue;
    test.put(text_batch(source.id, 0, std::string_view(source.text).substr(0, source.position)));
    ASSERT_EQ(test.export_text(source.id), source.text.substr(0, source.position));
  }
  EXPECT_TRUE(test.audit().clean);
}

// The number of changes a whole run makes.
std::uint64_t changes_of(std::size_t rounds) {
  ManualClock clock;
  MemoryFileSystem disk(clock);
  FaultyFileSystem faulty(disk);
  CrashRun run(faulty, clock, 1, rounds);
  run.go(faulty);
  EXPECT_EQ(run.source(0).acks.covered().contiguous_end(0), run.source(0).position);
  return faulty.changes();
}

TEST(StoreCrash, S2LosesNothingAcknowledgedAtAnyStep) {
  constexpr std::size_t kRounds = 8;
  const std::uint64_t changes = changes_of(kRounds);
  ASSERT_GT(changes, 100u);
  const std::uint64_t runs = crash_seeds();
  for (std::uint64_t seed = 1; seed <= runs; ++seed) {
    const std::uint64_t step = 1 + (seed * 0x9e3779b9u) % changes;
    SCOPED_TRACE("seed " + std::to_string(seed) + " step " + std::to_string(step) + " of " + std::to_string(changes));
    ManualClock clock;
    MemoryFileSystem disk(clock);
    FaultyFileSystem faulty(disk);
    CrashRun run(faulty, clock, seed, kRounds);
    faulty.cut(step);
    run.go(faulty);
    const std::unique_ptr<MemoryFileSystem> after = disk.crash(seed);
    check_after_crash(run, *after, clock);
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace logboom::logstore::embedded::testing
