// Rules in etcd, against a real one: what happens to it that does not happen to other sources.
#include "config/etcd/etcd_rule_source.h"

#include <thread>

#include <gtest/gtest.h>

#include "config/etcd/etcd_presence.h"
#include "config/etcd/etcd_rules.h"
#include "config/rules_yaml.h"
#include "config/testing/etcd_test.h"
#include "http/json.h"

namespace logboom::config {
namespace {

using std::chrono::milliseconds;

constexpr const char* kKey = "/logagent/10.1.2.3/collect_config";
constexpr const char* kOne = R"([{"path": "/srv/one", "topic": "t"}])";
constexpr const char* kTwo = R"([{"path": "/srv/one", "topic": "t"}, {"path": "/srv/two", "topic": "t"}])";

class EtcdRuleSourceTest : public EtcdTest {
 protected:
  void SetUp() override {
    EtcdTest::SetUp();
    if (!etcd_) return;
    options_.key = "/logagent/%s/collect_config";
    options_.ip = "10.1.2.3";
    options_.data_directory = folder_ + "/data";
    options_.least_pause = options_.most_pause = milliseconds(10);
    options_.etcd.endpoints = {etcd_->endpoint()};
    options_.etcd.answer_time = std::chrono::minutes(1);
    options_.etcd.watch_silence = milliseconds(500);
    open();
  }
  void TearDown() override {
    source_.reset();
    EtcdTest::TearDown();
  }
  void open() {
    source_.reset();
    source_ = std::move(open_etcd_rules(options_, *files_, clock_)).value();
  }
  // The number of rules after the next change; -1: they cannot be used.
  int follow() {
    if (!source_->wait_for_change(0, {})) return -2;
    const auto loaded = source_->load();
    return loaded.ok() ? static_cast<int>(loaded->rules.size()) : -1;
  }
  int in_force() { return static_cast<int>(source_->load()->rules.size()); }
  bool noticed_within(milliseconds time) {
    bool noticed = false;
    std::jthread waiter([&](std::stop_token stop) { noticed = source_->wait_for_change(0, stop); });
    std::this_thread::sleep_for(time);
    waiter.request_stop();
    waiter.join();
    return noticed;
  }
  // Lets the source look until it says so, without a change of the rules.
  bool says(const std::string& what) {
    bool said = false;
    std::jthread waiter([&](std::stop_token stop) { source_->wait_for_change(0, stop); });
    for (int i = 0; i < 500 && !said; ++i) {
      std::this_thread::sleep_for(milliseconds(20));
      said = source_->problem().find(what) != std::string::npos;
    }
    waiter.request_stop();
    return said;
  }

  std::unique_ptr<FileSystem> files_ = open_posix_file_system();
  SystemClock clock_;
  EtcdRuleOptions options_;
  std::unique_ptr<RuleSource> source_;
};

TEST_F(EtcdRuleSourceTest, AWatchedDeleteEmpties) {
  etcd_->put(kKey, kTwo);
  EXPECT_EQ(follow(), 2);
  std::jthread editor([&] {
    std::this_thread::sleep_for(milliseconds(100));
    etcd_->remove(kKey);
  });
  EXPECT_EQ(follow(), 0);
  open();
  EXPECT_EQ(in_force(), 0) << "and stays so";
  EXPECT_FALSE(noticed_within(milliseconds(100)));
}

TEST_F(EtcdRuleSourceTest, AnEmptyValueIsMalformedNotDeleted) {
  etcd_->put(kKey, kTwo);
  EXPECT_EQ(follow(), 2);
  etcd_->put(kKey, "");
  ASSERT_TRUE(source_->wait_for_change(0, {}));
  const auto refused = source_->load();
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message().find("the value is empty"), std::string::npos) << refused.error().message();
  open();
  EXPECT_EQ(in_force(), 2) << "the last good ones, over a restart";
  EXPECT_EQ(follow(), -1) << "and it is told again";
  etcd_->remove(kKey);
  EXPECT_EQ(follow(), 0);
}

TEST_F(EtcdRuleSourceTest, AKeyThatIsGoneAtARelistIsADelete) {
  etcd_->put(kKey, kTwo);
  EXPECT_EQ(follow(), 2);
  source_.reset();
  etcd_->remove(kKey);
  open();
  EXPECT_EQ(in_force(), 2);
  EXPECT_EQ(follow(), 0);
}

// C2: the same cluster id, a lower revision (the same addresses and token); then another cluster id.
TEST_F(EtcdRuleSourceTest, AWipedEtcdChangesNothingButRaisesAnAlarm) {
  for (int i = 0; i < 3; ++i) etcd_->put("other", "x");
  etcd_->put(kKey, kTwo);
  EXPECT_EQ(follow(), 2);
  for (const char* cluster : {"logboom-tests", "another"}) {
    etcd_->kill();
    etcd_->wipe(cluster);
    ASSERT_TRUE(etcd_->start());
    EXPECT_TRUE(says("wiped or restored")) << cluster;
    EXPECT_EQ(in_force(), 2);
    for (int i = 0; i < 20; ++i) etcd_->put("other", "x");  // its revision goes beyond the old one
    open();
    EXPECT_NE(source_->problem(), "") << "the alarm outlives a restart";
    EXPECT_TRUE(says("wiped or restored"));
    EXPECT_EQ(in_force(), 2);
    etcd_->put(kKey, kOne);
    EXPECT_EQ(follow(), 1);
    EXPECT_EQ(source_->problem(), "");
    etcd_->put(kKey, kTwo);
    EXPECT_EQ(follow(), 2);
  }
  etcd_->remove(kKey);
  EXPECT_EQ(follow(), 0) << "a delete counts again";
}

TEST_F(EtcdRuleSourceTest, ARestoredEtcdWithTheSameRulesEndsTheAlarm) {
  etcd_->put(kKey, kTwo);
  EXPECT_EQ(follow(), 2);
  etcd_->kill();
  etcd_->wipe("another");
  ASSERT_TRUE(etcd_->start());
  EXPECT_TRUE(says("wiped or restored"));
  etcd_->put(kKey, kTwo);  // at the same revision as before
  EXPECT_FALSE(noticed_within(milliseconds(500)));
  EXPECT_EQ(source_->problem(), "");
  open();
  EXPECT_EQ(source_->problem(), "");
}

// C3.
TEST_F(EtcdRuleSourceTest, ACompactionWhileAwayLosesNoKey) {
  etcd_->put(kKey, kOne);
  EXPECT_EQ(follow(), 1);
  for (int i = 0; i < 50; ++i) etcd_->put("other", "x");
  etcd_->put(kKey, kTwo);
  etcd_->compact();
  EXPECT_EQ(follow(), 2);
  etcd_->compact();
  etcd_->put(kKey, kOne);
  EXPECT_EQ(follow(), 1);
}

// C4: a thousand changes, the last one counts; and a member that hangs is not waited for.
TEST_F(EtcdRuleSourceTest, ManyChangesAndAMemberThatHangs) {
  std::jthread editor([&] {
    for (int i = 0; i < 1000; ++i) etcd_->put(kKey, i % 2 == 0 ? kOne : "[]");
    etcd_->put(kKey, kTwo);
  });
  while (in_force() != 2) ASSERT_GE(follow(), 0);
  editor.join();
  options_.etcd.answer_time = milliseconds(500);
  open();
  ASSERT_EQ(in_force(), 2);
  etcd_->pause(true);
  EXPECT_TRUE(says("no rules from etcd"));
  EXPECT_EQ(in_force(), 2);
  etcd_->pause(false);
  etcd_->put(kKey, kOne);
  EXPECT_EQ(follow(), 1);
}

TEST_F(EtcdRuleSourceTest, AnyEndpointMayBeDown) {
  options_.etcd.endpoints = {"127.0.0.1:1", "http://127.0.0.1:2", etcd_->endpoint()};
  open();
  etcd_->put(kKey, kOne);
  EXPECT_EQ(follow(), 1);
  etcd_->kill();
  EXPECT_TRUE(says("127.0.0.1:1"));
  EXPECT_NE(source_->problem().find(etcd_->endpoint()), std::string::npos) << "each endpoint says why";
}

TEST_F(EtcdRuleSourceTest, AnUnknownFieldIsOverlookedAndSaid) {
  etcd_->put(kKey, R"([{"path": "/srv/one", "topic": "t", "fromat": "json"}])");
  EXPECT_EQ(follow(), 1);
  EXPECT_NE(source_->problem().find("did you mean 'format'?"), std::string::npos) << source_->problem();
  etcd_->put(kKey, kOne);
  EXPECT_EQ(follow(), 1);
  EXPECT_EQ(source_->problem(), "");
}

// B34: a value as large as etcd takes.
TEST_F(EtcdRuleSourceTest, ALargeValueIsRead) {
  std::string value = "[";
  for (int i = 0; i < 9000; ++i)
    value += (i == 0 ? "" : ",") + std::string(R"({"path":"/srv/)") + std::to_string(i) +
             R"(","topic":"t","fields":{"pad":")" + std::string(90, 'x') + R"("}})";
  etcd_->put(kKey, value + "]");
  EXPECT_EQ(follow(), 9000);
}

TEST_F(EtcdRuleSourceTest, AUserSignsInAndSignsInAgain) {
  const auto key = [](const char* bytes) { return http::base64(bytes); };
  for (const std::string name : {"root", "agent"}) {
    etcd_->call("/v3/auth/user/add", R"({"name":")" + name + R"(","password":"secret"})");
    etcd_->call("/v3/auth/role/add", R"({"name":")" + name + R"("})");
    etcd_->call("/v3/auth/user/grant", R"({"user":")" + name + R"(","role":")" + name + R"("})");
  }
  etcd_->call("/v3/auth/role/grant", R"({"name":"agent","perm":{"permType":2,"key":")" + key("/logagent/") +
                                         R"(","range_end":")" + key("/logagent0") + R"("}})");
  etcd_->put(kKey, kOne);
  options_.etcd.user = "agent";
  options_.etcd.password = "secret";
  open();
  EXPECT_EQ(follow(), 1) << "where nobody has to sign in, a user and password do no harm";
  ASSERT_NE(etcd_->call("/v3/auth/enable", "{}"), "");
  EXPECT_FALSE(noticed_within(milliseconds(1500)));
  EXPECT_EQ(source_->problem(), "");
  etcd_->kill();  // it forgets the tokens it gave
  ASSERT_TRUE(etcd_->start());
  EXPECT_FALSE(noticed_within(milliseconds(1500)));
  EXPECT_EQ(source_->problem(), "");
  options_.etcd.password = "wrong";
  open();
  EXPECT_TRUE(says("cannot sign in as agent"));
  options_.etcd.user = "";
  open();
  EXPECT_TRUE(says("user name is empty"));
  options_.etcd.user = "agent";
  options_.etcd.password = "secret";
  options_.key = "/others/%s";
  open();
  EXPECT_TRUE(says("permission denied"));
}

TEST_F(EtcdRuleSourceTest, ManyHostsAreWrittenEachForItself) {
  EtcdRules rules = std::move(EtcdRules::open(options_.etcd, options_.key)).value();
  Rule rule;
  rule.path = "/srv/x";
  rule.name = default_rule_name(rule);
  Rule wrong = rule;
  wrong.path = "relative";
  std::vector<CentralChange> changes;
  std::vector<std::string> hosts;
  for (int i = 0; i < 130; ++i) {  // more than a request takes
    hosts.push_back(fmt::format("10.2.0.{}", i));
    changes.push_back({hosts.back(), 0, {i == 7 ? wrong : rule}});
  }
  changes[60].expected = 5;
  etcd_->put("/logagent/10.2.0.120/collect_config", kOne);
  const auto outcomes = rules.put(changes, "ann", 1, {});
  const auto after = rules.get(hosts, {});
  ASSERT_TRUE(after.ok());
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const bool refused = i == 7 || i == 60 || i == 120;
    EXPECT_EQ(outcomes[i].ok(), !refused) << i;
    EXPECT_EQ((*after)[i].revision == 0, i == 7 || i == 60) << i;
  }
  EXPECT_EQ(outcomes[7].error().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(outcomes[60].error().code(), ErrorCode::kRejected);
  EXPECT_EQ((*after)[120].value, kOne) << "somebody else's";
  EXPECT_EQ(rules.history("10.2.0.129", {})->front().revision, (*after)[129].revision);
  EXPECT_EQ(rules.history("10.2.0.129", {})->front().author, "ann");
}

TEST_F(EtcdRuleSourceTest, LargeSetsOfManyHostsAreWrittenInSeveralRequests) {
  EtcdRules rules = std::move(EtcdRules::open(options_.etcd, options_.key)).value();
  Rule rule;
  rule.path = "/srv/" + std::string(4000, 'x');
  std::vector<CentralChange> changes;
  for (int host = 0; host < 6; ++host) {
    std::vector<Rule> many;
    for (int i = 0; i < 50; ++i) {
      many.push_back(rule);
      many.back().path += std::to_string(i);
      many.back().name = default_rule_name(many.back());
    }
    changes.push_back({fmt::format("10.2.1.{}", host), 0, many});
  }
  for (const Status& outcome : rules.put(changes, "ann", 1, {})) EXPECT_TRUE(outcome.ok()) << outcome.error().message();
}

TEST_F(EtcdRuleSourceTest, TheHistoryKeepsWhatOthersWroteAndIsBounded) {
  EtcdRules rules = std::move(EtcdRules::open(options_.etcd, options_.key)).value();
  etcd_->put(kKey, kOne);
  Rule rule;
  rule.path = "/srv/x";
  rule.name = default_rule_name(rule);
  for (int i = 0; i < 210; ++i) {
    const auto now = rules.get("10.1.2.3", {});
    ASSERT_TRUE(now.ok());
    ASSERT_TRUE(rules.put({{"10.1.2.3", now->revision, {rule}}}, "ann", 1, {}).front().ok()) << i;
    if (i == 0) {
      ASSERT_EQ(rules.history("10.1.2.3", {})->size(), 2u);
      EXPECT_EQ(rules.history("10.1.2.3", {})->front().author, "etcd");
    }
  }
  const auto history = rules.history("10.1.2.3", {});
  ASSERT_TRUE(history.ok());
  EXPECT_LE(history->size(), 200u);
  EXPECT_EQ(history->back().revision, rules.get("10.1.2.3", {})->revision);
  etcd_->put("/logagent/10.1.2.4/collect_config", kOne);
  etcd_->put("/logagent/10.1.2.4/something_else", kOne);
  auto presence = std::move(open_etcd_presence(options_.etcd, "10.1.2.5")).value();
  ASSERT_TRUE(presence->tell("{}", {}).ok());
  const auto hosts = rules.hosts({});
  ASSERT_EQ(hosts->size(), 3u);
  EXPECT_EQ((*hosts)[0].name, "10.1.2.3");
  EXPECT_EQ((*hosts)[1].name, "10.1.2.4");
  EXPECT_EQ((*hosts)[1].words, "");
  EXPECT_EQ((*hosts)[2].name, "10.1.2.5");
  EXPECT_EQ((*hosts)[2].revision, 0u);
  EXPECT_EQ((*hosts)[2].words, "{}");
}

TEST_F(EtcdRuleSourceTest, AHostWritesOnlyWhatChangesAndGoesWithItsLease) {
  EtcdClient client = std::move(EtcdClient::open(options_.etcd)).value();
  auto presence = std::move(open_etcd_presence(options_.etcd, "10.1.2.3")).value();
  const std::string key = std::string(kEtcdPresencePrefix) + "10.1.2.3";
  ASSERT_TRUE(presence->tell("one", {}).ok());
  const std::uint64_t written = client.get(key, {})->entries.at(0).revision;
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(presence->tell("one", {}).ok());
  EXPECT_EQ(client.get(key, {})->entries.at(0).revision, written) << "a store keeps every revision";
  ASSERT_TRUE(presence->tell("two", {}).ok());
  EXPECT_EQ(client.get(key, {})->entries.at(0).value, "two");
  etcd_->kill();
  EXPECT_FALSE(presence->tell("two", {}).ok());
  etcd_->wipe("another");
  ASSERT_TRUE(etcd_->start());
  ASSERT_TRUE(presence->tell("two", {}).ok()) << "the lease is gone, it takes another";
  EXPECT_EQ(client.get(key, {})->entries.at(0).value, "two");
}

TEST_F(EtcdRuleSourceTest, TheHostsOwnRulesAreInForceBesideThem) {
  Rule own;
  own.path = "/srv/own";
  own.name = default_rule_name(own);
  options_.own = {own};
  open();
  EXPECT_EQ(in_force(), 1);
  etcd_->put(kKey, kTwo);
  EXPECT_EQ(follow(), 3);
  auto loaded = source_->load();
  ASSERT_TRUE(source_->put(loaded->revision, loaded->rules, "ann").ok());
  EXPECT_EQ(follow(), 3) << "they are not written into etcd";
  EXPECT_EQ(source_->history()->back().text.find("/srv/own"), std::string::npos);
}

TEST_F(EtcdRuleSourceTest, KeptRulesThatTheRootsNoLongerAllowDoNotKeepAnAgentFromStarting) {
  etcd_->put(kKey, kOne);
  EXPECT_EQ(follow(), 1);
  options_.roots = {"/other"};
  open();
  EXPECT_EQ(in_force(), 0);
  EXPECT_EQ(follow(), -1) << "what etcd has is refused aloud";
}

class EtcdMetricsTest : public EtcdRuleSourceTest {
 protected:
  void SetUp() override {
    EtcdRuleSourceTest::SetUp();
    if (IsSkipped()) return;
    options_.system_key = "collect_system_%s_conf";
    options_.own_metrics = MetricsRule{true, std::chrono::seconds(30), "own"};
    open();
  }
  std::optional<MetricsRule> metrics() { return source_->load()->metrics; }
  std::optional<MetricsRule> next_metrics() {
    EXPECT_TRUE(source_->wait_for_change(0, {}));
    return metrics();
  }
  static constexpr const char* kSystem = "collect_system_10.1.2.3_conf";
};

TEST_F(EtcdMetricsTest, AreFollowedBesideTheRules) {
  EXPECT_EQ(metrics(), options_.own_metrics);
  etcd_->put(kKey, kOne);
  EXPECT_EQ(follow(), 1);
  EXPECT_EQ(metrics(), options_.own_metrics);
  etcd_->put(kSystem, R"({"interval": 10, "topic": "system"})");
  EXPECT_EQ(next_metrics(), (MetricsRule{true, std::chrono::seconds(10), "system"}));
  EXPECT_EQ(in_force(), 1);
  std::jthread later([this] {
    std::this_thread::sleep_for(milliseconds(200));
    etcd_->put(kSystem, R"({"Interval": 1, "topic": "system"})");
  });
  EXPECT_EQ(next_metrics(), (MetricsRule{true, std::chrono::seconds(1), "system"}));
  later.join();
  etcd_->put(kKey, kTwo);
  EXPECT_EQ(follow(), 2);
  etcd_->put(kSystem, R"("off")");
  EXPECT_FALSE(next_metrics()->on);
}

TEST_F(EtcdMetricsTest, WhatIsWrongLeavesTheLastGoodOnesAndEveryRule) {
  etcd_->put(kSystem, R"({"interval": 5})");
  EXPECT_EQ(next_metrics()->interval, std::chrono::seconds(5));
  for (const char* bad : {"{", "[]", R"({"interval": 0})", R"({"interval": "soon"})", R"({"topic": "a b"})", "7"}) {
    etcd_->put(kSystem, bad);
    EXPECT_EQ(next_metrics()->interval, std::chrono::seconds(5)) << bad;
    EXPECT_NE(source_->problem().find("the last good rule of metrics stays in force"), std::string::npos) << bad;
  }
  etcd_->put(kKey, kTwo);
  EXPECT_EQ(follow(), 2);
  open();  // as after a start
  EXPECT_EQ(metrics()->interval, std::chrono::seconds(5));
  etcd_->put(kSystem, R"({"interval": 7})");
  while (metrics()->interval != std::chrono::seconds(7)) ASSERT_TRUE(source_->wait_for_change(0, {}));
  EXPECT_EQ(source_->problem(), "");
}

TEST(HostIp, IsTheAddressTowardsTheEndpointWhereThereIsNoOther) {
  const auto ip = host_ip({"127.0.0.1:2379"});
  ASSERT_TRUE(ip.ok());
  EXPECT_NE(*ip, "");
  EXPECT_EQ(etcd_key("collect_log_%s_conf", "10.0.0.7"), "collect_log_10.0.0.7_conf");
  EXPECT_EQ(etcd_key("fixed", "10.0.0.7"), "fixed");
}

}  // namespace
}  // namespace logboom::config
