// Random log-like text for property tests: the same for the same seed.
#pragma once

#include <cstdint>
#include <cstdio>
#include <initializer_list>
#include <random>
#include <string>

namespace logboom::logstore::embedded::testing {

class Noise {
 public:
  explicit Noise(std::uint32_t seed) : random_(seed) {}
  std::uint32_t below(std::uint32_t n) { return std::uniform_int_distribution<std::uint32_t>(0, n - 1)(random_); }
  std::string pick(std::initializer_list<const char*> words) {
    return *(words.begin() + below(static_cast<std::uint32_t>(words.size())));
  }
  std::string number(std::uint32_t n) { return std::to_string(below(n)); }

  std::string hex(std::size_t digits) {
    std::string out;
    for (std::size_t i = 0; i < digits; ++i) out += "0123456789abcdef"[below(16)];
    return out;
  }

  std::string clock() {
    char buffer[80];
    milliseconds_ += below(400);
    std::snprintf(buffer, sizeof buffer, "%02u:%02u:%02u.%03u", milliseconds_ / 3600000 % 24,
                  milliseconds_ / 60000 % 60, milliseconds_ / 1000 % 60, milliseconds_ % 1000);
    return buffer;
  }

  std::string line() {
    switch (below(12)) {
      case 0:
        return "2026-11-20T" + clock() + "Z INFO order " + number(100000) + " accepted for " +
               pick({"ann", "bob", "eve"});
      case 1:
        return "2026-11-20 " + clock() + " ERROR connection to 10.0.3." + number(20) + ":5432 refused after " +
               number(9000) + "ms";
      case 2:
        return "10.0.0." + number(200) + " - - [20/Nov/2026:" + clock().substr(0, 8) + " +0000] \"GET /api/v1/orders/" +
               number(999) + " HTTP/1.1\" 200 " + number(90000);
      case 3:
        return "{\"time\":\"2026-11-20T" + clock() + "Z\",\"level\":\"" + pick({"info", "warn"}) + "\",\"trace\":\"" +
               hex(32) + "\",\"ms\":" + number(1000) + "." + number(99) + "}";
      case 4:
        return "WARN id=" + hex(8 + below(4)) + " code=0" + number(999) + " Grüße aus Zürich \xE2\x84\xAA" + number(9);
      case 5:
        return "\tat com.shop.Order.run(Order.java:" + number(300) + ")";
      case 6:
        return "plain words only, no number here";
      case 7:
        return "seq " + std::to_string(sequence_++) + " worker-" + number(16) + " a1b2," + number(99) + ",x";
      case 8:
        return "INFO [" + pick({"orders", "payments", "mailer", "stock"}) + "] user " +
               pick({"ann", "bob", "eve", "jörg", "-"}) + " did " + pick({"login", "logout", "Kauf"}) + "," +
               pick({"cold", "warm"}) + " in " + number(500) + " ms";
      case 9:
        return pick({"DELETE", "GET", "POST", "PUT"}) + " (" + pick({"Linux", "Windows NT", "Mac OS"}) + "; " +
               pick({"de", "en", "fr", "it"}) + ") " + pick({"a b", "c d", "\xE2\x84\xAA b"}) + "=" + number(3);
      case 10:
        return "2026-11-20 " + clock() + " " + pick({"ERROR", "INFO", "WARN"}) + " " +
               pick({"alpha", "beta", "gamma", "delta"}) + pick({"", ".", " x"}) + " " + pick({"up", "down"});
      default:
        return "odd " + std::string(below(40), 'x') + number(1u << 30) + std::string(below(3), '\r');
    }
  }

  std::string text(std::size_t lines) {
    std::string out;
    for (std::size_t i = 0; i < lines; ++i) {
      out += line() + "\n";
      if (below(50) == 0) out += pick({"\n", "\n\n", "\r\n", "\r\r\n"});
    }
    return out;
  }

  std::string bytes(std::size_t n, bool narrow) {
    std::string out;
    for (std::size_t i = 0; i < n; ++i) out += narrow ? "01 a:=\"\n,\xC3"[below(10)] : static_cast<char>(below(256));
    return out;
  }

 private:
  std::mt19937 random_;
  std::uint32_t milliseconds_ = 0;
  std::uint32_t sequence_ = 1'000'000;
};

}  // namespace logboom::logstore::embedded::testing
