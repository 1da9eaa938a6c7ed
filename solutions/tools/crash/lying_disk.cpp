#include "tools/crash/lying_disk.h"

#include <utility>

namespace lsm::crash {

class LyingFile final : public File {
 public:
  LyingFile(LyingDisk& disk, std::string path, std::unique_ptr<File> base)
      : disk_(disk), path_(std::move(path)), base_(std::move(base)) {}

  Result<void> sync() override {
    if (disk_.lie_ == Lie::sync) {
      disk_.tell("sync " + path_ + ": confirmed, not done");
      return {};
    }
    if (disk_.lie_ != Lie::late_sync) return base_->sync();
    disk_.tell("sync " + path_ + ": confirmed, done later");
    if (const auto due = std::exchange(disk_.due_, base_)) {
      return due->sync();
    }
    return {};
  }

  Result<void> close() override {
    if (disk_.due_ == base_) LSM_TRY(std::exchange(disk_.due_, {})->sync());
    return base_->close();
  }

  Result<void> allocate(std::uint64_t size_bytes) override {
    if (!disk_.append_log_) return base_->allocate(size_bytes);
    return fail(Code::not_supported, path_ + ": this disk does not allocate");
  }

  Result<std::size_t> read_at(std::uint64_t offset,
                              std::span<char> to) const override {
    return base_->read_at(offset, to);
  }
  Result<void> append(std::string_view bytes) override {
    return base_->append(bytes);
  }
  Result<void> truncate(std::uint64_t size_bytes) override {
    return base_->truncate(size_bytes);
  }
  Result<std::uint64_t> size() const override { return base_->size(); }
  Result<std::unique_ptr<Window>> map(std::uint64_t offset,
                                      std::size_t size_bytes) override {
    return base_->map(offset, size_bytes);
  }

 private:
  LyingDisk& disk_;
  const std::string path_;
  const std::shared_ptr<File> base_;
};

Result<std::unique_ptr<File>> LyingDisk::open(const std::string& path,
                                              Mode mode) {
  LSM_ASSIGN_OR_RETURN(auto file, base_.open(path, mode));
  return std::make_unique<LyingFile>(*this, path, std::move(file));
}

Result<void> LyingDisk::sync_dir(const std::string& path) {
  if (lie_ != Lie::sync_dir) return base_.sync_dir(path);
  tell("sync_dir " + path + ": confirmed, not done");
  return {};
}

}  // namespace lsm::crash
