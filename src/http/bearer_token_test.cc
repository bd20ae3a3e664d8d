#include "http/bearer_token.h"

#include <string>

#include <gtest/gtest.h>

namespace logboom::http {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

constexpr BearerToken::Pauses kNever{hours(1), hours(1)};
constexpr BearerToken::Pauses kAtOnce{milliseconds(0), milliseconds(0)};

ClientResponse with_status(int status) {
  ClientResponse answer;
  answer.status = status;
  return answer;
}

TEST(BearerToken, ARefusedOneIsNotSentAgainUntilThereIsAnother) {
  std::string file = "one";
  int read = 0;
  BearerToken bearer(
      "one",
      [&] {
        ++read;
        return Result<std::string>(file);
      },
      kNever);
  EXPECT_EQ(bearer.next().token, "one");
  EXPECT_FALSE(bearer.answered("one", with_status(200)));
  EXPECT_EQ(read, 0) << "the file of a token that is taken is left alone";
  EXPECT_FALSE(bearer.answered("one", with_status(401)));
  ASSERT_TRUE(bearer.next().refusal.has_value());
  EXPECT_EQ(bearer.next().refusal->status, 401);
  file = "two";
  EXPECT_FALSE(bearer.next().refusal.has_value());
  EXPECT_EQ(bearer.next().token, "two");
  EXPECT_TRUE(bearer.answered("one", with_status(429))) << "of a request on its way when the other was found";
  EXPECT_FALSE(bearer.next().refusal.has_value());
}

TEST(BearerToken, WhatCannotBeReadLeavesTheOneThereIs) {
  Result<std::string> file = Error(ErrorCode::kNotFound, "no such file");
  BearerToken bearer(
      "one", [&] { return file; }, kAtOnce);
  EXPECT_FALSE(bearer.answered("one", with_status(401)));
  EXPECT_EQ(bearer.next().token, "one");
  EXPECT_FALSE(bearer.next().refusal.has_value()) << "its pause is over: it may be taken by now";
  file = std::string();
  EXPECT_EQ(bearer.next().token, "one");
  BearerToken fixed("one", {}, kNever);
  EXPECT_FALSE(fixed.answered("one", with_status(401)));
  EXPECT_TRUE(fixed.next().refusal.has_value());
}

}  // namespace
}  // namespace logboom::http
