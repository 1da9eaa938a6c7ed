#include <algorithm>
#include <utility>

#include "compaction.h"

namespace lsm {

DropRule::DropRule(const Retention& retention, const CompactionFilter& filter,
                   std::vector<RunPtr> below)
    : retention_(retention),
      filter_(filter),
      below_(std::move(below)),
      newest_stripe_(retention.stripe(kMaxSequence)) {}

DropRule::Verdict DropRule::judge(const InternalKey& key,
                                  std::string_view value) {
  const std::size_t stripe = retention_.stripe(key.sequence());
  const bool newest = !seen_ || user_ != key.user;
  if (!newest && stripe == last_stripe_) return Verdict::drop;  // hidden
  if (newest) {
    user_.assign(key.user);
    seen_ = true;
  }
  last_stripe_ = stripe;

  const bool filtered = newest && key.kind() == Kind::put &&
                        stripe == newest_stripe_ && !filter_.keep(key, value);
  if (key.kind() == Kind::put && !filtered) return Verdict::keep;
  // A tombstone, or what a filter turned into one.
  if (stripe == 0 && !older_may_lie_below(key.user)) return Verdict::drop;
  return filtered ? Verdict::bury : Verdict::keep;
}

bool DropRule::older_may_lie_below(std::string_view user) const {
  return std::ranges::any_of(
      below_, [user](const RunPtr& run) { return run->find(user) != nullptr; });
}

}  // namespace lsm
