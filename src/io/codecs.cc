#include "io/codecs.h"

#include <algorithm>
#include <bit>
#include <climits>

#include <lzma.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

namespace logboom {
namespace {

class GzipDecompressor final : public Decompressor {
 public:
  explicit GzipDecompressor(const DecompressionLimits& limits) : Decompressor(limits, true) {}
  ~GzipDecompressor() override {
    if (ready_) inflateEnd(&stream_);
  }

 protected:
  bool restart() override {
    if (ready_) return inflateReset(&stream_) == Z_OK;
    constexpr int kGzipOnly = 16;
    ready_ = inflateInit2(&stream_, MAX_WBITS + kGzipOnly) == Z_OK;
    return ready_;
  }

  CodecStep run(std::string_view in, char* out, std::size_t room) override {
    const auto in_size = static_cast<uInt>(std::min<std::size_t>(in.size(), UINT_MAX));
    const auto out_size = static_cast<uInt>(std::min<std::size_t>(room, UINT_MAX));
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));  // zlib does not write to it
    stream_.avail_in = in_size;
    stream_.next_out = reinterpret_cast<Bytef*>(out);
    stream_.avail_out = out_size;
    const int code = inflate(&stream_, Z_NO_FLUSH);
    CodecStep step{in_size - stream_.avail_in, out_size - stream_.avail_out};
    if (code == Z_STREAM_END) {
      step.outcome = Outcome::kMemberEnd;
    } else if (code == Z_MEM_ERROR) {
      step.outcome = Outcome::kOverLimit;
      step.why = "not enough memory";
    } else if (code != Z_OK && code != Z_BUF_ERROR) {
      step.outcome = Outcome::kCorrupt;
      step.why = stream_.msg != nullptr ? stream_.msg : "no gzip";
    }
    return step;
  }

 private:
  z_stream stream_ = {};
  bool ready_ = false;
};

class ZstdStream final : public Decompressor {
 public:
  explicit ZstdStream(const DecompressionLimits& limits) : Decompressor(limits, false), memory_(limits.memory_bytes) {}
  ~ZstdStream() override { ZSTD_freeDCtx(context_); }

 protected:
  bool restart() override {
    if (context_ != nullptr) return ZSTD_isError(ZSTD_DCtx_reset(context_, ZSTD_reset_session_only)) == 0;
    context_ = ZSTD_createDCtx();
    if (context_ == nullptr) return false;
    const auto bounds = ZSTD_dParam_getBounds(ZSTD_d_windowLogMax);
    const int log = std::clamp(static_cast<int>(std::bit_width(memory_)) - 1, bounds.lowerBound, bounds.upperBound);
    return ZSTD_isError(ZSTD_DCtx_setParameter(context_, ZSTD_d_windowLogMax, log)) == 0;
  }

  CodecStep run(std::string_view in, char* out, std::size_t room) override {
    ZSTD_inBuffer input{in.data(), in.size(), 0};
    ZSTD_outBuffer output{out, room, 0};
    const std::size_t code = ZSTD_decompressStream(context_, &output, &input);
    CodecStep step{input.pos, output.pos};
    if (code == 0) {
      step.outcome = Outcome::kMemberEnd;
    } else if (ZSTD_isError(code) != 0) {
      const ZSTD_ErrorCode error = ZSTD_getErrorCode(code);
      const bool too_large = error == ZSTD_error_frameParameter_windowTooLarge || error == ZSTD_error_memory_allocation;
      step.outcome = too_large ? Outcome::kOverLimit : Outcome::kCorrupt;
      step.why = ZSTD_getErrorName(code);
    }
    return step;
  }

 private:
  const std::uint64_t memory_;
  ZSTD_DCtx* context_ = nullptr;
};

class XzDecompressor final : public Decompressor {
 public:
  explicit XzDecompressor(const DecompressionLimits& limits)
      : Decompressor(limits, true), memory_(limits.memory_bytes) {}
  ~XzDecompressor() override { lzma_end(&stream_); }

 protected:
  // Not LZMA_CONCATENATED: that would hide where a stream ends until it is told that the input does.
  bool restart() override { return lzma_stream_decoder(&stream_, memory_, 0) == LZMA_OK; }

  CodecStep run(std::string_view in, char* out, std::size_t room) override {
    stream_.next_in = reinterpret_cast<const std::uint8_t*>(in.data());
    stream_.avail_in = in.size();
    stream_.next_out = reinterpret_cast<std::uint8_t*>(out);
    stream_.avail_out = room;
    const lzma_ret code = lzma_code(&stream_, LZMA_RUN);
    CodecStep step{in.size() - stream_.avail_in, room - stream_.avail_out};
    if (code == LZMA_STREAM_END) {
      step.outcome = Outcome::kMemberEnd;
    } else if (code == LZMA_MEM_ERROR || code == LZMA_MEMLIMIT_ERROR) {
      step.outcome = Outcome::kOverLimit;
      step.why = "it needs more memory than the limit";
    } else if (code != LZMA_OK && code != LZMA_BUF_ERROR) {
      step.outcome = Outcome::kCorrupt;
      step.why = reason(code);
    }
    return step;
  }

 private:
  static std::string_view reason(lzma_ret code) {
    if (code == LZMA_FORMAT_ERROR) return "no xz";
    if (code == LZMA_OPTIONS_ERROR) return "xz options that are not known";
    return "damaged xz";
  }

  const std::uint64_t memory_;
  lzma_stream stream_ = LZMA_STREAM_INIT;
};

}  // namespace

std::unique_ptr<Decompressor> make_gzip_decompressor(const DecompressionLimits& limits) {
  return std::make_unique<GzipDecompressor>(limits);
}

std::unique_ptr<Decompressor> make_zstd_decompressor(const DecompressionLimits& limits) {
  return std::make_unique<ZstdStream>(limits);
}

std::unique_ptr<Decompressor> make_xz_decompressor(const DecompressionLimits& limits) {
  return std::make_unique<XzDecompressor>(limits);
}

}  // namespace logboom
