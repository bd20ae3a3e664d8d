#include "logstore/embedded/block/int_packing.h"

#include <algorithm>
#include <bit>

namespace logboom::logstore::embedded {
namespace {

enum Mode : std::uint8_t { kFrame = 0, kDelta = 1 };

unsigned width_of(std::uint64_t all_bits) {
  return static_cast<unsigned>(std::bit_width(all_bits));
}

std::uint64_t frame_value(std::int64_t v, std::int64_t base) {
  return static_cast<std::uint64_t>(v) - static_cast<std::uint64_t>(base);
}

std::uint64_t delta_value(std::int64_t v, std::int64_t previous) {
  return zigzag(static_cast<std::int64_t>(static_cast<std::uint64_t>(v) - static_cast<std::uint64_t>(previous)));
}

std::size_t packed_bytes(std::size_t count, unsigned width) {
  return (count * width + 7) / 8;
}

// Bytes of all groups in both modes.
struct Sizes {
  std::size_t frame = 0;
  std::size_t delta = 0;
};

Sizes measure(const std::int64_t* values, std::size_t count, std::int64_t base) {
  Sizes sizes;
  std::int64_t previous = values[0];
  for (std::size_t at = 0; at < count; at += kPackGroup) {
    const std::size_t n = std::min(kPackGroup, count - at);
    std::uint64_t frame = 0;
    std::uint64_t delta = 0;
    for (std::size_t i = at; i < at + n; ++i) {
      frame |= frame_value(values[i], base);
      delta |= delta_value(values[i], previous);
      previous = values[i];
    }
    sizes.frame += packed_bytes(n, width_of(frame));
    sizes.delta += packed_bytes(n, width_of(delta));
  }
  return sizes;
}

void pack_group(const std::uint64_t* values, std::size_t count, std::string& out) {
  std::uint64_t all = 0;
  for (std::size_t i = 0; i < count; ++i) all |= values[i];
  const unsigned width = width_of(all);
  char buffer[kPackGroup * 8 + 8];
  char* p = buffer;
  std::uint64_t pending = 0;
  unsigned bits = 0;
  for (std::size_t i = 0; i < count && width != 0; ++i) {
    pending |= values[i] << bits;
    if (bits + width >= 64) {
      std::memcpy(p, &pending, 8);
      p += 8;
      pending = bits == 0 ? 0 : values[i] >> (64 - bits);
      bits = bits + width - 64;
    } else {
      bits += width;
    }
  }
  std::memcpy(p, &pending, 8);
  out.push_back(static_cast<char>(width));
  out.append(buffer, packed_bytes(count, width));
}

// Unpacks from at least 8 readable bytes behind each value.
void unpack(const char* p, std::size_t count, unsigned width, std::int64_t* out) {
  const std::uint64_t mask = width == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << width) - 1;
  std::size_t bit = 0;
  if (width <= 56) {
    for (std::size_t i = 0; i < count; ++i, bit += width)
      out[i] = static_cast<std::int64_t>((load64(p + bit / 8) >> (bit % 8)) & mask);
    return;
  }
  for (std::size_t i = 0; i < count; ++i, bit += width) {
    const std::uint64_t low = load64(p + bit / 8) >> (bit % 8);
    const std::uint64_t high = bit % 8 == 0 ? 0 : load64(p + bit / 8 + 8) << (64 - bit % 8);
    out[i] = static_cast<std::int64_t>((low | high) & mask);
  }
}

bool unpack_group(ByteReader& in, std::size_t count, std::int64_t* out) {
  const unsigned width = in.u8();
  if (width > 64) return false;
  const std::string_view bytes = in.raw(packed_bytes(count, width));
  if (!in.ok()) return false;
  if (in.left() >= 16) {  // reading over the end of the group stays inside the section
    unpack(bytes.data(), count, width, out);
    return true;
  }
  char buffer[kPackGroup * 8 + 16] = {};
  std::memcpy(buffer, bytes.data(), bytes.size());
  unpack(buffer, count, width, out);
  return true;
}

}  // namespace

void encode_ints(const std::int64_t* values, std::size_t count, std::string& out) {
  if (count == 0) return;
  ByteWriter writer(out);
  const auto [least, most] = std::minmax_element(values, values + count);
  const std::int64_t base = *least;
  const Sizes sizes = base == *most ? Sizes{} : measure(values, count, base);
  const Mode mode = sizes.delta < sizes.frame ? kDelta : kFrame;
  std::int64_t reference = mode == kDelta ? values[0] : base;
  writer.u8(mode);
  writer.signed_varint(reference);
  std::uint64_t group[kPackGroup];
  for (std::size_t at = 0; at < count; at += kPackGroup) {
    const std::size_t n = std::min(kPackGroup, count - at);
    for (std::size_t i = 0; i < n; ++i) {
      group[i] = mode == kDelta ? delta_value(values[at + i], reference) : frame_value(values[at + i], reference);
      if (mode == kDelta) reference = values[at + i];
    }
    pack_group(group, n, out);
  }
}

bool decode_ints(ByteReader& in, std::size_t count, std::vector<std::int64_t>& out) {
  out.clear();
  if (count == 0) return true;
  if (count / kPackGroup > in.left()) return false;
  const std::uint8_t mode = in.u8();
  std::uint64_t reference = static_cast<std::uint64_t>(in.signed_varint());
  if (!in.ok() || mode > kDelta) return false;
  out.resize(count);
  for (std::size_t at = 0; at < count; at += kPackGroup) {
    if (!unpack_group(in, std::min(kPackGroup, count - at), out.data() + at)) return false;
  }
  if (mode == kFrame) {
    for (std::int64_t& v : out) v = static_cast<std::int64_t>(static_cast<std::uint64_t>(v) + reference);
  } else {
    for (std::int64_t& v : out) {
      reference += static_cast<std::uint64_t>(unzigzag(static_cast<std::uint64_t>(v)));
      v = static_cast<std::int64_t>(reference);
    }
  }
  return true;
}

}  // namespace logboom::logstore::embedded
