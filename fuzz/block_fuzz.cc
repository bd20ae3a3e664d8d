// Bytes that may be a block. The input is a small header (rows, bytes of the segment) and sections (id, size, bytes);
// the harness seals them with right checksums, or the fuzzer would never get past those. Whatever the reader gives must
// keep to what the header says. The raw input is also read as a header, a token filter and a trigram set.
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "io/hashing.h"
#include "logstore/embedded/block/block_header.h"
#include "logstore/embedded/block/block_reader.h"
#include "logstore/embedded/block/bytes.h"

namespace {

using namespace logboom;
using namespace logboom::logstore::embedded;

constexpr std::uint64_t kMostRows = 1u << 20;

struct Sealed {
  BlockMeta meta;
  std::vector<std::string> sections;
};

Sealed seal(std::string_view input) {
  ByteReader in(input);
  Sealed out;
  out.meta.rows = static_cast<std::uint32_t>(in.varint() % kMostRows);
  out.meta.raw_bytes = in.varint() % kMostRows;
  out.meta.level_counts[0] = out.meta.rows;
  out.meta.contexts.emplace_back();
  out.meta.segments.push_back({1, 100, 100 + out.meta.raw_bytes, 0, out.meta.rows, 0});
  out.meta.commits.push_back({out.meta.rows, 1});
  while (in.ok() && in.left() > 0) {
    const std::uint32_t id = in.varint32();
    const std::string_view bytes = in.raw(in.varint());
    const auto size = static_cast<std::uint32_t>(bytes.size());
    out.meta.sections.push_back({id, size, size, xxh3_64(bytes)});
    out.sections.emplace_back(bytes);
  }
  return out;
}

void read_everything(const Sealed& sealed, const std::string& header) {
  MemorySections sections(sealed.sections);
  auto reader = BlockReader::open(header, sections);
  LB_CHECK(reader.ok());
  std::uint64_t total = 0;
  std::vector<std::string> texts;
  const Status decoded = reader->decode_all([&](std::uint32_t row, std::string_view text) {
    LB_CHECK(row < reader->rows());
    total += text.size();
    if (texts.size() < 8) texts.emplace_back(text);
    return true;
  });
  LB_CHECK(total <= sealed.meta.raw_bytes);
  const auto offsets = reader->offsets();
  if (offsets.ok()) LB_CHECK((*offsets)->size() == reader->rows());
  std::uint64_t exported = 0;
  const Status given = reader->export_segment(0, [&](const SegmentPiece& piece) {
    LB_CHECK(piece.offset == 100 + exported);
    exported += piece.length;
    return ok_status();
  });
  if (given.ok()) LB_CHECK(exported == sealed.meta.raw_bytes);
  if (!decoded.ok()) return;
  for (std::uint32_t row = 0; row < texts.size(); ++row) {
    std::string text;
    LB_CHECK(reader->text(row, text).ok() && text == texts[row]);
  }
}

void search(const Sealed& sealed, const std::string& header, bool local) {
  MemorySections sections(sealed.sections);
  auto reader = BlockReader::open(header, sections);
  Leaf leaf;
  leaf.literal = local ? "7" : "a 1";
  leaf.local = local;
  leaf.monotone = true;
  leaf.matches = [&](std::string_view text) { return text.find(leaf.literal) != std::string_view::npos; };
  const auto counted = reader->count(leaf, nullptr, BlockReader::CountLevels::kYes);
  const auto rows = reader->find(leaf, nullptr);
  if (counted.ok() && rows.ok()) LB_CHECK(counted->records == rows->count());
  const auto all = reader->rows_in_time(0, 1'000'000);
  if (all.ok()) (void)reader->histogram(*all, 1000, [](TimeNs, Level, std::uint64_t) {});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  (void)read_block_header(input);
  if (const auto filter = TokenFilter::open(input); filter.ok())
    (void)filter->may_contain(size * 0x9e3779b97f4a7c15ULL);
  if (const auto trigrams = TrigramSet::open(input); trigrams.ok()) {
    for (std::uint32_t hash = 0; hash < 1u << 18; hash += 997) (void)trigrams->contains(hash);
  }
  const Sealed sealed = seal(input);
  const std::string header = write_block_header(sealed.meta);
  if (!read_block_header(header).ok()) return 0;
  read_everything(sealed, header);
  search(sealed, header, true);
  search(sealed, header, false);
  return 0;
}
