// Says which of the waiting requests go together: a prefix of the queue, cut
// where company would cost somebody more than it saves.
//
//   waiting, oldest first        cut because                     group
//   a 100 │ b 100 S │ c 100      S: a would pay for b's sync     a
//   b 100 S │ c 100 │ d 100      c and d wait for b anyway       b c d
//   e 100 │ F │ f 100            F freezes what is before it     e F
//   g 60 KiB │ h 60 │ i 60       g is small: 128 KiB on top      g h i
//   j 60 KiB │ k 900 KiB         k would make j wait for it      j
//   l 900 KiB │ m 60 │ n 70      1 MiB in all                    l m
//
// I1 The first request is always admitted, however large.
// I2 A request that asks for a sync joins only a group whose first asked for
//    one. (A plain one joins a synced group: it stands behind it anyway.)
// I3 A request with something to do afterwards (freeze, seal) is the last of
//    its group: what stands behind it comes after it.
// I4 A group has at most max_bytes, and one whose first request has at most
//    small_bytes has at most small_bytes more; the first alone may be larger.
// Cost: one addition an operation. No allocation.
// Used by: the queue (group_queue.h), under its mutex.
// Source: LevelDB's DBImpl::BuildBatchGroup, I2 and I4 with its numbers.
#pragma once

#include <cstddef>

#include "base/write_request.h"

namespace lsm {

// ANCHOR: show-limits
struct GroupLimits {
  std::size_t max_bytes = std::size_t{1} << 20;
  std::size_t small_bytes = std::size_t{128} << 10;
  // How often a writer looks for its answer before it goes to sleep.
  int spins = 300;
  // How often a leader that syncs lets others run, until those who were here
  // a moment ago are back.
  int patience = 50;
  // How many syncs go without that after one for which it took longer than
  // the commit itself.
  int alone = 64;
};
// ANCHOR_END: show-limits

// Bytes of keys and values.
std::size_t size_bytes(const WriteRequest& request);

// ANCHOR: show-group-rule
class GroupRule {
 public:
  explicit GroupRule(const GroupLimits& limits) : limits_(limits) {}

  // Whether `next`, which stands behind those admitted so far, joins them.
  // After the first no the group is complete: ask no more.
  bool admits(const WriteRequest& next);
  // ANCHOR_END: show-group-rule

 private:
  const GroupLimits& limits_;
};

}  // namespace lsm
