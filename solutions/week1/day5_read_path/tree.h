// The Tree is the part of the store that lies in tables: levels of runs of
// tables. It never changes; a flush or a compaction makes a new one that shares
// what stayed the same.
//
//   Tree ──► level 0: run [000012] run [000011]     newest run first
//            level 1: –
//            level 2: run [000003 000004 000007]    sorted, disjoint
//                            │
//                     TableHandle ──(first use)──► Table (index, filter, file)
//
//   flush: added {0, 000013}          new Tree: level 0 [13] [12] [11]
//          shares every other run and handle with the Tree before
//
// I1 Level 0 holds any number of runs, newest first; a deeper level at most
//    one. Within a run the tables are sorted by key and disjoint.
// I2 An entry in an earlier run, or a lower-numbered level, is newer than every
//    entry of the same key further on: the first hit is the newest.
// I3 A handle lives as long as any Tree (so any Version, so any reader) that
//    names it; only when the last one dies is an obsolete file given up.
// Cost: find O(log tables) comparisons, no I/O; apply O(tables of the changed
// levels), once a flush or compaction. Opening a store reads no tables: a
// handle opens its table when first asked.
// Thread safety: immutable, but for the handle's one-time opening.
// Used by: version.h, 1.7 write path, 2.1 compaction, 2.5 recovery.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "base/sync.h"
#include "base/tree_shape.h"
#include "base/version_edit.h"
#include "concat.h"
#include "table.h"

namespace lsm {

// What every handle of one store shares. Iterators may outlive the Db, so it
// owns what a table needs to be read.
struct TableStore {
  std::shared_ptr<FileSystem> fs;
  std::string folder;
  std::uint64_t store_id = 0;
  std::shared_ptr<const FilterPolicy> filter;
  std::shared_ptr<BlockCache> cache;
  // Told the number of each obsolete table that nobody reads any more.
  std::function<void(std::uint64_t)> on_obsolete;
};

// A table that the tree names, opened when first needed.
class TableHandle {
 public:
  // `moved`, if given, is the handle of the same file where it stood before:
  // older Versions may still read through it, so the two share its fate.
  TableHandle(std::shared_ptr<const TableStore> store, FileMetaPtr meta,
              std::shared_ptr<const TableHandle> moved = nullptr);
  ~TableHandle();
  TableHandle(const TableHandle&) = delete;
  TableHandle& operator=(const TableHandle&) = delete;

  const FileMetaPtr& meta() const { return meta_; }
  // The table, valid as long as this handle. Errors: what Table::open says;
  // the next call tries again. Any thread.
  Result<const Table*> table() const;
  // From now on the file goes when the last handle of it does. Call it only
  // once the edit that removes the file is durable.
  void mark_obsolete() const {
    (moved_ != nullptr ? *moved_ : *this).obsolete_.store(true);
  }

 private:
  Result<const Table*> open() const;

  std::shared_ptr<const TableStore> store_;
  FileMetaPtr meta_;
  const std::shared_ptr<const TableHandle> moved_;  // the file's first handle
  // Release on store pairs with acquire in table(): a reader that sees the
  // pointer sees the opened table behind it.
  mutable std::atomic<const Table*> opened_{nullptr};
  mutable Mutex opening_;
  mutable std::shared_ptr<const Table> table_ LSM_GUARDED_BY(opening_);
  mutable std::atomic<bool> obsolete_{false};
};

using TableHandlePtr = std::shared_ptr<const TableHandle>;

// ANCHOR: show-run
// Tables sorted by key and disjoint: together they are one sorted sequence.
//
//   tables   [3] ant … cow     [4] doe … hen     [7] ibex … yak
//   find     "bee" → [3]   "cow" → [3]   "cup" → null   "doe" → [4]
class Run final : public ConcatSource {
 public:
  // `access` is how its tables are walked.
  explicit Run(std::vector<TableHandlePtr> tables,
               Table::Access access = Table::Access::normal);

  // The one table that may hold `user`, or null.
  const TableHandle* find(std::string_view user) const;
  // ANCHOR_END: show-run

  const std::vector<TableHandlePtr>& tables() const { return tables_; }
  const RunShape& shape() const { return shape_; }

  // ConcatSource.
  std::size_t size() const override { return tables_.size(); }
  InternalKey smallest(std::size_t i) const override {
    return tables_[i]->meta()->smallest.view();
  }
  InternalKey largest(std::size_t i) const override {
    return tables_[i]->meta()->largest.view();
  }
  Result<std::unique_ptr<InternalIterator>> open(std::size_t i) const override;

 private:
  std::vector<TableHandlePtr> tables_;
  Table::Access access_;
  RunShape shape_;
};

using RunPtr = std::shared_ptr<const Run>;

class Tree {
 public:
  // An empty tree.
  explicit Tree(std::shared_ptr<const TableStore> store);

  // The tree after `edit`. Errors: internal, when the edit does not fit: a
  // table to remove that is not there, tables of a run that would overlap.
  Result<std::shared_ptr<const Tree>> apply(const VersionEdit& edit) const;
  // Marks the handles that `edit` removed; call on the tree before the edit,
  // once the edit is durable and published.
  void mark_removed(const VersionEdit& edit) const;

  const std::vector<RunPtr>& level(int level) const {
    return levels_[static_cast<std::size_t>(level)];
  }
  const TreeShape& shape() const { return shape_; }
  const std::shared_ptr<const TableStore>& store() const { return store_; }
  // The handle of a table in the tree, or null.
  TableHandlePtr find_handle(int level, std::uint64_t number) const;
  TableHandlePtr find_moved(const VersionEdit& edit,
                            std::uint64_t number) const;

 private:
  void rebuild_shape();

  std::shared_ptr<const TableStore> store_;
  std::vector<std::vector<RunPtr>> levels_;
  TreeShape shape_;
};

using TreePtr = std::shared_ptr<const Tree>;

}  // namespace lsm
