// RecentCommits remembers which keys were committed since the oldest
// transaction that is still open began: what a commit check must know, and no
// more.
//
//   open transactions at 4 and 6        newest of each key   by sequence
//   5 put ant                             ant  7             6 bee
//   6 put bee                             bee  6             7 ant
//   7 put ant      (5 ant is hidden)      cow  8             8 cow
//   8 remove cow   (a commit like any)
//
//   the one at 4 ends; 9 put ant          ant  9             8 cow
//   oldest is 6 now: 6 bee goes           cow  8             9 ant
//   the one at 6 ends; 10 put dog         nothing is kept, complete from 10 on
//
// I1 Every commit with a sequence larger than complete_after() is recorded:
//    newest(key) is at least that sequence.
// I2 newest(key) is the sequence of a commit of that very key, or 0.
// I3 A record goes as soon as no open transaction can ask about it: at the
//    first commit after the oldest one's sequence has reached the record's.
//    With no transaction open, nothing is kept.
// I4 After note() memory_bytes() is at most max_bytes. What had to go for it
//    were the oldest records, and complete_after() says so.
// Cost: a write with no transaction open asks oldest_live and does no more; it
// allocates nothing. With one open, O(log n) and two tree nodes for each key
// that is new among the n records; a key written again costs no more memory.
// Lifetime: what oldest_live reads outlives this. Records are in memory only:
// a transaction does not survive its process.
// Thread safety: the leader alone; count() and complete_after() any thread.
// Used by: conflicts.h, and phantoms.h in 3.6.
// Source: the oracle's map of commit timestamps in Badger and mini-lsm (a
// fingerprint or a set there, the key here); the bound is FoundationDB's, five
// seconds of conflict history there, bytes here.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/key.h"
#include "base/write_request.h"

namespace lsm {

// ANCHOR: show-recent-commits
class RecentCommits {
 public:
  using ByKey = std::map<std::string, Sequence, std::less<>>;

  // `oldest_live`: the sequence of the oldest transaction that may still
  // write; none, if none may.
  RecentCommits(std::function<std::optional<Sequence>()> oldest_live,
                std::size_t max_bytes);

  // `request` has its sequences; it is published after this.
  void note(const WriteRequest& request);

  // The newest recorded commit of `key`; 0: none recorded.
  Sequence newest(std::string_view key) const;
  const ByKey& by_key() const { return by_key_; }
  // Every commit with a larger sequence is recorded. May be above what is
  // visible: whoever begins then loses, unless it waits until it is not.
  Sequence complete_after() const {
    // Relaxed: who needs it exact is the leader, which wrote it.
    return complete_after_.load(std::memory_order_relaxed);
  }
  // What max_bytes did to complete_after(): a transaction below this would have
  // been judged by its keys, had there been room. 0: nothing so far.
  Sequence forced_after() const { return forced_after_; }

  std::size_t count() const {
    // Relaxed: a number for people, which orders nothing.
    return count_.load(std::memory_order_relaxed);
  }
  std::size_t memory_bytes() const { return memory_bytes_; }
  // ANCHOR_END: show-recent-commits

  // What a record takes besides the bytes of its key: a node of each map.
  static constexpr std::size_t kRecordBytes = 144;

 private:
  // `key` was committed at `sequence`, the largest so far.
  void record(std::string_view key, Sequence sequence);
  // Drops every record, as nobody is there to ask: complete from `sequence`.
  void forget_all(Sequence sequence);
  // Drops the records up to `sequence`.
  void forget_through(Sequence sequence);
  // Drops the oldest records until memory_bytes() is at most max_bytes_.
  void make_room();
  // Drops the record with the smallest sequence. There is one.
  void drop_oldest();

  const std::function<std::optional<Sequence>()> oldest_live_;
  const std::size_t max_bytes_;
  ByKey by_key_;
  std::map<Sequence, ByKey::iterator> by_sequence_;  // of the same records
  std::atomic<Sequence> complete_after_ = 0;
  Sequence forced_after_ = 0;
  std::size_t memory_bytes_ = 0;
  std::atomic<std::size_t> count_ = 0;
};

}  // namespace lsm
