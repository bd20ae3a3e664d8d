#include "http/url.h"

#include <gtest/gtest.h>

namespace logboom::http {
namespace {

TEST(Url, DecodesPathAndQuery) {
  const auto target = parse_target("/a/b%20c?x=1&y=%E4%B8%AD+z&flag#part");
  ASSERT_TRUE(target.ok());
  EXPECT_EQ(target->path, "/a/b c");
  EXPECT_EQ(target->query, (Pairs{{"x", "1"}, {"y", "\xE4\xB8\xAD z"}, {"flag", ""}}));
}

TEST(Url, RefusesPathsThatCouldLeaveOrConfuse) {
  for (const char* bad : {"", "a", "http://h/", "*", "/..", "/a/../b", "/.", "/%2e%2E/", "/%2e", "/a%2Fb", "/a%5cb",
                          "/a\\b", "/%00", "/%0a", "/%", "/%1", "/%zz", "/?a=%zz", "/?a=%00"}) {
    EXPECT_FALSE(parse_target(bad).ok()) << bad;
  }
  EXPECT_TRUE(parse_target("/...").ok());
  EXPECT_TRUE(parse_target("//").ok());
}

TEST(Url, BoundsTheNumberOfParameters) {
  std::string query;
  for (std::size_t i = 0; i < kMaxParameters; ++i) query += "a=1&";
  EXPECT_TRUE(parse_query(query).ok());
  EXPECT_FALSE(parse_query(query + "a=1").ok());
}

TEST(Url, EncodesWhatItDecodes) {
  std::string all;
  for (int c = 1; c < 256; ++c) all += static_cast<char>(c);
  const auto back = parse_query("v=" + percent_encode(all));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ((*back)[0].second, all);
}

TEST(Url, ReadsAuthorities) {
  EXPECT_EQ(host_of("LocalHost:80"), "localhost");
  EXPECT_EQ(host_of("[::1]:7117"), "::1");
  EXPECT_EQ(host_of("127.0.0.1"), "127.0.0.1");
  for (const char* bad : {"", ":80", "a:", "a:x", "a:99999", "[::1", "[::1]x", "a:1:2", "a:123456"})
    EXPECT_EQ(host_of(bad), "") << bad;
}

}  // namespace
}  // namespace logboom::http
