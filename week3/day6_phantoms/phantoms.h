// PhantomCheck validates what a transaction's scans have read: not the keys
// that they showed, but the ranges that they covered. A key that was not there
// and appears in one is a phantom.
//
//   T1 at 8 scanned [on call/, on call0)     it saw ann and bob
//   committed since: 9 put "on call/cy"      nobody has read that key, yet T1
//                                            counted without it: conflict
//   recorded keys    apple@9   on call/ann@4   on call/cy@9   zoo@9
//   range                     [──────────────────────────────)
//   in it, newer than 8                        on call/cy
//
// I1 Under Isolation::serializable a request passes only if no key in any of
//    intent->ranges was committed after intent->snapshot: put or removed,
//    shown by the scan or not.
// I2 Whatever the points' check refuses stays refused, and is refused first:
//    who began before complete_after() never comes to the ranges.
// I3 Under Isolation::snapshot, and without intent, only the points count.
// With reads and ranges both unchanged, everything that the transaction learnt
// still holds at its commit: the committed transactions are serializable.
// Cost: O(log n) for each range among n recorded keys, and a comparison for
// each recorded key in it that is older than the snapshot.
// Lifetime: owns `points`, shares the records. Thread safety: the leader alone.
// Source: phantoms are Eswaran, Gray, Lorie, Traiger, CACM 1976; validating
// ranges is FoundationDB's. mini-lsm validates the keys that a scan showed.
#pragma once

#include <memory>

#include "base/commit_intent.h"
#include "base/write_request.h"
#include "recent_commits.h"

namespace lsm {

// ANCHOR: show-phantom-check
class PhantomCheck final : public CommitCheck {
 public:
  // `points` notes what is committed in `commits`.
  PhantomCheck(std::unique_ptr<CommitCheck> points,
               std::shared_ptr<const RecentCommits> commits);

  Result<void> check(const WriteRequest& request) override;
  void committed(const WriteRequest& request) override;
  // ANCHOR_END: show-phantom-check

 private:
  // Errors: conflict, naming the key and the range.
  Result<void> check_range(const ReadRange& range, Sequence snapshot) const;

  const std::unique_ptr<CommitCheck> points_;
  const std::shared_ptr<const RecentCommits> commits_;
};

}  // namespace lsm
