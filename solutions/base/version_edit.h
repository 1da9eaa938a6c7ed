// One atomic change of the tree: what a flush or a compaction did. The
// manifest is a sequence of these, and the tree is their sum.
//
//   flush:       added {level 0, 000012.sst}          oldest_log = 13
//   compaction:  removed {0, 9} {0, 12}  added {1, 000014.sst} {1, 000015.sst}
//
// I1 An edit takes effect whole or not at all.
// I2 After an edit with oldest_log = n, logs numbered below n are not needed.
// I3 last_sequence, if an edit sets it, is the newest operation that any table
//    has held. The sum takes it from the added tables; recovery expects the
//    first log to go on from it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/file_meta.h"

namespace lsm {

struct VersionEdit {
  struct Added {
    int level = 0;
    FileMeta file;
    friend bool operator==(const Added&, const Added&) = default;
  };
  struct Removed {
    int level = 0;
    std::uint64_t number = 0;
    friend bool operator==(const Removed&, const Removed&) = default;
  };

  std::vector<Removed> removed;
  std::vector<Added> added;
  std::optional<std::uint64_t> oldest_log;
  std::optional<std::uint64_t> next_file_number;
  std::optional<Sequence> last_sequence;

  friend bool operator==(const VersionEdit&, const VersionEdit&) = default;
};

// What a manifest says, or what a new one begins with.
struct ManifestState {
  std::uint64_t store_id = 0;
  std::uint64_t number = 0;  // of the manifest that was read
  std::vector<VersionEdit::Added> files;
  std::uint64_t oldest_log = 0;        // logs below it are not needed
  std::uint64_t next_file_number = 1;  // above every number it names
  Sequence last_sequence = 0;          // I3

  friend bool operator==(const ManifestState&, const ManifestState&) = default;
};

}  // namespace lsm
