// Tells which block of a table may hold a key, without touching any block: one
// separator a block, made when the table is built and searched at every read.
//
//   block 0              block 1              block 2
//   apple … banana       blueberry … cherry   cherry@4 … elder
//        separator "bl"       "cherry"@9            "elder"
//
// A separator S of a block lies at or after the block's last key and before
// the next block's first. Shorter is better: the index stays in memory. So
//   * different user keys on both sides: the shortest prefix of the next key
//     that is larger than the last one ("bl"), unless it is the next key
//     itself; or the last key. The shorter of the two, either when equally
//     long; with tag 0, which sorts after every version of S;
//   * the same user key on both sides (its versions continue in the next
//     block): the last internal key itself, tag and all, since only the tag
//     tells the two blocks apart ("cherry"@9).
//
// I1 Separators strictly increase.
// I2 find_block(target) is the only block that can hold `target`, and holds the
//    first entry at or after it, unless that is the first of the next block.
//
// Separators of one table share a prefix, often a long one (…0000017); the
// index keeps it once. The eight bytes after it stand in an array of integers,
// which the search runs over; only where they tie are whole keys compared.
// Cost: a search is some 14 steps for 16,000 blocks, no branch to mispredict
// and all of it in 128 KiB. Used by: table_builder.h, table.h.
#pragma once

#include <cstddef>

#include "base/block_index.h"

namespace lsm {

// ANCHOR: show-separator
// A key for I1 between a block that ends with `last` and one that begins with
// `next`, last < next. The view lives as long as both keys.
InternalKey separator_between(InternalKey last, InternalKey next);
// ANCHOR_END: show-separator

// ANCHOR: show-find
// The first block whose separator is at or after `target`; index.size() when
// every key of the table is smaller.
std::size_t find_block(const BlockIndex& index, InternalKey target);
// ANCHOR_END: show-find

}  // namespace lsm
