#include "agent/sample_ring.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include <fmt/format.h>

#include "base/log.h"
#include "io/hashing.h"

namespace logboom::agent {
namespace {

// "LBSR", the version, then entries: size of what follows the head, XXH3-64 of it, and it.
constexpr std::string_view kMagic{"LBSR\x01", 5};
constexpr std::size_t kEntryHead = 12;
constexpr std::size_t kMostEntry = 16u << 20;  // packed and unpacked
constexpr std::string_view kEnding = ".samples";

void put_number(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
}

std::uint64_t get_number(const char* at, int bytes) {
  std::uint64_t value = 0;
  for (int i = 0; i < bytes; ++i) value |= std::uint64_t{static_cast<unsigned char>(at[i])} << (8 * i);
  return value;
}

std::optional<std::uint64_t> segment_number(const std::string& name) {
  std::uint64_t number = 0;
  const char* const end = name.data() + name.size() - std::min(name.size(), kEnding.size());
  const auto [at, error] = std::from_chars(name.data(), end, number);
  if (!name.ends_with(kEnding) || error != std::errc() || at != end) return std::nullopt;
  return number;
}

}  // namespace

Result<std::unique_ptr<SampleRing>> SampleRing::open(SampleRingOptions options, FileSystem& files) {
  LB_TRY(files.create_directories(options.directory));
  std::unique_ptr<SampleRing> ring(new SampleRing(std::move(options), files));
  LB_TRY(ring->load());
  return ring;
}

// Files of an earlier run are read, none is written to again: its end may be torn.
Status SampleRing::load() {
  LB_ASSIGN(const auto entries, files_.list(options_.directory));
  std::vector<std::uint64_t> numbers;
  for (const DirectoryEntry& entry : entries) {
    if (const auto number = segment_number(entry.name)) numbers.push_back(*number);
  }
  std::ranges::sort(numbers);
  // Numbers in between that are missing have been acknowledged: segments are counted anew.
  for (const std::uint64_t number : numbers) {
    const std::string path = fmt::format("{}/{:012}{}", options_.directory, number, kEnding);
    if (Status loaded = load_segment(first_segment_ + segments_.size(), path); !loaded.ok()) {
      log_warn("samples of before are lost: {}", loaded.error().message());
      ++dropped_;
      LB_TRY(files_.unlink(path));
    }
  }
  next_name_ = numbers.empty() ? 1 : numbers.back() + 1;
  while (bytes_ > options_.bytes && !segments_.empty()) drop_first_segment();
  tidy();
  return ok_status();
}

Status SampleRing::load_segment(std::uint64_t number, const std::string& path) {
  LB_ASSIGN(const std::string bytes, read_file(files_, path, options_.file_bytes + 2 * kMostEntry));
  Segment loaded;
  loaded.path = path;
  LB_ASSIGN(loaded.file, files_.open(path, OpenMode::kRead));
  loaded.size = bytes.size();
  std::size_t at = std::string_view(bytes).starts_with(kMagic) ? kMagic.size() : bytes.size();
  while (at + kEntryHead <= bytes.size()) {
    const std::uint64_t size = get_number(bytes.data() + at, 4);
    if (size > kMostEntry || size > bytes.size() - at - kEntryHead || places_.size() >= options_.entries) break;
    const std::string_view entry(bytes.data() + at + kEntryHead, size);
    if (xxh3_64(entry) != get_number(bytes.data() + at + 4, 8)) break;  // what follows cannot be found
    places_.push_back({number, at + kEntryHead, static_cast<std::uint32_t>(size), false});
    ++loaded.waiting;
    at += kEntryHead + size;
  }
  if (at < bytes.size()) {
    ++dropped_;
    log_warn("{}: {} bytes at its end are damaged and left out", path, bytes.size() - at);
  }
  bytes_ += loaded.size;
  waiting_ += loaded.waiting;
  segments_.push_back(std::move(loaded));
  return ok_status();
}

Status SampleRing::begin_segment() {
  Segment fresh;
  fresh.path = fmt::format("{}/{:012}{}", options_.directory, next_name_, kEnding);
  LB_ASSIGN(fresh.file, files_.open(fresh.path, OpenMode::kCreateNew));
  ++next_name_;
  LB_TRY(fresh.file->pwrite(kMagic.data(), kMagic.size(), 0));
  fresh.size = kMagic.size();
  bytes_ += fresh.size;
  segments_.push_back(std::move(fresh));
  writable_ = true;
  return ok_status();
}

Result<std::uint64_t> SampleRing::push(std::string_view text) {
  LB_ASSIGN(const std::string packed, compressor_.compress(text));
  if (packed.size() > kMostEntry || text.size() > kMostEntry)
    return Error(ErrorCode::kFull, fmt::format("cannot keep samples: they take {} bytes", text.size()));
  std::string entry;
  put_number(entry, packed.size(), 4);
  put_number(entry, xxh3_64(packed), 8);
  entry += packed;
  if (!writable_ || segments_.back().size + entry.size() > options_.file_bytes) LB_TRY(begin_segment());
  while (segments_.size() > 1 && (bytes_ + entry.size() > options_.bytes || places_.size() >= options_.entries))
    drop_first_segment();
  Segment& last = segments_.back();
  if (Status written = last.file->pwrite(entry.data(), entry.size(), last.size); !written.ok()) {
    writable_ = false;  // what stands at its end is not known
    return std::move(written).error();
  }
  places_.push_back({first_segment_ + segments_.size() - 1, last.size + kEntryHead,
                     static_cast<std::uint32_t>(packed.size()), false});
  last.size += entry.size();
  ++last.waiting;
  bytes_ += entry.size();
  ++waiting_;
  return first_place_ + places_.size() - 1;
}

std::optional<SampleRing::Entry> SampleRing::next(std::uint64_t number) {
  for (number = std::max(number, first_place_); number < first_place_ + places_.size(); ++number) {
    if (places_[number - first_place_].acknowledged) continue;
    if (auto text = read(places_[number - first_place_])) return Entry{number, std::move(*text)};
    ++dropped_;
    acknowledge(number);
  }
  return std::nullopt;
}

std::optional<std::string> SampleRing::read(const Place& place) {
  Segment& from = segment(place.segment);
  std::string packed(place.size, '\0');
  const auto got = from.file->pread(packed.data(), packed.size(), place.offset);
  const auto text = got.ok() && *got == packed.size()
                        ? decompressor_.decompress(packed, kMostEntry)
                        : Result<std::string>(Error(ErrorCode::kIo, "it cannot be read whole"));
  if (text.ok()) return *text;
  log_warn("{}: samples are lost: {}", from.path, text.error().message());
  return std::nullopt;
}

void SampleRing::acknowledge(std::uint64_t number) {
  if (number < first_place_ || number >= first_place_ + places_.size()) return;
  Place& place = places_[number - first_place_];
  if (std::exchange(place.acknowledged, true)) return;
  --segment(place.segment).waiting;
  --waiting_;
  tidy();
}

// Forgets what is acknowledged at the front, and empties or removes the files it was in.
void SampleRing::tidy() {
  while (!places_.empty() && places_.front().acknowledged) forget_first();
  while (segments_.size() > 1 && segments_.front().waiting == 0) drop_first_segment();
  if (segments_.empty() || waiting_ > 0 || !writable_ || segments_.back().size <= kMagic.size()) return;
  Segment& last = segments_.back();
  if (!last.file->truncate(kMagic.size()).ok()) return;  // it is read again after the next start, which does no harm
  bytes_ -= last.size - kMagic.size();
  last.size = kMagic.size();
}

void SampleRing::forget_first() {
  places_.pop_front();
  ++first_place_;
}

void SampleRing::drop_first_segment() {
  while (!places_.empty() && places_.front().segment == first_segment_) {
    if (!places_.front().acknowledged) {
      ++dropped_;
      --waiting_;
    }
    forget_first();
  }
  Segment& first = segments_.front();
  bytes_ -= first.size;
  if (Status gone = files_.unlink(first.path); !gone.ok()) log_warn("{}", gone.error().message());
  segments_.pop_front();
  ++first_segment_;
  if (segments_.empty()) writable_ = false;
}

}  // namespace logboom::agent
