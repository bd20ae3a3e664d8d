// The rows of a store file, its list of files and its pages, as a damaged disk may give them. The first byte of the
// input says which; the harness puts the right seal on. What decodes encodes to something that decodes to the same.
#include <functional>
#include <string>
#include <string_view>

#include "base/check.h"
#include "io/hashing.h"
#include "io/memory_file_system.h"
#include "logstore/embedded/codec.h"
#include "logstore/embedded/manifest.h"
#include "logstore/embedded/page_scan.h"
#include "logstore/embedded/parts.h"
#include "logstore/embedded/row_seal.h"
#include "logstore/embedded/store_file.h"
#include "logstore/embedded/stream.h"
#include "record/encoding/batch_encoding.h"

namespace {

using namespace logboom;
using namespace logboom::logstore::embedded;

constexpr std::uint32_t kId = 7;
constexpr ChunkKey kKey{1, kId};

std::string sealed(RowTable table, std::string_view row, std::uint64_t key = kId, std::uint64_t second = 0) {
  RowWriter out;
  out.raw(row);
  return std::move(out).seal(row_salt(table, key, second));
}

// `decode` and `encode` of one kind of row: a fixed point after the first reading.
template <typename Decode, typename Encode>
void check_row(const std::string& row, Decode decode, Encode encode) {
  const auto first = decode(row);
  if (!first.ok()) return;
  const std::string written = encode(*first);
  const auto again = decode(written);
  LB_CHECK(again.ok() && encode(*again) == written);
}

void check_stream(std::string_view row) {
  const auto decoded = decode_stream(kId, sealed(RowTable::kStream, row));
  if (!decoded.ok()) return;
  (void)decoded->stream.held(true);
  (void)decoded->stream.stored_bytes();
  if (decoded->ranges_apart > 0 || decoded->mark_rows > 0) return;
  const std::string written = encode_stream(decoded->stream);
  const auto again = decode_stream(kId, written);
  LB_CHECK(again.ok() && encode_stream(again->stream) == written);
}

void check_chunk(std::string_view row) {
  for (const bool tail : {true, false}) {
    check_row(
        sealed(tail ? RowTable::kTailMeta : RowTable::kBlockMeta, row),
        [&](const std::string& r) { return decode_chunk(kKey, tail, r); },
        [](const ChunkMeta& meta) { return encode_chunk(meta); });
  }
}

void check_ledger(std::string_view row) {
  for (const std::uint64_t begin : {std::uint64_t{0}, std::uint64_t{100}}) {
    check_row(
        sealed(RowTable::kLedger, row, kId, begin), [&](const std::string& r) { return decode_range(kId, begin, r); },
        [](const HeldRange& held) { return encode_range(kId, held); });
  }
}

void check_marks(std::string_view row) {
  const auto marks = decode_marks(kId, 0, sealed(RowTable::kMark, row, kId, 0));
  if (!marks.ok()) return;
  Stream stream;
  (void)stream.add_marks(*marks);
}

void check_names(std::string_view row) {
  check_row(
      sealed(RowTable::kRef, row), [](const std::string& r) { return decode_names(kId, r); },
      [](const SourceNames& names) { return encode_names(names); });
}

void check_quarantine(std::string_view row) {
  check_row(
      sealed(RowTable::kQuarantine, row), [](const std::string& r) { return decode_quarantine(kId, r); },
      [](const logstore::QuarantineEntry& entry) { return encode_quarantine(kId, entry); });
}

void check_small_rows(std::string_view row) {
  check_row(
      sealed(RowTable::kFile, row), [](const std::string& r) { return decode_file(kId, r); },
      [](const FileRecord& record) { return encode_file(record); });
  check_row(
      sealed(RowTable::kAccepted, row, xxh3_64("finding")),
      [](const std::string& r) { return decode_acceptance("finding", r); },
      [](const Acceptance& acceptance) { return encode_acceptance(acceptance); });
  check_row(
      sealed(RowTable::kHead, row, 0), [](const std::string& r) { return decode_head(r); },
      [](const FileHead& head) { return encode_head(head); });
}

void check_tail(std::string_view data) {
  ZstdDecompressor zstd;
  const auto batch = decode_tail(data, zstd);
  if (batch.ok()) LB_CHECK(validate_batch(*batch).ok());
}

void check_manifest(std::string_view row) {
  static MemoryFileSystem files;
  RowWriter out;
  out.raw(row);
  LB_CHECK(replace_file(files, "/store.files", std::move(out).seal(0x7366696c65735f31ULL)).ok());
  const auto manifest = load_manifest(files, "");
  if (!manifest.ok() || !*manifest) return;
  LB_CHECK(save_manifest(files, "", **manifest).ok());
  const auto again = load_manifest(files, "");
  LB_CHECK(again.ok() && *again && (*again)->files == (*manifest)->files);
}

void check_pages(std::string_view bytes) {
  static MemoryFileSystem files;
  auto file = files.open("/logs.db", OpenMode::kCreate);
  LB_CHECK(file.ok() && (*file)->truncate(0).ok() && (*file)->pwrite(bytes.data(), bytes.size(), 0).ok());
  std::size_t given = 0;
  (void)scan_pages(**file, [&](ScannedRow& row) {
    for (const ScannedValue& value : row.values) given += value.bytes.size();
    return ok_status();
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr void (*kChecks[])(std::string_view) = {check_stream,   check_chunk,      check_ledger,     check_marks,
                                                   check_names,    check_quarantine, check_small_rows, check_tail,
                                                   check_manifest, check_pages};
  if (size == 0) return 0;
  kChecks[data[0] % std::size(kChecks)]({reinterpret_cast<const char*>(data + 1), size - 1});
  return 0;
}
