// What is known of a table without opening it. The manifest stores it, the
// tree and the policies decide by it.
//
//   contents := entries:varint tombstones:varint hidden:varint
//               smallest:key largest:key
//               oldest_sequence:varint newest_sequence:varint
//   key      := size:varint user tag:u64
//
// I1 smallest <= largest, and both are in the table.
// I2 Every entry's sequence is within [oldest_sequence, newest_sequence].
// I3 `number` is never used again for another file.
// I4 Tables of one run never overlap; in level 0 a run is named by `run`, in
//    deeper levels the level is the run, and `run` is 0.
// I5 `hidden` counts the entries of which the table holds a newer version too:
//    what could go if no snapshot needed it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/key.h"

namespace lsm {

struct FileMeta {
  std::uint64_t number = 0;
  std::uint64_t size_bytes = 0;
  std::uint64_t entries = 0;
  std::uint64_t tombstones = 0;
  std::uint64_t hidden = 0;
  InternalKeyBuffer smallest;
  InternalKeyBuffer largest;
  Sequence oldest_sequence = 0;
  Sequence newest_sequence = 0;
  std::uint64_t run = 0;

  // Counts one more entry of the table; they come in key order.
  void note(const InternalKey& key);

  friend bool operator==(const FileMeta&, const FileMeta&) = default;
};

// Trees share metas; a meta never changes once a tree names it.
using FileMetaPtr = std::shared_ptr<const FileMeta>;

// An internal key as tables and manifest store it.
void append_key(std::string& to, const InternalKey& key);
[[nodiscard]] bool read_key(ByteReader& from, InternalKey& key);

// What `note` has gathered: `contents` above.
void append_contents(std::string& to, const FileMeta& file);
[[nodiscard]] bool read_contents(ByteReader& from, FileMeta& file);

}  // namespace lsm
