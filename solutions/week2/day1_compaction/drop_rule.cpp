#include "drop_rule.h"

#include <algorithm>
#include <utility>

namespace lsm {

DropRule::DropRule(const Retention& retention, const CompactionFilter& filter,
                   std::vector<RunPtr> below)
    : retention_(retention),
      filter_(filter),
      below_(std::move(below)),
      newest_stripe_(retention.stripe(kMaxSequence)) {}

DropRule::Verdict DropRule::judge(const InternalKey& key,
                                  std::string_view value) {
  // ANCHOR: task-2-1-1 DropRule::judge, versions
  const std::size_t stripe = retention_.stripe(key.sequence());
  const bool newest = !seen_ || user_ != key.user;
  if (!newest && stripe == last_stripe_) return Verdict::drop;  // hidden: I1
  if (newest) {
    user_.assign(key.user);
    seen_ = true;
  }
  last_stripe_ = stripe;

  const bool given_up = newest && is_given_up(key, value, stripe);
  if (key.kind() == Kind::put && !given_up) return Verdict::keep;
  // ANCHOR_END: task-2-1-1

  // ANCHOR: task-2-1-2 DropRule::judge, tombstones
  if (stripe == 0 && !older_may_lie_below(key.user)) return Verdict::drop;
  return given_up ? Verdict::bury : Verdict::keep;
  // ANCHOR_END: task-2-1-2
}

bool DropRule::older_may_lie_below(std::string_view user) const {
  // ANCHOR: task-2-1-2 DropRule::older_may_lie_below
  return std::ranges::any_of(
      below_, [user](const RunPtr& run) { return run->find(user) != nullptr; });
  // ANCHOR_END: task-2-1-2
}

bool DropRule::is_given_up(const InternalKey& key, std::string_view value,
                           std::size_t stripe) const {
  // ANCHOR: task-2-1-6 DropRule::is_given_up
  return key.kind() == Kind::put && stripe == newest_stripe_ &&
         !filter_.keep(key, value);
  // ANCHOR_END: task-2-1-6
}

}  // namespace lsm
