#include "app/options.h"
#include "app/value_checks.h"

namespace logboom::app {

using config::OptionType;

namespace {

bool is_url(std::string_view text) {
  return authority_of_url(text).has_value();
}

// What is left of a pattern without {topic} and {day} must be a part of an index name.
std::optional<std::string> index_pattern(std::string_view text) {
  constexpr const char* kExpected =
      "an index name: lower-case letters, digits, '.', '-' and '_', with {topic} and {day} where these belong";
  if (text.empty() || text.size() > 100 || text[0] == '-' || text[0] == '_' || text[0] == '.') return kExpected;
  for (std::size_t i = 0; i < text.size(); ++i) {
    for (const std::string_view part : {"{topic}", "{day}"}) {
      if (text.substr(i).starts_with(part)) i += part.size();
    }
    if (i >= text.size()) break;
    const char c = text[i];
    const bool fits = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
    if (!fits) return kExpected;
  }
  return std::nullopt;
}

}  // namespace

config::OptionTable elastic_options() {
  return {
      {"elastic.url",
       OptionType::kList,
       "",
       "OpenSearch or Elasticsearch: URLs of nodes of one cluster; any of them may be down.",
       {},
       false,
       each_item(is_url, "URLs with commas between them, as in http://10.0.0.1:9200")},
      {"elastic.index",
       OptionType::kText,
       "logboom-{topic}-{day}",
       "Index a record goes to; {topic} and {day} (on which its bytes were first read, UTC) are filled in. Without "
       "them "
       "everything goes to this one index.",
       {},
       false,
       index_pattern},
      {"elastic.user", OptionType::kText, "", "User to sign in as."},
      {"elastic.password", OptionType::kText, "", "The user's password.", {}, true},
      {"elastic.password_file", OptionType::kPath, "", "Holds the user's password, in the place of elastic.password."},
      {"elastic.api_key",
       OptionType::kText,
       "",
       "API key (base64 of id:key) in the place of user and password.",
       {},
       true},
      {"elastic.tls_ca", OptionType::kPath, "",
       "Of https:// addresses: authorities in PEM that sign the nodes; default: the system's."},
      {"elastic.tls_cert", OptionType::kPath, "", "This client's certificate in PEM, where the nodes want one."},
      {"elastic.tls_key", OptionType::kPath, "", "Its private key in PEM."},
      {"elastic.insecure_skip_verify", OptionType::kBoolean, "false",
       "Takes any certificate of a node: whoever stands between reads and alters everything. For trying out only."},
      {"elastic.writers",
       OptionType::kInteger,
       "2",
       "Connections that write at the same time.",
       {},
       false,
       whole_number(1, 256)},
  };
}

}  // namespace logboom::app
