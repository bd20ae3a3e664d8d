#include "app/registry/secrets.h"

#include "app/paths.h"

namespace logboom::app {

Result<std::string> read_password(const config::Settings& settings, const std::string& name, FileSystem& files) {
  return password_in(settings.text(name), files);
}

Result<std::string> password_in(const std::string& path, FileSystem& files) {
  LB_ASSIGN(std::string password, read_file(files, absolute_path(path), 4096));
  while (!password.empty() && (password.back() == '\n' || password.back() == '\r')) password.pop_back();
  return password;
}

Result<std::string> secret_of(const config::Settings& settings, const std::string& name, FileSystem& files) {
  if (settings.text(name + "_file").empty()) return settings.text(name);
  return read_password(settings, name + "_file", files);
}

http::ClientTls client_tls(const config::Settings& settings, const std::string& group) {
  http::ClientTls tls;
  tls.ca_file = settings.text(group + ".tls_ca");
  tls.certificate = settings.text(group + ".tls_cert");
  tls.key = settings.text(group + ".tls_key");
  tls.insecure_skip_verify = settings.boolean(group + ".insecure_skip_verify");
  return tls;
}

Findings unasked(const char* what, const Error& error) {
  return {{Verdict::kBad, what, error.message(), "correct the settings that name its files"}};
}

}  // namespace logboom::app
