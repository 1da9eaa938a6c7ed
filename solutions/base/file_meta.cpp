#include "base/file_meta.h"

#include <algorithm>

namespace lsm {

void FileMeta::note(const InternalKey& key) {
  const Sequence sequence = key.sequence();
  if (entries == 0) {
    smallest.assign(key);
    oldest_sequence = sequence;
  } else if (largest.user() == key.user) {
    hidden++;
  }
  largest.assign(key);
  entries++;
  if (key.kind() == Kind::remove) tombstones++;
  oldest_sequence = std::min(oldest_sequence, sequence);
  newest_sequence = std::max(newest_sequence, sequence);
}

void append_key(std::string& to, const InternalKey& key) {
  append_prefixed(to, key.user);
  append_u64(to, key.tag);
}

bool read_key(ByteReader& from, InternalKey& key) {
  return from.prefixed(key.user) && from.u64(key.tag);
}

void append_contents(std::string& to, const FileMeta& file) {
  append_varint(to, file.entries);
  append_varint(to, file.tombstones);
  append_varint(to, file.hidden);
  append_key(to, file.smallest.view());
  append_key(to, file.largest.view());
  append_varint(to, file.oldest_sequence);
  append_varint(to, file.newest_sequence);
}

bool read_contents(ByteReader& from, FileMeta& file) {
  InternalKey smallest;
  InternalKey largest;
  if (!from.varint(file.entries) || !from.varint(file.tombstones) ||
      !from.varint(file.hidden) || !read_key(from, smallest) ||
      !read_key(from, largest) || !from.varint(file.oldest_sequence) ||
      !from.varint(file.newest_sequence)) {
    return false;
  }
  file.smallest.assign(smallest);
  file.largest.assign(largest);
  return true;
}

}  // namespace lsm
