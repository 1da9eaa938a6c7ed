// `lsm repair`: damage each kind of file, and what verifies is in the new
// store, all of it and nothing else; what is not there was named; the damaged
// store is as it was.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/block_cache.h"
#include "base/file_names.h"
#include "base/filter_policy.h"
#include "base/posix_file_system.h"
#include "base/sim_file_system.h"
#include "batch.h"
#include "engine/repair.h"
#include "log_reader.h"
#include "lsm/db.h"
#include "manifest.h"
#include "run_tool.h"
#include "support/catch.h"
#include "support/random.h"
#include "support/teach.h"
#include "table.h"

namespace lsm::test {
namespace {

using Rows = std::map<std::string, std::string>;

constexpr const char* kExact =
    "I1 of repair.h: every entry that verifies, and nothing else";
constexpr const char* kUntouched = "I2 of repair.h: the source does not change";
constexpr const char* kNamed = "I3 of repair.h: what was not taken is named";

Options options_on(FileSystem& fs) {
  Options options;
  options.file_system = &fs;
  options.block_size_bytes = 512;
  options.compression = Compression::none;
  options.filter_bits_per_key = 0;
  options.block_cache_bytes = 1 << 20;
  options.write_buffer_size_bytes = 1 << 20;
  return options;
}

std::string key_of(int i) {
  return fmt::format("key{:04}", i);
}

// 300 rows in a table at the bottom, 100 of them again and some removed in a
// table of level 0, and 12 batches of two rows in a log. Killed.
struct Store {
  Store() {
    auto db = Db::open("db", options_on(fs));
    REQUIRE_OK(db);
    for (int i = 0; i < 300; ++i)
      put(**db, key_of(i), "old" + key_of(i));
    REQUIRE_OK((*db)->compact());
    for (int i = 0; i < 100; ++i)
      put(**db, key_of(3 * i), "new" + key_of(i));
    for (int i = 0; i < 20; ++i) {
      REQUIRE_OK((*db)->remove(key_of(7 * i)));
      rows.erase(key_of(7 * i));
    }
    REQUIRE_OK((*db)->flush());
    for (int i = 0; i < 12; ++i) {
      WriteBatch batch;
      for (const char* half : {"a", "b"}) {
        const std::string key = fmt::format("log{:02}{}", i, half);
        batch.put(key, "value of " + key);
        rows[key] = "value of " + key;
        versions[key].insert(rows[key]);
      }
      REQUIRE_OK((*db)->write(batch));
    }
    disk = fs.clone();
  }

  void put(Db& db, const std::string& key, const std::string& value) {
    REQUIRE_OK(db.put(key, value));
    rows[key] = value;
    versions[key].insert(value);
  }

  SimFileSystem fs;  // of the store that is still open
  std::unique_ptr<SimFileSystem> disk;
  Rows rows;
  std::map<std::string, std::set<std::string>> versions;  // ever written
};

std::vector<std::string> files_ending(FileSystem& fs, std::string_view suffix) {
  const auto names = fs.list("db");
  REQUIRE_OK(names);
  std::vector<std::string> found;
  for (const std::string& name : *names) {
    if (name.ends_with(suffix)) found.push_back("db/" + name);
  }
  return found;
}

Rows contents(FileSystem& fs, const std::string& folder) {
  const auto names = fs.list(folder);
  REQUIRE_OK(names);
  Rows files;
  for (const std::string& name : *names) {
    const auto bytes = read_file(fs, join_path(folder, name));
    REQUIRE_OK(bytes);
    files[name] = *bytes;
  }
  return files;
}

void flip_byte(SimFileSystem& fs, const std::string& path, std::uint64_t at) {
  for (std::uint64_t bit = 0; bit < 8; ++bit) {
    REQUIRE_OK(fs.flip_bit(path, 8 * at + bit));
  }
}

// Repairs db into new; the source must be as before.
Result<RepairReport> repair(SimFileSystem& fs) {
  const Rows before = contents(fs, "db");
  auto report = repair_store(fs, "db", "new", options_on(fs));
  INVARIANT(kUntouched);
  CHECK((contents(fs, "db") == before));
  return report;
}

Rows rows_of(FileSystem& fs, const std::string& folder) {
  Options options = options_on(fs);
  options.create_if_missing = false;
  auto db = Db::open(folder, options);
  REQUIRE_OK(db);
  REQUIRE_OK((*db)->verify());
  Rows rows;
  {
    const auto it = (*db)->scan();
    for (it->seek_to_first(); it->valid(); it->next()) {
      rows[std::string(it->key())] = std::string(it->value());
    }
    REQUIRE_OK(it->status());
  }
  for (const auto& [key, value] : rows) {
    REQUIRE_SAME((*db)->get(key).value(), std::optional<std::string>(value));
  }
  REQUIRE_OK((*db)->close());
  return rows;
}

bool lost_names(const RepairReport& report, const std::string& what) {
  return std::ranges::any_of(report.lost, [&](const std::string& lost) {
    return lost.find(what) != std::string::npos;
  });
}

// "db/000007.sst" as what its store would open.
std::shared_ptr<const Table> open_table(FileSystem& fs, const std::string& path,
                                        const BlockCache& cache) {
  static const NoFilter filter;
  const auto state = read_manifest(fs, "db");
  REQUIRE_OK(state);
  const auto name = parse_file_name(path.substr(3));
  REQUIRE(name.has_value());
  auto table = Table::open(fs, path, {(**state).store_id, name->number},
                           {&filter, const_cast<BlockCache*>(&cache)});
  REQUIRE_OK(table);
  return *table;
}

}  // namespace

TEST_CASE("a sound store is copied whole", "[engine][repair]") {
  STORY("Repair a killed store with two tables and a log; use the new one.");
  INVARIANT(kExact);
  const Store store;
  const auto report = repair(*store.disk);
  REQUIRE_OK(report);
  CHECK_SAME(report->lost, std::vector<std::string>());
  CHECK_SAME(report->tables, 2u);
  CHECK_SAME(report->batches, 12u);
  CHECK((rows_of(*store.disk, "new") == store.rows));
  // Versions and tombstones, too: 300, 100 and 20, and the log's 24.
  CHECK_SAME(report->entries, 444u);

  auto db = Db::open("new", options_on(*store.disk));
  REQUIRE_OK(db);
  CHECK_SAME((*db)->stats().last_sequence, Sequence{444});
  REQUIRE_OK((*db)->put(key_of(1), "newest"));
  REQUIRE_OK((*db)->compact());
  CHECK_SAME((*db)->get(key_of(1)).value(),
             std::optional<std::string>("newest"));
  REQUIRE_OK((*db)->close());
}

TEST_CASE("of a table all blocks but the damaged ones are taken",
          "[engine][repair]") {
  STORY("Each block of each table is damaged in turn.");
  const Store store;
  const auto cache = make_no_cache();
  for (const std::string& path : files_ending(*store.disk, ".sst")) {
    const auto table = open_table(*store.disk, path, *cache);
    for (std::size_t block = 0; block < table->index().size(); ++block) {
      const auto handle = table->index().handle(block);
      // What stands in it, read while it is whole.
      std::set<std::string> keys;
      std::uint64_t entries = 0;
      {
        const auto pin = table->read_block(block, table->cache(), true);
        REQUIRE_OK(pin);
        BlockIterator entry;
        entry.reset(Block::trusted(pin->bytes()));
        for (entry.seek_to_first(); entry.valid(); entry.next()) {
          keys.insert(std::string(entry.key().user));
          ++entries;
        }
      }
      const auto fs = store.disk->clone();
      flip_byte(*fs, path, handle.offset + handle.size_bytes / 2);
      const auto report = repair(*fs);
      REQUIRE_OK(report);
      INVARIANT(kNamed);
      CHECK_SAME(report->lost.size(), 1u);
      CHECK(lost_names(*report,
                       fmt::format("{}: offset {}: ", path, handle.offset)));
      INVARIANT(kExact);
      CHECK_SAME(report->entries, 444u - entries);
      const Rows seen = rows_of(*fs, "new");
      for (const auto& [key, value] : store.rows) {
        if (keys.contains(key)) continue;
        const auto row = seen.find(key);
        REQUIRE(row != seen.end());
        CHECK_SAME(row->second, value);
      }
      // A key of the block is gone, or an older version of it is back.
      for (const auto& [key, value] : seen) {
        const auto row = store.rows.find(key);
        if (row != store.rows.end() && row->second == value) continue;
        CHECK(keys.contains(key));
        CHECK(store.versions.at(key).contains(value));
      }
    }
  }
}

TEST_CASE("a table without its end is lost, the others are not",
          "[engine][repair]") {
  STORY("Each table in turn is cut by a byte, or is gone.");
  INVARIANT(kNamed);
  const Store store;
  for (const std::string& path : files_ending(*store.disk, ".sst")) {
    for (const bool gone : {true, false}) {
      const auto fs = store.disk->clone();
      const auto bytes = read_file(*fs, path);
      REQUIRE_OK(bytes);
      if (gone) REQUIRE_OK(fs->remove(path));
      if (!gone) REQUIRE_OK(fs->truncate_to(path, bytes->size() - 1));
      const auto report = repair(*fs);
      REQUIRE_OK(report);
      CHECK_SAME(report->tables, 1u);
      CHECK_SAME(report->lost.size(), 1u);
      CHECK(lost_names(*report, path));
      CHECK((report->entries == 324u || report->entries == 144u));
    }
  }
}

TEST_CASE("of a log all batches but the damaged one are taken",
          "[engine][repair]") {
  STORY("Each of 12 batches is damaged in turn; the others verify.");
  const Store store;
  const std::string path = files_ending(*store.disk, ".log").back();
  const auto file = log_identity(*store.disk, path);
  REQUIRE_OK(file);
  std::vector<std::pair<std::uint64_t, std::size_t>> batches;
  REQUIRE_OK(read_log(*store.disk, path, **file,
                      [&](std::uint64_t offset, std::string_view record) {
                        batches.emplace_back(
                            offset, kRecordHeaderSizeBytes + record.size());
                        return Result<void>();
                      }));
  REQUIRE_SAME(batches.size(), 12u);
  for (std::size_t i = 0; i < batches.size(); ++i) {
    const auto& [offset, size] = batches[i];
    // In the header, in the payload, and all of it as zeros.
    for (const int way : {0, 1, 2}) {
      const auto fs = store.disk->clone();
      if (way == 0) flip_byte(*fs, path, offset + 9);
      if (way == 1) flip_byte(*fs, path, offset + 20);
      if (way == 2) {
        auto bytes = read_file(*fs, path);
        REQUIRE_OK(bytes);
        std::fill_n(bytes->begin() + static_cast<std::ptrdiff_t>(offset), size,
                    '\0');
        REQUIRE_OK(fs->remove(path));
        auto log = fs->open(path, FileSystem::Mode::create);
        REQUIRE_OK(log);
        REQUIRE_OK((*log)->append(*bytes));
      }
      const auto report = repair(*fs);
      REQUIRE_OK(report);
      Rows expected = store.rows;
      expected.erase(fmt::format("log{:02}a", i));
      expected.erase(fmt::format("log{:02}b", i));
      INVARIANT(kExact);
      CHECK((rows_of(*fs, "new") == expected));
      CHECK_SAME(report->batches, 11u);
      INVARIANT(kNamed);
      // Zeros at the very end are space that was never used.
      if (way == 2 && i + 1 == batches.size()) continue;
      CHECK_SAME(report->lost,
                 std::vector{fmt::format("{}: offset {}: {} bytes hold no "
                                         "record",
                                         path, offset, size)});
    }
  }
}

TEST_CASE("without CURRENT or manifest the files speak for themselves",
          "[engine][repair]") {
  STORY("CURRENT is gone; it is damaged; the manifest is; both are gone.");
  const Store store;
  const std::string manifest = files_ending(*store.disk, ".manifest").back();
  const std::string current = "db/CURRENT";
  for (const int way : {0, 1, 2, 3}) {
    const auto fs = store.disk->clone();
    if (way == 0) REQUIRE_OK(fs->remove(current));
    if (way == 1) flip_byte(*fs, current, 3);
    if (way == 2) flip_byte(*fs, manifest, 40);
    if (way == 3) REQUIRE_OK(fs->remove(current));
    if (way == 3) REQUIRE_OK(fs->remove(manifest));
    const auto report = repair(*fs);
    REQUIRE_OK(report);
    INVARIANT(kExact);
    CHECK((rows_of(*fs, "new") == store.rows));
    INVARIANT(kNamed);
    CHECK(lost_names(*report, way == 2 ? manifest : current));
    CHECK(report->notes.size() >= 1);  // how the files were found
  }
}

TEST_CASE("a table that is not part of the store stays out",
          "[engine][repair]") {
  STORY(
      "A compaction has replaced two tables, which were not unlinked yet; then "
      "the manifest is lost, too.");
  INVARIANT(kExact);
  Store store;
  const auto old = store.disk->clone();
  const Rows kept = contents(*old, "db");
  std::size_t stale = 0;
  {
    auto db = Db::open("db", options_on(*store.disk));
    REQUIRE_OK(db);
    for (int i = 0; i < 300; ++i)
      REQUIRE_OK((*db)->remove(key_of(i)));
    REQUIRE_OK((*db)->compact());
    REQUIRE_OK((*db)->close());
  }
  std::erase_if(store.rows,
                [](const auto& row) { return row.first.starts_with("key"); });
  for (const auto& [name, bytes] : kept) {
    const std::string path = join_path("db", name);
    if (!name.ends_with(".sst") || store.disk->exists(path).value()) continue;
    auto file = store.disk->open(path, FileSystem::Mode::create);
    REQUIRE_OK(file);
    REQUIRE_OK((*file)->append(bytes));
    ++stale;
  }
  {
    const auto fs = store.disk->clone();
    const auto report = repair(*fs);
    REQUIRE_OK(report);
    CHECK((rows_of(*fs, "new") == store.rows));
    REQUIRE(stale > 0);
    CHECK_SAME(report->notes.size(), stale);  // one for each
  }
  STORY("Without the manifest they count: removed keys are back, as stated.");
  REQUIRE_OK(store.disk->remove(files_ending(*store.disk, ".manifest").back()));
  const auto report = repair(*store.disk);
  REQUIRE_OK(report);
  CHECK(rows_of(*store.disk, "new").size() > store.rows.size());
  CHECK_SAME(report->notes.size(), 1u);
}

TEST_CASE("a flip anywhere is survived, named, and makes nothing up",
          "[engine][repair]") {
  STORY("A random bit of a random file is flipped; repair.");
  SEEDED_RANDOM(random, 99);
  const Store store;
  std::vector<std::string> paths = {"db/CURRENT"};
  for (const char* suffix : {".sst", ".log", ".manifest"}) {
    for (const std::string& path : files_ending(*store.disk, suffix)) {
      paths.push_back(path);
    }
  }
  for (std::size_t round = 0; round < scaled(60); ++round) {
    const std::string& path = random.pick(paths);
    const auto bytes = read_file(*store.disk, path);
    REQUIRE_OK(bytes);
    const std::uint64_t used = bytes->find_last_not_of('\0') + 1;
    const std::uint64_t bit = random.below(used * 8);
    INFO(path << ", bit " << bit);
    const auto fs = store.disk->clone();
    REQUIRE_OK(fs->flip_bit(path, bit));
    const auto report = repair(*fs);
    REQUIRE_OK(report);
    const Rows seen = rows_of(*fs, "new");
    INVARIANT(kNamed);
    if (report->lost.empty()) CHECK((seen == store.rows));
    INVARIANT(kExact);
    for (const auto& [key, value] : seen) {
      REQUIRE(store.versions.contains(key));
      CHECK(store.versions.at(key).contains(value));
    }
  }
}

TEST_CASE("a repair that is interrupted leaves no store that opens",
          "[engine][repair]") {
  STORY("The power fails at each operation of a repair.");
  INVARIANT("I4 of repair.h: CURRENT of the new store comes last");
  const Store store;
  bool done = false;
  for (std::uint64_t cut = 1; !done; ++cut) {
    INFO("power cut at operation " << cut);
    const auto fs = store.disk->clone();
    fs->cut_power_at(fs->operations() + cut);
    done = repair_store(*fs, "db", "new", options_on(*fs)).has_value();
    fs->power_cycle(CrashModel::ordered, cut);
    Options options = options_on(*fs);
    options.create_if_missing = false;
    const auto db = Db::open("new", options);
    if (!db) {
      CHECK_SAME(done, false);
      continue;
    }
    REQUIRE_OK((*db)->close());
    CHECK((rows_of(*fs, "new") == store.rows));
  }
}

TEST_CASE("what cannot be repaired from or into is refused",
          "[engine][repair]") {
  STORY("No store there; a folder that is not empty; a store that is open.");
  const Store store;
  SimFileSystem& fs = *store.disk;
  REQUIRE_OK(fs.create_dir("empty"));
  CHECK_ERROR(repair_store(fs, "empty", "new", options_on(fs)),
              Code::not_found);
  const auto same = repair_store(fs, "db", "db", options_on(fs));
  CHECK_ERROR(same, Code::invalid_argument);
  auto db = Db::open("db", options_on(fs));
  REQUIRE_OK(db);
  CHECK_ERROR(repair_store(fs, "db", "new", options_on(fs)), Code::busy);
  REQUIRE_OK((*db)->close());
}

TEST_CASE("lsm repair tells what it took and what it lost",
          "[engine][repair][tool]") {
  STORY("A store of 1,000 rows; a byte of its table is damaged; repair, dump.");
  const TempDir dir;
  const std::string path = dir / "db";
  std::string script;
  for (int i = 0; i < 1000; ++i) {
    script += fmt::format("put {} value{}\n", key_of(i), i);
  }
  REQUIRE_SAME(run_tool({"shell", path}, script + "flush\n").status, 0);
  const Ran sound = run_tool({"repair", path, "--into", dir / "copy"});
  CHECK_SAME(sound.status, 0);
  CHECK(sound.out.find("nothing was lost") != std::string::npos);
  CHECK_SAME(run_tool({"dump", dir / "copy"}).out,
             run_tool({"dump", path}).out);

  const auto names = posix_file_system().list(path);
  REQUIRE_OK(names);
  const auto table = std::ranges::find_if(
      *names, [](const std::string& name) { return name.ends_with(".sst"); });
  REQUIRE(table != names->end());
  std::string bytes = slurp(path + "/" + *table);
  bytes[100] = static_cast<char>(bytes[100] ^ 1);
  spill(path + "/" + *table, bytes);
  const Ran damaged = run_tool({"repair", path, "--into", dir / "mended"});
  CHECK_SAME(damaged.status, 0);
  CHECK(damaged.out.find("lost: " + path + "/" + *table + ": offset 0: ") !=
        std::string::npos);
  CHECK(damaged.out.find("1 piece LOST") != std::string::npos);
  CHECK_SAME(run_tool({"verify", dir / "mended"}).status, 0);
  const Ran again = run_tool({"repair", path, "--into", dir / "mended"});
  CHECK_SAME(again.status, 1);
  const Ran json =
      run_tool({"repair", path, "--into", dir / "third", "--json"});
  CHECK_SAME(json.status, 0);
  CHECK(json.out.find("\"offset\": 0") != std::string::npos);
}

}  // namespace lsm::test
