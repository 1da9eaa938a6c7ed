#include "manifest.h"

#include <algorithm>
#include <utility>

#include "edit_codec.h"
#include "log_reader.h"
#include "base/todo.h"

namespace lsm {
namespace {

constexpr std::uint64_t kExpectedBytes = 64 << 10;
constexpr std::uint64_t kRollBytes = 1 << 20;

VersionEdit as_edit(const ManifestState& state) {
  VersionEdit edit;
  edit.added = state.files;
  edit.oldest_log = state.oldest_log;
  edit.next_file_number = state.next_file_number;
  edit.last_sequence = state.last_sequence;
  return edit;
}

ManifestState as_state(FileIdentity manifest, const EditSum& sum) {
  VersionEdit total = sum.total();
  return {manifest.store_id,
          manifest.number,
          std::move(total.added),
          *total.oldest_log,
          std::max(*total.next_file_number, manifest.number + 1),
          *total.last_sequence};
}

// The commit point of a new manifest: before the rename the old one counts,
// after it the new one.
Result<void> switch_current(FileSystem& fs, const std::string& folder,
                            std::uint64_t temporary_number,
                            FileIdentity manifest) {
  // Task 3: switch_current
  LSM_TODO("2.4 task 3", "switch_current");
}

}  // namespace

Manifest::Manifest(FileSystem& fs, std::string folder, FileNumbers& numbers,
                   std::uint64_t store_id)
    : fs_(fs),
      folder_(std::move(folder)),
      numbers_(numbers),
      store_id_(store_id) {}

Result<std::unique_ptr<Manifest>> Manifest::create(FileSystem& fs,
                                                   const std::string& folder,
                                                   FileNumbers& numbers,
                                                   const ManifestState& start) {
  std::unique_ptr<Manifest> manifest(
      new Manifest(fs, folder, numbers, start.store_id));
  LSM_TRY(manifest->sum_.apply(as_edit(start)));
  LSM_TRY(manifest->start_file());
  return manifest;
}

Result<void> Manifest::start_file() {
  // Task 3: Manifest::start_file
  LSM_TODO("2.4 task 3", "Manifest::start_file");
}

Result<void> Manifest::append_durably(const VersionEdit& edit) {
  // Task 3: Manifest::append_durably
  LSM_TODO("2.4 task 3", "Manifest::append_durably");
}

Result<void> Manifest::append(const VersionEdit& edit) {
  // Task 3: Manifest::append
  LSM_TODO("2.4 task 3", "Manifest::append");
}

Result<void> Manifest::roll_if_grown() {
  // Task 5: Manifest::roll_if_grown
  LSM_TODO("2.4 task 5", "Manifest::roll_if_grown");
}

Result<void> Manifest::close() {
  if (error_) return std::unexpected(*error_);
  const Result<void> sealed = keep_error(writer_->seal());
  if (sealed) error_ = Error{Code::closed, "the manifest is closed"};
  return sealed;
}

Result<void> Manifest::keep_error(Result<void> result) {
  if (!result) error_ = result.error();
  return result;
}

Result<std::optional<ManifestState>> read_manifest(FileSystem& fs,
                                                   const std::string& folder) {
  // Task 4: read_manifest
  LSM_TODO("2.4 task 4", "read_manifest");
}

Result<ManifestState> read_manifest_file(FileSystem& fs,
                                         const std::string& path,
                                         FileIdentity manifest) {
  // Task 4: read_manifest_file
  LSM_TODO("2.4 task 4", "read_manifest_file");
}

}  // namespace lsm
