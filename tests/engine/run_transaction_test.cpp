// run_transaction (lsm/transaction.h) over a Db that loses on request.
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/sim_file_system.h"
#include "lsm/db.h"
#include "support/catch.h"
#include "support/teach.h"
#include "support/threads.h"

namespace lsm::test {
namespace {

using Log = std::vector<std::string>;

// Notes every sleep instead of sleeping.
class ToldClock final : public Clock {
 public:
  explicit ToldClock(std::uint64_t now = 1'000'000) : now_(now) {}
  std::uint64_t now_micros() override { return now_; }
  std::uint64_t wall_micros() override { return now_; }
  void sleep_micros(std::uint64_t micros) override {
    slept.push_back(micros);
    now_ += micros;
    if (on_sleep) on_sleep();
  }
  std::vector<std::uint64_t> slept;
  std::function<void()> on_sleep;

 private:
  std::uint64_t now_;
};

// What happened, and what the next begins and commits shall answer.
struct Script {
  Log log;
  std::deque<Result<void>> begins;   // success when empty
  std::deque<Result<void>> commits;  // success when empty
  int open = 0;                      // transactions alive
  std::vector<TransactionOptions> begun_with;
  std::vector<bool> synced;
};

Result<void> take(std::deque<Result<void>>& answers) {
  if (answers.empty()) return {};
  Result<void> answer = std::move(answers.front());
  answers.pop_front();
  return answer;
}

class ScriptedTransaction final : public Transaction {
 public:
  explicit ScriptedTransaction(Script& script) : script_(script) {
    ++script_.open;
  }
  ~ScriptedTransaction() override {
    --script_.open;
    script_.log.emplace_back("end");
  }
  Result<void> put(std::string_view key, std::string_view) override {
    script_.log.push_back("put " + std::string(key));
    return {};
  }
  Result<void> remove(std::string_view) override { return {}; }
  Result<bool> get(std::string_view, std::string&) override { return false; }
  std::unique_ptr<UserIterator> scan(ScanRange) override { return nullptr; }
  Result<void> commit(WriteOptions options) override {
    script_.log.emplace_back("commit");
    script_.synced.push_back(options.sync);
    return take(script_.commits);
  }
  void rollback() override {}
  Sequence sequence() const override { return 7; }

 private:
  Script& script_;
};

// A Db of which only begin is called.
class ScriptedDb final : public Db {
 public:
  explicit ScriptedDb(Script& script) : script_(script) {}
  Result<std::unique_ptr<Transaction>> begin(
      TransactionOptions options) override {
    script_.log.emplace_back("begin");
    script_.begun_with.push_back(std::move(options));
    LSM_TRY(take(script_.begins));
    return std::make_unique<ScriptedTransaction>(script_);
  }

  Result<void> put(std::string_view, std::string_view, WriteOptions) override {
    return other();
  }
  Result<void> remove(std::string_view, WriteOptions) override {
    return other();
  }
  Result<void> write(const WriteBatch&, WriteOptions) override {
    return other();
  }
  Result<std::optional<std::string>> get(std::string_view) override {
    LSM_TRY(other());
    return std::nullopt;
  }
  Result<bool> get(std::string_view, std::string&) override {
    LSM_TRY(other());
    return false;
  }
  std::unique_ptr<UserIterator> scan(ScanRange) override { return nullptr; }
  Result<SnapshotPtr> snapshot() override { return nullptr; }
  Result<void> checkpoint(const std::string&) override { return other(); }
  Result<void> sync() override { return other(); }
  Result<void> flush() override { return other(); }
  Result<void> compact() override { return other(); }
  Result<void> wait_idle() override { return other(); }
  Stats stats() override { return {}; }
  Result<void> verify() override { return other(); }
  Result<void> close() override { return other(); }

 private:
  static Result<void> other() {
    return fail(Code::internal, "only begin is expected");
  }
  Script& script_;
};

class SomeMoment final : public Snapshot {
 public:
  Result<bool> get(std::string_view, std::string&) const override {
    return false;
  }
  std::unique_ptr<UserIterator> scan(ScanRange) const override {
    return nullptr;
  }
  Sequence sequence() const override { return 7; }
};

Result<void> lost() {
  return fail(Code::conflict, "\"ant\" was overwritten");
}
Result<void> put_ant(Transaction& tx) {
  return tx.put("ant", "1");
}

// ANCHOR: show-pay
Result<void> pay(Db& db, std::string_view from, int amount) {
  return run_transaction(db, [&](Transaction& tx) -> Result<void> {
    LSM_ASSIGN_OR_RETURN(const auto balance, tx.get(from));
    const int left = std::stoi(balance.value_or("0")) - amount;
    if (left < 0) return fail(Code::invalid_argument, "not enough");
    return tx.put(from, std::to_string(left));
  });
}
// ANCHOR_END: show-pay

}  // namespace

TEST_CASE("a transaction that wins is run once", "[engine]") {
  STORY("run_transaction puts ant; the commit succeeds.");
  Script script;
  ScriptedDb db(script);
  ToldClock clock;
  RetryOptions options;
  options.clock = &clock;
  options.write.sync = true;
  options.transaction.max_bytes = 4711;
  options.transaction.isolation = Isolation::snapshot;
  CHECK_OK(run_transaction(db, put_ant, options));
  CHECK_SAME(script.log, Log({"begin", "put ant", "commit", "end"}));
  CHECK_SAME(clock.slept.size(), 0);
  CHECK_SAME(script.synced, std::vector<bool>({true}));
  CHECK_SAME(script.begun_with.front().max_bytes, 4711);
  CHECK((script.begun_with.front().isolation == Isolation::snapshot));
}

TEST_CASE("a transaction that loses is begun anew", "[engine]") {
  STORY("Two commits end in a conflict, the third succeeds.");
  Script script;
  script.commits = {lost(), lost()};
  ScriptedDb db(script);
  ToldClock clock;
  RetryOptions options;
  options.clock = &clock;
  CHECK_OK(run_transaction(db, put_ant, options));
  CHECK_SAME(script.log, Log({"begin", "put ant", "commit", "end",  //
                              "begin", "put ant", "commit", "end",  //
                              "begin", "put ant", "commit", "end"}));
  CHECK_SAME(clock.slept.size(), 2);
}

TEST_CASE("nothing is held while waiting", "[engine]") {
  STORY("A commit loses; while the loser waits, count open transactions.");
  Script script;
  script.commits = {lost()};
  ScriptedDb db(script);
  ToldClock clock;
  int open = -1;
  clock.on_sleep = [&] { open = script.open; };
  RetryOptions options;
  options.clock = &clock;
  CHECK_OK(run_transaction(db, put_ant, options));
  CHECK_SAME(open, 0);
}

TEST_CASE("a conflict that the work meets is tried again, too", "[engine]") {
  STORY("The work itself answers a conflict, once.");
  Script script;
  ScriptedDb db(script);
  ToldClock clock;
  RetryOptions options;
  options.clock = &clock;
  int calls = 0;
  CHECK_OK(run_transaction(
      db,
      [&](Transaction& tx) -> Result<void> {
        if (++calls == 1) return lost();
        return put_ant(tx);
      },
      options));
  CHECK_SAME(script.log,
             Log({"begin", "end", "begin", "put ant", "commit", "end"}));
}

TEST_CASE("what is no conflict is answered at once", "[engine]") {
  STORY("begin, work or commit fail otherwise: no second attempt.");
  ToldClock clock;
  RetryOptions options;
  options.clock = &clock;
  SECTION("begin") {
    Script script;
    script.begins = {fail(Code::closed, "closed")};
    ScriptedDb db(script);
    CHECK_ERROR(run_transaction(db, put_ant, options), Code::closed);
    CHECK_SAME(script.log, Log({"begin"}));
  }
  SECTION("work") {
    Script script;
    ScriptedDb db(script);
    const auto stop = [](Transaction&) -> Result<void> {
      return fail(Code::invalid_argument, "too poor");
    };
    CHECK_ERROR(run_transaction(db, stop, options), Code::invalid_argument);
    CHECK_SAME(script.log, Log({"begin", "end"}));
  }
  SECTION("commit") {
    Script script;
    script.commits = {fail(Code::io, "disk")};
    ScriptedDb db(script);
    CHECK_ERROR(run_transaction(db, put_ant, options), Code::io);
    CHECK_SAME(script.log, Log({"begin", "put ant", "commit", "end"}));
  }
  CHECK_SAME(clock.slept.size(), 0);
}

TEST_CASE("after max_attempts the conflict is answered", "[engine]") {
  STORY("Three attempts, and every commit loses.");
  Script script;
  script.commits = {lost(), lost(), lost(), lost()};
  ScriptedDb db(script);
  ToldClock clock;
  RetryOptions options;
  options.clock = &clock;
  options.max_attempts = 3;
  const Result<void> result = run_transaction(db, put_ant, options);
  CHECK_ERROR(result, Code::conflict);
  CHECK_SAME(result.error().message,
             "gave up after 3 attempts: \"ant\" was overwritten");
  CHECK_SAME(script.commits.size(), 1);
  CHECK_SAME(clock.slept.size(), 2);  // after the last attempt nobody waits
}

TEST_CASE("no attempt at all is no choice", "[engine]") {
  STORY("max_attempts is 0.");
  Script script;
  ScriptedDb db(script);
  RetryOptions options;
  options.max_attempts = 0;
  CHECK_ERROR(run_transaction(db, put_ant, options), Code::invalid_argument);
  CHECK_SAME(script.log, Log());
}

TEST_CASE("a moment that is given cannot become a later one", "[engine]") {
  STORY("The snapshot is the caller's: whoever lost once always loses.");
  Script script;
  script.commits = {lost(), lost()};
  ScriptedDb db(script);
  ToldClock clock;
  RetryOptions options;
  options.clock = &clock;
  options.transaction.snapshot = std::make_shared<const SomeMoment>();
  CHECK_ERROR(run_transaction(db, put_ant, options), Code::conflict);
  CHECK_SAME(script.log, Log({"begin", "put ant", "commit", "end"}));
  CHECK_SAME(clock.slept.size(), 0);
}

TEST_CASE("waits double up to their bound", "[engine]") {
  STORY("Nineteen conflicts; first wait 50 µs, at most 50,000 µs.");
  Script script;
  for (int i = 0; i < 19; ++i)
    script.commits.push_back(lost());
  ScriptedDb db(script);
  ToldClock clock;
  RetryOptions options;
  options.clock = &clock;
  CHECK_OK(run_transaction(db, put_ant, options));
  REQUIRE_SAME(clock.slept.size(), 19);
  std::uint64_t limit = 50;
  for (const std::uint64_t slept : clock.slept) {
    INFO("limit " << limit << ", slept " << slept);
    CHECK(slept >= limit / 2);
    CHECK(slept <= limit);
    limit = limit * 2 > 50'000 ? 50'000 : limit * 2;
  }
}

TEST_CASE("threads that pay from one purse pay once each", "[engine]") {
  STORY("ann has 100; 4 threads pay 1 of it, 20 times each, in a real store.");
  SimFileSystem fs;
  Options options;
  options.file_system = &fs;
  auto db = Db::open("store", options);
  REQUIRE_OK(db);
  REQUIRE_OK((*db)->put("ann", "100"));
  run_threads(4, [&](int) {
    for (int i = 0; i < 20; ++i) {
      // Twenty attempts may all lose on a busy machine: that is an answer.
      Result<void> paid = pay(**db, "ann", 1);
      while (!paid && paid.error().code == Code::conflict)
        paid = pay(**db, "ann", 1);
      expect(paid.has_value(), "pay answers success or conflict");
    }
  });
  const auto left = (*db)->get("ann");
  REQUIRE_OK(left);
  CHECK_SAME(*left, std::optional<std::string>("20"));
  CHECK_ERROR(pay(**db, "ann", 21), Code::invalid_argument);
  CHECK_SAME((*db)->stats().transactions, 0);
  CHECK_OK((*db)->close());
}

TEST_CASE("odd waits do no harm", "[engine]") {
  STORY("No wait at all; a first wait beyond the bound; no bound.");
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
  struct Case {
    std::uint64_t first;
    std::uint64_t max;
    std::uint64_t at_most;
  };
  for (const Case& odd : {Case{0, 50'000, 0}, Case{900, 30, 30},
                          Case{kMax, kMax, kMax}, Case{1, 1, 1}}) {
    Script script;
    script.commits = {lost(), lost(), lost()};
    ScriptedDb db(script);
    ToldClock clock;
    RetryOptions options;
    options.clock = &clock;
    options.first_backoff_micros = odd.first;
    options.max_backoff_micros = odd.max;
    INFO("first " << odd.first << ", max " << odd.max);
    CHECK_OK(run_transaction(db, put_ant, options));
    REQUIRE_SAME(clock.slept.size(), 3);
    for (const std::uint64_t slept : clock.slept)
      CHECK(slept <= odd.at_most);
  }
}

TEST_CASE("two losers part", "[engine]") {
  STORY("Losers of different microseconds draw different waits.");
  std::set<std::vector<std::uint64_t>> seen;
  for (std::uint64_t now = 0; now < 16; ++now) {
    Script script;
    script.commits = {lost(), lost(), lost(), lost(), lost(), lost()};
    ScriptedDb db(script);
    ToldClock clock(now);
    RetryOptions options;
    options.clock = &clock;
    CHECK_OK(run_transaction(db, put_ant, options));
    seen.insert(clock.slept);
  }
  CHECK_SAME(seen.size(), 16);
}

}  // namespace lsm::test
