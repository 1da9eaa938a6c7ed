// A checkpoint is a second store that shares the first one's tables by hard
// links: made in the time that a few names take, whatever the size.
//
//   store/  000007.sst ──┐                 manifest: 4, 7   log 9 (later
//   writes)
//           000004.sst ──┼─┐
//   copy/   000007.sst ──┘ │  one file     manifest: 4, 7   no log
//           000004.sst ────┘  each
//
// I1 The copy's tables were one Tree of the store, so it holds the first m
//    operations for some m, those that were flushed before the call included.
// I2 CURRENT comes last: what a crash or an error interrupted does not open,
//    and an error leaves nothing behind.
// I3 Neither store notices the other: a table never changes, and the bytes stay
//    until the last name has gone.
// Checksums bind the store's id and the file's number, so the copy keeps both.
// Cost: a link a table, one manifest, two syncs of folders.
// Source: RocksDB's utilities/checkpoint; hard links for immutable files.
#pragma once

#include <string>

#include "base/error.h"
#include "tree.h"

namespace lsm {

// Errors: invalid_argument, `path` exists; not_supported, the file system has
// no hard links, or `path` is on another one; io.
Result<void> write_checkpoint(const Tree& tree, const std::string& path);

}  // namespace lsm
