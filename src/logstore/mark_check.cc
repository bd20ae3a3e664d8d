#include "logstore/mark_check.h"

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
  if (chain_ && chain_->finish() != marks_[next_].chain) wrong_.push_back({link_begin(), marks_[next_].offset});
  ++next_;
  chain_.emplace(link_chain());
}

void MarkCheck::skip_to(std::uint64_t offset) {
  at_ = offset;
  chain_.reset();
  while (next_ < marks_.size() && marks_[next_].offset <= offset) ++next_;
  if (link_begin() == offset) chain_.emplace(link_chain());
}

}  // namespace logboom::logstore
