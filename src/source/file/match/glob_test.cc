#include "source/file/match/glob.h"

#include <string>

#include <gtest/gtest.h>

namespace logboom::source {
namespace {

bool matches(std::string_view pattern, std::string_view path) {
  auto glob = Glob::compile(pattern);
  EXPECT_TRUE(glob.ok()) << pattern;
  return glob.ok() && glob->matches(path);
}

TEST(Glob, MatchesWithinOneFolder) {
  EXPECT_TRUE(matches("/var/log/*.log", "/var/log/app.log"));
  EXPECT_FALSE(matches("/var/log/*.log", "/var/log/x/app.log"));
  EXPECT_FALSE(matches("/var/log/*.log", "/var/log/app.log.1"));
  EXPECT_TRUE(matches("/var/log/a?c[0-9].log", "/var/log/abc7.log"));
  EXPECT_FALSE(matches("/var/log/a?c[!0-9].log", "/var/log/abc7.log"));
  EXPECT_TRUE(matches("/l/\xe6\x97?.log", "/l/\xe6\x97\xa5.log"));
  EXPECT_TRUE(matches("/l/?.log", "/l/\xe6\x97\xa5.log"));
}

TEST(Glob, DoubleStarCrossesFolders) {
  EXPECT_TRUE(matches("/srv/**/*.log", "/srv/app.log"));
  EXPECT_TRUE(matches("/srv/**/*.log", "/srv/a/b/c/app.log"));
  EXPECT_FALSE(matches("/srv/**/*.log", "/other/a/app.log"));
  EXPECT_FALSE(matches("/srv/**/*.log", "/srv/.git/app.log"));
  EXPECT_TRUE(matches("/srv/**", "/srv/a/b"));
}

TEST(Glob, BracesAreAlternatives) {
  EXPECT_TRUE(matches("/l/{a,b{1,2}}.log", "/l/b2.log"));
  EXPECT_TRUE(matches("/l/{a,b{1,2}}.log", "/l/a.log"));
  EXPECT_FALSE(matches("/l/{a,b{1,2}}.log", "/l/b.log"));
  EXPECT_TRUE(matches("/{x,y/z}/f", "/y/z/f"));
}

TEST(Glob, StarLeavesHiddenFilesAlone) {
  EXPECT_FALSE(matches("/l/*", "/l/.app.log.swp"));
  EXPECT_TRUE(matches("/l/.*", "/l/.app"));
}

TEST(Glob, BackslashTakesTheSpecialMeaningAway) {
  EXPECT_TRUE(matches("/l/a\\*b", "/l/a*b"));
  EXPECT_FALSE(matches("/l/a\\*b", "/l/axb"));
  EXPECT_FALSE(has_glob_characters("/l/a\\*b"));
  EXPECT_TRUE(has_glob_characters("/l/a*b"));
}

// Bad input 16.
TEST(Glob, RefusesBombs) {
  EXPECT_TRUE(Glob::compile("/**/**/**/**/**/**/x").ok()) << "neighbours are one";
  EXPECT_FALSE(Glob::compile("/**/a/**/a/**/a/**/a/**/x").ok());
  EXPECT_FALSE(Glob::compile("/{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}").ok());
  EXPECT_FALSE(Glob::compile("/" + std::string(5000, 'a')).ok());
  EXPECT_FALSE(Glob::compile("/l/{a").ok());
  EXPECT_FALSE(Glob::compile("/l/[a").ok());
  EXPECT_FALSE(Glob::compile("relative").ok());
  std::string deep;
  for (int i = 0; i < 70; ++i) deep += "/a";
  EXPECT_FALSE(Glob::compile(deep).ok());
}

TEST(Glob, ManyStarsStayCheap) {
  std::string pattern = "/";
  for (int i = 0; i < 100; ++i) pattern += "*a";
  EXPECT_FALSE(matches(pattern + "b", "/" + std::string(250, 'a')));
}

}  // namespace
}  // namespace logboom::source
