#include "server/fleet/previews.h"

#include <thread>

#include <gtest/gtest.h>

namespace logboom::server {
namespace {

constexpr auto kLong = std::chrono::seconds(30);

Previews::Question wait_for_question(Previews& previews, const std::string& agent, const std::string& yaml) {
  for (;;) {
    if (auto question = previews.next(agent); question && question->yaml == yaml) return *question;
    std::this_thread::yield();
  }
}

TEST(Previews, AQuestionIsAskedUntilItIsAnswered) {
  Previews previews;
  std::jthread agent([&] {
    const auto first = wait_for_question(previews, "a", "rules");
    EXPECT_EQ(previews.next("a")->id, first.id);
    previews.answer("a", "another", "{}");
    EXPECT_TRUE(previews.next("a"));
    previews.answer("a", first.id, "{\"files\":1}");
    EXPECT_FALSE(previews.next("a"));
  });
  const auto answer = previews.ask("a", "rules", kLong, {});
  ASSERT_TRUE(answer.ok()) << answer.error().message();
  EXPECT_EQ(*answer, "{\"files\":1}");
  agent.join();
  EXPECT_FALSE(previews.next("a"));
  EXPECT_FALSE(previews.next("b"));
}

TEST(Previews, WhoAsksLaterIsAnswered) {
  Previews previews;
  std::string refused;
  std::jthread earlier([&] { refused = previews.ask("a", "first", kLong, {}).error().message(); });
  wait_for_question(previews, "a", "first");
  std::jthread agent([&] { previews.answer("a", wait_for_question(previews, "a", "second").id, "{}"); });
  EXPECT_TRUE(previews.ask("a", "second", kLong, {}).ok());
  earlier.join();
  EXPECT_NE(refused.find("somebody else"), std::string::npos);
}

TEST(Previews, AnAgentThatIsAwayIsNotWaitedForForever) {
  Previews previews;
  const auto answer = previews.ask("a", "rules", std::chrono::milliseconds(5), {});
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code(), ErrorCode::kUnavailable);
  EXPECT_FALSE(previews.next("a"));
}

}  // namespace
}  // namespace logboom::server
