#include "phantoms.h"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "base/bytes.h"
#include "range_set.h"
#include "base/todo.h"

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
  // Task 5: PhantomCheck::check
  LSM_TODO("3.6 task 5", "PhantomCheck::check");
}

void PhantomCheck::committed(const WriteRequest& request) {
  points_->committed(request);
}

Result<void> PhantomCheck::check_range(const ReadRange& range,
                                       Sequence snapshot) const {
  // Task 5: PhantomCheck::check_range
  LSM_TODO("3.6 task 5", "PhantomCheck::check_range");
}

}  // namespace lsm
