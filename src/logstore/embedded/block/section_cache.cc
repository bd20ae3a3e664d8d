#include "logstore/embedded/block/section_cache.h"

#include <algorithm>

#include <fmt/format.h>

#include "io/hashing.h"
#include "io/zstd.h"

namespace logboom::logstore::embedded {
namespace {

constexpr std::uint64_t kLeastMemory = 1u << 20;
constexpr std::uint64_t kMostMemory = 1u << 30;
constexpr std::uint64_t kMemoryPerByte = 64;  // a block of nothing but empty lines takes about 50

}  // namespace

Error corrupt_block(std::string_view why) {
  return Error(ErrorCode::kCorrupt, fmt::format("cannot read block: {}", why));
}

SectionCache::SectionCache(const BlockMeta& meta, SectionSource& source)
    : meta_(meta), source_(source), entries_(meta.sections.size()) {
  memory_limit_ = std::min(kMostMemory, kLeastMemory + kMemoryPerByte * (meta.raw_bytes + meta.rows));
}

std::size_t SectionCache::index_of(SectionKind kind, std::uint32_t ordinal) const {
  const std::uint32_t id = section_id(kind, ordinal);
  std::size_t i = 0;
  while (i < meta_.sections.size() && meta_.sections[i].id != id) ++i;
  return i;
}

bool SectionCache::has(SectionKind kind, std::uint32_t ordinal) const {
  return index_of(kind, ordinal) < meta_.sections.size();
}

Status SectionCache::charge(std::uint64_t bytes) {
  if (bytes > memory_limit_ - memory_) return corrupt_block("it needs more memory than a true one");
  memory_ += bytes;
  return ok_status();
}

namespace {

// Of a thread: a context of zstd and a buffer cost more to make than many a section to unpack.
struct Unpacking {
  ZstdDecompressor zstd;
  std::string stored;
};

Unpacking& unpacking() {
  thread_local Unpacking unpacking;
  return unpacking;
}

}  // namespace

Status SectionCache::load(std::size_t index, Entry& entry) {
  const SectionInfo& info = meta_.sections[index];
  LB_TRY(charge(info.raw_size + kPadding));
  const bool plain = info.stored_size == info.raw_size;
  Unpacking& work = unpacking();
  std::string& stored = plain ? entry.bytes : work.stored;
  if (plain) stored.reserve(info.stored_size + kPadding);
  LB_TRY(source_.load(index, info, stored));
  if (stored.size() != info.stored_size || xxh3_64(stored) != info.checksum)
    return corrupt_block(fmt::format("section {} has a wrong size or checksum", info.id));
  if (!plain) {
    entry.bytes.reserve(info.raw_size + kPadding);
    LB_TRY(work.zstd.decompress_to(stored, info.raw_size, entry.bytes));
    if (entry.bytes.size() != info.raw_size) return corrupt_block(fmt::format("section {} is too short", info.id));
  }
  bytes_read_ += info.stored_size;
  entry.bytes.append(kPadding, '\0');
  entry.loaded = true;
  return ok_status();
}

Result<std::string_view> SectionCache::get(SectionKind kind, std::uint32_t ordinal) {
  const std::size_t index = index_of(kind, ordinal);
  if (index == meta_.sections.size())
    return corrupt_block(fmt::format("section {} is missing", section_id(kind, ordinal)));
  Entry& entry = entries_[index];
  if (!entry.loaded) LB_TRY(load(index, entry));
  return std::string_view(entry.bytes).substr(0, entry.bytes.size() - kPadding);
}

Result<std::string_view> SectionCache::get(SectionKind kind, const StreamRef& ref) {
  LB_ASSIGN(const std::string_view section, get(kind, ref.ordinal));
  if (std::uint64_t{ref.offset} + ref.size > section.size()) return corrupt_block("a column lies outside its section");
  return section.substr(ref.offset, ref.size);
}

Status MemorySections::load(std::size_t index, const SectionInfo& info, std::string& out) {
  if (index >= sections_.size()) return corrupt_block(fmt::format("section {} is missing", info.id));
  out = sections_[index];
  return ok_status();
}

}  // namespace logboom::logstore::embedded
