// Decides, of the versions that a compaction meets, which are still needed.
// It is the one place of the engine where data goes for good.
//
//   snapshot at 5: sequences 0 … 5 are stripe 0, from 6 on they are stripe 1
//
//   entry      stripe   verdict
//   k@9 put    1        keep   the newest of its stripe
//   k@7 put    1        drop   hidden: whoever sees 7 sees 9
//   k@4 ✝      0        keep   if an older k may lie below; drop if none may
//   k@2 put    0        drop   hidden by 4, even if 4 goes itself
//
// I1 Of each key and stripe only the newest version stays: a reader stands at
//    the end of a stripe, and sees nothing older in it.
// I2 A tombstone goes only from stripe 0, and only when no run below may hold
//    its key. (In a later stripe, something older may be in these very inputs.)
// I3 "May hold" is judged by the ranges of tables, never by a filter or a read:
//    too careful costs a tombstone a level more, too bold brings data back.
//    (A table's newest sequence tells nothing: it may be another key's.)
// I4 A put that the application's filter gives up counts as a tombstone. The
//    filter is asked of a key's newest version only, where no snapshot sees it.
// Cost: one comparison of user keys an entry; for a tombstone, a binary search
// in each run below.
// Lifetime: retention and filter outlive the rule. One compaction, one thread.
// Source: LevelDB's db/db_impl.cc, DoCompactionWork, labels (A) and (B), where
// one smallest snapshot stands for all; stripes are Pebble's and RocksDB's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/compaction_filter.h"
#include "base/retention.h"
#include "tree.h"

namespace lsm {

// ANCHOR: show-drop-rule
class DropRule {
 public:
  enum class Verdict : std::uint8_t {
    keep,
    drop,
    bury,  // in its place, write a tombstone of its sequence, without value
  };

  // `below`: the runs that may hold older versions and are not inputs.
  DropRule(const Retention& retention, const CompactionFilter& filter,
           std::vector<RunPtr> below);

  // Call for every entry, in the order of internal keys.
  Verdict judge(const InternalKey& key, std::string_view value);
  // ANCHOR_END: show-drop-rule

 private:
  bool older_may_lie_below(std::string_view user) const;
  // Whether the application's filter gives up this newest version of a key.
  bool is_given_up(const InternalKey& key, std::string_view value,
                   std::size_t stripe) const;

  const Retention& retention_;
  const CompactionFilter& filter_;
  std::vector<RunPtr> below_;
  std::size_t newest_stripe_;
  // ANCHOR: hide-state
  std::string user_;
  bool seen_ = false;            // user_ holds a key
  std::size_t last_stripe_ = 0;  // of the last version of user_
  // ANCHOR_END: hide-state
};

}  // namespace lsm
