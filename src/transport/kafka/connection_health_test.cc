#include "transport/kafka/connection_health.h"

#include <gtest/gtest.h>

#include "transport/kafka/client.h"

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
