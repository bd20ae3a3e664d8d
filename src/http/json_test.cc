#include "http/json.h"

#include <gtest/gtest.h>

namespace logboom::http {
namespace {

TEST(JsonWriter, PutsCommasAndEscapes) {
  std::string out;
  JsonWriter w(out);
  w.open_object().field("a", "x\"\\\n\t\x01\x7f").field("n", std::uint64_t{18446744073709551615U}).key("t").time(-5);
  w.key("list").open_array().number(std::int64_t{-1}).null().boolean(true).open_object().close_object().close_array();
  w.close_object();
  EXPECT_EQ(out, R"({"a":"x\"\\\n\t\u0001\u007f","n":18446744073709551615,"t":"-5","list":[-1,null,true,{}]})");
}

TEST(JsonWriter, KeepsTheBytesOfWhatIsNotUtf8) {
  std::string out;
  JsonWriter w(out);
  w.open_object().bytes_field("ok", "\xE4\xB8\xAD").bytes_field("bad", "a\xFF\xC3").field("z", true).close_object();
  EXPECT_EQ(out, "{\"ok\":\"\xE4\xB8\xAD\",\"bad\":\"a\xEF\xBF\xBD\xEF\xBF\xBD\",\"bad_raw\":\"Yf/D\",\"z\":true}");
}

TEST(Utf8, RefusesOverlongSurrogatesAndTruncated) {
  for (const char* good :
       {"", "a", "\xC2\x80", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_TRUE(is_utf8(good));
  }
  for (const char* bad : {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xED\xA0\x80", "\xF0\x80\x80\x80",
                          "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xC2", "\xE4\xB8", "\xF0\x90\x80", "\xFF"}) {
    EXPECT_FALSE(is_utf8(bad));
  }
}

TEST(Base64, Pads) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("\xFF\xFE\xFD\xFC"), "//79/A==");
  for (const char* bytes : {"", "f", "fo", "foo", "\xFF\xFE\xFD\xFC"}) EXPECT_EQ(*from_base64(base64(bytes)), bytes);
  EXPECT_EQ(from_base64("Zm9v!").error().code(), ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace logboom::http
