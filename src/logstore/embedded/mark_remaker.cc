#include "logstore/embedded/mark_remaker.h"

#include <algorithm>

#include "record/mark_seam.h"

namespace logboom::logstore::embedded {
namespace {

constexpr std::uint64_t kLink = kMaxMarkLink;  // as long as those of collectors
constexpr std::size_t kGuardBytes = 256;

}  // namespace

MarkRemaker::MarkRemaker(std::vector<PrefixMark> marks, bool whole) : old_(std::move(marks)) {
  if (!whole || old_.empty()) return;
  next_ = old_.size();
  marks_ = old_;
  at_ = link_ = old_.back().offset;
  builder_ = MarkBuilder(old_.back().chain);
}

std::uint64_t MarkRemaker::link_end() const {
  const bool known = !broken_ && next_ < old_.size();
  return known ? std::min(link_ + kLink, old_[next_].offset) : link_ + kLink;
}

void MarkRemaker::add(std::string_view bytes) {
  guard_ += bytes.substr(bytes.size() - std::min(bytes.size(), kGuardBytes));
  if (guard_.size() > kGuardBytes) guard_.erase(0, guard_.size() - kGuardBytes);
  while (!bytes.empty()) {
    const std::string_view part = bytes.substr(0, link_end() - at_);
    builder_.add(part);
    at_ += part.size();
    bytes.remove_prefix(part.size());
    if (at_ == link_end()) reach();
  }
}

void MarkRemaker::reach() {
  const bool known = !broken_ && next_ < old_.size() && at_ == old_[next_].offset;
  const bool at_seam = known && (is_seam(old_[next_]) || (next_ > 0 && is_seam(old_[next_ - 1])));
  if (known && !at_seam && builder_.finish() != old_[next_].chain) broken_ = true;
  if (known && !broken_) {
    put(old_[next_++]);
  } else if (at_ - link_ == kLink) {
    put({at_, builder_.finish()});
  }
}

void MarkRemaker::put(const PrefixMark& mark) {
  marks_.push_back(mark);
  link_ = at_;
  builder_ = MarkBuilder(marks_.back().chain);
}

std::vector<PrefixMark> MarkRemaker::finish() {
  if (!broken_ && next_ < old_.size()) {
    // The bytes ended before the chain did: nothing speaks against the rest of it.
    marks_.insert(marks_.end(), old_.begin() + static_cast<std::ptrdiff_t>(next_), old_.end());
  } else if (at_ > link_) {
    put({at_, builder_.finish()});
  }
  return std::move(marks_);
}

}  // namespace logboom::logstore::embedded
