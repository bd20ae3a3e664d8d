#include "record/encoding/source_state.h"

namespace logboom {
namespace {

enum StateBit : std::uint8_t { kFinished = 1, kBinarySource = 2, kFlagged = 4, kInherited = 8, kFolder = 16 };
constexpr std::size_t kLeastMark = 17;  // encoded bytes

}  // namespace

void write_hash(ByteWriter& w, const Hash128& hash) {
  w.u64(hash.high);
  w.u64(hash.low);
}

Hash128 read_hash(ByteReader& r, const char* field) {
  Hash128 hash;
  hash.high = r.u64(field);
  hash.low = r.u64(field);
  return hash;
}

void write_marks(ByteWriter& w, const std::vector<PrefixMark>& marks) {
  w.varint(marks.size());
  for (const PrefixMark& mark : marks) w.varint(mark.offset), write_hash(w, mark.chain);
}

std::vector<PrefixMark> read_marks(ByteReader& r) {
  std::vector<PrefixMark> out;
  const std::size_t marks = r.count("marks", kLeastMark);
  for (std::size_t i = 0; i < marks && r.ok(); ++i) {
    PrefixMark& mark = out.emplace_back();
    mark.offset = r.varint("marks.offset");
    mark.chain = read_hash(r, "marks.chain");
  }
  return out;
}

void write_state(ByteWriter& w, const SourceState& s) {
  w.string(s.identity.handle);
  w.varint(s.identity.file_system);
  w.varint(s.identity.device);
  w.varint(s.identity.inode);
  w.signed_varint(s.identity.birth_time);
  w.string(s.path);
  w.string(s.host);
  w.string(s.group);
  const int bits = (s.finished ? kFinished : 0) | (s.binary ? kBinarySource : 0) | (s.flagged ? kFlagged : 0) |
                   (s.inherited > 0 ? kInherited : 0) | (s.folder.empty() ? 0 : kFolder);
  w.u8(static_cast<std::uint8_t>(bits));
  w.u8(static_cast<std::uint8_t>(s.format));
  w.varint(s.position);
  w.string(s.guard);
  w.varint(s.size);
  if (s.inherited > 0) w.varint(s.inherited);
  if (!s.folder.empty()) w.string(s.folder);
}

void read_state(ByteReader& r, SourceState& s) {
  s.identity.handle = r.string("state.identity.handle");
  s.identity.file_system = r.varint("state.identity.file_system");
  s.identity.device = r.varint("state.identity.device");
  s.identity.inode = r.varint("state.identity.inode");
  s.identity.birth_time = r.signed_varint("state.identity.birth_time");
  s.path = r.string("state.path");
  s.host = r.string("state.host");
  s.group = r.string("state.group");
  const std::uint8_t bits = r.u8("state.flags");
  if (bits > (kFinished | kBinarySource | kFlagged | kInherited | kFolder)) r.fail("state.flags");
  s.finished = (bits & kFinished) != 0;
  s.binary = (bits & kBinarySource) != 0;
  s.flagged = (bits & kFlagged) != 0;
  s.format = static_cast<Format>(r.u8("state.format"));
  s.position = r.varint("state.position");
  s.guard = r.string("state.guard");
  s.size = r.varint("state.size");
  if ((bits & kInherited) != 0) {
    s.inherited = r.varint("state.inherited");
    if (s.inherited == 0) r.fail("state.inherited");
  }
  if ((bits & kFolder) != 0) {
    s.folder = r.string("state.folder");
    if (s.folder.empty()) r.fail("state.folder");
  }
}

}  // namespace logboom
