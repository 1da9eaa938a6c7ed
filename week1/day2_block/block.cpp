#include "block.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>
#include "base/todo.h"

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
  // Task 1: BlockBuilder::add
  LSM_TODO("1.2 task 1", "BlockBuilder::add");
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
  // Task 1: BlockBuilder::finish
  LSM_TODO("1.2 task 1", "BlockBuilder::finish");
}

void BlockBuilder::reset() {
  first_.clear();
  entries_.clear();
  added_.clear();
}

Result<Block> Block::parse(std::string_view bytes) {
  // Task 6: Block::parse
  LSM_TODO("1.2 task 6", "Block::parse");
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
  // Task 2: Block::entry
  LSM_TODO("1.2 task 2", "Block::entry");
}

std::size_t Block::count_below(std::uint32_t head) const {
  // Task 4: Block::count_below
  LSM_TODO("1.2 task 4", "Block::count_below");
}

std::size_t Block::lower_bound(InternalKey target) const {
  // Task 4: Block::lower_bound
  LSM_TODO("1.2 task 4", "Block::lower_bound");
}

Lookup Block::get(std::string_view user, Sequence at,
                  std::string_view& value) const {
  // Task 5: Block::get
  LSM_TODO("1.2 task 5", "Block::get");
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
  // Task 7: BlockIterator::seek_to_last
  LSM_TODO("1.2 task 7", "BlockIterator::seek_to_last");
}

void BlockIterator::next() {
  // Task 3: BlockIterator::next
  LSM_TODO("1.2 task 3", "BlockIterator::next");
}

void BlockIterator::prev() {
  // Task 7: BlockIterator::prev
  LSM_TODO("1.2 task 7", "BlockIterator::prev");
}

void BlockIterator::stand_on(std::size_t index) {
  // Task 3: BlockIterator::stand_on
  LSM_TODO("1.2 task 3", "BlockIterator::stand_on");
}

// Walking forward, `shared` never grows, so buffer_ still begins with the
// bytes of the first key that the next key needs: only the tail is copied.
std::string_view BlockIterator::assemble(const Block::Entry& entry) {
  // Task 3: BlockIterator::assemble
  LSM_TODO("1.2 task 3", "BlockIterator::assemble");
}

}  // namespace lsm
