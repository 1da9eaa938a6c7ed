#include "conflicts.h"

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.h"

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
  // ANCHOR: task-3-5-4 ConflictCheck::check
  if (request.intent == nullptr) return {};
  LSM_TRY(check_age(*request.intent));
  if (request.intent->isolation == Isolation::snapshot) {
    return check_writes(request);
  }
  return check_reads(*request.intent);
  // ANCHOR_END: task-3-5-4
}

void ConflictCheck::committed(const WriteRequest& request) {
  commits_->note(request);
}

Result<void> ConflictCheck::check_age(const CommitIntent& intent) const {
  // ANCHOR: task-3-5-4 ConflictCheck::check_age
  const Sequence complete = commits_->complete_after();
  if (intent.snapshot >= complete) return {};
  const bool forced = intent.snapshot < commits_->forced_after();
  return fail(
      Code::conflict,
      fmt::format(
          "of what was committed since its snapshot {} nothing is known "
          "up to {}{}: run it again, from a newer one",
          intent.snapshot, complete,
          forced ? ", as max_commit_records_bytes was reached" : ""));
  // ANCHOR_END: task-3-5-4
}

Result<void> ConflictCheck::check_writes(const WriteRequest& request) const {
  // ANCHOR: task-3-5-5 ConflictCheck::check_writes
  for (const WriteOp& op : request.ops) {
    const Sequence newest = commits_->newest(op.key);
    if (newest <= request.intent->snapshot) continue;
    return std::unexpected(
        key_conflict(op.key, "written", *request.intent, newest));
  }
  return {};
  // ANCHOR_END: task-3-5-5
}

Result<void> ConflictCheck::check_reads(const CommitIntent& intent) const {
  // ANCHOR: task-3-5-6 ConflictCheck::check_reads
  for (const std::string& key : intent.reads) {
    const Sequence newest = commits_->newest(key);
    if (newest <= intent.snapshot) continue;
    return std::unexpected(key_conflict(key, "read", intent, newest));
  }
  return {};
  // ANCHOR_END: task-3-5-6
}

}  // namespace lsm
