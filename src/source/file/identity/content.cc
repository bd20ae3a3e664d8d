#include "source/file/identity/content.h"

#include <algorithm>
#include <cstring>
#include <string>

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

class DecodedContent final : public Content {
 public:
  DecodedContent(File& file, CompressionKind kind, bool whole) : file_(file), kind_(kind), whole_(whole) {}

  Result<std::size_t> read(char* to, std::size_t size, std::uint64_t offset) override {
    if (size_ && offset >= *size_) return std::size_t{0};
    if (!reader_ || offset < begin_) LB_TRY(restart());
    LB_TRY(go_to(offset));
    LB_TRY(fill(size));
    const std::size_t got = std::min(size, window_.size());
    std::memcpy(to, window_.data(), got);
    if (got < size) forget();
    return got;
  }

  Result<std::uint64_t> size() override {
    if (size_) return *size_;
    forget();
    LB_TRY(restart());
    while (!at_end_) {
      LB_TRY(fill(kPiece));
      begin_ += window_.size();
      window_.clear();
    }
    const std::uint64_t end = begin_;
    forget();
    if (end_ == End::kTruncated && whole_) {
      return Error(ErrorCode::kUnavailable, "cannot read a compressed file: it ends in the middle");
    }
    if (end_ == End::kTruncated) damage_ = Error(ErrorCode::kCorrupt, "the compressed file ends in the middle");
    size_ = end;
    return end;
  }

  Status damage() override { return damage_; }
  Result<std::optional<std::uint64_t>> next_data(std::uint64_t from) override { return std::optional(from); }

 private:
  using End = DecompressingReader::End;
  static constexpr std::size_t kPiece = 256u << 10;

  Status restart() {
    forget();
    LB_ASSIGN(reader_, DecompressingReader::make(file_, kind_));
    return ok_status();
  }

  void forget() {
    reader_.reset();
    window_.clear();
    window_.shrink_to_fit();
    begin_ = 0;
    at_end_ = false;
  }

  // Moves the beginning of the window to `offset`, or to the end of the content.
  Status go_to(std::uint64_t offset) {
    while (begin_ < offset) {
      if (window_.empty()) LB_TRY(fill(kPiece));
      const std::size_t step = std::min<std::uint64_t>(window_.size(), offset - begin_);
      if (step == 0) return ok_status();
      window_.erase(0, step);
      begin_ += step;
    }
    return ok_status();
  }

  // Until the window holds `size` bytes or the content ends.
  Status fill(std::size_t size) {
    while (!at_end_ && window_.size() < size) {
      const std::size_t have = window_.size();
      window_.resize(size);
      const auto chunk = reader_->read(window_.data() + have, size - have);
      window_.resize(have + (chunk.ok() ? chunk->size : 0));
      if (!chunk.ok()) return chunk.error();
      if (chunk->size > 0) continue;
      at_end_ = true;
      end_ = chunk->end;
      if (end_ == End::kCorrupt || end_ == End::kOverLimit) damage_ = reader_->error();
    }
    return ok_status();
  }

  File& file_;
  const CompressionKind kind_;
  const bool whole_;
  std::unique_ptr<DecompressingReader> reader_;
  std::string window_;  // decoded bytes from begin_ on
  std::uint64_t begin_ = 0;
  bool at_end_ = false;
  End end_ = End::kNone;
  std::optional<std::uint64_t> size_;
  Status damage_;
};

}  // namespace

std::unique_ptr<Content> decoded_content(File& file, CompressionKind kind, bool whole) {
  return std::make_unique<DecodedContent>(file, kind, whole);
}

std::unique_ptr<Content> plain_content(File& file) {
  return std::make_unique<PlainContent>(file);
}

}  // namespace logboom::source
