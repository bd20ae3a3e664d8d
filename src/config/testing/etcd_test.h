// EtcdTest: what tests on a real etcd begin and end with. Where there is none they are skipped by name, in CI they
// fail.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include <gtest/gtest.h>
#include <stdlib.h>

#include "config/testing/etcd_process.h"

namespace logboom::config {

class EtcdTest : public testing::Test {
 protected:
  // A fixture's own SetUp() goes on only where etcd_ is there.
  void SetUp() override {
    if (const std::string why = EtcdProcess::missing(); !why.empty()) {
      ASSERT_EQ(std::getenv("CI"), nullptr) << why;
      GTEST_SKIP() << why;
    }
    char folder[] = "/tmp/lb_etcd_test_XXXXXX";
    ASSERT_NE(::mkdtemp(folder), nullptr);
    folder_ = folder;
    auto etcd = std::make_unique<EtcdProcess>(folder_);
    ASSERT_TRUE(etcd->start());
    etcd_ = std::move(etcd);
  }
  void TearDown() override {
    etcd_.reset();
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }

  std::string folder_;
  std::unique_ptr<EtcdProcess> etcd_;
};

}  // namespace logboom::config
