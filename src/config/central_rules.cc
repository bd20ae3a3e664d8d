#include "config/central_rules.h"

#include <algorithm>
#include <filesystem>

#include <arpa/inet.h>
#include <fmt/format.h>

#include "base/log.h"
#include "base/pause.h"

namespace logboom::config {
namespace {

// The part of a path that no wildcard can change, up to its last slash, without "..".
std::string fixed_folder(const std::string& path) {
  std::string fixed = path.substr(0, path.find_first_of("*?[{"));
  if (fixed.size() != path.size()) fixed.resize(fixed.rfind('/') == std::string::npos ? 0 : fixed.rfind('/'));
  return std::filesystem::path(fixed).lexically_normal().string();
}

bool is_below(const std::string& path, const std::string& root) {
  if (root == "/") return true;
  return path.starts_with(root) && (path.size() == root.size() || path[root.size()] == '/');
}

}  // namespace

bool is_ip(const std::string& text) {
  in6_addr address{};
  return ::inet_pton(AF_INET, text.c_str(), &address) == 1 || ::inet_pton(AF_INET6, text.c_str(), &address) == 1;
}

Status check_roots(const RuleSet& rules, const std::string& origin) {
  for (const Rule& rule : rules.rules) {
    const std::string folder = fixed_folder(rule.path);
    const bool allowed = rules.roots.empty() || std::ranges::any_of(rules.roots, [&](const std::string& root) {
                           return is_below(folder, root);
                         });
    if (!allowed) {
      return Error(ErrorCode::kInvalidArgument,
                   fmt::format("{}: rule '{}' names {}, outside the roots this host allows ({})", origin,
                               printable(rule.name), printable(rule.path), fmt::join(rules.roots, ", ")));
    }
  }
  return ok_status();
}

void BackOff::wait(std::stop_token stop) {
  pause_for(next_, stop);
  next_ = std::min(next_ * 2, most_);
}

}  // namespace logboom::config
