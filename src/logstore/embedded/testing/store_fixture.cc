#include "logstore/embedded/testing/store_fixture.h"

#include <fmt/format.h>

#include "base/check.h"
#include "io/hashing.h"

namespace logboom::logstore::embedded::testing {

Batch text_batch(const SourceId& source, std::uint64_t begin, std::string_view text, const Hash128* previous) {
  Batch batch;
  batch.source = source;
  batch.channel = "logs";
  batch.begin = begin;
  batch.end = begin + text.size();
  batch.bytes = text;
  batch.rule = "test";
  batch.arrival = 1'700'000'000 * kNsPerSecond;
  std::size_t at = 0;
  std::uint32_t blank = 0;
  while (at < text.size()) {
    const std::size_t lf = text.find('\n', at);
    const std::size_t end = lf == std::string_view::npos ? text.size() : lf;
    if (end == at) {
      ++blank;
      at = end + 1;
      continue;
    }
    Record record;
    record.begin = static_cast<std::uint32_t>(at);
    record.length = static_cast<std::uint32_t>(end - at);
    record.blank = blank;
    record.flags = lf == std::string_view::npos ? std::uint8_t{Record::kFragment} : std::uint8_t{Record::kTerminated};
    record.time = static_cast<TimeNs>(1000 * (begin + at));
    record.time_origin = TimeOrigin::kParsed;
    record.level = static_cast<Level>(at % kLevels);
    batch.records.push_back(record);
    blank = 0;
    at = lf == std::string_view::npos ? end : end + 1;
  }
  batch.trailing_blank = blank;
  if (previous != nullptr) batch.marks.push_back({batch.end, chain_mark(*previous, text)});
  batch.state.path = "/var/log/" + source.to_hex().substr(28) + ".log";
  batch.state.host = "testhost";
  batch.state.position = batch.end;
  return batch;
}

std::string some_lines(std::uint64_t seed, std::size_t lines) {
  std::string out;
  std::uint64_t state = seed * 0x9e3779b97f4a7c15ULL + 1;
  for (std::size_t i = 0; i < lines; ++i) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    out += fmt::format("2026-11-21T10:{:02}:{:02} INFO request {} took {} ms from 10.0.{}.{}\n", (i / 60) % 60, i % 60,
                       seed * 1000 + i, state >> 54, (state >> 40) & 255, (state >> 32) & 255);
  }
  return out;
}

OnCommit Acks::take() {
  return [this](Result<Coverage> result) {
    MutexLock lock(mutex_);
    ++count_;
    if (result.ok()) {
      covered_.add(*result);
    } else {
      ++errors_;
    }
  };
}

std::size_t Acks::count() const {
  MutexLock lock(mutex_);
  return count_;
}

std::size_t Acks::errors() const {
  MutexLock lock(mutex_);
  return errors_;
}

Coverage Acks::covered() const {
  MutexLock lock(mutex_);
  return covered_;
}

EmbeddedOptions TestStore::small_options() {
  EmbeddedOptions options;
  options.directory = "/data";
  options.workers = 2;
  options.memory = 32u << 20;
  options.query_memory = 16u << 20;
  options.free_space_floor = 0;
  options.least_between_commits = std::chrono::milliseconds(0);
  return options;
}

TestStore::TestStore(FileSystem& fs, const Clock& clock, EmbeddedOptions options) {
  Result<std::unique_ptr<LogStore>> opened = open_embedded_store(options, fs, clock, registry);
  if (!opened.ok()) fmt::print(stderr, "cannot open: {}\n", opened.error().message());
  LB_CHECK(opened.ok());
  store = std::move(*opened);
}

void TestStore::put(Batch batch) {
  const Status appended =
      writer().append(std::make_shared<const Batch>(std::move(batch)), std::nullopt, acks.take(), {});
  if (!appended.ok()) fmt::print(stderr, "cannot append: {}\n", appended.error().message());
  LB_CHECK(appended.ok());
  LB_CHECK(writer().flush().ok());
}

std::string TestStore::export_text(const SourceId& source, std::vector<ExportOmission>* omissions) {
  std::string out;
  const auto sink = [&](std::string_view bytes) {
    out += bytes;
    return ok_status();
  };
  ExportRequest request;
  request.source = source;
  auto result = ledger().export_bytes(request, sink, {});
  if (!result.ok()) fmt::print(stderr, "cannot export: {}\n", result.error().message());
  LB_CHECK(result.ok());
  if (omissions != nullptr) *omissions = *result;
  return out;
}

AuditReport TestStore::audit() {
  auto report = ledger().audit({}, {});
  if (!report.ok()) fmt::print(stderr, "cannot audit: {}\n", report.error().message());
  LB_CHECK(report.ok());
  return std::move(*report);
}

}  // namespace logboom::logstore::embedded::testing
