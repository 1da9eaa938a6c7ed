// A compaction merges tables into fewer, larger ones, leaving out what no
// reader can see any more. It changes nothing: it writes new tables and says,
// as an edit, what should replace what.
//
//   inputs, newest first            outputs
//   level 0 run   a9 c8 ─┐
//   level 0 run   a4 b6 ─┼─ merge ─ drop rule ─► [ a9 b6 ] [ c8 d1 ]
//   level 6 run   a2 d1 ─┘                          cut between user keys
//
//   meanwhile a flush adds level 0 run e12: the edit does not know of it,
//   removes a9 … d1 by their numbers, and leaves e12 where it is.
//
// I1 For every sequence that a reader may read at (one a stripe), reading the
//    outputs gives what reading the inputs gave.
// I2 Outputs are sorted and disjoint, and no user key spans two of them.
// I3 The edit removes exactly the inputs and adds exactly the outputs, and says
//    nothing else, so it fits any later tree that still has the inputs.
// I4 Every output is durable, bytes and name, before the edit is returned;
//    after an error no output is left behind.
// I5 An input that cannot be read is an error, never a shorter input.
// Cost: reads and writes each input byte once, sequentially, around the cache;
// memory is one read-ahead an input run and one output's index and hashes.
// Thread safety: the call runs on one thread, beside any reader and flush.
// What to drop is drop_rule.h, where to cut is output_writer.h.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
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
  std::uint64_t entries_out = 0;  // written: kept or buried
};

// A task that only moves (trivial_move) never comes here: the engine edits
// names. Errors: io, no_space, corruption of an input; closed when cancelled;
// internal when the task names a table that the tree does not have.
Result<CompactionResult> run_compaction(const CompactionContext& context,
                                        const CompactionTask& task);

// The tables that may hold versions older than the output's, inputs left out:
// those of the levels below it; in a deeper output level, the rest of its run;
// in level 0, the runs behind the first input.
//
//   level 0   [12] (11) (9) [7]        (inputs) of a merge within level 0:
//   level 5   [3 4]                    below are [7] and [3 4], not [12]
std::vector<RunPtr> older_than_output(const Tree& tree,
                                      const CompactionTask& task);

}  // namespace lsm
