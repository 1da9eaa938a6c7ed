// Repair salvages what verifies of a damaged store into a new one, and says
// what it could not. Recovery (2.5) refuses such a store; to go on without the
// missing pieces is for a person to decide, who gets a list of them.
//
//   damaged/                                            mended/
//   000004.sst   block │ block │ ✗✗✗✗✗ │ block ─┐
//   000007.sst   block │ block ─────────────────┤ merge   000001.sst …
//   000011.log   batch │ ✗✗✗✗✗ │ batch ─────────┘ by key  CURRENT, manifest
//                           │
//              report:  000004.sst: offset 8214: the checksum does not match
//                       000011.log: offset 1310: 96 bytes hold no record
//
// What is taken:
//   * the tables that the manifest names, block by block;
//   * the logs that are still needed, record by record, also behind damage;
//   * without CURRENT, what the youngest manifest names, if it verifies;
//   * without a manifest, every table and log that says that it belongs to the
//     store: the one that most of them name.
// All entries are merged in key order, versions and tombstones included, into
// one run of the deepest level.
//
// I1 The new store holds every entry that stands in a block or batch taken
//    that verifies, under its sequence, and nothing else. A batch is whole.
// I2 The source is read and nothing more: not a byte of it changes.
// I3 What was not taken is in the report, with file and offset.
// I4 CURRENT of the new store comes last: a repair that was interrupted leaves
//    no store that opens.
// Two things it cannot promise. What was lost may have been newer than what is
// left: an old value, or a key that had been removed, can be back. Without a
// manifest that is so even where nothing is damaged, since a table that a
// compaction had replaced and not yet unlinked counts again.
// A table whose index or filter does not verify is lost whole.
// Cost: reads and writes everything once. Memory: the logs' entries, and one
// open table for each that overlap.
// Thread safety: one thread; neither store may be open.
// Source: LevelDB's db/repair.cc, which works in place and gives a block's
// damage no offset.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file_system.h"
#include "base/options.h"

namespace lsm {

struct RepairReport {
  std::uint64_t tables = 0;  // that could be opened
  std::uint64_t blocks = 0;
  std::uint64_t logs = 0;
  std::uint64_t batches = 0;
  std::uint64_t entries = 0;  // in the new store
  std::uint64_t new_tables = 0;
  std::vector<std::string> lost;   // "path: offset 4096: why"
  std::vector<std::string> notes;  // how the files were chosen, and left out
};

// `into` must be new, or an empty folder. Of `options` those count that shape
// tables, and the seams.
// Errors: not_found, there is no store at `from`; busy, it is open;
// invalid_argument, `into` is not empty; io and no_space of the new store.
Result<RepairReport> repair_store(FileSystem& fs, const std::string& from,
                                  const std::string& into, Options options);

}  // namespace lsm
