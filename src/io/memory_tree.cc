#include "io/memory_tree.h"

#include <cerrno>
#include <deque>

#include "io/posix_file.h"

namespace logboom {

using memory::Change;
using memory::Entries;
using memory::Node;
using memory::NodePtr;
using memory::Place;

namespace {

constexpr int kMostSymlinks = 40;
constexpr std::uint64_t kDevice = 0x10000 + 77;

// The steps of a path; empty ones and "." go nowhere.
std::deque<std::string> steps_of(std::string_view path) {
  std::deque<std::string> steps;
  std::size_t at = 0;
  while (at <= path.size()) {
    const std::size_t slash = std::min(path.find('/', at), path.size());
    const std::string_view step = path.substr(at, slash - at);
    if (!step.empty() && step != ".") steps.emplace_back(step);
    at = slash + 1;
  }
  return steps;
}

struct Step {
  std::string name;
  NodePtr node;
};

std::string join(const std::vector<Step>& way, const std::string& last) {
  std::string out;
  for (std::size_t i = 1; i < way.size(); ++i) out += "/" + way[i].name;
  if (!last.empty()) out += "/" + last;
  return out.empty() ? "/" : out;
}

// How many of each directory's unsynced changes, oldest first, a crash keeps.
std::map<const Node*, std::uint64_t> choose_cuts(const std::vector<Change>& changes, std::mt19937_64& random) {
  std::map<const Node*, std::uint64_t> counts;
  for (const Change& change : changes) {
    for (const auto& entry : change.entries) ++counts[entry.directory.get()];
  }
  const std::uint64_t kind = random() % 4;
  for (auto& [directory, count] : counts) {
    if (kind == 0) count = 0;
    if (kind > 1) count = random() % (count + 1);
  }
  return counts;
}

void put_entry(Entries& entries, const std::string& name, const NodePtr& node) {
  if (node) {
    entries[name] = node;
  } else {
    entries.erase(name);
  }
}

// The entries of every directory after the crash.
std::map<const Node*, Entries> entries_after(const std::vector<Change>& changes, std::mt19937_64& random) {
  std::map<const Node*, Entries> out;
  std::map<const Node*, std::uint64_t> cuts = choose_cuts(changes, random);
  for (const Change& change : changes) {
    bool kept = false;
    for (const auto& entry : change.entries) {
      auto& left = cuts[entry.directory.get()];
      if (left > 0) {
        --left;
        kept = true;
      }
      out.try_emplace(entry.directory.get(), entry.directory->durable);
    }
    if (!kept) continue;
    for (const auto& entry : change.entries) put_entry(out[entry.directory.get()], entry.name, entry.node);
  }
  return out;
}

class Copier {
 public:
  Copier(std::map<const Node*, Entries> changed, std::mt19937_64& random)
      : changed_(std::move(changed)), random_(random) {}

  NodePtr copy(const Node& node) {
    NodePtr& out = copies_[&node];
    if (out) return out;
    out = std::make_shared<Node>();
    const NodePtr result = out;  // the map may move `out` below
    result->type = node.type;
    result->inode = node.inode;
    result->generation = node.generation;
    result->born = node.born;
    result->modified = node.modified;
    result->target = node.target;
    result->bytes = node.bytes.crash(random_);
    used_ += result->bytes.allocated();
    const auto changed = changed_.find(&node);
    for (const auto& [name, child] : changed != changed_.end() ? changed->second : node.durable) {
      const NodePtr kept = copy(*child);
      ++kept->links;
      result->entries[name] = kept;
    }
    result->durable = result->entries;
    return result;
  }
  std::uint64_t used() const { return used_; }

 private:
  std::map<const Node*, Entries> changed_;
  std::mt19937_64& random_;
  std::map<const Node*, NodePtr> copies_;
  std::uint64_t used_ = 0;
};

}  // namespace

MemoryFileSystem::State::State(const Clock* of_user) : clock(of_user) {
  MutexLock lock(mutex);
  root = make_node(FileType::kDirectory);
  root->links = 1;
}

TimeNs MemoryFileSystem::State::now() {
  return clock != nullptr ? clock->now() : ticks += kNsPerUs;
}

NodePtr MemoryFileSystem::State::make_node(FileType type) {
  auto node = std::make_shared<Node>();
  node->type = type;
  if (free_inodes.empty()) {
    node->inode = next_inode++;
  } else {
    node->inode = *free_inodes.begin();
    free_inodes.erase(free_inodes.begin());
  }
  node->generation = next_generation++;
  node->born = node->modified = now();
  return node;
}

void MemoryFileSystem::State::free_if_unused(const NodePtr& node) {
  if (node->links > 0 || node->handles > 0) return;
  free_inodes.insert(node->inode);
  used -= node->bytes.allocated();
}

void MemoryFileSystem::State::apply(Change change) {
  std::vector<NodePtr> gone;
  for (const auto& entry : change.entries) {
    if (entry.node) ++entry.node->links;
    const auto old = entry.directory->entries.find(entry.name);
    if (old != entry.directory->entries.end()) {
      --old->second->links;
      gone.push_back(old->second);
    }
    put_entry(entry.directory->entries, entry.name, entry.node);
    entry.directory->modified = now();
  }
  for (const NodePtr& node : gone) free_if_unused(node);
  unsynced.push_back(std::move(change));
}

void MemoryFileSystem::State::sync(const NodePtr& directory) {
  std::erase_if(unsynced, [&](const Change& change) {
    const bool touches = std::any_of(change.entries.begin(), change.entries.end(),
                                     [&](const auto& entry) { return entry.directory == directory; });
    if (!touches) return false;
    for (const auto& entry : change.entries) put_entry(entry.directory->durable, entry.name, entry.node);
    return true;
  });
}

Result<Place> MemoryFileSystem::State::find(const std::string& path, bool follow) {
  std::vector<Step> way = {{"", root}};
  std::deque<std::string> todo = steps_of(path);
  int symlinks = 0;
  while (!todo.empty()) {
    const std::string name = todo.front();
    todo.pop_front();
    const NodePtr directory = way.back().node;
    if (directory->type != FileType::kDirectory) return posix::path_error("find", path, ENOTDIR);
    if (name == "..") {
      if (way.size() > 1) way.pop_back();
      continue;
    }
    const auto found = directory->entries.find(name);
    if (found == directory->entries.end()) {
      if (!todo.empty()) return posix::path_error("find", path, ENOENT);
      return Place{directory, name, nullptr, join(way, name)};
    }
    const NodePtr node = found->second;
    if (node->type == FileType::kSymlink && (follow || !todo.empty())) {
      if (++symlinks > kMostSymlinks) return posix::path_error("find", path, ELOOP);
      if (node->target.starts_with('/')) way.resize(1);
      const std::deque<std::string> more = steps_of(node->target);
      todo.insert(todo.begin(), more.begin(), more.end());
      continue;
    }
    way.push_back({name, node});
  }
  if (way.size() == 1) return Place{root, "", root, "/"};
  const Step last = way.back();
  way.pop_back();
  return Place{way.back().node, last.name, last.node, join(way, last.name)};
}

Result<NodePtr> MemoryFileSystem::State::existing(const std::string& path, bool follow) {
  LB_ASSIGN(const Place place, find(path, follow));
  if (!place.node) return posix::path_error("find", path, ENOENT);
  return place.node;
}

FileStat MemoryFileSystem::State::stat_of(const Node& node) const {
  FileStat out;
  out.type = node.type;
  out.size = node.type == FileType::kSymlink ? node.target.size() : node.bytes.size();
  out.modified = node.modified;
  out.links = node.links;
  out.mode = node.type == FileType::kDirectory ? 0700 : node.type == FileType::kSymlink ? 0777 : 0600;
  out.identity.device = kDevice;
  out.identity.file_system = kDevice;
  out.identity.inode = node.inode;
  if (gives_birth_times) out.identity.birth_time = node.born;
  if (!gives_handles) return out;
  // As ext4: type 1, inode and generation.
  out.identity.handle.assign({1, 0, 0, 0});
  for (int i = 0; i < 4; ++i) out.identity.handle += static_cast<char>(node.inode >> (8 * i));
  for (int i = 0; i < 4; ++i) out.identity.handle += static_cast<char>(node.generation >> (8 * i));
  return out;
}

std::size_t MemoryFileSystem::State::reserve(const Node& node, std::uint64_t offset, std::size_t size) {
  std::size_t fits = size;
  while (fits > 0 && used + node.bytes.growth(offset, fits) > capacity) {
    const std::uint64_t over = (offset + fits) % CrashableBytes::kChunk;
    fits -= std::min<std::size_t>(fits, over == 0 ? CrashableBytes::kChunk : over);
  }
  used += node.bytes.growth(offset, fits);
  return fits;
}

std::shared_ptr<MemoryFileSystem::State> MemoryFileSystem::State::crash(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  auto out = std::make_shared<State>(clock);
  Copier copier(entries_after(unsynced, random), random);
  MutexLock lock(out->mutex);
  out->root = copier.copy(*root);
  out->root->links = 1;
  out->used = copier.used();
  out->ticks = ticks;
  out->next_inode = next_inode;
  out->next_generation = next_generation;
  out->capacity = capacity;
  out->gives_handles = gives_handles;
  out->gives_birth_times = gives_birth_times;
  return out;
}

}  // namespace logboom
