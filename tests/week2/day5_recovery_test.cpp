// Day 2.5: recovery. A small engine without threads writes logs and tables as
// the real one does, on a disk that loses its power; every operation has one
// sequence, so what a recovered store holds is told by its sequences alone:
// they must be 1 … m, and m must end a batch.
#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/block_cache.h"
#include "base/fault_file_system.h"
#include "base/filter_policy.h"
#include "base/sim_file_system.h"
#include "batch.h"
#include "log_writer.h"
#include "manifest.h"
#include "memtable.h"
#include "recovery.h"
#include "support/catch.h"
#include "support/random.h"
#include "support/teach.h"
#include "table.h"
#include "table_builder.h"

namespace lsm::test {

namespace {

constexpr const char* kPrefix =
    "I1 of recovery.h: the first m operations, each batch whole; at least what "
    "was synced";
constexpr const char* kNumbers = "I3 of recovery.h: no number is used again";
constexpr const char* kUntouched =
    "I4 of recovery.h: a damaged store stays as it was found";
constexpr const char* kGap =
    "sequences run on without a gap; a loss that a mark covers is corruption";

constexpr std::uint64_t kStore = 0xc0ffee42;
const std::string kFolder = "db";

const NoFilter& no_filter() {
  static const NoFilter filter;
  return filter;
}
TableOptions table_options() {
  return {512, Compression::none, &no_filter()};
}

std::string key_of(Sequence sequence) {
  return "key " + std::to_string(sequence % 7);
}
std::string value_of(Sequence sequence) {
  return "value " + std::to_string(sequence) + std::string(60, '.');
}
Kind kind_of(Sequence sequence) {
  return sequence % 5 == 0 ? Kind::remove : Kind::put;
}

std::string batch_of(Sequence first, std::size_t count) {
  std::vector<std::string> text;
  for (Sequence s = first; s < first + count; ++s) {
    text.push_back(key_of(s));
    text.push_back(value_of(s));
  }
  std::vector<WriteOp> ops;
  for (std::size_t i = 0; i < count; ++i) {
    ops.push_back({kind_of(first + i), text[2 * i], text[2 * i + 1]});
  }
  std::string bytes;
  encode_batch(first, ops, bytes);
  return bytes;
}

std::string path_of(FileKind kind, std::uint64_t number) {
  return file_path(kFolder, kind, number);
}

std::unique_ptr<SimFileSystem> make_disk() {
  auto fs = std::make_unique<SimFileSystem>();
  REQUIRE_OK(fs->create_dir(kFolder));
  REQUIRE_OK(fs->sync_dir("."));
  return fs;
}

std::vector<std::string> names_in(FileSystem& fs) {
  const auto names = fs.list(kFolder);
  REQUIRE_OK(names);
  return *names;
}

Result<Recovered> recover_here(FileSystem& fs, FileNumbers& numbers,
                               std::size_t buffer_bytes = 1 << 20) {
  return recover({.fs = fs,
                  .folder = kFolder,
                  .table_options = table_options(),
                  .write_buffer_size_bytes = buffer_bytes,
                  .numbers = numbers,
                  .new_store_id = kStore});
}

// The sequences in the tables of `state`, which must be 1 … m; returns m.
Sequence held_by(FileSystem& fs, const ManifestState& state) {
  const std::shared_ptr<BlockCache> cache = make_no_cache();
  std::map<Sequence, bool> seen;
  for (const VersionEdit::Added& added : state.files) {
    const auto table = Table::open(
        fs, path_of(FileKind::table, added.file.number),
        {state.store_id, added.file.number}, {&no_filter(), cache.get()});
    REQUIRE_OK(table);
    const auto entry = (*table)->iterator(Table::Access::scan);
    for (entry->seek_to_first(); entry->valid(); entry->next()) {
      const Sequence s = entry->key().sequence();
      REQUIRE_SAME(entry->key().user, key_of(s));
      REQUIRE_SAME(entry->key().kind(), kind_of(s));
      if (kind_of(s) == Kind::put) REQUIRE_SAME(entry->value(), value_of(s));
      REQUIRE_SAME(seen.emplace(s, true).second, true);
    }
    REQUIRE_OK(entry->status());
  }
  const Sequence last = seen.empty() ? 0 : seen.rbegin()->first;
  INVARIANT(kPrefix);
  REQUIRE_SAME(seen.size(), last);
  return last;
}

// What an engine does to its files, one call at a time. A call that fails
// ends it.
class Engine {
 public:
  explicit Engine(FileSystem& fs) : fs_(fs) {}

  bool open(std::size_t buffer_bytes = 1 << 20) {
    auto recovered = recover_here(fs_, numbers_, buffer_bytes);
    if (!recovered) {
      error = recovered.error();
      return false;
    }
    state_ = recovered->state;
    started = synced = acknowledged = state_.last_sequence;
    const std::uint64_t log = numbers_.take();
    state_.oldest_log = log;
    auto manifest = Manifest::create(fs_, kFolder, numbers_, state_);
    if (!manifest) return false;
    manifest_ = std::move(*manifest);
    return add_log(log);
  }
  // The same, and then what nothing names is gone.
  bool open_and_tidy(std::size_t buffer_bytes = 1 << 20) {
    return open(buffer_bytes) &&
           remove_orphans(fs_, kFolder, state_).has_value();
  }

  bool write(std::size_t count) {
    const std::string batch = batch_of(started + 1, count);
    started += count;
    ends.push_back(started);
    if (!logs_.back().writer->append(batch)) return false;
    acknowledged = logs_.back().last = started;
    return true;
  }
  bool sync() {
    for (std::size_t i = 0; i + 1 < logs_.size(); ++i) {
      if (logs_[i].sealed) continue;
      if (!logs_[i].writer->seal()) return false;
      logs_[i].sealed = true;
    }
    if (!logs_.back().writer->sync()) return false;
    synced = started;
    return true;
  }
  bool freeze() { return add_log(numbers_.take()); }
  // The oldest frozen memtable becomes a table.
  bool flush() {
    if (logs_.size() < 2) return true;
    const Log& oldest = logs_.front();
    VersionEdit edit;
    edit.oldest_log = logs_[1].number;
    if (oldest.last >= oldest.first) {
      MemTable memtable(oldest.number, 1 << 20);
      for (Sequence s = oldest.first; s <= oldest.last; ++s) {
        memtable.add(s, kind_of(s), key_of(s),
                     kind_of(s) == Kind::put ? value_of(s) : "");
      }
      const std::uint64_t number = numbers_.take();
      auto builder =
          TableBuilder::create(fs_, path_of(FileKind::table, number),
                               {state_.store_id, number}, table_options());
      if (!builder) return false;
      const auto entry = memtable.iterator();
      for (entry->seek_to_first(); entry->valid(); entry->next()) {
        if (!(*builder)->add(entry->key(), entry->value())) return false;
      }
      auto file = (*builder)->finish();
      if (!file || !fs_.sync_dir(kFolder)) return false;
      edit.added.push_back({0, *file});
    }
    if (!manifest_->append(edit)) return false;
    synced = std::max(synced, oldest.last);
    const std::string path = oldest.writer->path();
    logs_.erase(logs_.begin());
    return fs_.remove(path).has_value();
  }
  bool close() {
    return sync() && logs_.back().writer->seal() && manifest_->close();
  }

  Sequence started = 0;       // given to the log, successfully or not
  Sequence acknowledged = 0;  // the append succeeded
  Sequence synced = 0;
  std::vector<Sequence> ends;  // of batches
  Error error = {Code::internal, ""};

 private:
  struct Log {
    std::uint64_t number;
    std::unique_ptr<LogWriter> writer;
    Sequence first;
    Sequence last;
    bool sealed = false;
  };

  bool add_log(std::uint64_t number) {
    auto log = LogWriter::create(fs_, path_of(FileKind::log, number),
                                 {state_.store_id, number}, 1000);
    if (!log || !fs_.sync_dir(kFolder)) return false;
    logs_.push_back({number, std::move(*log), started + 1, started});
    return true;
  }

  FileSystem& fs_;
  FileNumbers numbers_;
  ManifestState state_;
  std::unique_ptr<Manifest> manifest_;
  std::vector<Log> logs_;
};

// A store whose manifest knows nothing but that logs from 10 on count.
class Logs {
 public:
  Logs() : fs(make_disk()) {
    FileNumbers numbers;
    ManifestState start;
    start.store_id = kStore;
    start.oldest_log = 10;
    REQUIRE_OK(Manifest::create(*fs, kFolder, numbers, start));
  }

  LogWriter& log(std::uint64_t number) {
    writers.push_back(std::move(*LogWriter::create(
        *fs, path_of(FileKind::log, number), {kStore, number}, 1000)));
    return *writers.back();
  }
  // Writers gone, as after a kill.
  void kill() { writers.clear(); }
  // Puts other bytes where `count` bytes at `offset` stand.
  void damage(std::uint64_t number, std::uint64_t offset, std::size_t count,
              char with) {
    kill();
    const std::string path = path_of(FileKind::log, number);
    auto bytes = read_file(*fs, path);
    REQUIRE_OK(bytes);
    std::fill_n(bytes->begin() + static_cast<std::ptrdiff_t>(offset), count,
                with);
    REQUIRE_OK(fs->remove(path));
    auto file = fs->open(path, FileSystem::Mode::create);
    REQUIRE_OK(file);
    REQUIRE_OK((*file)->append(*bytes));
  }

  std::unique_ptr<SimFileSystem> fs;
  std::vector<std::unique_ptr<LogWriter>> writers;
};

void check_names(const Result<Recovered>& result, const std::string& path,
                 std::uint64_t offset) {
  CHECK_ERROR(result, Code::corruption);
  if (result) return;
  const std::string place = path + ": offset " + std::to_string(offset) + ":";
  INFO("to be named: " << place);
  INFO("message: " << result.error().message);
  CHECK(result.error().message.contains(place));
}

}  // namespace

// Task 1: which store this is.

TEST_CASE("an empty folder becomes a store", "[2.5][task-1][core]") {
  STORY("Recover an empty folder, with create_if_missing and without.");
  INVARIANT("a folder without CURRENT is a new store");
  const auto fs = make_disk();
  FileNumbers numbers;
  const auto seen = recover_here(*fs, numbers);
  REQUIRE_OK(seen);
  CHECK_SAME(seen->created, true);
  CHECK_SAME(seen->state.store_id, kStore);
  CHECK_SAME(seen->state.files.size(), 0u);
  CHECK_ERROR(recover({.fs = *fs,
                       .folder = kFolder,
                       .table_options = table_options(),
                       .write_buffer_size_bytes = 1 << 20,
                       .numbers = numbers,
                       .create_if_missing = false}),
              Code::not_found);
}

TEST_CASE("an existing store is refused when asked to", "[2.5][task-1][core]") {
  STORY("A log holds three operations; recover with error_if_exists.");
  INVARIANT("errors of recover: invalid_argument");
  Logs store;
  auto& log = store.log(10);
  REQUIRE_OK(log.append(batch_of(1, 3)));
  REQUIRE_OK(log.sync());
  store.kill();
  const std::vector<std::string> before = names_in(*store.fs);
  FileNumbers numbers;
  CHECK_ERROR(recover({.fs = *store.fs,
                       .folder = kFolder,
                       .table_options = table_options(),
                       .write_buffer_size_bytes = 1 << 20,
                       .numbers = numbers,
                       .error_if_exists = true}),
              Code::invalid_argument);
  INVARIANT("nothing is created before it is certain that the store opens");
  CHECK_SAME(names_in(*store.fs), before);
}

TEST_CASE("the remains of a first creation are no store",
          "[2.5][task-1][core]") {
  STORY("The folder has a manifest, a temporary and an empty log; no CURRENT.");
  INVARIANT(kNumbers);
  Logs store;
  store.log(17);
  store.kill();
  REQUIRE_OK(store.fs->rename(join_path(kFolder, kCurrentName),
                              path_of(FileKind::temporary, 21)));
  FileNumbers numbers;
  const auto seen = recover_here(*store.fs, numbers);
  REQUIRE_OK(seen);
  CHECK_SAME(seen->created, true);
  CHECK(numbers.next() >= 22);
}

TEST_CASE("a store that has lost CURRENT is refused", "[2.5][task-1][core]") {
  STORY("Without CURRENT there is a table, or a log with a record.");
  INVARIANT(kUntouched);
  for (const bool table : {true, false}) {
    const auto fs = make_disk();
    {
      Engine engine(*fs);
      REQUIRE(engine.open());
      REQUIRE(engine.write(2));
      if (table) REQUIRE((engine.freeze() && engine.flush()));
    }
    REQUIRE_OK(fs->remove(join_path(kFolder, kCurrentName)));
    const std::vector<std::string> before = names_in(*fs);
    for (const bool create : {true, false}) {
      INFO("create_if_missing: " << create);
      FileNumbers numbers;
      CHECK_ERROR(recover({.fs = *fs,
                           .folder = kFolder,
                           .table_options = table_options(),
                           .write_buffer_size_bytes = 1 << 20,
                           .numbers = numbers,
                           .create_if_missing = create}),
                  Code::corruption);
      CHECK_SAME(names_in(*fs), before);
    }
  }
}

TEST_CASE("one written log behind an empty one is a lost store",
          "[2.5][task-1][core]") {
  STORY("Without CURRENT: log 17 was begun, log 18 has a record.");
  INVARIANT(kUntouched);
  Logs store;
  store.log(17);
  REQUIRE_OK(store.log(18).append(batch_of(1, 1)));
  store.kill();
  REQUIRE_OK(store.fs->remove(join_path(kFolder, kCurrentName)));
  FileNumbers numbers;
  CHECK_ERROR(recover_here(*store.fs, numbers), Code::corruption);
}

TEST_CASE("two new stores have different ids", "[2.5][task-1][core]") {
  STORY("Create two stores, with no id given; it is drawn from 2^64.");
  INVARIANT("RecoveryContext: new_store_id 0 is drawn at random");
  std::vector<std::uint64_t> ids;
  for (int i = 0; i < 2; ++i) {
    const auto fs = make_disk();
    FileNumbers numbers;
    const auto seen = recover({.fs = *fs,
                               .folder = kFolder,
                               .table_options = table_options(),
                               .write_buffer_size_bytes = 1 << 20,
                               .numbers = numbers});
    REQUIRE_OK(seen);
    ids.push_back(seen->state.store_id);
  }
  INFO("ids: " << show(ids));
  CHECK(ids[0] != ids[1]);
}

TEST_CASE("numbers start above the manifest and the listing",
          "[2.5][task-1][core]") {
  STORY(
      "The manifest says 40 is next; then the folder has 000050.tmp as well.");
  INVARIANT(kNumbers);
  for (const bool listed : {false, true}) {
    const auto fs = make_disk();
    FileNumbers old;
    ManifestState start;
    start.store_id = kStore;
    start.next_file_number = 40;
    REQUIRE_OK(Manifest::create(*fs, kFolder, old, start));
    if (listed) {
      REQUIRE_OK(
          fs->open(path_of(FileKind::temporary, 50), FileSystem::Mode::create));
    }
    FileNumbers numbers;
    REQUIRE_OK(recover_here(*fs, numbers));
    INFO("000050.tmp is there: " << listed);
    CHECK_SAME(numbers.next(), listed ? 51u : 40u);
  }
}

TEST_CASE("a table that is missing, cut or too long is corruption",
          "[2.5][task-1][core]") {
  STORY(
      "The manifest names three tables, and a log has a batch more. Remove "
      "each table in turn, cut it by a byte, add a byte to it.");
  INVARIANT("I5 of recovery.h: a table is there, with its size");
  enum class Damage { missing, cut, longer };
  for (const Damage damage : {Damage::missing, Damage::cut, Damage::longer}) {
    for (std::size_t which = 0; which < 3; ++which) {
      INFO("damaged: table " << which + 1 << " of 3");
      const auto fs = make_disk();
      {
        Engine engine(*fs);
        REQUIRE(engine.open());
        for (int i = 0; i < 3; ++i) {
          REQUIRE((engine.write(3) && engine.freeze() && engine.flush()));
        }
        REQUIRE(engine.write(1));
      }
      std::vector<std::string> tables;
      for (const std::string& name : names_in(*fs)) {
        if (name.ends_with(".sst")) tables.push_back(join_path(kFolder, name));
      }
      REQUIRE_SAME(tables.size(), 3u);
      const std::string& table = tables[which];
      auto bytes = read_file(*fs, table);
      REQUIRE_OK(bytes);
      REQUIRE_OK(fs->remove(table));
      if (damage != Damage::missing) {
        if (damage == Damage::cut) bytes->pop_back();
        if (damage == Damage::longer) bytes->push_back('\0');
        auto file = fs->open(table, FileSystem::Mode::create);
        REQUIRE_OK(file);
        REQUIRE_OK((*file)->append(*bytes));
      }
      const std::vector<std::string> before = names_in(*fs);
      const std::uint64_t written = fs->counters().bytes_written;
      FileNumbers numbers;
      const auto seen = recover_here(*fs, numbers);
      CHECK_ERROR(seen, Code::corruption);
      if (!seen) {
        INFO("to be named: " << table);
        INFO("message: " << seen.error().message);
        CHECK(seen.error().message.contains(table));
      }
      CHECK_SAME(names_in(*fs), before);
      INVARIANT("nothing is written before all tables are known to be there");
      CHECK_SAME(fs->counters().bytes_written, written);
    }
  }
}

// Task 2: replay.

TEST_CASE("logs are replayed into tables, in order", "[2.5][task-2][core]") {
  STORY("Logs 10, 999,999 and 1,000,000 hold 1 … 9; log 9 is not needed.");
  INVARIANT(kPrefix);
  Logs store;
  REQUIRE_OK(store.log(9).append(batch_of(77, 2)));
  REQUIRE_OK(store.log(1'000'000).append(batch_of(8, 2)));
  REQUIRE_OK(store.log(999'999).append(batch_of(5, 3)));
  REQUIRE_OK(store.log(10).append(batch_of(1, 3)));
  REQUIRE_OK(store.writers.back()->append(batch_of(4, 1)));
  REQUIRE_OK(store.writers.back()->seal());
  store.kill();
  FileNumbers numbers;
  const auto seen = recover_here(*store.fs, numbers);
  REQUIRE_OK(seen);
  CHECK_SAME(held_by(*store.fs, seen->state), 9u);
  CHECK_SAME(seen->state.last_sequence, 9u);
  CHECK_SAME(seen->logs, 3u);
  CHECK_SAME(seen->batches, 4u);
  CHECK_SAME(seen->operations, 9u);
  CHECK_SAME(seen->tables.size(), 1u);
  CHECK_SAME(seen->dropped.has_value(), false);
  CHECK(numbers.next() > 1'000'001);
}

TEST_CASE("memory is bounded by the write buffer", "[2.5][task-2][core]") {
  STORY("Replay 3,000 operations with a write buffer of 64 KiB.");
  INVARIANT("memory: one memtable and one record");
  Logs store;
  LogWriter& log = store.log(10);
  for (Sequence s = 1; s <= 3000; s += 3)
    REQUIRE_OK(log.append(batch_of(s, 3)));
  store.kill();
  FileNumbers numbers;
  const auto seen = recover_here(*store.fs, numbers, 64 << 10);
  REQUIRE_OK(seen);
  CHECK(seen->tables.size() > 2);
  CHECK_SAME(seen->tables.size(), seen->state.files.size());
  CHECK_SAME(held_by(*store.fs, seen->state), 3000u);
}

TEST_CASE("what recover returns survives a power cut", "[2.5][task-2][core]") {
  STORY("Recover; the power fails at once; the tables are whole and named.");
  INVARIANT("I2 of recovery.h: everything that recover returns is durable");
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Logs store;
    REQUIRE_OK(store.log(10).append(batch_of(1, 9)));
    store.kill();
    FileNumbers numbers;
    const auto seen = recover_here(*store.fs, numbers);
    REQUIRE_OK(seen);
    store.fs->power_cycle(CrashModel::ordered, seed);
    CHECK_SAME(held_by(*store.fs, seen->state), 9u);
  }
}

TEST_CASE("a torn tail is dropped and reported", "[2.5][task-2][core]") {
  STORY("The last of three batches is damaged, and no mark covers it.");
  INVARIANT(kPrefix);
  Logs store;
  LogWriter& log = store.log(10);
  REQUIRE_OK(log.append(batch_of(1, 2)));
  REQUIRE_OK(log.append(batch_of(3, 2)));
  const std::uint64_t torn = log.size_bytes();
  REQUIRE_OK(log.append(batch_of(5, 2)));
  store.damage(10, torn + 20, 1, '!');
  FileNumbers numbers;
  const auto seen = recover_here(*store.fs, numbers);
  REQUIRE_OK(seen);
  CHECK_SAME(held_by(*store.fs, seen->state), 4u);
  REQUIRE(seen->dropped.has_value());
  CHECK_SAME(seen->dropped->path, path_of(FileKind::log, 10));
  CHECK_SAME(seen->dropped->offset, torn);
}

TEST_CASE("a batch without operations makes no table", "[2.5][task-2][core]") {
  STORY("The only batch of log 10 is empty; so is the second one of log 12.");
  INVARIANT("a table is written of operations, and there are none");
  for (const bool more : {false, true}) {
    Logs store;
    REQUIRE_OK(store.log(10).append(batch_of(1, 0)));
    if (more) {
      REQUIRE_OK(store.log(12).append(batch_of(1, 2)));
      REQUIRE_OK(store.writers.back()->append(batch_of(3, 0)));
    }
    store.kill();
    FileNumbers numbers;
    const auto seen = recover_here(*store.fs, numbers);
    REQUIRE_OK(seen);
    CHECK_SAME(seen->operations, more ? 2u : 0u);
    CHECK_SAME(seen->tables.size(), more ? 1u : 0u);
    CHECK_SAME(held_by(*store.fs, seen->state), more ? 2u : 0u);
  }
}

TEST_CASE("a record without a batch is corruption at its offset",
          "[2.5][task-2][core]") {
  STORY("A record's checksums verify, but no batch is in it.");
  INVARIANT("a batch is replayed whole or refused");
  Logs store;
  LogWriter& log = store.log(10);
  REQUIRE_OK(log.append(batch_of(1, 2)));
  const std::uint64_t offset = log.size_bytes();
  REQUIRE_OK(log.append("nonsense"));
  store.kill();
  FileNumbers numbers;
  check_names(recover_here(*store.fs, numbers), path_of(FileKind::log, 10),
              offset);
}

TEST_CASE("tables of a replay that fails are gone again",
          "[2.5][task-2][core]") {
  STORY(
      "The write buffer is one byte; the third of three records is no batch.");
  INVARIANT(kUntouched);
  Logs store;
  LogWriter& log = store.log(10);
  REQUIRE_OK(log.append(batch_of(1, 2)));
  REQUIRE_OK(log.append(batch_of(3, 2)));
  REQUIRE_OK(log.append("nonsense"));
  store.kill();
  const std::vector<std::string> before = names_in(*store.fs);
  FileNumbers numbers;
  CHECK_ERROR(recover_here(*store.fs, numbers, 1), Code::corruption);
  CHECK_SAME(names_in(*store.fs), before);
}

TEST_CASE("a table that cannot be written leaves no piece",
          "[2.5][task-2][core]") {
  STORY("One batch to replay; each append and fsync of its table fails.");
  INVARIANT(kUntouched);
  bool done = false;
  for (std::uint64_t nth = 1; !done; ++nth) {
    INFO("fault at append or fsync " << nth);
    Logs store;
    REQUIRE_OK(store.log(10).append(batch_of(1, 3)));
    store.kill();
    const std::vector<std::string> before = names_in(*store.fs);
    FaultFileSystem faulty(*store.fs);
    faulty.inject({.kinds = kAppend | kSync, .nth = nth});
    FileNumbers numbers;
    done = recover_here(faulty, numbers).has_value();
    CHECK_SAME(done, faulty.operations(kAppend | kSync) < nth);
    if (!done) CHECK_SAME(names_in(*store.fs), before);
  }
}

TEST_CASE("open reads the logs, and of the tables nothing",
          "[2.5][task-2][core]") {
  STORY(
      "A store of 1,000 tables, with no log, with one of 1,000 batches, with "
      "one of 2,000: count the bytes that recovery reads.");
  INVARIANT("cost: proportional to the logs; tables by name only");
  std::vector<std::uint64_t> costs;
  std::vector<std::uint64_t> logs;
  std::vector<std::uint64_t> reads;
  for (const Sequence batches : {0u, 1000u, 2000u}) {
    const auto fs = make_disk();
    FileNumbers old;
    ManifestState start;
    start.store_id = kStore;
    for (std::uint64_t number = 1; number <= 1000; ++number) {
      auto file =
          fs->open(path_of(FileKind::table, number), FileSystem::Mode::create);
      REQUIRE_OK(file);
      REQUIRE_OK((*file)->append("no table, but of the right size"));
      const std::string key = std::to_string(10'000 + number);
      FileMeta meta;
      meta.number = number;
      meta.size_bytes = (*file)->size().value();
      meta.entries = 1;
      meta.smallest = InternalKeyBuffer({key, make_tag(0, Kind::put)});
      meta.largest = meta.smallest;
      start.files.push_back({1, meta});
    }
    old.skip_past(1000);
    start.oldest_log = 2000;
    const auto manifest = Manifest::create(*fs, kFolder, old, start);
    REQUIRE_OK(manifest);
    if (batches > 0) {
      auto log = LogWriter::create(*fs, path_of(FileKind::log, 2000),
                                   {kStore, 2000}, 1000);
      REQUIRE_OK(log);
      for (Sequence s = 1; s <= batches; ++s) {
        REQUIRE_OK((*log)->append(batch_of(s, 1)));
      }
      logs.push_back((*log)->size_bytes());
      REQUIRE_OK((*log)->seal());
    }
    const IoCounters before = fs->counters();
    FileNumbers numbers;
    const auto seen = recover_here(*fs, numbers);
    REQUIRE_OK(seen);
    CHECK_SAME(seen->batches, batches);
    costs.push_back(fs->counters().bytes_read - before.bytes_read);
    reads.push_back(fs->counters().reads - before.reads);
  }
  // With no log: CURRENT and the manifest, whose edit has some 40 bytes a
  // table; the file is read in pieces, and to its allocated end.
  CHECK(costs[0] < 1000 * 40 + (256 << 10));
  CHECK(reads[0] < 20);
  // A log is read once, in large pieces, and to its allocated end.
  CHECK(costs[1] - costs[0] >= logs[0]);
  CHECK(costs[1] - costs[0] < 2 * logs[0] + (256 << 10));
  CHECK(costs[2] - costs[0] >= logs[1]);
  CHECK(costs[2] - costs[0] < 2 * logs[1] + (256 << 10));
  CHECK(reads[2] < 40);
}

// Task 3: many logs.

TEST_CASE("a batch that was there before is corruption at its offset",
          "[2.5][task-3][core]") {
  STORY("A log holds the sequences 1 and 2, and then 2 again.");
  INVARIANT(kGap);
  Logs store;
  LogWriter& log = store.log(10);
  REQUIRE_OK(log.append(batch_of(1, 2)));
  const std::uint64_t offset = log.size_bytes();
  REQUIRE_OK(log.append(batch_of(2, 1)));
  store.kill();
  FileNumbers numbers;
  check_names(recover_here(*store.fs, numbers), path_of(FileKind::log, 10),
              offset);
}

TEST_CASE("a hole in one log keeps the next one out", "[2.5][task-3][core]") {
  STORY(
      "Log 10 has lost its second batch, as a tear, as a page of zeros, or "
      "the whole file is gone; log 12 goes on after it.");
  INVARIANT(kGap);
  enum class Loss { tear, zeros, file };
  for (const Loss loss : {Loss::tear, Loss::zeros, Loss::file}) {
    Logs store;
    LogWriter& log = store.log(10);
    REQUIRE_OK(log.append(batch_of(1, 2)));
    const std::uint64_t hole = log.size_bytes();
    REQUIRE_OK(log.append(batch_of(3, 2)));
    const std::uint64_t end = log.size_bytes();
    REQUIRE_OK(store.log(12).append(batch_of(5, 2)));
    if (loss == Loss::tear) store.damage(10, hole + 3, 1, '!');
    if (loss == Loss::zeros) store.damage(10, hole, end - hole, '\0');
    store.kill();
    if (loss == Loss::file) {
      REQUIRE_OK(store.fs->remove(path_of(FileKind::log, 10)));
    }
    FileNumbers numbers;
    const auto seen = recover_here(*store.fs, numbers);
    REQUIRE_OK(seen);
    CHECK_SAME(held_by(*store.fs, seen->state),
               loss == Loss::file ? Sequence{0} : Sequence{2});
    CHECK_SAME(seen->dropped.has_value(), true);
  }
}

TEST_CASE("a mark in a later log makes the hole corruption",
          "[2.5][task-3][core]") {
  STORY(
      "The same holes; but log 12, or a log 14 behind it, has a mark or a "
      "seal. Nothing is removed.");
  INVARIANT(kGap);
  for (const std::uint64_t marked : {12u, 14u}) {
    for (const char with : {'!', '\0'}) {
      Logs store;
      LogWriter& log = store.log(10);
      REQUIRE_OK(log.append(batch_of(1, 2)));
      const std::uint64_t hole = log.size_bytes();
      REQUIRE_OK(log.append(batch_of(3, 2)));
      const std::uint64_t end = log.size_bytes();
      LogWriter& next = store.log(12);
      const std::uint64_t begin = next.size_bytes();
      REQUIRE_OK(next.append(batch_of(5, 2)));
      if (marked == 12) REQUIRE_OK(next.sync());
      LogWriter& last = store.log(14);
      REQUIRE_OK(last.append(batch_of(7, 2)));
      if (marked == 14) REQUIRE_OK(last.seal());
      store.damage(10, hole, end - hole, with);
      const std::vector<std::string> before = names_in(*store.fs);
      FileNumbers numbers;
      const auto seen = recover_here(*store.fs, numbers, 1);
      if (with == '!') {
        check_names(seen, path_of(FileKind::log, 10), hole);
      } else {  // where 10 ends nobody knows; 12 begins too late
        check_names(seen, path_of(FileKind::log, 12), begin);
      }
      INVARIANT(kUntouched);
      CHECK_SAME(names_in(*store.fs), before);
    }
  }
}

TEST_CASE("a log that is torn itself still tells of an older loss",
          "[2.5][task-3][core]") {
  STORY(
      "Log 10 has lost 3 and 4. Log 12 holds 5 and 6, a mark, and a torn 7. "
      "The mark was made when log 10 was durable.");
  INVARIANT(kGap);
  Logs store;
  LogWriter& log = store.log(10);
  REQUIRE_OK(log.append(batch_of(1, 2)));
  const std::uint64_t hole = log.size_bytes();
  REQUIRE_OK(log.append(batch_of(3, 2)));
  LogWriter& next = store.log(12);
  REQUIRE_OK(next.append(batch_of(5, 2)));
  REQUIRE_OK(next.sync());
  const std::uint64_t torn = next.size_bytes();
  REQUIRE_OK(next.append(batch_of(7, 1)));
  store.damage(10, hole + 20, 1, '!');
  store.damage(12, torn + 20, 1, '!');
  FileNumbers numbers;
  check_names(recover_here(*store.fs, numbers), path_of(FileKind::log, 10),
              hole);
}

TEST_CASE("a mark in a log without batches tells of an older loss",
          "[2.5][task-3][core]") {
  STORY("Log 10 has lost 3 and 4. Log 12 has a header and a mark, no batch.");
  INVARIANT(kGap);
  Logs store;
  LogWriter& log = store.log(10);
  REQUIRE_OK(log.append(batch_of(1, 2)));
  const std::uint64_t hole = log.size_bytes();
  REQUIRE_OK(log.append(batch_of(3, 2)));
  REQUIRE_OK(store.log(12).sync());
  store.damage(10, hole + 20, 1, '!');
  FileNumbers numbers;
  check_names(recover_here(*store.fs, numbers), path_of(FileKind::log, 10),
              hole);
}

TEST_CASE("of two damaged ends the older one is reported",
          "[2.5][task-3][core]") {
  STORY("Log 10 has lost 3 and 4; all of log 12, 5 and 6, is damaged, too.");
  INVARIANT("a loss is reported where the replay ended");
  Logs store;
  LogWriter& log = store.log(10);
  REQUIRE_OK(log.append(batch_of(1, 2)));
  const std::uint64_t hole = log.size_bytes();
  REQUIRE_OK(log.append(batch_of(3, 2)));
  LogWriter& next = store.log(12);
  const std::uint64_t begin = next.size_bytes();
  REQUIRE_OK(next.append(batch_of(5, 2)));
  store.damage(10, hole + 20, 1, '!');
  store.damage(12, begin + 20, 1, '!');
  FileNumbers numbers;
  const auto seen = recover_here(*store.fs, numbers);
  REQUIRE_OK(seen);
  CHECK_SAME(held_by(*store.fs, seen->state), 2u);
  REQUIRE(seen->dropped.has_value());
  CHECK_SAME(seen->dropped->path, path_of(FileKind::log, 10));
  CHECK_SAME(seen->dropped->offset, hole);
}

TEST_CASE("a damaged end that lost no batch stops nothing",
          "[2.5][task-3][core]") {
  STORY("The seal of log 10 is damaged; log 12 goes on, and has a mark.");
  INVARIANT(kGap);
  Logs store;
  LogWriter& log = store.log(10);
  REQUIRE_OK(log.append(batch_of(1, 4)));
  const std::uint64_t seal = log.size_bytes();
  REQUIRE_OK(log.seal());
  LogWriter& next = store.log(12);
  REQUIRE_OK(next.append(batch_of(5, 2)));
  REQUIRE_OK(next.sync());
  store.damage(10, seal, 1, '!');
  FileNumbers numbers;
  const auto seen = recover_here(*store.fs, numbers);
  REQUIRE_OK(seen);
  CHECK_SAME(held_by(*store.fs, seen->state), 6u);
  CHECK_SAME(seen->dropped.has_value(), false);
}

TEST_CASE("damage below a mark is corruption", "[2.5][task-3][core]") {
  STORY("Log 10 was synced; then a byte of its first batch changed.");
  INVARIANT(kGap);
  Logs store;
  LogWriter& log = store.log(10);
  REQUIRE_OK(log.append(batch_of(1, 4)));
  REQUIRE_OK(log.sync());
  store.damage(10, 60, 1, '!');
  FileNumbers numbers;
  check_names(recover_here(*store.fs, numbers), path_of(FileKind::log, 10), 32);
}

// Task 4: orphans, and crashes.

TEST_CASE("orphans go, everything else stays", "[2.5][task-4][core]") {
  STORY("Crashes left tables, logs, manifests, temporaries; open the store.");
  INVARIANT("remove_orphans removes what nothing names");
  const auto fs = make_disk();
  {
    Engine engine(*fs);
    REQUIRE(engine.open_and_tidy());
    REQUIRE(engine.write(3));
    REQUIRE((engine.freeze() && engine.flush() && engine.close()));
  }
  for (const char* name : {"000100.sst", "000101.log", "000102.manifest",
                           "000103.tmp", "notes.txt", "LOCK", "12.sst"}) {
    auto file = fs->open(join_path(kFolder, name), FileSystem::Mode::create);
    REQUIRE_OK(file);
  }
  Engine engine(*fs);
  REQUIRE(engine.open_and_tidy());
  std::map<std::string, int> kinds;
  for (const std::string& name : names_in(*fs)) {
    kinds[name.substr(name.find('.') + 1)]++;
    const auto file = parse_file_name(name);
    if (file) CHECK((file->number < 100 || file->number > 103));
  }
  CHECK_SAME(kinds["manifest"], 1);
  CHECK_SAME(kinds["log"], 1);
  CHECK_SAME(kinds["tmp"], 0);
  CHECK_SAME(kinds["sst"], 2);  // its own, and the stranger 12.sst
  CHECK_SAME(kinds["txt"], 1);
  FileNumbers numbers;
  const auto seen = recover_here(*fs, numbers);
  REQUIRE_OK(seen);
  CHECK_SAME(held_by(*fs, seen->state), 3u);
}

TEST_CASE("without CURRENT nothing is an orphan", "[2.5][task-4][core]") {
  STORY("A store has lost CURRENT; remove its orphans.");
  INVARIANT("errors of remove_orphans: internal, when there is no CURRENT");
  const Logs store;
  REQUIRE_OK(store.fs->remove(join_path(kFolder, kCurrentName)));
  const std::vector<std::string> before = names_in(*store.fs);
  ManifestState state;
  state.store_id = kStore;
  CHECK_ERROR(remove_orphans(*store.fs, kFolder, state), Code::internal);
  CHECK_SAME(names_in(*store.fs), before);
}

TEST_CASE("what cannot be removed stays, and is not reported as gone",
          "[2.5][task-4][core]") {
  STORY(
      "Manifest 1 is current; table 5, manifest 7 and log 8 are orphans, and "
      "the removal of one of them fails.");
  INVARIANT("remove_orphans: what cannot be removed stays for the next open");
  const std::vector<std::string> orphans = {"000005.sst", "000007.manifest",
                                            "000008.log"};
  for (std::size_t kept = 0; kept < orphans.size(); ++kept) {
    const Logs store;
    const std::vector<std::string> sound = names_in(*store.fs);
    for (const std::string& name : orphans) {
      REQUIRE_OK(
          store.fs->open(join_path(kFolder, name), FileSystem::Mode::create));
    }
    FaultFileSystem faulty(*store.fs);
    faulty.inject({.kinds = kRemove, .nth = kept + 1});
    ManifestState state;
    state.store_id = kStore;
    state.oldest_log = 10;
    auto gone = remove_orphans(faulty, kFolder, state);
    REQUIRE_OK(gone);
    std::vector<std::string> all = *gone;
    CHECK_SAME(all.size(), 2u);
    for (const std::string& name : names_in(*store.fs)) {
      if (std::ranges::find(sound, name) == sound.end()) all.push_back(name);
    }
    std::ranges::sort(all);  // gone or there, and none of them both
    CHECK_SAME(all, orphans);
  }
}

namespace {

// Writes, syncs, freezes and flushes at random, until something fails.
void work(Engine& engine, Random moves) {
  for (int i = 0; i < 14; ++i) {
    if (!engine.write(moves.between(1, 3))) return;
    if (moves.one_in(3) && !engine.sync()) return;
    if (moves.one_in(4) && !engine.freeze()) return;
    if (moves.one_in(5) && !engine.flush()) return;
  }
  if (moves.one_in(2)) (void)engine.close();
}

// Recovers what a crash left; what is there must lie between.
Sequence check_image(FileSystem& fs, Sequence at_least, Sequence at_most,
                     const std::vector<Sequence>& ends) {
  FileNumbers numbers;
  const auto seen = recover_here(fs, numbers);
  REQUIRE_OK(seen);
  const Sequence m = held_by(fs, seen->state);
  INFO("synced " << at_least << ", started " << at_most << ", found " << m);
  REQUIRE_SAME(seen->state.last_sequence, m);
  REQUIRE(m >= at_least);
  REQUIRE(m <= at_most);
  REQUIRE((m == 0 || std::ranges::find(ends, m) != ends.end()));
  return m;
}

}  // namespace

TEST_CASE("a killed process loses nothing acknowledged",
          "[2.5][task-4][gold]") {
  STORY("Before each operation of a random run the process is killed.");
  INVARIANT("after a mere kill all that was acknowledged is there");
  SEEDED_RANDOM(random, 250);
  for (std::size_t round = 0; round < scaled(4); ++round) {
    const auto fs = make_disk();
    Engine engine(*fs);
    REQUIRE(engine.open_and_tidy());
    std::vector<std::pair<std::unique_ptr<SimFileSystem>, Sequence>> images;
    fs->before_each_operation([&](const SimOperation&) {
      images.emplace_back(fs->clone(), engine.acknowledged);
    });
    work(engine, Random(random.next()));
    fs->before_each_operation(nullptr);
    for (const auto& [image, acknowledged] : images) {
      check_image(*image, acknowledged, engine.started, engine.ends);
    }
  }
}

TEST_CASE("a power cut at any operation leaves a prefix",
          "[2.5][task-4][gold]") {
  STORY("A random run; the power fails at each operation; recover.");
  SEEDED_RANDOM(random, 251);
  for (std::size_t round = 0; round < scaled(6); ++round) {
    const Random moves(random.next());
    const auto whole = make_disk();
    Engine sound(*whole);
    REQUIRE(sound.open_and_tidy());
    work(sound, moves);
    for (std::uint64_t cut = 1; cut <= whole->operations() + 1; ++cut) {
      INFO("power cut at operation " << cut);
      const auto fs = make_disk();
      fs->cut_power_at(fs->operations() + cut);
      Engine engine(*fs);
      if (engine.open_and_tidy()) work(engine, moves);
      fs->power_cycle(
          round % 2 == 0 ? CrashModel::ordered : CrashModel::any_subset,
          random.next());
      check_image(*fs, engine.synced, engine.started, engine.ends);
    }
  }
}

TEST_CASE("a crash at any operation of a recovery, and again",
          "[2.5][task-4][gold]") {
  STORY(
      "A run ends in a power cut; the power fails at each operation of the "
      "recovery, then at any of the recovery from that; recover.");
  SEEDED_RANDOM(random, 252);
  for (const CrashModel model : {CrashModel::ordered, CrashModel::any_subset}) {
    const auto fs = make_disk();
    Engine engine(*fs);
    REQUIRE(engine.open_and_tidy());
    for (int i = 0; i < 3; ++i) {
      REQUIRE((engine.write(3) && engine.write(2) && engine.freeze()));
    }
    REQUIRE((engine.flush() && engine.sync() && engine.write(1)));
    const Sequence synced = engine.synced;
    const Sequence started = engine.started;
    fs->power_cycle(model, random.next());

    // A small buffer, so that there are several tables to make.
    const auto recover_with_cut = [&](SimFileSystem& disk, std::uint64_t cut) {
      disk.cut_power_at(disk.operations() + cut);
      Engine next(disk);
      const bool opened = next.open_and_tidy(1);
      if (!opened) {
        // A power cut is all that may go wrong.
        CHECK(next.error.code != Code::corruption);
      }
      disk.power_cycle(model, random.next());
      return opened;
    };
    bool done = false;
    for (std::uint64_t first = 1; !done; ++first) {
      INFO("first power cut at operation " << first);
      const auto once = fs->clone();
      done = recover_with_cut(*once, first);
      const Sequence found =
          check_image(*once->clone(), synced, started, engine.ends);
      bool done_again = false;
      for (std::uint64_t second = random.between(1, 4); !done_again;
           second += random.between(1, 8)) {
        INFO("second power cut at operation " << second);
        const auto twice = once->clone();
        done_again = recover_with_cut(*twice, second);
        // What one recovery has found the next one finds, too.
        check_image(*twice, found, found, engine.ends);
      }
    }
  }
}

TEST_CASE("a fault at any operation of a recovery is an error, no loss",
          "[2.5][task-4][gold]") {
  STORY("Each operation of an open fails in turn; then it is tried again.");
  INVARIANT(kUntouched);
  const auto fs = make_disk();
  Engine engine(*fs);
  REQUIRE(engine.open_and_tidy());
  REQUIRE((engine.write(3) && engine.freeze() && engine.flush()));
  REQUIRE((engine.write(2) && engine.freeze() && engine.write(4)));
  const auto killed = fs->clone();
  for (const auto effect :
       {Fault::Effect::none, Fault::Effect::half, Fault::Effect::done}) {
    bool done = false;
    for (std::uint64_t nth = 1; !done; ++nth) {
      INFO("fault at operation " << nth);
      const auto disk = killed->clone();
      FaultFileSystem faulty(*disk);
      faulty.inject({.nth = nth, .effect = effect});
      {
        Engine next(faulty);
        (void)next.open_and_tidy(1);
      }
      done = faulty.operations() < nth;
      CHECK_SAME(faulty.open_handles(), 0);
      check_image(*disk, 9, 9, engine.ends);
    }
  }
}

}  // namespace lsm::test
