// What only the machine's own file system shows: other processes, other
// users, descriptors that run out, writes and reads that the kernel cuts
// short.
#include "base/posix_file_system.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "support/catch.h"
#include "support/short_io.h"
#include "support/teach.h"
#include "support/temp_dir.h"

using namespace lsm;
using namespace std::string_literals;
using Mode = FileSystem::Mode;

namespace {

// Runs `body` in a process of its own; returns what it returned (0 … 255).
template <class Body>
int in_child(Body body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  return WEXITSTATUS(status);
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("another process cannot take a lock that is held", "[base]") {
  STORY("Lock; a child tries; unlock; a child locks and dies; lock again.");
  const test::TempDir dir;
  const std::string path = dir / "LOCK";
  const auto lock_in_child = [&] {
    return in_child([&] {
      auto fs = make_posix_file_system();
      const auto lock = fs->lock(path);
      if (lock) return 0;
      return lock.error().code == Code::busy ? 1 : 2;
    });
  };
  auto lock = posix_file_system().lock(path);
  REQUIRE_OK(lock);
  CHECK_SAME(lock_in_child(), 1);
  // Closing another descriptor of the file would drop an fcntl lock.
  ::close(::open(path.c_str(), O_RDWR));
  CHECK_SAME(lock_in_child(), 1);
  lock->reset();
  CHECK_SAME(lock_in_child(), 0);
  CHECK_OK(posix_file_system().lock(path));
}

TEST_CASE("a child that outlives its parent's lock does not hold it",
          "[base]") {
  STORY("Lock; run a program; the descriptor is not passed on.");
  const test::TempDir dir;
  const auto lock = posix_file_system().lock(dir / "LOCK");
  const auto file = posix_file_system().open(dir / "a", Mode::create);
  REQUIRE_OK(lock);
  REQUIRE_OK(file);
  for (int descriptor = 3; descriptor < 64; descriptor++) {
    const int flags = ::fcntl(descriptor, F_GETFD);
    if (flags < 0) continue;
    std::string target(1000, '\0');
    const std::string entry = "/proc/self/fd/" + std::to_string(descriptor);
    const ssize_t size =
        ::readlink(entry.c_str(), target.data(), target.size());
    if (size <= 0 || !contains(target, dir.path())) continue;
    CHECK((flags & FD_CLOEXEC) != 0);
  }
}

TEST_CASE("a folder without permission is a clear error", "[base]") {
  STORY("A folder of mode 000, seen by a user who is not root.");
  const test::TempDir dir;
  REQUIRE(::chmod(dir.path().c_str(), 0) == 0);
  const int result = in_child([&] {
    if (::geteuid() == 0 && ::setuid(65534) != 0) return 10;
    FileSystem& fs = posix_file_system();
    for (const Result<void>& failed :
         {fs.create_dir(dir / "a"), fs.sync_dir(dir.path()),
          fs.remove(dir / "a"), fs.rename(dir / "a", dir / "b")}) {
      if (failed || failed.error().code != Code::io) return 1;
      if (!contains(failed.error().message, dir.path())) return 2;
      if (!contains(failed.error().message, "Permission denied")) return 3;
    }
    const auto opened = fs.open(dir / "a", Mode::create);
    if (opened || opened.error().code != Code::io) return 4;
    const auto locked = fs.lock(dir / "LOCK");
    if (locked || locked.error().code != Code::io) return 5;
    const auto listed = fs.list(dir.path());
    if (listed || listed.error().code != Code::io) return 6;
    const auto exists = fs.exists(dir / "a");
    if (exists || exists.error().code != Code::io) return 7;
    return 0;
  });
  REQUIRE(::chmod(dir.path().c_str(), 0700) == 0);
  CHECK_SAME(result, 0);
}

TEST_CASE("no descriptor left is a clear error, and passes", "[base]") {
  STORY("Lower the limit, open until it fails, close, open again.");
  const test::TempDir dir;
  FileSystem& fs = posix_file_system();
  // Every path once: UBSan's first look at a type needs descriptors itself.
  CHECK_OK(fs.open(dir / "first", Mode::create));
  CHECK_ERROR(fs.open(dir / "none", Mode::read), Code::not_found);
  CHECK_ERROR(fs.lock(dir / "none/LOCK"), Code::not_found);
  CHECK_OK(fs.lock(dir / "LOCK"));
  const int result = in_child([&] {
    rlimit limit = {.rlim_cur = 32, .rlim_max = 32};
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return 10;
    std::vector<std::unique_ptr<File>> files;
    for (int i = 0; i < 40; i++) {
      auto file = fs.open(dir / std::to_string(i), Mode::create);
      if (file) {
        files.push_back(std::move(*file));
        continue;
      }
      if (file.error().code != Code::io) return 1;
      if (!contains(file.error().message, "Too many open files")) return 2;
      if (fs.list(dir.path()) || fs.sync_dir(dir.path())) return 3;
      if (fs.lock(dir / "LOCK")) return 4;
      files.clear();
      return fs.list(dir.path()) && fs.lock(dir / "LOCK") ? 0 : 5;
    }
    return 6;
  });
  CHECK_SAME(result, 0);
}

TEST_CASE("errors leave no descriptor behind", "[base]") {
  STORY("Note the next free descriptor; fail in many ways; compare.");
  const test::TempDir dir;
  FileSystem& fs = posix_file_system();
  const auto next_free = [] {
    const int descriptor = ::dup(0);
    ::close(descriptor);
    return descriptor;
  };
  const int before = next_free();
  {
    const auto lock = fs.lock(dir / "LOCK");
    const int with_lock = next_free();
    CHECK_FALSE(fs.lock(dir / "LOCK").has_value());
    CHECK_SAME(next_free(), with_lock);
  }
  CHECK_FALSE(fs.open(dir.path(), Mode::read).has_value());
  CHECK_FALSE(fs.open(dir / "none", Mode::read).has_value());
  CHECK_FALSE(fs.list(dir / "LOCK").has_value());
  CHECK_FALSE(fs.sync_dir(dir / "LOCK").has_value());
  CHECK_OK(fs.sync_dir(dir.path()));
  CHECK_OK(fs.list(dir.path()));
  CHECK_SAME(next_free(), before);
}

TEST_CASE("a kernel that reads and writes byte by byte changes nothing",
          "[base]") {
  STORY("Each pread and write moves one byte, each second one is EINTR.");
  const test::TempDir dir;
  FileSystem& fs = posix_file_system();
  const std::string bytes = "written and read in very small steps";
  const auto file = fs.open(dir / "a", Mode::create);
  REQUIRE_OK(file);
  Result<void> appended;
  Result<std::string> whole;
  std::string part(7, '\0');
  Result<std::size_t> count;
  {
    const test::ShortIo short_io;  // no assertion prints meanwhile
    appended = (*file)->append(bytes);
    whole = read_file(fs, dir / "a");
    count = (*file)->read_at(bytes.size() - 3, part);
  }
  CHECK_OK(appended);
  REQUIRE_OK(whole);
  CHECK_SAME(*whole, bytes);
  REQUIRE_OK(count);
  CHECK_SAME(part.substr(0, *count), "eps");
}
