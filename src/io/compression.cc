#include "io/compression.h"

#include <fmt/format.h>

#include "io/codecs.h"

namespace logboom {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kBufferBytes = 64 << 10;
// Below this much output no ratio is suspicious: a run of equal lines compresses very well.
constexpr std::uint64_t kRatioFrom = 64 << 20;

constexpr std::string_view kGzipMagic = "\x1f\x8b\x08"sv;
constexpr std::string_view kZstdMagic = "\x28\xb5\x2f\xfd"sv;
constexpr std::string_view kXzMagic = "\xfd\x37\x7a\x58\x5a\x00"sv;

// Zstd's frames that carry no content start with 0x184D2A50 to 0x184D2A5F.
bool is_skippable(std::string_view head) {
  return (static_cast<unsigned char>(head[0]) & 0xf0) == 0x50 && head.substr(1, 3) == "\x2a\x4d\x18"sv;
}

}  // namespace

std::string_view compression_name(CompressionKind kind) {
  switch (kind) {
    case CompressionKind::kNone:
      return "none";
    case CompressionKind::kGzip:
      return "gzip";
    case CompressionKind::kZstd:
      return "zstd";
    case CompressionKind::kXz:
      return "xz";
  }
  return "none";
}

std::optional<CompressionKind> detect_compression(std::string_view head) {
  if (head.starts_with(kGzipMagic)) return CompressionKind::kGzip;
  if (head.starts_with(kZstdMagic)) return CompressionKind::kZstd;
  if (head.starts_with(kXzMagic)) return CompressionKind::kXz;
  if (head.size() >= 4 && is_skippable(head)) return CompressionKind::kZstd;
  if (head.empty()) return std::nullopt;
  const bool may_become_one = kGzipMagic.starts_with(head) || kZstdMagic.starts_with(head) ||
                              kXzMagic.starts_with(head) ||
                              (head.size() < 4 && (static_cast<unsigned char>(head[0]) & 0xf0) == 0x50 &&
                               "\x2a\x4d\x18"sv.starts_with(head.substr(1)));
  if (may_become_one) return std::nullopt;
  return CompressionKind::kNone;
}

Result<std::unique_ptr<Decompressor>> Decompressor::make(CompressionKind kind, const DecompressionLimits& limits) {
  std::unique_ptr<Decompressor> out;
  switch (kind) {
    case CompressionKind::kNone:
      break;
    case CompressionKind::kGzip:
      out = make_gzip_decompressor(limits);
      break;
    case CompressionKind::kZstd:
      out = make_zstd_decompressor(limits);
      break;
    case CompressionKind::kXz:
      out = make_xz_decompressor(limits);
      break;
  }
  if (!out) return Error(ErrorCode::kInvalidArgument, "cannot decompress: the bytes are not compressed");
  if (!out->restart()) return Error(ErrorCode::kFull, "cannot decompress: not enough memory");
  return out;
}

Decompressor::~Decompressor() = default;

std::size_t Decompressor::skip_padding(std::string_view in) const {
  if (!has_padding_) return 0;
  const std::size_t first = in.find_first_not_of('\0');
  return first == std::string_view::npos ? in.size() : first;
}

void Decompressor::fail(State state, std::string_view why) {
  state_ = state;
  const ErrorCode code = state == State::kCorrupt ? ErrorCode::kCorrupt : ErrorCode::kFull;
  error_ = Error(code, fmt::format("cannot decompress from byte {} on, behind {} bytes of content: {}", consumed_,
                                   produced_, why));
}

void Decompressor::check_limits() {
  if (produced_ > limits_.output_bytes) fail(State::kOverLimit, "the content is over the limit");
  if (produced_ > kRatioFrom && produced_ / limits_.ratio > consumed_) {
    fail(State::kOverLimit, "the content is too many times larger than the file");
  }
}

Decompressor::Step Decompressor::step(std::string_view in, char* out, std::size_t room) {
  Step step;
  step.state = state_;
  if (state_ == State::kCorrupt || state_ == State::kOverLimit) return step;
  if (state_ == State::kBetween) {
    step.consumed = skip_padding(in);
    consumed_ += step.consumed;
    in.remove_prefix(step.consumed);
    if (in.empty()) return step;
  }
  if (needs_restart_ && !restart()) {
    fail(State::kOverLimit, "not enough memory");
    step.state = state_;
    return step;
  }
  needs_restart_ = false;
  const CodecStep done = run(in, out, room);
  step.consumed += done.consumed;
  step.produced = done.produced;
  consumed_ += done.consumed;
  produced_ += done.produced;
  state_ = done.outcome == Outcome::kMemberEnd ? State::kBetween : State::kInside;
  needs_restart_ = done.outcome == Outcome::kMemberEnd;
  if (done.outcome == Outcome::kCorrupt) fail(State::kCorrupt, done.why);
  if (done.outcome == Outcome::kOverLimit) fail(State::kOverLimit, done.why);
  // Callers loop on progress; a library that makes none with bytes and room at hand would hang them.
  const bool stuck = done.outcome == Outcome::kMore && done.consumed + done.produced == 0 && !in.empty() && room > 0;
  if (stuck) fail(State::kCorrupt, "no progress");
  if (error_.ok()) check_limits();
  step.state = state_;
  return step;
}

DecompressingReader::DecompressingReader(File& file, std::unique_ptr<Decompressor> decompressor)
    : file_(file), decompressor_(std::move(decompressor)), buffer_(kBufferBytes) {}

Result<std::unique_ptr<DecompressingReader>> DecompressingReader::make(File& file, CompressionKind kind,
                                                                       const DecompressionLimits& limits) {
  LB_ASSIGN(auto decompressor, Decompressor::make(kind, limits));
  return std::unique_ptr<DecompressingReader>(new DecompressingReader(file, std::move(decompressor)));
}

Status DecompressingReader::fill() {
  LB_ASSIGN(end_, file_.pread(buffer_.data(), buffer_.size(), decompressor_->consumed()));
  begin_ = 0;
  return ok_status();
}

Result<DecompressingReader::Chunk> DecompressingReader::read(char* to, std::size_t size) {
  while (true) {
    if (begin_ == end_ && !holds_output_) LB_TRY(fill());
    const bool at_end_of_file = begin_ == end_ && !holds_output_;
    const std::string_view in(buffer_.data() + begin_, end_ - begin_);
    // An end of the file is no reason to call the library: it takes a call without progress for an error.
    const auto step =
        at_end_of_file ? Decompressor::Step{0, 0, decompressor_->state()} : decompressor_->step(in, to, size);
    begin_ += step.consumed;
    holds_output_ = step.produced == size;
    if (step.produced > 0) return Chunk{step.produced, End::kNone};
    const auto state = step.state;
    if (state == Decompressor::State::kCorrupt) return Chunk{0, End::kCorrupt};
    if (state == Decompressor::State::kOverLimit) return Chunk{0, End::kOverLimit};
    if (!at_end_of_file) continue;
    return Chunk{0, state == Decompressor::State::kBetween ? End::kClean : End::kTruncated};
  }
}

}  // namespace logboom
