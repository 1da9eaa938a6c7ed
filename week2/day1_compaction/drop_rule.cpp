#include "drop_rule.h"

#include <algorithm>
#include <utility>
#include "base/todo.h"

namespace lsm {

DropRule::DropRule(const Retention& retention, const CompactionFilter& filter,
                   std::vector<RunPtr> below)
    : retention_(retention),
      filter_(filter),
      below_(std::move(below)),
      newest_stripe_(retention.stripe(kMaxSequence)) {}

DropRule::Verdict DropRule::judge(const InternalKey& key,
                                  std::string_view value) {
  // Task 1: DropRule::judge, versions
  LSM_TODO("2.1 task 1", "DropRule::judge, versions");

  // Task 2: DropRule::judge, tombstones
  LSM_TODO("2.1 task 2", "DropRule::judge, tombstones");
}

bool DropRule::older_may_lie_below(std::string_view user) const {
  // Task 2: DropRule::older_may_lie_below
  LSM_TODO("2.1 task 2", "DropRule::older_may_lie_below");
}

bool DropRule::is_given_up(const InternalKey& key, std::string_view value,
                           std::size_t stripe) const {
  // Task 6: DropRule::is_given_up
  LSM_TODO("2.1 task 6", "DropRule::is_given_up");
}

}  // namespace lsm
