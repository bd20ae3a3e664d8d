#include "parse/fields.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <unordered_map>

#include <fmt/format.h>

#define SIMDJSON_EXCEPTIONS 0
#include <simdjson.h>

namespace logboom::parse {
namespace {

namespace od = simdjson::ondemand;

constexpr int kMaxDepth = 64;

// Without JSON's white space around; other control characters make a value invalid.
std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// The grammar of JSON numbers; on-demand parsing checks no number by itself.
bool is_number(std::string_view text) {
  std::size_t i = 0;
  const auto digits = [&] {
    const std::size_t begin = i;
    while (i < text.size() && is_digit(text[i])) ++i;
    return i - begin;
  };
  if (i < text.size() && text[i] == '-') ++i;
  const bool zero = i < text.size() && text[i] == '0';
  const std::size_t whole = digits();
  if (whole == 0 || (zero && whole > 1)) return false;
  if (i < text.size() && text[i] == '.') {
    ++i;
    if (digits() == 0) return false;
  }
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
    if (digits() == 0) return false;
  }
  return i == text.size();
}

template <typename T>
std::optional<T> whole_number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

FieldValue number_value(std::string_view text) {
  if (const auto value = whole_number<std::int64_t>(text); value && text != "-0") return *value;
  if (const auto value = whole_number<std::uint64_t>(text)) return *value;
  const auto real = whole_number<double>(text);
  if (real && std::isfinite(*real) && to_text(*real) == text) return *real;
  return std::string(text);
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < ' ') {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  out += '"';
}

// The fields found so far, by name.
class Fields {
 public:
  void put(std::string_view path, std::string_view key, std::string_view raw, FieldValue value) {
    if (Field* known = find(path)) {
      known->value = std::move(value);
    } else if (fields_.size() < kMaxFields && path.size() <= kMaxFieldName) {
      fields_.push_back({std::string(path), std::move(value)});
      if (fields_.size() >= kIndexed) index();
    } else {
      overflow_ += overflow_.empty() ? '{' : ',';
      append_json_string(overflow_, key);
      overflow_ += ':';
      overflow_ += raw;
    }
  }

  std::vector<Field> take() {
    if (!overflow_.empty()) fields_.push_back({std::string(kOverflowField), overflow_ + "}"});
    return std::move(fields_);
  }

 private:
  static constexpr std::size_t kIndexed = 32;  // from so many fields on a search through all of them costs too much

  Field* find(std::string_view path) {
    if (!places_.empty()) {
      const auto place = places_.find(std::string(path));
      return place == places_.end() ? nullptr : &fields_[place->second];
    }
    for (Field& field : fields_) {
      if (field.name == path) return &field;
    }
    return nullptr;
  }

  void index() {
    for (std::size_t i = places_.size(); i < fields_.size(); ++i) places_.emplace(fields_[i].name, i);
  }

  std::vector<Field> fields_;
  std::unordered_map<std::string, std::size_t> places_;
  std::string overflow_;
};

// Walks a whole document and checks all of it; Leaf gets the members that are no objects, with their flattened names:
// wants(path), and if so take(path, key, raw, value).
template <typename Leaf>
class Walk {
 public:
  Walk(od::document& document, Leaf& leaf) : document_(document), leaf_(leaf) {}

  bool run() {
    od::object object;
    if (document_.get_object().get(object) != simdjson::SUCCESS) return false;
    bool any = false;
    const char* behind = nullptr;
    return members(object, 1, any) && document_.current_location().get(behind) == simdjson::OUT_OF_BOUNDS;
  }

 private:
  bool members(od::object& object, int depth, bool& any) {
    const std::size_t prefix = path_.size();
    for (auto result : object) {
      od::field field;
      if (std::move(result).get(field) != simdjson::SUCCESS) return false;
      std::string_view key;
      if (field.unescaped_key().get(key) != simdjson::SUCCESS) return false;
      any = true;
      path_.resize(prefix);
      if (depth > 1) path_ += '.';
      const std::size_t name = path_.size();
      path_ += key;
      if (!value(field.value(), depth, name)) return false;
    }
    path_.resize(prefix);
    return true;
  }

  // `name`: where the member's own name begins in path_; kElement: no member but an element of an array.
  bool value(od::value& value, int depth, std::size_t name) {
    od::json_type type;
    if (value.type().get(type) != simdjson::SUCCESS) return false;
    const std::string_view raw = trimmed(value.raw_json_token());
    switch (type) {
      case od::json_type::object:
        return object(value, raw, depth, name);
      case od::json_type::array:
        return array(value, raw, depth, name);
      case od::json_type::string: {
        std::string_view text;
        if (value.get_string().get(text) != simdjson::SUCCESS) return false;
        if (wanted(name)) leaf_.take(path_, key_of(name), raw, std::string(text));
        return true;
      }
      case od::json_type::number:
        if (!is_number(raw)) return false;
        if (wanted(name)) leaf_.take(path_, key_of(name), raw, number_value(raw));
        return true;
      case od::json_type::boolean: {
        bool truth = false;
        if (value.get_bool().get(truth) != simdjson::SUCCESS) return false;
        if (wanted(name)) leaf_.take(path_, key_of(name), raw, truth);
        return true;
      }
      case od::json_type::null: {
        bool null = false;
        if (value.is_null().get(null) != simdjson::SUCCESS || !null) return false;
        if (wanted(name)) leaf_.take(path_, key_of(name), raw, std::monostate());
        return true;
      }
    }
    return false;
  }

  bool object(od::value& value, std::string_view open, int depth, std::size_t name) {
    od::object object;
    if (depth == kMaxDepth || value.get_object().get(object) != simdjson::SUCCESS) return false;
    // Inside an array nothing has a name of its own; the members are only checked.
    const bool outer = std::exchange(in_array_, in_array_ || name == kElement);
    bool any = false;
    const bool good = members(object, depth + 1, any);
    in_array_ = outer;
    if (good && !any && wanted(name)) leaf_.take(path_, key_of(name), "{}", std::string("{}"));
    return good && !open.empty();
  }

  bool array(od::value& value, std::string_view open, int depth, std::size_t name) {
    od::array array;
    if (depth == kMaxDepth || value.get_array().get(array) != simdjson::SUCCESS) return false;
    const bool outer = std::exchange(in_array_, true);
    for (auto result : array) {
      od::value element;
      if (std::move(result).get(element) != simdjson::SUCCESS) return false;
      if (!this->value(element, depth + 1, kElement)) return false;
    }
    in_array_ = outer;
    if (!wanted(name)) return true;
    const char* behind = nullptr;
    if (document_.current_location().get(behind) != simdjson::SUCCESS) return false;
    const std::string_view text = trimmed({open.data(), static_cast<std::size_t>(behind - open.data())});
    leaf_.take(path_, key_of(name), text, std::string(text));
    return true;
  }

  static constexpr std::size_t kElement = SIZE_MAX;
  bool wanted(std::size_t name) const { return name != kElement && !in_array_ && leaf_.wants(path_); }
  std::string_view key_of(std::size_t name) const { return std::string_view(path_).substr(name); }

  od::document& document_;
  Leaf& leaf_;
  std::string path_;
  bool in_array_ = false;
};

struct AllLeaves {
  Fields fields;
  bool wants(std::string_view) const { return true; }
  void take(std::string_view path, std::string_view key, std::string_view raw, FieldValue value) {
    fields.put(path, key, raw, std::move(value));
  }
};

struct OneLeaf {
  std::string_view name;
  std::optional<FieldValue> found;
  bool wants(std::string_view path) const { return path == name; }
  void take(std::string_view, std::string_view, std::string_view, FieldValue value) { found = std::move(value); }
};

// Whether a member of this name can be in the text: its last part stands there as it is, or something is escaped.
bool may_hold(std::string_view text, std::string_view name) {
  const std::string_view last = name.substr(name.rfind('.') + 1);
  return text.find(last) != std::string_view::npos || text.find('\\') != std::string_view::npos;
}

}  // namespace

struct FieldParser::State {
  od::parser parser;
  std::string padded;

  // False when the text is no JSON object; what `leaf` then holds counts for nothing.
  template <typename Leaf>
  bool walk(std::string_view text, Leaf& leaf) {
    if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
    if (!may_be_object(text)) return false;
    padded.reserve(text.size() + simdjson::SIMDJSON_PADDING);
    padded.assign(text);
    od::document document;
    const simdjson::padded_string_view view(padded.data(), padded.size(), padded.capacity());
    if (parser.iterate(view).get(document) != simdjson::SUCCESS) return false;
    return Walk<Leaf>(document, leaf).run();
  }
};

std::optional<FieldValue> plain_value(std::string_view json) {
  if (json.starts_with('"')) {
    if (json.size() < 2 || !json.ends_with('"')) return std::nullopt;
    const std::string_view text = json.substr(1, json.size() - 2);
    const bool plain = std::none_of(
        text.begin(), text.end(), [](char c) { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < ' '; });
    return plain ? std::optional<FieldValue>(std::string(text)) : std::nullopt;
  }
  if (json == "true" || json == "false") return json == "true";
  if (json == "null") return std::monostate();
  return is_number(json) ? std::optional(number_value(json)) : std::nullopt;
}

FieldParser::FieldParser() : state_(std::make_unique<State>()) {}
FieldParser::~FieldParser() = default;
FieldParser::FieldParser(FieldParser&&) noexcept = default;

std::vector<Field> FieldParser::fields(Format format, std::string_view text) {
  AllLeaves all;
  if (format != Format::kJson || !state_->walk(text, all)) return {};
  return all.fields.take();
}

std::optional<FieldValue> FieldParser::field(Format format, std::string_view text, std::string_view name) {
  if (format != Format::kJson) return std::nullopt;
  if (name == kOverflowField) {
    for (Field& field : fields(format, text)) {
      if (field.name == name) return std::move(field.value);
    }
    return std::nullopt;
  }
  if (!may_hold(text, name)) return std::nullopt;
  OneLeaf one{name, std::nullopt};
  if (!state_->walk(text, one)) return std::nullopt;
  return std::move(one.found);
}

std::string to_text(const FieldValue& value) {
  struct Text {
    std::string operator()(std::monostate) const { return ""; }
    std::string operator()(bool v) const { return v ? "true" : "false"; }
    std::string operator()(std::int64_t v) const { return fmt::format("{}", v); }
    std::string operator()(std::uint64_t v) const { return fmt::format("{}", v); }
    std::string operator()(double v) const { return fmt::format("{}", v); }
    std::string operator()(const std::string& v) const { return v; }
  };
  return std::visit(Text(), value);
}

}  // namespace logboom::parse
