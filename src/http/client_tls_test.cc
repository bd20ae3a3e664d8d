// The client over TLS: what it trusts, and what it says when it does not.
#include <array>

#include <gtest/gtest.h>
#include <stdlib.h>

#include "http/certificate.h"
#include "http/client.h"
#include "http/server.h"
#include "http/testing/raw_socket.h"

namespace logboom::http {
namespace {

constexpr TimeNs kDay = 86'400 * kNsPerSecond;

class AnyoneGuard final : public Guard {
 public:
  std::optional<Refusal> admit(const Request&) override { return std::nullopt; }
  std::optional<Refusal> authorize(Request& request, const Route*) override {
    request.principal = Principal{"test", Role::kAdmin, Via::kToken, "", 0};
    return std::nullopt;
  }
};

std::string shell(const std::string& command) {
  FILE* pipe = ::popen(("(" + command + ") 2>&1").c_str(), "r");
  std::string out(1 << 20, '\0');
  out.resize(std::fread(out.data(), 1, out.size(), pipe));
  ::pclose(pipe);
  return out;
}

class ClientTlsTest : public testing::Test {
 protected:
  ClientTlsTest() {
    char directory[] = "/tmp/lb_client_tls_XXXXXX";
    at_ = ::mkdtemp(directory);
    router_.add(Route("GET", "/hello", Access::everyone(),
                      [](const Request&, ResponseWriter& w) { w.send(text_response("hello")); }));
    Route echo("POST", "/echo", Access::everyone(),
               [](const Request& r, ResponseWriter& w) { w.send(text_response(r.body)); });
    echo.max_body = 32 << 20;
    router_.add(std::move(echo));
  }
  ~ClientTlsTest() override {
    server_.reset();
    shell("rm -r " + at_);
  }

  // An authority, and a certificate of it for localhost and 127.0.0.1: ca.pem, cert.pem, key.pem.
  void make_signed() {
    const std::string key = " -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes ";
    said_ =
        shell("cd " + at_ + " && openssl req -x509" + key +
              "-days 2 -subj /CN=authority -keyout ca.key -out ca.pem && openssl req" + key +
              "-subj /CN=server -keyout key.pem -out request.pem && printf 'subjectAltName=DNS:localhost,IP:127.0.0.1' "
              "> names && openssl x509 -req -days 2 -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -extfile "
              "names -out cert.pem");
  }
  // cert.pem signs itself, valid for these days around now.
  void make_own(const std::vector<std::string>& names, int from, int to) {
    const auto made = make_certificate(names, clock_.now() + from * kDay, clock_.now() + to * kDay, "");
    ASSERT_TRUE(made.ok()) << made.error().message();
    ASSERT_TRUE(replace_file(*files_, at_ + "/cert.pem", made->certificate).ok());
    ASSERT_TRUE(replace_file(*files_, at_ + "/key.pem", made->key).ok());
    pin_ = *fingerprint_of_pem(made->certificate);
  }

  void start(bool tls = true) { start(tls, clock_); }
  void start(bool tls, const Clock& clock) {
    ServerOptions options;
    options.listen = "127.0.0.1:0";
    if (tls) {
      options.tls_certificate = at_ + "/cert.pem";
      options.tls_key = at_ + "/key.pem";
    }
    server_ = std::make_unique<HttpServer>(options, router_, guard_, registry_, clock);
    const auto status = server_->start();
    ASSERT_TRUE(status.ok()) << status.error().message() << said_;
  }

  HttpClient client(ClientTls tls, const std::string& base = "https://localhost") const {
    ClientOptions options;
    options.server = base + ":" + std::to_string(server_->port());
    options.tls = std::move(tls);
    options.silence_time = std::chrono::seconds(20);
    return HttpClient(options);
  }

  // "hello", or the error's message.
  std::string get(ClientTls tls, const std::string& base = "https://localhost") const {
    const auto answer = client(std::move(tls), base).send({.target = "/hello"});
    return answer.ok() ? answer->body : answer.error().message();
  }
  ClientTls trusting(const std::string& file = "ca.pem") const { return {.ca_file = at_ + "/" + file}; }

  std::string at_;
  std::string said_;
  std::string pin_;
  std::unique_ptr<FileSystem> files_ = open_posix_file_system();
  AnyoneGuard guard_;
  Router router_;
  Registry registry_;
  SystemClock clock_;
  std::unique_ptr<HttpServer> server_;
};

#define EXPECT_SAYS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

TEST_F(ClientTlsTest, X9TrustsWhatAnAuthorityHasSignedAndKeepsTheConnection) {
  make_signed();
  start();
  auto kept = client(trusting());
  for (int i = 0; i < 3; ++i) {
    const auto answer = kept.send({.target = "/hello"});
    ASSERT_TRUE(answer.ok()) << answer.error().message();
    EXPECT_EQ(answer->body, "hello");
  }
  EXPECT_EQ(registry_.counter("logboom_http_connections_total", "").value(), 1U);
  EXPECT_EQ(get(trusting(), "https://127.0.0.1"), "hello");
  const std::string large(20 << 20, 'x');
  const auto echoed = kept.send({"POST", "/echo", {}, large});
  ASSERT_TRUE(echoed.ok()) << echoed.error().message();
  EXPECT_TRUE(echoed->body == large);
}

TEST_F(ClientTlsTest, X9AnUnknownAuthorityIsRefusedWithWhatToDo) {
  make_signed();
  start();
  const std::string text = get({});
  EXPECT_SAYS(text, "not signed by an authority known here (it is signed by CN=authority)");
  EXPECT_SAYS(text, "pin its fingerprint ");
  const std::string pin = text.substr(text.rfind(' ') + 1);
  EXPECT_EQ(get({.fingerprint = pin}), "hello");
  EXPECT_EQ(client({}).send({.target = "/hello"}).error().code(), ErrorCode::kUnavailable);
}

TEST_F(ClientTlsTest, X9AnotherNameIsRefusedUnlessItIsExpected) {
  make_own({"logs.example"}, -1, 1);
  start();
  EXPECT_SAYS(get(trusting("cert.pem")), "its certificate is for DNS:logs.example, not for localhost");
  EXPECT_SAYS(get(trusting("cert.pem"), "https://127.0.0.1"), "not for 127.0.0.1");
  ClientTls named = trusting("cert.pem");
  named.server_name = "logs.example";
  EXPECT_EQ(get(named), "hello");
}

TEST_F(ClientTlsTest, X9ExpiredAndNotYetValidAreSaid) {
  make_own({"localhost"}, -3, -1);
  start();
  EXPECT_SAYS(get(trusting("cert.pem")), "its certificate has expired on ");
  server_.reset();
  make_own({"localhost"}, 1, 3);
  start();
  EXPECT_SAYS(get(trusting("cert.pem")), "is this host's clock right?");
}

TEST_F(ClientTlsTest, X9APinAloneDecides) {
  make_own({"logs.example"}, -3, -1);  // another name, expired, signed by nobody
  start();
  EXPECT_EQ(get({.fingerprint = pin_}), "hello");
  std::string spelt = "SHA256:";
  for (std::size_t i = 0; i < pin_.size(); i += 2) spelt += (i > 0 ? ":" : "") + pin_.substr(i, 2);
  EXPECT_EQ(get({.fingerprint = spelt}), "hello");
  const std::string whole = shell("openssl x509 -in " + at_ + "/cert.pem -noout -fingerprint -sha256");
  EXPECT_EQ(get({.fingerprint = whole.substr(whole.find('=') + 1, 95)}), "hello");
  std::string other = pin_;
  other[0] = other[0] == '0' ? '1' : '0';
  const std::string refused = get({.fingerprint = other, .insecure_skip_verify = true});
  EXPECT_SAYS(refused, "its fingerprint is " + pin_ + ", the pinned one " + other);
  EXPECT_EQ(registry_.counter("logboom_http_requests_total", "").value(), 3U);  // nothing was sent to the wrong one
}

TEST_F(ClientTlsTest, SkippingVerificationWarns) {
  make_own({"logs.example"}, -3, -1);
  start();
  testing::internal::CaptureStderr();
  const std::string answer = get({.insecure_skip_verify = true});
  EXPECT_SAYS(testing::internal::GetCapturedStderr(), "is not verified (insecure_skip_verify)");
  EXPECT_EQ(answer, "hello");
}

TEST_F(ClientTlsTest, PlainHttpOnATlsPortAndTheOtherWayRoundAreSaid) {
  make_own({"localhost"}, -1, 1);
  start();
  EXPECT_SAYS(get({}, "http://127.0.0.1"), "this port speaks TLS: the address begins with https://");
  server_.reset();
  start(false);
  EXPECT_SAYS(get({}), "it speaks no TLS on that port; if it is plain HTTP, the address begins with http://");
}

TEST_F(ClientTlsTest, FilesAndFingerprintsThatCannotBeUsedAreNamed) {
  make_own({"localhost"}, -1, 1);
  start();
  EXPECT_SAYS(get(trusting("none.pem")), "/none.pem: No such file");
  EXPECT_SAYS(get(trusting("key.pem")), "cannot use the authorities in ");
  EXPECT_SAYS(get({.fingerprint = "abc"}), "'abc' is no fingerprint");
  EXPECT_SAYS(get({.certificate = at_ + "/cert.pem"}), "go together");
  EXPECT_SAYS(get({.certificate = at_ + "/cert.pem", .key = at_ + "/cert.pem"}), "cannot use the key ");
  EXPECT_EQ(client(trusting("none.pem")).send({}).error().code(), ErrorCode::kInvalidArgument);
}

// A server that asks its clients for certificates: the one of the openssl program, for so many connections.
class ServerThatAsks {
 public:
  ServerThatAsks(const std::string& at, int connections) {
    const std::string command =
        "cd " + at + " && exec openssl s_server -accept 127.0.0.1:0 -cert cert.pem -key key.pem " +
        "-CAfile ca.pem -Verify 1 -verify_return_error -www -naccept " + std::to_string(connections) + " 2>/dev/null";
    pipe_ = ::popen(command.c_str(), "r");
    std::array<char, 256> line{};
    while (std::fgets(line.data(), line.size(), pipe_)) {
      const std::string text(line.data());
      if (text.starts_with("ACCEPT")) {
        port = text.substr(text.rfind(':') + 1);
        port.pop_back();
        return;
      }
    }
  }
  ~ServerThatAsks() { ::pclose(pipe_); }

  std::string port;

 private:
  FILE* pipe_ = nullptr;
};

TEST_F(ClientTlsTest, X9ShowsItsOwnCertificateWhereTheServerWantsOne) {
  make_signed();
  ServerThatAsks asking(at_, 3);
  ClientOptions options;
  options.server = "https://localhost:" + asking.port;
  options.silence_time = std::chrono::seconds(20);
  options.tls = trusting();
  const auto without = HttpClient(options).send({});
  ASSERT_FALSE(without.ok());
  EXPECT_SAYS(without.error().message(), "the server wants a certificate of its clients");
  options.tls.certificate = at_ + "/cert.pem";
  options.tls.key = at_ + "/key.pem";
  std::string page;
  const auto with = HttpClient(options).stream({}, [&](std::string_view piece) {
    page += piece;
    return true;
  });
  EXPECT_SAYS(page, "s_server") << (with.ok() ? "" : with.error().message());
  const auto own = make_certificate({"nobody"}, clock_.now() - kDay, clock_.now() + kDay, "");
  ASSERT_TRUE(replace_file(*files_, at_ + "/own.pem", own->certificate).ok());
  ASSERT_TRUE(replace_file(*files_, at_ + "/own.key", own->key).ok());
  options.tls.certificate = at_ + "/own.pem";
  options.tls.key = at_ + "/own.key";
  const auto unknown = HttpClient(options).send({});
  ASSERT_FALSE(unknown.ok());
  EXPECT_SAYS(unknown.error().message(), "the server does not take this client's certificate");
}

// --- the certificate a server makes for itself

class OwnCertificateTest : public ClientTlsTest {
 protected:
  Result<OwnCertificate> own(const std::vector<std::string>& names) {
    return own_certificate(at_, names, *files_, time_);
  }
  std::string bytes(const std::string& path) { return *read_file(*files_, path, 1 << 20); }
  ManualClock time_;
};

TEST_F(OwnCertificateTest, IsMadeOnceAndRenewedOverTheSameKey) {
  const auto first = own({"web-1", "127.0.0.1", "::1", "no name!"});
  ASSERT_TRUE(first.ok()) << first.error().message();
  const std::string certificate = bytes(first->certificate_file);
  const std::string key = bytes(first->key_file);
  EXPECT_EQ(shell("stat -c %a " + first->key_file), "600\n");
  const std::string shown = shell("openssl x509 -noout -ext subjectAltName -in " + first->certificate_file);
  EXPECT_SAYS(shown, "DNS:web-1, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1");

  ASSERT_EQ(own({"web-1", "::1"})->fingerprint, first->fingerprint);
  EXPECT_EQ(bytes(first->certificate_file), certificate);
  ASSERT_EQ(own({"web-2"})->fingerprint, first->fingerprint);  // another name: made again, the pin holds
  EXPECT_NE(bytes(first->certificate_file), certificate);
  EXPECT_EQ(bytes(first->key_file), key);

  const std::string second = bytes(first->certificate_file);
  time_.advance(std::chrono::hours(24 * 3000));
  ASSERT_TRUE(own({"web-2"}).ok());
  EXPECT_EQ(bytes(first->certificate_file), second);
  time_.advance(std::chrono::hours(24 * 300));
  ASSERT_EQ(own({"web-2"})->fingerprint, first->fingerprint);
  EXPECT_NE(bytes(first->certificate_file), second);
}

TEST_F(OwnCertificateTest, X9RenewedFilesAreServedWithoutARestart) {
  make_own({"localhost"}, -1, 1);
  start(true, time_);
  const std::string before = pin_;
  make_own({"localhost"}, -1, 1);
  const std::string after = pin_;
  EXPECT_EQ(get({.fingerprint = before}), "hello");  // it does not look every time
  time_.advance(std::chrono::minutes(2));
  EXPECT_EQ(get({.fingerprint = after}), "hello");
  ASSERT_TRUE(replace_file(*files_, at_ + "/key.pem", "no key").ok());
  time_.advance(std::chrono::minutes(2));
  EXPECT_EQ(get({.fingerprint = after}), "hello");  // what cannot be used changes nothing
}

TEST_F(OwnCertificateTest, ADamagedOrMissingKeyIsNotReplaced) {
  const auto first = own({"web-1"});
  ASSERT_TRUE(first.ok());
  ASSERT_TRUE(replace_file(*files_, first->key_file, "no key").ok());
  const auto damaged = own({"web-2"});
  ASSERT_FALSE(damaged.ok());
  EXPECT_EQ(damaged.error().code(), ErrorCode::kCorrupt);
  EXPECT_SAYS(damaged.error().message(), first->key_file);
  ASSERT_TRUE(files_->unlink(first->key_file).ok());
  EXPECT_EQ(own({"web-1"}).error().code(), ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace logboom::http
