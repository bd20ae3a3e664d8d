// TextScan: asks many short texts for one condition at once: they are gathered one behind the other with LFs between
// and searched in long stretches, which costs far less than a call for each. Memory: kStretch bytes and one text. Not
// thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string_view>
#include <vector>

namespace logboom::logstore::embedded {

class TextScan {
 public:
  using Matches = std::function<bool(std::string_view text)>;
  // A place inside the first matching line at or behind `from`, which is the begin of a line; npos when there is none.
  using Find = std::function<std::size_t(std::string_view texts, std::size_t from)>;

  // Both outlive this; without `find` (empty) every text is asked alone.
  TextScan(const Matches& matches, const Find& find) : matches_(matches), find_(find) {}

  // Where the next text is to be written: `size` bytes of room; valid until the next call.
  char* room(std::size_t size) {
    if (bytes_.size() < end_ + size + 1) bytes_.resize((end_ + size + 1) * 2);
    return bytes_.data() + end_;
  }
  // The text that was written there ends at `end`.
  void add(std::uint32_t id, const char* end) {
    begins_.push_back(end_), ids_.push_back(id);
    end_ = static_cast<std::size_t>(end - bytes_.data());
    bytes_[end_++] = '\n';
  }
  void add(std::uint32_t id, std::string_view text) {
    char* out = room(text.size());
    if (!text.empty()) std::memcpy(out, text.data(), text.size());
    add(id, out + text.size());
  }
  // Enough is gathered to be searched.
  bool full() const { return end_ >= kStretch; }
  // Calls found(id) for the texts that match, in the order in which they came, and forgets all.
  template <typename Found>
  void search(Found found);

 private:
  static constexpr std::size_t kStretch = 128u << 10;

  std::string_view text(std::size_t i) const {
    const std::size_t behind = i + 1 < begins_.size() ? begins_[i + 1] : end_;
    return {bytes_.data() + begins_[i], behind - begins_[i] - 1};
  }

  const Matches& matches_;
  const Find& find_;
  std::vector<char> bytes_;
  std::size_t end_ = 0;
  std::vector<std::size_t> begins_;
  std::vector<std::uint32_t> ids_;
};

template <typename Found>
void TextScan::search(Found found) {
  const std::string_view all(bytes_.data(), end_ == 0 ? 0 : end_ - 1);
  std::size_t i = 0;
  while (i < ids_.size()) {
    if (find_) {
      const std::size_t at = find_(all, begins_[i]);
      if (at == std::string_view::npos) break;
      while (i + 1 < begins_.size() && begins_[i + 1] <= at) ++i;
      found(ids_[i]);
    } else if (matches_(text(i))) {
      found(ids_[i]);
    }
    ++i;
  }
  end_ = 0;
  begins_.clear(), ids_.clear();
}

}  // namespace logboom::logstore::embedded
