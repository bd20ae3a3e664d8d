#include "metricstore/embedded/row_seal.h"

#include <fmt/format.h>

#include "io/hashing.h"
#include "record/encoding/byte_stream.h"

namespace logboom::metricstore::embedded {
namespace {

constexpr std::size_t kSealBytes = 8;
constexpr const char* kNames[] = {"?", "head", "host", "field", "series", "recent", "chunk"};

std::uint64_t seed_of(RowTable table, std::uint64_t key) {
  return static_cast<std::uint64_t>(table) << 56 ^ key * 0x9e3779b97f4a7c15ULL;
}

}  // namespace

void seal_row(RowTable table, std::uint64_t key, std::string& row) {
  const std::uint64_t seal = xxh3_64(row, seed_of(table, key));
  ByteWriter(row).u64(seal);
}

Result<std::string_view> unseal_row(RowTable table, std::uint64_t key, std::string_view sealed) {
  if (sealed.size() >= kSealBytes) {
    const std::string_view row = sealed.substr(0, sealed.size() - kSealBytes);
    ByteReader in(sealed.substr(row.size()));
    if (in.u64("seal") == xxh3_64(row, seed_of(table, key))) return row;
  }
  return Error(ErrorCode::kCorrupt,
               fmt::format("cannot read row {} of table {} of the metric store: its checksum is wrong", key,
                           kNames[static_cast<std::size_t>(table)]));
}

}  // namespace logboom::metricstore::embedded
