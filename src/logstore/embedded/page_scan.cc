#include "logstore/embedded/page_scan.h"

#include <algorithm>

namespace logboom::logstore::embedded {
namespace {

constexpr std::uint32_t kDefaultPage = 16384;
constexpr std::uint64_t kMaxPayload = 1u << 30;
constexpr std::uint8_t kTableLeaf = 0x0d;
constexpr std::uint8_t kIndexLeaf = 0x0a;
constexpr std::uint8_t kIndexInterior = 0x02;

std::uint64_t big_endian(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

// SQLite's varint; false beyond the end.
bool varint(std::string_view bytes, std::size_t& at, std::uint64_t& value) {
  value = 0;
  for (int i = 0; i < 9; ++i) {
    if (at >= bytes.size()) return false;
    const auto byte = static_cast<unsigned char>(bytes[at++]);
    if (i == 8) {
      value = value << 8 | byte;
      return true;
    }
    value = value << 7 | (byte & 0x7fu);
    if ((byte & 0x80) == 0) return true;
  }
  return false;
}

// The size of a value by its serial type; integers come out in `width`.
std::uint64_t value_size(std::uint64_t type) {
  constexpr std::uint64_t kSizes[] = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0};
  return type < 12 ? kSizes[type] : (type - 12) / 2;
}

std::int64_t signed_value(std::string_view bytes, std::size_t at, std::size_t size) {
  if (size == 0) return 0;
  const std::uint64_t value = big_endian(bytes, at, size);
  const unsigned shift = 64 - 8 * static_cast<unsigned>(size);
  return static_cast<std::int64_t>(value << shift) >> shift;
}

bool parse_record(std::string_view payload, std::vector<ScannedValue>& values) {
  std::size_t at = 0;
  std::uint64_t header = 0;
  if (!varint(payload, at, header) || header > payload.size() || header < at) return false;
  std::size_t body = header;
  while (at < header) {
    std::uint64_t type = 0;
    if (!varint(payload, at, type) || at > header) return false;
    const std::uint64_t size = value_size(type);
    if (size > payload.size() - body) return false;
    ScannedValue value;
    value.is_bytes = type >= 12;
    if (value.is_bytes) {
      value.bytes = payload.substr(body, size);
    } else {
      value.number = type == 9 ? 1 : signed_value(payload, body, size);
    }
    values.push_back(std::move(value));
    body += size;
  }
  return !values.empty();
}

class Scanner {
 public:
  Scanner(File& file, std::uint64_t size, std::uint32_t page_size, std::uint32_t reserved)
      : file_(file), pages_(size / page_size), page_size_(page_size), usable_(page_size - reserved) {}

  Status run(const std::function<Status(ScannedRow&)>& visit) {
    std::string page;
    for (std::uint64_t number = 1; number <= pages_; ++number) {
      if (!read_page(number, page)) continue;
      LB_TRY(scan_page(page, number == 1 ? 100 : 0, visit));
    }
    return ok_status();
  }

 private:
  bool read_page(std::uint64_t number, std::string& page) {
    if (number == 0 || number > pages_) return false;
    page.resize(page_size_);
    const Result<std::size_t> got = file_.pread(page.data(), page_size_, (number - 1) * page_size_);
    return got.ok() && *got == page_size_;
  }

  Status scan_page(std::string_view page, std::size_t start, const std::function<Status(ScannedRow&)>& visit) {
    const auto type = static_cast<std::uint8_t>(page[start]);
    if (type != kTableLeaf && type != kIndexLeaf && type != kIndexInterior) return ok_status();
    const std::size_t pointers = start + (type == kIndexInterior ? 12 : 8);
    const std::uint64_t cells = std::min<std::uint64_t>(big_endian(page, start + 3, 2), (usable_ - pointers) / 2);
    for (std::uint64_t i = 0; i < cells; ++i) {
      ScannedRow row;
      if (read_cell(page, big_endian(page, pointers + 2 * i, 2), type, row)) LB_TRY(visit(row));
    }
    return ok_status();
  }

  bool read_cell(std::string_view page, std::uint64_t place, std::uint8_t type, ScannedRow& row) {
    std::size_t at = place + (type == kIndexInterior ? 4 : 0);
    std::uint64_t size = 0;
    std::uint64_t rowid = 0;
    if (at >= usable_ || !varint(page, at, size) || size == 0 || size > kMaxPayload) return false;
    row.has_rowid = type == kTableLeaf;
    if (row.has_rowid && !varint(page, at, rowid)) return false;
    row.rowid = static_cast<std::int64_t>(rowid);
    std::string payload;
    return read_payload(page, at, size, row.has_rowid, payload) && parse_record(payload, row.values);
  }

  // The local part, then the chain of overflow pages.
  bool read_payload(std::string_view page, std::size_t at, std::uint64_t size, bool table, std::string& payload) {
    const std::uint64_t most = table ? usable_ - 35 : (usable_ - 12) * 64 / 255 - 23;
    const std::uint64_t least = (usable_ - 12) * 32 / 255 - 23;
    std::uint64_t local = size;
    if (size > most) {
      local = least + (size - least) % (usable_ - 4);
      if (local > most) local = least;
    }
    if (at + local + (local < size ? 4 : 0) > usable_) return false;
    if (size > (pages_ + 1) * page_size_) return false;
    payload.assign(page.substr(at, local));
    std::uint64_t next = local < size ? big_endian(page, at + local, 4) : 0;
    std::string overflow;
    while (payload.size() < size) {
      if (!read_page(next, overflow)) return false;
      payload.append(overflow, 4, std::min<std::uint64_t>(usable_ - 4, size - payload.size()));
      next = big_endian(overflow, 0, 4);
    }
    return true;
  }

  File& file_;
  const std::uint64_t pages_;
  const std::uint32_t page_size_;
  const std::uint32_t usable_;
};

}  // namespace

Status scan_pages(File& file, const std::function<Status(ScannedRow&)>& visit) {
  LB_ASSIGN(const FileStat stat, file.stat());
  std::string head(100, '\0');
  LB_ASSIGN(const std::size_t got, file.pread(head.data(), head.size(), 0));
  std::uint32_t page_size = static_cast<std::uint32_t>(big_endian(head, 16, 2));
  std::uint32_t reserved = static_cast<unsigned char>(head[20]);
  if (page_size == 1) page_size = 65536;
  const bool known = got == head.size() && page_size >= 512 && (page_size & (page_size - 1)) == 0 && reserved < 64;
  if (!known) {
    page_size = kDefaultPage;
    reserved = 0;
  }
  return Scanner(file, stat.size, page_size, reserved).run(visit);
}

}  // namespace logboom::logstore::embedded
