#include "merge.h"

#include <cassert>
#include <utility>
#include "base/todo.h"

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
    // Task 2: MergeIterator::seek
    LSM_TODO("1.4 task 2", "MergeIterator::seek");
  }
  void seek_to_first() override {
    // Task 2: MergeIterator::seek_to_first
    LSM_TODO("1.4 task 2", "MergeIterator::seek_to_first");
  }
  void seek_to_last() override {
    // Task 5: MergeIterator::seek_to_last
    LSM_TODO("1.4 task 5", "MergeIterator::seek_to_last");
  }

  void next() override {
    assert(valid());
    // Task 2: MergeIterator::next
    LSM_TODO("1.4 task 2", "MergeIterator::next");
  }
  void prev() override {
    assert(valid());
    // Task 5: MergeIterator::prev
    LSM_TODO("1.4 task 5", "MergeIterator::prev");
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
    // Task 1: MergeIterator::comes_first
    LSM_TODO("1.4 task 1", "MergeIterator::comes_first");
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
    // Task 1: MergeIterator::sift_down
    LSM_TODO("1.4 task 1", "MergeIterator::sift_down");
  }

  // Makes the heap of all children, wherever they stand.
  void build_heap() {
    // Task 1: MergeIterator::build_heap
    LSM_TODO("1.4 task 1", "MergeIterator::build_heap");
  }

  // Restores the heap after its top child has moved.
  void settle_top() {
    // Task 2: MergeIterator::settle_top
    LSM_TODO("1.4 task 2", "MergeIterator::settle_top");
  }

  // Brings every child but the top one to the other side of the current entry
  // (I2). The top stays the top.
  void turn(bool forward) {
    // Task 5: MergeIterator::turn
    LSM_TODO("1.4 task 5", "MergeIterator::turn");
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
