// What servers outside ask of who speaks to them: read from the files that settings name. For the composition root.
#pragma once

#include <string>

#include "base/finding.h"
#include "base/result.h"
#include "config/settings.h"
#include "http/client.h"
#include "io/file_system.h"

namespace logboom::app {

// The password in the file that the setting `name` names, without the end of its line; 4 KiB at most. Fails as the file
// cannot be read.
Result<std::string> read_password(const config::Settings& settings, const std::string& name, FileSystem& files);
// The same, of that file.
Result<std::string> password_in(const std::string& path, FileSystem& files);

// What the setting `name` says, or the file that `name`_file names in its place.
Result<std::string> secret_of(const config::Settings& settings, const std::string& name, FileSystem& files);

// What the settings GROUP.tls_ca, tls_cert, tls_key and insecure_skip_verify say.
http::ClientTls client_tls(const config::Settings& settings, const std::string& group);

// What an examination says of a server that cannot even be asked: a file the settings name cannot be read.
Findings unasked(const char* what, const Error& error);

}  // namespace logboom::app
