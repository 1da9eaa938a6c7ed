#include "conflicts.h"

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/todo.h"

namespace lsm {

namespace {

// `how` is "written" or "read".
Error key_conflict(std::string_view key, std::string_view how,
                   const CommitIntent& intent, Sequence newest) {
  return {Code::conflict,
          fmt::format("key \"{}\", {} by this transaction, was committed by "
                      "another at {}, after its snapshot {}: run it again",
                      escape(key), how, newest, intent.snapshot)};
}

}  // namespace

ConflictCheck::ConflictCheck(std::shared_ptr<RecentCommits> commits)
    : commits_(std::move(commits)) {}

Result<void> ConflictCheck::check(const WriteRequest& request) {
  // Task 4: ConflictCheck::check
  LSM_TODO("3.5 task 4", "ConflictCheck::check");
}

void ConflictCheck::committed(const WriteRequest& request) {
  commits_->note(request);
}

Result<void> ConflictCheck::check_age(const CommitIntent& intent) const {
  // Task 4: ConflictCheck::check_age
  LSM_TODO("3.5 task 4", "ConflictCheck::check_age");
}

Result<void> ConflictCheck::check_writes(const WriteRequest& request) const {
  // Task 5: ConflictCheck::check_writes
  LSM_TODO("3.5 task 5", "ConflictCheck::check_writes");
}

Result<void> ConflictCheck::check_reads(const CommitIntent& intent) const {
  // Task 6: ConflictCheck::check_reads
  LSM_TODO("3.5 task 6", "ConflictCheck::check_reads");
}

}  // namespace lsm
