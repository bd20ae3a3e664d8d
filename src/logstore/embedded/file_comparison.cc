#include "logstore/embedded/file_comparison.h"

#include <algorithm>

namespace logboom::logstore::embedded {
namespace {

constexpr std::size_t kPiece = 1u << 20;

}  // namespace

Status FileComparison::compare(std::uint64_t offset, std::string_view stored) {
  while (!stored.empty()) {
    const std::string_view part = stored.substr(0, kPiece);
    buffer_.resize(part.size());
    LB_ASSIGN(const std::size_t got, read_(buffer_.data(), part.size(), offset));
    compared_ += part.size();
    const std::string_view there = std::string_view(buffer_).substr(0, got);
    const auto [first, other] = std::mismatch(there.begin(), there.end(), part.begin());
    if (first != there.end() || got < part.size()) {
      const auto last = std::mismatch(there.rbegin(), there.rend(), part.substr(0, got).rbegin()).first;
      const auto begin = static_cast<std::uint64_t>(first - there.begin());
      const auto end = got < part.size() ? part.size() : static_cast<std::uint64_t>(there.rend() - last);
      differing_.add(offset + begin, offset + end);
    }
    offset += part.size();
    stored.remove_prefix(part.size());
  }
  return ok_status();
}

Status FileComparison::compare_expired(std::uint64_t begin, std::uint64_t end, const std::vector<PrefixMark>& marks) {
  MarkCheck check(marks);
  for (std::uint64_t at = begin; at < end;) {
    buffer_.resize(std::min<std::uint64_t>(kPiece, end - at));
    LB_ASSIGN(const std::size_t got, read_(buffer_.data(), buffer_.size(), at));
    check.bytes(at, std::string_view(buffer_).substr(0, got));
    if (got < buffer_.size()) {
      differing_.add(at + got, end);
      end = at + got;
    }
    at += got;
  }
  compared_ += end - begin;
  for (const Interval& link : check.wrong()) differing_.add(link.begin, link.end);
  return ok_status();
}

}  // namespace logboom::logstore::embedded
