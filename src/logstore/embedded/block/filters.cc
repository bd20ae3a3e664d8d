#include "logstore/embedded/block/filters.h"

#include <fmt/format.h>

#include "logstore/embedded/block/bytes.h"
#include "logstore/embedded/block/filter_format.h"
#include "logstore/query/trigrams.h"

namespace logboom::logstore::embedded {
namespace {

constexpr std::size_t kTrigramHead = 4 + 2 * kTrigramContainers;

std::uint16_t load16(const char* p) {
  std::uint16_t v;
  std::memcpy(&v, p, 2);
  return v;
}

std::size_t container_bytes(std::uint16_t count) {
  return count > kTrigramMaxList ? kTrigramBitmapBytes : 2 * std::size_t{count};
}

}  // namespace

Result<TokenFilter> TokenFilter::open(std::string_view bytes) {
  ByteReader in(bytes);
  const std::uint32_t magic = in.u32();
  const std::uint32_t static_size = in.u32();
  TokenFilter filter;
  filter.static_part_ = in.raw(static_size);
  filter.variable_part_ = in.raw(in.left());
  if (!in.ok() || magic != kTokenFilterMagic || static_size % kBloomBlock != 0 ||
      filter.variable_part_.size() % kBloomBlock != 0)
    return Error(ErrorCode::kCorrupt, fmt::format("cannot read token filter of {} bytes: not one", bytes.size()));
  return filter;
}

bool TokenFilter::test(std::string_view part, std::uint64_t token_hash) {
  if (part.empty()) return false;
  const char* block = part.data() + bloom_block(token_hash, part.size() / kBloomBlock) * kBloomBlock;
  for (unsigned lane = 0; lane < 8; ++lane) {
    const std::uint32_t bit = bloom_bit(token_hash, lane);
    if ((block[lane * 4 + bit / 8] >> (bit % 8) & 1) == 0) return false;
  }
  return true;
}

Result<TrigramSet> TrigramSet::open(std::string_view bytes) {
  ByteReader in(bytes);
  const std::uint32_t magic = in.u32();
  std::size_t body = 0;
  for (std::size_t c = 0; c < kTrigramContainers; ++c) body += container_bytes(in.u16());
  if (!in.ok() || magic != kTrigramMagic || body != in.left())
    return Error(ErrorCode::kCorrupt, fmt::format("cannot read trigram set of {} bytes: not one", bytes.size()));
  TrigramSet set;
  set.bytes_ = bytes;
  return set;
}

bool TrigramSet::contains(std::uint32_t trigram_hash) const {
  const std::size_t container = (trigram_hash / kTrigramContainerBits) % kTrigramContainers;
  const auto low = static_cast<std::uint16_t>(trigram_hash % kTrigramContainerBits);
  const char* at = bytes_.data() + kTrigramHead;
  for (std::size_t c = 0; c < container; ++c) at += container_bytes(load16(bytes_.data() + 4 + 2 * c));
  const std::uint16_t count = load16(bytes_.data() + 4 + 2 * container);
  if (count > kTrigramMaxList) return (at[low / 8] >> (low % 8) & 1) != 0;
  std::size_t begin = 0;
  std::size_t end = count;
  while (begin < end) {
    const std::size_t middle = (begin + end) / 2;
    if (load16(at + 2 * middle) < low)
      begin = middle + 1;
    else
      end = middle;
  }
  return begin < count && load16(at + 2 * begin) == low;
}

}  // namespace logboom::logstore::embedded
