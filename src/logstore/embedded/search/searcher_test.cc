#include "logstore/embedded/search/searcher.h"

#include <map>

#include <gtest/gtest.h>

#include "logstore/embedded/search/testing/corpus.h"
#include "logstore/tally.h"

namespace logboom::logstore::embedded {
namespace {

const std::vector<std::string> kQueries = {"",
                                           "timeout",
                                           "absentword",
                                           "connection refused",
                                           "timeout OR refused",
                                           "-timeout",
                                           "conn*",
                                           "*fuse*",
                                           "*ime*ut",
                                           "\"connection refused\"",
                                           "=Timeout",
                                           "/time(out|x)/",
                                           "/[0-9]{3}/",
                                           "/^GET/",
                                           "/[0-9]*/",
                                           "/time.ut/",
                                           "/TIME[a-z]+/i",
                                           "/(GET|disk) *[0-9.]+/",
                                           "/[0-9]{1,3}\\.0\\.[0-9]/",
                                           "/[a-f]+s|x$/",
                                           "/d[^ ]+1/",
                                           "/r [0-9]+ /",
                                           "*e*d*",
                                           "错误",
                                           "ÉTÉ",
                                           "user=42",
                                           "10.0.0.1",
                                           "host:web-1",
                                           "host:web-1 timeout",
                                           "-host:web-1",
                                           "host:nowhere",
                                           "level:error",
                                           "level:>=warn timeout",
                                           "topic:a",
                                           "rule:rule-b",
                                           "file:app-2.log",
                                           "source:*4d",
                                           "service:shop",
                                           "service:shop OR status:500",
                                           "status:500",
                                           "status:>=400",
                                           "status:>=400 error",
                                           "user:timeout",
                                           "user:*",
                                           "NOT status:200",
                                           "status:*",
                                           "status:[300 TO 500]",
                                           "status:\"{}\"",
                                           "status:nosuch",
                                           "http.status:500",
                                           "http.status:>=400",
                                           "http:*",
                                           "ok:true",
                                           "k500:*",
                                           "list:*",
                                           "user:错误*",
                                           "user:a*",
                                           "user:~\"^t\"",
                                           "msg:a@b.c",
                                           "level:error AND status:500",
                                           "_overflow:*",
                                           "-(timeout OR error)",
                                           "x OR (disk -sda1)",
                                           "at",
                                           "\"[warn]\"",
                                           "host:web-1 OR level:fatal",
                                           "/^ +at/",
                                           "msg:~\"disk\"",
                                           "123",
                                           "*"};

SearchRequest request_for(Corpus& corpus, const std::string& text) {
  SearchRequest request;
  const auto parsed = query::parse(text);
  EXPECT_TRUE(parsed.ok() && parsed->note.empty()) << text;
  request.query = parsed->root;
  auto& random = corpus.random();
  if (random() % 3 == 0) request.from = kStart + static_cast<TimeNs>(random() % 400) * kNsPerSecond;
  if (random() % 3 == 0) request.to = kStart + static_cast<TimeNs>(random() % 2000) * kNsPerSecond;
  request.newest_first = random() % 3 != 0;
  request.limit = random() % 4 == 0 ? UINT64_MAX : random() % 4 == 0 ? 0 : 1 + random() % 50;
  request.count_all = random() % 2 == 0;
  if (random() % 2 == 0) request.histogram_step = static_cast<TimeNs>(1 + random() % 100) * kNsPerSecond;
  if (random() % 3 == 0) request.values_of = {"host", "level", "status", "user", "service", "rule"};
  return request;
}

void check_histogram(const SearchRequest& request, const std::vector<Row>& expected, const SearchResult& result) {
  std::map<TimeNs, std::array<std::uint64_t, kLevels>> buckets;
  for (const Row& row : expected) {
    ++buckets[bucket_of(row.time, request.histogram_step)][static_cast<std::size_t>(row.level)];
  }
  ASSERT_EQ(result.histogram.size(), buckets.size());
  std::size_t i = 0;
  for (const auto& [start, counts] : buckets) {
    EXPECT_EQ(result.histogram[i].start, start);
    EXPECT_EQ(result.histogram[i].counts, counts);
    ++i;
  }
}

void check_values(const std::vector<Row>& expected, const SearchResult& result) {
  std::map<std::string, std::uint64_t> hosts;
  std::map<std::string, std::uint64_t> levels;
  for (const Row& row : expected) {
    ++hosts[row.host];
    if (row.level != Level::kNone) ++levels[std::string(level_name(row.level))];
  }
  const auto as_map = [](const FieldValues& values) {
    std::map<std::string, std::uint64_t> out;
    for (const ValueCount& v : values.values) out[v.value] = v.count;
    return out;
  };
  EXPECT_EQ(as_map(result.values[0]), hosts);
  EXPECT_EQ(as_map(result.values[1]), levels);
}

TEST(EmbeddedSearcher, AnswersAsLookingAtEveryRowDoes) {
  for (std::uint32_t seed = 1; seed <= 6; ++seed) {
    Corpus corpus(seed);
    corpus.fill(60);
    SystemClock clock;
    const auto searcher = make_searcher(corpus.view(), clock, {2, 64u << 20});
    for (const std::string& text : kQueries) {
      const SearchRequest request = request_for(corpus, text);
      Collected visitor;
      const auto result = searcher->search(request, visitor, {});
      ASSERT_TRUE(result.ok()) << text << ": " << result.error().message();
      std::vector<Row> expected = corpus.matching(request);
      const std::string what = "seed " + std::to_string(seed) + " query " + text;
      if (request.count_all || request.limit == 0) {
        EXPECT_TRUE(result->stats.exact) << what;
        EXPECT_EQ(result->stats.records, expected.size()) << what;
        std::uint64_t lines = 0;
        for (const Row& row : expected) lines += row.lines;
        EXPECT_EQ(result->stats.lines, lines) << what;
      }
      if (request.histogram_step > 0) check_histogram(request, expected, *result);
      if (!request.values_of.empty()) check_values(expected, *result);
      if (expected.size() > request.limit) expected.resize(request.limit);
      expect_rows(visitor.rows, expected, what);
      if (HasFatalFailure()) return;
    }
  }
}

TEST(EmbeddedSearcher, PagesMeetWithoutLossOrRepeat) {
  Corpus corpus(17);
  corpus.fill(50);
  SystemClock clock;
  const auto searcher = make_searcher(corpus.view(), clock, {2, 64u << 20});
  for (const bool newest_first : {true, false}) {
    SearchRequest request;
    request.query = query::parse("timeout OR error")->root;
    request.newest_first = newest_first;
    const std::vector<Row> expected = corpus.matching(request);
    std::vector<Row> got;
    request.limit = 7;
    while (true) {
      Collected page;
      ASSERT_TRUE(searcher->search(request, page, {}).ok());
      if (page.rows.empty()) break;
      EXPECT_LE(page.rows.size(), request.limit);
      std::move(page.rows.begin(), page.rows.end(), std::back_inserter(got));
      request.after = key_of(got.back());
    }
    expect_rows(got, expected, newest_first ? "newest first" : "oldest first");
  }
}

}  // namespace
}  // namespace logboom::logstore::embedded
