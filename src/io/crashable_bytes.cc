#include "io/crashable_bytes.h"

#include <algorithm>
#include <cstring>

namespace logboom {
namespace {

std::uint64_t pick(std::mt19937_64& random, std::uint64_t count) {
  return random() % count;
}

}  // namespace

std::uint64_t CrashableBytes::growth(std::uint64_t offset, std::size_t size) const {
  if (size == 0) return 0;
  std::uint64_t missing = 0;
  for (std::uint64_t chunk = offset / kChunk; chunk <= (offset + size - 1) / kChunk; ++chunk) {
    if (!chunks_.contains(chunk)) ++missing;
  }
  return missing * kChunk;
}

std::size_t CrashableBytes::read(void* to, std::size_t size, std::uint64_t offset) const {
  if (offset >= size_) return 0;
  size = static_cast<std::size_t>(std::min<std::uint64_t>(size, size_ - offset));
  std::size_t done = 0;
  while (done < size) {
    const std::uint64_t at = offset + done;
    const std::size_t part = std::min<std::size_t>(size - done, kChunk - at % kChunk);
    const auto chunk = chunks_.find(at / kChunk);
    if (chunk == chunks_.end()) {
      std::memset(static_cast<char*>(to) + done, 0, part);
    } else {
      std::memcpy(static_cast<char*>(to) + done, chunk->second.data() + at % kChunk, part);
    }
    done += part;
  }
  return size;
}

void CrashableBytes::put(const char* from, std::size_t size, std::uint64_t offset) {
  std::size_t done = 0;
  while (done < size) {
    const std::uint64_t at = offset + done;
    const std::size_t part = std::min<std::size_t>(size - done, kChunk - at % kChunk);
    std::string& chunk = chunks_[at / kChunk];
    if (chunk.empty()) chunk.resize(kChunk);
    std::memcpy(chunk.data() + at % kChunk, from + done, part);
    done += part;
  }
}

std::string CrashableBytes::sector(std::uint64_t index) const {
  std::string out(kSector, '\0');
  const auto chunk = chunks_.find(index * kSector / kChunk);
  if (chunk != chunks_.end()) out.assign(chunk->second, index * kSector % kChunk, kSector);
  return out;
}

// Before a change of bytes [from, to).
void CrashableBytes::remember(std::uint64_t from, std::uint64_t to) {
  old_sizes_.push_back(size_);
  if (old_sizes_.size() > kMostVersions) old_sizes_.erase(old_sizes_.begin() + 1);
  for (std::uint64_t index = from / kSector; index * kSector < to; ++index) {
    auto& versions = old_sectors_[index];
    versions.push_back(sector(index));
    if (versions.size() > kMostVersions) versions.erase(versions.begin() + 1);
    stuck_.erase(index);
  }
}

void CrashableBytes::write(const void* from, std::size_t size, std::uint64_t offset) {
  if (size == 0) return;
  remember(offset, offset + size);
  put(static_cast<const char*>(from), size, offset);
  size_ = std::max(size_, offset + size);
}

void CrashableBytes::cut_to(std::uint64_t size) {
  chunks_.erase(chunks_.lower_bound((size + kChunk - 1) / kChunk), chunks_.end());
  const auto last = chunks_.find(size / kChunk);
  if (last != chunks_.end()) std::memset(last->second.data() + size % kChunk, 0, kChunk - size % kChunk);
  size_ = size;
}

void CrashableBytes::truncate(std::uint64_t size) {
  if (size >= size_) {
    remember(0, 0);
    size_ = size;
    return;
  }
  // Only what exists: a hole of a terabyte has no sectors to remember.
  remember(0, 0);
  for (auto chunk = chunks_.lower_bound(size / kChunk); chunk != chunks_.end(); ++chunk) {
    const std::uint64_t from = std::max(size, chunk->first * kChunk);
    remember(from, (chunk->first + 1) * kChunk);
  }
  cut_to(size);
}

std::optional<std::uint64_t> CrashableBytes::next_data(std::uint64_t from) const {
  if (from >= size_) return std::nullopt;
  const auto chunk = chunks_.lower_bound(from / kChunk);
  if (chunk == chunks_.end()) return std::nullopt;
  const std::uint64_t at = std::max(from, chunk->first * kChunk);
  return at < size_ ? std::optional<std::uint64_t>(at) : std::nullopt;
}

void CrashableBytes::sync() {
  std::erase_if(old_sectors_, [this](const auto& entry) { return !stuck_.contains(entry.first); });
  old_sizes_.clear();
}

void CrashableBytes::fail_sync() {
  for (const auto& [index, versions] : old_sectors_) stuck_.insert(index);
}

CrashableBytes CrashableBytes::crash(std::mt19937_64& random) const {
  CrashableBytes out;
  out.size_ = size_;
  out.chunks_ = chunks_;
  // A quarter each: nothing of it landed, all of it did; else a mixture.
  const std::uint64_t kind = pick(random, 4);
  std::uint64_t size = size_;
  if (!old_sizes_.empty() && kind != 1) {
    const std::uint64_t which = kind == 0 ? 0 : pick(random, old_sizes_.size() + 1);
    if (which < old_sizes_.size()) size = old_sizes_[which];
  }
  for (const auto& [index, versions] : old_sectors_) {
    const bool stays_old = kind == 0 || stuck_.contains(index);
    const std::uint64_t which = stays_old ? 0 : kind == 1 ? versions.size() : pick(random, versions.size() + 1);
    if (which < versions.size()) out.put(versions[which].data(), kSector, index * kSector);
  }
  if (size < out.size_) {
    out.cut_to(size);
  } else {
    out.size_ = size;
    out.cut_to(size);  // sectors put behind the end
  }
  return out;
}

}  // namespace logboom
