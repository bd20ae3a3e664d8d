#include "config/list_text.h"

#include <gtest/gtest.h>

namespace logboom::config {
namespace {

using Items = std::vector<std::string_view>;

TEST(ListText, ItemsAreTrimmedAndEmptyOnesBetweenCommasKept) {
  EXPECT_EQ(split_list("a:1, b:2 ,\tc:3"), (Items{"a:1", "b:2", "c:3"}));
  EXPECT_EQ(split_list("a,, b"), (Items{"a", "", "b"}));
  EXPECT_EQ(split_list(",a"), (Items{"", "a"}));
  EXPECT_EQ(split_list("a,"), (Items{"a"}));
  EXPECT_EQ(split_list(" "), (Items{""}));
  EXPECT_EQ(split_list(""), Items{});
}

}  // namespace
}  // namespace logboom::config
