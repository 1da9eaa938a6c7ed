#include "memtable.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstddef>
#include <new>

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/todo.h"

namespace lsm {

// The order.

std::uint64_t key_prefix(std::string_view user_key) {
  // Task 1: key_prefix
  LSM_TODO("1.1 task 1", "key_prefix");
}

bool comes_before(const PrefixedKey& a, const PrefixedKey& b) {
  // Task 1: comes_before
  LSM_TODO("1.1 task 1", "comes_before");
}

// Search.

// The first node at or after `target`, nullptr when there is none. Fills
// `before`, if given, for the lanes in use.
MemTable::Node* MemTable::find(const PrefixedKey& target,
                               Before* before) const {
  // Task 2: MemTable::find
  LSM_TODO("1.1 task 2", "MemTable::find");
}

void MemTable::add(Sequence sequence, Kind kind, std::string_view key,
                   std::string_view value) {
  assert(key.size() <= kMaxKeySizeBytes && value.size() <= kMaxValueSizeBytes);
  const std::uint64_t hash = hash64(key);
  index_.prefetch(hash);
  const PrefixedKey target = with_prefix({key, make_tag(sequence, kind)});
  Node* const node = new_node(random_height(), target, value);
  // Task 2: MemTable::add, between making the node and indexing it
  LSM_TODO("1.1 task 2",
           "MemTable::add, between making the node and indexing it");
  index_.put(hash, node);
  // Pairs with nothing: a number for statistics.
  entries_.store(entries() + 1, std::memory_order_relaxed);
}

// Hooks `node` in after finger_, in every lane of its tower.
void MemTable::link(Node* node) {
  // Task 2: MemTable::link
  LSM_TODO("1.1 task 2", "MemTable::link");
}

// Point lookups.

Lookup MemTable::get(std::string_view key, Sequence at,
                     std::string_view& value) const {
  const Node* node = index_.find(hash64(key), key);
  // Task 3: MemTable::get, from the newest version of `key` on
  LSM_TODO("1.1 task 3", "MemTable::get, from the newest version of `key` on");
}

// Iteration.

class MemTable::Cursor final : public InternalIterator {
 public:
  explicit Cursor(const MemTable& table) : table_(table) {}

  bool valid() const override { return node_ != nullptr; }
  void seek(InternalKey target) override {
    // Task 4: Cursor::seek
    LSM_TODO("1.1 task 4", "Cursor::seek");
  }
  void seek_to_first() override { node_ = table_.head_->next(0); }
  void seek_to_last() override {
    // Task 5: Cursor::seek_to_last
    LSM_TODO("1.1 task 5", "Cursor::seek_to_last");
  }
  void next() override {
    assert(valid());
    node_ = node_->next(0);
  }
  void prev() override {
    assert(valid());
    // Task 5: Cursor::prev
    LSM_TODO("1.1 task 5", "Cursor::prev");
  }
  InternalKey key() const override {
    assert(valid());
    return node_->key();
  }
  std::string_view value() const override {
    assert(valid());
    return node_->value();
  }
  Result<void> status() const override { return {}; }

 private:
  const MemTable& table_;
  const Node* node_ = nullptr;
};

std::unique_ptr<InternalIterator> MemTable::iterator() const {
  return std::make_unique<Cursor>(*this);
}

// The last node that stands before `target`, nullptr when none does.
MemTable::Node* MemTable::find_last_before(const PrefixedKey& target) const {
  // Task 5: MemTable::find_last_before
  LSM_TODO("1.1 task 5", "MemTable::find_last_before");
}

// The last node, nullptr when there is none.
MemTable::Node* MemTable::find_last() const {
  // Task 5: MemTable::find_last
  LSM_TODO("1.1 task 5", "MemTable::find_last");
}

// The finger.

// True when `target` belongs directly after the node that was added last, so
// that finger_ is already what find would fill in.
bool MemTable::follows_finger(const PrefixedKey& target) const {
  // Task 6: MemTable::follows_finger
  LSM_TODO("1.1 task 6", "MemTable::follows_finger");
}

// Nodes.

MemTable::MemTable(std::uint64_t log_number, std::size_t expected_bytes)
    : log_number_(log_number),
      index_(arena_, expected_bytes),
      head_(new_node(kMaxHeight, {}, {})),
      random_(0x5eed) {
  finger_.fill(head_);
}

MemTable::Node* MemTable::new_node(int height, const PrefixedKey& target,
                                   std::string_view value) {
  const auto lanes = static_cast<std::size_t>(height);
  const std::size_t header_bytes =
      offsetof(Node, links) + lanes * sizeof(Node::links[0]);
  const std::string_view key = target.key.user;
  void* const memory =
      arena_.allocate(header_bytes + key.size() + value.size());
  auto* const node =
      new (memory) Node{.prefix = target.prefix,
                        .tag = target.key.tag,
                        .value_size = static_cast<std::uint32_t>(value.size()),
                        .key_size = static_cast<std::uint16_t>(key.size()),
                        .height = static_cast<std::uint8_t>(height),
                        .links = {}};
  for (int lane = 1; lane < height; ++lane) {
    new (&node->links[lane]) std::atomic<Node*>(nullptr);
  }
  char* const bytes = static_cast<char*>(memory) + header_bytes;
  key.copy(bytes, key.size());
  value.copy(bytes + key.size(), value.size());
  return node;
}

// 1, and one more with probability 1/4 each time.
int MemTable::random_height() {
  const int lanes = 1 + std::countr_zero(random_.next()) / 2;
  return std::min(lanes, kMaxHeight);
}

int MemTable::height() const {
  // Pairs with nothing, see link.
  return height_.load(std::memory_order_relaxed);
}

std::size_t MemTable::entries() const {
  // Pairs with nothing: a number for statistics.
  return entries_.load(std::memory_order_relaxed);
}

}  // namespace lsm
