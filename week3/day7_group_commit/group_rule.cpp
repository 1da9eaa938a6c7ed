#include "group_rule.h"

#include <algorithm>
#include "base/todo.h"

namespace lsm {

std::size_t size_bytes(const WriteRequest& request) {
  std::size_t bytes = 0;
  for (const WriteOp& op : request.ops) {
    bytes += op.key.size() + op.value.size();
  }
  return bytes;
}

bool GroupRule::admits(const WriteRequest& next) {
  // Task 1: GroupRule::admits
  LSM_TODO("3.7 task 1", "GroupRule::admits");
}

}  // namespace lsm
