// The column block codec alone: file > records > blocks > texts, in CPU time of one thread, beside zstd -1 of the same
// bytes in the same run. Prints sizes by part, encode and decode speed, and the time of a count of each word given.
//
//   block_bench FILE [--runs N] [--limit MB] [--format text|json] [--best] [--word WORD]...
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <time.h>
#include <zstd.h>

#include "logstore/embedded/block/block_builder.h"
#include "logstore/embedded/block/block_reader.h"
#include "logstore/embedded/block/template_format.h"
#include "logstore/query/folding.h"
#include "logstore/query/tokens.h"
#include "parse/annotate.h"
#include "parse/splitter.h"

namespace logboom::logstore::embedded {
namespace {

constexpr std::size_t kBlockBytes = 2u << 20;

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

bool g_best = false;  // --best: the quickest run instead of the median, for a busy machine

double median_seconds(int runs, const std::function<void()>& work) {
  std::vector<double> seconds;
  for (int i = 0; i < runs; ++i) {
    const double start = cpu_seconds();
    work();
    seconds.push_back(cpu_seconds() - start);
  }
  std::sort(seconds.begin(), seconds.end());
  return seconds[g_best ? 0 : seconds.size() / 2];
}

std::string read_file(const char* path, std::size_t limit) {
  std::string out;
  std::FILE* file = std::fopen(path, "rb");
  if (file == nullptr) return out;
  out.resize(std::min<std::size_t>(limit, 1u << 30));
  out.resize(std::fread(out.data(), 1, limit, file));
  std::fclose(file);
  return out;
}

// The file as the agent would hand it over, one batch a block.
std::vector<Batch> batches_of(const std::string& bytes, Format format) {
  auto splitter = parse::RecordSplitter::make({});
  parse::RecordSplitter::Carry carry;
  parse::AnnotateCarry annotations;
  std::vector<Batch> out;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t n = std::min(kBlockBytes, bytes.size() - at);
    Batch batch;
    const auto end = at + n == bytes.size() ? parse::AtEnd::kFlush : parse::AtEnd::kHold;
    const auto result = (*splitter)->split(std::string_view(bytes).substr(at, n), end, carry, batch.records);
    batch.begin = at, batch.end = at + result.consumed;
    batch.bytes = bytes.substr(at, result.consumed);
    batch.trailing_blank = result.trailing_blank;
    batch.format = format;
    batch.arrival = 1'795'000'000 * kNsPerSecond;
    parse::annotate(batch, 0, annotations);
    if (result.consumed == 0) break;
    at += result.consumed;
    out.push_back(std::move(batch));
  }
  return out;
}

bool is_word(std::string_view text, std::size_t begin, std::size_t end) {
  return (begin == 0 || !query::is_word_byte(text[begin - 1])) &&
         (end == text.size() || !query::is_word_byte(text[end]));
}

Leaf word_leaf(const std::string& word) {
  const std::string folded = query::fold(word);
  Leaf leaf;
  leaf.literal = folded;
  leaf.local = leaf.monotone = is_local_text(folded);
  query::for_each_token(folded, [&](std::string_view token) { leaf.tokens.push_back(query::token_hash(token)); });
  leaf.matches = [folded, buffer = std::string()](std::string_view text) mutable {
    query::fold(text, buffer);
    for (std::size_t at = buffer.find(folded); at != std::string::npos; at = buffer.find(folded, at + 1)) {
      if (is_word(buffer, at, at + folded.size())) return true;
    }
    return false;
  };
  return leaf;
}

struct Options {
  const char* path = nullptr;
  int runs = 5;
  std::size_t limit = 64u << 20;
  Format format = Format::kText;
  std::vector<std::string> words;
};

Options parse_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const char* value = i + 1 < argc ? argv[i + 1] : "";
    if (argument == "--runs")
      options.runs = std::atoi(value), ++i;
    else if (argument == "--limit")
      options.limit = static_cast<std::size_t>(std::atoi(value)) << 20, ++i;
    else if (argument == "--format")
      options.format = std::strcmp(value, "json") == 0 ? Format::kJson : Format::kText, ++i;
    else if (argument == "--best")
      g_best = true;
    else if (argument == "--word")
      options.words.emplace_back(value), ++i;
    else
      options.path = argv[i];
  }
  return options;
}

void print_sizes(const std::vector<EncodedBlock>& blocks, double raw) {
  static constexpr const char* kNames[kSectionKinds] = {
      "?", "rows", "times", "templates", "ids", "dictionaries", "indices", "ints", "strings", "hex", "plain"};
  std::map<std::string, std::pair<double, double>> parts;
  double templates = 0;
  for (const EncodedBlock& block : blocks) {
    parts["(header)"].first += static_cast<double>(block.header.size());
    parts["(token filter)"].first += static_cast<double>(block.token_filter.size());
    parts["(trigrams)"].first += static_cast<double>(block.trigrams.size());
    for (const SectionInfo& section : block.meta.sections) {
      auto& [stored, unpacked] = parts[kNames[section.id % 16]];
      stored += section.stored_size, unpacked += section.raw_size;
    }
    templates += static_cast<double>(block.meta.sections.size());
  }
  for (const auto& [name, sizes] : parts)
    fmt::print("  {:<16} {:>10.0f} B  {:5.2f}% of raw  (unpacked {:5.2f}%)\n", name, sizes.first,
               100 * sizes.first / raw, 100 * sizes.second / raw);
  fmt::print("  sections a block {:.1f}\n", templates / static_cast<double>(blocks.size()));
}

int run(const Options& options) {
  const std::string bytes = read_file(options.path, options.limit);
  const std::vector<Batch> batches = batches_of(bytes, options.format);
  const double raw = static_cast<double>(bytes.size());
  double rows = 0;
  for (const Batch& batch : batches) rows += static_cast<double>(batch.records.size());

  std::string packed(ZSTD_compressBound(bytes.size()), '\0');
  std::size_t zstd_size = 0;
  const double zstd_seconds = median_seconds(
      options.runs, [&] { zstd_size = ZSTD_compress(packed.data(), packed.size(), bytes.data(), bytes.size(), 1); });
  std::vector<EncodedBlock> blocks;
  BlockBuilder builder;
  const double encode_seconds = median_seconds(options.runs, [&] {
    blocks.clear();
    for (const Batch& batch : batches) {
      if (!builder.add(batch, 1, 1).ok()) std::abort();
      blocks.push_back(std::move(*builder.finish()));
    }
  });
  double stored = 0;
  for (const EncodedBlock& block : blocks) stored += static_cast<double>(block.stored_bytes());
  std::size_t decoded = 0;
  const double decode_seconds = median_seconds(options.runs, [&] {
    decoded = 0;
    for (const EncodedBlock& block : blocks) {
      MemorySections sections(block.sections);
      auto reader = BlockReader::open(block.header, sections);
      if (!reader->decode_all([&](std::uint32_t, std::string_view text) { return decoded += text.size(), true; }).ok())
        std::abort();
    }
  });
  fmt::print("raw {:.1f} MB, {:.0f} rows of {:.0f} bytes, {} blocks\n", raw * 1e-6, rows, raw / rows, blocks.size());
  fmt::print("zstd -1: {:.0f} MB/s, ratio {:.2f}\n", raw / zstd_seconds * 1e-6, raw / static_cast<double>(zstd_size));
  fmt::print("encode:  {:.0f} MB/s ({:.2f} of zstd -1), ratio {:.2f}\n", raw / encode_seconds * 1e-6,
             zstd_seconds / encode_seconds, raw / stored);
  fmt::print("decode:  {:.0f} MB/s of text\n", static_cast<double>(decoded) / decode_seconds * 1e-6);
  print_sizes(blocks, raw);
  for (const std::string& word : options.words) {
    const Leaf leaf = word_leaf(word);
    std::uint64_t found = 0;
    const double seconds = median_seconds(options.runs, [&] {
      found = 0;
      for (const EncodedBlock& block : blocks) {
        const auto filter = TokenFilter::open(block.token_filter);
        if (!std::all_of(leaf.tokens.begin(), leaf.tokens.end(),
                         [&](std::uint64_t t) { return filter->may_contain(t); }))
          continue;
        MemorySections sections(block.sections);
        auto reader = BlockReader::open(block.header, sections);
        found += reader->count(leaf, &*filter, BlockReader::CountLevels::kNo)->lines;
      }
    });
    fmt::print("count {:<20} {:>8} lines, {:7.1f} us a block, {:.1f} GB/s\n", word, found,
               seconds * 1e6 / static_cast<double>(blocks.size()), raw / seconds * 1e-9);
  }
  return 0;
}

}  // namespace
}  // namespace logboom::logstore::embedded

int main(int argc, char** argv) {
  const auto options = logboom::logstore::embedded::parse_options(argc, argv);
  if (options.path == nullptr) {
    fmt::print(stderr,
               "usage: block_bench FILE [--runs N] [--limit MB] [--format text|json] [--best] [--word WORD]...\n");
    return 2;
  }
  return logboom::logstore::embedded::run(options);
}
