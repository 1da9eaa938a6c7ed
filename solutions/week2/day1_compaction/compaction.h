// A compaction merges tables into fewer, larger ones, leaving out what no
// reader can see any more. It changes nothing: it writes new tables and says,
// as an edit, what should replace what.
//
//   inputs, newest first            outputs
//   level 0 run   a9 c8 ─┐
//   level 0 run   a4 b6 ─┼─ merge ─ drop rule ─► [ a9 b6 ] [ c8 d1 ]
//   level 6 run   a2 d1 ─┘                          cut between user keys
//
// I1 For every sequence that a reader may read at (one a stripe), reading the
//    outputs gives what reading the inputs gave.
// I2 Outputs are sorted and disjoint, and no user key spans two of them.
// I3 A tombstone goes only when no older version of its key can lie below.
// I4 Every output is durable, bytes and name, before the edit is returned;
//    after an error no output is left behind.
// Cost: reads and writes each input byte once, sequentially; memory is one
// block an input table open, and one table's hashes.
// Source: the drop rule is LevelDB's (db/db_impl.cc, DoCompactionWork), with
// its one smallest snapshot widened to stripes.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/compaction_filter.h"
#include "base/file_names.h"
#include "base/file_system.h"
#include "base/retention.h"
#include "base/tree_shape.h"
#include "base/version_edit.h"
#include "table_builder.h"
#include "tree.h"

namespace lsm {

// All references outlive the call.
struct CompactionContext {
  FileSystem& fs;
  const std::string& folder;
  std::uint64_t store_id;
  FileNumbers& numbers;
  TableOptions table_options;
  const Retention& retention;
  const CompactionFilter& filter;
  const Tree& tree;
  const std::atomic<bool>& cancel;
};

struct CompactionResult {
  VersionEdit edit;
  std::uint64_t bytes_read = 0;
  std::uint64_t bytes_written = 0;
  std::uint64_t entries_in = 0;
  std::uint64_t entries_out = 0;
};

// Errors: io, no_space, corruption of an input; closed when cancelled.
Result<CompactionResult> run_compaction(const CompactionContext& context,
                                        const CompactionTask& task);

// Decides, for the versions of each key from newest to oldest, which stay.
//
//   key  sequence kind   stripe (snapshot at 5)   verdict
//    k      9     put       1                     keep: newest of its stripe
//    k      7     put       1                     drop: hidden by 9
//    k      4     remove    0                     keep, unless nothing is below
//    k      2     put       0                     drop: hidden by 4
class DropRule {
 public:
  enum class Verdict : std::uint8_t { keep, drop, bury };  // bury: as tombstone

  // `below` holds the runs that are older than the output and not inputs.
  DropRule(const Retention& retention, const CompactionFilter& filter,
           std::vector<RunPtr> below);

  // Call for every entry, in internal key order.
  Verdict judge(const InternalKey& key, std::string_view value);

 private:
  bool older_may_lie_below(std::string_view user) const;

  const Retention& retention_;
  const CompactionFilter& filter_;
  std::vector<RunPtr> below_;
  std::size_t newest_stripe_;
  std::string user_;
  bool seen_ = false;            // user_ holds a key
  std::size_t last_stripe_ = 0;  // of the last version of user_
};

}  // namespace lsm
