#include "http/url.h"

#include <algorithm>
#include <optional>

namespace logboom::http {
namespace {

Error bad(std::string why) {
  return Error(ErrorCode::kInvalidArgument, "cannot read the request target: " + std::move(why));
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_digit(text[i + 1]);
      const int low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out += static_cast<char>(high << 4 | low);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

Status check_segment(std::string_view segment) {
  if (segment == "." || segment == "..") return bad("the path holds a \".\" or \"..\" segment");
  if (std::ranges::any_of(segment, is_control)) return bad("the path holds a control character");
  if (segment.find_first_of("/\\") != std::string_view::npos)
    return bad("the path holds an encoded slash or a backslash");
  return {};
}

Result<std::string> decode_path(std::string_view raw) {
  std::string path;
  std::size_t i = 1;
  for (;;) {
    const std::size_t slash = std::min(raw.find('/', i), raw.size());
    const auto segment = percent_decode(raw.substr(i, slash - i), false);
    if (!segment) return bad("the path holds a bad % escape");
    LB_TRY(check_segment(*segment));
    path += '/';
    path += *segment;
    if (slash == raw.size()) return path;
    i = slash + 1;
  }
}

}  // namespace

Result<Pairs> parse_query(std::string_view text) {
  Pairs out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('&'), text.size());
    const std::string_view part = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (part.empty()) continue;
    if (out.size() == kMaxParameters) return bad("more than 100 parameters");
    const std::size_t equals = std::min(part.find('='), part.size());
    auto name = percent_decode(part.substr(0, equals), true);
    auto value = percent_decode(part.substr(std::min(equals + 1, part.size())), true);
    if (!name || !value) return bad("a parameter holds a bad % escape");
    if (name->find('\0') != std::string::npos || value->find('\0') != std::string::npos) {
      return bad("a parameter holds a NUL byte");
    }
    out.emplace_back(std::move(*name), std::move(*value));
  }
  return out;
}

Result<Target> parse_target(std::string_view target) {
  if (target.empty() || target[0] != '/') return bad("it is not a path starting with \"/\"");
  target = target.substr(0, target.find('#'));
  const std::size_t question = std::min(target.find('?'), target.size());
  LB_ASSIGN(auto path, decode_path(target.substr(0, question)));
  LB_ASSIGN(auto query, parse_query(target.substr(std::min(question + 1, target.size()))));
  return Target{std::move(path), std::move(query)};
}

std::string percent_encode(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
                       c == '_' || c == '.' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += {'%', kHex[u >> 4], kHex[u & 15]};
    }
  }
  return out;
}

Result<Authority> parse_authority(std::string_view text) {
  const auto malformed = [&] {
    return Error(ErrorCode::kInvalidArgument,
                 "cannot read the address \"" + std::string(text) + "\": expected HOST:PORT");
  };
  Authority out;
  std::size_t colon = 0;
  if (text.starts_with('[')) {
    const std::size_t bracket = text.find(']');
    if (bracket == std::string_view::npos) return malformed();
    out.host = text.substr(1, bracket - 1);
    colon = bracket + 1;
  } else {
    colon = std::min(text.find(':'), text.size());
    out.host = text.substr(0, colon);
  }
  if (out.host.empty()) return malformed();
  if (colon == text.size()) return out;
  out.port = text.substr(colon + 1);
  if (text[colon] != ':' || out.port.empty() || out.port.size() > 5) return malformed();
  if (!std::ranges::all_of(out.port, [](char c) { return c >= '0' && c <= '9'; }) || std::stoi(out.port) > 65535) {
    return malformed();
  }
  return out;
}

std::string host_of(std::string_view host_header) {
  auto authority = parse_authority(host_header);
  if (!authority.ok()) return {};
  std::string host = std::move(authority->host);
  for (char& c : host) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return host;
}

}  // namespace logboom::http
