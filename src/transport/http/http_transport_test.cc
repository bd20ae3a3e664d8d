// What the HTTP transport does beyond the contract: it waits for a server that is away, keeps to one session, and hands
// on what the server holds.
#include <gtest/gtest.h>

#include "transport/testing/http_under_test.h"

namespace logboom::transport {
namespace {

std::shared_ptr<const Batch> line_at(std::uint64_t begin, SourceId source = {1, 2}) {
  Batch batch;
  batch.source = source;
  batch.channel = "logs";
  batch.begin = begin;
  batch.end = begin + 5;
  batch.bytes = "line\n";
  Record record;
  record.length = 4;
  batch.records = {record};
  return std::make_shared<const Batch>(std::move(batch));
}

struct HttpTransportTest : ::testing::Test {
  HttpServerUnderTest server;
  Registry registry;
  Mutex mutex;
  CondVar changed;
  std::vector<Result<Coverage>> answers LB_GUARDED_BY(mutex);
  std::optional<Error> ended LB_GUARDED_BY(mutex);
  std::map<SourceId, std::vector<std::uint64_t>> arrived LB_GUARDED_BY(mutex);  // begins of batches, as they came
  // Commits whatever comes, as a store would.
  std::jthread store{[this](std::stop_token stop) {
    while (auto delivery = server.pipe.consumer->receive(stop)) {
      const Batch& batch = *std::get<std::shared_ptr<const Batch>>(delivery->message);
      Coverage coverage;
      coverage.add(batch.begin, batch.end);
      {
        MutexLock lock(mutex);
        arrived[batch.source].push_back(batch.begin);
      }
      server.pipe.consumer->commit(delivery->position, coverage);
    }
  }};

  std::unique_ptr<HttpProducer> open(HttpOptions options) {
    auto made = open_http_producer(std::move(options), registry, [this](const Error& error) {
      MutexLock lock(mutex);
      ended = error;
      changed.notify_all();
    });
    EXPECT_TRUE(made.ok());
    return std::move(made).value();
  }
  std::unique_ptr<HttpProducer> open() { return open(server.agent_options()); }
  void publish(Producer& producer, std::shared_ptr<const Batch> batch) {
    const Status status = producer.publish(std::move(batch),
                                           [this](Result<Coverage> answer) {
                                             MutexLock lock(mutex);
                                             answers.push_back(std::move(answer));
                                             changed.notify_all();
                                           },
                                           {});
    ASSERT_TRUE(status.ok());
  }
  bool wait_for(const std::function<bool()>& condition) {
    MutexLock lock(mutex);
    return changed.wait_for(mutex, {}, std::chrono::seconds(30), condition);
  }
  bool answered(std::size_t count) {
    return wait_for([&]() LB_NO_THREAD_SAFETY_ANALYSIS { return answers.size() >= count; });
  }
};

TEST_F(HttpTransportTest, WhatTheServerHoldsComesBackForThisAgentAlone) {
  KnownSource mine;
  mine.source = {1, 2};
  mine.channel = "logs";
  mine.coverage.add(0, 5);
  KnownSource foreign = mine;
  foreign.source = {8, 8};
  server.known = {mine, foreign};
  auto producer = open();
  publish(*producer, line_at(0));
  ASSERT_TRUE(answered(1));
  const auto known = producer->known_sources();
  ASSERT_TRUE(known.ok()) << known.error().message();
  ASSERT_EQ(known->size(), 1u);
  EXPECT_EQ((*known)[0].source, mine.source);
  EXPECT_EQ((*known)[0].coverage, mine.coverage);
}

// The server dies with a batch on its way and comes back: the batch is kept and delivered, in the same session.
TEST_F(HttpTransportTest, AServerThatIsAwayIsWaitedFor) {
  auto producer = open();
  publish(*producer, line_at(0));
  ASSERT_TRUE(answered(1));
  const std::string address = server.address();
  server.server->stop_now();
  publish(*producer, line_at(5));
  while (producer->problem().empty()) std::this_thread::yield();
  server.start(address);
  ASSERT_TRUE(answered(2));
  MutexLock lock(mutex);
  EXPECT_TRUE(answers[1].ok());
  EXPECT_EQ(producer->session(), 1u);
}

// Many requests at once on several connections, and one made ready behind each: no batch of a source overtakes another.
TEST_F(HttpTransportTest, EverySourceKeepsItsOrderOverAllConnections) {
  constexpr std::uint64_t kSources = 3;
  constexpr std::uint64_t kBatches = 200;
  HttpOptions options = server.agent_options();
  options.lanes = 5;
  options.request_bytes = 1;  // each batch is a request
  auto producer = open(options);
  std::vector<std::uint64_t> wanted;
  for (std::uint64_t i = 0; i < kBatches; ++i) {
    wanted.push_back(i * 5);
    for (std::uint64_t source = 1; source <= kSources; ++source) publish(*producer, line_at(i * 5, {1, source}));
  }
  ASSERT_TRUE(answered(kSources * kBatches));
  MutexLock lock(mutex);
  for (const auto& answer : answers) EXPECT_TRUE(answer.ok());
  ASSERT_EQ(arrived.size(), kSources);
  for (const auto& [source, begins] : arrived) EXPECT_EQ(begins, wanted);
}

// A server counts its agents' connections: with one batch at a time the first lanes do it all.
TEST_F(HttpTransportTest, ConnectionsAreOpenedAsTheyAreNeeded) {
  HttpOptions options = server.agent_options();
  options.lanes = 16;
  auto producer = open(options);
  for (std::uint64_t i = 0; i < 100; ++i) {
    publish(*producer, line_at(i * 5, {1, i}));
    ASSERT_TRUE(answered(i + 1));
  }
  EXPECT_LT(server.registry.counter("logboom_http_connections_total", "").value(), 8U);
}

TEST_F(HttpTransportTest, WhatIsNotCompressedArrivesTheSame) {
  HttpOptions options = server.agent_options();
  options.level = kNoCompression;
  auto producer = open(options);
  publish(*producer, line_at(0));
  ASSERT_TRUE(answered(1));
  MutexLock lock(mutex);
  EXPECT_TRUE(answers[0].ok());
}

// T: an older process of the same host is refused for good once a newer one has spoken.
TEST_F(HttpTransportTest, ANewerSessionEndsTheOlderOne) {
  auto older = open();
  publish(*older, line_at(0));
  ASSERT_TRUE(answered(1));
  auto newer = open();
  ASSERT_TRUE(newer->known_sources().ok());
  publish(*older, line_at(5));
  ASSERT_TRUE(answered(2));
  {
    MutexLock lock(mutex);
    EXPECT_EQ(answers[1].error().code(), ErrorCode::kRejected);
    ASSERT_TRUE(ended.has_value());
    EXPECT_EQ(ended->code(), ErrorCode::kRejected);
  }
  publish(*newer, line_at(5));
  ASSERT_TRUE(answered(3));
}

TEST_F(HttpTransportTest, AServerWithOtherDataEndsTheSession) {
  auto producer = open();
  ASSERT_TRUE(producer->known_sources().ok());
  const std::string address = server.address();
  server.server->stop_now();
  std::filesystem::remove(server.directory + "/agents.json");
  server.start(address);
  publish(*producer, line_at(0));
  ASSERT_TRUE(answered(1));
  MutexLock lock(mutex);
  ASSERT_TRUE(ended.has_value());
  EXPECT_EQ(ended->code(), ErrorCode::kNotFound);
}

// X8: another agent's file, another agent's name.
TEST_F(HttpTransportTest, AForgedAgentIsRefused) {
  auto owner = open();
  publish(*owner, line_at(0));
  ASSERT_TRUE(answered(1));
  HttpOptions other = server.agent_options();
  other.client.token = "t2";
  other.agent = std::string(32, 'b');
  auto thief = open(other);
  publish(*thief, line_at(5));
  ASSERT_TRUE(answered(2));
  {
    MutexLock lock(mutex);
    EXPECT_EQ(answers[1].error().code(), ErrorCode::kRejected);
  }
  other.agent = server.agent_options().agent;
  auto liar = open(other);
  const auto asked = liar->known_sources();
  ASSERT_FALSE(asked.ok());
  EXPECT_NE(asked.error().message().find("403"), std::string::npos) << asked.error().message();
}

TEST_F(HttpTransportTest, WhatIsNotABatchIsRefused) {
  http::HttpClient client({.server = "http://" + server.address(), .token = "t1"});
  auto session = open();
  ASSERT_TRUE(session->known_sources().ok());
  const http::Headers headers = {{"Logboom-Agent", std::string(32, 'a')}, {"Logboom-Session", "1"}};
  for (const std::string& body : {std::string(), std::string("nonsense"), std::string(300'000, 'x')}) {
    const auto answer = client.send({"POST", "/api/v1/agent/batches", headers, body});
    ASSERT_TRUE(answer.ok()) << answer.error().message();
    EXPECT_EQ(answer->status, 400) << answer->body;
  }
}

// X8: what an agent says of itself is shown to people; a tree too deep to be written again must not get that far.
TEST_F(HttpTransportTest, AStateThatIsTooDeepIsRefused) {
  http::HttpClient client({.server = "http://" + server.address(), .token = "t1"});
  auto session = open();
  ASSERT_TRUE(session->known_sources().ok());
  const http::Headers headers = {{"Logboom-Agent", std::string(32, 'a')}, {"Logboom-Session", "1"}};
  const auto send = [&](std::size_t depth) {
    const std::string body = R"({"totals":{"files":0,"lag_bytes":0,"unreadable":0},"problem":"",)"
                             R"("rules":{"revision":0,"problem":""},"sources":)" +
                             std::string(depth, '[') + std::string(depth, ']') + "}";
    const auto answer = client.send({"POST", "/api/v1/agent/state", headers, body});
    return answer.ok() ? answer->status : 0;
  };
  EXPECT_EQ(send(1), 204);
  EXPECT_EQ(send(900'000), 400);
}

// As a proxy between the two may answer.
TEST_F(HttpTransportTest, AnAnswerThatIsNotOfLogboomIsAnError) {
  for (const char* body :
       {R"({"error":"bad gateway"})", R"({"error":{"code":502,"message":[]}})", R"({"session":"x"})"}) {
    http::Router others;
    others.add(http::Route(
        "POST", "/api/v1/agent/session", http::Access::everyone(), [&](const http::Request&, http::ResponseWriter& w) {
          w.send(http::json_response(body, std::string_view(body).starts_with("{\"error") ? 502 : 200));
        }));
    http::HttpServer proxy({.listen = "127.0.0.1:0"}, others, server.guard, server.registry, server.clock);
    ASSERT_TRUE(proxy.start().ok());
    HttpOptions options = server.agent_options();
    options.client.server = "http://127.0.0.1:" + std::to_string(proxy.port());
    const auto known = open(options)->known_sources();
    EXPECT_FALSE(known.ok()) << body;
  }
}

}  // namespace
}  // namespace logboom::transport
