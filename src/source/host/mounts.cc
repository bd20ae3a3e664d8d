// Which mount points are worth a look, and which must not be touched.
#include <algorithm>
#include <set>

#include "source/host/proc_text.h"
#include "source/host/text_scan.h"

namespace logboom::source::host {
namespace {

// \040 and its like, as mountinfo writes blanks, line feeds and backslashes.
std::string unescaped(std::string_view text) {
  std::string out;
  const auto octal = [&](std::size_t at) { return at < text.size() && text[at] >= '0' && text[at] <= '7'; };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && octal(i + 1) && octal(i + 2) && octal(i + 3)) {
      out += static_cast<char>(((text[i + 1] - '0') << 6 | (text[i + 2] - '0') << 3 | (text[i + 3] - '0')) & 0xff);
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

struct MountLine {
  std::string device_number, root, path, type, source;
  bool read_only = false;
};

bool parse_mount_line(std::string_view line, MountLine& out) {
  if (!skip_words(line, 2)) return false;
  out.device_number = take_word(line);
  out.root = take_word(line);
  out.path = unescaped(take_word(line));
  const std::string_view options = take_word(line);
  for (std::string_view word = take_word(line); word != "-"; word = take_word(line)) {
    if (word.empty()) return false;
  }
  out.type = take_word(line);
  out.source = unescaped(take_word(line));
  out.read_only = options == "ro" || options.starts_with("ro,");
  return !out.type.empty() && out.path.starts_with('/');
}

// With storage of their own, served by this kernel alone: statvfs answers at once, whatever hangs elsewhere.
bool is_local(std::string_view type) {
  static constexpr std::string_view kLocal[] = {"ext2",   "ext3",     "ext4",     "xfs",   "btrfs",   "zfs",
                                                "f2fs",   "vfat",     "exfat",    "ntfs",  "ntfs3",   "jfs",
                                                "nilfs2", "reiserfs", "bcachefs", "ubifs", "hfsplus", "udf"};
  return std::ranges::find(kLocal, type) != std::end(kLocal);
}

// Made by the kernel: to walk through them costs nothing and waits for nobody.
bool is_harmless(std::string_view type) {
  static constexpr std::string_view kKernel[] = {
      "tmpfs",    "ramfs",   "devtmpfs", "proc",       "sysfs",    "devpts",  "cgroup",      "cgroup2",    "overlay",
      "squashfs", "iso9660", "erofs",    "securityfs", "debugfs",  "tracefs", "bpf",         "mqueue",     "hugetlbfs",
      "pstore",   "rootfs",  "nsfs",     "efivarfs",   "configfs", "fusectl", "binfmt_misc", "rpc_pipefs", "selinuxfs"};
  return is_local(type) || std::ranges::find(kKernel, type) != std::end(kKernel);
}

bool is_under(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && (path.size() == folder.size() || folder == "/" || path[folder.size()] == '/');
}

bool worth_a_look(const MountLine& mount) {
  return is_local(mount.type) || (mount.type == "overlay" && mount.path == "/");
}

}  // namespace

bool parse_mountinfo(std::string_view text, std::vector<Mount>& out) {
  out.clear();
  std::vector<MountLine> mounts;
  std::vector<std::string> may_hang;
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    if (line.empty()) continue;
    MountLine mount;
    if (!parse_mount_line(line, mount)) return false;
    if (!is_harmless(mount.type)) may_hang.push_back(mount.path);
    if (worth_a_look(mount)) mounts.push_back(std::move(mount));
  }
  std::erase_if(mounts, [&](const MountLine& mount) {
    return std::ranges::any_of(may_hang, [&](const std::string& folder) { return is_under(mount.path, folder); });
  });
  // Of several places of one file system, the one that shows its whole before others, then the shortest.
  std::ranges::stable_sort(mounts, [](const MountLine& a, const MountLine& b) {
    return std::pair(a.root != "/", a.path.size()) < std::pair(b.root != "/", b.path.size());
  });
  std::set<std::string> seen;
  for (MountLine& mount : mounts) {
    if (out.size() >= kMostDevices || !seen.insert(mount.device_number).second) continue;
    Mount& added = out.emplace_back();
    added.shown.device = shown_text(mount.source);
    added.shown.mount = shown_text(mount.path);
    added.shown.type = shown_text(mount.type);
    added.shown.read_only = mount.read_only;
    added.path = std::move(mount.path);
  }
  std::ranges::sort(out, {}, &Mount::path);
  return true;
}

}  // namespace logboom::source::host
