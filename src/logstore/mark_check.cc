#include "logstore/mark_check.h"

#include "record/mark_seam.h"

namespace logboom::logstore {

void MarkCheck::bytes(std::uint64_t offset, std::string_view bytes) {
  if (offset != at_) skip_to(offset);
  while (!bytes.empty() && next_ < marks_.size()) {
    const std::uint64_t room = marks_[next_].offset - at_;
    const std::string_view part = bytes.substr(0, room);
    if (chain_) chain_->add(part);
    at_ += part.size();
    bytes.remove_prefix(part.size());
    if (at_ == marks_[next_].offset) reach_mark();
  }
  at_ += bytes.size();
}

void MarkCheck::reach_mark() {
  const PrefixMark& mark = marks_[next_];
  if (chain_ && is_comparable(before(), mark) && chain_->finish() != mark.chain)
    wrong_.push_back({before().offset, mark.offset});
  ++next_;
  chain_.emplace(before().chain);
}

void MarkCheck::skip_to(std::uint64_t offset) {
  at_ = offset;
  chain_.reset();
  while (next_ < marks_.size() && marks_[next_].offset <= offset) ++next_;
  if (before().offset == offset) chain_.emplace(before().chain);
}

}  // namespace logboom::logstore
