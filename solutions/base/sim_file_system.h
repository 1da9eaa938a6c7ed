// A disk in memory that can lose its power at any operation, and then shows
// one of the images that a real disk might hold. It is also the plain
// in-memory file system of the browser build.
//
//   operation 1   create db/000001.log
//   operation 2   append 100 bytes
//   operation 3   sync                     ◄── cut_power_at(3): this one fails,
//   operation 4   sync_dir db                  and so does every later call
//                                          ──► power_cycle(model, seed)
//
// After a power cycle (the numbers of file_system.h):
// I1 Synced bytes are there. Each later page is old, new or torn as the seed
//    draws; a file that grew ends anywhere from its synced length on.
// I2 Names that sync_dir covered are there. Of the other changes of names, a
//    CrashModel says which sets may have reached the disk.
// I3 A rename is in the image as a whole or not at all.
// I4 Every File, Window and FileLock of before is dead: files fail each call.
// I5 The same calls and the same seed give the same image.
// kill() is what SIGKILL does: bytes and names stay, handles die.
// clone() copies the disk, not the handles, and shares its pages: a crash
// laboratory forks thousands of images from one run.
//
// Cost: an operation is a map lookup a folder level; a clone is one reference
// count a page. A mapped window is compared with the file by sync() and
// clone(), because stores into it cannot be seen.
// Thread safety: as FileSystem; clone, kill and power_cycle while no other
// thread is inside. Clones that share pages belong to one thread.
// Source: the crash states follow Pillai et al., "All file systems are not
// created equal", OSDI'14.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/file_system.h"

namespace lsm {

// Which changes of names that no sync_dir covered survive a power cut.
enum class CrashModel : std::uint8_t {
  ordered,     // the first k of them, in the order made (a metadata journal)
  any_subset,  // any, but for each name in the order made
};

// One state-changing call, as before_each_operation tells of it. The views live
// as long as the telling.
struct SimOperation {
  std::uint64_t number = 0;  // the first is 1
  std::string_view what;     // "create", "append", "sync", "rename" …
  std::string_view path;
  std::string_view to = {};  // rename and link: the new name
  std::uint64_t bytes = 0;   // append: how many; allocate, truncate: the size
};

struct SimDisk;  // sim_disk.h

class SimFileSystem final : public FileSystem {
 public:
  SimFileSystem();
  ~SimFileSystem() override;

  // State-changing calls so far: create, append, sync, allocate, truncate,
  // rename, link, remove, create_dir, sync_dir, and a lock.
  std::uint64_t operations() const;
  // Operation `number` (the first is 1) fails without effect, and so does
  // every call after it, until power_cycle.
  void cut_power_at(std::uint64_t number);
  // Called before each operation takes effect; may clone().
  void before_each_operation(std::function<void(const SimOperation&)> hook);
  void power_cycle(CrashModel model, std::uint64_t seed);
  void kill();
  std::unique_ptr<SimFileSystem> clone();

  // Damage, to what is stored and what is seen. Bit 0 is the lowest of the
  // first byte.
  Result<void> flip_bit(const std::string& path, std::uint64_t bit);
  Result<void> truncate_to(const std::string& path, std::uint64_t size_bytes);

  Result<std::unique_ptr<File>> open(const std::string& path,
                                     Mode mode) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> link(const std::string& from, const std::string& to) override;
  Result<void> remove(const std::string& path) override;
  Result<void> create_dir(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& path) override;
  Result<bool> exists(const std::string& path) override;
  Result<void> sync_dir(const std::string& path) override;
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override;
  IoCounters counters() const override;
  void count_mapped(std::uint64_t bytes) override;

 private:
  explicit SimFileSystem(std::unique_ptr<SimDisk> disk);

  std::unique_ptr<SimDisk> disk_;
};

}  // namespace lsm
