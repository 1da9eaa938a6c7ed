// The one place that names the rooms: which component stands behind each seam.
// Everything else in the engine knows only the seams in base/.
#pragma once

#include <memory>
#include <vector>

#include "base/error.h"
#include "base/executor.h"
#include "base/options.h"
#include "base/retention.h"
#include "base/scan_tracker.h"
#include "base/write_request.h"
#include "lsm/transaction.h"
#include "recent_commits.h"

namespace lsm {

// The seams of `options` that are null, filled with the engine's own rooms;
// what is impossible is refused. Errors: invalid_argument naming the option.
Result<Options> compose(Options options);

// The seams that are not options yet.
std::unique_ptr<CommitCheck> compose_commit_check(
    std::shared_ptr<RecentCommits> commits);
std::unique_ptr<WriteQueue> compose_write_queue(WriteQueue::Commit commit,
                                                Executor& executor,
                                                Clock& clock);
std::unique_ptr<Retention> compose_retention(std::vector<Sequence> snapshots);
std::shared_ptr<ScanTracker> compose_scan_tracker(
    const TransactionOptions& options);

}  // namespace lsm
