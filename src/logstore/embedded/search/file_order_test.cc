#include <tuple>

#include <gtest/gtest.h>

#include "logstore/embedded/search/searcher.h"
#include "logstore/embedded/search/testing/corpus.h"

namespace logboom::logstore::embedded {
namespace {

TEST(EmbeddedSearcher, FollowSkipsAndRepeatsNothingWhileTailsBecomeBlocks) {
  Corpus corpus(5);
  SystemClock clock;
  const auto searcher = make_searcher(corpus.view(), clock, {1, 64u << 20});
  std::uint64_t commit = 0;
  std::vector<Row> got;
  const query::Node query = query::parse("timeout OR refused")->root;
  for (int round = 0; round < 40; ++round) {
    corpus.fill(1 + corpus.random()() % 3);
    if (corpus.random()() % 3 == 0) corpus.view().convert(corpus.random()() % 6);
    for (int call = 0; call < 2; ++call) {
      auto rows = searcher->follow(query, commit, 1 + corpus.random()() % 20, std::chrono::milliseconds(0), {});
      ASSERT_TRUE(rows.ok());
      std::move(rows->begin(), rows->end(), std::back_inserter(got));
    }
  }
  while (commit < searcher->last_commit()) {
    auto rows = searcher->follow(query, commit, 10, std::chrono::milliseconds(0), {});
    ASSERT_TRUE(rows.ok());
    std::move(rows->begin(), rows->end(), std::back_inserter(got));
  }
  SearchRequest request;
  request.query = query;
  std::vector<Row> expected = corpus.matching(request);
  std::sort(expected.begin(), expected.end(), [](const Row& a, const Row& b) {
    return std::tie(a.commit, a.source, a.offset, a.channel) < std::tie(b.commit, b.source, b.offset, b.channel);
  });
  expect_rows(got, expected, "follow");
}

TEST(EmbeddedSearcher, ContextIsInFileOrder) {
  Corpus corpus(9);
  corpus.fill(60);
  SystemClock clock;
  const auto searcher = make_searcher(corpus.view(), clock, {1, 64u << 20});
  for (std::uint64_t source = 1; source <= 4; ++source) {
    std::vector<Row> of_file;
    for (const Row& row : corpus.rows()) {
      if (row.source.high == source && row.channel != "c") of_file.push_back(row);
    }
    for (std::size_t at = 0; at < of_file.size(); at += 7) {
      ContextRequest request;
      request.source = {source, 77};
      request.channel = source % 2 == 1 ? "a" : "b";
      request.offset = of_file[at].offset + at % 2;
      request.before = static_cast<std::uint32_t>(at % 30);
      request.after = static_cast<std::uint32_t>(at % 45);
      const auto rows = searcher->context(request, {});
      ASSERT_TRUE(rows.ok());
      // An empty record begins where the next one may not: offset + 1 of an empty line is the next line's offset.
      std::size_t here = at;
      while (here + 1 < of_file.size() && of_file[here + 1].offset <= request.offset) ++here;
      const std::size_t from = here - std::min<std::size_t>(here, request.before);
      const std::size_t to = std::min(of_file.size(), here + 1 + request.after);
      expect_rows(
          *rows,
          {of_file.begin() + static_cast<std::ptrdiff_t>(from), of_file.begin() + static_cast<std::ptrdiff_t>(to)},
          "context " + std::to_string(source) + "/" + std::to_string(at));
      if (HasFatalFailure()) return;
    }
  }
  ContextRequest unknown;
  unknown.source = {99, 99};
  EXPECT_EQ(searcher->context(unknown, {}).error().code(), ErrorCode::kNotFound);
}

}  // namespace
}  // namespace logboom::logstore::embedded
