#include "source/file/identity/likeness.h"

#include <algorithm>
#include <string>

namespace logboom::source {
namespace {

constexpr std::size_t kBuffer = 256u << 10;

Result<bool> same_bytes(Content& a, Content& b, std::uint64_t from, std::uint64_t to) {
  std::string left(kBuffer, '\0');
  std::string right(kBuffer, '\0');
  while (from < to) {
    const std::size_t want = std::min<std::uint64_t>(kBuffer, to - from);
    LB_ASSIGN(const std::size_t got, a.read(left.data(), want, from));
    LB_ASSIGN(const std::size_t other, b.read(right.data(), want, from));
    if (got != want || other != want || left.compare(0, want, right, 0, want) != 0) return false;
    from += want;
  }
  return true;
}

// The bytes between the last mark and the position, by the running digest where there is one, and the guard.
Result<bool> end_holds(Content& content, const Reference& reference) {
  const MarkChain& chain = reference.chain;
  if (chain.end() == reference.position && chain.end() > chain.last_mark()) {
    MarkChain again(chain.marks());
    std::string bytes(chain.end() - chain.last_mark(), '\0');
    LB_ASSIGN(const std::size_t got, content.read(bytes.data(), bytes.size(), chain.last_mark()));
    if (got != bytes.size()) return false;
    again.add(bytes);
    if (again.now() != chain.now()) return false;
  }
  if (reference.guard.size() > reference.position) return false;
  std::string there(reference.guard.size(), '\0');
  LB_ASSIGN(const std::size_t got, content.read(there.data(), there.size(), reference.position - there.size()));
  return got == there.size() && there == reference.guard;
}

}  // namespace

Result<Likeness> likeness(Content& content, std::uint64_t size, const Reference& reference) {
  const std::uint64_t both = std::min(size, reference.position);
  if (both == 0) return Likeness::kNone;
  const auto marks = reference.chain.inside(0, both);
  const std::uint64_t expected = marks.empty() ? 0 : marks.back().offset;
  LB_ASSIGN(const std::uint64_t held, verified_prefix(content, reference.chain, both));
  if (held != expected) return Likeness::kNone;
  if (size >= reference.position) {
    // What lies before the position was never read (a gap), and may stand in this file only.
    if (expected < reference.position && reference.guard.empty()) return Likeness::kNone;
    LB_ASSIGN(const bool holds, end_holds(content, reference));
    return holds ? Likeness::kContinues : Likeness::kNone;
  }
  // What stands behind the last mark cannot be compared here. Files of many generations begin with the same line: at
  // least half of it must be the same.
  if (reference.live == nullptr) return expected < size - expected ? Likeness::kNone : Likeness::kPrefix;
  LB_ASSIGN(const bool same, same_bytes(content, *reference.live, expected, both));
  return same ? Likeness::kPrefix : Likeness::kNone;
}

}  // namespace logboom::source
