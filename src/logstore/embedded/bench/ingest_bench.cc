// From batches in memory to durable and searchable, with zstd -1 on one core over the same bytes in the same run as
// yardstick.
//   ingest_bench FILE DIRECTORY [MEGABYTES]     DIRECTORY is emptied first; FILE is repeated up to MEGABYTES (default:
//   once)
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>

#include "io/hashing.h"
#include "io/zstd.h"
#include "logstore/embedded/embedded_store.h"
#include "parse/annotate.h"

namespace {

using namespace logboom;

constexpr std::size_t kBatchBytes = 2u << 20;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Whole lines of about kBatchBytes.
std::vector<std::string_view> cut(std::string_view text) {
  std::vector<std::string_view> pieces;
  while (!text.empty()) {
    std::size_t size = std::min(kBatchBytes, text.size());
    const std::size_t lf = text.rfind('\n', size - 1);
    if (lf != std::string_view::npos) size = lf + 1;
    pieces.push_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return pieces;
}

struct Source {
  std::uint64_t position = 0;
  Hash128 chain{};
  parse::AnnotateCarry carry;
};

std::shared_ptr<const Batch> make_batch(Source& source, std::string_view bytes) {
  auto batch = std::make_shared<Batch>();
  batch->source = SourceId{1, 1};
  batch->channel = "logs";
  batch->begin = source.position;
  batch->end = source.position + bytes.size();
  batch->bytes = bytes;
  batch->arrival = 1'795'000'000 * kNsPerSecond;
  for (std::size_t at = 0; at < bytes.size();) {
    std::size_t lf = bytes.find('\n', at);
    Record record;
    if (lf == std::string_view::npos) {
      lf = bytes.size();
      record.flags = Record::kFragment;
    }
    if (lf == at && record.terminated()) {
      ++batch->trailing_blank;
      ++at;
      continue;
    }
    record.begin = static_cast<std::uint32_t>(at);
    record.length = static_cast<std::uint32_t>(lf - at);
    record.blank = std::exchange(batch->trailing_blank, 0);
    batch->records.push_back(record);
    at = lf + 1;
  }
  parse::annotate(*batch, 0, source.carry);
  source.chain = chain_mark(source.chain, bytes);
  batch->marks.push_back({batch->end, source.chain});
  source.position = batch->end;
  batch->state.path = "/bench.log";
  batch->state.position = batch->end;
  return batch;
}

std::string status_line(std::string_view name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name)) return line.substr(line.find_first_not_of(" \t", name.size() + 1));
  }
  return "?";
}

// MB per CPU-second: the other programs of a busy machine do not count.
double zstd_speed(const std::vector<std::string_view>& pieces, double& ratio) {
  ZstdCompressor zstd;
  std::uint64_t raw = 0;
  std::uint64_t compressed = 0;
  const std::clock_t start = std::clock();
  const auto seconds = [&] { return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC; };
  for (const std::string_view piece : pieces) {
    raw += piece.size();
    const Result<std::string> out = zstd.compress(piece);
    if (out.ok()) compressed += out->size();
    if (seconds() > 4) break;
  }
  ratio = static_cast<double>(raw) / static_cast<double>(compressed);
  return static_cast<double>(raw) / seconds() / 1e6;
}

int run(const std::string& file, const std::string& directory, std::uint64_t wanted) {
  std::ifstream in(file, std::ios::binary);
  std::string text(std::filesystem::file_size(file), '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  const std::vector<std::string_view> pieces = cut(text);
  double ratio = 0;
  const double yardstick = zstd_speed(pieces, ratio);
  fmt::print("zstd -1, one core: {:.0f} MB/s, {:.2f} times smaller\n", yardstick, ratio);

  std::filesystem::remove_all(directory);
  const std::unique_ptr<FileSystem> files = open_posix_file_system();
  SystemClock clock;
  Registry registry;
  logstore::EmbeddedOptions options;
  options.directory = directory;
  auto store = logstore::open_embedded_store(options, *files, clock, registry);
  if (!store.ok()) return fmt::print(stderr, "{}\n", store.error().message()), 1;
  Source source;
  std::uint64_t raw = 0;
  std::uint64_t lines = 0;
  std::atomic<std::uint64_t> failed = 0;
  const std::clock_t cpu = std::clock();
  const auto start = std::chrono::steady_clock::now();
  for (std::size_t i = 0; raw < std::max<std::uint64_t>(wanted, text.size()); i = (i + 1) % pieces.size()) {
    const std::shared_ptr<const Batch> batch = make_batch(source, pieces[i]);
    raw += pieces[i].size();
    lines += batch->records.size();
    const Status status = (*store)->writer()->append(
        batch, std::nullopt, [&](Result<Coverage> result) { failed += result.ok() ? 0 : 1; }, {});
    if (!status.ok()) return fmt::print(stderr, "{}\n", status.error().message()), 1;
  }
  static_cast<void>((*store)->writer()->flush());
  const double seconds = seconds_since(start);
  const double cpu_seconds = static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC;
  const Status closed = (*store)->keeper().close();
  const logstore::StoreStats stats = (*store)->keeper().stats();
  const double speed = static_cast<double>(raw) / seconds / 1e6;
  fmt::print("store: {:.0f} MB/s, {:.2f} M lines/s, {:.1f} CPU s for {:.1f} s; {:.2f} of zstd -1\n", speed,
             static_cast<double>(lines) / seconds / 1e6, cpu_seconds, seconds, speed / yardstick);
  fmt::print(
      "disk: {} bytes for {}, {:.2f} times smaller; {} blocks, {} tail chunks, {} commits, {} failed, closed {}\n",
      stats.bytes_on_disk, raw, static_cast<double>(raw) / static_cast<double>(stats.bytes_on_disk), stats.blocks,
      stats.tail_rows, stats.commits, failed.load(), closed.ok());
  fmt::print("memory: peak {}, anonymous now {} (the input holds {} MB of it)\n", status_line("VmHWM"),
             status_line("RssAnon"), text.size() >> 20);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return fmt::print(stderr, "usage: ingest_bench FILE DIRECTORY [MEGABYTES]\n"), 2;
  return run(argv[1], argv[2], argc > 3 ? std::strtoull(argv[3], nullptr, 10) * 1'000'000 : 0);
}
