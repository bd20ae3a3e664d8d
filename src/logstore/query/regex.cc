#include "logstore/query/regex.h"

#include <algorithm>

#include <re2/filtered_re2.h>
#include <re2/re2.h>

#include "logstore/query/folding.h"
#include "logstore/query/query.h"

namespace logboom::logstore::query {
namespace {

constexpr std::int64_t kMatchMemory = 4 << 20;
constexpr std::size_t kInstructionBytes = 16;
constexpr std::size_t kMaxLiterals = 200;  // of one regex; more say nothing

bool all_valid(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    bool valid = false;
    i += character_length(text, i, &valid);
    if (!valid) return false;
  }
  return true;
}

// Whether bytes would mean something else than characters: [äö], ä+, or folding of ä.
bool needs_characters(std::string_view text, bool fold) {
  if (is_ascii(text) || !all_valid(text)) return false;
  if (fold || text.find('[') != std::string_view::npos) return true;
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    const bool beyond_ascii = static_cast<unsigned char>(text[i]) >= 0x80;
    if (beyond_ascii && std::string_view("*+?{").find(text[i + 1]) != std::string_view::npos) return true;
  }
  return false;
}

re2::RE2::Options options_for(std::string_view text, bool fold) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_encoding(needs_characters(text, fold) ? re2::RE2::Options::EncodingUTF8
                                                    : re2::RE2::Options::EncodingLatin1);
  options.set_case_sensitive(!fold);
  options.set_max_mem(kMatchMemory);
  options.set_never_nl(true);
  options.set_never_capture(true);
  return options;
}

re2::StringPiece piece(std::string_view text) {
  return {text.data(), text.size()};
}

// Bytes of a literal that may be half of a character: a text may have the other half, and then folds to something else.
std::string without_half_characters(std::string literal) {
  while (!literal.empty() && (static_cast<unsigned char>(literal.front()) & 0xC0) == 0x80) literal.erase(0, 1);
  for (std::size_t back = 1; back <= 3 && back <= literal.size(); ++back) {
    const auto b = static_cast<unsigned char>(literal[literal.size() - back]);
    if (b < 0x80) break;
    if (b < 0xC0) continue;
    bool valid = false;
    const std::size_t length = character_length(literal, literal.size() - back, &valid);
    if (!valid || length != back) literal.resize(literal.size() - back);
    break;
  }
  return literal;
}

}  // namespace

RegexCheck check_regex(const std::string& text, bool fold) {
  const re2::RE2 regex(text, options_for(text, fold));
  RegexCheck check;
  if (!regex.ok()) {
    check.problem = regex.error();
    check.too_big =
        regex.error_code() == re2::RE2::ErrorPatternTooLarge || regex.error_code() == re2::RE2::ErrorRepeatSize;
  } else if (static_cast<std::size_t>(regex.ProgramSize()) * kInstructionBytes > kMaxRegexBytes) {
    check.problem = "pattern too large";
    check.too_big = true;
  }
  return check;
}

Result<Regex> Regex::compile(const std::string& text, bool fold) {
  const RegexCheck check = check_regex(text, fold);
  if (!check.problem.empty()) {
    return Error(ErrorCode::kInvalidArgument, "cannot compile the regular expression: " + check.problem);
  }
  Regex regex;
  regex.line_ = std::make_shared<re2::RE2>(text, options_for(text, fold));
  // Over many lines ^ and $ must mean the ends of lines; \A, \z and flags of its own could mean something else.
  const bool plain = text.find("\\A") == std::string::npos && text.find("\\z") == std::string::npos &&
                     text.find("\\Q") == std::string::npos && text.find("(?") == std::string::npos;
  if (plain) {
    auto scan = std::make_shared<re2::RE2>("(?m:" + text + ")", options_for(text, fold));
    if (scan->ok()) regex.scan_ = std::move(scan);
  }
  return regex;
}

bool Regex::found_in(std::string_view line) const {
  return re2::RE2::PartialMatch(piece(line), *line_);
}

std::size_t Regex::candidate(std::string_view text, std::size_t from) const {
  re2::StringPiece found;
  if (!scan_->Match(piece(text), from, text.size(), re2::RE2::UNANCHORED, &found, 1)) return std::string_view::npos;
  return static_cast<std::size_t>(found.data() - text.data());
}

RegexNeeds RegexNeeds::of(const std::string& text, bool fold, int least) {
  RegexNeeds needs;
  auto filter = std::make_shared<re2::FilteredRE2>(least);
  int id = 0;
  if (filter->Add(text, options_for(text, fold), &id) != re2::RE2::NoError) return needs;
  std::vector<std::string> atoms;
  filter->Compile(&atoms);
  if (atoms.empty() || atoms.size() > kMaxLiterals) return needs;
  for (std::string& atom : atoms) needs.literals_.push_back(query::fold(without_half_characters(std::move(atom))));
  needs.filter_ = std::move(filter);
  for (std::size_t i = 0; i < needs.literals_.size(); ++i) {
    std::vector<bool> all_but_one(needs.literals_.size(), true);
    all_but_one[i] = false;
    const bool demanded = needs.literals_[i].size() > needs.required_.size() && !needs.possible(all_but_one);
    if (demanded) needs.required_ = needs.literals_[i];
  }
  return needs;
}

bool RegexNeeds::possible(const std::vector<bool>& present) const {
  if (filter_ == nullptr) return true;
  std::vector<int> atoms;
  for (std::size_t i = 0; i < literals_.size(); ++i) {
    if (present[i]) atoms.push_back(static_cast<int>(i));
  }
  std::vector<int> passed;
  filter_->AllPotentials(atoms, &passed);
  return !passed.empty();
}

}  // namespace logboom::logstore::query
