// Little-endian integers, varints and strings in a byte buffer: how logboom's own binary formats are written and read.
// A varint holds seven bits per byte, lowest first, at most ten bytes; signed numbers are folded (0, -1, 1, -2, ...).
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace logboom {

// Writes a varint at `at`, at most ten bytes; the end of it.
inline char* put_varint(char* at, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) *at++ = static_cast<char>(value | 0x80);
  *at++ = static_cast<char>(value);
  return at;
}

inline std::uint64_t folded(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}

class ByteWriter {
 public:
  // Appends to `out`, which it does not own.
  explicit ByteWriter(std::string& out) : out_(out) {}

  void u8(std::uint8_t value) { out_.push_back(static_cast<char>(value)); }
  void u64(std::uint64_t value) {
    char raw[8];
    for (int i = 0; i < 8; ++i) raw[i] = static_cast<char>(value >> (8 * i));
    out_.append(raw, sizeof raw);
  }
  void varint(std::uint64_t value) {
    char raw[10];
    out_.append(raw, static_cast<std::size_t>(put_varint(raw, value) - raw));
  }
  void signed_varint(std::int64_t value) { varint(folded(value)); }
  void bytes(const char* at, std::size_t size) { out_.append(at, size); }
  void string(std::string_view value) {
    varint(value.size());
    out_.append(value);
  }

 private:
  std::string& out_;
};

// Reads what ByteWriter wrote, from bytes it does not own and does not trust. After the first failure every read gives
// zero or empty; failed() names the field that was wrong.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
  bool ok() const { return failed_ == nullptr; }
  // The field that could not be read; nullptr while all is well.
  const char* failed() const { return failed_; }
  void fail(const char* field) {
    if (failed_ == nullptr) failed_ = field;
    at_ = end_;
  }

  std::uint8_t u8(const char* field) {
    if (at_ == end_) return fail(field), std::uint8_t{0};
    return static_cast<std::uint8_t>(*at_++);
  }
  std::uint64_t u64(const char* field) {
    if (left() < 8) return fail(field), 0;
    std::uint64_t value = 0;
    for (int i = 0; i < 8; ++i) value |= static_cast<std::uint64_t>(static_cast<unsigned char>(at_[i])) << (8 * i);
    at_ += 8;
    return value;
  }
  std::uint64_t varint(const char* field) {
    if (at_ != end_ && static_cast<unsigned char>(*at_) < 0x80) return static_cast<unsigned char>(*at_++);
    std::uint64_t value = 0;
    for (unsigned shift = 0; at_ != end_ && shift < 64; shift += 7) {
      const auto byte = static_cast<unsigned char>(*at_++);
      if (shift == 63 && byte > 1) break;
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return fail(field), 0;
  }
  std::int64_t signed_varint(const char* field) {
    const std::uint64_t folded = varint(field);
    return static_cast<std::int64_t>((folded >> 1) ^ (~(folded & 1) + 1));
  }
  // A varint that must not exceed `max`.
  std::uint64_t bounded(const char* field, std::uint64_t max) {
    const std::uint64_t value = varint(field);
    if (value > max) return fail(field), 0;
    return value;
  }
  // A count of items that take at least `item_bytes` each: never more than the bytes that are left can hold.
  std::size_t count(const char* field, std::size_t item_bytes) {
    return static_cast<std::size_t>(bounded(field, left() / item_bytes));
  }
  std::string_view view(const char* field) {
    const std::uint64_t size = varint(field);
    if (size > left()) return fail(field), std::string_view();
    const std::string_view value(at_, static_cast<std::size_t>(size));
    at_ += size;
    return value;
  }
  std::string string(const char* field) { return std::string(view(field)); }

 private:
  const char* at_;
  const char* end_;
  const char* failed_ = nullptr;
};

}  // namespace logboom
