#include "edit_sum.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "base/tree_shape.h"

namespace lsm {
namespace {

std::unexpected<Error> refuse(std::uint64_t number, int level,
                              std::string_view what) {
  return fail(Code::corruption,
              fmt::format("table {:06} of level {}: {}", number, level, what));
}

bool makes_sense(const FileMeta& file) {
  const auto known = [](const InternalKeyBuffer& key) {
    return is_known_kind(static_cast<std::uint8_t>(key.tag() & 0xff));
  };
  return file.number > 0 && file.entries > 0 &&
         file.tombstones <= file.entries && file.hidden < file.entries &&
         known(file.smallest) && known(file.largest) &&
         compare(file.smallest.view(), file.largest.view()) <= 0 &&
         file.oldest_sequence <= file.newest_sequence &&
         file.newest_sequence <= kMaxSequence;
}

RunName run_of(const VersionEdit::Added& added) {
  if (added.level > 0) return {added.level, 0};
  return {0, added.file.run != 0 ? added.file.run : added.file.number};
}

}  // namespace

Result<void> EditSum::remove(const VersionEdit::Removed& removed) {
  // ANCHOR: task-2-4-2 EditSum::remove
  const auto table = tables_.find(removed.number);
  if (table == tables_.end() || table->second.level != removed.level) {
    return refuse(removed.number, removed.level, "removed, but not there");
  }
  const auto run = runs_.find(run_of(table->second));
  run->second.erase(table->second.file.smallest.user());
  if (run->second.empty()) runs_.erase(run);
  tables_.erase(table);
  return {};
  // ANCHOR_END: task-2-4-2
}

Result<void> EditSum::add(const VersionEdit::Added& added) {
  // ANCHOR: task-2-4-2 EditSum::add
  const FileMeta& file = added.file;
  if (added.level < 0 || added.level >= kMaxLevels) {
    return refuse(file.number, added.level, "there is no such level");
  }
  if (!makes_sense(file)) {
    return refuse(file.number, added.level, "impossible bounds or counts");
  }
  if (!tables_.emplace(file.number, added).second) {
    return refuse(file.number, added.level, "added, but there already");
  }
  auto& run = runs_[run_of(added)];
  const auto [at, is_new] = run.emplace(file.smallest.user(), file.number);
  const auto overlaps = [&](std::uint64_t left, std::uint64_t right) {
    return tables_.at(left).file.largest.user() >=
           tables_.at(right).file.smallest.user();
  };
  if (!is_new ||
      (at != run.begin() && overlaps(std::prev(at)->second, file.number)) ||
      (std::next(at) != run.end() &&
       overlaps(file.number, std::next(at)->second))) {
    return refuse(file.number, added.level, "overlaps a table of its run");
  }
  return {};
  // ANCHOR_END: task-2-4-2
}

Result<void> EditSum::apply(const VersionEdit& edit) {
  // ANCHOR: task-2-4-2 EditSum::apply
  for (const VersionEdit::Removed& removed : edit.removed) {
    LSM_TRY(remove(removed));
  }
  for (const VersionEdit::Added& added : edit.added) {
    LSM_TRY(add(added));
    next_file_number_ = std::max(next_file_number_, added.file.number + 1);
    last_sequence_ = std::max(last_sequence_, added.file.newest_sequence);
  }
  oldest_log_ = std::max(oldest_log_, edit.oldest_log.value_or(0));
  next_file_number_ =
      std::max(next_file_number_, edit.next_file_number.value_or(0));
  if (edit.last_sequence.value_or(0) > kMaxSequence) {
    return fail(Code::corruption, "the last sequence is past 2^56 - 1");
  }
  last_sequence_ = std::max(last_sequence_, edit.last_sequence.value_or(0));
  return {};
  // ANCHOR_END: task-2-4-2
}

VersionEdit EditSum::total() const {
  VersionEdit total;
  for (const auto& [number, added] : tables_)
    total.added.push_back(added);
  total.oldest_log = oldest_log_;
  total.next_file_number = next_file_number_;
  total.last_sequence = last_sequence_;
  return total;
}

}  // namespace lsm
