// Reads files that other programs compressed (rotated logs): gzip with concatenated members, zstd with concatenated and
// skippable frames, xz with concatenated streams. Everything streams; memory is bounded by Limits whatever the file
// says of itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "io/file_system.h"

namespace logboom {

enum class CompressionKind { kNone, kGzip, kZstd, kXz };

// "none", "gzip", "zstd", "xz".
std::string_view compression_name(CompressionKind kind);

// By the first bytes of a file (its name proves nothing); nullopt while they are too few to tell. Six bytes always
// tell.
std::optional<CompressionKind> detect_compression(std::string_view head);

struct DecompressionLimits {
  std::uint64_t output_bytes = std::uint64_t{256} << 30;
  // Of output to input, looked at once there are 64 MiB of output. gzip cannot exceed 1,032.
  std::uint64_t ratio = 5'000;
  // Window of zstd, memory of the xz decoder. gzip needs 48 KB.
  std::uint64_t memory_bytes = 128 << 20;
};

// One compressed format as bytes in, bytes out, in pieces of any size. One thread at a time.
class Decompressor {
 public:
  enum class State {
    kInside,     // in a member: an end of the input here is a truncation
    kBetween,    // at the end of a member: the input may end here
    kCorrupt,    // for good; see error()
    kOverLimit,  // for good; see error()
  };
  struct Step {
    std::size_t consumed = 0;
    std::size_t produced = 0;
    State state = State::kInside;
  };

  // kInvalidArgument for kNone.
  static Result<std::unique_ptr<Decompressor>> make(CompressionKind kind, const DecompressionLimits& limits = {});
  virtual ~Decompressor();
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;

  // Decompresses a part of `in` to [out, out + room). Output may wait inside while `produced` equals `room`. With
  // nothing left of the input and produced < room there is no more until more comes.
  Step step(std::string_view in, char* out, std::size_t room);
  State state() const { return state_; }
  // Ok unless the state is kCorrupt (kCorrupt) or kOverLimit (kFull).
  const Status& error() const { return error_; }
  std::uint64_t consumed() const { return consumed_; }
  std::uint64_t produced() const { return produced_; }

 protected:
  enum class Outcome { kMore, kMemberEnd, kCorrupt, kOverLimit };
  struct CodecStep {
    std::size_t consumed = 0;
    std::size_t produced = 0;
    Outcome outcome = Outcome::kMore;
    std::string_view why = {};
  };
  explicit Decompressor(const DecompressionLimits& limits, bool has_padding)
      : limits_(limits), has_padding_(has_padding) {}
  // One call of the library; stops at the end of a member.
  virtual CodecStep run(std::string_view in, char* out, std::size_t room) = 0;
  // Ready for the next member; false where memory is short.
  virtual bool restart() = 0;

 private:
  std::size_t skip_padding(std::string_view in) const;
  void fail(State state, std::string_view why);
  void check_limits();

  const DecompressionLimits limits_;
  const bool has_padding_;  // zeros may stand between and behind members
  State state_ = State::kInside;
  bool needs_restart_ = false;
  std::uint64_t consumed_ = 0;
  std::uint64_t produced_ = 0;
  Status error_;
};

// Reads a compressed file from its beginning as if it were plain. A file that is still being written is read as far as
// it goes; later calls go on. One thread at a time. Bound: a 64 KiB buffer and the limits.
class DecompressingReader {
 public:
  enum class End {
    kNone,       // more may follow at once
    kClean,      // the file ends behind a whole member; more may be appended
    kTruncated,  // the file ends inside a member: half written, or cut
    kCorrupt,    // for good; see error()
    kOverLimit,  // for good; see error()
  };
  struct Chunk {
    std::size_t size = 0;
    End end = End::kNone;  // kNone whenever size > 0
  };

  // `file` outlives the reader. kInvalidArgument for kNone.
  static Result<std::unique_ptr<DecompressingReader>> make(File& file, CompressionKind kind,
                                                           const DecompressionLimits& limits = {});
  // Up to `size` (at least 1) of the next decompressed bytes; 0 bytes come with the reason. An Error is one of reading
  // the file; the call may be repeated.
  Result<Chunk> read(char* to, std::size_t size);
  // What kCorrupt and kOverLimit mean, with the offsets.
  const Status& error() const { return decompressor_->error(); }
  // Decompressed bytes given so far, and compressed bytes they took.
  std::uint64_t position() const { return decompressor_->produced(); }
  std::uint64_t compressed_position() const { return decompressor_->consumed(); }

 private:
  DecompressingReader(File& file, std::unique_ptr<Decompressor> decompressor);
  Status fill();

  File& file_;
  std::unique_ptr<Decompressor> decompressor_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;  // of what is left in buffer_
  std::size_t end_ = 0;
  bool holds_output_ = false;  // the decompressor may give more without input
};

}  // namespace logboom
