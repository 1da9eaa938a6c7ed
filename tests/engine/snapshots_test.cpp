// Snapshots of the whole engine: what they see never changes, and what they
// keep goes when they do.
#include <fmt/format.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/executor.h"
#include "base/sim_file_system.h"
#include "lsm/db.h"
#include "support/catch.h"
#include "support/random.h"
#include "support/teach.h"
#include "support/threads.h"

namespace lsm::test {
namespace {

constexpr std::array kStyles = {
    CompactionStyle::leveled, CompactionStyle::tiered, CompactionStyle::simple};

using Rows = std::map<std::string, std::string>;

Options small_options(FileSystem& fs, CompactionStyle style) {
  Options options;
  options.file_system = &fs;
  options.compaction_style = style;
  options.write_buffer_size_bytes = 16 << 10;
  options.target_file_size_bytes = 16 << 10;
  options.base_level_size_bytes = 64 << 10;
  options.level_size_multiplier = 4;
  options.tiered_max_runs = 6;
  options.compression = Compression::none;
  return options;
}

void write_some(Db& db, Random& random, Rows& rows, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const std::string key = "key" + std::to_string(random.below(500));
    if (random.one_in(6)) {
      REQUIRE_OK(db.remove(key));
      rows.erase(key);
    } else {
      rows[key] = random.text(60);
      REQUIRE_OK(db.put(key, rows[key]));
    }
  }
}

// The bytes of a scan, forward and backward.
template <class Source>
void check_rows(Source& source, const Rows& rows) {
  const auto it = source.scan(ScanRange{});
  auto expected = rows.begin();
  for (it->seek_to_first(); it->valid(); it->next(), ++expected) {
    REQUIRE(expected != rows.end());
    REQUIRE_SAME(it->key(), expected->first);
    REQUIRE_SAME(it->value(), expected->second);
  }
  REQUIRE(expected == rows.end());
  auto backward = rows.rbegin();
  for (it->seek_to_last(); it->valid(); it->prev(), ++backward) {
    REQUIRE(backward != rows.rend());
    REQUIRE_SAME(it->key(), backward->first);
    REQUIRE_SAME(it->value(), backward->second);
  }
  REQUIRE(backward == rows.rend());
  REQUIRE_OK(it->status());
}

std::uint64_t table_bytes(Db& db) {
  std::uint64_t bytes = 0;
  for (const LevelStats& level : db.stats().levels)
    bytes += level.size_bytes;
  return bytes;
}

// The tables of a store that never held anything but `rows`.
std::uint64_t fresh_bytes(const Rows& rows, CompactionStyle style) {
  SimFileSystem fs;
  auto db = Db::open("db", small_options(fs, style));
  REQUIRE_OK(db);
  for (const auto& [key, value] : rows)
    REQUIRE_OK((*db)->put(key, value));
  REQUIRE_OK((*db)->compact());
  const std::uint64_t bytes = table_bytes(**db);
  REQUIRE_OK((*db)->close());
  return bytes;
}

}  // namespace

TEST_CASE("a hundred snapshots each read their own moment for as long as held",
          "[engine][snapshots]") {
  STORY(
      "A hundred times: 200 random writes, a snapshot; flushes and "
      "compactions in between. Then they are given up in random order.");
  INVARIANT("lsm/snapshot.h: whatever happens meanwhile, it reads the same");
  SEEDED_RANDOM(random, 3101);
  const CompactionStyle style = GENERATE(from_range(kStyles));
  SimFileSystem fs;
  auto db = Db::open("db", small_options(fs, style));
  REQUIRE_OK(db);
  Rows rows;
  std::vector<std::pair<SnapshotPtr, Rows>> held;
  for (std::size_t i = 0; i < 100; ++i) {
    write_some(**db, random, rows, scaled(200));
    auto snapshot = (*db)->snapshot();
    REQUIRE_OK(snapshot);
    held.emplace_back(std::move(*snapshot), rows);
    if (i % 10 == 3) REQUIRE_OK((*db)->flush());
    if (i % 25 == 7) REQUIRE_OK((*db)->compact());
    const auto& [one, then] = random.pick(held);
    check_rows(*one, then);
  }
  CHECK_SAME((*db)->stats().snapshots, 100u);
  REQUIRE_OK((*db)->compact());
  for (const auto& [snapshot, then] : held)
    check_rows(*snapshot, then);
  while (!held.empty()) {
    std::swap(random.pick(held), held.back());
    held.pop_back();
    if (held.size() % 10 != 0) continue;
    REQUIRE_OK((*db)->compact());
    for (const auto& [snapshot, then] : held)
      check_rows(*snapshot, then);
  }
  check_rows(**db, rows);
  REQUIRE_OK((*db)->verify());
  REQUIRE_OK((*db)->close());
}

TEST_CASE("when snapshots are given up their space returns by itself",
          "[engine][snapshots]") {
  STORY(
      "Fifty generations of 500 keys, a snapshot of each, all at the bottom; "
      "then nothing is held any more, and nobody asks for a compaction.");
  SEEDED_RANDOM(random, 3102);
  const CompactionStyle style = GENERATE(from_range(kStyles));
  SimFileSystem fs;
  Options options = small_options(fs, style);
  options.target_file_size_bytes = 1 << 20;  // 500 keys are far less than one
  auto db = Db::open("db", options);
  REQUIRE_OK(db);
  Rows rows;
  std::vector<SnapshotPtr> held;
  for (int generation = 0; generation < 50; ++generation) {
    for (int i = 0; i < 500; ++i) {
      const std::string key = "key" + std::to_string(i);
      rows[key] = random.text(60);
      REQUIRE_OK((*db)->put(key, rows[key]));
    }
    auto snapshot = (*db)->snapshot();
    REQUIRE_OK(snapshot);
    held.push_back(std::move(*snapshot));
  }
  REQUIRE_OK((*db)->compact());
  const std::uint64_t fresh = fresh_bytes(rows, style);
  CHECK(table_bytes(**db) > 40 * fresh);
  held.clear();
  REQUIRE_OK((*db)->wait_idle());
  const std::uint64_t after = table_bytes(**db);
  INFO("bytes of tables: " << after << ", of a fresh store: " << fresh);
  CHECK(after <= fresh + fresh / 20);
  check_rows(**db, rows);
  REQUIRE_OK((*db)->close());
}

TEST_CASE("what a compaction filter takes, a snapshot taken meanwhile keeps",
          "[engine][snapshots]") {
  STORY(
      "The filter gives every row up. While it is asked of the first one, "
      "somebody takes a snapshot.");
  INVARIANT(
      "I7 of engine.h: what a compaction filter takes, no snapshot misses");
  class Meddler final : public CompactionFilter {
   public:
    bool keep(const InternalKey&, std::string_view) const override {
      if (db != nullptr && !snapshot) snapshot = *db->snapshot();
      return false;
    }
    Db* db = nullptr;
    mutable SnapshotPtr snapshot;
  };
  const auto filter = std::make_shared<Meddler>();
  SimFileSystem fs;
  Options options = small_options(fs, CompactionStyle::leveled);
  options.compaction_filter = filter;
  auto db = Db::open("db", options);
  REQUIRE_OK(db);
  Rows rows;
  for (int i = 0; i < 100; ++i) {
    rows[fmt::format("key{:03}", i)] = "value";
    REQUIRE_OK((*db)->put(fmt::format("key{:03}", i), "value"));
  }
  auto before = (*db)->snapshot();
  REQUIRE_OK(before);
  REQUIRE_OK((*db)->compact());  // the filter is not asked: `before` sees all
  CHECK(filter->snapshot == nullptr);
  check_rows(**before, rows);
  before->reset();
  REQUIRE_OK((*db)->put("key100", "value"));  // else there is nothing to merge
  rows["key100"] = "value";
  filter->db = db->get();
  REQUIRE_OK((*db)->compact());
  REQUIRE(filter->snapshot != nullptr);
  check_rows(*filter->snapshot, rows);
  check_rows(**db, {});
  filter->snapshot.reset();
  REQUIRE_OK((*db)->close());
}

TEST_CASE("close names the snapshots that are open, and they outlive the Db",
          "[engine][snapshots]") {
  STORY("A snapshot, a scan of it, a transaction; close; then the Db dies.");
  SimFileSystem fs;
  auto db = Db::open("db", small_options(fs, CompactionStyle::leveled));
  REQUIRE_OK(db);
  REQUIRE_OK((*db)->put("a", "1"));
  auto snapshot = (*db)->snapshot();
  REQUIRE_OK(snapshot);
  auto transaction = (*db)->begin();
  REQUIRE_OK(transaction);
  REQUIRE_OK((*transaction)->put("b", "2"));
  auto scan = (*snapshot)->scan();
  const auto busy = (*db)->close();
  CHECK_ERROR(busy, Code::busy);
  CHECK(busy.error().message.find("1 iterators and 2 snapshots") !=
        std::string::npos);
  db->reset();
  scan->seek_to_first();
  REQUIRE(scan->valid());
  CHECK_SAME(scan->value(), "1");
  CHECK_ERROR((*snapshot)->get("a"), Code::closed);
  CHECK_ERROR((*snapshot)->scan()->status(), Code::closed);
  CHECK_ERROR((*transaction)->get("a"), Code::closed);
  CHECK_ERROR((*transaction)->commit(), Code::closed);
}

TEST_CASE("snapshots beside a writer and compactions each read one moment",
          "[engine][snapshots][threads]") {
  STORY(
      "A writer puts generation g into all of 50 keys by one batch each; "
      "readers take snapshots and read all keys twice.");
  const CompactionStyle style = GENERATE(from_range(kStyles));
  SimFileSystem fs;
  auto db = Db::open("db", small_options(fs, style));
  REQUIRE_OK(db);
  constexpr int kKeys = 50;
  const int generations = static_cast<int>(scaled(600));
  const auto key_of = [](int i) { return fmt::format("key{:02}", i); };
  const auto write = [&](int generation) {
    WriteBatch batch;
    const std::string value = fmt::format("{:0100}", generation);
    for (int i = 0; i < kKeys; ++i)
      batch.put(key_of(i), value);
    expect((*db)->write(batch).has_value(), "a write failed");
  };
  write(0);
  std::atomic<bool> done = false;
  run_threads(3, [&](int thread, const std::atomic<bool>& stop) {
    if (thread == 0) {
      for (int g = 1; g <= generations && !stop; ++g)
        write(g);
      done.store(true);
      return;
    }
    std::vector<std::pair<SnapshotPtr, std::string>> held;
    const auto value_of = [](const Snapshot& snapshot, const std::string& key) {
      const auto value = snapshot.get(key);
      expect(value && *value, "a snapshot did not find " + key);
      return **value;
    };
    while (!done.load() && !stop) {
      auto snapshot = (*db)->snapshot();
      expect(snapshot.has_value(), "no snapshot");
      std::string value = value_of(**snapshot, key_of(0));
      held.emplace_back(std::move(*snapshot), std::move(value));
      if (held.size() > 20) held.erase(held.begin());
      for (const auto& [one, then] : held) {
        expect(value_of(*one, key_of(kKeys - 1)) == then,
               "a snapshot saw two generations");
      }
    }
  });
  REQUIRE_OK((*db)->close());
}

}  // namespace lsm::test
