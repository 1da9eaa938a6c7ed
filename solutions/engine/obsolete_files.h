// Unlinks tables that no reader names any more, in the background: whoever
// drops the last Version must not pay for the file system's work.
//
// I1 A file is unlinked only after the edit that removed it is durable and the
//    last reader of it is gone (tree.h, I3).
// I2 After stop() nothing is unlinked: what is left is an orphan, which the
//    next open removes.
// Thread safety: any thread. Tables' owners may outlive the store, so it is
// shared.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/executor.h"
#include "base/file_system.h"
#include "base/sync.h"

namespace lsm {

class ObsoleteFiles : public std::enable_shared_from_this<ObsoleteFiles> {
 public:
  ObsoleteFiles(std::shared_ptr<FileSystem> fs, std::string folder,
                Executor& executor);

  void add(std::uint64_t table_number);
  // Unlinks what has been added so far, on this thread.
  void drain();
  // The executor is not touched again.
  void stop();

 private:
  std::shared_ptr<FileSystem> fs_;
  std::string folder_;
  Mutex mutex_;
  Executor* executor_ LSM_GUARDED_BY(mutex_);
  std::vector<std::uint64_t> numbers_ LSM_GUARDED_BY(mutex_);
};

}  // namespace lsm
