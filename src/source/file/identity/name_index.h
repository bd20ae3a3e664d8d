// NameIndex: which sources lately had which name: where to look for what a file of some name may be a copy of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "record/batch.h"

namespace logboom::source {

// Not thread-safe. Bound: kPerName ids for each name that any source had, about 300 bytes per source.
class NameIndex {
 public:
  // Of sources that had the same name one after the other, the latest so many are found: numbered rotation gives every
  // generation the same names.
  static constexpr std::size_t kPerName = 64;

  // The source has this path now.
  void add(const SourceId& id, std::string_view path);
  // Sources whose names a file of this path may have been copied from: the nearest names first, of each the latest
  // first; none twice. `any_folder`: the copies of other folders come to its folder. Names may be confused with one
  // another (they are kept as hashes): the caller compares them.
  std::vector<SourceId> originals_of(std::string_view path, bool any_folder) const;
  // Forgets all others.
  void keep_only(const std::function<bool(const SourceId&)>& kept);

 private:
  using Index = std::unordered_map<std::uint64_t, std::vector<SourceId>>;

  Index names_;  // by name, and by folder and name
  Index stems_;  // the same without the last number; plain files only
};

}  // namespace logboom::source
