// Little-endian bytes of the store's rows: varints, fixed integers, length-prefixed strings, and a closing XXH3 so that
// a row damaged on disk is noticed by whoever reads it (SQLite keeps no checksums of its own).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/hash128.h"
#include "base/result.h"

namespace logboom::logstore::embedded {

class RowWriter {
 public:
  void u8(std::uint8_t value) { bytes_.push_back(static_cast<char>(value)); }
  void u64(std::uint64_t value);      // 8 bytes
  void number(std::uint64_t value);   // LEB128, 1 to 10 bytes
  void time(std::int64_t value);      // 8 bytes
  void hash(const Hash128& value);    // high, low
  void text(std::string_view value);  // number, bytes
  void raw(std::string_view bytes) { bytes_.append(bytes); }
  // The bytes followed by XXH3-64 of them, seeded with `salt` (what the row belongs to), 8 bytes.
  std::string seal(std::uint64_t salt) &&;

 private:
  std::string bytes_;
};

// Reads what RowWriter wrote. Any read beyond the end makes ok() false and gives zeros; nothing is ever read out of
// bounds.
class RowReader {
 public:
  explicit RowReader(std::string_view bytes) : rest_(bytes) {}
  // Checks and removes the seal; kCorrupt when it does not hold.
  static Result<RowReader> open(std::string_view sealed, std::uint64_t salt, std::string_view what);

  std::uint8_t u8();
  std::uint64_t u64();
  std::uint64_t number();
  std::uint32_t number32();
  std::int64_t time() { return static_cast<std::int64_t>(u64()); }
  Hash128 hash();
  std::string_view text();
  // A count of items of at least `least` bytes each; 0 and !ok() when so many cannot follow.
  std::size_t count(std::size_t least);
  bool ok() const { return ok_; }
  std::string_view rest() const { return rest_; }
  // ok and nothing left.
  bool finished() const { return ok_ && rest_.empty(); }

 private:
  std::string_view take(std::size_t size);
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace logboom::logstore::embedded
