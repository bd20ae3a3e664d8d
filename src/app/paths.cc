#include "app/paths.h"

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>
#include <sys/random.h>
#include <unistd.h>

#include "http/auth/secret.h"

namespace logboom::app {
namespace {

std::string home_folder() {
  const std::string home = environment("HOME");
  return home.empty() ? "/tmp" : home;
}

std::string config_home() {
  const std::string xdg = environment("XDG_CONFIG_HOME");
  return xdg.empty() ? home_folder() + "/.config" : xdg;
}

Result<std::string> new_key() {
  unsigned char bytes[32];
  if (::getrandom(bytes, sizeof bytes, 0) != static_cast<ssize_t>(sizeof bytes))
    return os_error("get random bytes", errno);
  std::string key;
  for (const unsigned char byte : bytes) key += fmt::format("{:02x}", byte);
  return key;
}

Result<std::string> read_or_make_key(FileSystem& files, const std::string& path) {
  auto text = read_file(files, path, 4096);
  if (text.ok()) {
    while (!text->empty() && text->back() == '\n') text->pop_back();
    // Zeros are what a power cut may leave.
    if (text->size() >= 32 && text->find('\0') == std::string::npos) return text;
    return Error(ErrorCode::kCorrupt,
                 fmt::format("cannot use {}: it holds no key of 32 or more characters; restore it from a backup "
                             "(a new key would make every file a new source)",
                             path));
  }
  if (text.error().code() != ErrorCode::kNotFound) return text;
  LB_ASSIGN(const std::string key, new_key());
  LB_TRY(files.create_directories(std::filesystem::path(path).parent_path().string()));
  LB_TRY(replace_file(files, path, key + "\n"));
  return key;
}

}  // namespace

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

std::string default_data_directory() {
  if (::geteuid() == 0) return "/var/lib/logboom";
  const std::string xdg = environment("XDG_STATE_HOME");
  return (xdg.empty() ? home_folder() + "/.local/state" : xdg) + "/logboom";
}

std::string find_config_file(const std::string& given, const std::string& name, FileSystem& files) {
  if (!given.empty()) return absolute_path(given);
  for (const std::string& candidate :
       {absolute_path(name), config_home() + "/logboom/" + name, "/etc/logboom/" + name}) {
    if (files.stat(candidate).ok()) return candidate;
  }
  return "";
}

std::string socket_path(const std::string& data_directory) {
  return data_directory + "/logboom.sock";
}

std::string absolute_path(const std::string& path) {
  std::error_code ignored;
  const std::filesystem::path absolute = std::filesystem::absolute(path, ignored).lexically_normal();
  std::string text = absolute.string();
  if (text.size() > 1 && text.back() == '/') text.pop_back();
  return text;
}

Result<std::string> load_agent_key(FileSystem& files, const std::string& given_file) {
  if (!given_file.empty()) return read_or_make_key(files, given_file);
  auto system = read_or_make_key(files, "/etc/logboom/agent.key");
  if (system.ok() || system.error().code() == ErrorCode::kCorrupt) return system;
  return read_or_make_key(files, config_home() + "/logboom/agent.key");
}

std::string agent_id(const std::string& agent_key) {
  return http::sha256_hex("logboom agent\n" + agent_key).substr(0, 32);
}

bool is_agents_data(FileSystem& files, const std::string& data_directory) {
  return files.stat(data_directory + "/agent.lock").ok() && !files.stat(data_directory + "/store").ok();
}

std::string agent_folder(FileSystem& files, const std::string& key_file) {
  if (!key_file.empty()) {
    const std::string path = absolute_path(key_file);
    return path.substr(0, path.rfind('/'));
  }
  const std::string system = "/etc/logboom";
  return ::geteuid() == 0 || files.stat(system + "/agent.token").ok() ? system : config_home() + "/logboom";
}

std::string host_name(const std::string& given) {
  if (!given.empty() && given != "auto") return given;
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 && name[0] ? name : "localhost";
}

}  // namespace logboom::app
