#include "recovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <random>
#include <set>
#include <utility>

#include "log_reader.h"
#include "manifest.h"
#include "replay.h"
#include "base/todo.h"

namespace lsm {
namespace {

// ANCHOR: show-listing
// The numbers in a folder's names, by kind, ascending.
struct Listing {
  std::vector<std::uint64_t> tables;
  std::vector<std::uint64_t> logs;
};

Result<Listing> list_folder(const RecoveryContext& context) {
  LSM_ASSIGN_OR_RETURN(const auto names, context.fs.list(context.folder));
  Listing listing;
  for (const std::string& name : names) {
    const auto file = parse_file_name(name);
    if (!file) continue;
    context.numbers.skip_past(file->number);  // I3
    if (file->kind == FileKind::table) listing.tables.push_back(file->number);
    if (file->kind == FileKind::log) listing.logs.push_back(file->number);
  }
  std::ranges::sort(listing.logs);  // "1000000.log" sorts before "999999.log"
  return listing;
}
// ANCHOR_END: show-listing

// A log that was begun, and nothing more, has none.
Result<bool> has_records(FileSystem& fs, const std::string& path) {
  LSM_ASSIGN_OR_RETURN(const auto identity, log_identity(fs, path));
  if (!identity) return false;
  bool found = false;
  const LogVisitor visit = [&found](std::uint64_t, std::string_view) {
    found = true;
    return Result<void>();
  };
  LSM_TRY(read_log(fs, path, *identity, visit));
  return found;
}

std::uint64_t random_store_id() {
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

Result<Recovered> recover_without_current(const RecoveryContext& context,
                                          const Listing& listing) {
  // Task 1: recover_without_current
  LSM_TODO("2.5 task 1", "recover_without_current");
}

// I5.
Result<void> check_table(const RecoveryContext& context,
                         const FileMeta& table) {
  // Task 1: check_table
  LSM_TODO("2.5 task 1", "check_table");
}

}  // namespace

Result<Recovered> recover(const RecoveryContext& context) {
  // Task 1: recover
  LSM_TODO("2.5 task 1", "recover");
}

Result<std::vector<std::string>> remove_orphans(FileSystem& fs,
                                                const std::string& folder,
                                                const ManifestState& state) {
  // Task 4: remove_orphans
  LSM_TODO("2.5 task 4", "remove_orphans");
}

}  // namespace lsm
