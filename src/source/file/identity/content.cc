#include "source/file/identity/content.h"

namespace logboom::source {
namespace {

class PlainContent final : public Content {
 public:
  explicit PlainContent(File& file) : file_(file) {}

  Result<std::size_t> read(char* to, std::size_t size, std::uint64_t offset) override {
    return file_.pread(to, size, offset);
  }
  Result<std::uint64_t> size() override {
    LB_ASSIGN(const FileStat info, file_.stat());
    return info.size;
  }
  Result<std::optional<std::uint64_t>> next_data(std::uint64_t from) override { return file_.next_data(from); }

 private:
  File& file_;
};

}  // namespace

std::unique_ptr<Content> plain_content(File& file) {
  return std::make_unique<PlainContent>(file);
}

}  // namespace logboom::source
