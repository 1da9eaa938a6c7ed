// The disk, as the engine sees it: the one seam through which bytes leave the
// process. Behind it stand the operating system (posix_file_system.h), a disk
// in memory whose power can be cut at any operation (sim_file_system.h), and
// one that fails when told to (fault_file_system.h).
//
//   written ──sync()──► durable bytes      created/renamed/removed name
//                                          ──sync_dir()──► durable name
//
// What a crash leaves, and the engine may rely on:
// I1 Bytes appended and not yet synced may be lost, torn, or kept, page by
//    page and in any order; bytes before the last successful sync() stay.
// I2 A new, renamed or removed NAME is durable only after sync_dir() of its
//    folder; sync() of the file alone does not keep its name.
// I3 After a failed append or sync the file is broken: no later success on it
//    means that earlier bytes are durable (fsyncgate; Rebello, ATC'20).
// I4 rename() replaces atomically: after a crash the name leads to the old
//    file or the new one, never to neither.
// I5 After allocate(n) succeeds, storing into a mapped window below n needs
//    no new space: a full disk shows at allocate(), never as SIGBUS.
// Paths are absolute or relative to the process, '/' separated, UTF-8.
// Thread safety: FileSystem and read_at from any thread; the writing calls of
// one File from one thread at a time.
// Errors: not_found, no_space, io, not_supported; the message names the path.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace lsm {

// A writable piece of a file in memory. What is stored here survives the
// death of the process at once, and a power cut after the file's sync().
class Window {
 public:
  virtual ~Window() = default;  // unmaps
  virtual std::span<char> bytes() = 0;
};

// Where a window may begin: a multiple of every page size in use.
inline constexpr std::uint64_t kWindowAlignment = 64 << 10;

class File {
 public:
  virtual ~File() = default;  // closes, ignoring errors: call close() first

  // Reads up to to.size() bytes at `offset`; fewer only at the end of the file.
  // Returns how many.
  virtual Result<std::size_t> read_at(std::uint64_t offset,
                                      std::span<char> to) const = 0;
  // Writes all of `bytes` at the end.
  virtual Result<void> append(std::string_view bytes) = 0;
  // Makes every byte so far durable, mapped ones included (fdatasync).
  virtual Result<void> sync() = 0;
  // Reserves disk space for the first `size_bytes` bytes and makes the file
  // that long; new bytes read as zero. not_supported where no guarantee can
  // be had: use append() instead.
  virtual Result<void> allocate(std::uint64_t size_bytes) = 0;
  // Cuts or extends (with a hole) to `size_bytes`.
  virtual Result<void> truncate(std::uint64_t size_bytes) = 0;
  virtual Result<std::uint64_t> size() const = 0;
  // Maps [offset, offset + size_bytes), which must be allocated; offset is a
  // multiple of kWindowAlignment.
  virtual Result<std::unique_ptr<Window>> map(std::uint64_t offset,
                                              std::size_t size_bytes) = 0;
  // Reports what the operating system only says at the end. Idempotent.
  virtual Result<void> close() = 0;
};

// Held from lock() until it dies; a second lock of the path, from this process
// or another, fails with busy.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

// What went through a FileSystem so far. Mapped bytes count when the log
// segment reports them (count_mapped).
struct IoCounters {
  std::uint64_t bytes_written = 0;
  std::uint64_t bytes_read = 0;
  std::uint64_t reads = 0;
  std::uint64_t syncs = 0;
};

class FileSystem {
 public:
  enum class Mode : std::uint8_t {
    read,    // must exist; writing calls fail
    create,  // must not exist; appended to from empty
    write,   // must exist; for tools and tests that damage or mend
  };

  virtual ~FileSystem() = default;

  virtual Result<std::unique_ptr<File>> open(const std::string& path,
                                             Mode mode) = 0;
  virtual Result<void> rename(const std::string& from,
                              const std::string& to) = 0;
  virtual Result<void> link(const std::string& from, const std::string& to) = 0;
  virtual Result<void> remove(const std::string& path) = 0;
  // Succeeds if the folder is there already.
  virtual Result<void> create_dir(const std::string& path) = 0;
  // Names of the entries, without "." and "..", sorted.
  virtual Result<std::vector<std::string>> list(const std::string& path) = 0;
  virtual Result<bool> exists(const std::string& path) = 0;
  // Makes names in the folder durable (I2).
  virtual Result<void> sync_dir(const std::string& path) = 0;
  // Creates the file if need be. Errors: busy, naming the path.
  virtual Result<std::unique_ptr<FileLock>> lock(const std::string& path) = 0;

  virtual IoCounters counters() const = 0;
  virtual void count_mapped(std::uint64_t bytes) = 0;
};

// Fills `to` from `offset` of the file at `path`. Errors: corruption when the
// file ends before.
Result<void> read_exactly(const File& file, std::string_view path,
                          std::uint64_t offset, std::span<char> to);

// Reads the whole file. `limit_bytes` guards memory: a larger file is
// not_supported.
Result<std::string> read_file(FileSystem& fs, const std::string& path,
                              std::uint64_t limit_bytes = std::uint64_t{1}
                                                          << 32);

}  // namespace lsm
