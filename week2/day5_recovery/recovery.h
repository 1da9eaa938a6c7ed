// Recovery turns what a crash left in the folder into a store: the tree that
// the manifest remembers, plus what only the logs still hold.
//
//   CURRENT ─► manifest ─► tables 4 7 9, oldest log 11, sequences up to 40
//   folder  ─► logs (8) 11 13 15          8 is below 11: not needed
//
//   11: 41 … 60  seal │ 13: 61 … 75  0 0 0 │ 15: 76 … 80  torn
//        └──────────────── memtables ────────────────┘  └─ dropped
//                              │ each full one
//                              ▼
//                    level 0: tables 17, 18; sequences up to 80
//
// Which operations count is decided by their sequences, which run on from
// log to log without a gap:
//   * a batch that goes on where the last one ended is replayed;
//   * the first gap ends the replay: before it, something was lost. No gap, and
//     a damaged end of a log has lost nothing (a seal, say);
//   * a loss is a torn tail, dropped and reported, unless a mark or seal in the
//     same or a later log says that it was durable: then it is corruption.
//     (A mark in log n + 1 says so of log n: 1.7 makes older logs durable
//     before the first mark of a newer one.)
//
// I1 What is recovered is the first m operations, each batch whole; m is at
//    least what was synced, and after a mere kill all that was acknowledged.
// I2 Everything that recover returns is durable: tables synced, folder synced.
// I3 No number is used again: numbers start above all that the manifest knows
//    and all that the folder lists.
// I4 Nothing is removed on the way to an error but the tables this very call
//    has written; damaged stores stay as they were found.
// I5 A table that the manifest names is there, with its size, or the store does
//    not open. What is inside is verified when it is read.
//
// The caller then goes on, in this order:
//   1  recover            new tables; nothing refers to them yet
//   2  Manifest::create   the commit point: CURRENT names a manifest with the
//                         new tables, and above every replayed log oldest_log
//   3  remove_orphans     old logs and manifests, what crashes left behind
//
// A crash anywhere, then another one in the recovery from it, is harmless:
// before the commit point the old manifest and all its files and logs are
// untouched, so the next recovery reads the same and finds some orphans more;
// after it nothing that the new manifest needs is ever removed, and orphans
// that are still there are found again. Numbers only grow (I3).
//
// A folder without CURRENT is a new store, or what a crash in the first
// creation left: perhaps an empty log, a manifest, a temporary file, and never
// a table or a written log, because nothing is written before CURRENT is
// durable. With one of those, CURRENT was lost: that is refused.
// Cost: proportional to the logs and, by name only, to the number of tables.
// Memory: one memtable and one record. Thread safety: before the store opens.
// Source: LevelDB's DBImpl::Recover replays logs by file number alone, and
// could open log n + 1 over a hole in log n (issue 193).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file_names.h"
#include "base/file_system.h"
#include "edit_sum.h"
#include "table_builder.h"

namespace lsm {

// ANCHOR: show-recovery
struct RecoveryContext {
  FileSystem& fs;
  std::string folder;  // exists, and is locked
  TableOptions table_options;
  std::size_t write_buffer_size_bytes;
  FileNumbers& numbers;
  bool create_if_missing = true;
  bool error_if_exists = false;
  std::uint64_t new_store_id = 0;  // for a new store; 0: drawn at random
};

// Where a log ended early, and why.
struct DroppedTail {
  std::string path;
  std::uint64_t offset = 0;
  std::string reason;
};

struct Recovered {
  // What the new manifest begins with; oldest_log is for the caller to set.
  ManifestState state;
  bool created = false;  // there was no store
  std::uint64_t logs = 0;
  std::uint64_t batches = 0;
  std::uint64_t operations = 0;
  std::vector<std::uint64_t> tables;  // written from the logs
  std::optional<DroppedTail> dropped;
};
// ANCHOR_END: show-recovery

// Errors: corruption, naming file and offset or the missing file; not_found
// and invalid_argument for create_if_missing and error_if_exists (a store that
// has lost CURRENT is corruption first); not_supported; io, no_space.
Result<Recovered> recover(const RecoveryContext& context);

// Removes what nothing names: tables that are not in `state`, logs below its
// oldest_log, manifests but the current one, temporary files. What cannot be
// removed stays for the next open. Returns the names that are gone. Errors:
// internal, when there is no CURRENT and so nothing to compare with; io.
Result<std::vector<std::string>> remove_orphans(FileSystem& fs,
                                                const std::string& folder,
                                                const ManifestState& state);

}  // namespace lsm
