#include "source/file/watcher.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace logboom::source {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

class WatcherTest : public ::testing::Test {
 protected:
  WatcherTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "lb_watch_XXXXXX").string();
    dir = ::mkdtemp(pattern.data());
  }
  ~WatcherTest() override { std::filesystem::remove_all(dir); }
  void touch(const std::string& name) { std::ofstream(dir + "/" + name, std::ios::app) << "x"; }
  std::string dir;
};

TEST_F(WatcherTest, NamesChangedPathsEachOnceInTheOrderOfTheirLastChange) {
  auto watcher = Watcher::make();
  ASSERT_TRUE(watcher.ok());
  ASSERT_TRUE((*watcher)->watch({dir}).ok());
  touch("b"), touch("a");
  for (int i = 0; i < 5; ++i) touch("a"), touch("b");
  std::filesystem::rename(dir + "/a", dir + "/c");
  const auto changes = (*watcher)->take();
  EXPECT_THAT(changes.paths, ElementsAre(dir + "/b", dir + "/a", dir + "/c"));
  EXPECT_THAT(changes.modified, ElementsAre(dir + "/a", dir + "/b"));
  EXPECT_FALSE(changes.rescan);
  EXPECT_TRUE((*watcher)->take().paths.empty());
}

TEST_F(WatcherTest, AsksForARescanWhenFoldersComeOrGo) {
  auto watcher = Watcher::make();
  ASSERT_TRUE(watcher.ok());
  std::filesystem::create_directories(dir + "/sub");
  ASSERT_TRUE((*watcher)->watch({dir, dir + "/sub"}).ok());
  std::filesystem::create_directories(dir + "/new");
  EXPECT_TRUE((*watcher)->take().rescan);
  std::filesystem::remove(dir + "/sub");
  EXPECT_TRUE((*watcher)->take().rescan);
}

TEST_F(WatcherTest, AnotherFolderInThePlaceOfOneIsWatchedFromTheNextCallOn) {
  auto watcher = Watcher::make();
  ASSERT_TRUE(watcher.ok());
  std::filesystem::create_directories(dir + "/sub");
  ASSERT_TRUE((*watcher)->watch({dir + "/sub"}).ok());
  std::filesystem::rename(dir + "/sub", dir + "/old");
  std::filesystem::create_directories(dir + "/sub");
  EXPECT_TRUE((*watcher)->take().rescan);
  ASSERT_TRUE((*watcher)->watch({dir + "/sub"}).ok());
  touch("sub/a"), touch("sub/a");
  EXPECT_THAT((*watcher)->take().modified, ElementsAre(dir + "/sub/a"));
  touch("old/a");
  EXPECT_THAT((*watcher)->take().paths, ElementsAre()) << "the old one is watched no more";
}

TEST_F(WatcherTest, LooksAtFilesThatAreWrittenToAllTheTime) {
  auto watcher = Watcher::make();
  ASSERT_TRUE(watcher.ok());
  ASSERT_TRUE((*watcher)->watch({dir}).ok());
  const auto flood = [&] {
    for (std::size_t i = 0; i < Watcher::kManyWrites; ++i) touch("a"), touch("b");
  };
  touch("cold"), flood();
  EXPECT_FALSE((*watcher)->looks());
  (*watcher)->take();  // they came as well
  flood();
  (*watcher)->take();
  flood();
  std::ofstream(dir + "/a", std::ios::app) << std::string(100'000, 'x');
  auto changes = (*watcher)->take();
  EXPECT_TRUE((*watcher)->looks());
  EXPECT_THAT(changes.modified, UnorderedElementsAre(dir + "/a", dir + "/b", dir + "/cold"));
  // Whatever else is written there is seen too, and with little to see the events come back.
  touch("cold");
  changes = (*watcher)->take();
  EXPECT_THAT(changes.modified, ElementsAre(dir + "/cold"));
  EXPECT_FALSE((*watcher)->looks());
  touch("cold");
  EXPECT_THAT((*watcher)->take().modified, ElementsAre(dir + "/cold"));
}

TEST_F(WatcherTest, WhatComesWhileItLooksIsNotMissed) {
  auto watcher = Watcher::make();
  ASSERT_TRUE(watcher.ok());
  touch("a"), touch("b");
  ASSERT_TRUE((*watcher)->watch({dir}).ok());
  std::ofstream(dir + "/a", std::ios::app) << std::string(100'000, 'x');
  for (std::size_t i = 0; i < Watcher::kManyWrites; ++i) touch("a"), touch("b");
  (*watcher)->take();
  ASSERT_TRUE((*watcher)->looks());
  touch("new"), touch("new");
  EXPECT_THAT((*watcher)->take().paths, ElementsAre(dir + "/new"));
  EXPECT_FALSE((*watcher)->looks());
  touch("new");
  EXPECT_THAT((*watcher)->take().modified, ElementsAre(dir + "/new"));
}

TEST_F(WatcherTest, WatchesExactlyWhatItIsGiven) {
  auto watcher = Watcher::make();
  ASSERT_TRUE(watcher.ok());
  std::filesystem::create_directories(dir + "/sub");
  ASSERT_TRUE((*watcher)->watch({dir, dir + "/sub"}).ok());
  ASSERT_TRUE((*watcher)->watch({dir + "/sub"}).ok());
  (*watcher)->take();
  touch("outside");
  touch("sub/inside");
  EXPECT_THAT((*watcher)->take().paths, ElementsAre(dir + "/sub/inside"));
  EXPECT_TRUE((*watcher)->watch({dir + "/missing"}).ok()) << "a folder may come later; the reconcile looks for it";
}

}  // namespace
}  // namespace logboom::source
