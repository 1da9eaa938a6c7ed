// Day 3.5, conflicts: what is on record of the commits since the oldest open
// transaction (recent_commits.h), and whom it refuses (conflicts.h). Requests
// are written as "ant bee -cow": put ant, put bee, remove cow.
#include "conflicts.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "optimistic.h"
#include "recent_commits.h"
#include "snapshots.h"
#include "support/catch.h"
#include "support/model_store.h"
#include "support/random.h"
#include "support/teach.h"
#include "support/threads.h"

namespace lsm::test {
namespace {

constexpr std::size_t kRoomy = std::size_t{1} << 20;

// "ant bee -cow" as operations; the views are into `text`, a word for a key.
std::vector<WriteOp> parse(std::string_view text) {
  std::vector<WriteOp> ops;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (word.starts_with('-')) {
      ops.push_back({Kind::remove, word.substr(1), {}});
    } else {
      ops.push_back({Kind::put, word, "value"});
    }
  }
  return ops;
}

// What is on record: "ant@7 bee@6", in the order of keys.
std::string on_record(const RecentCommits& commits) {
  std::string all;
  for (const auto& [key, sequence] : commits.by_key()) {
    all += (all.empty() ? "" : " ") + key + "@" + std::to_string(sequence);
  }
  return all;
}

// The transactions that are open, as the leader asks for them.
struct OpenOnes {
  std::multiset<Sequence> sequences;
  std::size_t asked = 0;

  std::optional<Sequence> oldest() {
    ++asked;
    if (sequences.empty()) return std::nullopt;
    return *sequences.begin();
  }
  void end(Sequence sequence) { sequences.erase(sequences.find(sequence)); }
};

// RecentCommits, told of commits one by one.
class Records {
 public:
  explicit Records(std::multiset<Sequence> open_at,
                   std::size_t max_bytes = kRoomy)
      : open{.sequences = std::move(open_at)},
        commits([this] { return open.oldest(); }, max_bytes) {}

  // The operations of `text` were committed from sequence `first` on.
  void note(Sequence first, std::string_view text) {
    const std::vector<WriteOp> ops = parse(text);
    note(first, ops);
  }
  void note(Sequence first, const std::vector<WriteOp>& ops) {
    WriteRequest request;
    request.ops = ops;
    request.first_sequence = first;
    commits.note(request);
  }

  OpenOnes open;
  RecentCommits commits;
};

// A transaction as the check sees it.
struct Tx {
  CommitIntent intent;
  std::string writes;

  Tx& reads(std::string_view key) {
    intent.reads.emplace(key);
    return *this;
  }
  Tx& puts(std::string_view key) {
    if (!writes.empty()) writes += ' ';
    writes += key;
    return *this;
  }
};

// The leader of a store that keeps no data: it asks the check, gives sequences,
// tells the check, and publishes, as the write path of 1.7 does.
class Leader {
 public:
  explicit Leader(Sequence visible = 0, std::size_t max_bytes = kRoomy)
      : commits(std::make_shared<RecentCommits>(
            [this] { return open.oldest(); }, max_bytes)),
        check(commits),
        visible_(visible) {}

  Tx begin(Isolation isolation) {
    open.sequences.insert(visible_);
    Tx tx;
    tx.intent.snapshot = visible_;
    tx.intent.isolation = isolation;
    return tx;
  }
  // Begins a transaction without a word to the leader's list.
  Tx begin_unseen(Isolation isolation, Sequence at) const {
    Tx tx;
    tx.intent.snapshot = at;
    tx.intent.isolation = isolation;
    return tx;
  }
  Result<void> commit(const Tx& tx) {
    const Result<void> result = commit_group({&tx}).front();
    open.end(tx.intent.snapshot);
    return result;
  }
  // All in one group: published together. They stay open.
  std::vector<Result<void>> commit_group(const std::vector<const Tx*>& group) {
    std::vector<Result<void>> results;
    Sequence next = visible_ + 1;
    for (const Tx* tx : group) {
      results.push_back(submit(tx->writes, &tx->intent, next));
    }
    visible_ = next - 1;
    return results;
  }
  Result<void> write(std::string_view text) {
    Sequence next = visible_ + 1;
    const Result<void> result = submit(text, nullptr, next);
    visible_ = next - 1;
    return result;
  }
  // One request of a group that is not published yet.
  Result<void> submit(std::string_view text, const CommitIntent* intent,
                      Sequence& next) {
    const std::vector<WriteOp> ops = parse(text);
    WriteRequest request;
    request.ops = ops;
    request.intent = intent;
    LSM_TRY(check.check(request));
    request.first_sequence = next;
    next += ops.size();
    check.committed(request);
    return {};
  }

  OpenOnes open;
  std::shared_ptr<RecentCommits> commits;
  ConflictCheck check;

 private:
  Sequence visible_;
};

// Transactions of room 3.4 over the model of a store, with today's check.
class Bank {
 public:
  explicit Bank(Isolation isolation) : isolation_(isolation) {}

  std::unique_ptr<Transaction> begin() {
    const Sequence at = store->visible();
    {
      const std::lock_guard lock(mutex_);
      open_.insert(at);
    }
    std::shared_ptr<const void> pin(this, [this, at](const void*) {
      const std::lock_guard lock(mutex_);
      open_.erase(open_.find(at));
    });
    TransactionOptions options;
    options.isolation = isolation_;
    return make_transaction({store, store->snapshot(at),
                             std::make_shared<NoTracker>(), options,
                             std::move(pin)});
  }
  std::optional<Sequence> oldest() {
    const std::lock_guard lock(mutex_);
    if (open_.empty()) return std::nullopt;
    return *open_.begin();
  }
  int balance(std::string_view key) const {
    std::string value;
    const auto found = store->get(key, kMaxSequence, value);
    return found && *found ? std::stoi(value) : 0;
  }

 private:
  const Isolation isolation_;
  std::mutex mutex_;
  std::multiset<Sequence> open_;

 public:
  const std::shared_ptr<RecentCommits> commits =
      std::make_shared<RecentCommits>([this] { return oldest(); }, kRoomy);
  ConflictCheck check{commits};
  const std::shared_ptr<ModelStore> store =
      std::make_shared<ModelStore>(&check);
};

// The number under `key`, as the transaction sees it; 0: absent.
int number(Transaction& tx, std::string_view key) {
  std::string value;
  const Result<bool> found = tx.get(key, value);
  expect(found.has_value(), "a read failed");
  return *found ? std::stoi(value) : 0;
}
void set(Transaction& tx, std::string_view key, int value) {
  expect(tx.put(key, std::to_string(value)).has_value(), "a put failed");
}

std::string message(const Result<void>& result) {
  return result ? "success" : result.error().message;
}
bool says(const Result<void>& result, std::string_view words) {
  return message(result).find(words) != std::string::npos;
}

}  // namespace

// Task 1: on record.

TEST_CASE("the newest commit of each key is on record", "[3.5][task-1][core]") {
  STORY("A transaction is open at 4; 5 and 6 put ant and bee, 7 ant, 8 cow.");
  INVARIANT("I1 of recent_commits.h: every commit is recorded");
  Records records({4});
  records.note(5, "ant bee");
  records.note(7, "ant");
  records.note(8, "cow");
  CHECK_SAME(on_record(records.commits), "ant@7 bee@6 cow@8");
  CHECK_SAME(records.commits.newest("ant"), 7);
  CHECK_SAME(records.commits.newest("bee"), 6);
  CHECK_SAME(records.commits.newest("cow"), 8);
  CHECK_SAME(records.commits.newest("dog"), 0);
  CHECK_SAME(records.commits.count(), 3);
  CHECK_SAME(records.commits.complete_after(), 0);
}

TEST_CASE("a removal is a commit like any other", "[3.5][task-1][core]") {
  STORY("A transaction is open at 4; 5 puts ant, 6 removes it and cow.");
  INVARIANT("I1 of recent_commits.h: every commit is recorded");
  Records records({4});
  records.note(5, "ant");
  records.note(6, "-ant -cow");
  CHECK_SAME(on_record(records.commits), "ant@6 cow@7");
}

TEST_CASE("a key twice in one request counts with its last sequence",
          "[3.5][task-1][core]") {
  STORY("One request puts ant at 5, bee at 6, and removes ant at 7.");
  INVARIANT("I1 of recent_commits.h: newest(key) is at least that sequence");
  Records records({4});
  records.note(5, "ant bee -ant");
  CHECK_SAME(on_record(records.commits), "ant@7 bee@6");
  CHECK_SAME(records.commits.count(), 2);
}

TEST_CASE("newest speaks of that very key", "[3.5][task-1][core]") {
  STORY("5 puts bee, 6 the empty key, 7 a key that ends in a zero byte.");
  INVARIANT("I2 of recent_commits.h: a commit of that very key, or 0");
  const std::string_view zero("bee\0", 4);
  Records records({4});
  records.note(5, "bee");
  records.note(6, {{Kind::put, "", "value"}});
  records.note(7, {{Kind::put, zero, "value"}});
  CHECK_SAME(records.commits.newest("bee"), 5);
  CHECK_SAME(records.commits.newest(""), 6);
  CHECK_SAME(records.commits.newest(zero), 7);
  CHECK_SAME(records.commits.newest("be"), 0);
  CHECK_SAME(records.commits.newest("bees"), 0);
}

TEST_CASE("a record has bytes of its own", "[3.5][task-1][core]") {
  STORY("Commit a long key, and another one from the same buffer.");
  INVARIANT("base/write_request.h: views belong to the caller");
  Records records({4});
  std::string key(40, 'a');
  const std::string before = key;
  records.note(5, {{Kind::put, key, "value"}});
  std::ranges::fill(key, 'b');
  records.note(6, {{Kind::put, key, "value"}});
  CHECK_SAME(records.commits.newest(before), 5);
  CHECK_SAME(records.commits.newest(key), 6);
}

TEST_CASE("a key that is written again costs no more memory",
          "[3.5][task-1][core]") {
  STORY("One transaction stays open while ant is written a thousand times.");
  INVARIANT("I2 of recent_commits.h: one record for each key");
  Records records({4});
  records.note(5, "ant");
  const std::size_t once = records.commits.memory_bytes();
  for (Sequence at = 6; at < 1006; ++at) {
    records.note(at, "ant");
  }
  CHECK_SAME(on_record(records.commits), "ant@1005");
  CHECK_SAME(records.commits.memory_bytes(), once);
  CHECK_SAME(records.commits.count(), 1);
}

TEST_CASE("memory_bytes counts every key and its record",
          "[3.5][task-1][core]") {
  STORY("Keys of 3, 0 and 40 bytes.");
  INVARIANT("a record takes kRecordBytes besides the bytes of its key");
  Records records({4});
  records.note(5, "ant");
  CHECK_SAME(records.commits.memory_bytes(), 3 + RecentCommits::kRecordBytes);
  const std::string key(40, 'x');
  records.note(6, {{Kind::put, "", "v"}, {Kind::put, key, "v"}});
  CHECK_SAME(records.commits.memory_bytes(),
             43 + 3 * RecentCommits::kRecordBytes);
}

// Task 2: no longer than needed.

TEST_CASE("the records that recent_commits.h draws", "[3.5][task-2][core]") {
  STORY("Open at 4 and 6; four commits; both end, one after the other.");
  INVARIANT("I3 of recent_commits.h: a record goes when nobody can ask");
  Records records({4, 6});
  records.note(5, "ant");
  records.note(6, "bee");
  records.note(7, "ant");
  records.note(8, "-cow");
  CHECK_SAME(on_record(records.commits), "ant@7 bee@6 cow@8");
  records.open.end(4);
  records.note(9, "ant");
  CHECK_SAME(on_record(records.commits), "ant@9 cow@8");
  records.open.end(6);
  records.note(10, "dog");
  CHECK_SAME(on_record(records.commits), "");
  CHECK_SAME(records.commits.complete_after(), 10);
}

TEST_CASE("a record goes when the oldest transaction has seen it",
          "[3.5][task-2][core]") {
  STORY("Commits at 5, 6 and 7; then the oldest open one is at 6.");
  INVARIANT("I3 of recent_commits.h: the oldest has reached the sequence");
  Records records({4, 6});
  records.note(5, "ant");
  records.note(6, "bee");
  records.note(7, "cow");
  records.open.end(4);
  records.note(8, "dog");
  INFO("who reads at 6 has seen bee@6, and nothing of cow@7");
  CHECK_SAME(on_record(records.commits), "cow@7 dog@8");
}

TEST_CASE("the mark moves with the records that go", "[3.5][task-2][core]") {
  STORY("Commits at 5, 6 and 7; the oldest moves on from 4 to 6.");
  INVARIANT("I1 of recent_commits.h: all after complete_after() is recorded");
  Records records({4, 6});
  records.note(5, "ant bee cow");
  CHECK_SAME(records.commits.complete_after(), 0);
  records.open.end(4);
  records.note(8, "dog");
  INFO("bee@6 is gone, so who began at 5 could not be judged any more");
  CHECK_SAME(records.commits.complete_after(), 6);
}

TEST_CASE("with no transaction open nothing is kept", "[3.5][task-2][core]") {
  STORY("Three keys on record; the last transaction ends; 8 … 10 are written.");
  INVARIANT("I3 of recent_commits.h: with no transaction open, nothing");
  Records records({4});
  records.note(5, "ant bee cow");
  records.open.end(4);
  records.note(8, "ant dog elk");
  CHECK_SAME(on_record(records.commits), "");
  CHECK_SAME(records.commits.count(), 0);
  CHECK_SAME(records.commits.memory_bytes(), 0);
  INFO("the request's last sequence, not its first");
  CHECK_SAME(records.commits.complete_after(), 10);
}

TEST_CASE("a write without transactions asks once and keeps nothing",
          "[3.5][task-2][core]") {
  STORY("A thousand plain writes to a store that knows no transaction.");
  INVARIANT("cost: a write with no transaction open asks oldest_live");
  Records records({});
  for (Sequence at = 1; at <= 1000; ++at) {
    records.note(at, "ant");
  }
  CHECK_SAME(records.open.asked, 1000);
  CHECK_SAME(records.commits.count(), 0);
  CHECK_SAME(records.commits.complete_after(), 1000);
}

TEST_CASE("recording begins again with the next transaction",
          "[3.5][task-2][core]") {
  STORY("Nobody is open until 7; one begins at 7; 8 puts ant.");
  INVARIANT("I1 of recent_commits.h: all after complete_after() is recorded");
  Records records({});
  records.note(5, "ant bee cow");
  records.open.sequences.insert(7);
  records.note(8, "ant");
  CHECK_SAME(on_record(records.commits), "ant@8");
  CHECK_SAME(records.commits.complete_after(), 7);
}

TEST_CASE("the mark never moves back", "[3.5][task-2][core]") {
  STORY("Nobody is open until 9; then one begins at 5, from an old snapshot.");
  INVARIANT("I1 of recent_commits.h: what is gone does not come back");
  Records records({});
  records.note(5, "ant bee cow dog elk");
  CHECK_SAME(records.commits.complete_after(), 9);
  records.open.sequences.insert(5);
  records.note(10, "ant");
  CHECK_SAME(records.commits.complete_after(), 9);
  records.open.end(5);
  records.open.sequences.insert(10);
  records.note(11, "ant");
  records.note(12, "bee");
  CHECK_SAME(records.commits.complete_after() >= 9, true);
  CHECK_SAME(on_record(records.commits), "ant@11 bee@12");
}

TEST_CASE("memory is given back key by key", "[3.5][task-2][core]") {
  STORY("Keys of 3 and 40 bytes; the long one is the first to go.");
  INVARIANT("memory_bytes() is that of the records there are");
  Records records({4, 5});
  const std::string key(40, 'x');
  records.note(5, {{Kind::put, key, "value"}});
  records.note(6, "ant");
  records.open.end(4);
  records.note(7, "ant");
  CHECK_SAME(records.commits.memory_bytes(), 3 + RecentCommits::kRecordBytes);
  CHECK_SAME(records.commits.count(), 1);
}

// Task 3: no more than max_bytes.

TEST_CASE("beyond max_bytes the oldest records go", "[3.5][task-3][gold]") {
  STORY("Room for two keys of three bytes; ant, bee, cow and dog come.");
  INVARIANT("I4 of recent_commits.h: the oldest go, and the mark says so");
  Records records({4}, 2 * (3 + RecentCommits::kRecordBytes));
  records.note(5, "ant");
  records.note(6, "bee");
  INFO("two fit exactly");
  CHECK_SAME(on_record(records.commits), "ant@5 bee@6");
  CHECK_SAME(records.commits.complete_after(), 0);
  CHECK_SAME(records.commits.forced_after(), 0);
  records.note(7, "cow");
  CHECK_SAME(on_record(records.commits), "bee@6 cow@7");
  CHECK_SAME(records.commits.complete_after(), 5);
  CHECK_SAME(records.commits.forced_after(), 5);
  records.note(8, "dog");
  CHECK_SAME(on_record(records.commits), "cow@7 dog@8");
  CHECK_SAME(records.commits.complete_after(), 6);
  CHECK_SAME(records.commits.forced_after(), 6);
}

TEST_CASE("a record is as old as the last commit of its key",
          "[3.5][task-3][gold]") {
  STORY("Room for two keys; ant, bee, ant again, then cow.");
  INVARIANT("I4 of recent_commits.h: what goes are the OLDEST records");
  Records records({4}, 2 * (3 + RecentCommits::kRecordBytes));
  records.note(5, "ant");
  records.note(6, "bee");
  records.note(7, "ant");
  records.note(8, "cow");
  CHECK_SAME(on_record(records.commits), "ant@7 cow@8");
  CHECK_SAME(records.commits.complete_after(), 6);
}

TEST_CASE("one request may be larger than max_bytes", "[3.5][task-3][gold]") {
  STORY("Room for less than one key; a request of three.");
  INVARIANT("I4 of recent_commits.h: memory_bytes() is at most max_bytes");
  Records records({4}, RecentCommits::kRecordBytes);
  records.note(5, "ant bee cow");
  CHECK_SAME(on_record(records.commits), "");
  CHECK_SAME(records.commits.memory_bytes(), 0);
  CHECK_SAME(records.commits.complete_after(), 7);
  CHECK_SAME(records.commits.count(), 0);
}

TEST_CASE("memory stays bounded beside a transaction left open",
          "[3.5][task-3][gold]") {
  STORY("One transaction is open for ever; 20,000 keys of all lengths.");
  INVARIANT("I4 of recent_commits.h: memory_bytes() is at most max_bytes");
  SEEDED_RANDOM(random, 351);
  Records records({1}, 10'000);
  std::size_t most = 0;
  for (Sequence at = 2; at < 20'002; ++at) {
    const std::string key = random.text(random.below(60));
    records.note(at, {{Kind::put, key, "value"}});
    most = std::max(most, records.commits.memory_bytes());
    if (records.commits.newest(key) != at) {
      INFO("the newest record goes last");
      REQUIRE_SAME(records.commits.newest(key), at);
    }
  }
  CHECK_SAME(most <= 10'000, true);
  CHECK_SAME(most > 9'500, true);
}

// Task 4: whom to ask about, and who is too old.

TEST_CASE("plain writes always pass, and are noted", "[3.5][task-4][core]") {
  STORY("A transaction is open; ant is written twice by plain writes.");
  INVARIANT("I1 and I5 of conflicts.h: plain ones pass, and are noted");
  Leader leader(10);
  leader.begin(Isolation::snapshot);
  CHECK_OK(leader.write("ant"));
  CHECK_OK(leader.write("ant bee"));
  CHECK_SAME(on_record(*leader.commits), "ant@12 bee@13");
}

TEST_CASE("a plain write passes beyond every mark", "[3.5][task-4][core]") {
  STORY("Nothing is on record, and all up to 11 was forgotten; write ant.");
  INVARIANT("I1 of conflicts.h: a request without intent always passes");
  Leader leader(10);
  CHECK_OK(leader.write("ant"));
  CHECK_OK(leader.write("ant"));
  CHECK_SAME(leader.commits->complete_after(), 12);
}

TEST_CASE("who began before the records is refused", "[3.5][task-4][core]") {
  STORY("Nobody is open while 11 and 12 are written; T began at 11.");
  INVARIANT("I4 of conflicts.h: a check refuses when it does not know");
  for (const Isolation isolation :
       {Isolation::snapshot, Isolation::serializable}) {
    Leader leader(10);
    REQUIRE_OK(leader.write("ant bee"));
    Tx late = leader.begin_unseen(isolation, 11);
    late.puts("zoo");
    INFO("began at 11, and nothing is known of 12; it may have been zoo");
    CHECK_ERROR(leader.commit_group({&late}).front(), Code::conflict);
  }
}

TEST_CASE("who began before the records is refused, whatever is on record",
          "[3.5][task-4][core]") {
  STORY("11 is written with nobody open, 12 while one is; another comes.");
  INVARIANT("I4 of conflicts.h: a check refuses when it does not know");
  Leader leader(10);
  REQUIRE_OK(leader.write("ant"));
  leader.begin(Isolation::snapshot);
  REQUIRE_OK(leader.write("bee"));
  REQUIRE_SAME(on_record(*leader.commits), "bee@12");
  Tx late = leader.begin_unseen(Isolation::snapshot, 10);
  INFO("began at 10; bee@12 is on record, what 11 was is not");
  CHECK_ERROR(leader.commit_group({&late.puts("zoo")}).front(), Code::conflict);
}

TEST_CASE("who begins between the note and the publication is refused",
          "[3.5][task-4][core]") {
  STORY("11 puts ant and is noted; T begins; 11 is published; T commits.");
  INVARIANT("I4 of conflicts.h: the race with a begin is closed");
  Sequence visible = 10;
  const auto open = SnapshotRegistry::create([&] { return visible; });
  const auto commits =
      std::make_shared<RecentCommits>([&] { return open->oldest(); }, kRoomy);
  ConflictCheck check(commits);

  const std::vector<WriteOp> ant = parse("ant");
  WriteRequest write;
  write.ops = ant;
  write.first_sequence = 11;
  check.committed(write);             // nobody is open: not on record
  const auto hold = open->take();     // T begins
  visible = 11;                       // published
  REQUIRE_SAME(hold.sequence(), 10);  // so T does not see ant@11

  CommitIntent intent;
  intent.snapshot = hold.sequence();
  intent.isolation = Isolation::serializable;
  intent.reads.insert("ant");
  WriteRequest request;
  request.ops = ant;
  request.intent = &intent;
  CHECK_ERROR(check.check(request), Code::conflict);
  intent.isolation = Isolation::snapshot;
  CHECK_ERROR(check.check(request), Code::conflict);
}

TEST_CASE("the refusal names max_commit_records_bytes if that was the cause",
          "[3.5][task-4][gold]") {
  STORY("T stays open at 10; the records since then outgrow their bound.");
  INVARIANT("I4 of recent_commits.h: who needs them learns why");
  Leader leader(10, 2 * (3 + RecentCommits::kRecordBytes));
  Tx tx = leader.begin(Isolation::snapshot);
  REQUIRE_OK(leader.write("ant bee cow"));
  const Result<void> refused = leader.commit(tx.puts("zoo"));
  CHECK_ERROR(refused, Code::conflict);
  INFO("message: " << message(refused));
  CHECK_SAME(says(refused, "max_commit_records_bytes"), true);

  STORY("Then nobody is open while ant is written; two come from before.");
  REQUIRE_SAME(leader.commits->forced_after(), 11);
  REQUIRE_OK(leader.write("ant"));
  for (const Sequence at : {Sequence{11}, Sequence{13}}) {
    INFO("began at " << at << ", and has seen all that was forced out");
    Tx late = leader.begin_unseen(Isolation::snapshot, at);
    const Result<void> too_old =
        leader.commit_group({&late.puts("zoo")}).front();
    CHECK_ERROR(too_old, Code::conflict);
    INFO("message: " << message(too_old));
    CHECK_SAME(says(too_old, "max_commit_records_bytes"), false);
  }
}

TEST_CASE("who began after what was forced out is judged by its keys",
          "[3.5][task-4][gold]") {
  STORY("Old is open at 10, young at 12; room for two; 11 … 14 are written.");
  INVARIANT("I4 of recent_commits.h: only who needs the records loses");
  Leader leader(10, 2 * (3 + RecentCommits::kRecordBytes));
  Tx old = leader.begin(Isolation::serializable);
  REQUIRE_OK(leader.write("ant bee"));
  Tx young = leader.begin(Isolation::serializable);
  REQUIRE_OK(leader.write("cow dog"));
  CHECK_SAME(on_record(*leader.commits), "cow@13 dog@14");
  CHECK_OK(leader.commit(young.reads("ant").puts("ant")));
  CHECK_ERROR(leader.commit(old.reads("zoo").puts("zoo")), Code::conflict);
}

// Task 5: snapshot isolation.

TEST_CASE("of two writers of a key the first committer wins",
          "[3.5][task-5][core]") {
  STORY("T1 and T2 begin, both write ant; T2 commits first, then T1.");
  INVARIANT("I2 of conflicts.h: the first committer wins");
  Leader leader(10);
  Tx first = leader.begin(Isolation::snapshot);
  Tx second = leader.begin(Isolation::snapshot);
  first.puts("ant");
  second.puts("ant");
  CHECK_OK(leader.commit(second));
  const Result<void> lost = leader.commit(first);
  CHECK_ERROR(lost, Code::conflict);
  INFO("message: " << message(lost));
  CHECK_SAME(says(lost, "ant"), true);
}

TEST_CASE("a conflict names its key in printable bytes",
          "[3.5][task-5][core]") {
  STORY("Two transactions write a key with a line break and a zero byte.");
  INVARIANT("base/error.h: words a person can act on");
  const std::string key("k\n\0z", 4);
  Leader leader(10);
  Tx first = leader.begin(Isolation::snapshot);
  Tx second = leader.begin(Isolation::snapshot);
  CHECK_OK(leader.commit(first.puts("before").puts(key)));
  const Result<void> lost = leader.commit(second.puts(key));
  CHECK_ERROR(lost, Code::conflict);
  INFO("message: " << message(lost));
  CHECK_SAME(says(lost, "k\\x0a\\x00z"), true);
  CHECK_SAME(says(lost, "before"), false);
}

TEST_CASE("what a snapshot has seen is no conflict", "[3.5][task-5][core]") {
  STORY("Old is open at 10; 11 puts ant; young begins at 11 and writes ant.");
  INVARIANT("I2 of conflicts.h: committed AFTER intent->snapshot");
  Leader leader(10);
  Tx old = leader.begin(Isolation::snapshot);
  REQUIRE_OK(leader.write("ant"));
  Tx young = leader.begin(Isolation::snapshot);
  CHECK_SAME(on_record(*leader.commits), "ant@11");
  CHECK_OK(leader.commit(young.puts("ant")));
  CHECK_ERROR(leader.commit(old.puts("ant")), Code::conflict);
}

TEST_CASE("who began at the mark is judged by what it writes",
          "[3.5][task-5][core]") {
  STORY("All up to 12 was forgotten; a transaction that began at 12 commits.");
  INVARIANT("I4 of conflicts.h: who began BEFORE complete_after() fails");
  Leader leader(10);
  REQUIRE_OK(leader.write("ant bee"));
  Tx tx = leader.begin(Isolation::snapshot);
  CHECK_OK(leader.commit(tx.puts("zoo")));
}

TEST_CASE("a transaction that began before the note is not refused for it",
          "[3.5][task-5][core]") {
  STORY("T begins; 11 puts ant and is noted, then published; T writes bee.");
  INVARIANT("I4 of conflicts.h: with T on the list, 11 is on record");
  Leader leader(10);
  Tx tx = leader.begin(Isolation::snapshot);
  REQUIRE_OK(leader.write("ant"));
  CHECK_SAME(on_record(*leader.commits), "ant@11");
  CHECK_OK(leader.commit(tx.puts("bee")));
}

TEST_CASE("writers of different keys both commit", "[3.5][task-5][core]") {
  STORY("T1 writes ant and bee, T2 be, bees and cow; a plain write zoo.");
  INVARIANT("I2 of conflicts.h: only the keys that it writes");
  Leader leader(10);
  Tx first = leader.begin(Isolation::snapshot);
  Tx second = leader.begin(Isolation::snapshot);
  REQUIRE_OK(leader.write("zoo"));
  CHECK_OK(leader.commit(first.puts("ant").puts("bee")));
  CHECK_OK(leader.commit(second.puts("be").puts("bees").puts("cow")));
}

TEST_CASE("one key of many is enough", "[3.5][task-5][core]") {
  STORY("T writes ant, bee and cow; meanwhile one of them is written.");
  INVARIANT("I2 of conflicts.h: no key that it writes");
  for (const std::string_view key : {"ant", "bee", "cow"}) {
    Leader leader(10);
    Tx tx = leader.begin(Isolation::snapshot);
    REQUIRE_OK(leader.write(key));
    INFO("written meanwhile: " << key);
    CHECK_ERROR(leader.commit(tx.puts("ant").puts("bee").puts("cow")),
                Code::conflict);
  }
}

TEST_CASE("a removal conflicts as a put does", "[3.5][task-5][core]") {
  STORY("ant is removed while T puts it; bee is put while U removes it.");
  INVARIANT("I2 of conflicts.h: no key that it writes was committed");
  Leader leader(10);
  Tx putter = leader.begin(Isolation::snapshot);
  Tx remover = leader.begin(Isolation::snapshot);
  Tx both = leader.begin(Isolation::snapshot);
  REQUIRE_OK(leader.write("-ant bee -cow"));
  CHECK_ERROR(leader.commit(putter.puts("ant")), Code::conflict);
  CHECK_ERROR(leader.commit(remover.puts("-bee")), Code::conflict);
  CHECK_ERROR(leader.commit(both.puts("-cow")), Code::conflict);
}

TEST_CASE("earlier members of the same group count as committed",
          "[3.5][task-5][core]") {
  STORY("T1, T2 and T3 commit in one group; T1 and T2 write ant, T3 bee.");
  INVARIANT("I5 of conflicts.h: noted before the next one is asked");
  Leader leader(10);
  Tx first = leader.begin(Isolation::snapshot);
  Tx second = leader.begin(Isolation::snapshot);
  Tx third = leader.begin(Isolation::snapshot);
  const auto results = leader.commit_group(
      {&first.puts("ant"), &second.puts("ant"), &third.puts("bee")});
  CHECK_OK(results[0]);
  CHECK_ERROR(results[1], Code::conflict);
  CHECK_OK(results[2]);
}

TEST_CASE("who was refused has committed nothing", "[3.5][task-5][core]") {
  STORY("T1 commits ant; T2 loses, over ant and bee; T3 writes bee.");
  INVARIANT("I5 of conflicts.h: every COMMITTED request is noted");
  Leader leader(10);
  Tx first = leader.begin(Isolation::snapshot);
  Tx second = leader.begin(Isolation::snapshot);
  Tx third = leader.begin(Isolation::snapshot);
  CHECK_OK(leader.commit(first.puts("ant")));
  second.puts("bee").puts("ant");
  CHECK_ERROR(leader.commit_group({&second}).front(), Code::conflict);
  INFO("asked again, it is refused again");
  CHECK_ERROR(leader.commit_group({&second}).front(), Code::conflict);
  CHECK_OK(leader.commit(third.puts("bee")));
}

TEST_CASE("who loses and begins again wins", "[3.5][task-5][core]") {
  STORY("T1 commits ant before T2; T2 is run again, from a new snapshot.");
  INVARIANT("lsm/transaction.h: conflict: run the transaction again");
  Leader leader(10);
  Tx first = leader.begin(Isolation::snapshot);
  Tx second = leader.begin(Isolation::snapshot);
  CHECK_OK(leader.commit(first.puts("ant")));
  CHECK_ERROR(leader.commit(second.puts("ant")), Code::conflict);
  Tx again = leader.begin(Isolation::snapshot);
  CHECK_OK(leader.commit(again.puts("ant")));
}

TEST_CASE("no update is lost under snapshot isolation", "[3.5][task-5][core]") {
  STORY("ann has 100. Two read it; one adds 10, the other 20; both commit.");
  INVARIANT("I2 of conflicts.h: the first committer wins");
  Bank bank(Isolation::snapshot);
  REQUIRE_OK(bank.store->put("ann", "100"));
  const auto ten = bank.begin();
  const auto twenty = bank.begin();
  set(*ten, "ann", number(*ten, "ann") + 10);
  set(*twenty, "ann", number(*twenty, "ann") + 20);
  CHECK_OK(ten->commit());
  CHECK_ERROR(twenty->commit(), Code::conflict);
  CHECK_SAME(bank.balance("ann"), 110);
}

TEST_CASE("write skew passes under snapshot isolation", "[3.5][task-5][core]") {
  STORY("ann and bob have 50 each, together never below 0. Each takes 100.");
  INVARIANT("I2 of conflicts.h: only the keys that it WRITES");
  Bank bank(Isolation::snapshot);
  REQUIRE_OK(bank.store->put("ann", "50"));
  REQUIRE_OK(bank.store->put("bob", "50"));
  const auto t1 = bank.begin();
  const auto t2 = bank.begin();
  REQUIRE_SAME(number(*t1, "ann") + number(*t1, "bob"), 100);
  REQUIRE_SAME(number(*t2, "ann") + number(*t2, "bob"), 100);
  set(*t1, "ann", -50);
  set(*t2, "bob", -50);
  CHECK_OK(t1->commit());
  CHECK_OK(t2->commit());
  INFO("that is what snapshot isolation allows, and no serial order does");
  CHECK_SAME(bank.balance("ann") + bank.balance("bob"), -100);
}

// Task 6: serializable reads.

TEST_CASE("a read that was overwritten refuses the commit",
          "[3.5][task-6][core]") {
  STORY("T reads ant and writes bee; meanwhile ant is written.");
  INVARIANT("I3 of conflicts.h: no key of intent->reads was committed");
  Leader leader(10);
  Tx tx = leader.begin(Isolation::serializable);
  REQUIRE_OK(leader.write("ant"));
  const Result<void> lost = leader.commit(tx.reads("ant").puts("bee"));
  CHECK_ERROR(lost, Code::conflict);
  INFO("message: " << message(lost));
  CHECK_SAME(says(lost, "\"ant\", read by this transaction"), true);
}

TEST_CASE("the table of conflicts.h", "[3.5][task-6][core]") {
  STORY("7 and 8 put ann and bob; T2 begins at 8; T1 puts ann at 9.");
  INVARIANT("I2 and I3 of conflicts.h: whose keys are asked about");
  struct Line {
    Isolation isolation;
    std::string_view reads;
    std::string_view writes;
    bool commits;
  };
  const std::array lines = {
      Line{Isolation::snapshot, "", "bob", true},
      Line{Isolation::snapshot, "", "ann", false},
      Line{Isolation::serializable, "ann bob", "bob", false},
      Line{Isolation::serializable, "bob", "bob", true},
      Line{Isolation::serializable, "", "ann", true},
  };
  for (const Line& line : lines) {
    Leader leader(6);
    const Tx oldest = leader.begin(Isolation::snapshot);
    REQUIRE_OK(leader.write("ann bob"));
    Tx tx = leader.begin(line.isolation);
    Tx other = leader.begin(Isolation::snapshot);
    REQUIRE_OK(leader.commit(other.puts("ann")));
    for (const WriteOp& op : parse(line.reads))
      tx.reads(op.key);
    INFO("reads " << line.reads << ", writes " << line.writes << ", "
                  << (line.isolation == Isolation::snapshot ? "snapshot"
                                                            : "serializable"));
    CHECK_SAME(leader.commit(tx.puts(line.writes)).has_value(), line.commits);
  }
}

TEST_CASE("a miss was read as well", "[3.5][task-6][core]") {
  STORY("T looks for ant, which is not there, and writes bee; ant appears.");
  INVARIANT("I3 of conflicts.h: misses included");
  Bank bank(Isolation::serializable);
  const auto tx = bank.begin();
  REQUIRE_SAME(number(*tx, "ant"), 0);
  set(*tx, "bee", 1);
  REQUIRE_OK(bank.store->put("ant", "1"));
  CHECK_ERROR(tx->commit(), Code::conflict);
  CHECK_SAME(bank.balance("bee"), 0);
}

TEST_CASE("what was read and then removed refuses the commit",
          "[3.5][task-6][core]") {
  STORY("T reads ant and writes bee; meanwhile ant is removed.");
  INVARIANT("I3 of conflicts.h: a removal is a commit");
  Leader leader(10);
  Tx tx = leader.begin(Isolation::serializable);
  REQUIRE_OK(leader.write("-ant"));
  CHECK_ERROR(leader.commit(tx.reads("ant").puts("bee")), Code::conflict);
}

TEST_CASE("no update is lost under serializable", "[3.5][task-6][core]") {
  STORY("ann has 100. Two read it; one adds 10, the other 20; both commit.");
  INVARIANT("I3 of conflicts.h: a key that was read and is written counts");
  Bank bank(Isolation::serializable);
  REQUIRE_OK(bank.store->put("ann", "100"));
  const auto ten = bank.begin();
  const auto twenty = bank.begin();
  set(*ten, "ann", number(*ten, "ann") + 10);
  set(*twenty, "ann", number(*twenty, "ann") + 20);
  CHECK_OK(ten->commit());
  CHECK_ERROR(twenty->commit(), Code::conflict);
  CHECK_SAME(bank.balance("ann"), 110);
}

TEST_CASE("blind writes of one key both commit", "[3.5][task-6][core]") {
  STORY("T1 and T2 put ant without having read it.");
  INVARIANT("I3 of conflicts.h: writes are not asked about");
  Bank bank(Isolation::serializable);
  const auto t1 = bank.begin();
  const auto t2 = bank.begin();
  set(*t1, "ant", 1);
  set(*t2, "ant", 2);
  CHECK_OK(t2->commit());
  CHECK_OK(t1->commit());
  INFO("T2, then T1: the one that committed last is the later one");
  CHECK_SAME(bank.balance("ant"), 1);
}

TEST_CASE("reads of what nobody touched hold", "[3.5][task-6][core]") {
  STORY("T reads ant and cow, writes bee; meanwhile an, ants, bee are put.");
  INVARIANT("I3 of conflicts.h: of the keys it READ");
  Leader leader(10);
  Tx tx = leader.begin(Isolation::serializable);
  REQUIRE_OK(leader.write("an ants bee"));
  CHECK_OK(leader.commit(tx.reads("ant").reads("cow").puts("bee")));
}

TEST_CASE("a read that saw the newest commit holds", "[3.5][task-6][core]") {
  STORY("Old is open at 10; 11 puts ant; young begins at 11 and reads ant.");
  INVARIANT("I3 of conflicts.h: committed AFTER intent->snapshot");
  Leader leader(10);
  Tx old = leader.begin(Isolation::serializable);
  REQUIRE_OK(leader.write("ant"));
  Tx young = leader.begin(Isolation::serializable);
  CHECK_OK(leader.commit(young.reads("ant").puts("bee")));
  CHECK_ERROR(leader.commit(old.reads("ant").puts("cow")), Code::conflict);
}

TEST_CASE("who began at the mark is judged by what it reads",
          "[3.5][task-6][core]") {
  STORY("All up to 12 was forgotten; a transaction that began at 12 commits.");
  INVARIANT("I4 of conflicts.h: who began BEFORE complete_after() fails");
  Leader leader(10);
  REQUIRE_OK(leader.write("ant bee"));
  Tx tx = leader.begin(Isolation::serializable);
  CHECK_OK(leader.commit(tx.reads("zoo").puts("zoo")));
}

TEST_CASE("one read of many is enough", "[3.5][task-6][core]") {
  STORY("T reads ant, bee and cow; meanwhile one of them is written.");
  INVARIANT("I3 of conflicts.h: no key of intent->reads");
  for (const std::string_view key : {"ant", "bee", "cow"}) {
    Leader leader(10);
    Tx tx = leader.begin(Isolation::serializable);
    REQUIRE_OK(leader.write(key));
    INFO("written meanwhile: " << key);
    tx.reads("ant").reads("bee").reads("cow").puts("zoo");
    CHECK_ERROR(leader.commit(tx), Code::conflict);
  }
}

TEST_CASE("reads are held against earlier members of the same group",
          "[3.5][task-6][core]") {
  STORY("One group: T1 reads ann, writes bob; T2 reads bob, writes ann.");
  INVARIANT("I5 of conflicts.h: noted before the next one is asked");
  Leader leader(10);
  Tx t1 = leader.begin(Isolation::serializable);
  Tx t2 = leader.begin(Isolation::serializable);
  const auto results = leader.commit_group(
      {&t1.reads("ann").puts("bob"), &t2.reads("bob").puts("ann")});
  CHECK_OK(results[0]);
  CHECK_ERROR(results[1], Code::conflict);
}

TEST_CASE("write skew is caught under serializable", "[3.5][task-6][core]") {
  STORY("ann and bob have 50 each, together never below 0. Each takes 100.");
  INVARIANT("I3 of conflicts.h: all reads still hold at commit");
  Bank bank(Isolation::serializable);
  REQUIRE_OK(bank.store->put("ann", "50"));
  REQUIRE_OK(bank.store->put("bob", "50"));
  const auto t1 = bank.begin();
  const auto t2 = bank.begin();
  REQUIRE_SAME(number(*t1, "ann") + number(*t1, "bob"), 100);
  REQUIRE_SAME(number(*t2, "ann") + number(*t2, "bob"), 100);
  set(*t1, "ann", -50);
  set(*t2, "bob", -50);
  CHECK_OK(t1->commit());
  CHECK_ERROR(t2->commit(), Code::conflict);
  CHECK_SAME(bank.balance("ann") + bank.balance("bob"), 0);
}

TEST_CASE("the check agrees with a list of all commits",
          "[3.5][task-6][core]") {
  STORY("Random transactions and plain writes of few keys, many open at once.");
  INVARIANT("I2 and I3 of conflicts.h: those refusals, and no others");
  SEEDED_RANDOM(random, 356);
  for (std::size_t round = 0; round < scaled(60); ++round) {
    Leader leader(round);
    std::vector<Tx> open;
    std::vector<std::pair<Sequence, std::string>> all;  // everything committed
    Sequence last = round;
    const auto committed = [&](std::string_view text) {
      for (const WriteOp& op : parse(text))
        all.emplace_back(++last, op.key);
    };
    const auto key = [&] { return random.text(1, "abcdefgh"); };
    for (int step = 0; step < 150; ++step) {
      if (random.one_in(3)) {
        open.push_back(leader.begin(
            random.one_in(2) ? Isolation::snapshot : Isolation::serializable));
      } else if (random.one_in(3) || open.empty()) {
        std::string text = random.one_in(4) ? "-" + key() : key();
        if (random.one_in(3)) text += " " + key();
        REQUIRE_OK(leader.write(text));
        committed(text);
      } else {
        const std::size_t at = random.below(open.size());
        Tx tx = std::move(open[at]);
        open.erase(open.begin() + static_cast<std::ptrdiff_t>(at));
        for (std::uint64_t n = random.between(1, 3); n > 0; --n)
          tx.puts(key());
        const bool reads = tx.intent.isolation == Isolation::serializable;
        for (std::uint64_t n = random.below(4); reads && n > 0; --n) {
          tx.reads(key());
        }
        std::set<std::string, std::less<>> asked = tx.intent.reads;
        if (!reads) {
          for (const WriteOp& op : parse(tx.writes))
            asked.emplace(op.key);
        }
        const bool loses = std::ranges::any_of(all, [&](const auto& commit) {
          return commit.first > tx.intent.snapshot &&
                 asked.contains(commit.second);
        });
        const Result<void> result = leader.commit(tx);
        INFO("round " << round << ", step " << step << ": began at "
                      << tx.intent.snapshot << ", writes " << tx.writes
                      << ", on record " << on_record(*leader.commits));
        REQUIRE_SAME(result.has_value(), !loses);
        if (result) committed(tx.writes);
      }
    }
  }
}

TEST_CASE("with little room no conflict is ever missed",
          "[3.5][task-6][gold]") {
  STORY("The same, with room for three records and snapshots of any age.");
  INVARIANT("I4 of conflicts.h: a check refuses when it does not know");
  SEEDED_RANDOM(random, 357);
  std::size_t passed = 0;
  std::size_t unknown = 0;
  for (std::size_t round = 0; round < scaled(100); ++round) {
    Leader leader(0, 3 * (1 + RecentCommits::kRecordBytes));
    std::map<std::string, Sequence, std::less<>> newest;
    Sequence last = 0;
    const auto key = [&] { return random.text(1, "abcdefgh"); };
    for (int step = 0; step < 100; ++step) {
      // Sometimes the oldest open one moves, sometimes nobody is open.
      leader.open.sequences.clear();
      if (!random.one_in(8)) {
        leader.open.sequences.insert(last - random.below(last + 1) / 4);
      }
      std::string text = key();
      if (random.one_in(2)) {
        REQUIRE_OK(leader.write(text));
        newest[text] = ++last;
        continue;
      }
      Tx tx = leader.begin_unseen(Isolation::serializable,
                                  last - random.below(last + 1) / 4);
      const std::string read = key();
      tx.reads(read).puts(text);
      const auto found = newest.find(read);
      const bool overwritten =
          found != newest.end() && found->second > tx.intent.snapshot;
      const bool known = tx.intent.snapshot >= leader.commits->complete_after();
      const Result<void> result = leader.commit_group({&tx}).front();
      INFO("round " << round << ", step " << step << ": began at "
                    << tx.intent.snapshot << ", read " << read
                    << ", complete after " << leader.commits->complete_after());
      if (overwritten) REQUIRE_SAME(result.has_value(), false);
      if (known) REQUIRE_SAME(result.has_value(), !overwritten);
      unknown += known ? 0 : 1;
      if (!result) continue;
      ++passed;
      newest[text] = ++last;
    }
  }
  CHECK_SAME(passed > 0, true);
  CHECK_SAME(unknown > 0, true);
}

TEST_CASE("threads that count together lose nothing", "[3.5][task-6][gold]") {
  STORY("Four threads add one to one of three counters, until it succeeds.");
  INVARIANT("I2 and I3 of conflicts.h: no update is lost");
  for (const Isolation isolation :
       {Isolation::snapshot, Isolation::serializable}) {
    Bank bank(isolation);
    constexpr int kEach = 60;
    run_threads(4, [&](int thread) {
      for (int i = 0; i < kEach; ++i) {
        const std::string key(1, static_cast<char>('a' + (thread + i) % 3));
        Result<void> done = fail(Code::conflict, "not tried yet");
        for (int attempt = 0; !done; ++attempt) {
          expect(attempt < 10'000, "10,000 attempts, and none won");
          expect(done.error().code == Code::conflict, done.error().message);
          const auto tx = bank.begin();
          set(*tx, key, number(*tx, key) + 1);
          done = tx->commit();
        }
      }
    });
    CHECK_SAME(bank.balance("a") + bank.balance("b") + bank.balance("c"),
               4 * kEach);
    REQUIRE_OK(bank.store->put("z", "1"));
    INFO("nobody is open any more");
    CHECK_SAME(bank.commits->count(), 0);
  }
}

TEST_CASE("count may be asked from any thread", "[3.5][task-1][gold]") {
  STORY("One thread commits a thousand keys, another asks for the count.");
  INVARIANT("thread safety: the leader alone; count() any thread");
  Records records({1});
  std::atomic<bool> done = false;
  run_threads(2, [&](int thread, const std::atomic<bool>& stop) {
    if (thread == 0) {
      for (Sequence at = 2; at < 1002; ++at) {
        records.note(at, std::to_string(at));
      }
      done = true;
      return;
    }
    std::size_t before = 0;
    while (!done && !stop) {
      const std::size_t now = records.commits.count();
      expect(before <= now && now <= 1000, "count() went astray");
      before = now;
    }
  });
  CHECK_SAME(records.commits.count(), 1000);
}

}  // namespace lsm::test
