#include "transport/kafka/connection_health.h"

#include <gtest/gtest.h>

#include "transport/kafka/client.h"
#include "transport/kafka/handle.h"
#include "transport/kafka/problems.h"

namespace logboom::transport::kafka {
namespace {

constexpr auto kSignIn = ConnectionFault::kSignIn;
constexpr auto kUnreachable = ConnectionFault::kUnreachable;

TEST(ConnectionHealth, AFaultIsToldOnce) {
  int said = 0;
  ConnectionHealth health([&](ConnectionFault) {
    ++said;
    return std::string("mend it");
  });
  EXPECT_EQ(health.problem(), "");
  for (int i = 0; i < 3; ++i) health.failed("kafka-1:9092", {kSignIn, "wrong password"});
  EXPECT_EQ(said, 1);
  EXPECT_EQ(health.trouble()->text, "wrong password");
  EXPECT_EQ(health.problem(), "Kafka: wrong password; mend it");
  said = 0;
  health.answered();
  EXPECT_FALSE(health.trouble());
  EXPECT_EQ(health.problem(), "");
  health.failed("kafka-1:9092", {kSignIn, "wrong password"});
  EXPECT_EQ(said, 0) << "a client that has not asked for the new one yet";
}

TEST(ConnectionHealth, ABrokerThatIsAwayIsNoProblemOfItsOwn) {
  int said = 0;
  ConnectionHealth health([&](ConnectionFault) {
    ++said;
    return std::string();
  });
  for (int i = 0; i < 3; ++i) {
    health.failed("kafka-1:9092", {kUnreachable, "refused"});
    EXPECT_EQ(health.problem(), "") << "others may be there";
    EXPECT_EQ(health.trouble()->text, "refused");
    health.answered();
  }
  EXPECT_EQ(said, 1) << "one of several brokers may come and go";
}

TEST(Problems, AreOverOneByOne) {
  Problems problems;
  problems.set("web", "");
  EXPECT_EQ(problems.first(), "");
  EXPECT_TRUE(problems.none());
  problems.set("web", "no rights on web");
  EXPECT_FALSE(problems.none());
  problems.set("app", "no rights on app");
  problems.set("app", "there is no app");
  EXPECT_EQ(problems.first(), "there is no app");
  problems.set("app", "");
  EXPECT_EQ(problems.first(), "no rights on web");
  problems.set("web", "");
  EXPECT_EQ(problems.first(), "");
  EXPECT_TRUE(problems.none());
}

// Nobody listens on port 1.
TEST(ConnectionHealth, HearsOfTheLibraryWhyNoBrokerIsThere) {
  for (const bool tls : {false, true}) {
    ClientOptions options;
    options.brokers = "127.0.0.1:1";
    options.client_id = "test";
    options.tls = tls;
    options.health = std::make_shared<ConnectionHealth>(nullptr);
    auto client = std::move(Properties().set_client(options).open(RD_KAFKA_PRODUCER)).value();
    for (int i = 0; i < 600 && !options.health->trouble(); ++i) rd_kafka_poll(client.get(), 100);
    ASSERT_TRUE(options.health->trouble());
    EXPECT_EQ(options.health->trouble()->text, "Connect to ipv4#127.0.0.1:1 failed: Connection refused");
  }
}

TEST(ConnectionHealth, RemediesNameTheSettings) {
  ClientOptions client;
  EXPECT_EQ(remedy_of(client, ConnectionFault::kTls), "set transport.tls");
  client.tls = true;
  EXPECT_NE(remedy_of(client, ConnectionFault::kTls).find("transport.tls_ca"), std::string::npos);
  EXPECT_NE(remedy_of(client, kSignIn).find("transport.password_file"), std::string::npos);
  EXPECT_NE(remedy_of(client, ConnectionFault::kName).find("transport.brokers"), std::string::npos);
}

}  // namespace
}  // namespace logboom::transport::kafka
