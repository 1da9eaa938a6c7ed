#include "merge.h"

#include <cassert>
#include <utility>

namespace lsm {

namespace {

class MergeIterator final : public InternalIterator {
 public:
  explicit MergeIterator(
      std::vector<std::unique_ptr<InternalIterator>> newest_first) {
    children_.reserve(newest_first.size());
    for (auto& iterator : newest_first) {
      children_.push_back({std::move(iterator), children_.size(), {}});
    }
    heap_.reserve(children_.size());
  }

  bool valid() const override { return !heap_.empty(); }

  void seek(InternalKey target) override {
    // ANCHOR: task-1-4-2 MergeIterator::seek
    forward_ = true;
    for (Child& child : children_)
      child.iterator->seek(target);
    build_heap();
    // ANCHOR_END: task-1-4-2
  }
  void seek_to_first() override {
    // ANCHOR: task-1-4-2 MergeIterator::seek_to_first
    forward_ = true;
    for (Child& child : children_)
      child.iterator->seek_to_first();
    build_heap();
    // ANCHOR_END: task-1-4-2
  }
  void seek_to_last() override {
    // ANCHOR: task-1-4-5 MergeIterator::seek_to_last
    forward_ = false;
    for (Child& child : children_)
      child.iterator->seek_to_last();
    build_heap();
    // ANCHOR_END: task-1-4-5
  }

  void next() override {
    assert(valid());
    // ANCHOR: task-1-4-2 MergeIterator::next
    if (!forward_) turn(true);
    if (!valid()) return;  // a child failed while turning
    heap_[0]->iterator->next();
    settle_top();
    // ANCHOR_END: task-1-4-2
  }
  void prev() override {
    assert(valid());
    // ANCHOR: task-1-4-5 MergeIterator::prev
    if (forward_) turn(false);
    if (!valid()) return;  // a child failed while turning
    heap_[0]->iterator->prev();
    settle_top();
    // ANCHOR_END: task-1-4-5
  }

  InternalKey key() const override { return heap_[0]->key; }
  std::string_view value() const override {
    return heap_[0]->iterator->value();
  }
  Result<void> status() const override { return status_; }

 private:
  // ANCHOR: show-child
  struct Child {
    std::unique_ptr<InternalIterator> iterator;
    std::size_t age;  // 0 is the newest
    InternalKey key;  // iterator->key(), while the child is in the heap
  };
  // ANCHOR_END: show-child

  // Whether a's entry comes before b's in the direction of the walk (I1).
  bool comes_first(const Child& a, const Child& b) const {
    // ANCHOR: task-1-4-1 MergeIterator::comes_first
    int order = compare(a.key, b.key);
    if (order == 0) order = a.age < b.age ? -1 : 1;
    return forward_ ? order < 0 : order > 0;
    // ANCHOR_END: task-1-4-1
  }

  // Caches the child's key. False when the child has no entry; its error, if
  // that is the reason, becomes the merge's.
  bool load(Child& child) {
    if (child.iterator->valid()) {
      child.key = child.iterator->key();
      return true;
    }
    if (status_) status_ = child.iterator->status();
    return false;
  }

  // Lets the child at `at` sink until neither below comes before it.
  void sift_down(std::size_t at) {
    // ANCHOR: task-1-4-1 MergeIterator::sift_down
    Child* const sinking = heap_[at];
    while (true) {
      std::size_t below = 2 * at + 1;
      if (below >= heap_.size()) break;
      if (below + 1 < heap_.size() &&
          comes_first(*heap_[below + 1], *heap_[below])) {
        ++below;
      }
      if (!comes_first(*heap_[below], *sinking)) break;
      heap_[at] = heap_[below];
      at = below;
    }
    heap_[at] = sinking;
    // ANCHOR_END: task-1-4-1
  }

  // Makes the heap of all children, wherever they stand.
  void build_heap() {
    // ANCHOR: task-1-4-1 MergeIterator::build_heap
    heap_.clear();
    for (Child& child : children_) {
      if (load(child)) heap_.push_back(&child);
    }
    for (std::size_t i = heap_.size() / 2; i > 0; --i)
      sift_down(i - 1);
    if (!status_) heap_.clear();  // I3
    // ANCHOR_END: task-1-4-1
  }

  // Restores the heap after its top child has moved.
  void settle_top() {
    // ANCHOR: task-1-4-2 MergeIterator::settle_top
    if (!load(*heap_[0])) {
      heap_[0] = heap_.back();
      heap_.pop_back();
    }
    if (!status_) heap_.clear();  // I3
    if (heap_.size() > 1) sift_down(0);
    // ANCHOR_END: task-1-4-2
  }

  // Brings every child but the top one to the other side of the current entry
  // (I2). The top stays the top.
  void turn(bool forward) {
    // ANCHOR: task-1-4-5 MergeIterator::turn
    forward_ = forward;
    const Child* const current = heap_[0];
    for (Child& child : children_) {
      if (&child == current) continue;
      InternalIterator& iterator = *child.iterator;
      if (!iterator.valid()) {
        forward ? iterator.seek_to_first() : iterator.seek_to_last();
      }
      // Usually one step. A memtable may have grown since: any number then.
      while (load(child) && comes_first(child, *current)) {
        forward ? iterator.next() : iterator.prev();
      }
    }
    build_heap();
    // ANCHOR_END: task-1-4-5
  }

  std::vector<Child> children_;
  std::vector<Child*> heap_;
  bool forward_ = true;
  Result<void> status_;
};

}  // namespace

std::unique_ptr<InternalIterator> make_merge_iterator(
    std::vector<std::unique_ptr<InternalIterator>> newest_first) {
  if (newest_first.size() == 1) return std::move(newest_first[0]);
  return std::make_unique<MergeIterator>(std::move(newest_first));
}

}  // namespace lsm
