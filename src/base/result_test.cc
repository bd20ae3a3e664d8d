#include "base/result.h"

#include <cerrno>
#include <string>
#include <type_traits>
#include <vector>

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

Result<std::vector<std::string>> words() {
  return std::vector<std::string>{std::string(100, 'a'), std::string(100, 'b')};
}

// Under asan: a reference into the dead temporary is caught.
TEST(Result, TheValueOfATemporaryLivesAsLongAsWhatIsBoundToIt) {
  std::string all;
  for (const std::string& word : *words()) all += word;
  for (const std::string& word : words().value()) all += word;
  EXPECT_EQ(all.size(), 400u);
  static_assert(std::is_same_v<decltype(*words()), std::vector<std::string>>);
  static_assert(std::is_same_v<decltype(words().value()), std::vector<std::string>>);
}

TEST(Error, ContextIsPutBeforeTheMessageAndTheCodeStays) {
  const Error error = os_error("write /x", ENOSPC).with_context("cannot commit");
  EXPECT_EQ(error.code(), ErrorCode::kFull);
  EXPECT_EQ(error.os_error(), ENOSPC);
  EXPECT_EQ(error.message(), "cannot commit: cannot write /x: No space left on device");
}

}  // namespace
}  // namespace logboom
