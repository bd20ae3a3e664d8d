#include "io/zstd.h"

#include <new>

#include <fmt/format.h>
#include <zstd.h>

#include "base/check.h"

namespace logboom {
namespace {

constexpr std::string_view kMagic = "\x28\xb5\x2f\xfd";

// A context that could not be made is memory that is used up, as with any `new`.
template <typename Context>
Context* made(Context* context) {
  if (context == nullptr) throw std::bad_alloc();
  return context;
}

}  // namespace

struct ZstdCompressor::State {
  State() : context(made(ZSTD_createCCtx())) {}
  ~State() { ZSTD_freeCCtx(context); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ZSTD_CCtx* context;
};

ZstdCompressor::ZstdCompressor(int level) : state_(std::make_unique<State>()) {
  LB_CHECK(ZSTD_isError(ZSTD_CCtx_setParameter(state_->context, ZSTD_c_compressionLevel, level)) == 0);
  LB_CHECK(ZSTD_isError(ZSTD_CCtx_setParameter(state_->context, ZSTD_c_checksumFlag, 1)) == 0);
}

ZstdCompressor::~ZstdCompressor() = default;
ZstdCompressor::ZstdCompressor(ZstdCompressor&&) noexcept = default;
ZstdCompressor& ZstdCompressor::operator=(ZstdCompressor&&) noexcept = default;

Result<std::string> ZstdCompressor::compress(std::string_view bytes) {
  std::string out;
  LB_TRY(compress_append(bytes, out));
  return out;
}

Status ZstdCompressor::compress_append(std::string_view bytes, std::string& out) {
  const std::size_t before = out.size();
  const std::size_t room = ZSTD_compressBound(bytes.size());
  out.resize(before + room);
  const std::size_t n = ZSTD_compress2(state_->context, out.data() + before, room, bytes.data(), bytes.size());
  if (ZSTD_isError(n) != 0) {
    out.resize(before);
    return Error(ErrorCode::kInternal, fmt::format("cannot compress {} bytes: {}", bytes.size(), ZSTD_getErrorName(n)));
  }
  out.resize(before + n);
  return ok_status();
}

struct ZstdDecompressor::State {
  State() : context(made(ZSTD_createDCtx())) {}
  ~State() { ZSTD_freeDCtx(context); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ZSTD_DCtx* context;
};

std::optional<std::uint64_t> zstd_content_size(std::string_view frame) {
  if (!frame.starts_with(kMagic)) return std::nullopt;
  const unsigned long long size = ZSTD_getFrameContentSize(frame.data(), frame.size());
  if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR) return std::nullopt;
  return size;
}

ZstdDecompressor::ZstdDecompressor() : state_(std::make_unique<State>()) {}
ZstdDecompressor::~ZstdDecompressor() = default;
ZstdDecompressor::ZstdDecompressor(ZstdDecompressor&&) noexcept = default;
ZstdDecompressor& ZstdDecompressor::operator=(ZstdDecompressor&&) noexcept = default;

Result<std::string> ZstdDecompressor::decompress(std::string_view frame, std::size_t limit) {
  std::string out;
  LB_TRY(decompress_to(frame, limit, out));
  return out;
}

Status ZstdDecompressor::decompress_to(std::string_view frame, std::size_t limit, std::string& out) {
  const std::size_t length = ZSTD_findFrameCompressedSize(frame.data(), frame.size());
  if (ZSTD_isError(length) != 0 || length != frame.size() || !frame.starts_with(kMagic)) {
    return Error(ErrorCode::kCorrupt, fmt::format("cannot decompress {} bytes: not one zstd frame", frame.size()));
  }
  const unsigned long long size = ZSTD_getFrameContentSize(frame.data(), frame.size());
  if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR) {
    return Error(ErrorCode::kCorrupt, fmt::format("cannot decompress {} bytes: no content size", frame.size()));
  }
  if (size > limit) {
    return Error(ErrorCode::kFull,
                 fmt::format("cannot decompress {} bytes: content of {} is over {}", frame.size(), size, limit));
  }
  out.resize(size);
  const std::size_t n = ZSTD_decompressDCtx(state_->context, out.data(), out.size(), frame.data(), frame.size());
  if (ZSTD_isError(n) != 0 || n != size) {
    out.clear();
    const char* why = ZSTD_isError(n) != 0 ? ZSTD_getErrorName(n) : "content is shorter than it says";
    return Error(ErrorCode::kCorrupt, fmt::format("cannot decompress {} bytes: {}", frame.size(), why));
  }
  return ok_status();
}

}  // namespace logboom
