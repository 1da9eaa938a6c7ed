#include "base/log_segment.h"

#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <new>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/fault_file_system.h"
#include "base/posix_file_system.h"
#include "base/sim_file_system.h"
#include "support/catch.h"
#include "support/random.h"
#include "support/teach.h"
#include "support/temp_dir.h"

using namespace lsm;

namespace {

constexpr std::uint64_t kWindow = kWindowAlignment;  // of a small log

std::unique_ptr<LogSegment> create(FileSystem& fs, const std::string& path,
                                   std::uint64_t expected_bytes = 1) {
  auto segment = LogSegment::create(fs, path, expected_bytes);
  REQUIRE_OK(segment);
  return std::move(*segment);
}

std::string content(FileSystem& fs, const std::string& path) {
  const auto bytes = read_file(fs, path);
  REQUIRE_OK(bytes);
  return *bytes;
}

// Record `number` says who it is, how long it is, and its own checksum.
std::string record(std::uint64_t number) {
  const std::size_t length = 17 + hash64("length", number) % 300;
  std::string bytes;
  append_u64(bytes, number + 1);
  append_u64(bytes, length);
  for (std::size_t i = 0; i < length; i++) {
    bytes.push_back(static_cast<char>(hash64("byte", number + i)));
  }
  return bytes;
}

}  // namespace

TEST_CASE("a closed log holds what was appended, and no more", "[base]") {
  STORY("Append three pieces, look at the live file, close it.");
  INVARIANT("I5 close() cuts the file to size_bytes()");
  SimFileSystem fs;
  const auto log = create(fs, "log");
  CHECK_SAME(log->path(), "log");
  CHECK_SAME(log->size_bytes(), 0u);
  CHECK_OK(log->append("hello "));
  CHECK_OK(log->append(""));
  CHECK_OK(log->append("world"));
  CHECK_SAME(log->size_bytes(), 11u);
  const std::string live = content(fs, "log");
  CHECK(live.size() > 11);
  CHECK(live.starts_with("hello world"));
  CHECK(std::ranges::all_of(live.substr(11), [](char c) { return c == 0; }));
  CHECK_OK(log->close());
  CHECK_SAME(content(fs, "log"), "hello world");
  CHECK_OK(log->close());
  CHECK_ERROR(log->append("x"), Code::closed);
  CHECK_ERROR(log->sync(), Code::closed);
}

TEST_CASE("an append may fill, cross or dwarf a window", "[base]") {
  STORY("Lengths around one window and around three, one after another.");
  SimFileSystem fs;
  for (const std::uint64_t length :
       {kWindow - 1, kWindow, kWindow + 1, 3 * kWindow, 9 * kWindow + 5}) {
    SEEDED_RANDOM(random, length);
    const std::string path = std::to_string(length);
    const auto log = create(fs, path);
    const std::string big = random.bytes(length);
    CHECK_OK(log->append("a"));
    CHECK_OK(log->append(big));
    CHECK_OK(log->append("z"));
    CHECK_SAME(log->size_bytes(), length + 2);
    CHECK(content(fs, path).substr(0, length + 2) == "a" + big + "z");
    CHECK_OK(log->close());
    CHECK(content(fs, path) == "a" + big + "z");
  }
}

TEST_CASE("mapped and written logs hold the same bytes", "[base]") {
  STORY("Random appends to a log on disk, one in memory, one unmapped.");
  SEEDED_RANDOM(random, 3);
  const test::TempDir dir;
  SimFileSystem sim;
  SimFileSystem below;
  FaultFileSystem unmapped(below);
  unmapped.inject(
      {.kinds = kAllocate, .sticky = true, .code = Code::not_supported});
  const auto on_disk = create(posix_file_system(), dir / "log");
  const auto in_memory = create(sim, "log");
  const auto written = create(unmapped, "log");
  std::string expected;
  for (std::size_t i = 0; i < 500; i++) {
    const std::string bytes = random.bytes(random.below(2000));
    expected += bytes;
    for (const auto& log : {&on_disk, &in_memory, &written}) {
      REQUIRE_OK((*log)->append(bytes));
      if (i % 100 == 0) REQUIRE_OK((*log)->sync());
    }
  }
  for (const auto& log : {&on_disk, &in_memory, &written}) {
    CHECK_SAME((*log)->size_bytes(), expected.size());
    CHECK_OK((*log)->close());
  }
  CHECK(content(posix_file_system(), dir / "log") == expected);
  CHECK(content(sim, "log") == expected);
  CHECK(content(below, "log") == expected);
  CHECK_SAME(unmapped.operations(kMap), 0u);
  CHECK_SAME(sim.counters().bytes_written, expected.size());
  CHECK_SAME(below.counters().bytes_written, expected.size());
}

TEST_CASE("appends inside a window are no operations", "[base]") {
  STORY("100 appends of 100 bytes; count what the file system sees.");
  SimFileSystem sim;
  FaultFileSystem fs(sim);
  const auto log = create(fs, "log");
  REQUIRE_OK(log->append("first: maps the window"));
  const std::uint64_t before = fs.operations();
  for (int i = 0; i < 100; i++)
    REQUIRE_OK(log->append(std::string(100, 'x')));
  CHECK_SAME(fs.operations(), before);
}

TEST_CASE("a synced log survives the power cut", "[base]") {
  STORY("Append, sync, append; cut the power; the synced part is there.");
  INVARIANT("I2 a power cut keeps what the last sync() covered");
  for (std::uint64_t seed = 0; seed < 200; seed++) {
    INFO("seed: " << seed);
    SimFileSystem fs;
    const auto log = create(fs, "log");
    REQUIRE_OK(fs.sync_dir("/"));
    REQUIRE_OK(log->append("synced"));
    REQUIRE_OK(log->sync());
    REQUIRE_OK(log->append(" and not"));
    fs.power_cycle(CrashModel::any_subset, seed);
    REQUIRE_SAME(content(fs, "log").substr(0, 6), "synced");
    REQUIRE_FALSE(log->sync().has_value());
  }
}

TEST_CASE("a full disk shows at the append that needs room", "[base]") {
  STORY("The second allocation fails; then there is space again.");
  INVARIANT("I4 that append adds nothing; I3 and the segment stays broken");
  SimFileSystem sim;
  FaultFileSystem fs(sim);
  fs.inject(full_disk_from(3));  // create, allocate, and then no more
  const auto log = create(fs, "log");
  const std::string piece(1000, 'x');
  std::string expected;
  Result<void> result;
  while ((result = log->append(piece)))
    expected += piece;
  CHECK_ERROR(result, Code::no_space);
  CHECK(expected.size() >= kWindow);
  CHECK_SAME(log->size_bytes(), expected.size());
  fs.lift();
  CHECK_ERROR(log->append("y"), Code::no_space);
  CHECK_ERROR(log->sync(), Code::no_space);
  CHECK_SAME(log->size_bytes(), expected.size());
  // Nothing of the refused piece was stored.
  const std::string left = content(sim, "log");
  CHECK(left.starts_with(expected));
  CHECK(left.find_first_not_of('\0', expected.size()) == std::string::npos);
  CHECK_ERROR(log->close(), Code::no_space);
  CHECK(content(sim, "log").starts_with(expected));
  CHECK_SAME(fs.open_handles(), 0);
}

TEST_CASE("a full disk refuses the log itself", "[base]") {
  STORY("No space at the creation, then at the first allocation.");
  SimFileSystem sim;
  FaultFileSystem fs(sim);
  for (const std::uint64_t nth : {1u, 2u}) {
    fs.inject(full_disk_from(nth));
    CHECK_ERROR(LogSegment::create(fs, "log", 1), Code::no_space);
    CHECK_SAME(fs.open_handles(), 0);
  }
}

TEST_CASE("a failed sync breaks the segment for good", "[base]") {
  STORY("One sync fails; the next would succeed.");
  INVARIANT("I3 every later call returns that first error");
  SimFileSystem sim;
  FaultFileSystem fs(sim);
  const auto log = create(fs, "log");
  REQUIRE_OK(log->append("a"));
  fs.inject({.kinds = kSync, .effect = Fault::Effect::lost});
  const Result<void> first = log->sync();
  CHECK_ERROR(first, Code::io);
  const std::uint64_t syncs = fs.operations(kSync);
  for (const Result<void>& later :
       {log->sync(), log->append("b"), log->close()}) {
    REQUIRE_FALSE(later.has_value());
    CHECK_SAME(later.error().message, first.error().message);
  }
  CHECK_SAME(fs.operations(kSync), syncs);
}

TEST_CASE("a short write breaks an unmapped segment for good", "[base]") {
  STORY("Without allocation: one append writes half and fails.");
  INVARIANT("I3 every later call returns that first error");
  SimFileSystem sim;
  FaultFileSystem fs(sim);
  fs.inject({.kinds = kAllocate, .code = Code::not_supported});
  const auto log = create(fs, "log");
  REQUIRE_OK(log->append("whole"));
  fs.inject({.kinds = kAppend, .effect = Fault::Effect::half});
  CHECK_ERROR(log->append("broken"), Code::io);
  CHECK_ERROR(log->append("more"), Code::io);
  CHECK_SAME(log->size_bytes(), 5u);
  CHECK_SAME(content(sim, "log"), "wholebro");
}

TEST_CASE("errors of close are reported", "[base]") {
  STORY("The cut fails; then, in another log, the close itself.");
  SimFileSystem sim;
  FaultFileSystem fs(sim);
  for (const OperationKinds kind : {kTruncate, kClose}) {
    fs.lift();
    const auto log = create(fs, "log" + std::to_string(kind));
    REQUIRE_OK(log->append("a"));
    fs.inject({.kinds = kind});
    CHECK_ERROR(log->close(), Code::io);
    CHECK_SAME(fs.open_handles(), 0);
  }
}

TEST_CASE("a killed process leaves every append whole", "[base]") {
  STORY("A child appends as fast as it can; SIGKILL at a random record.");
  INVARIANT("I1 all earlier appends whole, one torn, then zeros");
  SEEDED_RANDOM(random, 11);
  const test::TempDir dir;
  // How many appends the child has seen succeed.
  void* shared =
      ::mmap(nullptr, sizeof(std::atomic<std::uint64_t>),
             PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  REQUIRE(shared != MAP_FAILED);
  auto* const acknowledged = new (shared) std::atomic<std::uint64_t>(0);
  for (std::size_t round = 0; round < test::scaled(20); round++) {
    const std::string path = dir / std::to_string(round);
    *acknowledged = 0;
    const std::uint64_t target = random.below(40'000);
    const pid_t child = ::fork();
    if (child == 0) {
      auto log = LogSegment::create(posix_file_system(), path, 1);
      for (std::uint64_t i = 0; log && (*log)->append(record(i)); i++) {
        acknowledged->store(i + 1);
      }
      ::_exit(1);
    }
    while (*acknowledged < target)
      ::sched_yield();
    ::kill(child, SIGKILL);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));

    const std::string bytes = content(posix_file_system(), path);
    std::size_t at = 0;
    std::uint64_t whole = 0;
    for (std::string next = record(0);
         bytes.compare(at, next.size(), next) == 0; next = record(whole)) {
      at += next.size();
      whole++;
    }
    CHECK(whole >= *acknowledged);
    // One record may be torn; behind it nothing was ever stored.
    const std::size_t rest = std::min(at + record(whole).size(), bytes.size());
    REQUIRE(bytes.find_first_not_of('\0', rest) == std::string::npos);
  }
  ::munmap(shared, sizeof(std::atomic<std::uint64_t>));
}
