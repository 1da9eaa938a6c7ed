// Day 1.7, the write path: commit, freeze, sync, flush, install. Background
// work runs only when a test lets it (a stepped executor), and the disk is in
// memory, so that every moment in between can be looked at.
#include "write_path.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <latch>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/block_cache.h"
#include "base/fault_file_system.h"
#include "base/sim_file_system.h"
#include "batch.h"
#include "log_reader.h"
#include "support/catch.h"
#include "support/random.h"
#include "support/teach.h"
#include "support/threads.h"

namespace lsm::test {
namespace {

// A manifest that remembers edits, and can run a test's code in the middle of
// an install, or fail.
class RecordingLog final : public VersionLog {
 public:
  Result<void> append(const VersionEdit& edit) override {
    if (during_append) during_append(edit);
    if (failure) return fail(Code::io, "the manifest is gone");
    edits.push_back(edit);
    return {};
  }
  Result<void> close() override { return {}; }

  std::vector<VersionEdit> edits;
  std::function<void(const VersionEdit&)> during_append;
  bool failure = false;
};

// Refuses the requests that write this key.
class RefuseKey final : public CommitCheck {
 public:
  Result<void> check(const WriteRequest& request) override {
    asked.push_back(std::string(request.ops[0].key));
    if (request.ops[0].key == refused) return fail(Code::conflict, "refused");
    return {};
  }
  void committed(const WriteRequest& request) override {
    committed_keys.push_back(std::string(request.ops[0].key));
  }

  std::string refused = "refused";
  std::vector<std::string> asked;
  std::vector<std::string> committed_keys;
};

class StillClock final : public Clock {
 public:
  std::uint64_t now_micros() override { return slept; }
  std::uint64_t wall_micros() override { return slept; }
  void sleep_micros(std::uint64_t micros) override { slept += micros; }

  std::uint64_t slept = 0;
};

// Passes everything on, and knows whether a wait has found its predicate false:
// since the mutex is held then, who takes it later finds the waiter asleep.
class WatchedExecutor final : public Executor {
 public:
  explicit WatchedExecutor(std::unique_ptr<Executor> executor)
      : executor_(std::move(executor)) {}

  void submit(Lane lane, std::function<void()> task) override {
    executor_->submit(lane, std::move(task));
  }
  Result<void> wait(Mutex& mutex, CondVar& changed,
                    const std::function<bool()>& predicate) override
      LSM_REQUIRES(mutex) {
    return executor_->wait(mutex, changed, [&] {
      const bool holds = predicate();
      sleeps_ = !holds;
      return holds;
    });
  }
  bool stepped() const override { return executor_->stepped(); }
  bool run_one() override { return executor_->run_one(); }

  bool sleeps() const { return sleeps_; }

 private:
  std::unique_ptr<Executor> executor_;
  std::atomic<bool> sleeps_ = false;
};

struct Harness {
  explicit Harness(WriteLimits wanted = {}, bool threads = false,
                   CommitCheck* check = nullptr)
      : limits(wanted),
        executor(std::make_unique<WatchedExecutor>(
            threads ? make_thread_executor() : make_stepped_executor(1))) {
    REQUIRE_OK(fs.create_dir("db"));
    REQUIRE_OK(fs.sync_dir("."));
    auto shared = std::make_shared<TableStore>();
    shared->fs = std::shared_ptr<FileSystem>(&fs, [](FileSystem*) {});
    shared->folder = "db";
    shared->store_id = 77;
    shared->filter = std::make_shared<NoFilter>();
    shared->cache = make_no_cache();
    shared->on_obsolete = [this](std::uint64_t number) {
      obsolete.push_back(number);
    };
    store = shared;
    const TableOptions tables{1024, Compression::none, store->filter.get()};
    auto created = WritePath::create(
        {store, numbers, *executor, clock, version_log,
         check != nullptr ? *check : accept_all, tables, limits,
         [this] { ++tree_changes; }},
        std::make_shared<const Tree>(store), 0, numbers.take());
    REQUIRE_OK(created);
    path = std::move(*created);
  }
  ~Harness() {
    if (path != nullptr) (void)path->stop();
  }

  WriteRequest write(std::vector<WriteOp> ops, bool sync = false,
                     WriteRequest::After after = WriteRequest::After::nothing) {
    WriteRequest request{.ops = ops, .sync = sync, .after = after};
    WriteRequest* const group[] = {&request};
    path->commit(group);
    request.ops = {};
    return request;
  }
  WriteRequest put(std::string_view key, std::string_view value,
                   bool sync = false) {
    return write({{Kind::put, key, value}}, sync);
  }
  WriteRequest sync() { return write({}, true); }
  WriteRequest freeze() {
    return write({}, false, WriteRequest::After::freeze);
  }

  std::string get(std::string_view key) const {
    const VersionPtr version = path->current();
    std::string value;
    const Result<bool> found = version->get(key, path->visible(), value);
    if (!found) return "error: " + found.error().message;
    return *found ? value : "(absent)";
  }

  // "key=value" of every put and "key" of every remove in the log.
  std::vector<std::string> log_content(FileSystem& from, std::uint64_t number) {
    std::vector<std::string> content;
    const auto end = read_log(
        from, file_path("db", FileKind::log, number), {77, number},
        [&](std::uint64_t, std::string_view record) -> Result<void> {
          LSM_ASSIGN_OR_RETURN(const BatchView batch, decode_batch(record));
          for (const WriteOp& op : batch.ops) {
            content.push_back(std::string(op.key) +
                              (op.kind == Kind::put ? "=" : "") +
                              std::string(op.value));
          }
          return {};
        });
    if (!end) content.push_back("error: " + end.error().message);
    return content;
  }

  int log_records(std::uint64_t number) {
    int records = 0;
    REQUIRE_OK(read_log(disk, file_path("db", FileKind::log, number),
                        {77, number},
                        [&](std::uint64_t, std::string_view) -> Result<void> {
                          ++records;
                          return {};
                        }));
    return records;
  }

  WriteLimits limits;
  SimFileSystem disk;
  FaultFileSystem fs{disk};
  StillClock clock;
  std::unique_ptr<WatchedExecutor> executor;
  FileNumbers numbers;
  RecordingLog version_log;
  AcceptAll accept_all;
  std::shared_ptr<const TableStore> store;
  std::vector<std::uint64_t> obsolete;
  int tree_changes = 0;
  std::unique_ptr<WritePath> path;
};

WriteLimits small_limits() {
  WriteLimits limits;
  limits.write_buffer_size_bytes = 64 << 10;
  return limits;
}

using Strings = std::vector<std::string>;

}  // namespace

// Task 1: commit.

TEST_CASE("a write is visible once commit has returned",
          "[1.7][task-1][core]") {
  STORY("put a = 1, then read a.");
  INVARIANT("I1 log before memtable before publication");
  Harness store;
  CHECK_OK(store.put("a", "1").result);
  CHECK_SAME(store.path->visible(), Sequence{1});
  CHECK_SAME(store.get("a"), "1");
  CHECK_SAME(store.get("b"), "(absent)");
}

TEST_CASE("a batch owns contiguous sequences", "[1.7][task-1][core]") {
  STORY("put a; then a batch of three; then put e.");
  INVARIANT("I2 contiguous sequences");
  Harness store;
  CHECK_SAME(store.put("a", "1").first_sequence, Sequence{1});
  const WriteRequest batch = store.write(
      {{Kind::put, "b", "2"}, {Kind::remove, "a", ""}, {Kind::put, "b", "3"}});
  CHECK_SAME(batch.first_sequence, Sequence{2});
  CHECK_SAME(store.path->visible(), Sequence{4});
  CHECK_SAME(store.put("e", "5").first_sequence, Sequence{5});
  CHECK_SAME(store.get("a"), "(absent)");
  CHECK_SAME(store.get("b"), "3");
  std::vector<InternalKeyBuffer> keys;
  const auto entry = store.path->current()->active->iterator();
  for (entry->seek_to_first(); entry->valid(); entry->next())
    keys.emplace_back(entry->key());
  const std::vector<InternalKeyBuffer> expected = {
      InternalKeyBuffer({"a", make_tag(3, Kind::remove)}),
      InternalKeyBuffer({"a", make_tag(1, Kind::put)}),
      InternalKeyBuffer({"b", make_tag(4, Kind::put)}),
      InternalKeyBuffer({"b", make_tag(2, Kind::put)}),
      InternalKeyBuffer({"e", make_tag(5, Kind::put)})};
  CHECK_SAME(keys, expected);
}

TEST_CASE("the log holds every write in order", "[1.7][task-1][core]") {
  STORY("Writes and a remove; then the log file is read back.");
  INVARIANT("I1 log before memtable");
  Harness store;
  store.put("a", "1");
  store.write({{Kind::put, "b", "2"}, {Kind::remove, "a", ""}});
  store.put("", std::string_view("\0\xff", 2));
  const Strings expected = {"a=1", "b=2", "a", std::string("=\0\xff", 3)};
  CHECK_SAME(store.log_content(store.disk, 1), expected);
}

TEST_CASE("a request without operations leaves no record",
          "[1.7][task-1][core]") {
  STORY("put a; an empty request; a group of two empty ones; put b.");
  INVARIANT("I2 no operations, no sequences: nothing to log");
  Harness store;
  store.put("a", "1");
  CHECK_OK(store.write({}).result);
  WriteRequest requests[] = {{}, {}};
  WriteRequest* const group[] = {&requests[0], &requests[1]};
  store.path->commit(group);
  CHECK_OK(requests[0].result);
  CHECK_OK(requests[1].result);
  CHECK_SAME(store.log_records(1), 1);
  CHECK_SAME(store.path->visible(), Sequence{1});
  CHECK_SAME(store.put("b", "2").first_sequence, Sequence{2});
  CHECK_SAME(store.log_records(1), 2);
}

TEST_CASE("an oversized key is refused before anything is written",
          "[1.7][task-1][core]") {
  STORY("A key of 65,536 bytes, one more than a key may have.");
  INVARIANT("I2 each request has its own result");
  Harness store;
  store.put("a", "1");
  const std::string long_key(kMaxKeySizeBytes + 1, 'k');
  CHECK_ERROR(store.put(long_key, "v").result, Code::invalid_argument);
  CHECK_SAME(store.path->visible(), Sequence{1});
  CHECK_SAME(store.log_content(store.disk, 1), Strings{"a=1"});
  CHECK_SAME(store.path->current()->active->entries(), std::size_t{1});
  CHECK_OK(store.put(std::string(kMaxKeySizeBytes, 'k'), "fits").result);
  CHECK_SAME(store.path->visible(), Sequence{2});
}

TEST_CASE("each request of a group gets its own result, in order",
          "[1.7][task-1][core]") {
  STORY("A group of three; the commit check refuses the second.");
  INVARIANT("I2 each request has its own result");
  RefuseKey check;
  Harness store({}, false, &check);
  const WriteOp first[] = {{Kind::put, "a", "1"}, {Kind::put, "b", "1"}};
  const WriteOp second[] = {{Kind::put, "refused", "2"}};
  const WriteOp third[] = {{Kind::put, "a", "3"}};
  WriteRequest requests[] = {{.ops = first}, {.ops = second}, {.ops = third}};
  WriteRequest* const group[] = {&requests[0], &requests[1], &requests[2]};
  store.path->commit(group);
  CHECK_OK(requests[0].result);
  CHECK_ERROR(requests[1].result, Code::conflict);
  CHECK_OK(requests[2].result);
  CHECK_SAME(requests[0].first_sequence, Sequence{1});
  CHECK_SAME(requests[2].first_sequence, Sequence{3});
  CHECK_SAME(store.path->visible(), Sequence{3});
  CHECK_SAME(store.get("a"), "3");
  CHECK_SAME(store.get("refused"), "(absent)");
  CHECK_SAME(check.asked, Strings({"a", "refused", "a"}));
  CHECK_SAME(check.committed_keys, Strings({"a", "a"}));
  CHECK_SAME(store.log_content(store.disk, 1), Strings({"a=1", "b=1", "a=3"}));
}

TEST_CASE(
    "a write that the log refuses is not visible, and no later one is "
    "acknowledged",
    "[1.7][task-1][core]") {
  STORY("The disk fails while the log grows; then it works again.");
  INVARIANT("I6 read-only after a failed append");
  Harness store;
  store.put("a", "1");
  store.fs.inject({.kinds = kAppend | kAllocate | kMap, .sticky = true});
  const std::string large(std::size_t{80} << 20, 'x');  // beyond what is mapped
  CHECK_ERROR(store.put("b", large).result, Code::io);
  store.fs.lift();
  CHECK_ERROR(store.put("c", "3").result, Code::read_only);
  CHECK_SAME(store.path->visible(), Sequence{1});
  CHECK_SAME(store.get("b"), "(absent)");
  CHECK_SAME(store.get("a"), "1");
}

TEST_CASE("readers beside a writer see whole batches", "[1.7][task-1][gold]") {
  STORY(
      "One thread writes x and y together, always equal; two others read "
      "both at one sequence.");
  INVARIANT("I2 visible at once");
  Harness store({}, true);
  store.write({{Kind::put, "x", "0"}, {Kind::put, "y", "0"}});
  std::atomic<bool> done = false;
  run_threads(3, [&](int thread, const std::atomic<bool>& stop) {
    if (thread == 0) {
      for (int i = 1; i <= 20'000 && !stop; ++i) {
        const std::string value = std::to_string(i);
        const WriteRequest request =
            store.write({{Kind::put, "x", value}, {Kind::put, "y", value}});
        expect(request.result.has_value(), "a write failed");
      }
      done = true;
      return;
    }
    while (!done && !stop) {
      const VersionPtr version = store.path->current();
      const Sequence at = store.path->visible();
      std::string x;
      std::string y;
      expect(version->get("x", at, x).value_or(false), "x is absent");
      expect(version->get("y", at, y).value_or(false), "y is absent");
      expect(x == y, "x = " + x + " but y = " + y + " at one sequence");
    }
  });
  CHECK_SAME(store.get("x"), "20000");
}

TEST_CASE("a large batch becomes visible at once", "[1.7][task-1][core]") {
  STORY(
      "One thread writes large batches; another looks at every sequence that "
      "turns visible, and for the last key of its batch.");
  INVARIANT("I2 visible() jumps over all of a request's operations");
  const std::size_t size = scaled(30'000);
  constexpr std::size_t kBatches = 5;
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < size; ++i) {
    keys.push_back(std::to_string(i * 7919 % size));  // in no order
  }
  Harness store({}, true);
  run_threads(2, [&](int thread, const std::atomic<bool>& stop) {
    if (thread == 0) {
      for (std::size_t batch = 1; batch <= kBatches && !stop; ++batch) {
        const std::string value = std::to_string(batch);
        std::vector<WriteOp> ops;
        for (const std::string& key : keys)
          ops.push_back({Kind::put, key, value});
        expect(store.write(std::move(ops)).result.has_value(), "refused");
      }
      return;
    }
    Sequence seen = 0;
    while (seen < kBatches * size && !stop) {
      const VersionPtr version = store.path->current();
      const Sequence at = store.path->visible();
      if (at == seen) continue;
      seen = at;
      expect(at % size == 0, "sequence " + std::to_string(at) +
                                 " is visible, in the middle of a batch");
      std::string value;
      expect(version->get(keys.back(), at, value).value_or(false) &&
                 value == std::to_string(at / size),
             "a batch is visible, but its last key is not there");
    }
  });
  CHECK_SAME(store.path->visible(), Sequence{kBatches * size});
}

// Task 2: freeze.

TEST_CASE("a freeze starts a new memtable and a new log",
          "[1.7][task-2][core]") {
  STORY("put a, freeze, put b. No flush has run yet.");
  INVARIANT("I7 the leader freezes");
  Harness store;
  store.put("a", "1");
  CHECK_OK(store.freeze().result);
  store.put("b", "2");
  const VersionPtr version = store.path->current();
  REQUIRE(version->frozen.size() == 1);
  CHECK_SAME(version->frozen[0]->entries(), std::size_t{1});
  CHECK_SAME(version->frozen[0]->log_number(), std::uint64_t{1});
  CHECK_SAME(version->active->log_number(), std::uint64_t{2});
  CHECK_SAME(store.log_content(store.disk, 1), Strings{"a=1"});
  CHECK_SAME(store.log_content(store.disk, 2), Strings{"b=2"});
  CHECK_SAME(store.get("a"), "1");
  CHECK_SAME(store.get("b"), "2");
}

TEST_CASE("a full memtable is frozen by the next write",
          "[1.7][task-2][core]") {
  STORY("Values of 1 KiB into a write buffer of 64 KiB.");
  INVARIANT("I7 the leader freezes");
  Harness store(small_limits());
  const std::string value(1024, 'v');
  int writes = 0;
  while (store.path->current()->frozen.empty()) {
    REQUIRE(++writes < 1000);
    REQUIRE_OK(store.put("key" + std::to_string(writes), value).result);
  }
  CHECK(writes > 16);
  CHECK_SAME(store.path->current()->active->entries(), std::size_t{1});
  for (int i = 1; i <= writes; ++i) {
    REQUIRE_SAME(store.get("key" + std::to_string(i)), value);
  }
}

TEST_CASE("the newest frozen memtable is asked first", "[1.7][task-2][core]") {
  STORY("a = 1, freeze, a = 2, freeze, then a is read: 2 is newer.");
  INVARIANT("I3 a change re-reads the other half");
  Harness store;
  store.put("a", "1");
  store.freeze();
  store.put("a", "2");
  store.freeze();
  REQUIRE(store.path->current()->frozen.size() == 2);
  CHECK_SAME(store.path->current()->frozen.front()->log_number(),
             std::uint64_t{2});
  CHECK_SAME(store.get("a"), "2");
}

TEST_CASE("a freeze that meets an install loses neither",
          "[1.7][task-4][core]") {
  STORY(
      "Memtable 1 is frozen. While the freeze of memtable 2 creates its log, "
      "the table of memtable 1 is installed.");
  INVARIANT("I3 re-read the other half: look in freeze, it needs a flush");
  Harness store;
  store.put("a", "1");
  store.freeze();
  store.put("b", "2");
  bool flushed = false;
  store.disk.before_each_operation([&](const SimOperation&) {
    if (!std::exchange(flushed, true)) store.executor->run_one();
  });
  CHECK_OK(store.freeze().result);
  store.disk.before_each_operation(nullptr);
  REQUIRE(store.version_log.edits.size() == 1);
  const VersionPtr version = store.path->current();
  CHECK_SAME(version->tree->level(0).size(), std::size_t{1});
  REQUIRE(version->frozen.size() == 1);
  CHECK_SAME(version->frozen[0]->log_number(), std::uint64_t{2});
  CHECK_SAME(store.get("a"), "1");
  CHECK_SAME(store.get("b"), "2");
}

TEST_CASE("freezing an empty memtable does nothing", "[1.7][task-2][core]") {
  STORY("flush() on an empty store, and twice in a row.");
  INVARIANT("I7 the leader freezes");
  Harness store;
  CHECK_OK(store.freeze().result);
  CHECK(store.path->current()->frozen.empty());
  store.put("a", "1");
  CHECK_OK(store.freeze().result);
  CHECK_OK(store.freeze().result);
  CHECK_SAME(store.path->current()->frozen.size(), std::size_t{1});
}

TEST_CASE("writers wait when too many memtables are frozen",
          "[1.7][task-4][core]") {
  STORY("At most two may be frozen; ten times put and freeze.");
  INVARIANT("I7 writers stop when memory is full");
  Harness store;
  for (int i = 0; i < 10; ++i) {
    store.put("k" + std::to_string(i), "v");
    REQUIRE_OK(store.freeze().result);
    REQUIRE(store.path->current()->frozen.size() <= 2);
  }
  CHECK(store.version_log.edits.size() >= 8);
  for (int i = 0; i < 10; ++i) {
    CHECK_SAME(store.get("k" + std::to_string(i)), "v");
  }
}

TEST_CASE("a freeze that gets no new log changes nothing",
          "[1.7][task-2][gold]") {
  STORY("The disk is full when the new log is created; later there is room.");
  INVARIANT("I1 nothing is acknowledged that the log does not hold");
  Harness store;
  store.put("a", "1");
  store.fs.inject({.kinds = kCreate, .sticky = true, .code = Code::no_space});
  CHECK_ERROR(store.freeze().result, Code::no_space);
  CHECK(store.path->current()->frozen.empty());
  store.fs.lift();
  CHECK_OK(store.put("b", "2").result);
  CHECK_OK(store.freeze().result);
  CHECK_SAME(store.path->current()->frozen.size(), std::size_t{1});
  CHECK_SAME(store.get("a"), "1");
  CHECK_SAME(store.get("b"), "2");
}

// Task 3: sync.

TEST_CASE("a plain write costs no fsync", "[1.7][task-1][core]") {
  STORY("A hundred writes without sync; fsyncs are counted.");
  INVARIANT("I1 a write without sync survives a kill, not a power cut");
  Harness store;
  store.put("a", "1");
  const std::uint64_t before = store.disk.counters().syncs;
  for (int i = 0; i < 100; ++i)
    store.put("a", "2");
  CHECK_SAME(store.disk.counters().syncs, before);
}

TEST_CASE("a synced write survives a power cut", "[1.7][task-3][core]") {
  STORY("a without sync, b with; then the power is cut, in 20 ways.");
  INVARIANT("I1 what was synced, a power cut spares");
  Harness store(small_limits());
  store.put("a", "1");
  CHECK_OK(store.put("b", "2", true).result);
  store.put("c", "3");
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto image = store.disk.clone();
    image->power_cycle(CrashModel::any_subset, seed);
    const Strings content = store.log_content(*image, 1);
    INFO("power cut with seed " << seed);
    REQUIRE(content.size() >= 2);
    CHECK_SAME(content[0], "a=1");
    CHECK_SAME(content[1], "b=2");
  }
}

TEST_CASE("a sync makes the logs before durable first", "[1.7][task-3][core]") {
  STORY(
      "a into log 1, freeze, b into log 2, freeze, c into log 3 with sync. "
      "No flush has run when the power is cut.");
  INVARIANT("I5 older logs first");
  Harness store(small_limits());
  store.put("a", "1");
  store.freeze();
  store.put("b", "2");
  store.freeze();
  CHECK_OK(store.put("c", "3", true).result);
  REQUIRE(store.version_log.edits.empty());
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto image = store.disk.clone();
    image->power_cycle(CrashModel::any_subset, seed);
    INFO("power cut with seed " << seed);
    CHECK_SAME(store.log_content(*image, 1), Strings{"a=1"});
    CHECK_SAME(store.log_content(*image, 2), Strings{"b=2"});
    CHECK_SAME(store.log_content(*image, 3), Strings{"c=3"});
  }
}

TEST_CASE("at no operation of a sync is a later log durable before an earlier",
          "[1.7][task-3][gold]") {
  STORY(
      "The same, with the power cut before each operation of the sync, in 20 "
      "ways: where log 3 has a mark, a and b are there.");
  INVARIANT("I5 what is durable is a prefix");
  Harness store(small_limits());
  store.put("a", "1");
  store.freeze();
  store.put("b", "2");
  store.freeze();
  std::vector<std::unique_ptr<SimFileSystem>> images;
  store.disk.before_each_operation(
      [&](const SimOperation&) { images.push_back(store.disk.clone()); });
  CHECK_OK(store.put("c", "3", true).result);
  store.disk.before_each_operation(nullptr);
  images.push_back(store.disk.clone());
  REQUIRE(images.size() >= 4);
  int marks = 0;
  for (std::size_t i = 0; i < images.size(); ++i) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      const auto image = images[i]->clone();
      image->power_cycle(CrashModel::any_subset, seed);
      const auto end = read_log(
          *image, file_path("db", FileKind::log, 3), {77, 3},
          [](std::uint64_t, std::string_view) -> Result<void> { return {}; });
      if (!end || !end->any_mark) continue;
      ++marks;
      INFO("power cut before operation " << i << " of the sync, seed " << seed);
      REQUIRE_SAME(store.log_content(*image, 1), Strings{"a=1"});
      REQUIRE_SAME(store.log_content(*image, 2), Strings{"b=2"});
    }
  }
  CHECK(marks > 0);  // or nothing was looked at
}

TEST_CASE("a synced write is not visible before it is durable",
          "[1.7][task-3][core]") {
  STORY("b is written with sync; visible() is asked before each operation.");
  INVARIANT("I1 log before memtable before publication");
  Harness store;
  store.put("a", "1");
  std::vector<Sequence> visible;
  store.disk.before_each_operation(
      [&](const SimOperation&) { visible.push_back(store.path->visible()); });
  CHECK_OK(store.put("b", "2", true).result);
  store.disk.before_each_operation(nullptr);
  REQUIRE(!visible.empty());
  CHECK_SAME(visible, std::vector<Sequence>(visible.size(), 1));
  CHECK_SAME(store.path->visible(), Sequence{2});
}

TEST_CASE(
    "after a failed sync nothing is acknowledged until the store is "
    "reopened",
    "[1.7][task-3][core]") {
  STORY(
      "One fsync fails and the next would succeed: the kernel has already "
      "thrown the pages away.");
  INVARIANT("I6 no retry may claim success");
  Harness store;
  store.put("a", "1");
  store.fs.inject({.kinds = kSync, .effect = Fault::Effect::lost});
  CHECK_ERROR(store.put("b", "2", true).result, Code::io);
  store.fs.lift();
  CHECK_ERROR(store.put("c", "3", true).result, Code::read_only);
  CHECK_ERROR(store.sync().result, Code::read_only);
  CHECK_ERROR(store.path->status(), Code::read_only);
  CHECK_SAME(store.path->visible(), Sequence{1});
  CHECK_SAME(store.get("a"), "1");
  CHECK_SAME(store.get("b"), "(absent)");
}

// Task 4: flush and install.

namespace {

// A write path whose level 0 holds `runs` runs.
void fill_level0(Harness& store, std::size_t runs) {
  while (store.path->current()->tree->level(0).size() < runs) {
    REQUIRE_OK(store.put("k", "v").result);
    REQUIRE_OK(store.freeze().result);
    REQUIRE_OK(store.path->wait_flushed());
  }
}

// What a compaction that only moves the oldest run of level 0 would install.
VersionEdit oldest_run_moved_to(int level, const Tree& tree) {
  const FileMeta table = *tree.level(0).back()->shape().files[0];
  VersionEdit edit;
  edit.removed.push_back({0, table.number});
  edit.added.push_back({level, table});
  return edit;
}

// Writers stop at three runs of level 0, and are not slowed down before.
WriteLimits stop_at_three_runs() {
  WriteLimits limits;
  limits.level0_runs_to_slow_down = 100;
  limits.level0_runs_to_stop = 3;
  return limits;
}

}  // namespace

TEST_CASE("the history that write_path.h tells", "[1.7][task-4][core]") {
  STORY("put a, put b, freeze, put c with sync, the flush of memtable 1.");
  INVARIANT("I1 to I5, one step each");
  Harness store;
  store.put("a", "1");
  store.put("b", "2");
  CHECK_SAME(store.path->visible(), Sequence{2});
  CHECK_OK(store.freeze().result);
  CHECK_OK(store.put("c", "3", true).result);
  CHECK_SAME(store.path->visible(), Sequence{3});
  CHECK_SAME(store.log_content(store.disk, 1), Strings({"a=1", "b=2"}));
  CHECK_SAME(store.log_content(store.disk, 2), Strings{"c=3"});
  CHECK(store.executor->run_one());
  REQUIRE(store.version_log.edits.size() == 1);
  const VersionEdit& edit = store.version_log.edits[0];
  REQUIRE(edit.added.size() == 1);
  CHECK_SAME(edit.added[0].level, 0);
  CHECK_SAME(edit.added[0].file.number, std::uint64_t{3});
  CHECK_SAME(edit.oldest_log.value_or(0), std::uint64_t{2});
  CHECK_SAME(edit.next_file_number.value_or(0), std::uint64_t{4});
  const VersionPtr version = store.path->current();
  CHECK(version->frozen.empty());
  CHECK_SAME(version->active->log_number(), std::uint64_t{2});
  REQUIRE(version->tree->level(0).size() == 1);
  CHECK_SAME(store.get("b"), "2");
  CHECK_SAME(store.get("c"), "3");
}

TEST_CASE("a flush turns a memtable into a table of level 0",
          "[1.7][task-4][core]") {
  STORY("a, b and a tombstone for a; freeze; the flush runs.");
  INVARIANT("I4 flush, install, then the log goes");
  Harness store;
  store.put("a", "1");
  store.put("b", "2");
  store.write({{Kind::remove, "a", ""}});
  store.freeze();
  CHECK_OK(store.path->wait_flushed());
  const VersionPtr version = store.path->current();
  CHECK(version->frozen.empty());
  REQUIRE(version->tree->level(0).size() == 1);
  const FileMeta& file = *version->tree->level(0)[0]->shape().files[0];
  CHECK_SAME(file.entries, std::uint64_t{3});
  CHECK_SAME(file.tombstones, std::uint64_t{1});
  CHECK_SAME(file.newest_sequence, Sequence{3});
  CHECK_SAME(store.get("a"), "(absent)");
  CHECK_SAME(store.get("b"), "2");
  CHECK_SAME(store.tree_changes, 1);
}

TEST_CASE("memtables are flushed oldest first", "[1.7][task-4][core]") {
  STORY("a = 1, freeze, a = 2, freeze; both are flushed.");
  INVARIANT("I4 oldest first");
  Harness store;
  store.put("a", "1");
  store.freeze();
  store.put("a", "2");
  store.freeze();
  CHECK_OK(store.path->wait_flushed());
  REQUIRE(store.version_log.edits.size() == 2);
  CHECK_SAME(store.version_log.edits[0].added[0].file.newest_sequence,
             Sequence{1});
  CHECK_SAME(store.version_log.edits[0].oldest_log.value_or(0),
             std::uint64_t{2});
  CHECK_SAME(store.version_log.edits[1].added[0].file.newest_sequence,
             Sequence{2});
  CHECK_SAME(store.version_log.edits[1].oldest_log.value_or(0),
             store.path->current()->active->log_number());
  CHECK_SAME(store.get("a"), "2");
}

TEST_CASE("a table is durable before the manifest names it",
          "[1.7][task-4][core]") {
  STORY(
      "At the moment of the manifest record the power is cut, in 20 ways: "
      "the table it names must be there, whole.");
  INVARIANT("I1 of version_log.h: a file that an edit adds is durable before");
  Harness store;
  for (int i = 0; i < 200; ++i)
    store.put("k" + std::to_string(i), "value");
  int looked_at = 0;
  store.version_log.during_append = [&](const VersionEdit& edit) {
    const FileMeta& file = edit.added[0].file;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      INFO("power cut with seed " << seed);
      const auto image = store.disk.clone();
      image->power_cycle(CrashModel::any_subset, seed);
      const auto table =
          Table::open(*image, file_path("db", FileKind::table, file.number),
                      {77, file.number},
                      {store.store->filter.get(), store.store->cache.get()});
      REQUIRE_OK(table);
      const auto entry = (*table)->iterator(Table::Access::scan);
      for (entry->seek_to_first(); entry->valid();)
        entry->next();
      CHECK_OK(entry->status());
      ++looked_at;
    }
  };
  store.freeze();
  CHECK_OK(store.path->wait_flushed());
  CHECK_SAME(looked_at, 20);
}

TEST_CASE("the log goes only after the manifest names its table",
          "[1.7][task-4][core]") {
  STORY(
      "At the moment of the manifest record the log must still be there; "
      "afterwards it is gone.");
  INVARIANT("I4 the log goes last");
  Harness store;
  store.put("a", "1");
  Strings at_append;
  store.version_log.during_append = [&](const VersionEdit&) {
    at_append = store.log_content(store.disk, 1);
  };
  store.freeze();
  CHECK_OK(store.path->wait_flushed());
  CHECK_SAME(at_append, Strings{"a=1"});
  const Result<bool> there =
      store.disk.exists(file_path("db", FileKind::log, 1));
  REQUIRE_OK(there);
  CHECK_SAME(*there, false);
}

TEST_CASE("an install that meets a freeze loses neither",
          "[1.7][task-4][core]") {
  STORY(
      "While the table of memtable 1 is being installed, memtable 2 is "
      "frozen: afterwards the table and memtable 2 are both in the Version.");
  INVARIANT("I3 re-read the other half");
  Harness store;
  store.put("a", "1");
  store.freeze();
  store.put("b", "2");
  store.version_log.during_append = [&](const VersionEdit&) {
    store.version_log.during_append = nullptr;
    CHECK_OK(store.freeze().result);
    CHECK_OK(store.put("c", "3").result);
  };
  CHECK(store.executor->run_one());
  CHECK_OK(store.path->wait_flushed());
  CHECK_SAME(store.get("a"), "1");
  CHECK_SAME(store.get("b"), "2");
  CHECK_SAME(store.get("c"), "3");
  CHECK_SAME(store.path->current()->tree->level(0).size(), std::size_t{2});
}

TEST_CASE("an install drops exactly the memtable it flushed",
          "[1.7][task-4][core]") {
  STORY("A compaction's edit is installed while a memtable waits frozen.");
  INVARIANT("I3 the other half stays");
  Harness store;
  store.put("a", "1");
  store.freeze();
  CHECK_OK(store.path->wait_flushed());
  store.put("b", "2");
  store.freeze();
  const TreePtr tree = store.path->current()->tree;
  CHECK_OK(store.path->install(oldest_run_moved_to(6, *tree)));
  CHECK_SAME(store.path->current()->frozen.size(), std::size_t{1});
  CHECK(store.path->current()->tree->level(0).empty());
  CHECK_SAME(store.get("a"), "1");
  CHECK_SAME(store.get("b"), "2");
}

TEST_CASE("a freeze waits until level 0 has shrunk", "[1.7][task-4][core]") {
  STORY(
      "Three runs in level 0, where writers stop. A compaction is there to "
      "run; it moves one run away while the freeze waits.");
  INVARIANT("I7 writers stop at level0_runs_to_stop: look in freeze");
  Harness store(stop_at_three_runs());
  fill_level0(store, 3);
  store.put("k", "new");
  const std::uint64_t active = store.path->current()->active->log_number();
  std::uint64_t active_at_install = 0;
  store.executor->submit(Executor::Lane::compaction, [&] {
    const VersionPtr version = store.path->current();
    active_at_install = version->active->log_number();
    CHECK_OK(store.path->install(oldest_run_moved_to(6, *version->tree)));
  });
  CHECK_OK(store.freeze().result);
  CHECK_SAME(active_at_install, active);  // 0: the freeze did not wait
  CHECK_SAME(store.path->current()->tree->level(0).size(), std::size_t{2});
  CHECK_SAME(store.path->current()->frozen.size(), std::size_t{1});
  CHECK_SAME(store.get("k"), "new");
}

TEST_CASE("a manifest that fails makes the store read-only and deletes nothing",
          "[1.7][task-4][core]") {
  STORY("The manifest refuses the flush's edit.");
  INVARIANT("I6 read-only after a failed manifest write");
  Harness store;
  store.put("a", "1");
  store.version_log.failure = true;
  store.freeze();
  CHECK_ERROR(store.path->wait_flushed(), Code::read_only);
  store.version_log.failure = false;
  CHECK_ERROR(store.put("b", "2").result, Code::read_only);
  CHECK_SAME(store.get("a"), "1");
  CHECK_SAME(store.path->current()->frozen.size(), std::size_t{1});
  CHECK_SAME(store.log_content(store.disk, 1), Strings{"a=1"});
}

TEST_CASE("a compaction that the manifest refuses changes nothing",
          "[1.7][task-4][core]") {
  STORY(
      "The manifest refuses a compaction's edit, and one more; a write comes "
      "after them.");
  INVARIANT("I2 of version_log.h: after a failure nothing more is installed");
  Harness store;
  fill_level0(store, 1);
  const VersionPtr before = store.path->current();
  const int changes = store.tree_changes;
  store.version_log.failure = true;
  const VersionEdit edit = oldest_run_moved_to(6, *before->tree);
  CHECK_ERROR(store.path->install(edit), Code::io);
  CHECK_ERROR(store.path->install(edit), Code::io);
  CHECK_ERROR(store.path->status(), Code::read_only);
  CHECK_ERROR(store.put("b", "2").result, Code::read_only);
  CHECK_SAME(store.path->current() == before, true);
  CHECK_SAME(store.tree_changes, changes);
  CHECK(store.obsolete.empty());
}

TEST_CASE("an install wakes the writer that waits for level 0",
          "[1.7][task-4][gold]") {
  STORY(
      "Threads: a freeze sleeps because level 0 is at its limit; a "
      "compaction is installed; five seconds later the freeze must be done.");
  INVARIANT("I7 a stop is never for ever: install wakes who waits on changed_");
  Harness store(stop_at_three_runs(), true);
  fill_level0(store, 3);
  store.put("k", "new");
  std::latch lane_is_idle(1);  // so that only install can wake the freeze
  store.executor->submit(Executor::Lane::flush,
                         [&] { lane_is_idle.count_down(); });
  lane_is_idle.wait();
  std::promise<void> frozen;
  std::future<void> done = frozen.get_future();
  run_threads(2, [&](int thread, const std::atomic<bool>& stop) {
    if (thread == 0) {
      const WriteRequest request = store.freeze();
      frozen.set_value();
      expect(request.result.has_value(), "the freeze failed");
      return;
    }
    const auto freeze_is_over = [&done](std::chrono::seconds patience) {
      return done.wait_for(patience) == std::future_status::ready;
    };
    while (!store.executor->sleeps() && !stop &&
           !freeze_is_over(std::chrono::seconds(0))) {
      std::this_thread::yield();
    }
    // Whatever fails below, the other thread is not left asleep.
    const std::shared_ptr<void> wake_at_the_end(nullptr, [&](void*) {
      store.path->report_compaction(fail(Code::internal, "the test ends"));
    });
    expect(!freeze_is_over(std::chrono::seconds(0)), "the freeze did not wait");
    const TreePtr tree = store.path->current()->tree;
    expect(store.path->install(oldest_run_moved_to(6, *tree)).has_value(),
           "the install failed");
    expect(freeze_is_over(std::chrono::seconds(5)),
           "level 0 has shrunk, and the freeze still sleeps");
  });
}

TEST_CASE("a failed table is tried again under a new number",
          "[1.7][task-4][gold]") {
  STORY("The disk is full while the table is written; later there is room.");
  INVARIANT("I4 the memtable stays until its table is in the manifest");
  Harness store;
  store.put("a", "1");
  store.freeze();
  store.fs.inject({.kinds = kAppend, .sticky = true, .code = Code::no_space});
  CHECK_ERROR(store.path->wait_flushed(), Code::no_space);
  CHECK_SAME(store.get("a"), "1");
  CHECK_SAME(store.path->current()->frozen.size(), std::size_t{1});
  const std::uint64_t next = store.numbers.next();
  store.fs.lift();
  CHECK_OK(store.put("b", "2").result);
  CHECK_OK(store.path->wait_flushed());
  REQUIRE(store.version_log.edits.size() == 1);
  CHECK(store.version_log.edits[0].added[0].file.number >= next);
  CHECK_SAME(store.get("a"), "1");
  CHECK_SAME(store.get("b"), "2");
  INVARIANT("a table that could not be written is removed (write_table)");
  const auto names = store.disk.list("db");
  REQUIRE_OK(names);
  Strings tables = *names;
  std::erase_if(tables,
                [](const auto& name) { return !name.ends_with(".sst"); });
  CHECK_SAME(tables.size(), std::size_t{1});
}

TEST_CASE("a removed table goes when its last reader does",
          "[1.7][task-4][gold]") {
  STORY("A Version is held while a compaction removes its table.");
  INVARIANT("I3 of tree.h: a handle lives as long as a Version names it");
  Harness store;
  store.put("a", "1");
  store.freeze();
  CHECK_OK(store.path->wait_flushed());
  VersionPtr reader = store.path->current();
  const std::uint64_t number =
      reader->tree->level(0)[0]->shape().files[0]->number;
  VersionEdit edit;
  edit.removed.push_back({0, number});
  CHECK_OK(store.path->install(edit));
  CHECK(store.obsolete.empty());
  std::string value;
  CHECK(reader->get("a", kMaxSequence, value).value_or(false));
  reader.reset();
  CHECK_SAME(store.obsolete, std::vector<std::uint64_t>{number});
}

TEST_CASE("a sealed log refuses what comes after", "[1.7][task-3][gold]") {
  STORY("The store closes: the log is sealed, and a late write comes.");
  INVARIANT("I6 refused with a reason");
  Harness store;
  store.put("a", "1");
  CHECK_OK(store.path->stop());
  CHECK_OK(store.write({}, false, WriteRequest::After::seal).result);
  CHECK_ERROR(store.put("b", "2").result, Code::closed);
  const auto end = read_log(
      store.disk, file_path("db", FileKind::log, 1), {77, 1},
      [](std::uint64_t, std::string_view) -> Result<void> { return {}; });
  REQUIRE_OK(end);
  CHECK(end->kind == LogEnd::Kind::sealed);
}

// Task 5: backpressure.

namespace {

// Micros slept while a mebibyte is written in values of 1 KiB.
std::uint64_t slept_for_a_mebibyte(Harness& store) {
  const std::uint64_t before = store.clock.slept;
  const std::string value(1023, 'v');
  for (int i = 0; i < 1024; ++i)
    REQUIRE_OK(store.put("k", value).result);
  return store.clock.slept - before;
}

}  // namespace

TEST_CASE("writers slow down before they stop", "[1.7][task-5][gold]") {
  STORY(
      "A mebibyte is written while level 0 holds 1, 4 and 7 runs; slowing "
      "begins at 4.");
  INVARIANT("I7 writers slow down before they stop");
  WriteLimits limits;
  limits.level0_runs_to_slow_down = 4;
  limits.level0_runs_to_stop = 20;
  Harness store(limits);
  fill_level0(store, 1);
  CHECK_SAME(slept_for_a_mebibyte(store), std::uint64_t{0});
  fill_level0(store, 4);
  const std::uint64_t at_mark = slept_for_a_mebibyte(store);
  CHECK_SAME(at_mark, std::uint64_t{32 * 1000});  // a millisecond each 32 KiB
  fill_level0(store, 7);
  CHECK_SAME(slept_for_a_mebibyte(store), 8 * at_mark);
}

TEST_CASE("writers that wait for level 0 hear why compaction failed",
          "[1.7][task-4][gold]") {
  STORY("Level 0 is at its limit and compaction reports a damaged table.");
  INVARIANT("I7 a stop is never for ever");
  Harness store(stop_at_three_runs());
  fill_level0(store, 3);
  store.put("a", "1");
  store.path->report_compaction(fail(Code::corruption, "000009.sst: block 3"));
  CHECK_ERROR(store.freeze().result, Code::corruption);
  CHECK_SAME(store.get("a"), "1");
}

TEST_CASE("random writes, freezes, flushes and syncs agree with a map",
          "[1.7][task-4][gold]") {
  STORY("5,000 random steps on a small write buffer.");
  INVARIANT("I3 nothing is lost between the halves");
  SEEDED_RANDOM(random, 17);
  WriteLimits limits = small_limits();  // and nobody compacts here
  limits.level0_runs_to_slow_down = 1'000'000;
  limits.level0_runs_to_stop = 1'000'000;
  Harness store(limits);
  std::map<std::string, std::string> model;
  for (std::size_t i = 0; i < scaled(5000); ++i) {
    const std::string key = "k" + std::to_string(random.below(200));
    if (random.one_in(5)) {
      REQUIRE_OK(store.write({{Kind::remove, key, ""}}).result);
      model.erase(key);
    } else {
      const std::string value = random.text(random.below(600));
      REQUIRE_OK(store.put(key, value, random.one_in(50)).result);
      model[key] = value;
    }
    if (random.one_in(100)) REQUIRE_OK(store.freeze().result);
    if (random.one_in(30)) store.executor->run_one();
    const std::string probe = "k" + std::to_string(random.below(200));
    const auto expected = model.find(probe);
    REQUIRE_SAME(store.get(probe),
                 expected == model.end() ? "(absent)" : expected->second);
  }
  REQUIRE_OK(store.freeze().result);
  REQUIRE_OK(store.path->wait_flushed());
}

}  // namespace lsm::test
