#include "block.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>

namespace lsm {

namespace {

bool newer(std::uint64_t a, std::uint64_t b) {
  return a > b;
}

std::unexpected<Error> damaged(std::size_t i, std::string_view what) {
  return fail(Code::corruption,
              "block entry " + std::to_string(i) + ": " + std::string(what));
}

// Byte i as an unsigned number.
unsigned byte_at(std::string_view bytes, std::size_t i) {
  return static_cast<unsigned char>(bytes[i]);
}

// ANCHOR: hide-order
// I3, and that the key is not below the first.
bool shared_is_maximal(std::string_view first, const Block::Entry& entry) {
  if (entry.shared >= first.size()) return entry.shared == first.size();
  return !entry.tail.empty() &&
         byte_at(entry.tail, 0) > byte_at(first, entry.shared);
}

// I1, of two entries whose `shared` is maximal. The argument of the header
// again: to share less with the first key is to be larger.
bool in_order(const Block::Entry& before, const Block::Entry& after) {
  if (before.shared != after.shared) return before.shared > after.shared;
  const int order = before.tail.compare(after.tail);
  return order < 0 || (order == 0 && newer(before.tag, after.tag));
}
// ANCHOR_END: hide-order

}  // namespace

std::size_t common_prefix(std::string_view a, std::string_view b) {
  const std::size_t limit = std::min(a.size(), b.size());
  std::size_t same = 0;
  for (; same + 8 <= limit; same += 8) {
    const std::uint64_t differ =
        load_u64(a.data() + same) ^ load_u64(b.data() + same);
    if (differ != 0) {
      return same + static_cast<std::size_t>(std::countr_zero(differ)) / 8;
    }
  }
  while (same < limit && a[same] == b[same])
    same++;
  return same;
}

std::uint16_t head_of(std::string_view front, std::string_view tail,
                      std::size_t common) {
  unsigned head = 0;
  for (std::size_t at = common; at < common + 2; at++) {
    head <<= 8;
    if (at < front.size()) {
      head |= byte_at(front, at);
    } else if (at - front.size() < tail.size()) {
      head |= byte_at(tail, at - front.size());
    }
  }
  return static_cast<std::uint16_t>(head);
}

void BlockBuilder::add(InternalKey key, std::string_view value) {
  // ANCHOR: task-1-2-1 BlockBuilder::add
  assert(entries_.size() < kMaxEntryStart);
  std::size_t shared = 0;
  if (empty()) {
    first_ = key.user;
  } else {
    shared = common_prefix(first_, key.user);
  }
  const std::string_view tail = key.user.substr(shared);
  Added added{entries_.size(), shared, 0, tail.size()};
  append_varint(entries_, shared);
  append_varint(entries_, tail.size());
  append_varint(entries_, value.size());
  added.tail_at = entries_.size();
  entries_ += tail;
  append_u64(entries_, key.tag);
  entries_ += value;
  added_.push_back(added);
  // ANCHOR_END: task-1-2-1
}

std::size_t BlockBuilder::size_bytes_with(InternalKey key,
                                          std::string_view value) const {
  const std::size_t shared = empty() ? 0 : common_prefix(first_, key.user);
  const std::size_t tail = key.user.size() - shared;
  return size_bytes() + varint_size(shared) + varint_size(tail) +
         varint_size(value.size()) + tail + kTagSizeBytes + value.size() +
         kBlockBytesPerEntry;
}

std::string_view BlockBuilder::finish() {
  // ANCHOR: task-1-2-1 BlockBuilder::finish
  assert(!empty());
  const std::string_view first = first_;
  const std::string_view entries = entries_;
  const std::size_t common =
      added_.size() == 1 ? first.size() : added_.back().shared;
  block_.clear();
  block_.reserve(size_bytes());
  append_u16(block_, static_cast<std::uint16_t>(added_.size()));
  append_u16(block_, static_cast<std::uint16_t>(common));
  for (const Added& entry : added_) {
    append_u16(block_, head_of(first.substr(0, entry.shared),
                               entries.substr(entry.tail_at, entry.tail_bytes),
                               common));
  }
  for (const Added& entry : added_)
    append_u16(block_, static_cast<std::uint16_t>(entry.start));
  return block_ += entries_;
  // ANCHOR_END: task-1-2-1
}

void BlockBuilder::reset() {
  first_.clear();
  entries_.clear();
  added_.clear();
}

Result<Block> Block::parse(std::string_view bytes) {
  // ANCHOR: task-1-2-6 Block::parse
  if (bytes.size() < kBlockHeaderBytes) return damaged(0, "no header");
  const std::size_t count = load_u16(bytes.data());
  if (count == 0 ||
      bytes.size() < kBlockHeaderBytes + kBlockBytesPerEntry * count) {
    return damaged(0, "a block of " + std::to_string(bytes.size()) +
                          " bytes cannot have " + std::to_string(count) +
                          " entries");
  }
  const Block block = trusted(bytes);
  const char* at = block.entries_;
  const char* const limit = block.end_;
  std::string_view first;
  Entry before;
  for (std::size_t i = 0; i < count; i++) {
    if (block.start(i) != static_cast<std::size_t>(at - block.entries_)) {
      return damaged(i, "does not start where the one before ends");
    }
    std::uint64_t shared = 0;
    std::uint64_t tail = 0;
    std::uint64_t value = 0;
    if ((at = load_varint64(at, limit, shared)) == nullptr ||
        (at = load_varint64(at, limit, tail)) == nullptr ||
        (at = load_varint64(at, limit, value)) == nullptr) {
      return damaged(i, "is cut off");
    }
    if (shared > kMaxKeySizeBytes || tail > kMaxKeySizeBytes - shared ||
        value > kMaxValueSizeBytes) {
      return damaged(i, "is larger than the limits");
    }
    // No overflow: both are bounded now.
    if (tail + kTagSizeBytes + value > static_cast<std::size_t>(limit - at)) {
      return damaged(i, "reaches past the entries");
    }
    Entry entry{
        static_cast<std::size_t>(shared), {at, tail}, load_u64(at + tail), {}};
    if (!is_known_kind(static_cast<std::uint8_t>(entry.tag & 0xff))) {
      return damaged(i, "is of an unknown kind");
    }
    if (i == 0) {
      if (shared != 0) return damaged(i, "is first and must be whole");
      first = entry.tail;
      // Read as a key that shares all of itself, it obeys the rules below.
      entry.shared = first.size();
      entry.tail = {};
    } else if (!shared_is_maximal(first, entry)) {
      return damaged(i, "shares not exactly what it has in common");
    } else if (!in_order(before, entry)) {
      return damaged(i, "is not larger than the one before");
    }
    if (block.head(i) !=
        head_of(first.substr(0, entry.shared), entry.tail, block.common_)) {
      return damaged(i, "does not begin as its head says");
    }
    before = entry;
    at += tail + kTagSizeBytes + value;
  }
  if (at != limit) return damaged(count, "bytes after the last entry");
  if (block.common_ != before.shared) {
    return damaged(count - 1, "shares not what all keys have in common");
  }
  return block;
  // ANCHOR_END: task-1-2-6
}

Block Block::trusted(std::string_view bytes) {
  Block block;
  block.count_ = load_u16(bytes.data());
  block.common_ = load_u16(bytes.data() + 2);
  block.heads_ = bytes.data() + kBlockHeaderBytes;
  block.starts_ = block.heads_ + 2 * block.count_;
  block.entries_ = block.starts_ + 2 * block.count_;
  block.end_ = bytes.data() + bytes.size();
  return block;
}

Block::Entry Block::entry(std::size_t i) const {
  // ANCHOR: task-1-2-2 Block::entry
  std::uint64_t shared = 0;
  std::uint64_t tail = 0;
  std::uint64_t value = 0;
  const char* at = entries_ + start(i);
  at = load_varint64(at, end_, shared);
  at = load_varint64(at, end_, tail);
  at = load_varint64(at, end_, value);
  const char* tag = at + tail;
  return {shared, {at, tail}, load_u64(tag), {tag + kTagSizeBytes, value}};
  // ANCHOR_END: task-1-2-2
}

std::size_t Block::count_below(std::uint32_t head) const {
  // ANCHOR: task-1-2-4 Block::count_below
  std::size_t base = 0;
  std::size_t rest = count_;
  while (rest > 1) {
    const std::size_t half = rest / 2;
    base += this->head(base + half - 1) < head ? half : 0;  // not a branch
    rest -= half;
  }
  return base + (rest == 1 && this->head(base) < head ? 1 : 0);
  // ANCHOR_END: task-1-2-4
}

std::size_t Block::lower_bound(InternalKey target) const {
  // ANCHOR: task-1-2-4 Block::lower_bound
  if (count_ == 0) return 0;
  const Entry first = entry(0);
  if (compare(InternalKey{first.tail, first.tag}, target) >= 0) return 0;
  const std::size_t same = common_prefix(first.tail, target.user);
  if (same < common_) return count_;
  const std::uint32_t head = head_of(target.user, {}, common_);
  // Below `low` entries are smaller than target, from `high` on they are not.
  std::size_t low = std::max<std::size_t>(1, count_below(head));
  std::size_t high = count_below(head + 1);
  const std::string_view rest = target.user.substr(same);
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    const Entry probe = entry(middle);
    bool smaller = probe.shared > same;
    if (probe.shared == same) {
      const int order = probe.tail.compare(rest);
      smaller = order < 0 || (order == 0 && newer(probe.tag, target.tag));
    }
    if (smaller) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
  // ANCHOR_END: task-1-2-4
}

Lookup Block::get(std::string_view user, Sequence at,
                  std::string_view& value) const {
  // ANCHOR: task-1-2-5 Block::get
  const std::uint32_t head = head_of(user, {}, common_);
  for (std::size_t i = count_below(head); i < count_ && this->head(i) == head;
       i++) {
    const Entry found = entry(i);
    // Tail first: it is where different keys differ.
    if (found.shared + found.tail.size() != user.size() ||
        found.tail != user.substr(found.shared) ||
        first_user().substr(0, found.shared) != user.substr(0, found.shared)) {
      continue;
    }
    if ((found.tag >> 8) > at) continue;  // newer than the reader may see
    if (static_cast<Kind>(found.tag & 0xff) == Kind::remove) {
      return Lookup::removed;
    }
    value = found.value;
    return Lookup::value;
  }
  return Lookup::absent;
  // ANCHOR_END: task-1-2-5
}

void BlockIterator::reset(Block block) {
  block_ = block;
  index_ = block.count();
  first_ = block.count() == 0 ? std::string_view() : block.first_user();
  intact_ = 0;
}

void BlockIterator::seek(InternalKey target) {
  stand_on(block_.lower_bound(target));
}

void BlockIterator::seek_to_first() {
  stand_on(0);
}

void BlockIterator::seek_to_last() {
  // ANCHOR: task-1-2-7 BlockIterator::seek_to_last
  stand_on(block_.count() - 1);  // of no entries: past every index
  // ANCHOR_END: task-1-2-7
}

void BlockIterator::next() {
  // ANCHOR: task-1-2-3 BlockIterator::next
  assert(valid());
  stand_on(index_ + 1);
  // ANCHOR_END: task-1-2-3
}

void BlockIterator::prev() {
  // ANCHOR: task-1-2-7 BlockIterator::prev
  assert(valid());
  stand_on(index_ - 1);  // before the first: past every index
  // ANCHOR_END: task-1-2-7
}

void BlockIterator::stand_on(std::size_t index) {
  // ANCHOR: task-1-2-3 BlockIterator::stand_on
  if (index >= block_.count()) {
    index_ = block_.count();
    return;
  }
  index_ = index;
  const Block::Entry entry = block_.entry(index);
  key_ = {entry.shared == 0 ? entry.tail : assemble(entry), entry.tag};
  value_ = entry.value;
  // ANCHOR_END: task-1-2-3
}

// Walking forward, `shared` never grows, so buffer_ still begins with the
// bytes of the first key that the next key needs: only the tail is copied.
std::string_view BlockIterator::assemble(const Block::Entry& entry) {
  // ANCHOR: task-1-2-3 BlockIterator::assemble
  const std::size_t size = entry.shared + entry.tail.size();
  if (buffer_.size() < size + kTagSizeBytes) {
    buffer_.resize(2 * size + kTagSizeBytes);
  }
  char* const key = buffer_.data();
  if (entry.shared > intact_) {
    std::memcpy(key + intact_, first_.data() + intact_, entry.shared - intact_);
  }
  intact_ = entry.shared;
  if (entry.tail.size() <= kTagSizeBytes) {
    // A copy of fixed size is one move, and eight bytes are always there to
    // read: the tag follows the tail.
    std::memcpy(key + entry.shared, entry.tail.data(), kTagSizeBytes);
  } else {
    std::memcpy(key + entry.shared, entry.tail.data(), entry.tail.size());
  }
  return {key, size};
  // ANCHOR_END: task-1-2-3
}

}  // namespace lsm
