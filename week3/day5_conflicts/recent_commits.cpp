#include "recent_commits.h"

#include <utility>
#include "base/todo.h"

namespace lsm {

RecentCommits::RecentCommits(std::function<std::optional<Sequence>()> oldest,
                             std::size_t max_bytes)
    : oldest_live_(std::move(oldest)), max_bytes_(max_bytes) {}

void RecentCommits::note(const WriteRequest& request) {
  if (request.ops.empty()) return;  // a flush: it has no sequence
  const std::optional<Sequence> oldest = oldest_live_();
  if (!oldest) {
    forget_all(request.first_sequence + request.ops.size() - 1);
  } else {
    if (!by_sequence_.empty() && by_sequence_.begin()->first <= *oldest) {
      forget_through(*oldest);
    }
    Sequence sequence = request.first_sequence;
    for (const WriteOp& op : request.ops)
      record(op.key, sequence++);
    if (memory_bytes_ > max_bytes_) make_room();
  }
  count_.store(by_key_.size(), std::memory_order_relaxed);  // see count()
}

Sequence RecentCommits::newest(std::string_view key) const {
  // Task 1: RecentCommits::newest
  LSM_TODO("3.5 task 1", "RecentCommits::newest");
}

void RecentCommits::record(std::string_view key, Sequence sequence) {
  // Task 1: RecentCommits::record
  LSM_TODO("3.5 task 1", "RecentCommits::record");
}

void RecentCommits::forget_all(Sequence sequence) {
  // Task 2: RecentCommits::forget_all
  LSM_TODO("3.5 task 2", "RecentCommits::forget_all");
}

void RecentCommits::forget_through(Sequence sequence) {
  // Task 2: RecentCommits::forget_through
  LSM_TODO("3.5 task 2", "RecentCommits::forget_through");
}

void RecentCommits::drop_oldest() {
  // Task 2: RecentCommits::drop_oldest
  LSM_TODO("3.5 task 2", "RecentCommits::drop_oldest");
}

void RecentCommits::make_room() {
  // Task 3: RecentCommits::make_room
  LSM_TODO("3.5 task 3", "RecentCommits::make_room");
}

}  // namespace lsm
