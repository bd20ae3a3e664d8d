// Hostile frames of blocks: no crash, no allocation beyond the limit, and what decompresses compresses back.
#include <string_view>

#include "base/check.h"
#include "io/zstd.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kLimit = 1 << 20;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  static_cast<void>(logboom::ZstdDecompressor().decompress(bytes, kLimit));
  logboom::ZstdDecompressor decompressor;
  const auto frame = logboom::ZstdCompressor().compress(bytes);
  LB_CHECK(frame.ok());
  const auto back = decompressor.decompress(*frame, size);
  LB_CHECK(back.ok() && *back == bytes);
  return 0;
}
