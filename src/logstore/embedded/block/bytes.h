// ByteWriter and ByteReader: the primitives of the block format: little-endian fixed integers, LEB128 varints, zigzag,
// byte strings. A reader never runs over its bytes: after the first failure every read gives zeros and ok() is false.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace logboom::logstore::embedded {

static_assert(std::endian::native == std::endian::little, "the block format is read and written in place");

inline std::uint64_t zigzag(std::int64_t v) {
  return (static_cast<std::uint64_t>(v) << 1) ^ static_cast<std::uint64_t>(v >> 63);
}
inline std::int64_t unzigzag(std::uint64_t v) {
  return static_cast<std::int64_t>(v >> 1) ^ -static_cast<std::int64_t>(v & 1);
}

// Eight bytes at p, which need not be aligned.
inline std::uint64_t load64(const char* p) {
  std::uint64_t v;
  std::memcpy(&v, p, 8);
  return v;
}

class ByteWriter {
 public:
  explicit ByteWriter(std::string& out) : out_(out) {}

  void u8(std::uint8_t v) { out_.push_back(static_cast<char>(v)); }
  void u16(std::uint16_t v) { fixed(&v, sizeof v); }
  void u32(std::uint32_t v) { fixed(&v, sizeof v); }
  void u64(std::uint64_t v) { fixed(&v, sizeof v); }
  void varint(std::uint64_t v) {
    char buffer[10];
    int n = 0;
    for (; v >= 0x80; v >>= 7) buffer[n++] = static_cast<char>(v | 0x80);
    buffer[n++] = static_cast<char>(v);
    out_.append(buffer, static_cast<std::size_t>(n));
  }
  void signed_varint(std::int64_t v) { varint(zigzag(v)); }
  void raw(std::string_view bytes) { out_.append(bytes); }
  // Length and bytes.
  void string(std::string_view bytes) {
    varint(bytes.size());
    raw(bytes);
  }
  std::size_t size() const { return out_.size(); }

 private:
  void fixed(const void* p, std::size_t n) { out_.append(static_cast<const char*>(p), n); }
  std::string& out_;
};

class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  bool ok() const { return ok_; }
  std::size_t left() const { return rest_.size(); }
  std::uint8_t u8() { return take_fixed<std::uint8_t>(); }
  std::uint16_t u16() { return take_fixed<std::uint16_t>(); }
  std::uint32_t u32() { return take_fixed<std::uint32_t>(); }
  std::uint64_t u64() { return take_fixed<std::uint64_t>(); }
  std::uint64_t varint() {
    std::uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const std::uint64_t b = u8();
      v |= (b & 0x7f) << shift;
      if (b < 0x80) return v;
    }
    fail();
    return 0;
  }
  // A varint that must not exceed `limit`.
  std::uint64_t varint_at_most(std::uint64_t limit) {
    const std::uint64_t v = varint();
    if (v > limit) fail();
    return ok_ ? v : 0;
  }
  // The number of things that follow, each of at least one byte; bounds what a caller allocates.
  std::size_t count() { return static_cast<std::size_t>(varint_at_most(rest_.size())); }
  std::uint32_t varint32() { return static_cast<std::uint32_t>(varint_at_most(UINT32_MAX)); }
  std::int64_t signed_varint() { return unzigzag(varint()); }
  std::string_view raw(std::uint64_t n) {
    if (n > rest_.size()) {
      fail();
      return {};
    }
    const std::string_view out = rest_.substr(0, static_cast<std::size_t>(n));
    rest_.remove_prefix(static_cast<std::size_t>(n));
    return out;
  }
  std::string_view string() { return raw(varint()); }
  void fail() {
    ok_ = false;
    rest_ = {};
  }

 private:
  template <typename T>
  T take_fixed() {
    if (rest_.size() < sizeof(T)) {
      fail();
      return 0;
    }
    T v;
    std::memcpy(&v, rest_.data(), sizeof(T));
    rest_.remove_prefix(sizeof(T));
    return v;
  }

  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace logboom::logstore::embedded
