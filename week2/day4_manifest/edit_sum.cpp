#include "edit_sum.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "base/tree_shape.h"
#include "base/todo.h"

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
  // Task 2: EditSum::remove
  LSM_TODO("2.4 task 2", "EditSum::remove");
}

Result<void> EditSum::add(const VersionEdit::Added& added) {
  // Task 2: EditSum::add
  LSM_TODO("2.4 task 2", "EditSum::add");
}

Result<void> EditSum::apply(const VersionEdit& edit) {
  // Task 2: EditSum::apply
  LSM_TODO("2.4 task 2", "EditSum::apply");
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
