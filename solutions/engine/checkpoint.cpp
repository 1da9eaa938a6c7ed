#include "engine/checkpoint.h"

#include <algorithm>
#include <utility>

#include "base/file_names.h"
#include "manifest.h"

namespace lsm {

namespace {

Result<void> fill(const Tree& tree, const std::string& path) {
  const TableStore& store = *tree.store();
  FileSystem& fs = *store.fs;
  ManifestState state;
  state.store_id = store.store_id;
  FileNumbers numbers;
  for (int level = 0; level < kMaxLevels; ++level) {
    for (const RunPtr& run : tree.level(level)) {
      for (const TableHandlePtr& table : run->tables()) {
        const FileMeta& file = *table->meta();
        LSM_TRY(fs.link(file_path(store.folder, FileKind::table, file.number),
                        file_path(path, FileKind::table, file.number)));
        numbers.skip_past(file.number);
        state.last_sequence =
            std::max(state.last_sequence, file.newest_sequence);
        state.files.push_back({level, file});
      }
    }
  }
  LSM_TRY(fs.sync_dir(path));
  state.oldest_log = numbers.next();
  state.next_file_number = numbers.next();
  LSM_ASSIGN_OR_RETURN(const auto manifest,
                       Manifest::create(fs, path, numbers, state));  // I2
  LSM_TRY(manifest->close());
  return fs.sync_dir(parent_path(path));
}

void remove_files(FileSystem& fs, const std::string& path) {
  const auto names = fs.list(path);
  if (!names) return;
  for (const std::string& name : *names)
    (void)fs.remove(join_path(path, name));
}

}  // namespace

Result<void> write_checkpoint(const Tree& tree, const std::string& path) {
  FileSystem& fs = *tree.store()->fs;
  LSM_ASSIGN_OR_RETURN(const bool taken, fs.exists(path));
  if (taken) {
    return fail(Code::invalid_argument,
                path + ": exists; a checkpoint makes a folder of its own");
  }
  LSM_TRY(fs.create_dir(path));
  Result<void> filled = fill(tree, path);
  if (!filled) remove_files(fs, path);
  return filled;
}

}  // namespace lsm
