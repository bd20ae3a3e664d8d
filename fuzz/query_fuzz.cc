// The query language over any bytes: the first line of the input is the query, the rest a record's text. What parses
// writes a text that parses to the same; a record that matches passes the filters made from its own text; a match by
// lines is one wherever the line stands.
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string_view>

#include "logstore/query/folding.h"
#include "logstore/query/matcher.h"
#include "logstore/query/requirements.h"
#include "logstore/query/tokens.h"
#include "logstore/query/trigrams.h"

namespace {

namespace query = logboom::logstore::query;

void require(bool holds) {
  if (!holds) std::abort();
}

struct TextIndex {
  explicit TextIndex(std::string_view text) {
    const std::string folded = query::fold(text);
    query::for_each_token(folded, [&](std::string_view token) { tokens.insert(query::token_hash(token)); });
    query::for_each_trigram(folded, [&](std::uint32_t hash) { trigrams.insert(hash); });
  }
  bool may_hold_token(std::uint64_t hash) { return tokens.contains(hash); }
  bool may_hold_trigram(std::uint32_t hash) { return trigrams.contains(hash); }
  bool may_have_constant(const std::string&) { return false; }
  std::set<std::uint64_t> tokens;
  std::set<std::uint32_t> trigrams;
};

void check_text(const query::Node& node) {
  const std::string text = query::to_string(node);
  const auto again = query::parse(text);
  if (!again.ok()) return;  // quoting may take it over the cap of bytes
  require(again->note.empty());
  require(query::to_string(again->root) == text);
}

void check_match(const query::Node& node, std::string_view text) {
  const auto matcher = query::Matcher::compile(node);
  if (!matcher.ok()) return;
  query::Matcher::Scratch scratch;
  query::RecordView record;
  record.text = text;
  if (!text.empty() && text.front() == '{') record.format = logboom::Format::kJson;
  if (!matcher->matches(record, scratch)) return;
  TextIndex index(text);
  require(query::Requirements::of(matcher->root()).possible(index));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t line = std::min(input.find('\n'), size);
  const auto parsed = query::parse(input.substr(0, line));
  if (!parsed.ok()) return 0;
  check_text(parsed->root);
  check_match(parsed->root, input.substr(std::min(line + 1, size)));
  return 0;
}
