#include "config/etcd/etcd_previews.h"

#include <thread>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "config/testing/etcd_test.h"

namespace logboom::config {
namespace {

constexpr auto kLong = std::chrono::seconds(60);
const std::string kHost = "10.1.2.3";
const std::string kQuestion = std::string(kEtcdPreviewPrefix) + kHost;

TEST(ReadPreview, TakesWhatAgentsAnswer) {
  EXPECT_TRUE(read_preview(R"({"id": "a", "problem": "no rules"})").ok());
  EXPECT_TRUE(read_preview(R"({"id": "a", "files": 1, "lines_per_second": "0.0", "problems": ["x"], "shown":
      [{"file": "/a", "rule": "r", "topic": "t", "size": 1, "lines_per_second": "1.0", "problem": ""}]})")
                  .ok());
}

// What these say is shown to people by programs that take its form for granted.
TEST(ReadPreview, RefusesWhatIsOfAnotherForm) {
  const char* wrong[] = {
      "",
      "[]",
      "[[[[[[",
      "{}",
      R"({"id": 1, "problem": "x"})",
      R"({"id": "a", "problem": 1})",
      R"({"id": "a", "files": -1, "lines_per_second": "0", "problems": [], "shown": []})",
      R"({"id": "a", "files": 1, "lines_per_second": 7, "problems": [], "shown": []})",
      R"({"id": "a", "files": 1, "lines_per_second": "0", "problems": [1], "shown": []})",
      R"({"id": "a", "files": 1, "lines_per_second": "0", "problems": [], "shown": [{}]})",
      R"({"id": "a", "files": 1, "lines_per_second": "0", "problems": [], "shown": [{"file": "/a", "rule": "r",
          "topic": "t", "size": 1, "lines_per_second": "1.0", "problem": "", "file_raw": 1}]})"};
  for (const char* text : wrong) EXPECT_FALSE(read_preview(text).ok()) << text;
}

class EtcdPreviewsTest : public EtcdTest {
 protected:
  void SetUp() override {
    EtcdTest::SetUp();
    if (!etcd_) return;
    options_.endpoints = {etcd_->endpoint()};
  }

  std::unique_ptr<PreviewAsker> asker() { return std::move(open_etcd_preview_asker(options_)).value(); }
  std::unique_ptr<PreviewQuestions> agent() { return std::move(open_etcd_preview_questions(options_, kHost)).value(); }
  static PreviewQuestion wait_for_question(PreviewQuestions& questions) {
    for (;;) {
      auto question = questions.next({});
      EXPECT_TRUE(question.ok()) << question.error().message();
      if (!question.ok()) return {};
      if (*question) return **question;
    }
  }
  static std::string answer_to(const PreviewQuestion& question) {
    return nlohmann::json{{"id", question.id}, {"problem", "about " + question.yaml}}.dump();
  }
  std::string keys() const {
    return etcd_->call("/v3/kv/range", R"({"key":"AA==","range_end":"AA==","count_only":true})");
  }

  EtcdOptions options_;
};

TEST_F(EtcdPreviewsTest, AQuestionIsAnsweredOnceAndNothingIsLeft) {
  std::jthread host([&] {
    const auto questions = agent();
    const PreviewQuestion question = wait_for_question(*questions);
    EXPECT_TRUE(questions->answer(answer_to(question), {}).ok());
    EXPECT_TRUE(questions->answer(R"({"id": "x", "problem": "twice"})", {}).ok()) << "which goes nowhere";
  });
  const auto answer = asker()->ask(kHost, "rules \xff", kLong, {});
  ASSERT_TRUE(answer.ok()) << answer.error().message();
  EXPECT_NE(answer->find("about rules"), std::string::npos);
  host.join();
  EXPECT_EQ(keys().find("count"), std::string::npos) << keys();
}

TEST_F(EtcdPreviewsTest, WhoAsksLaterIsAnswered) {
  std::string refused;
  std::jthread earlier([&] { refused = asker()->ask(kHost, "first", kLong, {}).error().message(); });
  const auto questions = agent();
  const PreviewQuestion first = wait_for_question(*questions);
  std::jthread later([&] { EXPECT_TRUE(asker()->ask(kHost, "second", kLong, {}).ok()); });
  earlier.join();
  EXPECT_NE(refused.find("somebody else"), std::string::npos);
  EXPECT_TRUE(questions->answer(answer_to(first), {}).ok());
  const PreviewQuestion second = wait_for_question(*questions);
  EXPECT_EQ(second.yaml, "second") << "an answer to what is no longer asked takes nothing away";
  EXPECT_TRUE(questions->answer(answer_to(second), {}).ok());
}

TEST_F(EtcdPreviewsTest, NobodyWaitsForEver) {
  const auto answer = asker()->ask(kHost, "rules", std::chrono::milliseconds(300), {});
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code(), ErrorCode::kUnavailable);
  EXPECT_EQ(keys().find("count"), std::string::npos) << "the question is taken back";
  EXPECT_EQ(asker()->ask(kHost, std::string(kMostPreviewBytes + 1, 'x'), kLong, {}).error().code(),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(open_etcd_preview_asker({}).error().code(), ErrorCode::kInvalidArgument);
}

// Anybody may write there.
TEST_F(EtcdPreviewsTest, WhatIsNoQuestionIsRemovedAndWhatIsNoAnswerIsRefused) {
  const auto questions = agent();
  for (const std::string& value :
       {std::string("["), std::string(R"({"id": 7, "yaml": ""})"), std::string(1'400'000, '[')}) {
    etcd_->put(kQuestion, value);
    const auto question = questions->next({});
    ASSERT_TRUE(question.ok());
    EXPECT_FALSE(*question);
    EXPECT_EQ(keys().find("count"), std::string::npos);
  }
  std::jthread host([&] {
    const PreviewQuestion question = wait_for_question(*questions);
    etcd_->put(etcd_preview_answer_key(kHost), R"({"id": "another", "problem": "for somebody else"})");
    EXPECT_TRUE(questions->answer(R"({"files": ")" + question.id + R"("})", {}).ok());
  });
  const auto answer = asker()->ask(kHost, "rules", kLong, {});
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code(), ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace logboom::config
