#include "config/etcd/etcd_presence.h"

#include "config/etcd/etcd_rule_source.h"

namespace logboom::config {
namespace {

constexpr std::chrono::seconds kLease{30};

class EtcdPresence final : public Presence {
 public:
  EtcdPresence(EtcdClient client, std::vector<std::string> endpoints, std::string ip, const std::string& part)
      : client_(std::move(client)),
        endpoints_(std::move(endpoints)),
        ip_(std::move(ip)),
        part_(part.empty() ? "" : "/" + part) {}

  Status tell(const std::string& words, std::stop_token stop) override {
    LB_ASSIGN(const std::string host, ip_.empty() ? host_ip(endpoints_) : Result<std::string>(ip_));
    const std::string key = std::string(kEtcdPresencePrefix) + host + part_;
    if (lease_ != 0) {
      LB_ASSIGN(const bool alive, client_.keep_alive(lease_, stop));
      if (!alive) lease_ = 0;
    }
    if (lease_ != 0 && key == key_ && words == words_) return ok_status();
    if (lease_ == 0) {
      LB_ASSIGN(lease_, client_.grant_lease(kLease, stop));
    }
    LB_TRY(client_.put(key, words, lease_, stop));
    key_ = key;
    words_ = words;
    return ok_status();
  }

 private:
  EtcdClient client_;
  const std::vector<std::string> endpoints_;
  const std::string ip_;
  const std::string part_;
  std::uint64_t lease_ = 0;  // 0: none
  std::string key_;          // written last, under the lease
  std::string words_;
};

}  // namespace

Result<std::unique_ptr<Presence>> open_etcd_presence(EtcdOptions options, std::string ip, std::string part) {
  std::vector<std::string> endpoints = options.endpoints;
  LB_ASSIGN(EtcdClient client, EtcdClient::open(std::move(options)));
  return std::unique_ptr<Presence>(
      std::make_unique<EtcdPresence>(std::move(client), std::move(endpoints), std::move(ip), part));
}

}  // namespace logboom::config
