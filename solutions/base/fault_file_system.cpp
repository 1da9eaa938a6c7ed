#include "base/fault_file_system.h"

#include <utility>

namespace lsm {
namespace {

constexpr std::array<std::string_view, std::bit_width(kAnyOperation)> kNames = {
    "open",       "create", "read",     "append", "sync", "allocate",
    "truncate",   "map",    "close",    "rename", "link", "remove",
    "create_dir", "list",   "sync_dir", "lock"};

std::size_t index_of(OperationKinds kind) {
  return static_cast<std::size_t>(std::countr_zero(kind));
}

}  // namespace

void FaultFileSystem::inject(const Fault& fault) {
  MutexLock held(mutex_);
  fault_ = fault;
  armed_ = true;
  matched_ = 0;
}

void FaultFileSystem::lift() {
  MutexLock held(mutex_);
  armed_ = false;
}

std::uint64_t FaultFileSystem::operations(OperationKinds kinds) const {
  MutexLock held(mutex_);
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < counts_.size(); i++) {
    if ((kinds >> i & 1) != 0) sum += counts_[i];
  }
  return sum;
}

int FaultFileSystem::open_handles() const {
  MutexLock held(mutex_);
  return open_handles_;
}

void FaultFileSystem::count_handle(int change) {
  MutexLock held(mutex_);
  open_handles_ += change;
}

FaultFileSystem::Verdict FaultFileSystem::judge(OperationKinds kind,
                                                const std::string& path) {
  MutexLock held(mutex_);
  counts_[index_of(kind)]++;
  if (!armed_ || (fault_.kinds & kind) == 0) return {};
  matched_++;
  if (matched_ < fault_.nth) return {};
  if (matched_ > fault_.nth && !fault_.sticky) return {};
  return {fault_.effect,
          fail(fault_.code, path + ": injected fault: " +
                                std::string(kNames[index_of(kind)]))};
}

// Calls on, unless the operation fails without an effect.
template <class T, class Call>
Result<T> FaultFileSystem::pass(OperationKinds kind, const std::string& path,
                                Call call) {
  const Verdict verdict = judge(kind, path);
  if (verdict.result) return call();
  if (verdict.effect == Fault::Effect::done) static_cast<void>(call());
  return std::unexpected(verdict.result.error());
}

class FaultLock final : public FileLock {
 public:
  FaultLock(FaultFileSystem& fs, std::unique_ptr<FileLock> base)
      : fs_(fs), base_(std::move(base)) {
    fs_.count_handle(1);
  }
  ~FaultLock() override { fs_.count_handle(-1); }

 private:
  FaultFileSystem& fs_;
  const std::unique_ptr<FileLock> base_;
};

class FaultFile final : public File {
 public:
  FaultFile(FaultFileSystem& fs, std::string path, std::unique_ptr<File> base)
      : fs_(fs), path_(std::move(path)), base_(std::move(base)) {
    fs_.count_handle(1);
  }
  ~FaultFile() override { release(); }

  Result<std::size_t> read_at(std::uint64_t offset,
                              std::span<char> to) const override {
    return fs_.pass<std::size_t>(kRead, path_,
                                 [&] { return base_->read_at(offset, to); });
  }

  Result<void> append(std::string_view bytes) override {
    const auto verdict = fs_.judge(kAppend, path_);
    if (verdict.effect == Fault::Effect::half) {
      bytes = bytes.substr(0, bytes.size() / 2);
    }
    if (verdict.effect == Fault::Effect::done ||
        verdict.effect == Fault::Effect::half) {
      LSM_TRY(base_->append(bytes));
    }
    return verdict.result;
  }

  Result<void> sync() override {
    const auto verdict = fs_.judge(kSync, path_);
    if (verdict.effect == Fault::Effect::lost) lost_ = true;
    if (verdict.effect == Fault::Effect::done && !lost_) {
      LSM_TRY(base_->sync());
    }
    return verdict.result;
  }

  Result<void> allocate(std::uint64_t size_bytes) override {
    return fs_.pass<void>(kAllocate, path_,
                          [&] { return base_->allocate(size_bytes); });
  }

  Result<void> truncate(std::uint64_t size_bytes) override {
    return fs_.pass<void>(kTruncate, path_,
                          [&] { return base_->truncate(size_bytes); });
  }

  Result<std::uint64_t> size() const override { return base_->size(); }

  Result<std::unique_ptr<Window>> map(std::uint64_t offset,
                                      std::size_t size_bytes) override {
    return fs_.pass<std::unique_ptr<Window>>(
        kMap, path_, [&] { return base_->map(offset, size_bytes); });
  }

  // The descriptor is gone, whatever close() says.
  Result<void> close() override {
    const auto verdict = fs_.judge(kClose, path_);
    release();
    LSM_TRY(base_->close());
    return verdict.result;
  }

 private:
  void release() {
    if (std::exchange(open_, false)) fs_.count_handle(-1);
  }

  FaultFileSystem& fs_;
  const std::string path_;
  const std::unique_ptr<File> base_;
  bool open_ = true;
  bool lost_ = false;
};

Result<std::unique_ptr<File>> FaultFileSystem::open(const std::string& path,
                                                    Mode mode) {
  using Opened = std::unique_ptr<File>;
  const OperationKinds kind = mode == Mode::create ? kCreate : kOpen;
  return pass<Opened>(kind, path, [&]() -> Result<Opened> {
    LSM_ASSIGN_OR_RETURN(auto file, base_.open(path, mode));
    return std::make_unique<FaultFile>(*this, path, std::move(file));
  });
}

Result<void> FaultFileSystem::rename(const std::string& from,
                                     const std::string& to) {
  return pass<void>(kRename, from, [&] { return base_.rename(from, to); });
}

Result<void> FaultFileSystem::link(const std::string& from,
                                   const std::string& to) {
  return pass<void>(kLink, from, [&] { return base_.link(from, to); });
}

Result<void> FaultFileSystem::remove(const std::string& path) {
  return pass<void>(kRemove, path, [&] { return base_.remove(path); });
}

Result<void> FaultFileSystem::create_dir(const std::string& path) {
  return pass<void>(kCreateDir, path, [&] { return base_.create_dir(path); });
}

Result<std::vector<std::string>> FaultFileSystem::list(
    const std::string& path) {
  return pass<std::vector<std::string>>(kList, path,
                                        [&] { return base_.list(path); });
}

Result<bool> FaultFileSystem::exists(const std::string& path) {
  return pass<bool>(kList, path, [&] { return base_.exists(path); });
}

Result<void> FaultFileSystem::sync_dir(const std::string& path) {
  return pass<void>(kSyncDir, path, [&] { return base_.sync_dir(path); });
}

Result<std::unique_ptr<FileLock>> FaultFileSystem::lock(
    const std::string& path) {
  using Locked = std::unique_ptr<FileLock>;
  return pass<Locked>(kLock, path, [&]() -> Result<Locked> {
    LSM_ASSIGN_OR_RETURN(auto lock, base_.lock(path));
    return std::make_unique<FaultLock>(*this, std::move(lock));
  });
}

}  // namespace lsm
