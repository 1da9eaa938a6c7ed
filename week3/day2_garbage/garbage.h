// What a snapshot kept stays when it is given up: in the deepest level no
// compaction is due any more. This picks what to rewrite there, so that an
// overwritten or removed entry does not take up space for ever.
//
//   level 6   [12: 100 entries]  [13: 100, 40 hidden]  [14: 100, 9 tombstones]
//             newest 900          newest 700            newest 950
//
//   oldest live snapshot 650     nothing: 13 may hold what it sees
//   oldest live snapshot 800     13, alone, back into level 6: 60 entries
//   no snapshot                  13, then 14: 91; then nothing
//
// I1 Only tables of the deepest level that holds any: below it lies nothing
//    that a tombstone could still have to hide. Never of level 0: that is
//    a few write buffers, which the policy merges when more have come.
// I2 Only a table all of whose entries are seen by the oldest live snapshot:
//    all lie in stripe 0, so of each key one version stays, or none.
// I3 Only where entries that can go are at least 5 % of all: rewriting 95 to be
//    rid of less than 5 costs more writing than it gives space.
// I4 It ends: by I1 and I2 the rewritten table has no hidden entry and no
//    tombstone, so it is not picked again, and no other table changes.
// I5 A pure function of shape and snapshot, as a policy is; worst table first,
//    of equals the first in key order.
// Cost: O(tables of the level).
// Thread safety: none needed. The engine asks when its policy has nothing to
// do, and again when the oldest snapshot has been given up.
// Source: RocksDB marks "bottommost files" for compaction once no snapshot
// needs their old versions (db/version_set.cc, ComputeBottommostFiles...).
#pragma once

#include <cstdint>
#include <optional>

#include "base/file_meta.h"
#include "base/tree_shape.h"

namespace lsm {

// ANCHOR: show-garbage
// How many entries could go if no snapshot were in the way. A tombstone that
// is hidden as well counts twice: 0 is exact, the rest an estimate.
std::uint64_t garbage_in(const FileMeta& table);

// Whether all entries of the table lie in stripe 0 (I2).
bool is_below_snapshots(const FileMeta& table,
                        std::optional<Sequence> oldest_live);

// The next rewrite, if one is worth it: one table, back into its level.
std::optional<CompactionTask> pick_garbage(
    const TreeShape& shape, std::optional<Sequence> oldest_live,
    std::uint64_t target_file_size_bytes);
// ANCHOR_END: show-garbage

}  // namespace lsm
