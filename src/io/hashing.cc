#include "io/hashing.h"

#include <array>

#include <xxhash.h>
#if defined(__x86_64__) && __has_include(<xxh_x86dispatch.h>)
#include <xxh_x86dispatch.h>  // the same functions, with the vectors this processor has
#endif

#include "base/check.h"

namespace logboom {
namespace {

void put_little_endian(std::uint64_t value, unsigned char* to) {
  for (int i = 0; i < 8; ++i) to[i] = static_cast<unsigned char>(value >> (8 * i));
}

std::array<unsigned char, 16> mark_bytes(const Hash128& mark) {
  std::array<unsigned char, 16> bytes{};
  put_little_endian(mark.high, bytes.data());
  put_little_endian(mark.low, bytes.data() + 8);
  return bytes;
}

Hash128 to_hash(const XXH128_hash_t& hash) {
  return {hash.high64, hash.low64};
}

}  // namespace

std::uint64_t xxh3_64(std::string_view bytes, std::uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

Hash128 xxh3_128(std::string_view bytes) {
  return to_hash(XXH3_128bits(bytes.data(), bytes.size()));
}

Hash128 chain_mark(const Hash128& previous, std::string_view bytes) {
  MarkBuilder builder(previous);
  builder.add(bytes);
  return builder.finish();
}

struct MarkBuilder::State {
  State() : xxh(XXH3_createState()) { LB_CHECK(xxh != nullptr); }
  ~State() { XXH3_freeState(xxh); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  XXH3_state_t* xxh;
};

MarkBuilder::MarkBuilder(const Hash128& previous) : state_(std::make_unique<State>()) {
  LB_CHECK(XXH3_128bits_reset(state_->xxh) == XXH_OK);
  const auto head = mark_bytes(previous);
  LB_CHECK(XXH3_128bits_update(state_->xxh, head.data(), head.size()) == XXH_OK);
}

MarkBuilder::~MarkBuilder() = default;
MarkBuilder::MarkBuilder(MarkBuilder&&) noexcept = default;
MarkBuilder& MarkBuilder::operator=(MarkBuilder&&) noexcept = default;

void MarkBuilder::add(std::string_view bytes) {
  LB_CHECK(XXH3_128bits_update(state_->xxh, bytes.data(), bytes.size()) == XXH_OK);
}

Hash128 MarkBuilder::finish() const {
  return to_hash(XXH3_128bits_digest(state_->xxh));
}

}  // namespace logboom
