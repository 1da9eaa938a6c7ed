#include "edit_codec.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/todo.h"

namespace lsm {
namespace {

constexpr std::uint8_t kHasOldestLog = 1;
constexpr std::uint8_t kHasNextFile = 2;
constexpr std::uint8_t kHasLastSequence = 4;
constexpr std::uint8_t kAllFlags = 7;

bool read_level(ByteReader& reader, int& level) {
  std::uint8_t byte = 0;
  if (!reader.u8(byte)) return false;
  level = byte;
  return true;
}

void append_added(std::string& to, const VersionEdit::Added& added) {
  const FileMeta& file = added.file;
  append_u8(to, static_cast<std::uint8_t>(added.level));
  append_varint(to, file.number);
  append_varint(to, file.size_bytes);
  append_contents(to, file);
  append_varint(to, file.run);
}

bool read_added(ByteReader& reader, VersionEdit::Added& added) {
  FileMeta& file = added.file;
  return read_level(reader, added.level) && reader.varint(file.number) &&
         reader.varint(file.size_bytes) && read_contents(reader, file) &&
         reader.varint(file.run);
}

bool read_removed(ByteReader& reader, VersionEdit::Removed& removed) {
  return read_level(reader, removed.level) && reader.varint(removed.number);
}

// ANCHOR: show-read-list
// A count, and then that many; grows by what is there, not by what is claimed.
template <class Item, class ReadItem>
bool read_list(ByteReader& reader, std::vector<Item>& items, ReadItem read) {
  std::uint64_t count = 0;
  if (!reader.varint(count)) return false;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (!read(reader, items.emplace_back())) return false;
  }
  return true;
}
// ANCHOR_END: show-read-list

bool read_optional(ByteReader& reader, bool present,
                   std::optional<std::uint64_t>& value) {
  return !present || reader.varint(value.emplace());
}

}  // namespace

std::string encode_edit(const VersionEdit& edit) {
  // Task 1: encode_edit
  LSM_TODO("2.4 task 1", "encode_edit");
}

Result<VersionEdit> decode_edit(std::string_view record) {
  // Task 1: decode_edit
  LSM_TODO("2.4 task 1", "decode_edit");
}

}  // namespace lsm
