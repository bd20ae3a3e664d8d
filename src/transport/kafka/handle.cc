#include "transport/kafka/handle.h"

#include <array>
#include <charconv>
#include <future>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"

namespace logboom::transport::kafka {
namespace {

// The library's own log; what a person must know is said by those who use it, what fails between a client and its
// brokers by ConnectionHealth.
void on_log(const rd_kafka_t*, int level, const char* facility, const char* text) {
  const std::string_view what = facility;
  if (level <= 3 && what != "FAIL" && what != "FATAL") {
    log_warn("kafka: {}: {}", facility, printable(text));
  } else {
    log_debug("kafka: {}: {}", facility, printable(text));
  }
}

std::optional<ConnectionFault> fault_of(rd_kafka_resp_err_t code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR__TRANSPORT:
      return ConnectionFault::kUnreachable;
    case RD_KAFKA_RESP_ERR__RESOLVE:
      return ConnectionFault::kName;
    case RD_KAFKA_RESP_ERR__SSL:
      return ConnectionFault::kTls;
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
      return ConnectionFault::kSignIn;
    default:
      return std::nullopt;
  }
}

// "client#producer-1: sasl_ssl://host:1/bootstrap: SSL handshake failed: ... (after 3ms in state ...)", in the clear
// without "PROTOCOL://": the broker's address, and the reason without its frame.
std::pair<std::string, std::string> parts_of(std::string text) {
  std::string broker;
  std::size_t from = 0;
  for (std::size_t colon = text.find(": "); colon != std::string::npos; colon = text.find(": ", from)) {
    const std::string name = text.substr(from, colon - from);
    from = colon + 2;
    if (name.find(' ') != std::string::npos) break;
    const std::size_t slash = name.rfind('/');
    if (slash == std::string::npos) continue;
    const std::size_t scheme = name.find("://");
    const std::size_t begin = scheme == std::string::npos ? 0 : scheme + 3;
    if (slash > begin) broker = name.substr(begin, slash - begin);
    text.erase(0, from);
    break;
  }
  if (const std::size_t after = text.rfind(" (after "); after != std::string::npos) text.erase(after);
  return {printable(broker), printable(text)};
}

// A password that was mended meanwhile.
void renew_password(rd_kafka_t* client, ClientState& state) {
  if (!state.options.password) return;
  Result<std::string> password = state.options.password();
  if (!password.ok() || *password == state.password) return;
  rd_kafka_error_t* refused = rd_kafka_sasl_set_credentials(client, state.options.user.c_str(), password->c_str());
  if (refused != nullptr) rd_kafka_error_destroy(refused);
  state.password = std::move(*password);
}

bool is_gone(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC ||
         code == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION;
}

// "web [0]: topic does not exist (...)": librdkafka 2.0.2 (rd_kafka_toppar_enq_error()) says in its text alone which
// one.
void note_gone(std::string_view text, ClientState& state) {
  const std::size_t bracket = text.find(" [");
  if (bracket == std::string_view::npos) return;
  const std::string_view number = text.substr(bracket + 2);
  std::int32_t partition = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), partition);
  if (error == std::errc() && std::string_view(end, number.data() + number.size()).starts_with("]"))
    state.gone.emplace(text.substr(0, bracket), partition);
}

void on_error(rd_kafka_t* client, int code, const char* text, void* opaque) {
  const auto error = static_cast<rd_kafka_resp_err_t>(code);
  ClientState& state = state_of(opaque);
  if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) ++state.cut_offs;
  if (is_gone(error)) note_gone(text, state);
  // Each broker has said why; who uses the client looks for fatal errors.
  if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || error == RD_KAFKA_RESP_ERR__FATAL) return;
  const auto fault = fault_of(error);
  if (!fault) return log_warn("kafka: {}: {}", reason(error), printable(text));
  const auto [broker, why] = parts_of(text);
  state.options.health->failed(broker, {*fault, why});
  if (error == RD_KAFKA_RESP_ERR__AUTHENTICATION) renew_password(client, state);
}

constexpr int kScramWithKafka4 = 0x02060100;

}  // namespace

bool destroy(rd_kafka_t* client, std::chrono::milliseconds wait) {
  const auto task = std::make_shared<std::packaged_task<void()>>([client] {
    const std::unique_ptr<ClientState> state(static_cast<ClientState*>(rd_kafka_opaque(client)));
    rd_kafka_destroy(client);
  });
  const std::future<void> done = task->get_future();
  try {
    std::thread([task] { (*task)(); }).detach();
  } catch (const std::system_error&) {  // there are no more threads
    (*task)();
  }
  if (done.wait_for(wait) == std::future_status::ready) return true;
  log_warn(
      "kafka: a client does not end and is left behind with its threads (a fault of librdkafka {} around topics that "
      "are deleted)",
      library_version());
  return false;
}

std::string library_version() {
  return rd_kafka_version_str();
}

bool scram_works_with_kafka_4() {
  return rd_kafka_version() >= kScramWithKafka4;
}

std::string remedy_of(const ClientOptions& client, ConnectionFault fault) {
  switch (fault) {
    case ConnectionFault::kSignIn:
      if (client.sasl.starts_with("SCRAM") && !scram_works_with_kafka_4())
        return "check transport.user and its password; Kafka 4 wants PLAIN over TLS from this librdkafka";
      return "check transport.user, transport.password_file and transport.sasl";
    case ConnectionFault::kTls:
      return client.tls ? "check transport.tls_ca, and transport.tls_cert where brokers want one" : "set transport.tls";
    case ConnectionFault::kName:
      return "correct the name in transport.brokers, or the resolver";
    case ConnectionFault::kUnreachable:
      break;
  }
  return "start the broker, or correct transport.brokers, transport.tls and transport.sasl";
}

std::shared_ptr<ConnectionHealth> health_of(const ClientOptions& client) {
  ClientOptions how;
  how.tls = client.tls;
  how.sasl = client.sasl;
  return std::make_shared<ConnectionHealth>([how](ConnectionFault fault) { return remedy_of(how, fault); });
}

Properties& Properties::set(const std::string& name, const std::string& value) {
  if (!refused_.ok()) return *this;
  std::array<char, 512> text{};
  const rd_kafka_conf_res_t set = rd_kafka_conf_set(conf_.get(), name.c_str(), value.c_str(), text.data(), text.size());
  if (set != RD_KAFKA_CONF_OK)
    refused_ = Error(ErrorCode::kInvalidArgument, fmt::format("cannot set up a Kafka client: {}", text.data()));
  return *this;
}

Properties& Properties::set_owner(void* owner) {
  state_->owner = owner;
  return *this;
}

Properties& Properties::set_client(const ClientOptions& options) {
  state_->options = options;
  if (!state_->options.health) state_->options.health = health_of(options);
  rd_kafka_conf_set_log_cb(conf_.get(), on_log);
  rd_kafka_conf_set_error_cb(conf_.get(), on_error);
  set("bootstrap.servers", options.brokers).set("client.id", options.client_id);
  set("reconnect.backoff.max.ms", "2000").set("socket.keepalive.enable", "true");
  const bool sasl = !options.sasl.empty();
  set("security.protocol", options.tls ? (sasl ? "sasl_ssl" : "ssl") : (sasl ? "sasl_plaintext" : "plaintext"));
  if (options.tls && !options.ca_file.empty()) set("ssl.ca.location", options.ca_file);
  if (options.tls && !options.cert_file.empty()) set("ssl.certificate.location", options.cert_file);
  if (options.tls && !options.key_file.empty()) set("ssl.key.location", options.key_file);
  if (sasl) {
    if (auto password = options.password ? options.password() : Result<std::string>(""); password.ok())
      state_->password = std::move(*password);
    set("sasl.mechanism", options.sasl).set("sasl.username", options.user).set("sasl.password", state_->password);
  }
  for (const auto& [name, value] : options.properties) set(name, value);
  return *this;
}

Result<Owned<rd_kafka_t>> Properties::open(rd_kafka_type_t type) {
  LB_TRY(std::move(refused_));
  std::array<char, 512> text{};
  rd_kafka_conf_set_opaque(conf_.get(), state_.get());
  Owned<rd_kafka_t> client(rd_kafka_new(type, conf_.get(), text.data(), text.size()));
  if (client == nullptr)
    return Error(ErrorCode::kInvalidArgument, fmt::format("cannot set up a Kafka client: {}", text.data()));
  static_cast<void>(conf_.release());  // the client's now
  static_cast<void>(state_.release());
  return client;
}

ConnectionHealth& health_of(rd_kafka_t* client) {
  return *state_of(rd_kafka_opaque(client)).options.health;
}

std::string reason(rd_kafka_resp_err_t code) {
  return rd_kafka_err2str(code);
}

bool is_unreachable(rd_kafka_resp_err_t code) {
  switch (code) {
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
    case RD_KAFKA_RESP_ERR__RESOLVE:
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR__SSL:
    case RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE:
      return true;
    default:
      return false;
  }
}

std::int64_t known_end(rd_kafka_t* client, const std::string& topic, std::int32_t partition) {
  std::int64_t low = 0;
  std::int64_t high = 0;
  const auto known = rd_kafka_get_watermark_offsets(client, topic.c_str(), partition, &low, &high);
  return known == RD_KAFKA_RESP_ERR_NO_ERROR && high >= 0 ? high : -1;
}

Result<TopicState> ask_topic(rd_kafka_t* client, rd_kafka_topic_t* topic, std::chrono::milliseconds wait) {
  const rd_kafka_metadata_t* answer = nullptr;
  const rd_kafka_resp_err_t asked = rd_kafka_metadata(client, 0, topic, &answer, in_ms(wait));
  if (asked != RD_KAFKA_RESP_ERR_NO_ERROR) {
    const auto trouble = health_of(client).trouble();
    // The library tells the same error again after half a minute only.
    if (trouble && trouble->fault == ConnectionFault::kSignIn)
      renew_password(client, state_of(rd_kafka_opaque(client)));
    return Error(ErrorCode::kUnavailable,
                 fmt::format("no answer from the Kafka cluster: {}", trouble ? trouble->text : reason(asked)));
  }
  health_of(client).answered();
  const Owned<const rd_kafka_metadata_t> metadata(answer);
  if (metadata->topic_cnt != 1) return TopicState{RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, 0};
  return TopicState{metadata->topics[0].err, metadata->topics[0].partition_cnt};
}

}  // namespace logboom::transport::kafka
