// What lies behind SimFileSystem: the tree of files and folders, once as the
// process sees it (live) and once as the disk holds it (durable), and the list
// of the changes of names that are still on their way.
//
//   live:     db ─ CURRENT ──► node 3          pending, oldest first:
//   durable:  db ─ CURRENT ──► node 1            {db/tmp → 3}
//                                                {db/tmp → nothing,
//                                                 db/CURRENT → 3}   a rename
//
// I1 durable + all of `pending`, in order, = live.
// I2 A Change reaches the disk as a whole.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/file_system.h"
#include "base/sim_content.h"
#include "base/sim_file_system.h"
#include "base/splitmix.h"
#include "base/sync.h"

namespace lsm {

struct SimNode;
using SimNodeRef = std::shared_ptr<SimNode>;
using SimNames = std::map<std::string, SimNodeRef, std::less<>>;

// A file, or a folder.
struct SimNode {
  bool folder = false;
  SimContent live = {};
  SimContent durable = {};
  SimNames live_names = {};
  SimNames durable_names = {};
};

// One name of one folder now leads to `target`, or (null) to nothing.
struct SimNameChange {
  SimNodeRef folder;
  std::string name;
  SimNodeRef target;
};

// Changes that reach the disk together: one, or the two of a rename.
using SimChange = std::vector<SimNameChange>;

// Memory that a Window shows; the file takes it over at write_back().
struct SimMapping {
  SimNodeRef node;
  std::uint64_t offset;
  std::vector<char> bytes;
};

// Where a path leads. No folder: a part before the last is missing, or is a
// file. No node: the name is free.
struct SimPlace {
  SimNodeRef folder;
  std::string name;
  SimNodeRef node;
};

struct SimDisk {
  SimDisk() : root(std::make_shared<SimNode>(SimNode{.folder = true})) {}

  // Counts an operation, and gives it its number; fails it if the power is off
  // or goes off now.
  Result<void> begin_operation(SimOperation operation) LSM_EXCLUDES(mutex);
  Result<void> check_power() const LSM_REQUIRES(mutex);

  SimPlace find(std::string_view path) const LSM_REQUIRES(mutex);
  // Does the change for the process, and remembers it for the disk.
  void change_names(SimChange change) LSM_REQUIRES(mutex);
  // sync_dir: its changes, and those before them that touch the same names in
  // other folders.
  void settle(const SimNodeRef& folder) LSM_REQUIRES(mutex);

  // Takes over what was stored into windows: all, of one file, of one window.
  void write_back() LSM_REQUIRES(mutex);
  void write_back(const SimNode& node) LSM_REQUIRES(mutex);
  void write_back(const SimMapping& mapping) LSM_REQUIRES(mutex);

  void end_process() LSM_REQUIRES(mutex);
  void power_cycle(CrashModel model, std::uint64_t seed) LSM_REQUIRES(mutex);
  std::unique_ptr<SimDisk> clone() LSM_REQUIRES(mutex);

  mutable Mutex mutex;
  SimNodeRef root LSM_GUARDED_BY(mutex);
  std::vector<SimChange> pending LSM_GUARDED_BY(mutex);
  std::vector<std::shared_ptr<SimMapping>> mappings LSM_GUARDED_BY(mutex);
  std::set<SimNodeRef> locked LSM_GUARDED_BY(mutex);
  std::uint64_t process LSM_GUARDED_BY(mutex) = 0;  // others' handles are dead
  std::uint64_t operations LSM_GUARDED_BY(mutex) = 0;
  std::uint64_t cut_at LSM_GUARDED_BY(mutex) = UINT64_MAX;
  bool power LSM_GUARDED_BY(mutex) = true;
  IoCounters counters LSM_GUARDED_BY(mutex);
  // Set while nobody is inside.
  std::function<void(const SimOperation&)> hook;

 private:
  void settle_some(CrashModel model, Splitmix& random) LSM_REQUIRES(mutex);
};

}  // namespace lsm
