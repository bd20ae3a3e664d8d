#include "app/value_checks.h"

#include <gtest/gtest.h>

#include "app/options.h"

namespace logboom::app {
namespace {

std::string set(const char* name, const char* value) {
  config::Settings settings(all_options());
  const Status done = settings.set(name, value, "a test");
  return done.ok() ? "" : done.error().message();
}

TEST(ValueChecks, NumbersKeepToTheirBounds) {
  EXPECT_EQ(set("elastic.writers", "256"), "");
  for (const char* wrong : {"0", "257", "-1", "99999999999999999999"})
    EXPECT_NE(set("elastic.writers", wrong), "") << wrong;
  EXPECT_NE(set("elastic.writers", "0").find("1 to 256"), std::string::npos);
  EXPECT_EQ(set("transport.level", "-7"), "");
  EXPECT_NE(set("metrics_store.max_series", "99"), "");
}

TEST(ValueChecks, AddressesAreLookedAtOneByOne) {
  EXPECT_EQ(set("elastic.url", "http://10.0.0.1:9200, https://es-2:9200/path"), "");
  EXPECT_NE(set("elastic.url", "http://10.0.0.1:9200, es-2:9200"), "");
  EXPECT_NE(set("elastic.url", "http://10.0.0.1:9200,,http://es-2:9200"), "");
  EXPECT_EQ(set("etcd.endpoints", "10.0.0.1:2379, https://etcd-2:2379"), "");
  EXPECT_NE(set("etcd.endpoints", "10.0.0.1"), "");
  EXPECT_NE(set("etcd.endpoints", "ftp://10.0.0.1:2379"), "");
  for (const char* fine :
       {"", "10.0.0.1:9092,kafka-2:9092", "kafka-1, kafka-2", "SSL://kafka-1:9093", "[::1]:9092", "[::1]"})
    EXPECT_EQ(set("transport.brokers", fine), "") << fine;
  for (const char* wrong : {"10.0.0.1:99999", ":9092", "kafka:port", "kafka:", "kafka-1:9092 kafka-2:9092", "kafka/x"})
    EXPECT_NE(set("transport.brokers", wrong), "") << wrong;
  EXPECT_EQ(set("metrics_store.url", ""), "");
  EXPECT_NE(set("metrics_store.url", "10.0.0.1:8086"), "");
}

TEST(ValueChecks, AKeyNamesItsHostOnce) {
  for (const char* name : {"etcd.collect_key", "etcd.system_key"}) {
    for (const char* fine : {"collect_log_%s_conf", "/logagent/%s/collect_config", "%s", "fixed", ""})
      EXPECT_EQ(set(name, fine), "") << fine;
    for (const char* wrong : {"collect_%s_%s", "collect_%d", "collect_%s_%d", "%", "100%%_%s"})
      EXPECT_NE(set(name, wrong).find("%s once"), std::string::npos) << wrong;
  }
}

}  // namespace
}  // namespace logboom::app
