// Bytes that may be a delivery, its outcomes or an account of known sources: what decodes encodes to something that
// decodes to the same.
#include <string>
#include <string_view>

#include "base/check.h"
#include "record/encoding/delivery.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace logboom;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  (void)decode_delivery(input);
  if (const auto outcomes = decode_outcomes(input); outcomes.ok()) {
    const auto again = decode_outcomes(encode_outcomes(*outcomes));
    LB_CHECK(again.ok() && encode_outcomes(*again) == encode_outcomes(*outcomes));
  }
  if (const auto known = decode_known_sources(input); known.ok()) {
    const auto again = decode_known_sources(encode_known_sources(*known));
    LB_CHECK(again.ok() && encode_known_sources(*again) == encode_known_sources(*known));
  }
  return 0;
}
