#include "config/ini_file.h"

#include <gtest/gtest.h>

namespace logboom::config {
namespace {

OptionTable table() {
  OptionTable options;
  for (const char* name : {"transport.brokers", "transfer.topics", "etcd.endpoints", "elastic.url"})
    options.push_back({name, OptionType::kList, "", ""});
  for (const char* name : {"transport.kind", "transport.encoding", "rules.from", "rules.start", "transfer.start_at",
                           "etcd.collect_key", "etcd.system_key", "etcd.user", "elastic.index", "elastic.user",
                           "elastic.password", "logs.kind", "metrics_store.kind", "metrics_store.url",
                           "metrics_store.database", "metrics_store.user", "metrics_store.password"})
    options.push_back({name, OptionType::kText, "", ""});
  for (const char* name : {"transport.queue_records", "transfer.queue_records", "elastic.writers"})
    options.push_back({name, OptionType::kInteger, "1", ""});
  return options;
}

struct Read {
  Settings settings{table()};
  RuleSet rules;
  std::vector<Problem> problems;
  explicit Read(const std::string& text) {
    read_ini_settings("config.ini", text, settings, problems);
    read_ini_rules("config.ini", text, rules, problems);
  }
  std::string said() const {
    std::string out;
    for (const Problem& problem : problems) out += to_string(problem);
    return out;
  }
};

// The files of contract.md, as they are.
TEST(Ini, AnAgentsFile) {
  const Read read(
      "; agent: config.ini\n[kafka]\naddress   = 10.0.0.1:9092,10.0.0.2:9092\ntopic     = web_log\nchan_size = 100000\n"
      "[etcd]\naddress     = 10.0.0.1:2379,10.0.0.2:2379\ncollect_key = collect_log_%s_conf\n[collect]\n"
      "logfile_path = /var/log/app.log\n");
  EXPECT_EQ(read.said(), "");
  EXPECT_EQ(read.settings.text("transport.kind"), "kafka");
  EXPECT_EQ(read.settings.list("transport.brokers"), (std::vector<std::string>{"10.0.0.1:9092", "10.0.0.2:9092"}));
  EXPECT_EQ(read.settings.integer("transport.queue_records"), 100000);
  EXPECT_EQ(read.settings.text("transport.encoding"), "line") << "the value is the raw line";
  EXPECT_EQ(read.settings.text("rules.from"), "etcd");
  EXPECT_EQ(read.settings.text("rules.start"), "end");
  EXPECT_EQ(read.settings.list("etcd.endpoints"), (std::vector<std::string>{"10.0.0.1:2379", "10.0.0.2:2379"}));
  EXPECT_EQ(read.settings.text("etcd.collect_key"), "collect_log_%s_conf");
  EXPECT_EQ(read.settings.value("etcd.collect_key").origin, "config.ini:8");
  ASSERT_EQ(read.rules.rules.size(), 1u);
  EXPECT_EQ(read.rules.rules[0].path, "/var/log/app.log");
  EXPECT_EQ(read.rules.rules[0].topic, "web_log");
  EXPECT_EQ(read.rules.rules[0].start, Start::kEnd);
}

TEST(Ini, ATransfersFile) {
  const Read read(
      "[kafka]\naddress = 10.0.0.1:9092\ntopic   = web_log\n[es]\naddress       = http://10.0.0.1:9200\n"
      "index         = web\nmax_chan_size = 10000\ngoroutine_num = 16\n"
      "[influxdb]\naddress = http://10.0.0.1:8086\ndatabase = monitor\nusername = u\npassword = p\n");
  EXPECT_EQ(read.said(), "");
  EXPECT_EQ(read.settings.list("transfer.topics"), (std::vector<std::string>{"web_log"}));
  EXPECT_EQ(read.settings.text("transfer.start_at"), "latest");
  EXPECT_EQ(read.settings.text("elastic.url"), "http://10.0.0.1:9200");
  EXPECT_EQ(read.settings.text("elastic.index"), "web");
  EXPECT_EQ(read.settings.integer("transfer.queue_records"), 10000);
  EXPECT_EQ(read.settings.integer("elastic.writers"), 16);
  EXPECT_EQ(read.settings.text("metrics_store.kind"), "influxdb");
  EXPECT_EQ(read.settings.text("metrics_store.url"), "http://10.0.0.1:8086");
  EXPECT_EQ(read.settings.text("metrics_store.database"), "monitor");
  EXPECT_EQ(read.settings.text("metrics_store.user"), "u");
  EXPECT_EQ(read.settings.text("metrics_store.password"), "p");
  EXPECT_TRUE(read.rules.rules.empty());
}

TEST(Ini, WhatGoesWithoutSayingCanBeSaid) {
  const Read read(
      "[kafka]\r\nvalue = json\r\nstart_at = earliest ; from the first message\r\n[es]\naddress=10.0.0.1:9200\n"
      "goroutine_num = 500\nusername = u\n[collect]\nlogfile_path = /a\nstart = beginning\nroots = /srv, /var/log\n"
      "[etcd]\nuser = agent\n");
  EXPECT_EQ(read.said(), "");
  EXPECT_EQ(read.settings.text("transport.encoding"), "json");
  EXPECT_EQ(read.settings.text("transfer.start_at"), "earliest");
  EXPECT_EQ(read.settings.text("elastic.url"), "http://10.0.0.1:9200");
  EXPECT_EQ(read.settings.integer("elastic.writers"), 64);
  EXPECT_EQ(read.settings.text("elastic.user"), "u");
  EXPECT_EQ(read.settings.text("etcd.user"), "agent") << "a setting by its own name";
  EXPECT_EQ(read.rules.rules.at(0).start, Start::kBeginning);
  EXPECT_EQ(read.rules.roots, (std::vector<std::string>{"/srv", "/var/log"}));
}

TEST(Ini, UnknownKeysAreWarningsAndMistakesAreErrors) {
  const Read read("[kafka]\nadress = 10.0.0.1:9092\nchan_size = many\n[logs]\nlog_level = debug\n");
  EXPECT_EQ(read.problems.size(), 3u) << read.said();
  EXPECT_NE(read.said().find("config.ini:2:1: warning: unknown key 'adress'"), std::string::npos) << read.said();
  EXPECT_NE(read.said().find("did you mean 'address'?"), std::string::npos);
  EXPECT_NE(read.said().find("config.ini:3:1: transport.queue_records: 'many' is not a whole number"),
            std::string::npos);
  EXPECT_NE(read.said().find("unknown key 'log_level' in [logs]"), std::string::npos);
  EXPECT_NE(Read("[kafka]\nthis is nothing\n").said().find("config.ini:2:1: this line is neither"), std::string::npos);
}

TEST(Ini, LinesMayEndWithACrAlone) {
  const Read read("[kafka]\raddress = 10.0.0.1:9092\rtopic = web_log\r[collect]\rlogfile_path = /a\rstart = never\r");
  EXPECT_EQ(read.settings.text("transport.brokers"), "10.0.0.1:9092");
  ASSERT_EQ(read.rules.rules.size(), 1u);
  EXPECT_EQ(read.rules.rules[0].path, "/a");
  EXPECT_NE(read.said().find("config.ini:6:1: 'never' is none of"), std::string::npos) << read.said();
}

TEST(Ini, ABadTopicIsToldAtItsLine) {
  const Read read("[collect]\nlogfile_path = logs/app.log\n[kafka]\naddress = 10.0.0.1:9092\ntopic = web log\n");
  EXPECT_NE(read.said().find("config.ini:5:1: 'web log' is no topic"), std::string::npos) << read.said();
  EXPECT_NE(read.said().find("config.ini:2:1: "), std::string::npos) << read.said();
}

TEST(Ini, AWindowsPathIsAClearError) {
  const Read read("[collect]\nlogfile_path = D:/project/logs/app.log\n");
  EXPECT_NE(read.said().find("config.ini:2:1: 'D:/project/logs/app.log' is a Windows path"), std::string::npos)
      << read.said();
}

TEST(Ini, LongListsAndListsOverSeveralLines) {
  std::string brokers;
  for (int i = 0; i < 100; ++i) brokers += (i == 0 ? "" : ",") + ("kafka-" + std::to_string(i) + ".example:9092");
  const Read read("; " + std::string(500, 'x') + "\n[kafka]\naddress = " + brokers +
                  "\n[etcd]\n  address = a:1,\n    b:2,\n    c:3\n  collect_key = " + std::string(300, 'k') + "\n");
  EXPECT_EQ(read.settings.text("transport.brokers"), brokers);
  EXPECT_EQ(read.settings.value("transport.brokers").origin, "config.ini:3");
  EXPECT_EQ(read.settings.text("etcd.endpoints"), "a:1,b:2,c:3") << read.said();
}

TEST(Ini, QuotesCommentsAndSpacesAsOthersReadThem) {
  const Read read(
      "[ kafka ]\naddress = \"10.0.0.1:9092\"  # the first\ntopic = 'web_log'\n[es]\naddress = 10.0.0.1:9200 # ours\n"
      "password = \"a #b\"\nuser = a#b\n[collect]\nlogfile_path = \"/var/log/my app.log\"\n");
  EXPECT_EQ(read.said(), "");
  EXPECT_EQ(read.settings.text("transport.brokers"), "10.0.0.1:9092");
  EXPECT_EQ(read.settings.text("transfer.topics"), "web_log");
  EXPECT_EQ(read.settings.text("elastic.url"), "http://10.0.0.1:9200");
  EXPECT_EQ(read.settings.text("elastic.password"), "a #b");
  EXPECT_EQ(read.settings.text("elastic.user"), "a#b") << "no comment without a space before it";
  EXPECT_EQ(read.rules.rules.at(0).path, "/var/log/my app.log");
  EXPECT_NE(Read("[Kafka]\naddress = a:1\n").said().find("did you mean [kafka]?"), std::string::npos);
}

TEST(Ini, HostileTextsEndNowhereBad) {
  for (const std::string& text :
       {std::string(), std::string("\0\0\n[a\0b]\nx=y\0z\n", 15), std::string(100'000, '['), std::string(100'000, '='),
        "[" + std::string(1000, 'a') + "]\n" + std::string(1000, 'b') + "=" + std::string(1000, 'c'),
        std::string("=x\n[]\n = \n[kafka\naddress"), std::string("\xEF\xBB\xBF[kafka]\ntopic=t")}) {
    const Read read(text);
    for (const Problem& problem : read.problems) EXPECT_NE(problem.message, "");
  }
  EXPECT_EQ(Read("\xEF\xBB\xBF[kafka]\ntopic=t").settings.text("transfer.topics"), "t");
}

}  // namespace
}  // namespace logboom::config
