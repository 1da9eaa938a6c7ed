#include "edit_codec.h"

#include <fmt/format.h>

#include "base/bytes.h"

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
  // ANCHOR: task-2-4-1 encode_edit
  std::string bytes;
  append_varint(bytes, edit.removed.size());
  for (const VersionEdit::Removed& removed : edit.removed) {
    append_u8(bytes, static_cast<std::uint8_t>(removed.level));
    append_varint(bytes, removed.number);
  }
  append_varint(bytes, edit.added.size());
  for (const VersionEdit::Added& added : edit.added) {
    append_added(bytes, added);
  }
  append_u8(bytes, static_cast<std::uint8_t>(
                       (edit.oldest_log ? kHasOldestLog : 0) |
                       (edit.next_file_number ? kHasNextFile : 0) |
                       (edit.last_sequence ? kHasLastSequence : 0)));
  if (edit.oldest_log) append_varint(bytes, *edit.oldest_log);
  if (edit.next_file_number) append_varint(bytes, *edit.next_file_number);
  if (edit.last_sequence) append_varint(bytes, *edit.last_sequence);
  return bytes;
  // ANCHOR_END: task-2-4-1
}

Result<VersionEdit> decode_edit(std::string_view record) {
  // ANCHOR: task-2-4-1 decode_edit
  ByteReader reader(record);
  const auto refuse = [&](std::string_view what) {
    return fail(Code::corruption,
                fmt::format("version edit: byte {}: expected {}",
                            record.size() - reader.remaining(), what));
  };
  VersionEdit edit;
  if (!read_list(reader, edit.removed, read_removed)) {
    return refuse("a removed table");
  }
  if (!read_list(reader, edit.added, read_added)) {
    return refuse("an added table");
  }
  std::uint8_t known = 0;
  if (!reader.u8(known) || (known & ~kAllFlags) != 0 ||
      !read_optional(reader, (known & kHasOldestLog) != 0, edit.oldest_log) ||
      !read_optional(reader, (known & kHasNextFile) != 0,
                     edit.next_file_number) ||
      !read_optional(reader, (known & kHasLastSequence) != 0,
                     edit.last_sequence)) {
    return refuse("the counters");
  }
  if (!reader.empty()) return refuse("the end");
  return edit;
  // ANCHOR_END: task-2-4-1
}

}  // namespace lsm
