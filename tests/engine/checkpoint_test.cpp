// Db::checkpoint: a second store by hard links, while the first one goes on.
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include <fmt/format.h>

#include "base/executor.h"
#include "base/fault_file_system.h"
#include "base/posix_file_system.h"
#include "base/sim_file_system.h"
#include "lsm/db.h"
#include "support/catch.h"
#include "support/random.h"
#include "support/teach.h"
#include "support/temp_dir.h"
#include "support/threads.h"

namespace lsm::test {
namespace {

using Rows = std::map<std::string, std::string>;

Options small_options(FileSystem* fs) {
  Options options;
  options.file_system = fs;
  options.write_buffer_size_bytes = 16 << 10;
  options.target_file_size_bytes = 16 << 10;
  options.base_level_size_bytes = 64 << 10;
  return options;
}

Rows rows_of(Db& db) {
  Rows rows;
  const auto it = db.scan();
  for (it->seek_to_first(); it->valid(); it->next())
    rows.emplace(it->key(), it->value());
  REQUIRE_OK(it->status());
  return rows;
}

void write_some(Db& db, Random& random, Rows& rows, int count) {
  for (int i = 0; i < count; ++i) {
    const std::string key = "key" + std::to_string(random.below(1000));
    if (random.one_in(5)) {
      REQUIRE_OK(db.remove(key));
      rows.erase(key);
    } else {
      rows[key] = random.text(40);
      REQUIRE_OK(db.put(key, rows[key]));
    }
  }
}

}  // namespace

TEST_CASE("a checkpoint is a store of its own", "[engine][checkpoint]") {
  STORY("Checkpoint, write on, compact; open the copy, write to it as well.");
  SEEDED_RANDOM(random, 4101);
  const TempDir dir;
  const Options options = small_options(nullptr);
  auto db = Db::open(dir / "store", options);
  REQUIRE_OK(db);
  Rows rows;
  write_some(**db, random, rows, 3000);
  REQUIRE_OK((*db)->checkpoint(dir / "copy"));
  const Rows then = rows;
  write_some(**db, random, rows, 3000);
  REQUIRE_OK((*db)->compact());  // unlinks every table that is shared

  auto copy = Db::open(dir / "copy", options);
  REQUIRE_OK(copy);
  CHECK(rows_of(**copy) == then);
  REQUIRE_OK((*copy)->verify());
  Rows other = then;
  write_some(**copy, random, other, 3000);
  REQUIRE_OK((*copy)->compact());
  CHECK(rows_of(**copy) == other);
  CHECK(rows_of(**db) == rows);
  REQUIRE_OK((*db)->verify());
  REQUIRE_OK((*copy)->close());
  REQUIRE_OK((*db)->close());
  copy = Db::open(dir / "copy", options);
  REQUIRE_OK(copy);
  CHECK(rows_of(**copy) == other);
}

TEST_CASE("a checkpoint beside a writer holds a prefix of what it wrote",
          "[engine][checkpoint]") {
  STORY("One thread puts 0, 1, 2 …; the other makes checkpoints meanwhile.");
  INVARIANT("I1 of checkpoint.h: the copy holds the first m operations");
  const TempDir dir;
  const Options options = small_options(nullptr);
  auto db = Db::open(dir / "store", options);
  REQUIRE_OK(db);
  constexpr int kCopies = 8;
  std::atomic<int> acknowledged = 0;
  std::atomic<bool> done = false;
  int at_least[kCopies] = {};
  const auto key_of = [](int i) { return fmt::format("{:08}", i); };
  run_threads(2, [&](int thread, const std::atomic<bool>& stop) {
    if (thread == 0) {
      for (int i = 1; !done.load() && !stop; ++i) {
        expect((*db)->put(key_of(i), "value").has_value(), "a put failed");
        acknowledged.store(i);
      }
      return;
    }
    for (int i = 0; i < kCopies; ++i) {
      at_least[i] = acknowledged.load();
      const auto made = (*db)->checkpoint(dir / ("copy" + std::to_string(i)));
      expect(made.has_value(), "a checkpoint failed");
    }
    done.store(true);
  });
  for (int i = 0; i < kCopies; ++i) {
    auto copy = Db::open(dir / ("copy" + std::to_string(i)), options);
    REQUIRE_OK(copy);
    int m = 0;
    for (const auto& [key, value] : rows_of(**copy))
      REQUIRE_SAME(key, key_of(++m));
    CHECK(m >= at_least[i]);
    CHECK(m <= acknowledged.load());
  }
}

TEST_CASE("a checkpoint into what is there is refused",
          "[engine][checkpoint]") {
  STORY("Into the store's own folder, a folder with a file, a file.");
  const TempDir dir;
  auto db = Db::open(dir / "store", small_options(nullptr));
  REQUIRE_OK(db);
  REQUIRE_OK((*db)->put("a", "1"));
  REQUIRE_OK((*db)->checkpoint(dir / "copy"));
  for (const char* taken : {"store", "copy", "copy/CURRENT"}) {
    CHECK_ERROR((*db)->checkpoint(dir / taken), Code::invalid_argument);
  }
  CHECK_ERROR((*db)->checkpoint(dir / "no/such/folder"), Code::not_found);
  auto copy = Db::open(dir / "copy", small_options(nullptr));
  REQUIRE_OK(copy);
  CHECK(rows_of(**copy) == Rows{{"a", "1"}});
}

TEST_CASE("an interrupted checkpoint does not open", "[engine][checkpoint]") {
  STORY("Power fails at each operation of a checkpoint in turn.");
  INVARIANT("I2 of checkpoint.h: CURRENT comes last");
  SEEDED_RANDOM(random, 4102);
  SimFileSystem disk;
  const auto executor = make_stepped_executor(1);
  Options options = small_options(&disk);
  options.executor = executor.get();
  Rows rows;
  {
    auto db = Db::open("store", options);
    REQUIRE_OK(db);
    write_some(**db, random, rows, 1500);
    REQUIRE_OK((*db)->close());
  }
  int whole = 0;
  int refused = 0;
  bool ended = false;
  for (std::uint64_t n = 1; !ended; ++n) {
    for (const CrashModel model :
         {CrashModel::ordered, CrashModel::any_subset}) {
      const auto trial = disk.clone();
      options.file_system = trial.get();
      {
        auto db = Db::open("store", options);
        REQUIRE_OK(db);
        REQUIRE_OK((*db)->flush());
        trial->cut_power_at(trial->operations() + n);
        const auto made = (*db)->checkpoint("copy");
        ended = made.has_value();
      }
      trial->power_cycle(model, n);
      auto db = Db::open("store", options);  // none the worse
      REQUIRE_OK(db);
      CHECK(rows_of(**db) == rows);
      Options existing = options;
      existing.create_if_missing = false;
      auto copy = Db::open("copy", existing);
      refused += copy ? 0 : 1;
      if (ended) REQUIRE_OK(copy);
      if (!copy) continue;
      ++whole;
      CHECK(rows_of(**copy) == rows);
      REQUIRE_OK((*copy)->verify());
    }
  }
  CHECK(whole >= 2);
  CHECK(refused > 10);
}

TEST_CASE("a checkpoint that fails leaves nothing behind",
          "[engine][checkpoint]") {
  STORY("The third hard link fails.");
  SEEDED_RANDOM(random, 4103);
  SimFileSystem disk;
  FaultFileSystem faults(disk);
  const auto executor = make_stepped_executor(1);
  Options options = small_options(&faults);
  options.executor = executor.get();
  auto db = Db::open("store", options);
  REQUIRE_OK(db);
  Rows rows;
  write_some(**db, random, rows, 3000);
  REQUIRE_OK((*db)->flush());
  faults.inject({.kinds = kLink, .nth = 3});
  CHECK_ERROR((*db)->checkpoint("copy"), Code::io);
  const auto left = disk.list("copy");
  REQUIRE_OK(left);
  CHECK(left->empty());
  CHECK(rows_of(**db) == rows);
  REQUIRE_OK((*db)->close());
}

}  // namespace lsm::test
