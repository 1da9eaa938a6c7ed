// A disk that says "done" and is not: it passes every call on to another
// FileSystem, but for the one that it lies about.
//
//   Lie::sync        file.sync()   says ok, nothing is made durable
//   Lie::sync_dir    fs.sync_dir() says ok, no name is made durable
//   Lie::late_sync   file.sync()   says ok, and does it when the next sync is
//                                  asked for, of any file, or at close()
//
// No test of the store alone notices: what is read is always right, until the
// power fails. With `append_log` it refuses to allocate, so that logs are
// written by append and not through mapped windows.
// Thread safety: as the other's; the late sync wants one thread.
// Source: disks with a volatile cache that confirm too early are surveyed by
// Zheng et al., "Understanding the robustness of SSDs under power fault",
// FAST'13.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/file_system.h"

namespace lsm::crash {

enum class Lie : std::uint8_t { none, sync, sync_dir, late_sync };

class LyingDisk final : public FileSystem {
 public:
  // `told` hears of every call that was not carried out.
  LyingDisk(FileSystem& base, Lie lie, bool append_log,
            std::function<void(std::string)> told = {})
      : base_(base),
        lie_(lie),
        append_log_(append_log),
        told_(std::move(told)) {}

  Result<std::unique_ptr<File>> open(const std::string& path,
                                     Mode mode) override;
  Result<void> sync_dir(const std::string& path) override;

  Result<void> rename(const std::string& from, const std::string& to) override {
    return base_.rename(from, to);
  }
  Result<void> link(const std::string& from, const std::string& to) override {
    return base_.link(from, to);
  }
  Result<void> remove(const std::string& path) override {
    return base_.remove(path);
  }
  Result<void> create_dir(const std::string& path) override {
    return base_.create_dir(path);
  }
  Result<std::vector<std::string>> list(const std::string& path) override {
    return base_.list(path);
  }
  Result<bool> exists(const std::string& path) override {
    return base_.exists(path);
  }
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override {
    return base_.lock(path);
  }
  IoCounters counters() const override { return base_.counters(); }
  void count_mapped(std::uint64_t bytes) override { base_.count_mapped(bytes); }

 private:
  friend class LyingFile;

  void tell(const std::string& what) {
    if (told_) told_(what);
  }

  FileSystem& base_;
  const Lie lie_;
  const bool append_log_;
  const std::function<void(std::string)> told_;
  std::shared_ptr<File> due_;  // its sync was confirmed and is still to come
};

}  // namespace lsm::crash
