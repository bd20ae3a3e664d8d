// Internal to io/: the content of a file of MemoryFileSystem, with what a crash could leave of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace logboom {

// Sparse bytes that remember, per 512-byte sector, every content since the last sync (at most kMostVersions). Not
// thread-safe.
class CrashableBytes {
 public:
  static constexpr std::uint64_t kSector = 512;
  static constexpr std::uint64_t kChunk = 4096;
  static constexpr std::size_t kMostVersions = 8;

  std::uint64_t size() const { return size_; }
  // What the chunks that exist take.
  std::uint64_t allocated() const { return chunks_.size() * kChunk; }
  // How much a write of this range would add to allocated().
  std::uint64_t growth(std::uint64_t offset, std::size_t size) const;

  std::size_t read(void* to, std::size_t size, std::uint64_t offset) const;
  void write(const void* from, std::size_t size, std::uint64_t offset);
  void truncate(std::uint64_t size);
  std::optional<std::uint64_t> next_data(std::uint64_t from) const;

  // All of it is on the disk from now on.
  void sync();
  // As Linux has it after a failed fsync: what was not on the disk counts as clean and no later sync writes it, unless
  // it is written again.
  void fail_sync();

  // What a crash now could leave: every sector holds its synced content or that after any of the writes since, and the
  // size is the synced one or any since. The same random numbers give the same result.
  CrashableBytes crash(std::mt19937_64& random) const;

 private:
  std::string sector(std::uint64_t index) const;
  void put(const char* from, std::size_t size, std::uint64_t offset);
  void remember(std::uint64_t from, std::uint64_t to);
  void cut_to(std::uint64_t size);

  std::uint64_t size_ = 0;
  std::map<std::uint64_t, std::string> chunks_;                    // by index, kChunk bytes each; a hole where missing
  std::map<std::uint64_t, std::vector<std::string>> old_sectors_;  // by index, oldest (the synced one) first
  std::vector<std::uint64_t> old_sizes_;
  std::set<std::uint64_t> stuck_;  // sectors that a failed sync left behind
};

}  // namespace logboom
