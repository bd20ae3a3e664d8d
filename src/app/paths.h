// Where things lie on this machine: data directory, configuration file, agent key, socket.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "io/file_system.h"

namespace logboom::app {

// `value` of the environment variable, or empty.
std::string environment(const char* name);

// /var/lib/logboom for root, else $XDG_STATE_HOME/logboom (~/.local/state/logboom).
std::string default_data_directory();

// `given` if not empty, else the first of ./NAME, $XDG_CONFIG_HOME/logboom/NAME, /etc/logboom/NAME that exists; empty
// when none does.
std::string find_config_file(const std::string& given, const std::string& name, FileSystem& files);

// The Unix socket of the program that runs on a data directory.
std::string socket_path(const std::string& data_directory);

// Absolute form of a path a person typed, against the current folder; "." and ".." folded, symlinks kept.
std::string absolute_path(const std::string& path);

// The secret part of this host's source ids, 64 hexadecimal digits: `given`, else /etc/logboom/agent.key where that can
// be read or made, else $XDG_CONFIG_HOME/logboom/agent.key. Made at the first call, mode 0600. It lies outside the data
// directory so that losing that causes neither gaps nor duplicates.
Result<std::string> load_agent_key(FileSystem& files, const std::string& given_file);

// The public name of the host that holds this key: 32 hexadecimal digits, from which nobody finds the key.
std::string agent_id(const std::string& agent_key);

// Where an agent's token and agent.yaml lie: beside its key, `key_file` if given, else in /etc/logboom for root or
// where there is a token already, else in $XDG_CONFIG_HOME/logboom.
std::string agent_folder(FileSystem& files, const std::string& key_file);

// Whether an agent keeps its state there, and no store.
bool is_agents_data(FileSystem& files, const std::string& data_directory);

// gethostname, or `given`.
std::string host_name(const std::string& given);

}  // namespace logboom::app
