#include "base/result.h"

#include <cerrno>

#include <gtest/gtest.h>

namespace logboom {
namespace {

Result<int> half(int n) {
  if (n % 2 != 0) return Error(ErrorCode::kInvalidArgument, "odd");
  return n / 2;
}

Result<int> quarter(int n) {
  LB_ASSIGN(const int h, half(n));
  return half(h);
}

TEST(Result, AssignPassesValuesAndErrors) {
  EXPECT_EQ(*quarter(8), 2);
  EXPECT_EQ(quarter(3).error().message(), "odd");
  EXPECT_EQ(quarter(6).error().code(), ErrorCode::kInvalidArgument);
}

TEST(Error, ContextIsPutBeforeTheMessageAndTheCodeStays) {
  const Error error = os_error("write /x", ENOSPC).with_context("cannot commit");
  EXPECT_EQ(error.code(), ErrorCode::kFull);
  EXPECT_EQ(error.os_error(), ENOSPC);
  EXPECT_EQ(error.message(), "cannot commit: cannot write /x: No space left on device");
}

}  // namespace
}  // namespace logboom
