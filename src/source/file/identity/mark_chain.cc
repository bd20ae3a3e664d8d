#include "source/file/identity/mark_chain.h"

#include <algorithm>

namespace logboom::source {
namespace {

constexpr std::size_t kVerifyBuffer = 256u << 10;

Hash128 skipped_link(const Hash128& previous, std::uint64_t length) {
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>(length >> (8 * i));
  return chain_mark(previous, bytes);
}

// Whether the bytes between two marks are those the second one stands for.
Result<bool> link_holds(Content& content, const PrefixMark& from, const PrefixMark& to, std::string& buffer) {
  if (to.offset - from.offset > kMaxLink) return skipped_link(from.chain, to.offset - from.offset) == to.chain;
  MarkBuilder builder(from.chain);
  for (std::uint64_t at = from.offset; at < to.offset;) {
    const std::size_t want = std::min<std::uint64_t>(buffer.size(), to.offset - at);
    LB_ASSIGN(const std::size_t got, content.read(buffer.data(), want, at));
    if (got == 0) return false;
    builder.add(std::string_view(buffer.data(), got));
    at += got;
  }
  return builder.finish() == to.chain;
}

}  // namespace

MarkChain::MarkChain() : builder_(Hash128{}) {}

MarkChain::MarkChain(std::vector<PrefixMark> marks, std::uint64_t inherited, std::size_t forgotten)
    : marks_(std::move(marks)),
      end_(last_mark()),
      forgotten_(forgotten),
      inherited_(inherited),
      builder_(marks_.empty() ? Hash128{} : marks_.back().chain) {
  if (marks_.size() > kFirstMarks + 2 * kLastMarks) keep(kFirstMarks, kLastMarks);
}

void MarkChain::set_mark() {
  marks_.push_back(now());
  builder_ = MarkBuilder(marks_.back().chain);
  if (marks_.size() > kFirstMarks + 2 * kLastMarks) keep(kFirstMarks, kLastMarks);
}

void MarkChain::keep(std::size_t first, std::size_t last) {
  if (forgotten_ != 0) first = std::min(first, forgotten_);
  if (marks_.size() <= first + last) return;
  marks_.erase(marks_.begin() + static_cast<std::ptrdiff_t>(first), marks_.end() - static_cast<std::ptrdiff_t>(last));
  forgotten_ = first;
}

void MarkChain::shrink() {
  keep(8, 8);
  marks_.shrink_to_fit();
}

void MarkChain::add(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t take = std::min<std::uint64_t>(bytes.size(), kMaxLink - (end_ - last_mark()));
    builder_.add(bytes.substr(0, take));
    bytes.remove_prefix(take);
    end_ += take;
    if (end_ - last_mark() == kMaxLink) set_mark();
  }
}

void MarkChain::skip(std::uint64_t length) {
  if (end_ != last_mark()) set_mark();
  const Hash128 previous = marks_.empty() ? Hash128{} : marks_.back().chain;
  end_ += length;
  marks_.push_back({end_, skipped_link(previous, length)});
  builder_ = MarkBuilder(marks_.back().chain);
  if (marks_.size() > kFirstMarks + 2 * kLastMarks) keep(kFirstMarks, kLastMarks);
}

void MarkChain::commit_point() {
  if (end_ == last_mark()) return;
  if (end_ - last_mark() >= last_mark() / 64) set_mark();
}

std::vector<PrefixMark> MarkChain::inside(std::uint64_t begin, std::uint64_t end) const {
  const auto behind = [](std::uint64_t offset, const PrefixMark& mark) { return offset < mark.offset; };
  const auto first = std::upper_bound(marks_.begin(), marks_.end(), begin, behind);
  const auto last = std::upper_bound(first, marks_.end(), end, behind);
  return {first, last};
}

Result<std::uint64_t> verified_prefix(Content& content, const MarkChain& chain, std::uint64_t limit) {
  std::string buffer(kVerifyBuffer, '\0');
  const auto& marks = chain.marks();
  const auto end = std::upper_bound(marks.begin(), marks.end(), limit,
                                    [](std::uint64_t offset, const PrefixMark& mark) { return offset < mark.offset; });
  const std::uint64_t last = end == marks.begin() ? 0 : std::prev(end)->offset;
  PrefixMark previous;
  std::uint64_t held = 0;
  for (auto mark = marks.begin(); mark != end; previous = *mark, ++mark) {
    const bool in_middle = mark->offset > kVerifyBytes / 2 && last - mark->offset > kVerifyBytes / 2;
    const bool forgotten =
        (chain.forgotten() != 0 && mark - marks.begin() == static_cast<std::ptrdiff_t>(chain.forgotten())) ||
        (mark->offset <= chain.inherited() && mark->offset - previous.offset > kMaxLink);
    const bool at_seam = is_seam(*mark) || (previous.offset > 0 && is_seam(previous));
    if (!in_middle && !forgotten && !at_seam) {
      LB_ASSIGN(const bool holds, link_holds(content, previous, *mark, buffer));
      if (!holds) return held;
    }
    held = mark->offset;
  }
  return held;
}

}  // namespace logboom::source
