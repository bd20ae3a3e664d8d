#include "logstore/embedded/codec.h"

#include <fmt/format.h>

#include "io/hashing.h"

namespace logboom::logstore::embedded {
namespace {

constexpr std::size_t kSealBytes = 8;

std::uint64_t load_u64(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i) value |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  return value;
}

}  // namespace

void RowWriter::u64(std::uint64_t value) {
  for (int i = 0; i < 8; ++i) u8(static_cast<std::uint8_t>(value >> (8 * i)));
}

void RowWriter::number(std::uint64_t value) {
  while (value >= 0x80) {
    u8(static_cast<std::uint8_t>(value | 0x80));
    value >>= 7;
  }
  u8(static_cast<std::uint8_t>(value));
}

void RowWriter::time(std::int64_t value) {
  u64(static_cast<std::uint64_t>(value));
}

void RowWriter::hash(const Hash128& value) {
  u64(value.high);
  u64(value.low);
}

void RowWriter::text(std::string_view value) {
  number(value.size());
  bytes_.append(value);
}

std::string RowWriter::seal(std::uint64_t salt) && {
  u64(xxh3_64(bytes_, salt));
  return std::move(bytes_);
}

Result<RowReader> RowReader::open(std::string_view sealed, std::uint64_t salt, std::string_view what) {
  if (sealed.size() >= kSealBytes) {
    const std::string_view bytes = sealed.substr(0, sealed.size() - kSealBytes);
    if (xxh3_64(bytes, salt) == load_u64(sealed.substr(bytes.size()))) return RowReader(bytes);
  }
  return Error(ErrorCode::kCorrupt, fmt::format("cannot read {}: its checksum does not hold", what));
}

std::string_view RowReader::take(std::size_t size) {
  if (!ok_ || size > rest_.size()) {
    ok_ = false;
    rest_ = {};
    return {};
  }
  const std::string_view taken = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return taken;
}

std::uint8_t RowReader::u8() {
  const std::string_view byte = take(1);
  return byte.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(byte[0]);
}

std::uint64_t RowReader::u64() {
  const std::string_view bytes = take(8);
  return bytes.empty() ? 0 : load_u64(bytes);
}

std::uint64_t RowReader::number() {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const std::uint8_t byte = u8();
    value |= std::uint64_t{byte & 0x7fu} << shift;
    if ((byte & 0x80) == 0) return value;
  }
  ok_ = false;
  return 0;
}

std::uint32_t RowReader::number32() {
  const std::uint64_t value = number();
  if (value > UINT32_MAX) ok_ = false;
  return static_cast<std::uint32_t>(value);
}

Hash128 RowReader::hash() {
  Hash128 value;
  value.high = u64();
  value.low = u64();
  return value;
}

std::string_view RowReader::text() {
  const std::uint64_t size = number();
  return size > rest_.size() ? take(SIZE_MAX) : take(size);
}

std::size_t RowReader::count(std::size_t least) {
  const std::uint64_t items = number();
  if (items <= rest_.size() / least) return items;
  ok_ = false;
  return 0;
}

}  // namespace logboom::logstore::embedded
