// Reads golden cases (tests/cases/*.txt) for tests: EXPECTED<TAB>INPUT per line, # comments, @ directives.
#pragma once

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

namespace logboom::parse::testing {

struct GoldenLine {
  int number = 0;
  bool directive = false;  // then `expected` is the directive with its '@'
  std::string expected;
  std::string input;
};

inline std::string unescape(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out += text[i];
      continue;
    }
    switch (text[++i]) {
      case 't':
        out += '\t';
        break;
      case '0':
        out += '\0';
        break;
      case 'x':
        out += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
        i += 2;
        break;
      default:
        out += text[i];
    }
  }
  return out;
}

// Empty when the file is not there: let the test fail on that.
inline std::vector<GoldenLine> read_golden(const std::string& name) {
  const char* root = std::getenv("LOGBOOM_SOURCE_DIR");
  std::ifstream file(std::string(root != nullptr ? root : ".") + "/tests/cases/" + name);
  std::vector<GoldenLine> lines;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    if (line.empty() || line[0] == '#') continue;
    const std::size_t tab = line.find('\t');
    const bool directive = line[0] == '@';
    const std::string input = directive || tab == std::string::npos ? "" : unescape(line.substr(tab + 1));
    lines.push_back({number, directive, directive ? line : line.substr(0, tab), input});
  }
  return lines;
}

}  // namespace logboom::parse::testing
