#include "base/posix_file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/vfs.h>
#endif

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <system_error>
#include <utility>

namespace lsm {
namespace {

Code code_of(int error) {
  switch (error) {
    case ENOENT:
      return Code::not_found;
    case ENOSPC:
    case EDQUOT:
      return Code::no_space;
    case EOPNOTSUPP:
    case ENOSYS:
    case EXDEV:  // a hard link, or a rename, to another file system
      return Code::not_supported;
    default:
      return Code::io;
  }
}

// "db/000007.log: cannot open: Permission denied"
std::unexpected<Error> os_error(const std::string& path, const char* what,
                                int error) {
  return fail(code_of(error), path + ": cannot " + what + ": " +
                                  std::generic_category().message(error));
}

// Calls again what a signal interrupted.
template <class Call>
auto retry(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR)
    result = call();
  return result;
}

// Files outlive no FileSystem, and share its counters from many threads. No
// other memory is published through them, so relaxed is enough.
struct Counters {
  std::atomic<std::uint64_t> bytes_written = 0;
  std::atomic<std::uint64_t> bytes_read = 0;
  std::atomic<std::uint64_t> reads = 0;
  std::atomic<std::uint64_t> syncs = 0;
};

void add(std::atomic<std::uint64_t>& counter, std::uint64_t amount) {
  counter.fetch_add(amount, std::memory_order_relaxed);
}

// The header says which file systems keep I5 and why.
[[maybe_unused]] bool reserves_space([[maybe_unused]] int descriptor) {
#ifdef __linux__
  constexpr std::uint32_t kExt = 0xef53;  // ext2, ext3, ext4
  constexpr std::uint32_t kXfs = 0x58465342;
  constexpr std::uint32_t kTmpfs = 0x01021994;
  struct statfs info = {};
  if (retry([&] { return ::fstatfs(descriptor, &info); }) != 0) return false;
  const auto type = static_cast<std::uint32_t>(info.f_type);
  return type == kExt || type == kXfs || type == kTmpfs;
#else
  return false;  // APFS copies on write
#endif
}

// A descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int value = -1) : value_(value) {}
  Descriptor(Descriptor&& other) noexcept
      : value_(std::exchange(other.value_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  int get() const { return value_; }
  int release() { return std::exchange(value_, -1); }

 private:
  int value_;
};

Descriptor open_descriptor(const std::string& path, int flags) {
  return Descriptor(
      retry([&] { return ::open(path.c_str(), flags | O_CLOEXEC, 0644); }));
}

class PosixWindow final : public Window {
 public:
  explicit PosixWindow(std::span<char> bytes) : bytes_(bytes) {}
  ~PosixWindow() override { ::munmap(bytes_.data(), bytes_.size()); }
  std::span<char> bytes() override { return bytes_; }

 private:
  std::span<char> bytes_;
};

class PosixFile final : public File {
 public:
  PosixFile(std::string path, Descriptor descriptor, Counters& counters)
      : path_(std::move(path)),
        descriptor_(std::move(descriptor)),
        counters_(counters) {}

  Result<std::size_t> read_at(std::uint64_t offset,
                              std::span<char> to) const override {
    std::size_t done = 0;
    while (done < to.size()) {
      const ssize_t count = retry([&] {
        return ::pread(descriptor_.get(), to.data() + done, to.size() - done,
                       static_cast<off_t>(offset + done));
      });
      if (count < 0) return os_error(path_, "read", errno);
      if (count == 0) break;  // the end of the file
      done += static_cast<std::size_t>(count);
    }
    add(counters_.reads, 1);
    add(counters_.bytes_read, done);
    return done;
  }

  // The descriptor is open with O_APPEND, so every write goes to the end.
  Result<void> append(std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t count = retry([&] {
        return ::write(descriptor_.get(), bytes.data(), bytes.size());
      });
      if (count < 0) return os_error(path_, "append", errno);
      add(counters_.bytes_written, static_cast<std::uint64_t>(count));
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return {};
  }

  Result<void> sync() override {
    add(counters_.syncs, 1);
#ifdef __APPLE__  // fsync stops at the drive's cache there
    const int result =
        retry([&] { return ::fcntl(descriptor_.get(), F_FULLFSYNC); });
#else
    const int result = retry([&] { return ::fdatasync(descriptor_.get()); });
#endif
    if (result != 0) return os_error(path_, "sync", errno);
    return {};
  }

  Result<void> allocate([[maybe_unused]] std::uint64_t size_bytes) override {
#ifdef __linux__
    if (reserves_space(descriptor_.get())) {
      const int result = retry([&] {
        return ::fallocate(descriptor_.get(), 0, 0,
                           static_cast<off_t>(size_bytes));
      });
      if (result != 0) return os_error(path_, "allocate", errno);
      return {};
    }
#endif
    return fail(Code::not_supported,
                path_ + ": this file system does not reserve space");
  }

  Result<void> truncate(std::uint64_t size_bytes) override {
    const int result = retry([&] {
      return ::ftruncate(descriptor_.get(), static_cast<off_t>(size_bytes));
    });
    if (result != 0) return os_error(path_, "truncate", errno);
    return {};
  }

  Result<std::uint64_t> size() const override {
    struct stat info = {};
    if (::fstat(descriptor_.get(), &info) != 0) {
      return os_error(path_, "stat", errno);
    }
    return static_cast<std::uint64_t>(info.st_size);
  }

  Result<std::unique_ptr<Window>> map(std::uint64_t offset,
                                      std::size_t size_bytes) override {
    LSM_ASSIGN_OR_RETURN(const std::uint64_t end, size());
    if (offset % kWindowAlignment != 0 || offset > end ||
        size_bytes > end - offset) {
      return fail(Code::invalid_argument,
                  path_ + ": cannot map " + std::to_string(size_bytes) +
                      " bytes at " + std::to_string(offset) + " of " +
                      std::to_string(end));
    }
    void* start =
        ::mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
               descriptor_.get(), static_cast<off_t>(offset));
    if (start == MAP_FAILED) return os_error(path_, "map", errno);
    return std::make_unique<PosixWindow>(
        std::span(static_cast<char*>(start), size_bytes));
  }

  // Not tried again after EINTR: Linux has closed the descriptor by then.
  Result<void> close() override {
    const int descriptor = descriptor_.release();
    if (descriptor >= 0 && ::close(descriptor) != 0 && errno != EINTR) {
      return os_error(path_, "close", errno);
    }
    return {};
  }

 private:
  const std::string path_;
  Descriptor descriptor_;
  Counters& counters_;
};

class PosixLock final : public FileLock {
 public:
  explicit PosixLock(Descriptor descriptor)
      : descriptor_(std::move(descriptor)) {}

 private:
  Descriptor descriptor_;
};

class PosixFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path,
                                     Mode mode) override {
    int flags = O_RDONLY;
    if (mode == Mode::create) flags = O_RDWR | O_APPEND | O_CREAT | O_EXCL;
    if (mode == Mode::write) flags = O_RDWR | O_APPEND;
    Descriptor descriptor = open_descriptor(path, flags);
    if (descriptor.get() < 0) {
      return os_error(path, mode == Mode::create ? "create" : "open", errno);
    }
    struct stat info = {};
    if (::fstat(descriptor.get(), &info) != 0) {
      return os_error(path, "stat", errno);
    }
    if (S_ISDIR(info.st_mode)) return os_error(path, "open", EISDIR);
    return std::make_unique<PosixFile>(path, std::move(descriptor), counters_);
  }

  Result<void> rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) {
      const int error = errno;
      return os_error(from, ("rename to " + to).c_str(), error);
    }
    return {};
  }

  Result<void> link(const std::string& from, const std::string& to) override {
    if (::link(from.c_str(), to.c_str()) != 0) {
      const int error = errno;
      return os_error(from, ("link as " + to).c_str(), error);
    }
    return {};
  }

  Result<void> remove(const std::string& path) override {
    if (std::remove(path.c_str()) != 0) return os_error(path, "remove", errno);
    return {};
  }

  Result<void> create_dir(const std::string& path) override {
    if (::mkdir(path.c_str(), 0755) == 0) return {};
    const int error = errno;
    struct stat info = {};
    if (error == EEXIST && ::stat(path.c_str(), &info) == 0) {
      if (S_ISDIR(info.st_mode)) return {};
      return os_error(path, "create the folder", ENOTDIR);
    }
    return os_error(path, "create the folder", error);
  }

  Result<std::vector<std::string>> list(const std::string& path) override {
    DIR* folder = ::opendir(path.c_str());
    if (folder == nullptr) return os_error(path, "list", errno);
    std::vector<std::string> names;
    errno = 0;  // readdir's only way to tell an error from the end
    while (const dirent* entry = ::readdir(folder)) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
      errno = 0;
    }
    const int error = errno;
    ::closedir(folder);
    if (error != 0) return os_error(path, "list", error);
    std::ranges::sort(names);
    return names;
  }

  Result<bool> exists(const std::string& path) override {
    struct stat info = {};
    if (::stat(path.c_str(), &info) == 0) return true;
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return os_error(path, "stat", errno);
  }

  Result<void> sync_dir(const std::string& path) override {
    add(counters_.syncs, 1);
    const Descriptor folder = open_descriptor(path, O_RDONLY | O_DIRECTORY);
    if (folder.get() < 0) return os_error(path, "open the folder", errno);
    if (retry([&] { return ::fsync(folder.get()); }) != 0) {
      return os_error(path, "sync the folder", errno);
    }
    return {};
  }

  // flock, not fcntl: an fcntl lock is dropped when this process closes ANY
  // descriptor of the file, and never refuses the process that holds it.
  Result<std::unique_ptr<FileLock>> lock(const std::string& path) override {
    Descriptor descriptor = open_descriptor(path, O_RDWR | O_CREAT);
    if (descriptor.get() < 0) return os_error(path, "open the lock", errno);
    if (retry([&] { return ::flock(descriptor.get(), LOCK_EX | LOCK_NB); }) !=
        0) {
      if (errno != EWOULDBLOCK) return os_error(path, "lock", errno);
      return fail(Code::busy, path + ": locked by this process or another");
    }
    return std::make_unique<PosixLock>(std::move(descriptor));
  }

  IoCounters counters() const override {
    return {.bytes_written = counters_.bytes_written.load(),
            .bytes_read = counters_.bytes_read.load(),
            .reads = counters_.reads.load(),
            .syncs = counters_.syncs.load()};
  }

  void count_mapped(std::uint64_t bytes) override {
    add(counters_.bytes_written, bytes);
  }

 private:
  Counters counters_;
};

}  // namespace

FileSystem& posix_file_system() {
  static PosixFileSystem file_system;
  return file_system;
}

std::unique_ptr<FileSystem> make_posix_file_system() {
  return std::make_unique<PosixFileSystem>();
}

}  // namespace lsm
