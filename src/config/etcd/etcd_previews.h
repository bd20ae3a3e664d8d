// Previews over etcd (docs/formats/etcd.md): one key a host for the question, one for the answer, both under a lease of
// a minute.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "config/etcd/etcd_client.h"
#include "config/previews.h"

namespace logboom::config {

// A question lies under this and the host's IP, the answer beside it.
inline constexpr std::string_view kEtcdPreviewPrefix = "/logboom/previews/";
std::string etcd_preview_answer_key(const std::string& host);

// Agents are named by their IPs. kInvalidArgument: no endpoint is named. Not thread-safe.
Result<std::unique_ptr<PreviewAsker>> open_etcd_preview_asker(EtcdOptions options);

// `ip` is this host's, empty: as host_ip() finds it. kInvalidArgument: no endpoint is named.
Result<std::unique_ptr<PreviewQuestions>> open_etcd_preview_questions(EtcdOptions options, std::string ip);

}  // namespace logboom::config
