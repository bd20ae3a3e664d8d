#include "logstore/embedded/search/json_place.h"

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "logstore/embedded/search/searcher.h"
#include "logstore/embedded/search/testing/corpus.h"
#include "parse/fields.h"

namespace logboom::logstore::embedded {
namespace {

// Blocks of lines that follow a few patterns, where # is a number, ~ a word, $ what may stand behind a backslash or
// not, and @ anything odd.
class JsonLines {
 public:
  explicit JsonLines(std::uint32_t seed) : random_(seed) {}

  std::string block(std::size_t lines) {
    static const std::vector<std::string> kPatterns = {R"({"ts":"2026-11-20T00:00:00.#Z","status":#,"user":"~"})",
                                                       R"({"status":#,"http":{"status":#,"path":"/a/#"},"ms":#.#})",
                                                       R"({"status":"#","msg":"took # ms for ~"})",
                                                       R"({"status":#, "status":#})",
                                                       R"({"a":{"status":#},"status":{"code":#}})",
                                                       R"({"list":[#,{"status":#}],"ok":~})",
                                                       R"({"k#":"v","status":@})",
                                                       R"({"status":@,"user":"x"})",
                                                       R"({"user":"@","status":#})",
                                                       R"({"user":"\u00#","status":#})",
                                                       R"({"user":"\$1","status":#})",
                                                       R"({"http.status":#,"http":{"status":@}})",
                                                       R"({"st\u0061tus":#,"id":"ab#-cd#"})",
                                                       R"({"status":#)",
                                                       R"({"msg":"ein é #","status":-#})",
                                                       R"(plain status #)"};
    const std::string& first = kPatterns[random_() % kPatterns.size()];
    const std::string& second = kPatterns[random_() % kPatterns.size()];
    const bool constant_length = random_() % 2 == 0;
    std::string text;
    for (std::size_t i = 0; i < lines; ++i) text += filled(random_() % 4 == 0 ? second : first, constant_length) + "\n";
    return text;
  }

 private:
  std::string filled(const std::string& pattern, bool constant_length) {
    static const std::vector<std::string> kWords = {"anna", "true", "null", "500", "x-1", "/v1", "5e2", "bob"};
    static const std::vector<std::string> kOdd = {"500", "0500", "\"500\"", "[500]", "a\\nb", "\"",
                                                  "{}",  "é",    "null",    "5.0",   "@x1",   "x\xff"};
    std::string out;
    for (const char c : pattern) {
      if (c == '#') {
        out += std::to_string(constant_length ? 100 + random_() % 900 : random_() % 600);
      } else if (c == '~') {
        out += kWords[random_() % kWords.size()];
      } else if (c == '$') {
        out += "ntq"[random_() % 3];
      } else if (c == '@') {
        out += random_() % 3 == 0 ? kOdd[random_() % kOdd.size()] : std::to_string(500 + random_() % 3);
      } else {
        out += c;
      }
    }
    return out;
  }

  std::mt19937 random_;
};

Batch batch_of_lines(const std::string& text) {
  Batch batch;
  batch.source = {1, 1};
  batch.channel = "a";
  batch.format = Format::kJson;
  batch.bytes = text;
  batch.end = text.size();
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    Record record;
    record.begin = static_cast<std::uint32_t>(at);
    record.length = static_cast<std::uint32_t>(end - at);
    record.time = kStart + static_cast<TimeNs>(at);
    batch.records.push_back(record);
    at = end + 1;
  }
  return batch;
}

std::uint64_t count_by_line(const query::Matcher& matcher, const Batch& batch) {
  query::Matcher::Scratch scratch;
  std::uint64_t count = 0;
  for (const Record& record : batch.records) {
    query::RecordView view;
    view.text = batch.text(record);
    view.format = batch.format;
    if (matcher.matches(view, scratch)) ++count;
  }
  return count;
}

TEST(JsonPlace, FieldsAreFoundAsByParsingEveryLine) {
  const std::vector<std::string> queries = {
      "status:500",     "status:>=500", "status:*", "http.status:*", "http.status:<300", "user:anna", "user:*",
      "status.code:*",  "list:*",       "ok:true",  "ok:*",          "k500:*",           "msg:*500*", "a.status:501",
      "NOT status:500", "ts:~\"00.5\"", "id:ab5*",  "ms:>100",       "status:\"{}\"",    "k:*",       "_overflow:*"};
  SystemClock clock;
  for (std::uint32_t seed = 0; seed < 300; ++seed) {
    const Batch batch = batch_of_lines(JsonLines(seed).block(20 + seed % 7 * 40));
    MemoryView view;
    std::vector<Batch> batches;
    batches.push_back(batch_of_lines(batch.bytes));
    view.commit_block(std::move(batches));
    const auto searcher = make_searcher(view, clock, {1, 64u << 20});
    for (const std::string& text : queries) {
      SearchRequest request;
      request.query = query::parse(text)->root;
      request.limit = 0;
      request.count_all = true;
      Collected visitor;
      const auto result = searcher->search(request, visitor, {});
      ASSERT_TRUE(result.ok()) << text;
      ASSERT_EQ(result->stats.records, count_by_line(*query::Matcher::compile(request.query), batch))
          << "seed " << seed << " query " << text << "\n"
          << batch.bytes.substr(0, 400);
    }
  }
}

}  // namespace
}  // namespace logboom::logstore::embedded
