#include "logstore/embedded/block/section_streams.h"

namespace logboom::logstore::embedded {

std::string& SectionStreams::open(SectionKind kind) {
  Used& used = used_[static_cast<std::size_t>(kind)];
  if (used.count == 0 || used.sections[used.count - 1].size() >= kFullSection) {
    if (used.count == used.sections.size()) used.sections.emplace_back();
    used.sections[used.count++].clear();
  }
  std::string& section = used.sections[used.count - 1];
  used.opened_at = section.size();
  return section;
}

void SectionStreams::close(SectionKind kind, StreamRef& ref) {
  const Used& used = this->used(kind);
  ref.ordinal = static_cast<std::uint32_t>(used.count - 1);
  ref.offset = static_cast<std::uint32_t>(used.opened_at);
  ref.size = static_cast<std::uint32_t>(used.sections[used.count - 1].size() - used.opened_at);
}

void SectionStreams::clear() {
  for (Used& used : used_) used.count = 0;
}

}  // namespace logboom::logstore::embedded
