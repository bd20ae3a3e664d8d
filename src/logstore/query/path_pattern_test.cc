#include "logstore/query/path_pattern.h"

#include <gtest/gtest.h>

#include "logstore/query/field_matcher.h"

namespace logboom::logstore::query {
namespace {

// What a person types behind file: against a path.
bool finds(const std::string& typed, std::string_view path) {
  const auto parsed = parse("file:" + typed);
  EXPECT_TRUE(parsed.ok() && parsed->note.empty()) << typed;
  const auto again = parse(to_string(parsed->root));
  EXPECT_EQ(to_string(again->root), to_string(parsed->root)) << typed;
  const auto matcher = FieldMatcher::compile(again->root);
  EXPECT_TRUE(matcher.ok()) << typed;
  return matcher->matches_path(path);
}

TEST(PathPattern, StarsStandForAnyCharactersAndSlashes) {
  const std::string_view path = "/var/log/nginx/access.log";
  for (const char* typed :
       {"/var/log/*", "/var/log/**", "*nginx*", "access.*", "/var/*/access.log", "/VAR/**.log", "**/access.log"})
    EXPECT_TRUE(finds(typed, path)) << typed;
  for (const char* typed : {"/var/lo/*", "nginx*", "*.lo", "/log/*"}) EXPECT_FALSE(finds(typed, path)) << typed;
}

TEST(PathPattern, FoldersBetweenSlashesMayBeNone) {
  for (const char* path : {"/var/log/a.log", "/var/log/x/a.log", "/var/log/x/y/a.log"}) {
    EXPECT_TRUE(finds("/var/log/**/a.log", path)) << path;
    EXPECT_TRUE(finds("/var/**/log/**/*.log", path)) << path;
  }
  EXPECT_FALSE(finds("/var/log/*/a.log", "/var/log/a.log"));
  EXPECT_FALSE(finds("/var/log/**/a.log", "/var/log/xa.log"));
  EXPECT_FALSE(finds("/var/log/**/a.log", "/var/loga.log"));
}

TEST(PathPattern, AQuestionMarkIsOneCharacterAndNoSlash) {
  EXPECT_TRUE(finds("app-?.log", "/srv/app-1.log"));
  EXPECT_TRUE(finds("/srv/app-?.log", "/srv/app-\xC3\xA4.log"));  // one of two bytes
  EXPECT_TRUE(finds("???", "/srv/abc"));
  EXPECT_FALSE(finds("app-?.log", "/srv/app-.log"));
  EXPECT_FALSE(finds("app-?.log", "/srv/app-12.log"));
  EXPECT_FALSE(finds("/srv?app", "/srv/app"));
  EXPECT_TRUE(finds("\"a?b\"", "/srv/a?b"));
  EXPECT_FALSE(finds("\"a?b\"", "/srv/acb"));
  EXPECT_TRUE(finds("a\\*?b", "/srv/a*cb"));
  EXPECT_FALSE(finds("a\\*?b", "/srv/aacb"));
}

TEST(PathPattern, IsQuickWhateverThePattern) {
  std::string pattern;
  for (int i = 0; i < 1000; ++i) pattern += "*a?";
  EXPECT_FALSE(PathPattern(pattern, false).matches(std::string(4000, 'a') + "/b"));
}

}  // namespace
}  // namespace logboom::logstore::query
