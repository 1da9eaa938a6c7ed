// Transactions of the whole engine: from begin to the log and back.
#include <fmt/format.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "base/executor.h"
#include "base/sim_file_system.h"
#include "lsm/db.h"
#include "support/catch.h"
#include "support/random.h"
#include "support/teach.h"
#include "support/threads.h"

namespace lsm::test {
namespace {

std::unique_ptr<Db> open_db(FileSystem& fs, Options options = {}) {
  options.file_system = &fs;
  options.write_buffer_size_bytes = 32 << 10;
  auto db = Db::open("db", options);
  REQUIRE_OK(db);
  return std::move(*db);
}

std::unique_ptr<Transaction> begin(Db& db, TransactionOptions options = {}) {
  auto transaction = db.begin(std::move(options));
  REQUIRE_OK(transaction);
  return std::move(*transaction);
}

using Found = std::optional<std::string>;

Found get(Db& db, std::string_view key) {
  auto value = db.get(key);
  REQUIRE_OK(value);
  return *value;
}

// The threads, and how often one of ours had to wait.
class WatchedExecutor final : public Executor {
 public:
  void submit(Lane lane, std::function<void()> task) override {
    threads_->submit(lane, std::move(task));
  }
  Result<void> wait(Mutex& mutex, CondVar& changed,
                    const std::function<bool()>& predicate) override
      LSM_REQUIRES(mutex) {
    ++waits;
    return threads_->wait(mutex, changed, predicate);
  }

  std::atomic<int> waits = 0;

 private:
  std::unique_ptr<Executor> threads_ = make_thread_executor();
};

bool mentions(const Result<void>& result, std::string_view part) {
  return !result && result.error().message.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a committed transaction is there whole after a reopen",
          "[engine][transactions]") {
  STORY("Put, remove, commit with sync; power goes; look.");
  SimFileSystem fs;
  {
    auto db = open_db(fs);
    REQUIRE_OK(db->put("gone", "1"));
    auto transaction = begin(*db);
    REQUIRE_OK(transaction->put("a", "1"));
    REQUIRE_OK(transaction->put("b", "2"));
    REQUIRE_OK(transaction->remove("gone"));
    CHECK_SAME(get(*db, "a"), Found());
    REQUIRE_OK(transaction->commit({.sync = true}));
    CHECK_SAME(get(*db, "a"), Found("1"));
    fs.cut_power_at(fs.operations() + 1);
  }
  fs.power_cycle(CrashModel::any_subset, 1);
  auto db = open_db(fs);
  CHECK_SAME(get(*db, "a"), Found("1"));
  CHECK_SAME(get(*db, "b"), Found("2"));
  CHECK_SAME(get(*db, "gone"), Found());
}

TEST_CASE("a transaction's flushes and compactions change nothing for it",
          "[engine][transactions]") {
  STORY("Begin; others overwrite, flush and compact; read as of begin.");
  SimFileSystem fs;
  auto db = open_db(fs);
  REQUIRE_OK(db->put("a", "old"));
  auto transaction = begin(*db);
  REQUIRE_OK(db->put("a", "new"));
  REQUIRE_OK(db->put("b", "new"));
  REQUIRE_OK(db->compact());
  CHECK_SAME(*transaction->get("a"), Found("old"));
  const auto scan = transaction->scan();
  scan->seek_to_last();
  REQUIRE(scan->valid());
  CHECK_SAME(scan->key(), "a");
  CHECK_SAME(scan->value(), "old");
}

TEST_CASE("plain writes count as committed for a transaction's check",
          "[engine][transactions]") {
  STORY("Read a; db.put(a); commit a write of b.");
  SimFileSystem fs;
  auto db = open_db(fs);
  auto reader = begin(*db);
  CHECK_SAME(*reader->get("a"), Found());  // a miss is a read
  REQUIRE_OK(reader->put("b", "1"));
  REQUIRE_OK(db->put("a", "1"));
  const auto lost = reader->commit();
  CHECK_ERROR(lost, Code::conflict);
  CHECK(mentions(lost, "a"));
  CHECK_SAME(get(*db, "b"), Found());
}

TEST_CASE("a transaction begins after the commit that is under way",
          "[engine][transactions]") {
  STORY(
      "While the sync of put(a) runs and no transaction is open, one begins; "
      "it writes b. Nobody else does.");
  SimFileSystem fs;
  WatchedExecutor executor;
  Options options;
  options.executor = &executor;
  auto db = open_db(fs, options);
  std::atomic<bool> syncs = false;
  std::atomic<bool> goes_on = false;
  fs.before_each_operation([&](const SimOperation& operation) {
    if (operation.what != "sync" || syncs.exchange(true)) return;
    while (!goes_on)
      std::this_thread::yield();
  });
  std::unique_ptr<Transaction> transaction;
  std::atomic<bool> begun = false;
  run_threads(3, [&](int i, const std::atomic<bool>& stop) {
    if (i == 0) {
      expect(db->put("a", "1", {.sync = true}).has_value(), "put(a)");
      return;
    }
    while (!syncs && !stop)
      std::this_thread::yield();
    if (i == 1) {
      auto made = db->begin({});
      begun = true;
      expect(made.has_value(), "begin");
      transaction = std::move(*made);
    } else {
      while (!begun && executor.waits == 0 && !stop)
        std::this_thread::yield();
      goes_on = true;
    }
  });
  fs.before_each_operation({});
  CHECK_SAME(*transaction->get("a"), Found("1"));
  REQUIRE_OK(transaction->put("b", "1"));
  CHECK_OK(transaction->commit());
}

TEST_CASE("a phantom in a scanned range is a conflict, outside it is none",
          "[engine][transactions]") {
  STORY("Scan [c, f); others put b and f, then d.");
  SimFileSystem fs;
  auto db = open_db(fs);
  REQUIRE_OK(db->put("e", "1"));
  for (const bool inside : {false, true}) {
    auto reader = begin(*db);
    const auto scan = reader->scan({.lower = "c", .upper = "f"});
    int rows = 0;
    for (scan->seek_to_first(); scan->valid(); scan->next())
      ++rows;
    REQUIRE_OK(scan->status());
    CHECK_SAME(rows, 1);
    REQUIRE_OK(reader->put("sum", "1"));
    REQUIRE_OK(db->put("b", "1"));
    REQUIRE_OK(db->put("f", "1"));
    if (inside) REQUIRE_OK(db->put("d", "1"));
    const auto done = reader->commit();
    if (inside) {
      CHECK_ERROR(done, Code::conflict);
    } else {
      CHECK_OK(done);
    }
  }
}

TEST_CASE("a transaction from a snapshot of another store is refused",
          "[engine][transactions]") {
  STORY("Two stores; a snapshot of one, begin in the other.");
  SimFileSystem fs;
  SimFileSystem other_fs;
  auto db = open_db(fs);
  auto other = open_db(other_fs);
  auto snapshot = other->snapshot();
  REQUIRE_OK(snapshot);
  const auto refused = db->begin({.snapshot = *snapshot});
  CHECK_ERROR(refused, Code::invalid_argument);
  CHECK_OK(other->begin({.snapshot = *snapshot}));
}

TEST_CASE("a transaction from a snapshot reads it, and loses to what followed",
          "[engine][transactions]") {
  STORY("Snapshot; put a; begin from the snapshot; read a; write b; commit.");
  SimFileSystem fs;
  auto db = open_db(fs);
  auto snapshot = db->snapshot();
  REQUIRE_OK(snapshot);
  REQUIRE_OK(db->put("a", "1"));
  auto late = begin(*db, {.snapshot = *snapshot});
  CHECK_SAME(*late->get("a"), Found());
  REQUIRE_OK(late->put("b", "1"));
  CHECK_ERROR(late->commit(), Code::conflict);
  auto reader = begin(*db, {.read_only = true, .snapshot = *snapshot});
  CHECK_SAME(*reader->get("a"), Found());
  CHECK_ERROR(reader->put("b", "1"), Code::invalid_argument);
  CHECK_OK(reader->commit());
}

TEST_CASE("the memory of committed transactions is bounded by an option",
          "[engine][transactions]") {
  STORY("A transaction stays open while 20,000 other keys are written.");
  SimFileSystem fs;
  Options options;
  options.max_commit_records_bytes = 64 << 10;
  auto db = open_db(fs, options);
  auto old = begin(*db);
  REQUIRE_OK(old->get("x"));
  REQUIRE_OK(old->put("y", "1"));
  std::size_t most = 0;
  for (int i = 0; i < 20'000; ++i) {
    REQUIRE_OK(db->put(fmt::format("key{:06}", i), "value"));
    most = std::max(most, db->stats().commit_records);
  }
  CHECK(most > 100);
  CHECK(most * 9 <= std::size_t{64} << 10);  // at least the key's bytes each
  const auto lost = old->commit();
  CHECK_ERROR(lost, Code::conflict);
  CHECK(mentions(lost, "max_commit_records_bytes"));
  REQUIRE_OK(db->put("key", "value"));
  CHECK_SAME(db->stats().commit_records, 0u);
  CHECK_SAME(db->stats().transactions, 0u);
}

TEST_CASE("what a live transaction may ask about is kept, and no more",
          "[engine][transactions]") {
  STORY("1,000 writes before it, 10 during it, 1,000 after it.");
  SimFileSystem fs;
  auto db = open_db(fs);
  const auto write = [&](int count) {
    for (int i = 0; i < count; ++i)
      REQUIRE_OK(db->put(fmt::format("key{}", i), "value"));
  };
  write(1000);
  CHECK_SAME(db->stats().commit_records, 0u);
  {
    auto transaction = begin(*db);
    write(10);
    CHECK_SAME(db->stats().commit_records, 10u);
    CHECK_SAME(db->stats().transactions, 1u);
  }
  write(1000);
  CHECK_SAME(db->stats().commit_records, 0u);
}

TEST_CASE("counters incremented by many threads lose no increment",
          "[engine][transactions][threads]") {
  STORY("Four threads, each 200 increments of one of three counters.");
  const Isolation isolation =
      GENERATE(Isolation::snapshot, Isolation::serializable);
  SimFileSystem fs;
  auto db = open_db(fs);
  const int each = static_cast<int>(scaled(200));
  run_threads(4, [&](int thread) {
    Random random(static_cast<std::uint64_t>(thread) + 1);
    for (int i = 0; i < each; ++i) {
      const std::string key = "counter" + std::to_string(random.below(3));
      RetryOptions options;
      options.transaction.isolation = isolation;
      options.max_attempts = 10'000;
      const auto done = run_transaction(
          *db,
          [&](Transaction& transaction) -> Result<void> {
            LSM_ASSIGN_OR_RETURN(const auto value, transaction.get(key));
            return transaction.put(
                key, std::to_string(1 + (value ? std::stoi(*value) : 0)));
          },
          options);
      expect(done.has_value(), done ? "" : done.error().message);
    }
  });
  int sum = 0;
  for (int i = 0; i < 3; ++i) {
    const auto value = get(*db, "counter" + std::to_string(i));
    if (value) sum += std::stoi(*value);
  }
  CHECK_SAME(sum, 4 * each);
}

TEST_CASE("money moved by many threads is neither made nor lost",
          "[engine][transactions][threads]") {
  STORY(
      "Ten accounts of 100; threads move money by range scans; a reader "
      "sums all accounts in read-only transactions.");
  SimFileSystem fs;
  auto db = open_db(fs);
  const auto account = [](std::uint64_t i) { return fmt::format("acc{}", i); };
  for (std::uint64_t i = 0; i < 10; ++i)
    REQUIRE_OK(db->put(account(i), "100"));
  const auto sum_of = [&](Transaction& transaction) -> Result<int> {
    int sum = 0;
    const auto scan = transaction.scan({.lower = "acc", .upper = "acd"});
    for (scan->seek_to_first(); scan->valid(); scan->next())
      sum += std::stoi(std::string(scan->value()));
    LSM_TRY(scan->status());
    return sum;
  };
  std::atomic<int> running = 2;
  run_threads(3, [&](int thread, const std::atomic<bool>& stop) {
    if (thread == 2) {
      while (running.load() > 0 && !stop) {
        TransactionOptions options;
        options.read_only = true;
        const auto reader = db->begin(options);
        expect(reader.has_value(), "no transaction");
        const auto sum = sum_of(**reader);
        expect(sum && *sum == 1000, "a reader saw a sum that never was");
        expect((*reader)->commit().has_value(), "a reader did not commit");
      }
      return;
    }
    Random random(static_cast<std::uint64_t>(thread) + 7);
    for (std::size_t i = 0; i < scaled(300); ++i) {
      const std::string from = account(random.below(10));
      const std::string to = account(random.below(10));
      RetryOptions options;
      options.max_attempts = 10'000;
      const auto done = run_transaction(
          *db,
          [&](Transaction& transaction) -> Result<void> {
            LSM_ASSIGN_OR_RETURN(const int sum, sum_of(transaction));
            if (sum != 1000) return fail(Code::internal, "money is missing");
            LSM_ASSIGN_OR_RETURN(const auto here, transaction.get(from));
            LSM_TRY(
                transaction.put(from, std::to_string(std::stoi(*here) - 1)));
            LSM_ASSIGN_OR_RETURN(const auto there, transaction.get(to));
            return transaction.put(to, std::to_string(std::stoi(*there) + 1));
          },
          options);
      expect(done.has_value(), done ? "" : done.error().message);
    }
    running.fetch_sub(1);
  });
}

}  // namespace lsm::test
