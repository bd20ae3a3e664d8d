// Random records of several sources with late and wild times, committed as tails and blocks, for tests of the search.
#pragma once

#include <algorithm>
#include <array>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "logstore/embedded/search/rows.h"
#include "logstore/embedded/search/testing/memory_view.h"
#include "logstore/log_searcher.h"

namespace logboom::logstore::embedded {

inline constexpr TimeNs kStart = 1'700'000'000 * kNsPerSecond;

struct Collected final : SearchVisitor {
  std::vector<Row> rows;
  bool on_rows(std::vector<Row> more) override {
    std::move(more.begin(), more.end(), std::back_inserter(rows));
    return true;
  }
};

// All rows that were ever committed, looked at one by one.
class Corpus {
 public:
  explicit Corpus(std::uint32_t seed) : random_(seed) {}

  // Writes batches of several sources, as tails and blocks, with late and wild times.
  void fill(std::size_t commits) {
    for (std::size_t i = 0; i < commits; ++i) {
      std::vector<Batch> batches;
      const std::size_t n = 1 + random_() % 3;
      std::set<std::size_t> used;
      for (std::size_t k = 0; k < n; ++k) {
        const std::size_t source = random_() % 4;
        if (!used.insert(source).second) continue;
        batches.push_back(batch_of(source));
        if (source == 0 && random_() % 2 == 0) batches.push_back(on_other_channel(batches.back()));
      }
      const bool block = random_() % 3 == 0;
      const std::uint64_t next = view_.snapshot()->commit + 1;
      for (const Batch& batch : batches) note(batch, next);
      if (block) {
        view_.commit_block(std::move(batches));
      } else {
        view_.commit(std::move(batches));
      }
      if (random_() % 5 == 0) view_.convert(random_() % 8);
    }
  }

  MemoryView& view() { return view_; }
  const std::vector<Row>& rows() const { return rows_; }
  std::mt19937& random() { return random_; }

  std::vector<Row> matching(const SearchRequest& request) {
    const auto matcher = query::Matcher::compile(request.query);
    EXPECT_TRUE(matcher.ok());
    query::Matcher::Scratch scratch;
    std::vector<Row> out;
    for (const Row& row : rows_) {
      if (row.time >= request.from && row.time < request.to && matcher->matches(view_of_row(row), scratch))
        out.push_back(row);
    }
    std::sort(out.begin(), out.end(), [&](const Row& a, const Row& b) {
      return request.newest_first ? key_of(b) < key_of(a) : key_of(a) < key_of(b);
    });
    return out;
  }

 private:
  query::RecordView view_of_row(const Row& row) const {
    query::RecordView view;
    view.text = row.text;
    view.host = row.host;
    view.path = row.path;
    view.channel = row.channel;
    view.rule = row.channel == "a" ? "rule-a" : "rule-b";
    view.source = row.source;
    view.level = row.level;
    view.format = row.format;
    view.constants = &row.fields;
    return view;
  }

  std::string word() {
    static const std::vector<std::string> kWords = {"timeout",  "Timeout", "connection", "refused", "error", "user=42",
                                                    "10.0.0.1", "GET",     "/api/v1",    "错误",    "été",   "ms",
                                                    "conn",     "disk",    "sda1",       "x",       "=",     "[warn]"};
    return random_() % 4 == 0 ? std::to_string(random_() % 500) : kWords[random_() % kWords.size()];
  }

  std::string even_json() {
    return "{\"status\":" + std::to_string(200 + random_() % 5 * 100) + ",\"user\":\"" + word() + "\",\"msg\":\"" +
           word() + " " + word() + "\"}";
  }

  // Members at other places, of other kinds, twice, escaped, or in a line that is no JSON after all.
  std::string odd_json() {
    static const std::vector<std::string> kMembers = {R"("status":"500")",
                                                      R"("status":500.0)",
                                                      R"("status":0500)",
                                                      R"("status":null)",
                                                      R"("status":5e2)",
                                                      R"("status":[500, 200])",
                                                      R"("status":{"code":500})",
                                                      R"("status":{})",
                                                      R"("st\u0061tus":500)",
                                                      R"("user":"tim\u0065out")",
                                                      R"("user":"a\"b")",
                                                      R"("user":"\u00e9t\u00e9")",
                                                      R"("http":{"status":500,"path":"/api/v1"})",
                                                      R"("http.status":404)",
                                                      R"("msg":"disk \\")",
                                                      R"("msg":"a@b.c")",
                                                      R"("list":[{"status":500},1])",
                                                      R"("k500":true)",
                                                      R"("ok":true)",
                                                      R"("user":"错误 1")",
                                                      R"("msg":"x=1 y=2)",
                                                      R"("status" : 500 )",
                                                      R"("status":-1)"};
    std::string text = "{";
    const std::size_t n = random_() % 4;
    for (std::size_t i = 0; i < n; ++i) {
      std::string member = kMembers[random_() % kMembers.size()];
      if (random_() % 2 == 0) {
        for (std::size_t at = member.find("500"); at != std::string::npos; at = member.find("500", at + 1))
          member.replace(at, 3, std::to_string(200 + random_() % 5 * 100));
      }
      text += (i == 0 ? "" : ", ") + member;
    }
    if (random_() % 2 == 0)
      text += (n == 0 ? "\"user\":\"" : ",\"user\":\"") + word() + std::to_string(random_() % 9) + "\"";
    return text + (random_() % 20 == 0 ? "" : "}") + (random_() % 30 == 0 ? " x" : "");
  }

  std::string text_of(bool json) {
    if (json) return random_() % 4 == 0 ? odd_json() : even_json();
    std::string text;
    const std::size_t words = random_() % 8;
    for (std::size_t i = 0; i < words; ++i) text += (i == 0 ? "" : " ") + word();
    if (random_() % 10 == 0) text += "\n  at " + word();
    if (random_() % 30 == 0) text += "\r";
    return text;
  }

  Batch batch_of(std::size_t source) {
    Batch batch;
    batch.source = {source + 1, 77};
    batch.epoch = 0;
    batch.channel = source % 2 == 0 ? "a" : "b";
    batch.rule = source % 2 == 0 ? "rule-a" : "rule-b";
    batch.format = source == 3 ? Format::kJson : Format::kText;
    batch.state.host = source < 2 ? "web-1" : "db-1";
    batch.state.path = "/var/log/app-" + std::to_string(source) + ".log";
    if (source == 1) batch.fields = {{"service", "shop"}};
    batch.begin = offsets_[source];
    const std::size_t records = random_() % 40;
    for (std::size_t i = 0; i < records; ++i) {
      const std::string text = text_of(batch.format == Format::kJson);
      Record record;
      record.begin = static_cast<std::uint32_t>(batch.bytes.size());
      record.length = static_cast<std::uint32_t>(text.size());
      record.lines = 1 + static_cast<std::uint32_t>(std::count(text.begin(), text.end(), '\n'));
      record.level = static_cast<Level>(random_() % kLevels);
      record.time = clock_ += static_cast<TimeNs>(random_() % 3) * kNsPerSecond;
      if (random_() % 20 == 0) record.time -= static_cast<TimeNs>(random_() % 100) * kNsPerSecond;
      if (random_() % 200 == 0) record.time += 1'000'000 * kNsPerSecond;
      record.time_origin = TimeOrigin::kParsed;
      batch.bytes += text + "\n";
      batch.records.push_back(record);
    }
    offsets_[source] += batch.bytes.size();
    batch.end = offsets_[source];
    batch.state.position = batch.end;
    return batch;
  }

  // The same bytes of the same file, collected by a second rule.
  static Batch on_other_channel(const Batch& batch) {
    Batch other;
    other.source = batch.source, other.epoch = batch.epoch, other.begin = batch.begin, other.end = batch.end;
    other.bytes = batch.bytes, other.records = batch.records, other.state = batch.state, other.format = batch.format;
    other.channel = "c";
    other.rule = "rule-b";
    return other;
  }

  void note(const Batch& batch, std::uint64_t commit) {
    for (const Record& record : batch.records) rows_.push_back(row_of(batch, record, nullptr, commit));
  }

  std::mt19937 random_;
  MemoryView view_;
  TimeNs clock_ = kStart;
  std::array<std::uint64_t, 4> offsets_{};
  std::vector<Row> rows_;
};

inline bool same(const Row& a, const Row& b) {
  return key_of(a) == key_of(b) && a.text == b.text && a.level == b.level && a.host == b.host && a.path == b.path &&
         a.channel == b.channel && a.commit == b.commit && a.lines == b.lines && a.flags == b.flags &&
         a.format == b.format && a.fields == b.fields && a.time_origin == b.time_origin;
}

inline void expect_rows(const std::vector<Row>& got, const std::vector<Row>& expected, const std::string& what) {
  ASSERT_EQ(got.size(), expected.size()) << what;
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_TRUE(same(got[i], expected[i]))
        << what << " row " << i << ": " << got[i].text << " at " << got[i].time << " commit " << got[i].commit << " / "
        << expected[i].text << " at " << expected[i].time << " commit " << expected[i].commit;
  }
}

}  // namespace logboom::logstore::embedded
