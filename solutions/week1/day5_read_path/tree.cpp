#include "tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <map>
#include <utility>

#include "base/file_names.h"

namespace lsm {

TableHandle::TableHandle(std::shared_ptr<const TableStore> store,
                         FileMetaPtr meta,
                         std::shared_ptr<const TableHandle> moved)
    : store_(std::move(store)),
      meta_(std::move(meta)),
      moved_(moved != nullptr && moved->moved_ != nullptr ? moved->moved_
                                                          : std::move(moved)) {}

TableHandle::~TableHandle() {
  {
    const MutexLock lock(opening_);
    table_.reset();  // closes the file before it is given up
  }
  if (obsolete_.load() && store_->on_obsolete) {
    store_->on_obsolete(meta_->number);
  }
}

Result<const Table*> TableHandle::table() const {
  if (moved_ != nullptr) return moved_->table();
  if (const Table* table = opened_.load(std::memory_order_acquire)) {
    return table;
  }
  return open();
}

Result<const Table*> TableHandle::open() const {
  const MutexLock lock(opening_);
  if (table_ == nullptr) {
    LSM_ASSIGN_OR_RETURN(
        table_,
        Table::open(*store_->fs,
                    file_path(store_->folder, FileKind::table, meta_->number),
                    {store_->store_id, meta_->number},
                    {store_->filter.get(), store_->cache.get()}));
    opened_.store(table_.get(), std::memory_order_release);
  }
  return table_.get();
}

Run::Run(std::vector<TableHandlePtr> tables, Table::Access access)
    : tables_(std::move(tables)), access_(access) {
  for (const TableHandlePtr& table : tables_) {
    shape_.files.push_back(table->meta());
  }
}

const TableHandle* Run::find(std::string_view user) const {
  // ANCHOR: task-1-5-1 Run::find
  const auto at = std::ranges::lower_bound(
      tables_, user, std::ranges::less{},
      [](const TableHandlePtr& table) -> std::string_view {
        return table->meta()->largest.user();
      });
  if (at == tables_.end()) return nullptr;
  const TableHandle& table = **at;
  return table.meta()->smallest.user() <= user ? &table : nullptr;
  // ANCHOR_END: task-1-5-1
}

Result<std::unique_ptr<InternalIterator>> Run::open(std::size_t i) const {
  LSM_ASSIGN_OR_RETURN(const Table* table, tables_[i]->table());
  return table->iterator(access_);
}

Tree::Tree(std::shared_ptr<const TableStore> store)
    : store_(std::move(store)), levels_(kMaxLevels) {}

TableHandlePtr Tree::find_handle(int level, std::uint64_t number) const {
  for (const RunPtr& run : levels_[static_cast<std::size_t>(level)]) {
    for (const TableHandlePtr& table : run->tables()) {
      if (table->meta()->number == number) return table;
    }
  }
  return nullptr;
}

// The handle that `edit` takes the table's name from, if it moves the table.
TableHandlePtr Tree::find_moved(const VersionEdit& edit,
                                std::uint64_t number) const {
  for (const VersionEdit::Removed& gone : edit.removed) {
    if (gone.number == number) return find_handle(gone.level, number);
  }
  return nullptr;
}

namespace {

// Tables of one level while it is being changed, by run.
using Runs = std::map<std::uint64_t, std::vector<TableHandlePtr>>;

std::uint64_t run_id(const FileMeta& file) {
  return file.run != 0 ? file.run : file.number;
}

Sequence newest_sequence(const Run& run) {
  Sequence newest = 0;
  for (const FileMetaPtr& file : run.shape().files) {
    newest = std::max(newest, file->newest_sequence);
  }
  return newest;
}

Result<RunPtr> make_run(int level, std::vector<TableHandlePtr> tables) {
  std::ranges::sort(tables, [](const auto& a, const auto& b) {
    return a->meta()->smallest.user() < b->meta()->smallest.user();
  });
  for (std::size_t i = 1; i < tables.size(); ++i) {
    const FileMeta& left = *tables[i - 1]->meta();
    const FileMeta& right = *tables[i]->meta();
    if (left.largest.user() >= right.smallest.user()) {
      return fail(Code::internal,
                  fmt::format("level {}: tables {:06} and {:06} overlap", level,
                              left.number, right.number));
    }
  }
  return std::make_shared<const Run>(std::move(tables));
}

}  // namespace

Result<TreePtr> Tree::apply(const VersionEdit& edit) const {
  auto next = std::make_shared<Tree>(store_);
  for (int level = 0; level < kMaxLevels; ++level) {
    const auto at = static_cast<std::size_t>(level);
    const auto touches = [level](const auto& change) {
      return change.level == level;
    };
    if (std::ranges::none_of(edit.added, touches) &&
        std::ranges::none_of(edit.removed, touches)) {
      next->levels_[at] = levels_[at];
      continue;
    }
    Runs runs;
    for (const RunPtr& run : levels_[at]) {
      for (const TableHandlePtr& table : run->tables()) {
        runs[level == 0 ? run_id(*table->meta()) : 0].push_back(table);
      }
    }
    for (const VersionEdit::Removed& gone : edit.removed) {
      if (gone.level != level) continue;
      std::size_t erased = 0;
      for (auto& [id, tables] : runs) {
        erased += std::erase_if(tables, [&](const TableHandlePtr& table) {
          return table->meta()->number == gone.number;
        });
      }
      if (erased != 1) {
        return fail(Code::internal,
                    fmt::format("level {}: table {:06} to remove is not there",
                                level, gone.number));
      }
    }
    for (const VersionEdit::Added& added : edit.added) {
      if (added.level != level) continue;
      runs[level == 0 ? run_id(added.file) : 0].push_back(
          std::make_shared<const TableHandle>(
              store_, std::make_shared<const FileMeta>(added.file),
              find_moved(edit, added.file.number)));
    }
    for (auto& [id, tables] : runs) {
      if (tables.empty()) continue;
      LSM_ASSIGN_OR_RETURN(RunPtr run, make_run(level, std::move(tables)));
      next->levels_[at].push_back(std::move(run));
    }
    std::ranges::sort(next->levels_[at], std::ranges::greater{},
                      [](const RunPtr& run) { return newest_sequence(*run); });
  }
  next->rebuild_shape();
  return next;
}

void Tree::rebuild_shape() {
  for (int level = 0; level < kMaxLevels; ++level) {
    const auto at = static_cast<std::size_t>(level);
    shape_.levels[at].runs.clear();
    for (const RunPtr& run : levels_[at]) {
      shape_.levels[at].runs.push_back(run->shape());
    }
  }
}

void Tree::mark_removed(const VersionEdit& edit) const {
  for (const VersionEdit::Removed& gone : edit.removed) {
    const bool moved =
        std::ranges::any_of(edit.added, [&](const VersionEdit::Added& added) {
          return added.file.number == gone.number;
        });
    if (moved) continue;
    if (const TableHandlePtr table = find_handle(gone.level, gone.number)) {
      table->mark_obsolete();
    }
  }
}

}  // namespace lsm
