// A FileSystem that passes everything on to another one, and fails when it is
// told to: the disk that is full, the cable that is loose, the fsync that
// lies.
//
//   FaultFileSystem fs(posix_file_system());
//   fs.inject({.kinds = kAppend | kSync, .nth = 3});
//     append  ok        1st of these kinds
//     read    ok        another kind
//     sync    ok        2nd
//     append  error     3rd: "db/000001.log: injected fault: append"
//     append  ok        once; with .sticky = true, an error until lift()
//
// I1 An operation that fails has the effect that the Fault names, no other.
// I2 After Effect::lost, that file's later syncs report success and do
//    nothing: the trap of fsyncgate (Rebello et al., ATC'20). A kernel marks
//    pages clean when it could not write them.
// I3 open_handles() is back at its baseline when every File and FileLock is
//    closed or dead.
// To try every place: run once, ask operations(kinds), then run again with
// each nth up to that number.
// Reads are not cut short here, because File::read_at promises not to; what a
// short pread does is tested below that promise.
// Thread safety: as FileSystem. Lifetime: the other outlives this one.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <string_view>

#include "base/file_system.h"
#include "base/sync.h"

namespace lsm {

// A set of kinds of operations.
using OperationKinds = std::uint32_t;
inline constexpr OperationKinds kOpen = 1 << 0;  // of a file that exists
inline constexpr OperationKinds kCreate = 1 << 1;
inline constexpr OperationKinds kRead = 1 << 2;
inline constexpr OperationKinds kAppend = 1 << 3;
inline constexpr OperationKinds kSync = 1 << 4;
inline constexpr OperationKinds kAllocate = 1 << 5;
inline constexpr OperationKinds kTruncate = 1 << 6;
inline constexpr OperationKinds kMap = 1 << 7;
inline constexpr OperationKinds kClose = 1 << 8;
inline constexpr OperationKinds kRename = 1 << 9;
inline constexpr OperationKinds kLink = 1 << 10;
inline constexpr OperationKinds kRemove = 1 << 11;
inline constexpr OperationKinds kCreateDir = 1 << 12;
inline constexpr OperationKinds kList = 1 << 13;  // and exists()
inline constexpr OperationKinds kSyncDir = 1 << 14;
inline constexpr OperationKinds kLock = 1 << 15;
inline constexpr OperationKinds kAnyOperation = (1 << 16) - 1;
// What a full disk refuses.
inline constexpr OperationKinds kTakesSpace =
    kCreate | kAppend | kAllocate | kRename | kLink | kCreateDir | kLock;

struct Fault {
  enum class Effect : std::uint8_t {
    none,  // nothing happens
    half,  // append: half of the bytes are written; others: nothing happens
    done,  // it happens, and is reported as an error all the same
    lost,  // sync: nothing happens, now or at any later sync of the file
  };
  OperationKinds kinds = kAnyOperation;
  std::uint64_t nth = 1;  // of these kinds, counted from inject()
  bool sticky = false;    // every one after it fails, too
  Code code = Code::io;
  Effect effect = Effect::none;
};

// A disk that is full from the nth operation that takes space, until lift().
inline constexpr Fault full_disk_from(std::uint64_t nth) {
  return {.kinds = kTakesSpace,
          .nth = nth,
          .sticky = true,
          .code = Code::no_space,
          .effect = Fault::Effect::half};
}

class FaultFileSystem final : public FileSystem {
 public:
  explicit FaultFileSystem(FileSystem& base) : base_(base) {}

  // Replaces the fault of before.
  void inject(const Fault& fault);
  void lift();
  // Operations of these kinds so far, failed ones included.
  std::uint64_t operations(OperationKinds kinds = kAnyOperation) const;
  // Files and locks that are open now.
  int open_handles() const;

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
  IoCounters counters() const override { return base_.counters(); }
  void count_mapped(std::uint64_t bytes) override { base_.count_mapped(bytes); }

 private:
  friend class FaultFile;
  friend class FaultLock;

  // What becomes of one operation: the effect, and the error if it fails.
  struct Verdict {
    Fault::Effect effect = Fault::Effect::done;
    Result<void> result = {};
  };
  Verdict judge(OperationKinds kind, const std::string& path)
      LSM_EXCLUDES(mutex_);
  void count_handle(int change) LSM_EXCLUDES(mutex_);

  template <class T, class Call>
  Result<T> pass(OperationKinds kind, const std::string& path, Call call);

  FileSystem& base_;
  mutable Mutex mutex_;  // never held while base_ is called
  Fault fault_ LSM_GUARDED_BY(mutex_);
  bool armed_ LSM_GUARDED_BY(mutex_) = false;
  std::uint64_t matched_ LSM_GUARDED_BY(mutex_) = 0;  // since inject()
  std::array<std::uint64_t, std::bit_width(kAnyOperation)> counts_
      LSM_GUARDED_BY(mutex_) = {};  // a kind's bit is its index
  int open_handles_ LSM_GUARDED_BY(mutex_) = 0;
};

}  // namespace lsm
