#include "server/fleet/fleet.h"

#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <stdlib.h>

namespace logboom::server {
namespace {

const std::string kA(32, 'a');
const std::string kB(32, 'b');

struct FleetTest : ::testing::Test {
  std::unique_ptr<FileSystem> files = open_posix_file_system();
  ManualClock clock;
  std::string directory;
  std::vector<std::string> revoked;
  std::unique_ptr<Fleet> fleet;

  void SetUp() override {
    char folder[] = "/tmp/lb_fleet_XXXXXX";
    ASSERT_NE(::mkdtemp(folder), nullptr);
    directory = folder;
    open();
  }
  void TearDown() override { std::filesystem::remove_all(directory); }

  Status try_open(std::vector<StoredSource> stored = {}, std::vector<SourceId> lost = {}) {
    fleet.reset();
    FleetOptions options;
    options.directory = directory;
    options.own_agent = std::string(32, '0');
    options.own_name = "here";
    options.stored = std::move(stored);
    options.lost = std::move(lost);
    options.token_is_valid = [this](const std::string& id) { return std::ranges::count(revoked, id) == 0; };
    auto opened = Fleet::open(options, *files, clock);
    if (!opened.ok()) return opened.error();
    fleet = std::move(opened).value();
    return {};
  }
  void open(std::vector<StoredSource> stored = {}) {
    const Status opened = try_open(std::move(stored));
    ASSERT_TRUE(opened.ok()) << opened.error().message();
  }
  static http::Principal by(const std::string& token) {
    return {"agent", http::Role::kIngest, http::Via::kToken, token, 0};
  }
  // The session's number, or minus the status of the refusal.
  int session(const std::string& token, const std::string& agent, const std::string& attempt = "") {
    std::uint64_t number = 0;
    AgentRecord record;
    record.id = agent;
    record.name = "web-1";
    record.attempt = attempt;
    const auto refusal = fleet->open_session(by(token), record, {}, number);
    return refusal ? -refusal->status : static_cast<int>(number);
  }
  std::string admit(const std::string& token, const std::string& agent, const std::string& number) {
    http::Request request;
    request.headers = {{"logboom-agent", agent}, {"logboom-session", number}};
    request.principal = by(token);
    Fleet::Admission admission;
    const auto refusal = fleet->admit(request, admission);
    return refusal ? refusal->code : admission.agent();
  }
};

TEST_F(FleetTest, SessionsCountOnOverARestart) {
  EXPECT_EQ(session("t1", kA), 1);
  EXPECT_EQ(session("t1", kA), 2);
  EXPECT_EQ(admit("t1", kA, "1"), "fenced");
  EXPECT_EQ(admit("t1", kA, "2"), kA);
  open();
  EXPECT_EQ(admit("t1", kA, "2"), kA) << "an agent need not notice that the server was restarted";
  EXPECT_EQ(session("t1", kA), 3);
  EXPECT_EQ(admit("t1", kA, "4"), "unknown_session");
  EXPECT_EQ(admit("t1", kB, "1"), "unknown_session");
}

// T7.
TEST_F(FleetTest, ARequestThatComesTwiceOpensOneSession) {
  EXPECT_EQ(session("t1", kA, "first"), 1);
  EXPECT_EQ(session("t1", kA, "first"), 1) << "its answer was lost, or somebody repeats it";
  open();
  EXPECT_EQ(session("t1", kA, "first"), 1);
  EXPECT_EQ(session("t2", kA, "first"), -403);
  EXPECT_EQ(session("t1", kA, "second"), 2);
  EXPECT_EQ(session("t1", kA, "first"), -409) << "a newer session has ended what it opened";
  EXPECT_EQ(admit("t1", kA, "2"), kA);
  EXPECT_EQ(session("t1", kA, std::string(65, 'x')), -400);
}

TEST_F(FleetTest, AnAgentThatIsAskedForItsGapsOpensANewSession) {
  EXPECT_EQ(fleet->ask_for_gaps(kA).error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(session("t1", kA, "first"), 1);
  EXPECT_EQ(fleet->ask_for_gaps(kA).error().code(), ErrorCode::kUnsupported) << "it sends nothing here";
  ASSERT_TRUE(fleet->claim(kA, {{1, 2}}).ok());
  ASSERT_TRUE(fleet->ask_for_gaps(kA).ok());
  EXPECT_EQ(admit("t1", kA, "1"), "unknown_session");
  EXPECT_EQ(session("t1", kA, "second"), 2);
  EXPECT_TRUE(fleet->wants_gaps(kA));
  fleet->told_gaps(kA);
  EXPECT_FALSE(fleet->wants_gaps(kA));
  EXPECT_EQ(admit("t1", kA, "2"), kA);
}

TEST_F(FleetTest, ATokenSpeaksForOneAgent) {
  EXPECT_EQ(session("t1", kA), 1);
  EXPECT_EQ(session("t1", kB), -403) << "a token of another agent";
  EXPECT_EQ(session("t2", kA), -403) << "an agent of another token";
  EXPECT_EQ(session("", kB), -403) << "an admin is no agent";
  EXPECT_EQ(admit("t2", kA, "1"), "forbidden");
  revoked = {"t1"};
  EXPECT_EQ(session("t2", kA), 2) << "a revoked token gives its agent free";
  EXPECT_EQ(admit("t1", kA, "2"), "forbidden");
}

TEST_F(FleetTest, MalformedIdsAndNumbersAreRefused) {
  EXPECT_EQ(session("t1", "short"), -400);
  EXPECT_EQ(session("t1", std::string(32, 'x')), -400);
  ASSERT_EQ(session("t1", kA), 1);
  for (const char* number : {"", "x", "-1", "1x", "99999999999999999999"})
    EXPECT_EQ(admit("t1", kA, number), "invalid_argument") << number;
}

TEST_F(FleetTest, ASourceBelongsToItsFirstAgentForEver) {
  ASSERT_TRUE(fleet->claim(kA, {{1, 1}, {1, 2}, {1, 1}}).ok());
  EXPECT_TRUE(fleet->claim(kA, {{1, 1}}).ok());
  EXPECT_EQ(fleet->claim(kB, {{2, 1}, {1, 2}}).error().code(), ErrorCode::kRejected);
  EXPECT_FALSE(fleet->owns(kB, {2, 1})) << "nothing of a refused claim";
  open();
  EXPECT_TRUE(fleet->owns(kA, {1, 2}));
  EXPECT_FALSE(fleet->owns(kB, {1, 2}));
}

TEST_F(FleetTest, WhatTheStoreHeldBeforeIsThisHostsOwn) {
  ASSERT_TRUE(fleet->claim(kA, {{1, 1}}).ok());
  open({{{1, 1}, "web-1"}, {{9, 9}, "here"}});
  EXPECT_TRUE(fleet->owns(kA, {1, 1}));
  EXPECT_EQ(fleet->claim(kA, {{9, 9}}).error().code(), ErrorCode::kRejected);
  EXPECT_TRUE(fleet->claim(std::string(32, '0'), {{9, 9}}).ok());
}

// A server that lost both of its files, or got those of an older backup.
TEST_F(FleetTest, WhatIsStoredOfAnotherHostGoesBackToItsAgent) {
  const std::vector<StoredSource> stored = {{{1, 1}, "web-1"}, {{1, 2}, "web-1"}, {{9, 9}, "here"}, {{7, 7}, "web-2"}};
  open(stored);
  const Status refused = fleet->claim(kA, {{1, 1}});
  EXPECT_EQ(refused.error().code(), ErrorCode::kRejected);
  EXPECT_NE(refused.error().message().find("agent-sources.txt"), std::string::npos) << refused.error().message();
  EXPECT_EQ(session("t1", kA), 1);
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(fleet->claim(kA, {{1, 1}}).ok());
    EXPECT_TRUE(fleet->owns(kA, {1, 2}));
    EXPECT_FALSE(fleet->owns(kA, {7, 7}));
    EXPECT_FALSE(fleet->owns(kA, {9, 9}));
    open(stored);
  }
  std::filesystem::remove(directory + "/agent-sources.txt");
  open(stored);
  EXPECT_TRUE(fleet->owns(kA, {1, 1})) << "its session goes on";
}

TEST_F(FleetTest, OfTwoAgentsOfOneNameNoneGetsWhatIsStored) {
  EXPECT_EQ(session("t1", kA), 1);
  EXPECT_EQ(session("t2", kB), 1);
  open({{{1, 1}, "web-1"}});
  EXPECT_FALSE(fleet->owns(kA, {1, 1}));
  EXPECT_FALSE(fleet->owns(kB, {1, 1}));
}

// A crash in the middle of a claim: the half line is nobody's, what stands before it stays.
TEST_F(FleetTest, ATornLineIsForgotten) {
  ASSERT_TRUE(fleet->claim(kA, {{1, 1}}).ok());
  fleet.reset();
  std::ofstream(directory + "/agent-sources.txt", std::ios::app) << "00000000000000010000";
  open();
  EXPECT_TRUE(fleet->claim(kB, {{2, 2}}).ok());
  open();
  EXPECT_TRUE(fleet->owns(kA, {1, 1}));
  EXPECT_TRUE(fleet->owns(kB, {2, 2}));
}

TEST_F(FleetTest, DamagedFilesAreNamedAndLeft) {
  ASSERT_EQ(session("t1", kA), 1);
  for (const char* text : {"{}", "[]", "{\"version\":\"1\"}", "{\"version\":1}", "{\"version\":1,\"agents\":[7]}"}) {
    std::ofstream(directory + "/agents.json") << text;
    const Status opened = try_open();
    ASSERT_FALSE(opened.ok()) << text;
    EXPECT_EQ(opened.error().code(), ErrorCode::kCorrupt) << text;
  }
  std::filesystem::remove(directory + "/agents.json");
  std::ofstream(directory + "/agent-sources.txt") << std::string(66, 'x');
  EXPECT_EQ(try_open().error().code(), ErrorCode::kCorrupt);
}

// A repair gave up a part of what one agent had sent: it has to ask again what is held, in a new session; others go on.
TEST_F(FleetTest, AnAgentWhoseBytesAreLostAsksAgain) {
  EXPECT_EQ(session("t1", kA), 1);
  EXPECT_EQ(session("t2", kB), 1);
  ASSERT_TRUE(fleet->claim(kA, {{1, 1}, {1, 2}}).ok());
  ASSERT_TRUE(fleet->claim(kB, {{2, 1}}).ok());
  ASSERT_TRUE(try_open({}, {{1, 2}, {9, 9}}).ok());
  EXPECT_EQ(admit("t1", kA, "1"), "unknown_session");
  EXPECT_EQ(admit("t2", kB, "1"), kB);
  EXPECT_EQ(session("t1", kA), 2);
  EXPECT_EQ(admit("t1", kA, "2"), kA);
  EXPECT_EQ(admit("t1", kA, "1"), "fenced");
}

TEST(TakesRulesFromHere, NotWhereTheAgentSaysThatItsFilesOrEtcdHaveThem) {
  AgentRecord agent;
  agent.name = "web-1";
  EXPECT_TRUE(takes_rules_from_here(agent).ok()) << "it says nothing yet";
  agent.state = R"({"rules": {"from": "server"}})";
  EXPECT_TRUE(takes_rules_from_here(agent).ok());
  for (const char* place : {"etcd", "file"}) {
    agent.state = fmt::format(R"({{"rules": {{"from": "{}"}}}})", place);
    EXPECT_EQ(takes_rules_from_here(agent).error().code(), ErrorCode::kRejected) << place;
  }
}

}  // namespace
}  // namespace logboom::server
