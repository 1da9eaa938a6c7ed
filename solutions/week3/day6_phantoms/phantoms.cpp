#include "phantoms.h"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "base/bytes.h"
#include "range_set.h"

namespace lsm {

namespace {

// "[a, b)", "[a, b]", "[a, end)".
std::string describe(const ReadRange& range) {
  return fmt::format("[\"{}\", {}{}", escape(range.lower),
                     range.upper ? '"' + escape(*range.upper) + '"' : "end",
                     range.upper_included ? ']' : ')');
}

}  // namespace

PhantomCheck::PhantomCheck(std::unique_ptr<CommitCheck> points,
                           std::shared_ptr<const RecentCommits> commits)
    : points_(std::move(points)), commits_(std::move(commits)) {}

Result<void> PhantomCheck::check(const WriteRequest& request) {
  // ANCHOR: task-3-6-5 PhantomCheck::check
  LSM_TRY(points_->check(request));
  const CommitIntent* intent = request.intent;
  if (intent == nullptr || intent->isolation != Isolation::serializable) {
    return {};
  }
  for (const ReadRange& range : intent->ranges) {
    LSM_TRY(check_range(range, intent->snapshot));
  }
  return {};
  // ANCHOR_END: task-3-6-5
}

void PhantomCheck::committed(const WriteRequest& request) {
  points_->committed(request);
}

Result<void> PhantomCheck::check_range(const ReadRange& range,
                                       Sequence snapshot) const {
  // ANCHOR: task-3-6-5 PhantomCheck::check_range
  const auto& by_key = commits_->by_key();
  auto at = by_key.lower_bound(range.lower);
  for (; at != by_key.end() && !ends_before(range, at->first); ++at) {
    if (at->second <= snapshot) continue;
    return fail(
        Code::conflict,
        fmt::format("key \"{}\", in the range {} that this transaction "
                    "scanned, was committed by another at {}, after its "
                    "snapshot {}: run it again",
                    escape(at->first), describe(range), at->second, snapshot));
  }
  return {};
  // ANCHOR_END: task-3-6-5
}

}  // namespace lsm
