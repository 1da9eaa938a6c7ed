#include "memtable.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstddef>
#include <new>

#include "base/bytes.h"
#include "base/checksum.h"

namespace lsm {

// The order.

std::uint64_t key_prefix(std::string_view user_key) {
  // ANCHOR: task-1-1-1 key_prefix
  if (user_key.size() >= 8) return std::byteswap(load_u64(user_key.data()));
  char padded[8] = {};
  user_key.copy(padded, user_key.size());
  return std::byteswap(load_u64(padded));
  // ANCHOR_END: task-1-1-1
}

bool comes_before(const PrefixedKey& a, const PrefixedKey& b) {
  // ANCHOR: task-1-1-1 comes_before
  if (a.prefix != b.prefix) return a.prefix < b.prefix;
  return compare(a.key, b.key) < 0;
  // ANCHOR_END: task-1-1-1
}

// Search.

// The first node at or after `target`, nullptr when there is none. Fills
// `before`, if given, for the lanes in use.
MemTable::Node* MemTable::find(const PrefixedKey& target,
                               Before* before) const {
  // ANCHOR: task-1-1-2 MemTable::find
  Node* at = head_;
  Node* beyond = nullptr;  // known to stand at or after the target
  for (int lane = height() - 1; lane >= 0; --lane) {
    Node* next = at->next(lane);
    while (next != beyond && next != nullptr &&
           comes_before(next->prefixed_key(), target)) {
      at = next;
      next = at->next(lane);
    }
    beyond = next;
    if (before != nullptr) (*before)[static_cast<std::size_t>(lane)] = at;
  }
  return beyond;
  // ANCHOR_END: task-1-1-2
}

void MemTable::add(Sequence sequence, Kind kind, std::string_view key,
                   std::string_view value) {
  assert(key.size() <= kMaxKeySizeBytes && value.size() <= kMaxValueSizeBytes);
  const std::uint64_t hash = hash64(key);
  index_.prefetch(hash);
  const PrefixedKey target = with_prefix({key, make_tag(sequence, kind)});
  Node* const node = new_node(random_height(), target, value);
  // ANCHOR: task-1-1-2 MemTable::add, between making the node and indexing it
  if (!follows_finger(target)) find(target, &finger_);
  link(node);
  // ANCHOR_END: task-1-1-2
  index_.put(hash, node);
  // Pairs with nothing: a number for statistics.
  entries_.store(entries() + 1, std::memory_order_relaxed);
}

// Hooks `node` in after finger_, in every lane of its tower.
void MemTable::link(Node* node) {
  // ANCHOR: task-1-1-2 MemTable::link
  if (node->height > height()) {
    // Pairs with nothing: a reader who misses it searches fewer lanes; one who
    // is early finds head's links there, null or complete.
    height_.store(node->height, std::memory_order_relaxed);
  }
  for (int lane = 0; lane < node->height; ++lane) {
    Node*& before = finger_[static_cast<std::size_t>(lane)];
    node->set_next(lane, before->next(lane));
    before->set_next(lane, node);  // from here readers meet it in this lane
    before = node;
  }
  // ANCHOR_END: task-1-1-2
}

// Point lookups.

Lookup MemTable::get(std::string_view key, Sequence at,
                     std::string_view& value) const {
  const Node* node = index_.find(hash64(key), key);
  // ANCHOR: task-1-1-3 MemTable::get, from the newest version of `key` on
  constexpr int kStepsBeforeSearch = 8;
  for (int steps = 0; node != nullptr && node->key().sequence() > at; ++steps) {
    node = steps < kStepsBeforeSearch
               ? node->next(0)
               : find(with_prefix(seek_key(key, at)), nullptr);
    if (node != nullptr && node->user_key() != key) node = nullptr;
  }
  if (node == nullptr) return Lookup::absent;
  if (node->key().kind() == Kind::remove) return Lookup::removed;
  value = node->value();
  return Lookup::value;
  // ANCHOR_END: task-1-1-3
}

// Iteration.

class MemTable::Cursor final : public InternalIterator {
 public:
  explicit Cursor(const MemTable& table) : table_(table) {}

  bool valid() const override { return node_ != nullptr; }
  void seek(InternalKey target) override {
    // ANCHOR: task-1-1-4 Cursor::seek
    node_ = table_.find(with_prefix(target), nullptr);
    // ANCHOR_END: task-1-1-4
  }
  void seek_to_first() override { node_ = table_.head_->next(0); }
  void seek_to_last() override {
    // ANCHOR: task-1-1-5 Cursor::seek_to_last
    node_ = table_.find_last();
    // ANCHOR_END: task-1-1-5
  }
  void next() override {
    assert(valid());
    node_ = node_->next(0);
  }
  void prev() override {
    assert(valid());
    // ANCHOR: task-1-1-5 Cursor::prev
    node_ = table_.find_last_before(node_->prefixed_key());
    // ANCHOR_END: task-1-1-5
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
  // ANCHOR: task-1-1-5 MemTable::find_last_before
  Before before;
  find(target, &before);
  return before[0] == head_ ? nullptr : before[0];
  // ANCHOR_END: task-1-1-5
}

// The last node, nullptr when there is none.
MemTable::Node* MemTable::find_last() const {
  // ANCHOR: task-1-1-5 MemTable::find_last
  Node* at = head_;
  for (int lane = height() - 1; lane >= 0; --lane) {
    while (Node* const next = at->next(lane))
      at = next;
  }
  return at == head_ ? nullptr : at;
  // ANCHOR_END: task-1-1-5
}

// The finger.

// True when `target` belongs directly after the node that was added last, so
// that finger_ is already what find would fill in.
bool MemTable::follows_finger(const PrefixedKey& target) const {
  // ANCHOR: task-1-1-6 MemTable::follows_finger
  const Node* const last = finger_[0];
  if (last == head_ || !comes_before(last->prefixed_key(), target))
    return false;
  const Node* const next = last->next(0);
  return next == nullptr || !comes_before(next->prefixed_key(), target);
  // ANCHOR_END: task-1-1-6
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
