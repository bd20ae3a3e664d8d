// SampleRing: samples on their way, on disk until they are acknowledged: no file stands behind them that could be read
// again. Bounded: when it is full the oldest go. docs/formats/metrics.md, Ring.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "io/file_system.h"
#include "io/zstd.h"

namespace logboom::agent {

struct SampleRingOptions {
  std::string directory;                // made when it is missing; holds nothing else
  std::uint64_t bytes = 64u << 20;      // of all files together
  std::uint64_t file_bytes = 1u << 20;  // of one
  std::size_t entries = 200'000;        // of all files together
};

// One thread at a time. A crash of the program loses nothing that was pushed, a power cut at most the last moments.
class SampleRing {
 public:
  // What is left of an earlier run is in it, from 1 on; damaged entries are left out.
  static Result<std::unique_ptr<SampleRing>> open(SampleRingOptions options, FileSystem& files);

  // The number of the entry, one more than that of the last. An error: it is not kept (the disk is full).
  Result<std::uint64_t> push(std::string_view text);
  // The first entry from `number` on that is not acknowledged and is still there; nullopt: none.
  struct Entry {
    std::uint64_t number = 0;
    std::string text;
  };
  std::optional<Entry> next(std::uint64_t number);
  void acknowledge(std::uint64_t number);
  // The number the next entry will have.
  std::uint64_t end() const { return first_place_ + places_.size(); }

  std::uint64_t bytes() const { return bytes_; }      // on disk
  std::uint64_t waiting() const { return waiting_; }  // entries not acknowledged
  std::uint64_t dropped() const { return dropped_; }  // entries that went because it was full, or were damaged

 private:
  struct Segment {
    std::string path;
    std::unique_ptr<File> file;
    std::uint64_t size = 0;
    std::uint64_t waiting = 0;  // entries of it
  };
  struct Place {
    std::uint64_t segment = 0;  // its number
    std::uint64_t offset = 0;
    std::uint32_t size = 0;
    bool acknowledged = false;
  };

  SampleRing(SampleRingOptions options, FileSystem& files) : options_(std::move(options)), files_(files) {}
  Status load();
  Status load_segment(std::uint64_t number, const std::string& path);
  Status begin_segment();
  void drop_first_segment();
  void forget_first();
  void tidy();
  Segment& segment(std::uint64_t number) { return segments_[number - first_segment_]; }
  std::optional<std::string> read(const Place& place);

  const SampleRingOptions options_;
  FileSystem& files_;
  ZstdCompressor compressor_;
  ZstdDecompressor decompressor_;
  std::deque<Segment> segments_;     // the last is written to
  std::uint64_t first_segment_ = 1;  // its number
  std::deque<Place> places_;
  std::uint64_t first_place_ = 1;  // its number
  std::uint64_t next_name_ = 1;    // of the next file
  bool writable_ = false;          // whether the last segment is this run's, and whole
  std::uint64_t bytes_ = 0;
  std::uint64_t waiting_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace logboom::agent
