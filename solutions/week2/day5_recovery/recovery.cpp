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
  // ANCHOR: task-2-5-1 recover_without_current
  std::string left;
  if (!listing.tables.empty()) {
    left = file_path(context.folder, FileKind::table, listing.tables.front());
  }
  for (const std::uint64_t number : listing.logs) {
    const std::string path = file_path(context.folder, FileKind::log, number);
    LSM_ASSIGN_OR_RETURN(const bool written, has_records(context.fs, path));
    if (written) left = path;
  }
  if (!left.empty()) {
    return fail(Code::corruption,
                fmt::format("{}: CURRENT is missing, but {} is there",
                            context.folder, left));
  }
  if (!context.create_if_missing) {
    return fail(Code::not_found, context.folder + ": there is no store");
  }
  Recovered recovered;
  recovered.created = true;
  recovered.state.store_id =
      context.new_store_id != 0 ? context.new_store_id : random_store_id();
  recovered.state.next_file_number = context.numbers.next();
  return recovered;
  // ANCHOR_END: task-2-5-1
}

// I5.
Result<void> check_table(const RecoveryContext& context,
                         const FileMeta& table) {
  // ANCHOR: task-2-5-1 check_table
  const std::string path =
      file_path(context.folder, FileKind::table, table.number);
  LSM_ASSIGN_OR_RETURN(const bool there, context.fs.exists(path));
  if (!there) {
    return fail(Code::corruption,
                path + ": the manifest names this table, but it is missing");
  }
  LSM_ASSIGN_OR_RETURN(const auto file,
                       context.fs.open(path, FileSystem::Mode::read));
  LSM_ASSIGN_OR_RETURN(const std::uint64_t size, file->size());
  if (size != table.size_bytes) {
    return fail(Code::corruption,
                fmt::format("{}: offset {}: expected {} bytes, as the manifest "
                            "says, but the file has {}",
                            path, std::min(size, table.size_bytes),
                            table.size_bytes, size));
  }
  return {};
  // ANCHOR_END: task-2-5-1
}

}  // namespace

Result<Recovered> recover(const RecoveryContext& context) {
  // ANCHOR: task-2-5-1 recover
  LSM_ASSIGN_OR_RETURN(const Listing listing, list_folder(context));
  LSM_ASSIGN_OR_RETURN(auto state, read_manifest(context.fs, context.folder));
  if (!state) return recover_without_current(context, listing);
  if (context.error_if_exists) {
    return fail(Code::invalid_argument,
                context.folder + ": there is a store already");
  }
  context.numbers.skip_past(state->next_file_number - 1);  // I3
  for (const VersionEdit::Added& added : state->files) {
    LSM_TRY(check_table(context, added.file));
  }

  Replay replay(context, std::move(*state));
  for (const std::uint64_t number : listing.logs) {
    LSM_TRY(replay.add_log(number));
  }
  return replay.finish();
  // ANCHOR_END: task-2-5-1
}

Result<std::vector<std::string>> remove_orphans(FileSystem& fs,
                                                const std::string& folder,
                                                const ManifestState& state) {
  // ANCHOR: task-2-5-4 remove_orphans
  LSM_ASSIGN_OR_RETURN(const auto current, read_current(fs, folder));
  if (!current) {
    return fail(Code::internal, folder + ": nothing is an orphan yet");
  }
  std::set<std::uint64_t> tables;
  for (const VersionEdit::Added& added : state.files) {
    tables.insert(added.file.number);
  }
  const auto is_needed = [&](const FileName& file) {
    switch (file.kind) {
      case FileKind::table:
        return tables.contains(file.number);
      case FileKind::log:
        return file.number >= state.oldest_log;
      case FileKind::manifest:
        return file.number == current->number;
      case FileKind::temporary:
        return false;
    }
    return true;
  };

  LSM_ASSIGN_OR_RETURN(const auto names, fs.list(folder));
  std::vector<std::string> removed;
  for (const std::string& name : names) {
    const auto file = parse_file_name(name);
    if (!file || is_needed(*file)) continue;
    if (fs.remove(join_path(folder, name))) removed.push_back(name);
  }
  return removed;
  // ANCHOR_END: task-2-5-4
}

}  // namespace lsm
