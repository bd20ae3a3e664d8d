#include "app/generate/config_paths.h"

#include <gtest/gtest.h>

#include "io/memory_file_system.h"
#include "source/file/match/glob.h"

namespace logboom::app {
namespace {

class ConfigPaths : public testing::Test {
 protected:
  std::vector<std::string> of(const std::string& pattern, std::uint64_t count) {
    config::Rule rule;
    rule.path = pattern;
    auto paths = paths_of_rules({rule}, count, files_);
    EXPECT_TRUE(paths.ok()) << pattern << ": " << paths.error().message();
    return paths.ok() ? *paths : std::vector<std::string>();
  }

  MemoryFileSystem files_;
};

TEST_F(ConfigPaths, AFolderAndAPatternGetAsManyAsAreWanted) {
  ASSERT_TRUE(files_.create_directories("/var/log").ok());
  using Paths = std::vector<std::string>;
  EXPECT_EQ(of("/var/log", 2), (Paths{"/var/log/app-0.log", "/var/log/app-1.log"}));
  EXPECT_EQ(of("/srv/new/", 1), (Paths{"/srv/new/app-0.log"}));
  EXPECT_EQ(of("/srv/*.log", 2), (Paths{"/srv/app-0.log", "/srv/app-1.log"}));
  EXPECT_EQ(of("/srv/one.log", 3), (Paths{"/srv/one.log"}));
  EXPECT_EQ(of("/srv/**/x-?.log", 2), (Paths{"/srv/x-0.log", "/srv/x-1.log"}));
}

TEST_F(ConfigPaths, EveryNameIsOneThatThePatternTakes) {
  for (const char* pattern : {"/srv/*/access_*.log", "/srv/{a,b}/[a-c]?*.txt", "/srv/[!0-9]*", "/srv/a\\*b*", "/*/x",
                              "/srv/**", "/srv/log[0-9][0-9]", "/srv/.h*"}) {
    const auto glob = source::Glob::compile(pattern);
    ASSERT_TRUE(glob.ok());
    for (const std::string& path : of(pattern, 3)) EXPECT_TRUE(glob->matches(path)) << pattern << " " << path;
  }
}

TEST_F(ConfigPaths, NothingThatIsThereIsReplaced) {
  ASSERT_TRUE(files_.create_directories("/var/log").ok());
  ASSERT_TRUE(replace_file(files_, "/var/log/syslog", "real lines\n").ok());
  config::Rule rule;
  rule.path = "/var/log/syslog";
  rule.name = "system";
  const auto refused = paths_of_rules({rule}, 1, files_);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code(), ErrorCode::kInvalidArgument);
  EXPECT_NE(refused.error().message().find("/var/log/syslog"), std::string::npos);
  EXPECT_FALSE(paths_of_rules({}, 1, files_).ok());
}

}  // namespace
}  // namespace logboom::app
