// Bytes that may be a batch: what decodes is valid and encodes to the same bytes again. The checksum is mended first,
// or the fuzzer would never get past it.
#include <string>
#include <string_view>

#include "base/check.h"
#include "record/encoding/batch_encoding.h"
#include "sealed.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace logboom;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  (void)decode_batch(input);
  if (size < 24) return 0;
  const auto batch = decode_batch(fuzz::sealed_batch(input.substr(24)));
  if (!batch.ok()) return 0;
  LB_CHECK(validate_batch(*batch).ok());
  const auto again = decode_batch(encode_batch(*batch));
  LB_CHECK(again.ok());
  LB_CHECK(encode_batch(*again) == encode_batch(*batch));
  return 0;
}
