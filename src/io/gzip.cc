#include "io/gzip.h"

#include <algorithm>

#include <zlib.h>

namespace logboom {

Result<std::string> gzip(std::string_view bytes, int level) {
  constexpr int kGzipWrapper = 16 + MAX_WBITS;
  z_stream stream{};
  if (deflateInit2(&stream, level, Z_DEFLATED, kGzipWrapper, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    return Error(ErrorCode::kInternal, "cannot compress a request: no memory");
  std::string out(bytes.size() / 4 + 256, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  std::size_t left = bytes.size();
  int state = Z_OK;
  while (state != Z_STREAM_END) {
    constexpr std::size_t kMostAtOnce = 1u << 30;  // zlib counts in 32 bits
    if (stream.avail_in == 0) {
      stream.avail_in = static_cast<uInt>(std::min(left, kMostAtOnce));
      left -= stream.avail_in;
    }
    if (stream.total_out == out.size()) out.resize(out.size() * 2);
    stream.next_out = reinterpret_cast<Bytef*>(out.data()) + stream.total_out;
    stream.avail_out = static_cast<uInt>(std::min(out.size() - stream.total_out, kMostAtOnce));
    state = deflate(&stream, left == 0 ? Z_FINISH : Z_NO_FLUSH);
  }
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

}  // namespace logboom
