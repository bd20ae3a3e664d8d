// What every source of rules must do, wherever it has them from: files, a server, a real etcd.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include <gtest/gtest.h>
#include <stdlib.h>

#include "config/etcd/etcd_rule_source.h"
#include "config/file/file_rule_source.h"
#include "config/http/http_rule_source.h"
#include "config/rules_json.h"
#include "config/rules_yaml.h"
#include "config/testing/etcd_process.h"
#include "config/testing/rule_server.h"

namespace logboom::config {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds kShortly{100};

Rule rule_of(const std::string& path) {
  Rule rule;
  rule.path = path;
  rule.name = default_rule_name(rule);
  return rule;
}

// Where the rules are kept, as a person who changes them sees it.
class Place {
 public:
  explicit Place(std::string folder) : folder_(std::move(folder)) {}
  virtual ~Place() = default;
  // Why it cannot be had on this machine.
  virtual std::string missing() { return ""; }
  virtual bool start() { return true; }
  // A source on it, anew, as after a restart of the program.
  virtual std::unique_ptr<RuleSource> open(const std::vector<std::string>& roots) = 0;
  virtual void set(const std::vector<Rule>& rules) = 0;
  virtual void set_unreadable() = 0;
  // Other people keep them: they may be away, wrong, or name what this host does not allow.
  virtual bool central() const { return true; }
  virtual void go_away() {}
  virtual bool come_back() { return true; }
  // Whether put() and history() are for this host.
  virtual bool writable() const { return true; }

 protected:
  std::string data() const { return folder_ + "/data"; }
  const std::string folder_;
  std::unique_ptr<FileSystem> files_ = open_posix_file_system();
  SystemClock clock_;
};

class FilePlace final : public Place {
 public:
  using Place::Place;
  std::unique_ptr<RuleSource> open(const std::vector<std::string>&) override {
    return std::move(open_file_rules({file(), data(), {}, {}}, *files_, clock_)).value();
  }
  void set(const std::vector<Rule>& rules) override { write(write_rules(rules)); }
  void set_unreadable() override { write("collect: ]\n"); }
  bool central() const override { return false; }

 private:
  std::string file() const { return folder_ + "/logboom.yaml"; }
  void write(const std::string& text) {
    std::ofstream(file() + ".new", std::ios::binary) << text;
    std::filesystem::rename(file() + ".new", file());
  }
};

class ServerPlace final : public Place {
 public:
  using Place::Place;
  bool start() override { return server_.start(); }
  std::unique_ptr<RuleSource> open(const std::vector<std::string>& roots) override {
    HttpRuleOptions options;
    options.client.server = server_.url();
    options.data_directory = data();
    options.roots = roots;
    options.least_pause = options.most_pause = milliseconds(5);
    return std::move(open_http_rules(options, *files_)).value();
  }
  void set(const std::vector<Rule>& rules) override { server_.put(++revision_, write_rules(rules)); }
  void set_unreadable() override { server_.put(++revision_, "collect: ]\n"); }
  void go_away() override { server_.stop(); }
  bool come_back() override { return server_.start(); }
  bool writable() const override { return false; }

 private:
  RuleServer server_;
  std::uint64_t revision_ = 0;
};

class EtcdPlace final : public Place {
 public:
  explicit EtcdPlace(std::string folder) : Place(std::move(folder)), etcd_(folder_) {}
  std::string missing() override { return EtcdProcess::missing(); }
  bool start() override { return etcd_.start(); }
  std::unique_ptr<RuleSource> open(const std::vector<std::string>& roots) override {
    EtcdRuleOptions options;
    options.etcd.endpoints = {etcd_.endpoint()};
    options.key = "/test/%s/rules";
    options.ip = "10.1.2.3";
    options.data_directory = data();
    options.roots = roots;
    options.least_pause = options.most_pause = milliseconds(5);
    return std::move(open_etcd_rules(options, *files_, clock_)).value();
  }
  void set(const std::vector<Rule>& rules) override { etcd_.put("/test/10.1.2.3/rules", write_rules_json(rules)); }
  void set_unreadable() override { etcd_.put("/test/10.1.2.3/rules", "[{]"); }
  void go_away() override { etcd_.kill(); }
  bool come_back() override { return etcd_.start(); }

 private:
  EtcdProcess etcd_;
};

struct Case {
  const char* name;
  std::function<std::unique_ptr<Place>(std::string folder)> make;
};

class RuleSourceContract : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    char folder[] = "/tmp/lb_rule_source_XXXXXX";
    ASSERT_NE(::mkdtemp(folder), nullptr);
    folder_ = folder;
    place_ = GetParam().make(folder_);
    if (const std::string why = place_->missing(); !why.empty()) {
      ASSERT_EQ(std::getenv("CI"), nullptr) << why;
      GTEST_SKIP() << why;
    }
    ASSERT_TRUE(place_->start());
    open();
  }
  void TearDown() override {
    source_.reset();
    place_.reset();
    std::filesystem::remove_all(folder_);
  }
  void open() {
    source_.reset();
    source_ = place_->open(roots_);
  }
  // What is in force, as the program does it: the last good rules stay.
  bool follow() {
    if (!source_->wait_for_change(revision_, {})) return false;
    auto loaded = source_->load();
    if (loaded.ok()) revision_ = loaded->revision, rules_ = loaded->rules;
    return loaded.ok();
  }
  bool noticed_within(milliseconds time) {
    bool noticed = false;
    std::jthread waiter([&](std::stop_token stop) { noticed = source_->wait_for_change(revision_, stop); });
    std::this_thread::sleep_for(time);
    waiter.request_stop();
    waiter.join();
    return noticed;
  }
  // Of a source that was never asked before.
  void load_first() {
    auto loaded = source_->load();
    ASSERT_TRUE(loaded.ok());
    revision_ = loaded->revision;
    rules_ = loaded->rules;
  }

  std::string folder_;
  std::vector<std::string> roots_;
  std::unique_ptr<Place> place_;
  std::unique_ptr<RuleSource> source_;
  std::uint64_t revision_ = 0;
  std::vector<Rule> rules_;
};

TEST_P(RuleSourceContract, WithoutRulesThereAreNone) {
  load_first();
  EXPECT_TRUE(rules_.empty());
  EXPECT_FALSE(noticed_within(kShortly));
}

TEST_P(RuleSourceContract, AChangeIsNoticedWithinASecond) {
  load_first();
  place_->set({rule_of("/srv/one")});
  EXPECT_TRUE(follow());
  std::vector<std::chrono::nanoseconds> took;
  for (int i = 0; i < 3; ++i) {
    std::chrono::steady_clock::time_point changed;
    std::jthread editor([&] {
      std::this_thread::sleep_for(kShortly);
      changed = std::chrono::steady_clock::now();
      place_->set({rule_of("/srv/one"), rule_of("/srv/" + std::to_string(i))});
    });
    ASSERT_TRUE(follow());
    const auto noticed = std::chrono::steady_clock::now();
    editor.join();
    took.push_back(noticed - changed);
    ASSERT_EQ(rules_.size(), 2u);
    EXPECT_EQ(rules_[1].path, "/srv/" + std::to_string(i));
  }
  std::ranges::sort(took);
  EXPECT_LT(took[1], std::chrono::seconds(1)) << "as a rule: a busy machine may stand still for a second";
}

TEST_P(RuleSourceContract, WhatWasNotChangedIsNotNoticed) {
  load_first();
  place_->set({rule_of("/srv/one")});
  ASSERT_TRUE(follow());
  EXPECT_FALSE(noticed_within(kShortly));
}

TEST_P(RuleSourceContract, TheSameRulesKeepTheirRevisionOverARestart) {
  load_first();
  place_->set({rule_of("/srv/one")});
  ASSERT_TRUE(follow());
  const std::uint64_t before = revision_;
  open();
  load_first();
  EXPECT_EQ(revision_, before);
  ASSERT_EQ(rules_.size(), 1u);
  EXPECT_FALSE(noticed_within(kShortly));
}

// The fault of others: reloads that come during a reload are swallowed.
TEST_P(RuleSourceContract, OfManyRevisionsTheLastOneIsInForce) {
  load_first();
  std::jthread editor([&] {
    for (int i = 1; i <= 20; ++i) place_->set({rule_of("/srv/" + std::to_string(i))});
  });
  while (rules_.empty() || rules_[0].path != "/srv/20") ASSERT_TRUE(follow());
}

// C1.
TEST_P(RuleSourceContract, WhatCannotBeReadIsAnErrorAndTheNextGoodSetIsTaken) {
  load_first();
  place_->set({rule_of("/srv/one")});
  ASSERT_TRUE(follow());
  place_->set_unreadable();
  ASSERT_TRUE(source_->wait_for_change(revision_, {}));
  EXPECT_EQ(source_->load().error().code(), ErrorCode::kInvalidArgument);
  EXPECT_FALSE(noticed_within(kShortly)) << "it is told once";
  if (place_->central()) {
    open();
    load_first();
    EXPECT_EQ(rules_.size(), 1u) << "the last good rules stay over a restart";
  }
  place_->set({rule_of("/srv/two")});
  while (!follow()) {
  }
  EXPECT_EQ(rules_[0].path, "/srv/two");
}

TEST_P(RuleSourceContract, WhereTheRulesAreMayBeAway) {
  if (!place_->central()) return;
  load_first();
  place_->set({rule_of("/srv/one")});
  ASSERT_TRUE(follow());
  place_->go_away();
  while (source_->problem().empty()) EXPECT_FALSE(noticed_within(kShortly));
  open();
  load_first();
  EXPECT_EQ(rules_.size(), 1u);
  ASSERT_TRUE(place_->come_back());
  place_->set({rule_of("/srv/one"), rule_of("/srv/two")});
  ASSERT_TRUE(follow());
  EXPECT_EQ(rules_.size(), 2u);
  EXPECT_EQ(source_->problem(), "");
}

// P11, X5: central rules stay inside the roots of the host's own file, whatever wildcards and names they use.
TEST_P(RuleSourceContract, CentralRulesStayInsideTheRoots) {
  if (!place_->central()) return;
  roots_ = {"/srv"};
  open();
  load_first();
  place_->set({rule_of("/srv/*.log")});
  ASSERT_TRUE(follow());
  for (const char* path : {"/etc/passwd", "/srvx/a.log", "/*/a.log", "/s{rv,bin}/a.log", "/", "/srv/../etc/a.log"}) {
    place_->set({rule_of(path)});
    ASSERT_TRUE(source_->wait_for_change(revision_, {}));
    const auto loaded = source_->load();
    ASSERT_FALSE(loaded.ok()) << path;
    EXPECT_NE(loaded.error().message().find("outside the roots"), std::string::npos) << loaded.error().message();
  }
  open();
  load_first();
  EXPECT_EQ(rules_.at(0).path, "/srv/*.log");
}

TEST_P(RuleSourceContract, WaitEndsAtTheStop) {
  load_first();
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(source_->wait_for_change(revision_, stop.get_token()));
  EXPECT_FALSE(noticed_within(milliseconds(0)));
}

TEST_P(RuleSourceContract, PutComparesTheRevisionItWasEditedFrom) {
  load_first();
  place_->set({rule_of("/srv/one")});
  ASSERT_TRUE(follow());
  if (!place_->writable()) {
    EXPECT_EQ(source_->put(revision_, {}, "eve").error().code(), ErrorCode::kUnsupported);
    EXPECT_EQ(source_->history().error().code(), ErrorCode::kUnsupported);
    return;
  }
  EXPECT_EQ(source_->put(revision_ + 7, {rule_of("/srv/two")}, "eve").error().code(), ErrorCode::kRejected);
  EXPECT_EQ(source_->put(revision_, {rule_of("relative")}, "eve").error().code(), ErrorCode::kInvalidArgument);
  EXPECT_FALSE(noticed_within(kShortly));
  ASSERT_TRUE(source_->put(revision_, {rule_of("/srv/one"), rule_of("/srv/two")}, "ann").ok());
  ASSERT_TRUE(follow());
  EXPECT_EQ(rules_.back().path, "/srv/two");
  const auto history = source_->history();
  ASSERT_EQ(history->size(), place_->central() ? 2u : 3u) << "a set of files without rules counts";
  EXPECT_EQ(history->back().author, "ann");
  EXPECT_EQ(history->back().revision, revision_);
  EXPECT_NE((*history)[history->size() - 2].text.find("/srv/one"), std::string::npos);
}

template <typename Kind>
Case make_case(const char* name) {
  return {name, [](std::string folder) { return std::make_unique<Kind>(std::move(folder)); }};
}

INSTANTIATE_TEST_SUITE_P(Sources, RuleSourceContract,
                         ::testing::Values(make_case<FilePlace>("File"), make_case<ServerPlace>("Server"),
                                           make_case<EtcdPlace>("Etcd")),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace logboom::config
