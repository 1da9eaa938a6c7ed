#include "base/fault_file_system.h"

#include <memory>
#include <string>

#include "base/sim_file_system.h"
#include "support/catch.h"
#include "support/teach.h"

using namespace lsm;
using Mode = FileSystem::Mode;
using Effect = Fault::Effect;

namespace {

std::unique_ptr<File> create(FileSystem& fs, const std::string& path) {
  auto file = fs.open(path, Mode::create);
  REQUIRE_OK(file);
  return std::move(*file);
}

std::string content(FileSystem& fs, const std::string& path) {
  const auto bytes = read_file(fs, path);
  REQUIRE_OK(bytes);
  return *bytes;
}

}  // namespace

TEST_CASE("the nth operation of its kinds fails, once", "[base]") {
  STORY("Fail the third of append and sync; reads are another kind.");
  SimFileSystem sim;
  FaultFileSystem fs(sim);
  const auto file = create(fs, "a");
  fs.inject({.kinds = kAppend | kSync, .nth = 3});
  char buffer[1] = {};
  CHECK_OK(file->append("1"));
  CHECK_OK(file->read_at(0, buffer));
  CHECK_OK(file->sync());
  const Result<void> third = file->append("2");
  CHECK_ERROR(third, Code::io);
  CHECK_SAME(third.error().message, "a: injected fault: append");
  CHECK_OK(file->append("3"));
  CHECK_SAME(content(sim, "a"), "13");
  CHECK_SAME(fs.operations(kAppend), 3u);
  CHECK_SAME(fs.operations(kAppend | kSync), 4u);
  CHECK_SAME(fs.operations(kRead), 1u);
}

TEST_CASE("a sticky fault stays until it is lifted", "[base]") {
  STORY("A disk that is full from the second operation that takes space.");
  SimFileSystem sim;
  FaultFileSystem fs(sim);
  const auto file = create(fs, "a");
  fs.inject(full_disk_from(2));
  CHECK_OK(file->append("one"));
  CHECK_ERROR(file->append("four"), Code::no_space);
  CHECK_ERROR(file->allocate(100), Code::no_space);
  CHECK_ERROR(fs.open("b", Mode::create), Code::no_space);
  CHECK_ERROR(fs.create_dir("d"), Code::no_space);
  CHECK_OK(file->sync());
  CHECK_SAME(content(fs, "a"), "onefo");  // a short write
  CHECK_OK(fs.remove("a"));
  fs.lift();
  CHECK_OK(fs.open("b", Mode::create));
}

TEST_CASE("every operation can fail, without effect", "[base]") {
  STORY("For each kind: inject, call, and see that nothing happened.");
  SimFileSystem sim;
  FaultFileSystem fs(sim);
  const auto file = create(fs, "a");
  REQUIRE_OK(file->allocate(100));
  char buffer[1] = {};
  const auto fails = [&](OperationKinds kind, auto call) {
    fs.inject({.kinds = kind});
    const auto result = call();
    INFO("kind " << kind);
    CHECK_ERROR(result, Code::io);
  };
  const std::uint64_t before = sim.operations();
  fails(kOpen, [&] { return fs.open("a", Mode::read); });
  fails(kCreate, [&] { return fs.open("b", Mode::create); });
  fails(kRead, [&] { return file->read_at(0, buffer); });
  fails(kAppend, [&] { return file->append("x"); });
  fails(kSync, [&] { return file->sync(); });
  fails(kAllocate, [&] { return file->allocate(200); });
  fails(kTruncate, [&] { return file->truncate(0); });
  fails(kMap, [&] { return file->map(0, 10); });
  fails(kRename, [&] { return fs.rename("a", "b"); });
  fails(kLink, [&] { return fs.link("a", "b"); });
  fails(kRemove, [&] { return fs.remove("a"); });
  fails(kCreateDir, [&] { return fs.create_dir("d"); });
  fails(kList, [&] { return fs.list("/"); });
  fails(kList, [&] { return fs.exists("a"); });
  fails(kSyncDir, [&] { return fs.sync_dir("/"); });
  fails(kLock, [&] { return fs.lock("LOCK"); });
  CHECK_SAME(sim.operations(), before);
  fails(kClose, [&] { return file->close(); });
}

TEST_CASE("a sync may report failure and have happened", "[base]") {
  STORY("Effect done: the bytes are durable all the same.");
  for (std::uint64_t seed = 0; seed < 50; seed++) {
    SimFileSystem sim;
    FaultFileSystem fs(sim);
    const auto file = create(fs, "a");
    REQUIRE_OK(fs.sync_dir("/"));
    REQUIRE_OK(file->append("x"));
    fs.inject({.kinds = kSync, .effect = Effect::done});
    CHECK_ERROR(file->sync(), Code::io);
    sim.power_cycle(CrashModel::ordered, seed);
    REQUIRE_SAME(content(sim, "a"), "x");
  }
}

TEST_CASE("a sync may lose the bytes, and lie ever after", "[base]") {
  STORY("Effect lost: a second sync succeeds, the bytes are not durable.");
  INVARIANT("I2 that file's later syncs report success and do nothing");
  bool lost = false;
  for (std::uint64_t seed = 0; seed < 50; seed++) {
    SimFileSystem sim;
    FaultFileSystem fs(sim);
    const auto file = create(fs, "a");
    REQUIRE_OK(fs.sync_dir("/"));
    REQUIRE_OK(file->append("x"));
    fs.inject({.kinds = kSync, .effect = Effect::lost});
    CHECK_ERROR(file->sync(), Code::io);
    CHECK_OK(file->sync());
    sim.power_cycle(CrashModel::ordered, seed);
    lost = lost || content(sim, "a").empty();
  }
  CHECK(lost);
}

TEST_CASE("a rename may be reported as failed and have happened", "[base]") {
  STORY("Effect done, on a rename.");
  SimFileSystem sim;
  FaultFileSystem fs(sim);
  create(fs, "a");
  fs.inject({.kinds = kRename, .effect = Effect::done});
  CHECK_ERROR(fs.rename("a", "b"), Code::io);
  CHECK_SAME(sim.exists("b").value(), true);
}

TEST_CASE("open handles are counted", "[base]") {
  STORY("Open, lock, close, destroy, fail to open.");
  INVARIANT("I3 back at the baseline when all are closed or dead");
  SimFileSystem sim;
  FaultFileSystem fs(sim);
  {
    const auto file = create(fs, "a");
    const auto lock = fs.lock("LOCK");
    REQUIRE_OK(lock);
    CHECK_SAME(fs.open_handles(), 2);
    CHECK_OK(file->close());
    CHECK_SAME(fs.open_handles(), 1);
    CHECK_OK(file->close());
    CHECK_FALSE(fs.open("none", Mode::read).has_value());
    CHECK_SAME(fs.open_handles(), 1);
    // A close that fails has closed all the same.
    const auto second = fs.open("a", Mode::read);
    REQUIRE_OK(second);
    fs.inject({.kinds = kClose});
    CHECK_ERROR((*second)->close(), Code::io);
    CHECK_SAME(fs.open_handles(), 1);
  }
  CHECK_SAME(fs.open_handles(), 0);
}
