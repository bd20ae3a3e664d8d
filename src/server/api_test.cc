#include "server/api.h"

#include <fstream>
#include <sstream>
#include <thread>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "http/testing/recording_writer.h"
#include "http/url.h"
#include "server/params.h"
#include "server/rows.h"
#include "server/testing/fake_log_store.h"

namespace logboom::server {
namespace {

using nlohmann::json;

constexpr TimeNs kStart = 1'700'000'000 * kNsPerSecond;

class ApiTest : public testing::Test {
 protected:
  ApiTest() {
    ApiDeps deps{.store = store_, .clock = clock_, .registry = &registry_};
    deps.version = "1.2.3";
    deps.source_status = [this] { return sources_; };
    deps.pipeline_json = [] { return std::string(R"({"queue":3})"); };
    register_api(router_, std::move(deps));
  }

  http::RecordingWriter call(const std::string& method, const std::string& target, const std::string& body = "") {
    http::Request request;
    request.method = method;
    const auto parsed = http::parse_target(target);
    EXPECT_TRUE(parsed.ok()) << target;
    request.path = parsed->path;
    request.query = parsed->query;
    request.body = body;
    request.stop = stop_.get_token();
    request.principal = http::Principal{"anna", http::Role::kAdmin, http::Via::kToken, "", 0};
    auto match = router_.match(method, request.path);
    http::RecordingWriter writer;
    EXPECT_NE(match.route, nullptr) << target;
    if (match.route) match.route->handler(request, writer);
    return writer;
  }

  json get(const std::string& target) {
    const auto writer = call("GET", target);
    EXPECT_EQ(writer.status(), 200) << writer.text();
    return json::parse(writer.text());
  }

  std::string error_of(const std::string& target) {
    const auto writer = call("GET", target);
    EXPECT_EQ(writer.status(), 400) << target << writer.text();
    return json::parse(writer.text())["error"]["message"];
  }

  static std::vector<json> frames(const http::RecordingWriter& writer) {
    std::vector<json> out;
    std::istringstream lines(writer.text());
    for (std::string line; std::getline(lines, line);) out.push_back(json::parse(line));
    return out;
  }

  void fill(int rows) {
    for (int i = 0; i < rows; ++i) {
      store_.add((i % 2 ? "odd " : "even ") + std::to_string(i), kStart + i * kNsPerSecond,
                 i % 2 ? Level::kError : Level::kInfo);
    }
  }

  FakeLogStore store_;
  ManualClock clock_{kStart + 60 * kNsPerSecond};
  Registry registry_;
  std::vector<source::SourceStatus> sources_;
  http::Router router_;
  std::stop_source stop_;
};

TEST_F(ApiTest, SearchStreamsFramesInTheirOrder) {
  fill(10);
  store_.on_search = [this] { clock_.advance(std::chrono::seconds(1)); };
  const auto all = frames(call("GET", "/api/v1/search?q=odd&limit=3&step=4s&values=host&from=-1h"));
  std::string types;
  for (const auto& frame : all) types += frame["type"].get<std::string>() + " ";
  ASSERT_EQ(types, "meta rows rows rows progress histogram histogram values done ");
  EXPECT_EQ(all[0]["query"], "odd");
  EXPECT_TRUE(all[0]["note"].is_null());
  EXPECT_EQ(all[0]["from"], std::to_string(kStart - 3540 * kNsPerSecond));
  EXPECT_TRUE(all[0]["to"].is_null());
  EXPECT_EQ(all[0]["commit"], 10);
  const json& row = all[1]["rows"][0];
  EXPECT_EQ(row["text"], "odd 9");
  EXPECT_EQ(row["time"], std::to_string(kStart + 9 * kNsPerSecond));
  EXPECT_EQ(row["level"], "error");
  EXPECT_EQ(row["file"], "/var/log/app.log");
  EXPECT_EQ(row["bytes"], 5);
  EXPECT_EQ(row["id"], SourceId({1, 2}).to_hex() + ".0." + std::to_string(row["offset"].get<int>()));
  EXPECT_TRUE(all[6]["final"]);
  EXPECT_EQ(all[6]["buckets"][0]["counts"], json::parse("[0,0,0,0,0,2,0]"));
  EXPECT_EQ(all[7]["fields"][0]["values"][0]["value"], "web-1");
  EXPECT_EQ(all[8]["stats"]["records"], 5);
  EXPECT_TRUE(all[8]["error"].is_null());
  // The next page goes on behind the last row.
  const auto next = frames(call("GET", "/api/v1/search?q=odd&limit=3&after=" + all[8]["next"].get<std::string>()));
  EXPECT_EQ(next[1]["rows"][0]["text"], "odd 3");
  EXPECT_TRUE(next.back()["next"].is_null());
}

TEST_F(ApiTest, SearchTakesTheSameParametersAsAJsonBody) {
  fill(4);
  const auto all =
      frames(call("POST", "/api/v1/search",
                  R"({"q":"even","limit":"all","order":"oldest","values":["host","level"],"count":false})"));
  EXPECT_EQ(all[1]["rows"][0]["text"], "even 0");
  EXPECT_EQ(all[0]["limit"], 1'000'000);
  EXPECT_EQ(store_.last_request.values_of, (std::vector<std::string>{"host", "level"}));
  EXPECT_FALSE(store_.last_request.count_all);
  EXPECT_EQ(store_.last_request.deadline, std::chrono::seconds(60));
  for (const char* bad : {"[]", "{", "{\"q\":{}}", "{\"q\":[1]}", "{\"q\":\"a\",\"x\":1}", "3", "\"q\"",
                          "{\"q\":{\"a\":{\"b\":{\"c\":{\"d\":1}}}}}"}) {
    EXPECT_EQ(call("POST", "/api/v1/search", bad).status(), 400) << bad;
  }
}

TEST_F(ApiTest, TextThatIsNotUtf8KeepsItsBytes) {
  store_.add(std::string("a\xFF"
                         "b\x1b[31m<script>",
                         16),
             kStart);
  const json row = frames(call("GET", "/api/v1/search"))[1]["rows"][0];
  EXPECT_EQ(row["text"],
            "a\xEF\xBF\xBD"
            "b\x1b[31m<script>");
  EXPECT_EQ(row["raw"], http::base64(std::string("a\xFF"
                                                 "b\x1b[31m<script>",
                                                 16)));
  EXPECT_EQ(row["bytes"], 16);
}

TEST_F(ApiTest, CutsTextsAtACharacter) {
  store_.add(
      "ab\xE4\xB8\xAD"
      "cd",
      kStart);
  for (const auto& [limit, text] : {std::pair{2, "ab"}, {3, "ab"}, {4, "ab"}, {5, "ab\xE4\xB8\xAD"}}) {
    const json row = frames(call("GET", "/api/v1/search?text_limit=" + std::to_string(limit)))[1]["rows"][0];
    EXPECT_EQ(row["text"], text);
    EXPECT_EQ(row["truncated"], true);
    EXPECT_EQ(row["bytes"], 7);
  }
  EXPECT_FALSE(frames(call("GET", "/api/v1/search?text_limit=7"))[1]["rows"][0].contains("truncated"));
}

TEST_F(ApiTest, SearchErrorsComeInTheDoneFrameWithoutPaths) {
  store_.fails = Error(ErrorCode::kIo, "cannot read /secret/path: nope");
  const auto all = frames(call("GET", "/api/v1/search"));
  EXPECT_EQ(all.back()["type"], "done");
  EXPECT_EQ(all.back()["error"]["code"], "io");
  EXPECT_EQ(all.back()["error"]["message"].get<std::string>().find("secret"), std::string::npos);
}

TEST_F(ApiTest, Q2AtMostSoManySearchesAtOnce) {
  store_.search_blocks = true;
  std::vector<std::jthread> threads;
  std::atomic<int> begun{0};
  struct Counting : http::RecordingWriter {
    explicit Counting(std::atomic<int>& count) : count_(count) {}
    bool begin(int status, http::Headers headers) override {
      ++count_;
      count_.notify_all();
      return RecordingWriter::begin(status, std::move(headers));
    }
    std::atomic<int>& count_;
  };
  const auto* route = router_.match("GET", "/api/v1/search").route;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      http::Request request;
      request.method = "GET";
      request.path = "/api/v1/search";
      request.stop = stop_.get_token();
      Counting writer(begun);
      route->handler(request, writer);
    });
  }
  for (int seen = begun; seen < 8; seen = begun) begun.wait(seen);
  EXPECT_EQ(call("GET", "/api/v1/search").status(), 503);
  stop_.request_stop();
  threads.clear();
  EXPECT_GE(store_.cancelled, 1);
  store_.search_blocks = false;
  stop_ = std::stop_source();
  EXPECT_EQ(call("GET", "/api/v1/search").status(), 200);
}

TEST_F(ApiTest, Bad33WrongParametersAreNamed) {
  EXPECT_EQ(error_of("/api/v1/search?form=-1h"), "there is no parameter \"form\" here; did you mean \"from\"?");
  EXPECT_NE(error_of("/api/v1/search?from=yesterdy").find("\"from\""), std::string::npos);
  EXPECT_NE(error_of("/api/v1/search?limit=-1").find("\"limit\""), std::string::npos);
  EXPECT_NE(error_of("/api/v1/search?limit=99999999999999999999").find("\"limit\""), std::string::npos);
  EXPECT_NE(error_of("/api/v1/search?q=a&q=b").find("twice"), std::string::npos);
  EXPECT_NE(error_of("/api/v1/search?after=zz").find("cursor"), std::string::npos);
  EXPECT_NE(error_of("/api/v1/search?from=now&to=-1h").find("later"), std::string::npos);
  EXPECT_NE(error_of("/api/v1/search?count=maybe").find("true or false"), std::string::npos);
  EXPECT_NE(error_of("/api/v1/histogram?step=0").find("step"), std::string::npos);
  EXPECT_NE(error_of("/api/v1/context?source=12").find("32 hex"), std::string::npos);
  EXPECT_NE(error_of("/api/v1/values").find("field"), std::string::npos);
  EXPECT_EQ(call("GET", "/api/v1/search?q=" + std::string(100'000, 'a')).status(), 400);
  EXPECT_EQ(call("GET", "/api/v1/search?q=" + std::string(30'000, '(')).status(), 400);
  EXPECT_TRUE(frames(call("GET", "/api/v1/search?q=((a"))[0]["note"].contains("position"));  // searched as text
  EXPECT_EQ(call("GET", "/api/v1/search?q=*").status(), 200);
}

TEST_F(ApiTest, ReadsTimes) {
  const TimeNs now = kStart;
  EXPECT_EQ(parse_time_parameter("now", now), now);
  EXPECT_EQ(parse_time_parameter("-90m", now), now - 5400 * kNsPerSecond);
  EXPECT_EQ(parse_time_parameter("1700000000", now), kStart);
  EXPECT_EQ(parse_time_parameter("1700000000000", now), kStart);
  EXPECT_EQ(parse_time_parameter("1700000000000000", now), kStart);
  EXPECT_EQ(parse_time_parameter("1700000000000000001", now), kStart + 1);
  EXPECT_EQ(parse_time_parameter("2023-11-14T22:13:20Z", now), kStart);
  for (const char* bad : {"", "-", "-1", "1h", "--1h", "soon", "-99999999999999h", "99999999999999999999"}) {
    if (std::string_view(bad) == "-1") continue;  // an epoch
    EXPECT_FALSE(parse_time_parameter(bad, now)) << bad;
  }
}

TEST_F(ApiTest, CursorsComeBackAsTheyWere) {
  const logstore::RowKey key{-5, SourceId{0xFEDCBA9876543210U, 7}, 9, UINT64_MAX, 11};
  EXPECT_EQ(decode_cursor(encode_cursor(key)), key);
  for (const std::string& bad :
       {std::string(), std::string(88, 'g'), std::string(87, '0'), std::string(89, '0'), "-" + std::string(87, '1')}) {
    EXPECT_FALSE(decode_cursor(bad)) << bad;
  }
}

TEST_F(ApiTest, ContextFieldsValuesHistogram) {
  fill(10);
  const json near = get("/api/v1/context?source=" + SourceId({1, 2}).to_hex() + "&offset=14&before=1&after=2");
  ASSERT_EQ(near["rows"].size(), 4U);
  EXPECT_EQ(near["index"], 1);
  EXPECT_EQ(near["rows"][1]["text"], "even 2");
  EXPECT_EQ(get("/api/v1/fields")["fields"][0]["name"], "http.status");
  EXPECT_EQ(get("/api/v1/values?field=host&prefix=WE")["values"][0]["count"], 10);
  EXPECT_EQ(get("/api/v1/values?field=host&prefix=x")["values"].size(), 0U);
  EXPECT_EQ(get("/api/v1/histogram?step=5s")["buckets"].size(), 2U);
}

TEST_F(ApiTest, SourcesJoinsTheCollectorAndTheLedger) {
  store_.original = std::string(100, 'x');
  EXPECT_EQ(get("/api/v1/sources")["sources"][0]["state"], "stored");
  EXPECT_TRUE(get("/api/v1/sources")["sources"][0]["size"].is_null());
  source::SourceStatus status;
  status.source = SourceId{1, 2};
  status.channel = "logs";
  status.path = std::string("/var/log/\xFF.log");
  status.state = source::FileState::kUnreadable;
  status.size = 150;
  status.acknowledged = 100;
  status.problem = "permission denied";
  sources_ = {status};
  const json all = get("/api/v1/sources")["sources"];
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0]["state"], "unreadable");
  EXPECT_EQ(all[0]["lag"], 50);
  EXPECT_EQ(all[0]["host"], "web-1");
  EXPECT_EQ(all[0]["file_raw"], http::base64(status.path));
  const json state = get("/api/v1/status");
  EXPECT_EQ(state["sources"]["unreadable"], 1);
  EXPECT_EQ(state["pipeline"]["queue"], 3);
  EXPECT_EQ(state["version"], "1.2.3");
  EXPECT_TRUE(state["store"]["oldest"].is_null());
}

TEST_F(ApiTest, AuditNamesFindingsAndAcceptsThem) {
  json report = get("/api/v1/audit?deep=false");
  EXPECT_FALSE(report["clean"]);
  EXPECT_EQ(report["findings"][0]["kind"], "gap");
  EXPECT_EQ(report["sources"][0]["bytes"]["gap"], 5);
  EXPECT_FALSE(store_.last_audit.deep);
  EXPECT_EQ(call("POST", "/api/v1/audit/accept", R"({"id":"f-1"})").status(), 200);
  EXPECT_EQ(store_.accepted_by, "anna");
  EXPECT_TRUE(get("/api/v1/audit")["clean"]);
  const auto unknown = call("POST", "/api/v1/audit/accept", R"({"id":"f-2"})");
  EXPECT_EQ(unknown.status(), 404);
  EXPECT_NE(unknown.text().find("cannot accept f-2: the audit has no such finding; no finding is open"),
            std::string::npos)
      << unknown.text();
  store_.accepted_by = "";
  EXPECT_NE(call("POST", "/api/v1/audit/accept", R"({"id":"f-2"})").text().find("open: f-1 (gap)"), std::string::npos);
  EXPECT_EQ(store_.accepted_by, "");
  EXPECT_EQ(call("POST", "/api/v1/audit/accept", "{}").status(), 400);
}

TEST_F(ApiTest, ExportGivesTheOriginalBytesAndListsOmissions) {
  for (int i = 0; i < 5000; ++i) store_.original += static_cast<char>(i);
  auto whole = call("GET", "/api/v1/export?file=/var/log/app.log");
  EXPECT_EQ(whole.text(), store_.original);
  EXPECT_TRUE(whole.ended);
  EXPECT_EQ(whole.trailers[0].second, "true");
  store_.omissions = {{10, 15, "gap: vanished"}};
  auto partial = call("GET", "/api/v1/export?source=" + SourceId({1, 2}).to_hex());
  EXPECT_EQ(partial.trailers[0].second, "false");
  EXPECT_EQ(json::parse(partial.trailers[1].second)[0]["why"], "gap: vanished");
  EXPECT_EQ(call("GET", "/api/v1/export?file=/nowhere").status(), 404);
  EXPECT_EQ(call("GET", "/api/v1/export").status(), 400);
  store_.original.clear();
  EXPECT_EQ(call("GET", "/api/v1/export?file=/var/log/app.log").status(), 200);
}

TEST_F(ApiTest, X7CsvCellsAreNoFormulas) {
  store_.add("=cmd|'/c calc'!A1", kStart);
  store_.add("say \"hi\",\nnext", kStart + 1);
  const auto csv = call("GET", "/api/v1/export/rows?format=csv");
  EXPECT_EQ(csv.text(),
            "time,level,host,file,topic,text\r\n"
            "\"2023-11-14T22:13:20Z\",\"info\",\"web-1\",\"/var/log/app.log\",\"logs\",\"'=cmd|'/c calc'!A1\"\r\n"
            "\"2023-11-14T22:13:20.000000001Z\",\"info\",\"web-1\",\"/var/log/app.log\",\"logs\",\"say "
            "\"\"hi\"\",\nnext\"\r\n");
  EXPECT_EQ(csv.trailers[0].second, "2");
  EXPECT_EQ(call("GET", "/api/v1/export/rows?format=text&q=say").text(), "say \"hi\",\nnext\n");
  EXPECT_EQ(json::parse(call("GET", "/api/v1/export/rows?q=say").text())["level"], "info");
  EXPECT_EQ(call("GET", "/api/v1/export/rows?format=xml").status(), 400);
}

TEST_F(ApiTest, Utf16IsExportedAsPeopleSeeIt) {
  logstore::Row row;
  row.format = Format::kUtf16Be;
  row.text = std::string("\0h\0i\0 \0A", 8);
  store_.add(std::move(row));
  EXPECT_NE(call("GET", "/api/v1/export/rows?format=csv").text().find(",\"hi A\"\r\n"), std::string::npos);
  EXPECT_EQ(call("GET", "/api/v1/export/rows?format=text").text(), "hi A\n");
}

TEST_F(ApiTest, AnExportThatFailsIsCutNotEnded) {
  store_.fails = Error(ErrorCode::kIo, "cannot read");
  const auto cut = call("GET", "/api/v1/export/rows");
  EXPECT_EQ(cut.status(), 200);
  EXPECT_FALSE(cut.ended);
}

TEST_F(ApiTest, QuarantineShowsBytes) {
  const json entry = get("/api/v1/quarantine")["entries"][0];
  EXPECT_EQ(entry["bytes"], "Yf8A");
  EXPECT_EQ(entry["reason"], "conflict");
}

// Ends the stream after so many writes, as a client that leaves.
TEST_F(ApiTest, LiveSendsRowsWithTheirCommitAndResumes) {
  fill(3);
  const auto live = [&](const std::string& target, int writes, std::string_view last_id = "") {
    http::Request request;
    request.method = "GET";
    request.query = http::parse_target(target)->query;
    request.stop = stop_.get_token();
    if (!last_id.empty()) request.headers.emplace_back("last-event-id", last_id);
    http::RecordingWriter writer;
    writer.writes_until_gone = writes;
    router_.match("GET", "/api/v1/live").route->handler(request, writer);
    return writer.text();
  };
  const std::string all = live("/api/v1/live?commit=0&q=even", 2);
  EXPECT_TRUE(all.starts_with("event: hello\nid: 0\ndata: {\"commit\":0,")) << all;
  EXPECT_NE(all.find("event: rows\nid: 3\ndata: {\"commit\":3,\"rows\":[{"), std::string::npos) << all;
  EXPECT_EQ(all.find("odd"), std::string::npos);
  const std::string rest = live("/api/v1/live?commit=0", 2, "2");
  EXPECT_EQ(rest.find("odd 1"), std::string::npos);
  EXPECT_NE(rest.find("even 2"), std::string::npos);
  fill(100);
  const std::string sampled = live("/api/v1/live?commit=3&rate=100", 3);
  EXPECT_NE(sampled.find("event: sampled\ndata: {\"shown\":10,\"skipped\":90}"), std::string::npos)
      << sampled.substr(0, 300);
  EXPECT_EQ(call("GET", "/api/v1/live?commit=x").status(), 400);
}

TEST_F(ApiTest, LiveEndsWithTheProgram) {
  stop_.request_stop();
  EXPECT_NE(call("GET", "/api/v1/live").text().find("event: end\ndata: {\"reason\":\"stopping\"}"), std::string::npos);
}

TEST_F(ApiTest, OpenApiDescribesEveryRoute) {
  const json api = get("/api/v1/openapi.json");
  EXPECT_EQ(api["openapi"], "3.1.0");
  std::size_t operations = 0;
  for (const auto& [path, methods] : api["paths"].items()) operations += methods.size();
  EXPECT_EQ(operations, router_.routes().size());
  EXPECT_EQ(api["paths"]["/api/v1/search"]["get"]["x-role"], "viewer");
  EXPECT_EQ(api["paths"]["/healthz"]["get"]["security"], json::array());
  EXPECT_TRUE(
      api["paths"]["/api/v1/audit/accept"]["post"]["requestBody"]["content"]["application/json"]["schema"]["properties"]
          .contains("id"));
  for (const auto& route : router_.routes()) {
    EXPECT_FALSE(route->summary.empty()) << route->pattern;
    EXPECT_FALSE(route->response.empty()) << route->pattern;
    for (const auto& parameter : route->parameters)
      EXPECT_FALSE(parameter.description.empty()) << route->pattern << parameter.name;
  }
}

// The page of the documentation names every route and every parameter.
TEST_F(ApiTest, TheReferencePageNamesEveryRouteAndParameter) {
  const char* root = std::getenv("LOGBOOM_SOURCE_DIR");
  if (!root) GTEST_SKIP() << "LOGBOOM_SOURCE_DIR is not set";
  std::ifstream file(std::string(root) + "/docs/reference/api.md");
  const std::string page((std::istreambuf_iterator<char>(file)), {});
  for (const auto& route : router_.routes()) {
    EXPECT_NE(page.find(route->pattern.substr(route->pattern.rfind('/'))), std::string::npos) << route->pattern;
    for (const auto& parameter : route->parameters) {
      EXPECT_NE(page.find(parameter.name), std::string::npos) << route->pattern << " " << parameter.name;
    }
  }
}

}  // namespace
}  // namespace logboom::server
