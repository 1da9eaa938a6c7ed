// Where changes of the tree are made durable: the seam between the write path
// and compaction, which change the tree, and the manifest, which remembers it.
//
// I1 When append returns success the edit survives a power cut; every file it
//    adds must be durable (bytes and name) before the call.
// I2 After a failure nothing more may be appended: the store is read-only
//    until it is reopened, and no file is deleted. The log guards this itself:
//    it keeps its first error and answers every later append with it (2.4
//    Manifest::append). Its caller makes the store read-only (1.7 install).
// Thread safety: calls are serialized by the commit mutex.
#pragma once

#include "base/error.h"
#include "base/version_edit.h"

namespace lsm {

class VersionLog {
 public:
  virtual ~VersionLog() = default;
  virtual Result<void> append(const VersionEdit& edit) = 0;
  virtual Result<void> close() = 0;
};

// The simplest one: remembers nothing. For suites and stores that are never
// reopened.
class VolatileVersionLog final : public VersionLog {
 public:
  Result<void> append(const VersionEdit&) override { return {}; }
  Result<void> close() override { return {}; }
};

}  // namespace lsm
