// The manifest remembers the tree: a file of version edits whose sum says which
// tables the store consists of. CURRENT names the manifest in use.
//
//   CURRENT ──► 000009.manifest
//               | header | all so far | mark mark | edit | mark mark | edit | …
//                          one edit                 a flush
//
// The records are those of a log (log_format.h), each holding one edit
// (edit_codec.h). An append is four steps: the edit, fsync, a mark, fsync.
// Only then is it acknowledged, so an acknowledged edit has a durable mark
// behind it.
//
// A new manifest, at every open and when the old one has grown, is written
// whole before anything refers to it:
//   1  000010.manifest: everything so far as one edit; fsync, mark, fsync
//   2  sync the folder: its name is durable
//   3  000011.tmp: the new CURRENT; fsync
//   4  rename it to CURRENT; sync the folder     the commit point
//   5  the old manifest may go
//
// I1 At any moment, power cuts included, CURRENT names a manifest that is
//    durable and whole up to its last acknowledged edit.
// I2 When append has returned success the edit survives a power cut.
// I3 Reading is strict. Damage before a mark is corruption; so is damage to the
//    first edit, which was durable before CURRENT named it. What may be torn
//    is the edit whose append a crash interrupted, at the very end: nobody was
//    told that it happened, and none of the files it would have made obsolete
//    is gone.
// I4 An edit that contradicts the sum so far (edit_sum.h) is corruption when
//    it is read, and refused when it is appended.
// I5 After a failure every later call fails: what reached the disk is unknown.
//    Nothing is deleted; the next open reads what is there.
// I6 A manifest never grows past 1 MiB, or twice what it began with, by more
//    than one edit.
// Cost: an append is two fsyncs of a few hundred bytes, paid per flush and
// compaction. Reading is O(bytes), which I6 bounds however long the store
// lives.
// Thread safety: the caller serializes (the commit mutex of 1.7).
// Source: LevelDB's doc/impl.md, db/version_set.cc and SetCurrentFile in
// db/filename.cc. It syncs no folder behind the rename, so a switch that it
// reports may be undone by a power cut, and it begins a manifest anew only at
// open; step 4 and I6 are the answer.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/current_file.h"
#include "base/file_names.h"
#include "base/file_system.h"
#include "base/version_log.h"
#include "edit_sum.h"
#include "log_writer.h"

namespace lsm {

class Manifest final : public VersionLog {
 public:
  // Writes a new manifest that begins with `start`, under a new number, and
  // makes it the current one. start.number is not used.
  static Result<std::unique_ptr<Manifest>> create(FileSystem& fs,
                                                  const std::string& folder,
                                                  FileNumbers& numbers,
                                                  const ManifestState& start);

  // Errors: internal, for an edit that contradicts the sum (the engine's bug,
  // not the disk's); io, no_space. After one, every call returns it.
  Result<void> append(const VersionEdit& edit) override;
  // Seals the file. Every later call fails.
  Result<void> close() override;

  std::uint64_t number() const { return number_; }

 private:
  Manifest(FileSystem& fs, std::string folder, FileNumbers& numbers,
           std::uint64_t store_id);

  // Steps 1 to 4 with the sum as it stands.
  Result<void> start_file();
  // The edit, fsync, a mark, fsync.
  Result<void> append_durably(const VersionEdit& edit);
  // Steps 1 to 5, when the file is larger than its bound (I6).
  Result<void> roll_if_grown();
  // Remembers the first failure.
  Result<void> keep_error(Result<void> result);

  FileSystem& fs_;
  const std::string folder_;
  FileNumbers& numbers_;
  const std::uint64_t store_id_;
  EditSum sum_;
  std::unique_ptr<LogWriter> writer_;
  std::uint64_t number_ = 0;
  std::uint64_t whole_bytes_ = 0;  // the file's size when it was begun
  std::optional<Error> error_;     // the first one (I5)
};

// The state of the store: the sum of the edits in the current manifest.
// nullopt when there is no CURRENT: there is no store yet (2.5 makes sure).
// Errors: corruption naming file and offset, also when CURRENT names a file
// that is missing; not_supported, io.
Result<std::optional<ManifestState>> read_manifest(FileSystem& fs,
                                                   const std::string& folder);

// The sum of the edits in the manifest at `path`, whatever CURRENT says.
// Errors: as above.
Result<ManifestState> read_manifest_file(FileSystem& fs,
                                         const std::string& path,
                                         FileIdentity manifest);

}  // namespace lsm
