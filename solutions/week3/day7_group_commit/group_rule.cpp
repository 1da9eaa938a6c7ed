#include "group_rule.h"

#include <algorithm>

namespace lsm {

std::size_t size_bytes(const WriteRequest& request) {
  std::size_t bytes = 0;
  for (const WriteOp& op : request.ops) {
    bytes += op.key.size() + op.value.size();
  }
  return bytes;
}

bool GroupRule::admits(const WriteRequest& next) {
  // ANCHOR: task-3-7-1 GroupRule::admits
  const std::size_t bytes = size_bytes(next);
  if (empty_) {  // I1
    empty_ = false;
    sync_ = next.sync;
    allowed_bytes_ =
        bytes <= limits_.small_bytes
            ? std::min(limits_.max_bytes, bytes + limits_.small_bytes)
            : limits_.max_bytes;
  } else if (ended_ || (next.sync && !sync_) ||
             bytes_ + bytes > allowed_bytes_) {
    return false;
  }
  bytes_ += bytes;
  ended_ = next.after != WriteRequest::After::nothing;
  return true;
  // ANCHOR_END: task-3-7-1
}

}  // namespace lsm
