// The sum of version edits: which tables there are, after all that happened.
//
//   {added {0, 7}}  +  {added {0, 9}}  +  {removed {0, 7} {0, 9}, added {1,
//   11}}
//        {7}        ►      {7, 9}      ►                 {11}
//
// I1 A number names at most one table, and a table stands in one level.
// I2 A removed table was there, in that level.
// I3 Tables of one run share no user key (a deeper level is one run).
// I4 A table's numbers make sense: smallest <= largest, and so on (I1, I2 of
//    base/file_meta.h); its level is below kMaxLevels.
// I5 The last sequence is that of the newest operation that any table has
//    held: operations up to it need no log. It never goes back, and neither
//    does the number of the oldest log needed. The next file number is above
//    the number of every table that was ever added.
// An edit that breaks one of these was not written by a sound engine: applying
// it is refused, and the sum is worth nothing afterwards.
// Cost of an edit: O(tables it names * log(tables)).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/version_edit.h"

namespace lsm {

using RunName = std::pair<int, std::uint64_t>;  // level, run

// ANCHOR: show-edit-sum
class EditSum {
 public:
  // Errors: corruption, naming what the edit contradicts.
  Result<void> apply(const VersionEdit& edit);

  // The whole sum as one edit.
  VersionEdit total() const;

 private:
  Result<void> remove(const VersionEdit::Removed& removed);
  Result<void> add(const VersionEdit::Added& added);

  std::map<std::uint64_t, VersionEdit::Added> tables_;  // by number
  // For each run, its tables' numbers by smallest user key.
  std::map<RunName, std::map<std::string, std::uint64_t>> runs_;
  std::uint64_t oldest_log_ = 0;
  std::uint64_t next_file_number_ = 1;
  Sequence last_sequence_ = 0;
};
// ANCHOR_END: show-edit-sum

}  // namespace lsm
