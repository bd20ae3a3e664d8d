#include "source/file/identity/name_index.h"

#include <algorithm>
#include <string>

#include "io/hashing.h"
#include "source/file/identity/identity.h"
#include "source/file/match/rule_matcher.h"

namespace logboom::source {
namespace {

// Without a folder: a name in any.
std::uint64_t key_of(std::string_view folder, std::string_view name) {
  return xxh3_64(name, xxh3_64(folder));
}

void put_last(std::vector<SourceId>& ids, const SourceId& id) {
  const auto known = std::find(ids.begin(), ids.end(), id);
  if (known != ids.end()) {
    std::rotate(known, known + 1, ids.end());
    return;
  }
  if (ids.size() == NameIndex::kPerName) ids.erase(ids.begin());
  ids.push_back(id);
}

}  // namespace

void NameIndex::add(const SourceId& id, std::string_view path) {
  const std::string_view name = name_of(path);
  for (const std::string_view folder : {folder_of(path), std::string_view()}) {
    put_last(names_[key_of(folder, plain_name(name))], id);
    if (compression_of(name) == Compression::kNone) put_last(stems_[key_of(folder, without_last_number(name))], id);
  }
}

std::vector<SourceId> NameIndex::originals_of(std::string_view path, bool any_folder) const {
  const std::string_view name = name_of(path);
  const std::string_view folder = any_folder ? std::string_view() : folder_of(path);
  std::vector<SourceId> ids;
  const auto add = [&](const Index& index, std::string_view of) {
    const auto found = index.find(key_of(folder, of));
    if (found == index.end()) return;
    for (auto id = found->second.rbegin(); id != found->second.rend(); ++id) {
      if (std::find(ids.begin(), ids.end(), *id) == ids.end()) ids.push_back(*id);
    }
  };
  add(names_, plain_name(name));
  add(names_, without_last_number(name));
  add(names_, rotation_name(name).base);
  if (compression_of(name) != Compression::kNone) add(stems_, without_last_number(name));
  return ids;
}

void NameIndex::keep_only(const std::function<bool(const SourceId&)>& kept) {
  for (Index* index : {&names_, &stems_}) {
    for (auto name = index->begin(); name != index->end();) {
      std::erase_if(name->second, [&](const SourceId& id) { return !kept(id); });
      name = name->second.empty() ? index->erase(name) : std::next(name);
    }
  }
}

}  // namespace logboom::source
