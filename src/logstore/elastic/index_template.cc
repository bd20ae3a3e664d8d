#include "logstore/elastic/index_template.h"

#include <functional>

#include <fmt/format.h>

#include "http/json.h"
#include "http/url.h"
#include "logstore/query/folding.h"
#include "parse/time.h"
#include "parse/utf8.h"

namespace logboom::logstore::elastic {
namespace {

using http::JsonWriter;

std::string replaced(std::string_view pattern, std::string_view topic, std::string_view day) {
  std::string out;
  for (std::size_t i = 0; i < pattern.size();) {
    if (pattern.substr(i).starts_with("{topic}")) {
      out += topic;
      i += 7;
    } else if (pattern.substr(i).starts_with("{day}")) {
      out += day;
      i += 5;
    } else {
      out += pattern[i++];
    }
  }
  return out == kLedgerIndex ? out + "-" : out;
}

// As a part of an index name.
std::string part_of(std::string_view topic) {
  std::string out;
  for (char c : topic.substr(0, 140)) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    const bool fits = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    out += fits ? c : '-';
  }
  return out;
}

// The same folding as query/folding.h, as rules of a char filter.
void write_folding(JsonWriter& w) {
  w.open_array();
  constexpr char32_t kLast = 0x1E921;
  for (char32_t c = 0; c <= kLast; ++c) {
    const char32_t folded = query::fold_code_point(c);
    if (folded == c) continue;
    std::string rule;
    parse::append_utf8(rule, c);
    rule += "=>";
    parse::append_utf8(rule, folded);
    w.string(rule);
  }
  w.close_array();
}

void write_settings(JsonWriter& w) {
  w.open_object().key("index").open_object();
  w.field("refresh_interval", "1s").field("codec", "best_compression");
  w.key("translog").open_object().field("durability", "request").close_object();
  w.key("mapping").open_object().key("total_fields").open_object();
  w.field("limit", std::uint64_t{2000}).close_object().close_object();
  w.close_object().key("analysis").open_object();
  w.key("char_filter").open_object().key("logboom_fold").open_object();
  w.field("type", "mapping").key("mappings");
  write_folding(w);
  w.close_object().close_object();
  w.key("tokenizer").open_object().key("logboom_words").open_object();
  // Surrogates as JSON escapes: a token beyond ASCII is one character, whatever its length in UTF-16.
  w.field("type", "simple_pattern").key("pattern").raw(R"("[A-Za-z0-9_]+|[\u0080-\udbff\udfff]")");
  w.close_object().close_object();
  w.key("filter").open_object().key("logboom_cut").open_object();
  w.field("type", "truncate").field("length", std::uint64_t{kMaxToken}).close_object().close_object();
  w.key("analyzer").open_object().key("logboom").open_object().field("type", "custom");
  w.key("char_filter").open_array().string("logboom_fold").close_array();
  w.field("tokenizer", "logboom_words").key("filter").open_array().string("logboom_cut").close_array();
  w.close_object().close_object().close_object().close_object();
}

constexpr std::string_view kMappings = R"({
"dynamic":false,"date_detection":false,"numeric_detection":false,
"dynamic_templates":[
 {"numbers":{"path_match":"fields.*","match_mapping_type":"long","mapping":{"type":"long","ignore_malformed":true}}},
 {"others":{"path_match":"fields.*","match_mapping_type":"*","mapping":{"type":"keyword","ignore_above":1024}}},
 {"labels":{"path_match":"labels.*","match_mapping_type":"*","mapping":{"type":"keyword","ignore_above":1024}}}],
"properties":{
 "@timestamp":{"type":"date"},
 "message":{"type":"text","analyzer":"logboom"},
 "log":{"properties":{"level":{"type":"keyword"},"offset":{"type":"long"},
  "file":{"properties":{"path":{"type":"keyword","ignore_above":8000}}}}},
 "host":{"properties":{"name":{"type":"keyword","ignore_above":8000}}},
 "topic":{"type":"keyword","ignore_above":8000},
 "labels":{"type":"object","dynamic":true},
 "fields":{"type":"object","dynamic":true},
 "logboom":{"dynamic":false,"properties":{
  "source":{"type":"keyword"},"epoch":{"type":"long"},"channel":{"type":"keyword"},"time":{"type":"long"},
  "commit":{"type":"long"},"lines":{"type":"long"},"rule":{"type":"keyword","ignore_above":8000},
  "begin":{"type":"long"},"end":{"type":"long"},
  "escaped":{"type":"text","analyzer":"logboom"},"labels":{"type":"keyword","ignore_above":8000}}}}})";

}  // namespace

std::string index_name(std::string_view pattern, std::string_view topic, TimeNs arrival) {
  std::string day = parse::format_time_utc(arrival).substr(0, 10);
  for (char& c : day) c = c == '-' ? '.' : c;
  return replaced(pattern, part_of(topic), day);
}

std::string indices_of(std::string_view pattern, std::string_view topic) {
  return replaced(pattern, part_of(topic), "*");
}

std::string all_indices(std::string_view pattern) {
  return replaced(pattern, "*", "*");
}

bool fits_indices(std::string_view pattern, std::string_view index) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == index;
  if (!index.starts_with(pattern.substr(0, star))) return false;
  pattern.remove_prefix(star + 1);
  index.remove_prefix(star);
  // Each part between stars where it comes first, the last one at the end.
  for (std::size_t next = 0; (next = pattern.find('*')) != std::string_view::npos; pattern.remove_prefix(next + 1)) {
    const std::size_t at = index.find(pattern.substr(0, next));
    if (at == std::string_view::npos) return false;
    index.remove_prefix(at + next);
  }
  return index.ends_with(pattern);
}

std::string any_day_of(std::string_view index) {
  constexpr std::string_view kDay = "dddd.dd.dd";
  const auto is_day = [&](std::size_t at) {
    for (std::size_t i = 0; i < kDay.size(); ++i) {
      const char c = index[at + i];
      if (kDay[i] == 'd' ? c < '0' || c > '9' : c != kDay[i]) return false;
    }
    return true;
  };
  std::string out;
  for (std::size_t at = 0; at < index.size();) {
    const bool day = at + kDay.size() <= index.size() && is_day(at);
    out += day ? '*' : index[at];
    at += day ? kDay.size() : 1;
  }
  return out;
}

namespace {

// `priority`: where two patterns overlap the greater one counts. `inside`: writes settings and mappings.
Template make_template(const Version& version, std::string name, const std::string& indices, std::uint64_t priority,
                       const std::function<void(JsonWriter&)>& inside) {
  const bool composable = version.opensearch || version.major > 7 || version.minor >= 8;
  Template made{(composable ? "/_index_template/" : "/_template/") + http::percent_encode(name), {}};
  JsonWriter w(made.body);
  w.open_object().key("index_patterns").open_array().string(indices).close_array();
  if (composable) {
    w.field("priority", priority).key("template").open_object();
  } else {
    w.field("order", priority);
  }
  inside(w);
  if (composable) w.close_object();
  w.close_object();
  return made;
}

constexpr std::string_view kLedgerSettings =
    R"({"index":{"number_of_shards":1,"refresh_interval":"1s","translog":{"durability":"request"}}})";
constexpr std::string_view kLedgerMappings = R"({"dynamic":false,"properties":{"kind":{"type":"keyword"},
"stream":{"type":"keyword","ignore_above":1024},"source":{"type":"keyword","ignore_above":1024},
"key":{"type":"keyword"},"begin":{"type":"long"}}})";

}  // namespace

Template index_template(const Version& version, std::string_view pattern, std::string_view topic) {
  const std::string indices = indices_of(pattern, topic);
  std::string name = "logboom-" + indices;
  for (char& c : name) c = c == '*' ? '_' : c;
  return make_template(version, name, indices, 500 + indices.size(), [](JsonWriter& w) {
    w.key("settings");
    write_settings(w);
    w.key("mappings").raw(kMappings);
  });
}

Template ledger_template(const Version& version) {
  return make_template(version, kLedgerIndex, kLedgerIndex, 1000, [](JsonWriter& w) {
    w.key("settings").raw(kLedgerSettings).key("mappings").raw(kLedgerMappings);
  });
}

std::string ledger_body() {
  return fmt::format(R"({{"settings":{},"mappings":{}}})", kLedgerSettings, kLedgerMappings);
}

}  // namespace logboom::logstore::elastic
