#include <gtest/gtest.h>

#include "config/etcd/examine.h"
#include "config/testing/etcd_test.h"
#include "http/json.h"

namespace logboom::config {
namespace {

class EtcdExamineTest : public EtcdTest {
 protected:
  void SetUp() override {
    EtcdTest::SetUp();
    if (!etcd_) return;
    for (const std::string name : {"root", "agent"}) {
      etcd_->call("/v3/auth/user/add", R"({"name":")" + name + R"(","password":"secret"})");
      etcd_->call("/v3/auth/role/add", R"({"name":")" + name + R"("})");
      etcd_->call("/v3/auth/user/grant", R"({"user":")" + name + R"(","role":")" + name + R"("})");
    }
    examination_.etcd.endpoints = {etcd_->endpoint()};
    examination_.etcd.user = "agent";
    examination_.etcd.password = "secret";
    examination_.key = "collect_log_%s_conf";
    examination_.ip = "10.1.2.3";
  }

  // `type`: READ, WRITE or READWRITE; all keys that begin so.
  void grant(const char* type, const std::string& prefix) {
    std::string end = prefix;
    ++end.back();
    EXPECT_NE(etcd_->call("/v3/auth/role/grant", R"({"name":"agent","perm":{"permType":")" + std::string(type) +
                                                     R"(","key":")" + http::base64(prefix) + R"(","range_end":")" +
                                                     http::base64(end) + R"("}})"),
              "");
  }
  // The texts of what is not good.
  std::string complaints() {
    std::vector<Rule> rules;
    std::string all;
    for (const Finding& finding : examine_etcd(examination_, clock_, {}, rules)) {
      if (finding.verdict != Verdict::kGood) all += finding.text + " -> " + finding.remedy + "\n";
    }
    return all;
  }
  static bool says(const std::string& said, const char* what) { return said.find(what) != std::string::npos; }

  SystemClock clock_;
  EtcdExamination examination_;
};

TEST_F(EtcdExamineTest, EachRightThatIsMissingIsNamed) {
  grant("READ", "collect_log_");
  grant("WRITE", "/logboom/repairs/");
  ASSERT_NE(etcd_->call("/v3/auth/enable", "{}"), "");
  const std::string none = complaints();
  EXPECT_TRUE(says(none, "the fleet will not see this host")) << none;
  EXPECT_TRUE(says(none, "gaps in what this host sends cannot be repaired")) << none << "it may not read there";
  EXPECT_TRUE(says(none, "nobody can ask this host what rules would collect")) << none;
  EXPECT_TRUE(says(none, "the right to read and write under /logboom/previews/")) << none;
  EXPECT_EQ(std::count(none.begin(), none.end(), '\n'), 3) << none;
  examination_.collects = false;
  EXPECT_FALSE(says(complaints(), "previews")) << "a transfer is not asked";
}

TEST_F(EtcdExamineTest, WhoMayDoWhatItHasToIsNotBlamed) {
  grant("READ", "collect_log_");
  grant("WRITE", "/logboom/hosts/");
  grant("READWRITE", "/logboom/repairs/");
  grant("READWRITE", "/logboom/previews/");
  ASSERT_NE(etcd_->call("/v3/auth/enable", "{}"), "");
  EXPECT_EQ(complaints(), "");
}

}  // namespace
}  // namespace logboom::config
