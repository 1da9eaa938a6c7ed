#include "recent_commits.h"

#include <utility>

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
  // ANCHOR: task-3-5-1 RecentCommits::newest
  const auto found = by_key_.find(key);
  return found == by_key_.end() ? 0 : found->second;
  // ANCHOR_END: task-3-5-1
}

void RecentCommits::record(std::string_view key, Sequence sequence) {
  // ANCHOR: task-3-5-1 RecentCommits::record
  auto found = by_key_.find(key);
  if (found == by_key_.end()) {
    found = by_key_.emplace(key, sequence).first;
    memory_bytes_ += key.size() + kRecordBytes;
    by_sequence_.emplace_hint(by_sequence_.end(), sequence, found);
    return;
  }
  // The older commit of the key tells nobody anything more: whom it refused,
  // the new one refuses as well. Its node is used again.
  auto node = by_sequence_.extract(found->second);
  node.key() = sequence;
  by_sequence_.insert(by_sequence_.end(), std::move(node));
  found->second = sequence;
  // ANCHOR_END: task-3-5-1
}

void RecentCommits::forget_all(Sequence sequence) {
  // ANCHOR: task-3-5-2 RecentCommits::forget_all
  if (!by_key_.empty()) {
    by_sequence_.clear();
    by_key_.clear();
    memory_bytes_ = 0;
  }
  complete_after_ = sequence;  // closes the race with a begin, see conflicts.h
  // ANCHOR_END: task-3-5-2
}

void RecentCommits::forget_through(Sequence sequence) {
  // ANCHOR: task-3-5-2 RecentCommits::forget_through
  while (!by_sequence_.empty() && by_sequence_.begin()->first <= sequence) {
    drop_oldest();
  }
  // ANCHOR_END: task-3-5-2
}

void RecentCommits::drop_oldest() {
  // ANCHOR: task-3-5-2 RecentCommits::drop_oldest
  const auto oldest = by_sequence_.begin();
  if (complete_after_ < oldest->first) complete_after_ = oldest->first;
  memory_bytes_ -= oldest->second->first.size() + kRecordBytes;
  by_key_.erase(oldest->second);
  by_sequence_.erase(oldest);
  // ANCHOR_END: task-3-5-2
}

void RecentCommits::make_room() {
  // ANCHOR: task-3-5-3 RecentCommits::make_room
  while (memory_bytes_ > max_bytes_)
    drop_oldest();
  forced_after_ = complete_after();
  // ANCHOR_END: task-3-5-3
}

}  // namespace lsm
