// ConflictCheck decides at commit whether a transaction may: it compares what
// the transaction read or writes with what was committed since it began.
//
//   sequence      7          8             9
//   committed   ann=100    bob=50        ann=90 (by T1)
//   T2 begins at 8, so it asks: is the newest commit of … larger than 8?
//
//   T2 under          read      writes    asks about   newest   verdict
//   snapshot          ann,bob   bob       bob          8        commits
//   snapshot          ann       ann       ann          9        conflict
//   serializable      ann,bob   bob       ann, bob     9, 8     conflict
//   serializable      –         ann       –                     commits: blind
//   a plain write     –         ann       –                     commits
//
// I1 A request without intent always passes.
// I2 Isolation::snapshot: it passes if no key that it writes was committed
//    after intent->snapshot. The first committer wins.
// I3 Isolation::serializable: it passes if no key of intent->reads was. Then
//    all reads still hold, and the transaction might as well have run at this
//    very moment: its place in the order is its place in the log. Writes are
//    not asked about: of two blind writes the later one simply wins.
// I4 Whoever began before complete_after() fails, as its records may be gone:
//    a check refuses when it does not know.
// I5 Every committed request is noted, plain ones too, before it is published:
//    an earlier member of the same group counts as committed.
//
// The race that I4 closes. With no transaction open nothing is recorded:
//
//   leader                              a transaction
//   note 11: nobody open, drop it
//     complete_after = 11
//                                       begins: reads visible, which is 10
//   publish 11: visible = 11
//                                       reads ann as of 10, commits
//   check: 10 < 11, conflict            (11 may have been ann)
//
// Cost: a tree lookup for each key written, or each key read.
// Lifetime: shares the records. Thread safety: the leader alone.
// Source: first committer wins is Berenson et al., "A critique of ANSI SQL
// isolation levels", SIGMOD 1995; validating reads at commit is Kung and
// Robinson, "On optimistic methods for concurrency control", TODS 1981, with
// versions as FoundationDB's resolvers compare them.
#pragma once

#include <memory>

#include "base/commit_intent.h"
#include "base/write_request.h"
#include "recent_commits.h"

namespace lsm {

// ANCHOR: show-conflict-check
class ConflictCheck final : public CommitCheck {
 public:
  explicit ConflictCheck(std::shared_ptr<RecentCommits> commits);

  Result<void> check(const WriteRequest& request) override;
  void committed(const WriteRequest& request) override;
  // ANCHOR_END: show-conflict-check

 private:
  // Errors, each: conflict, saying what to do about it.
  Result<void> check_age(const CommitIntent& intent) const;
  Result<void> check_writes(const WriteRequest& request) const;
  Result<void> check_reads(const CommitIntent& intent) const;

  const std::shared_ptr<RecentCommits> commits_;
};

}  // namespace lsm
