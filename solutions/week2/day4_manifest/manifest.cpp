#include "manifest.h"

#include <algorithm>
#include <utility>

#include "edit_codec.h"
#include "log_reader.h"

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
  // ANCHOR: task-2-4-3 switch_current
  const std::string temporary =
      file_path(folder, FileKind::temporary, temporary_number);
  LSM_ASSIGN_OR_RETURN(const auto file,
                       fs.open(temporary, FileSystem::Mode::create));
  LSM_TRY(file->append(current_text(manifest)));
  LSM_TRY(file->sync());
  LSM_TRY(file->close());
  LSM_TRY(fs.rename(temporary, join_path(folder, kCurrentName)));
  return fs.sync_dir(folder);
  // ANCHOR_END: task-2-4-3
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
  // ANCHOR: task-2-4-3 Manifest::start_file
  number_ = numbers_.take();
  const std::uint64_t temporary_number = numbers_.take();
  const FileIdentity identity{store_id_, number_};
  VersionEdit total = sum_.total();
  total.next_file_number = std::max(*total.next_file_number, numbers_.next());

  LSM_ASSIGN_OR_RETURN(
      writer_,
      LogWriter::create(fs_, file_path(folder_, FileKind::manifest, number_),
                        identity, kExpectedBytes));
  LSM_TRY(append_durably(total));
  LSM_TRY(fs_.sync_dir(folder_));
  LSM_TRY(switch_current(fs_, folder_, temporary_number, identity));
  whole_bytes_ = writer_->size_bytes();
  return {};
  // ANCHOR_END: task-2-4-3
}

Result<void> Manifest::append_durably(const VersionEdit& edit) {
  // ANCHOR: task-2-4-3 Manifest::append_durably
  LSM_TRY(writer_->append(encode_edit(edit)));
  LSM_TRY(writer_->sync());
  return writer_->sync();  // the first sync's mark is durable, too
  // ANCHOR_END: task-2-4-3
}

Result<void> Manifest::append(const VersionEdit& edit) {
  // ANCHOR: task-2-4-3 Manifest::append
  if (error_) return std::unexpected(*error_);
  LSM_TRY(keep_error(roll_if_grown()));
  if (Result<void> sound = sum_.apply(edit); !sound) {
    return keep_error(fail(Code::internal, sound.error().message));  // I4
  }
  return keep_error(append_durably(edit));
  // ANCHOR_END: task-2-4-3
}

Result<void> Manifest::roll_if_grown() {
  // ANCHOR: task-2-4-5 Manifest::roll_if_grown
  if (writer_->size_bytes() < std::max(kRollBytes, 2 * whole_bytes_)) return {};
  const std::string old = writer_->path();
  LSM_TRY(start_file());
  (void)fs_.remove(old);  // if it stays, the next open removes it
  return {};
  // ANCHOR_END: task-2-4-5
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
  // ANCHOR: task-2-4-4 read_manifest
  LSM_ASSIGN_OR_RETURN(const auto current, read_current(fs, folder));
  if (!current) return std::nullopt;
  const std::string path =
      file_path(folder, FileKind::manifest, current->number);
  LSM_ASSIGN_OR_RETURN(const bool there, fs.exists(path));
  if (!there) {
    return fail(Code::corruption,
                path + ": CURRENT names this manifest, but it is missing");
  }
  return read_manifest_file(fs, path, *current);
  // ANCHOR_END: task-2-4-4
}

Result<ManifestState> read_manifest_file(FileSystem& fs,
                                         const std::string& path,
                                         FileIdentity manifest) {
  // ANCHOR: task-2-4-4 read_manifest_file
  EditSum sum;
  std::uint64_t edits = 0;
  const auto add = [&](std::string_view record) -> Result<void> {
    LSM_ASSIGN_OR_RETURN(const VersionEdit edit, decode_edit(record));
    ++edits;
    return sum.apply(edit);
  };
  const LogVisitor visit = [&](std::uint64_t offset, std::string_view record) {
    const Result<void> added = add(record);
    if (added) return added;
    return Result<void>(fail_at(path, offset, added.error().message));
  };
  LSM_ASSIGN_OR_RETURN(const LogEnd end, read_log(fs, path, manifest, visit));
  if (edits == 0 || !end.any_mark) {  // I3
    return fail_at(path, end.offset, "expected the first edit and a mark");
  }

  return as_state(manifest, sum);
  // ANCHOR_END: task-2-4-4
}

}  // namespace lsm
