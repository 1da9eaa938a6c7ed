// Day 3.4, transactions: what was written (workspace.h), the scan over both
// (overlay.h), and the transaction (optimistic.h), over the model store of
// support/model_store.h. Rows are written "ant=1 bee=2"; among own writes a
// word without "=" is a removal.
#include <bit>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "optimistic.h"
#include "overlay.h"
#include "support/catch.h"
#include "support/iterator_contract.h"
#include "support/model.h"
#include "support/model_store.h"
#include "support/random.h"
#include "support/teach.h"
#include "support/threads.h"
#include "workspace.h"

namespace lsm::test {
namespace {

using Strings = std::vector<std::string>;
using Rows = std::vector<Row>;

// "ant=1 bee" as operations; a word without "=" removes.
struct Op {
  Kind kind;
  std::string key;
  std::string value;
};
std::vector<Op> parse_ops(std::string_view text) {
  std::vector<Op> ops;
  std::istringstream words{std::string(text)};
  for (std::string word; words >> word;) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos) {
      ops.push_back({Kind::remove, word, ""});
    } else {
      ops.push_back(
          {Kind::put, word.substr(0, equals), word.substr(equals + 1)});
    }
  }
  return ops;
}
Rows parse_rows(std::string_view text) {
  Rows rows;
  for (const Op& op : parse_ops(text))
    rows.emplace_back(op.key, op.value);
  return rows;
}
// Made here, so that tests of the overlay need no workspace.
OwnWritesView own(std::string_view text) {
  OwnWrites writes;
  for (const Op& op : parse_ops(text))
    writes[op.key] = OwnWrite{op.kind, op.value};
  return std::make_shared<const OwnWrites>(std::move(writes));
}

std::string word(std::string_view key, std::string_view value) {
  return std::string(key) + "=" + std::string(value);
}
// Enough steps for any test; a scan that goes on and on is cut here.
constexpr int kMaxSteps = 10'000;

std::string forward(UserIterator& scan) {
  std::string all;
  int steps = 0;
  for (scan.seek_to_first(); scan.valid() && steps < kMaxSteps; scan.next()) {
    all += (all.empty() ? "" : " ") + word(scan.key(), scan.value());
    ++steps;
  }
  return all;
}
std::string backward(UserIterator& scan) {
  std::string all;
  int steps = 0;
  for (scan.seek_to_last(); scan.valid() && steps < kMaxSteps; scan.prev()) {
    all += (all.empty() ? "" : " ") + word(scan.key(), scan.value());
    ++steps;
  }
  return all;
}
std::string here(const UserIterator& scan) {
  return scan.valid() ? word(scan.key(), scan.value()) : "(nothing)";
}
// What is shown after each of the moves "seek bee, next, prev, first, last",
// with a comma between. It ends early if it has to step from nowhere.
std::string walk(UserIterator& scan, std::string_view moves) {
  std::string all;
  while (!moves.empty()) {
    const std::size_t end = std::min(moves.find(", "), moves.size());
    const std::string_view move = moves.substr(0, end);
    moves.remove_prefix(std::min(end + 2, moves.size()));
    if (move.starts_with("seek ")) {
      scan.seek(move.substr(5));
    } else if (move == "first") {
      scan.seek_to_first();
    } else if (move == "last") {
      scan.seek_to_last();
    } else if (!scan.valid()) {
      break;
    } else if (move == "next") {
      scan.next();
    } else {
      expect(move == "prev", "a move that walk() knows");
      scan.prev();
    }
    all += (all.empty() ? "" : ", ") + here(scan);
  }
  return all;
}

void write(Workspace& to, std::string_view text) {
  for (const Op& op : parse_ops(text))
    to.write({op.kind, op.key, op.value});
}
// The same to a transaction or a store, up to the first that is refused.
template <typename To>
Result<void> write(To& to, std::string_view text) {
  for (const Op& op : parse_ops(text)) {
    LSM_TRY(op.kind == Kind::put ? to.put(op.key, op.value)
                                 : to.remove(op.key));
  }
  return {};
}
std::string text_of(const std::vector<WriteOp>& ops) {
  std::string all;
  for (const WriteOp& op : ops) {
    all += all.empty() ? "" : " ";
    all += op.kind == Kind::put ? word(op.key, op.value) : std::string(op.key);
  }
  return all;
}
// What the workspace says of a key: "cat=3", "cat removed", "cat absent".
std::string ask(const Workspace& workspace, std::string_view key) {
  std::string value = "(untouched)";
  switch (workspace.get(key, value)) {
    case Lookup::value:
      return word(key, value);
    case Lookup::removed:
      return std::string(key) + " removed";
    case Lookup::absent:
      return std::string(key) + " absent";
  }
  return "no answer";
}

// The rows of a range with own writes laid over, by a map.
Rows laid_over(const Rows& rows, const OwnWrites& writes,
               const ScanRange& range) {
  std::map<std::string, std::string> all(rows.begin(), rows.end());
  for (const auto& [key, own_write] : writes) {
    if (own_write.kind == Kind::put) {
      all[key] = own_write.value;
    } else {
      all.erase(key);
    }
  }
  Rows result;
  for (const auto& [key, value] : all) {
    if (range.lower && key < *range.lower) continue;
    if (range.upper && key >= *range.upper) continue;
    result.emplace_back(key, value);
  }
  return result;
}
Rows in_range(const Rows& rows, const ScanRange& range) {
  return laid_over(rows, {}, range);
}

// An overlay of `writes` over `rows`, whose iterator is as strict as the
// contract allows: the key that a seek is given must not be its own.
std::unique_ptr<UserIterator> overlay(OwnWritesView writes, const Rows& rows,
                                      const ScanRange& range = {}) {
  return make_overlay_iterator(
      std::move(writes),
      std::make_unique<RowIterator>(in_range(rows, range), nullptr,
                                    RowIterator::Target::read_last),
      range);
}
std::unique_ptr<UserIterator> overlay(std::string_view writes,
                                      std::string_view rows,
                                      const ScanRange& range = {}) {
  return overlay(own(writes), parse_rows(rows), range);
}

// Random own writes and rows over the same few keys.
struct TwoSides {
  OwnWritesView writes;
  Rows rows;
};
std::string some_key(Random& random) {
  return random.text(random.below(3), "abc");
}
TwoSides random_sides(Random& random) {
  std::map<std::string, std::string> rows;
  OwnWrites writes;
  const std::size_t count = random.below(14);
  for (std::size_t i = 0; i < count; ++i)
    rows[some_key(random)] = "s" + std::to_string(i);
  const std::size_t own_count = random.below(14);
  for (std::size_t i = 0; i < own_count; ++i) {
    OwnWrite& one = writes[some_key(random)];
    one.kind = random.one_in(2) ? Kind::remove : Kind::put;
    one.value = one.kind == Kind::put ? "o" + std::to_string(i) : "";
  }
  return {std::make_shared<const OwnWrites>(std::move(writes)),
          Rows(rows.begin(), rows.end())};
}
ScanRange random_range(Random& random) {
  ScanRange range;
  if (random.one_in(2)) range.lower = some_key(random);
  if (random.one_in(2)) range.upper = some_key(random);
  return range;
}
std::string show_case(const TwoSides& sides, const ScanRange& range) {
  std::string all = "own writes ";
  for (const auto& [key, one] : *sides.writes) {
    all += quoted(key);
    all += one.kind == Kind::put ? "=" + one.value + " " : " removed ";
  }
  all += "over " + show(sides.rows) + ", range [" +
         (range.lower ? quoted(*range.lower) : "…") + ", " +
         (range.upper ? quoted(*range.upper) : "…") + ")";
  return all;
}

// A tracker that notes what it is asked to watch.
class ToldTracker final : public ScanTracker {
 public:
  class Watched final : public UserIterator {
   public:
    Watched(std::unique_ptr<UserIterator> scan, std::shared_ptr<int> moves)
        : scan_(std::move(scan)), moves_(std::move(moves)) {}
    bool valid() const override { return scan_->valid(); }
    void seek(std::string_view target) override {
      ++*moves_;
      scan_->seek(target);
    }
    void seek_to_first() override {
      ++*moves_;
      scan_->seek_to_first();
    }
    void seek_to_last() override {
      ++*moves_;
      scan_->seek_to_last();
    }
    void next() override {
      ++*moves_;
      scan_->next();
    }
    void prev() override {
      ++*moves_;
      scan_->prev();
    }
    std::string_view key() const override { return scan_->key(); }
    std::string_view value() const override { return scan_->value(); }
    Result<void> status() const override { return scan_->status(); }

   private:
    std::unique_ptr<UserIterator> scan_;
    std::shared_ptr<int> moves_;
  };

  std::unique_ptr<UserIterator> watch(std::unique_ptr<UserIterator> scan,
                                      const ScanRange& range) override {
    watched.push_back("[" + range.lower.value_or("…") + ", " +
                      range.upper.value_or("…") + ")");
    return std::make_unique<Watched>(std::move(scan), moves);
  }
  // One range that grows with every move, so that it matters when it is asked.
  std::vector<ReadRange> ranges() const override {
    ++asked;
    if (*moves == 0) return {};
    return {{"a", "a" + std::to_string(*moves), true}};
  }
  std::size_t memory_bytes() const override { return bytes; }

  Strings watched;
  std::shared_ptr<int> moves = std::make_shared<int>(0);
  mutable int asked = 0;
  std::size_t bytes = 0;
};

// A tracker that must not be used.
class NobodysTracker final : public ScanTracker {
 public:
  std::unique_ptr<UserIterator> watch(std::unique_ptr<UserIterator>,
                                      const ScanRange&) override {
    throw std::logic_error("I2 of optimistic.h: this scan is not to be noted");
  }
  std::vector<ReadRange> ranges() const override {
    throw std::logic_error("I2 of optimistic.h: no range is to be noted");
  }
  std::size_t memory_bytes() const override { return 0; }
};

// Whoever read or, under snapshot isolation, writes what was committed since,
// loses: room 3.5 in a few lines, which forget nothing.
class FirstWins final : public CommitCheck {
 public:
  Result<void> check(const WriteRequest& request) override {
    if (request.intent == nullptr) return {};
    const CommitIntent& intent = *request.intent;
    if (intent.isolation == Isolation::snapshot) {
      for (const WriteOp& op : request.ops)
        LSM_TRY(unchanged(std::string(op.key), intent.snapshot));
    }
    for (const std::string& key : intent.reads)
      LSM_TRY(unchanged(key, intent.snapshot));
    return {};
  }
  void committed(const WriteRequest& request) override {
    Sequence sequence = request.first_sequence;
    for (const WriteOp& op : request.ops)
      newest_[std::string(op.key)] = sequence++;
  }

 private:
  Result<void> unchanged(const std::string& key, Sequence since) const {
    const auto found = newest_.find(key);
    if (found == newest_.end() || found->second <= since) return {};
    return fail(Code::conflict, quoted(key) + " was committed since");
  }
  std::map<std::string, Sequence> newest_;
};

using Options = TransactionOptions;
using TransactionPtr = std::unique_ptr<Transaction>;

std::shared_ptr<ModelStore> store_of(std::string_view rows,
                                     CommitCheck* check = nullptr) {
  auto store = std::make_shared<ModelStore>(check);
  REQUIRE_OK(write(*store, rows));
  return store;
}
TransactionPtr begin(
    const std::shared_ptr<ModelStore>& store, Options options = {},
    std::shared_ptr<ScanTracker> tracker = std::make_shared<NoTracker>()) {
  TransactionContext context;
  context.store = store;
  context.snapshot = store->snapshot(store->visible());
  context.tracker = std::move(tracker);
  context.options = std::move(options);
  return make_transaction(std::move(context));
}
Options serializable(std::size_t max_bytes = std::size_t{64} << 20) {
  Options options;
  options.isolation = Isolation::serializable;
  options.max_bytes = max_bytes;
  return options;
}
Options snapshot_isolation() {
  Options options;
  options.isolation = Isolation::snapshot;
  return options;
}
Options read_only() {
  Options options;
  options.read_only = true;
  return options;
}

// What the transaction says of each key of "ant bee": "ant=1, bee absent", or
// an error in its place.
std::string ask(Transaction& tx, std::string_view keys) {
  std::string all;
  for (const Op& op : parse_ops(keys)) {
    const auto found = tx.get(op.key);
    all += all.empty() ? "" : ", ";
    all += !found   ? show_error(found.error())
           : *found ? word(op.key, **found)
                    : op.key + " absent";
  }
  return all;
}
std::string all(const std::shared_ptr<ModelStore>& store) {
  std::string text;
  for (const auto& [key, value] : store->rows())
    text += (text.empty() ? "" : " ") + word(key, value);
  return text;
}
// The last commit that the store was asked for.
ModelStore::Commit last_commit(const std::shared_ptr<ModelStore>& store) {
  const auto commits = store->commits();
  REQUIRE(!commits.empty());
  return commits.back();
}
CommitIntent intent_of(const std::shared_ptr<ModelStore>& store) {
  const ModelStore::Commit commit = last_commit(store);
  INFO("the request's intent");
  REQUIRE(commit.intent.has_value());
  return *commit.intent;
}
Strings reads_of(const std::shared_ptr<ModelStore>& store) {
  const CommitIntent intent = intent_of(store);
  return Strings(intent.reads.begin(), intent.reads.end());
}

// A transaction whose pin, snapshot and notes (its tracker) are seen from
// outside.
class Watched {
 public:
  explicit Watched(const std::shared_ptr<ModelStore>& store) {
    TransactionContext context;
    context.store = store;
    context.snapshot = store->snapshot(store->visible(), lend(snapshot_));
    context.options.snapshot = context.snapshot;  // the one that was asked for
    context.pin = lend(pin_);
    context.tracker = std::make_shared<NoTracker>();
    notes_ = context.tracker;
    tx = make_transaction(std::move(context));
  }

  // What nobody has given back yet: "pin snapshot notes", or some of them.
  std::string held() const {
    std::string all;
    for (const auto& [lent, name] : {std::pair(&pin_, "pin"),
                                     {&snapshot_, "snapshot"},
                                     {&notes_, "notes"}}) {
      if (!lent->expired()) all += (all.empty() ? "" : " ") + std::string(name);
    }
    return all;
  }

  TransactionPtr tx;

 private:
  static std::shared_ptr<const void> lend(std::weak_ptr<const void>& lent) {
    auto one = std::make_shared<const int>(1);
    lent = one;
    return one;
  }
  std::weak_ptr<const void> pin_;
  std::weak_ptr<const void> snapshot_;
  std::weak_ptr<const void> notes_;
};
// The ends of a transaction that needs no store for it.
struct End {
  const char* how;
  void (*end)(TransactionPtr&);
};
constexpr End kEnds[] = {
    {"commit", [](TransactionPtr& tx) { CHECK_OK(tx->commit()); }},
    {"rollback", [](TransactionPtr& tx) { tx->rollback(); }},
    {"let go", [](TransactionPtr& tx) { tx.reset(); }},
};

template <typename T>
std::string message_of(const Result<T>& result) {
  return result ? "(success)" : result.error().message;
}

}  // namespace
}  // namespace lsm::test

namespace lsm {
// For CHECK_SAME, which finds it beside the type.
inline std::string to_string(const ReadRange& range) {
  return "[" + range.lower + ", " + range.upper.value_or("…") +
         (range.upper_included ? "]" : ")");
}
}  // namespace lsm

namespace lsm::test {

// Task 1: the workspace.

TEST_CASE("of each key the last write counts", "[3.4][task-1][core]") {
  STORY("Put cat=1 and ant=2, then cat=3; ask for both, and for dog.");
  INVARIANT("I1 of workspace.h: one entry a key, the last write wins");
  Workspace workspace;
  CHECK(workspace.empty());
  write(workspace, "cat=1 ant=2 cat=3");
  CHECK_SAME(ask(workspace, "cat"), "cat=3");
  CHECK_SAME(ask(workspace, "ant"), "ant=2");
  CHECK_SAME(ask(workspace, "dog"), "dog absent");
  CHECK(!workspace.empty());
}

TEST_CASE("a removal is an answer, and no absence", "[3.4][task-1][core]") {
  STORY("Remove bee, which was never put here; ask for it.");
  INVARIANT("I1 of workspace.h: a removal is an entry, too");
  Workspace workspace;
  write(workspace, "bee");
  CHECK_SAME(ask(workspace, "bee"), "bee removed");
  CHECK_SAME(text_of(workspace.ops()), "bee");
  CHECK(!workspace.empty());
}

TEST_CASE("a put that is removed again leaves the removal",
          "[3.4][task-1][core]") {
  STORY("Put dog, remove dog; remove eel, put eel.");
  INVARIANT("I1 of workspace.h: the store may have a dog, too");
  Workspace workspace;
  write(workspace, "dog=4 dog eel eel=5");
  CHECK_SAME(ask(workspace, "dog"), "dog removed");
  CHECK_SAME(ask(workspace, "eel"), "eel=5");
  CHECK_SAME(text_of(workspace.ops()), "dog eel=5");
}

TEST_CASE("operations come once for each key, in key order",
          "[3.4][task-1][core]") {
  STORY("Write fox, ant, bee, ant again, and remove cat.");
  INVARIANT("I1 of workspace.h: one entry a key");
  Workspace workspace;
  CHECK_SAME(text_of(workspace.ops()), "");
  write(workspace, "fox=1 ant=2 bee=3 ant=4 cat");
  CHECK_SAME(text_of(workspace.ops()), "ant=4 bee=3 cat fox=1");
  for (const WriteOp& op : workspace.ops()) {
    if (op.kind == Kind::remove) CHECK_SAME(op.value, "");
  }
}

TEST_CASE("an empty value is a value, an empty key a key",
          "[3.4][task-1][core]") {
  STORY("Put the empty key, an empty value, and keys of odd bytes.");
  INVARIANT("I1 of workspace.h: one entry a key");
  const std::string zero("a\0", 2);
  Workspace workspace;
  workspace.write({Kind::put, "", "x"});
  workspace.write({Kind::put, "bee", ""});
  workspace.write({Kind::put, zero, "0"});
  workspace.write({Kind::put, "a", "1"});
  workspace.write({Kind::put, "\xff", "2"});
  CHECK_SAME(ask(workspace, ""), "=x");
  CHECK_SAME(ask(workspace, "bee"), "bee=");
  CHECK_SAME(ask(workspace, zero), word(zero, "0"));
  const std::vector<WriteOp> ops = workspace.ops();
  REQUIRE_SAME(ops.size(), 5);
  CHECK_SAME(ops[0].key, "");
  CHECK_SAME(ops[1].key, "a");
  CHECK_SAME(ops[2].key, zero);
  CHECK_SAME(ops[3].key, "bee");
  CHECK_SAME(ops[4].key, "\xff");
}

TEST_CASE("the workspace has bytes of its own", "[3.4][task-1][core]") {
  STORY("Write from a buffer, then overwrite the buffer.");
  INVARIANT("base/write_request.h: views belong to the caller");
  Workspace workspace;
  std::string key = "a key that is longer than a string's own buffer";
  std::string value = "a value that is longer than a string's own buffer";
  const std::string expected = word(key, value);
  workspace.write({Kind::put, key, value});
  key.assign(key.size(), '#');
  value.assign(value.size(), '#');
  CHECK_SAME(text_of(workspace.ops()), expected);
}

TEST_CASE("bytes are counted once a key", "[3.4][task-1][core]") {
  STORY("Put ant=12345, put it again as 12, remove it, put bee=9.");
  INVARIANT("I3 of workspace.h: key, value and kNodeBytes of each entry");
  Workspace workspace;
  CHECK_SAME(workspace.memory_bytes(), 0);
  write(workspace, "ant=12345");
  CHECK_SAME(workspace.memory_bytes(), 3 + 5 + kNodeBytes);
  write(workspace, "ant=12");
  CHECK_SAME(workspace.memory_bytes(), 3 + 2 + kNodeBytes);
  write(workspace, "ant");
  CHECK_SAME(workspace.memory_bytes(), 3 + 0 + kNodeBytes);
  write(workspace, "bee=9");
  CHECK_SAME(workspace.memory_bytes(), 3 + 3 + 1 + 2 * kNodeBytes);
}

TEST_CASE("what a write would cost is told before it is done",
          "[3.4][task-1][core]") {
  STORY("ant=12345 is there; ask what bee=1, ant=1 and no ant would cost.");
  INVARIANT("I3 of workspace.h: memory_bytes() after the write");
  Workspace workspace;
  write(workspace, "ant=12345");
  CHECK_SAME(workspace.memory_bytes_with({Kind::put, "bee", "1"}),
             8 + 4 + 2 * kNodeBytes);
  CHECK_SAME(workspace.memory_bytes_with({Kind::put, "ant", "1"}),
             4 + kNodeBytes);
  CHECK_SAME(workspace.memory_bytes_with({Kind::remove, "ant", {}}),
             3 + kNodeBytes);
  CHECK_SAME(workspace.memory_bytes(), 8 + kNodeBytes);
  CHECK_SAME(text_of(workspace.ops()), "ant=12345");
}

TEST_CASE("a workspace does what a map does", "[3.4][task-1][core]") {
  STORY("1,000 random writes of 40 keys, compared with a std::map.");
  INVARIANT("I1 of workspace.h: the last write wins");
  SEEDED_RANDOM(random, 1);
  Workspace workspace;
  std::map<std::string, std::optional<std::string>> model;
  for (std::size_t i = 0; i < scaled(1000); ++i) {
    const std::string key = random.text(random.below(4), "abc");
    const bool put = !random.one_in(3);
    const std::string value = put ? random.text(random.below(20)) : "";
    const WriteOp op{put ? Kind::put : Kind::remove, key, value};
    const std::size_t foretold = workspace.memory_bytes_with(op);
    workspace.write(op);
    model[key] = put ? std::optional(value) : std::nullopt;
    std::size_t bytes = 0;
    for (const auto& [k, v] : model)
      bytes += k.size() + v.value_or("").size() + kNodeBytes;
    REQUIRE_SAME(workspace.memory_bytes(), bytes);
    REQUIRE_SAME(foretold, bytes);
    const std::string asked = random.text(random.below(4), "abc");
    const auto found = model.find(asked);
    REQUIRE_SAME(ask(workspace, asked), found == model.end() ? asked + " absent"
                                        : found->second
                                            ? word(asked, *found->second)
                                            : asked + " removed");
  }
  std::string expected;
  for (const auto& [key, value] : model) {
    expected += expected.empty() ? "" : " ";
    expected += value ? word(key, *value) : key;
  }
  CHECK_SAME(text_of(workspace.ops()), expected);
}

// Task 2: the overlay, forward.

TEST_CASE("the overlay that overlay.h draws", "[3.4][task-2][core]") {
  STORY("Own: bee=9, no dog, fox=7. Snapshot: bee=2 cat=3 dog=4 elk=5.");
  INVARIANT("I1 of overlay.h: the own write, else the snapshot's entry");
  const auto scan = overlay("bee=9 dog fox=7", "bee=2 cat=3 dog=4 elk=5");
  CHECK(!scan->valid());
  CHECK_SAME(forward(*scan), "bee=9 cat=3 elk=5 fox=7");
  CHECK(!scan->valid());
  CHECK_OK(scan->status());
}

TEST_CASE("a key on both sides is shown once", "[3.4][task-2][core]") {
  STORY("Both sides hold ant and bee; only the snapshot holds cat.");
  INVARIANT("I1 of overlay.h: every key is shown once");
  CHECK_SAME(forward(*overlay("ant=own bee=own", "ant=1 bee=2 cat=3")),
             "ant=own bee=own cat=3");
}

TEST_CASE("one side may be empty, or both", "[3.4][task-2][core]") {
  STORY("Nothing own; nothing in the snapshot; nothing at all.");
  INVARIANT("I2 of overlay.h: a side without an entry is not valid");
  CHECK_SAME(forward(*overlay("", "ant=1 bee=2")), "ant=1 bee=2");
  CHECK_SAME(forward(*overlay("ant=1 bee=2", "")), "ant=1 bee=2");
  CHECK_SAME(forward(*overlay("", "")), "");
  CHECK_SAME(forward(*overlay("ant bee", "")), "");
}

TEST_CASE("without own writes the snapshot's iterator is handed back",
          "[3.4][task-2][core]") {
  STORY("The only own write is ant; scan from b on.");
  INVARIANT("overlay.h: it costs nothing then");
  const ScanRange from_b{.lower = "b", .upper = std::nullopt};
  auto below = std::make_unique<RowIterator>(parse_rows("bee=2 cat=3"));
  const UserIterator* const plain = below.get();
  const auto scan =
      make_overlay_iterator(own("ant=1"), std::move(below), from_b);
  CHECK((scan.get() == plain));
  // Two words on a tie, to see that this is an overlay otherwise.
  CHECK_SAME(forward(*overlay("bee=9", "bee=2 cat=3", from_b)), "bee=9 cat=3");
}

TEST_CASE("own removals are walked over, however many", "[3.4][task-2][core]") {
  STORY("Removals first, last, in a row, of keys that are there and are not.");
  INVARIANT("I1 of overlay.h: a removal hides the key");
  CHECK_SAME(forward(*overlay("ant bee", "ant=1 bee=2 cat=3 dog=4")),
             "cat=3 dog=4");
  CHECK_SAME(forward(*overlay("cat dog", "ant=1 bee=2 cat=3 dog=4")),
             "ant=1 bee=2");
  CHECK_SAME(forward(*overlay("aaa ant abc bee bef cat zoo",
                              "ant=1 bee=2 cat=3 dog=4")),
             "dog=4");
  CHECK_SAME(
      forward(*overlay("ant bee=9 cat dog=8 eel fox", "ant=1 cat=3 eel=5")),
      "bee=9 dog=8");
}

TEST_CASE("a seek stands on the first entry at or after its target",
          "[3.4][task-2][core]") {
  STORY("Own: bee=9, no dog, fox=7. Snapshot: bee=2 cat=3 dog=4 elk=5.");
  INVARIANT("I2 of base/iterator.h");
  const auto scan = overlay("bee=9 dog fox=7", "bee=2 cat=3 dog=4 elk=5");
  CHECK_SAME(walk(*scan, "seek , seek bee, seek bef, seek dog, seek elm"),
             "bee=9, bee=9, cat=3, elk=5, fox=7");
  CHECK_SAME(walk(*scan, "seek foy, seek cat, next"),
             "(nothing), cat=3, elk=5");
}

TEST_CASE("own writes outside the bounds are not shown",
          "[3.4][task-2][core]") {
  STORY("Own: ant, cat, eel. Snapshot: bee, dog. Scan from bee to eel.");
  INVARIANT("I3 of overlay.h: lower <= key < upper for own writes, too");
  const std::string_view writes = "ant=1 cat=3 eel=5";
  const std::string_view rows = "bee=2 dog=4";
  CHECK_SAME(forward(*overlay(writes, rows, {.lower = "b", .upper = "eel"})),
             "bee=2 cat=3 dog=4");
  CHECK_SAME(forward(*overlay(writes, rows, {.lower = "ant", .upper = "cat"})),
             "ant=1 bee=2");
  CHECK_SAME(
      forward(*overlay(writes, rows, {.lower = "cat", .upper = std::nullopt})),
      "cat=3 dog=4 eel=5");
  CHECK_SAME(forward(*overlay(writes, rows, {.lower = "d", .upper = "b"})), "");
  CHECK_SAME(forward(*overlay(writes, rows, {.lower = "cat", .upper = "cat"})),
             "");
}

TEST_CASE("a seek stays within the bounds", "[3.4][task-2][core]") {
  STORY("Own: ant, cat, eel. Snapshot: bee, dog. Scan from b to e, and seek.");
  INVARIANT("I3 of overlay.h: whatever is sought");
  const auto scan =
      overlay("ant=1 cat=3 eel=5", "bee=2 dog=4", {.lower = "b", .upper = "e"});
  CHECK_SAME(
      walk(*scan, "seek ant, seek , seek dot, seek eel, seek zoo, seek c"),
      "bee=2, bee=2, (nothing), (nothing), (nothing), cat=3");
}

TEST_CASE("the target of a seek may be the key that is shown",
          "[3.4][task-2][core]") {
  STORY("Seek key(), and value(), while the snapshot's entry is shown.");
  INVARIANT("overlay.h: the target of a seek is copied");
  const auto scan = overlay("ant=1 fox=7", "bee=cat cat=3 dog=4");
  scan->seek("bee");
  REQUIRE_SAME(here(*scan), "bee=cat");
  scan->seek(scan->key());
  REQUIRE_SAME(here(*scan), "bee=cat");
  scan->seek(scan->value());
  REQUIRE_SAME(here(*scan), "cat=3");
  scan->seek_to_first();
  scan->seek(scan->key());
  REQUIRE_SAME(here(*scan), "ant=1");
}

TEST_CASE("what cannot be read ends the overlay", "[3.4][task-2][core]") {
  STORY("Own: ant, cat, eel. The snapshot's bee cannot be read.");
  INVARIANT("I4 of overlay.h: an error ends the overlay for good");
  auto below = std::make_unique<RowIterator>(parse_rows("bee=2 dog=4"));
  below->fail_at("bee", {Code::corruption, "000007.sst: offset 4096"});
  const auto scan =
      make_overlay_iterator(own("ant=1 cat=3 eel=5"), std::move(below), {});
  CHECK_SAME(walk(*scan, "seek dog, first"), "dog=4, (nothing)");
  CHECK_ERROR(scan->status(), Code::corruption);
  scan->seek("eel");
  REQUIRE_SAME(here(*scan), "(nothing)");
  CHECK_ERROR(scan->status(), Code::corruption);
}

TEST_CASE("an error between two steps is no end", "[3.4][task-2][core]") {
  STORY("Own: cat, eel. Snapshot: ant, then bee, which cannot be read.");
  INVARIANT("I4 of overlay.h: bee may lie before the next own write");
  auto below = std::make_unique<RowIterator>(parse_rows("ant=1 bee=2 dog=4"));
  below->fail_at("bee", {Code::io, "disk"});
  const auto scan =
      make_overlay_iterator(own("cat=3 eel=5"), std::move(below), {});
  scan->seek_to_first();
  REQUIRE_SAME(here(*scan), "ant=1");
  CHECK_OK(scan->status());
  scan->next();
  REQUIRE_SAME(here(*scan), "(nothing)");
  CHECK_ERROR(scan->status(), Code::io);
}

TEST_CASE("an error behind a removal is no end", "[3.4][task-2][core]") {
  STORY("Own: no ant, eel. Snapshot: ant, then bee, which cannot be read.");
  INVARIANT("I4 of overlay.h: bee may lie before the next own write");
  auto below = std::make_unique<RowIterator>(parse_rows("ant=1 bee=2"));
  below->fail_at("bee", {Code::io, "disk"});
  const auto scan =
      make_overlay_iterator(own("ant eel=5"), std::move(below), {});
  scan->seek_to_first();
  CHECK_SAME(here(*scan), "(nothing)");
  CHECK_ERROR(scan->status(), Code::io);
}

TEST_CASE("an overlay walks forward like any iterator", "[3.4][task-2][core]") {
  STORY("Random sides and bounds over keys of up to two letters.");
  INVARIANT("I1 and I3 of overlay.h");
  SEEDED_RANDOM(random, 2);
  for (std::size_t i = 0; i < scaled(30); ++i) {
    const TwoSides sides = random_sides(random);
    const ScanRange range = random_range(random);
    INFO("case: " << show_case(sides, range));
    const auto scan = overlay(sides.writes, sides.rows, range);
    const Rows expected = laid_over(sides.rows, *sides.writes, range);
    REQUIRE_SAME(parse_rows(forward(*scan)), expected);
    check_iterator_contract(*scan, expected, i, Directions::forward);
  }
}

// Task 3: read and write.

TEST_CASE("a transaction reads its snapshot", "[3.4][task-3][core]") {
  STORY("Begin; then others change ant, remove bee and put cat.");
  INVARIANT("I1 of optimistic.h: nothing but snapshot and own writes");
  const auto store = store_of("ant=1 bee=2");
  const auto tx = begin(store);
  CHECK_SAME(ask(*tx, "ant"), "ant=1");
  REQUIRE_OK(write(*store, "ant=new bee cat=3"));
  CHECK_SAME(ask(*tx, "ant bee cat"), "ant=1, bee=2, cat absent");
  CHECK_SAME(tx->sequence(), 2);
}

TEST_CASE("a transaction reads its own writes", "[3.4][task-3][core]") {
  STORY("Overwrite ant, remove bee, put cat; read all three.");
  INVARIANT("I1 of optimistic.h: own writes over the snapshot");
  const auto store = store_of("ant=1 bee=2");
  const auto tx = begin(store);
  CHECK_OK(write(*tx, "ant=own bee cat="));
  CHECK_SAME(ask(*tx, "ant bee cat"), "ant=own, bee absent, cat=");
  CHECK_OK(write(*tx, "bee=back cat"));
  CHECK_SAME(ask(*tx, "bee cat"), "bee=back, cat absent");
}

TEST_CASE("nobody else sees what is not committed", "[3.4][task-3][core]") {
  STORY("Write in one transaction; read in the store and in another one.");
  INVARIANT("I1 of optimistic.h");
  const auto store = store_of("ant=1");
  const auto tx = begin(store);
  const auto other = begin(store);
  CHECK_OK(write(*tx, "ant=own bee=own"));
  CHECK_SAME(all(store), "ant=1");
  CHECK_SAME(ask(*other, "ant bee"), "ant=1, bee absent");
  CHECK_SAME(ask(*begin(store), "ant"), "ant=1");
}

TEST_CASE("a write asks the store nothing", "[3.4][task-3][core]") {
  STORY("Put and remove keys that were never read, then read them.");
  INVARIANT("optimistic.h: nothing shared is touched before commit");
  const auto store = store_of("ant=1 bee=2");
  const auto tx = begin(store);
  CHECK_OK(write(*tx, "ant=own bee"));
  CHECK_SAME(ask(*tx, "ant bee"), "ant=own, bee absent");
  CHECK_SAME(store->reads(), 0);
  CHECK_SAME(store->commits().size(), 2);  // those that made the store
}

TEST_CASE("a read_only transaction refuses to write", "[3.4][task-3][core]") {
  STORY("Begin read_only; put, remove, read.");
  INVARIANT("I5 of optimistic.h: a refused call has changed nothing");
  const auto store = store_of("ant=1");
  const auto tx = begin(store, read_only());
  CHECK_ERROR(tx->put("ant", "own"), Code::invalid_argument);
  CHECK_ERROR(tx->remove("ant"), Code::invalid_argument);
  CHECK_SAME(ask(*tx, "ant"), "ant=1");
}

TEST_CASE("keys and values have their limits", "[3.4][task-3][core]") {
  STORY("A key of 65,536 bytes, a value of 1 GiB and one byte.");
  INVARIANT("I5 of optimistic.h: refused at once, and nothing changed");
  const auto store = store_of("ant=1");
  // Zero pages of the system: nobody is to touch them.
  struct Free {
    void operator()(char* memory) const { std::free(memory); }
  };
  const std::unique_ptr<char, Free> zeros(
      static_cast<char*>(std::calloc(1, kMaxValueSizeBytes + 1)));
  REQUIRE((zeros != nullptr));
  const auto bytes = [&](std::size_t size) {
    return std::string_view(zeros.get(), size);
  };
  // No other limit is in the way.
  const auto tx = begin(store, serializable(std::size_t{4} << 30));
  CHECK_OK(tx->put("ant", "own"));
  CHECK_ERROR(tx->put(bytes(kMaxKeySizeBytes + 1), "x"),
              Code::invalid_argument);
  CHECK_ERROR(tx->remove(bytes(kMaxKeySizeBytes + 1)), Code::invalid_argument);
  const Result<void> value_too_large =
      tx->put("ant", bytes(kMaxValueSizeBytes + 1));
  CHECK_ERROR(value_too_large, Code::invalid_argument);
  if (value_too_large) return;  // a GiB is nothing to show
  CHECK_SAME(ask(*tx, "ant"), "ant=own");
  CHECK_OK(tx->put(bytes(kMaxKeySizeBytes), "long"));
  const auto found = tx->get(bytes(kMaxKeySizeBytes));
  REQUIRE_OK(found);
  CHECK_SAME(*found, std::optional<std::string>("long"));
}

TEST_CASE("what the store answers to a read is passed on",
          "[3.4][task-3][core]") {
  STORY("The store cannot read ant, then is closed; bee is an own write.");
  INVARIANT("lsm/snapshot.h: Errors: closed; io, corruption");
  const auto store = store_of("ant=1 bee=2");
  const auto tx = begin(store);
  CHECK_OK(tx->put("bee", "own"));
  store->fail_reads_at("ant", {Code::corruption, "000007.sst"});
  CHECK_ERROR(tx->get("ant"), Code::corruption);
  store->close();
  CHECK_ERROR(tx->get("cat"), Code::closed);
  CHECK_SAME(ask(*tx, "bee"), "bee=own");
}

// Task 4: commit.

TEST_CASE("a commit is one request", "[3.4][task-4][core]") {
  STORY("Put fox, ant, ant again, remove bee; commit.");
  INVARIANT("I3 of optimistic.h: one request, one operation a key");
  const auto store = store_of("bee=2");
  const auto tx = begin(store);
  CHECK_OK(write(*tx, "fox=6 ant=1 ant=2 bee"));
  CHECK_OK(tx->commit());
  CHECK_SAME(store->commits().size(), 2);  // the first one put bee
  const ModelStore::Commit commit = last_commit(store);
  CHECK_SAME(commit.ops, Strings({"put ant=2", "remove bee", "put fox=6"}));
  CHECK_SAME(all(store), "ant=2 fox=6");
  CHECK_SAME(store->visible(), 4);
}

TEST_CASE("the request says what was read, and as of when",
          "[3.4][task-4][core]") {
  STORY("At sequence 2 read ant, then zoo, which is not there; put bee.");
  INVARIANT(
      "I2 of optimistic.h: every key asked of the snapshot, found or not");
  const auto store = store_of("ant=1 bee=2");
  const auto tx = begin(store);
  REQUIRE_OK(store->put("cat", "3"));
  CHECK_SAME(ask(*tx, "zoo ant ant"), "zoo absent, ant=1, ant=1");
  CHECK_OK(tx->put("bee", "own"));
  CHECK_OK(tx->commit());
  CHECK_SAME(reads_of(store), Strings({"ant", "zoo"}));
  const CommitIntent intent = intent_of(store);
  CHECK_SAME(intent.snapshot, 2);
  CHECK((intent.isolation == Isolation::serializable));
  CHECK_SAME(intent.ranges, std::vector<ReadRange>());
}

TEST_CASE("a write is not a read", "[3.4][task-4][core]") {
  STORY("Put ant, remove bee, put and remove cat; read none of them.");
  INVARIANT("I2 of optimistic.h: blind writes note nothing");
  const auto store = store_of("ant=1 bee=2");
  const auto tx = begin(store);
  CHECK_OK(write(*tx, "ant=own bee cat=own cat"));
  CHECK_OK(tx->commit());
  CHECK_SAME(reads_of(store), Strings());
}

TEST_CASE("reading an own write is not noted", "[3.4][task-4][core]") {
  STORY("Put ant, remove bee, then read both; read cat, then put it.");
  INVARIANT("I2 of optimistic.h: a key answered from the workspace is not");
  const auto store = store_of("ant=1 bee=2 cat=3");
  const auto tx = begin(store);
  CHECK_OK(write(*tx, "ant=own bee"));
  CHECK_SAME(ask(*tx, "ant bee cat"), "ant=own, bee absent, cat=3");
  CHECK_OK(tx->put("cat", "own"));
  CHECK_SAME(ask(*tx, "cat"), "cat=own");
  CHECK_OK(tx->commit());
  CHECK_SAME(reads_of(store), Strings({"cat"}));
}

TEST_CASE("under snapshot isolation reads are not noted",
          "[3.4][task-4][core]") {
  STORY("Isolation::snapshot: read ant and zoo, put bee, commit.");
  INVARIANT("I2 of base/commit_intent.h: reads and ranges are empty");
  const auto store = store_of("ant=1");
  const auto tx =
      begin(store, snapshot_isolation(), std::make_shared<NobodysTracker>());
  CHECK_SAME(ask(*tx, "ant zoo"), "ant=1, zoo absent");
  CHECK_OK(tx->put("bee", "2"));
  CHECK_OK(tx->commit());
  CHECK_SAME(reads_of(store), Strings());
  const CommitIntent intent = intent_of(store);
  CHECK((intent.isolation == Isolation::snapshot));
  CHECK_SAME(intent.snapshot, 1);
}

TEST_CASE("sync is passed on", "[3.4][task-4][core]") {
  STORY("One commit with sync, one without.");
  INVARIANT("I2 of lsm/transaction.h: with sync, durable");
  const auto store = store_of("");
  for (const bool sync : {true, false}) {
    const auto tx = begin(store);
    CHECK_OK(tx->put("ant", "1"));
    CHECK_OK(tx->commit({.sync = sync}));
    CHECK_SAME(last_commit(store).sync, sync);
  }
}

TEST_CASE("who wrote nothing asks nobody", "[3.4][task-4][core]") {
  STORY("Read ant, which is then overwritten; commit without a write.");
  INVARIANT("I3 of optimistic.h: without writes the store is not asked");
  FirstWins check;
  const auto store = store_of("ant=1", &check);
  for (const Options& options :
       {serializable(), snapshot_isolation(), read_only()}) {
    const auto tx = begin(store, options);
    static_cast<void>(ask(*tx, "ant"));
    REQUIRE_OK(store->put("ant", "new"));
    const std::size_t before = store->commits().size();
    store->fail_next_commit({Code::io, "nobody was to be asked"});
    CHECK_OK(tx->commit());
    CHECK_SAME(store->commits().size(), before);
    CHECK_ERROR(store->put("x", "x"), Code::io);  // the failure is used up
  }
}

TEST_CASE("a refused commit leaves nothing", "[3.4][task-4][core]") {
  STORY("The store answers conflict, then io, then read_only.");
  INVARIANT("I4 of optimistic.h: over, whatever the answer");
  for (const Code code : {Code::conflict, Code::io, Code::read_only}) {
    const auto store = store_of("ant=1");
    const auto tx = begin(store);
    CHECK_OK(write(*tx, "ant=own bee=own"));
    store->fail_next_commit({code, "\"ant\" and why"});
    const Result<void> done = tx->commit();
    CHECK_ERROR(done, code);
    CHECK_SAME(message_of(done), "\"ant\" and why");
    CHECK_SAME(all(store), "ant=1");
    const Result<void> again = tx->commit();
    CHECK_ERROR(again, Code::invalid_argument);
    CHECK_SAME(all(store), "ant=1");
  }
}

TEST_CASE("rollback and the end of the object write nothing",
          "[3.4][task-4][core]") {
  STORY("Put ant and roll back; put ant and let the transaction go.");
  INVARIANT("I1 of lsm/transaction.h: its end rolls back");
  const auto store = store_of("ant=1");
  auto tx = begin(store);
  CHECK_OK(tx->put("ant", "own"));
  tx->rollback();
  tx.reset();
  tx = begin(store);
  CHECK_OK(tx->put("ant", "own"));
  tx.reset();
  CHECK_SAME(all(store), "ant=1");
  CHECK_SAME(store->commits().size(), 1);
}

TEST_CASE("after its end a transaction answers that it is over",
          "[3.4][task-4][core]") {
  STORY("Commit, fail to commit, roll back; then try every call.");
  INVARIANT("I4 of optimistic.h: every call, naming how it ended");
  for (const std::string_view how :
       {"was committed", "failed to commit", "was rolled back"}) {
    const auto store = store_of("ant=1");
    const auto tx = begin(store);
    CHECK_OK(tx->put("bee", "own"));
    const bool fails = how == "failed to commit";
    if (fails) store->fail_next_commit({Code::conflict, "lost"});
    if (how == "was rolled back") {
      tx->rollback();
    } else {
      CHECK_SAME(tx->commit().has_value(), !fails);
    }
    const std::size_t reads = store->reads();
    const std::size_t commits = store->commits().size();
    tx->rollback();  // changes nothing any more
    const std::string over = "the transaction is over: it " + std::string(how);
    std::string value;
    for (const Result<bool>& result :
         {tx->get("ant", value), tx->get("bee", value)}) {
      CHECK_ERROR(result, Code::invalid_argument);
      CHECK_SAME(message_of(result), over);
    }
    for (const Result<void>& result :
         {tx->put("ant", "x"), tx->remove("ant"), tx->commit()}) {
      CHECK_ERROR(result, Code::invalid_argument);
      CHECK_SAME(message_of(result), over);
    }
    CHECK_SAME(tx->sequence(), 1);
    CHECK_SAME(store->reads(), reads);
    CHECK_SAME(store->commits().size(), commits);
  }
}

TEST_CASE("a commit without writes is an end, too", "[3.4][task-4][core]") {
  STORY("Begin, commit at once, put.");
  INVARIANT("I4 of optimistic.h: over after commit");
  const auto store = store_of("");
  const auto tx = begin(store);
  CHECK_OK(tx->commit());
  CHECK_ERROR(tx->put("ant", "1"), Code::invalid_argument);
  CHECK_ERROR(tx->commit(), Code::invalid_argument);
}

TEST_CASE("the pin is held until the store has answered",
          "[3.4][task-4][core]") {
  STORY("While commit is under way look what the transaction holds.");
  INVARIANT("I4 of optimistic.h: given back, not sooner and not later");
  for (const bool refused : {false, true}) {
    const auto store = store_of("ant=1");
    const Watched watched(store);
    CHECK_SAME(ask(*watched.tx, "ant"), "ant=1");
    CHECK_OK(watched.tx->put("bee", "own"));
    CHECK_SAME(watched.held(), "pin snapshot notes");
    std::string during = "(the store was not asked)";
    store->before_commit([&] { during = watched.held(); });
    if (refused) store->fail_next_commit({Code::conflict, "lost"});
    CHECK_SAME(watched.tx->commit().has_value(), !refused);
    CHECK_SAME(during, "pin snapshot notes");
    CHECK_SAME(watched.held(), "");
  }
}

TEST_CASE("however it ends, pin and snapshot are given back",
          "[3.4][task-4][core]") {
  STORY("Commit without writes; roll back; let go; each with a hold on all.");
  INVARIANT("I4 of optimistic.h: writes, notes, snapshot and pin, not later");
  for (const End& end : kEnds) {
    INFO("end: " << end.how);
    Watched watched(store_of("ant=1"));
    CHECK_SAME(ask(*watched.tx, "ant"), "ant=1");
    CHECK_SAME(watched.held(), "pin snapshot notes");
    end.end(watched.tx);
    CHECK_SAME(watched.held(), "");
  }
}

TEST_CASE("of two who read and write the same, one loses",
          "[3.4][task-4][core]") {
  STORY("Two clients read count=5 and write one more; the second loses.");
  INVARIANT("I3 of lsm/transaction.h");
  for (const Options& options : {serializable(), snapshot_isolation()}) {
    FirstWins check;
    const auto store = store_of("count=5", &check);
    const auto first = begin(store, options);
    const auto second = begin(store, options);
    for (const auto& tx : {std::cref(first), std::cref(second)}) {
      REQUIRE_SAME(ask(*tx.get(), "count"), "count=5");
      CHECK_OK(tx.get()->put("count", "6"));
    }
    CHECK_OK(first->commit());
    CHECK_ERROR(second->commit(), Code::conflict);
    CHECK_SAME(all(store), "count=6");
  }
}

TEST_CASE("a key that was found missing counts as read",
          "[3.4][task-4][core]") {
  STORY("Two clients find no lock and take it; the second loses.");
  INVARIANT("I2 of optimistic.h: found or not");
  FirstWins check;
  const auto store = store_of("", &check);
  const auto first = begin(store);
  const auto second = begin(store);
  CHECK_SAME(ask(*first, "lock"), "lock absent");
  CHECK_SAME(ask(*second, "lock"), "lock absent");
  CHECK_OK(first->put("lock", "first"));
  CHECK_OK(second->put("lock", "second"));
  CHECK_OK(first->commit());
  CHECK_ERROR(second->commit(), Code::conflict);
  CHECK_SAME(all(store), "lock=first");
}

TEST_CASE("every interleaving of two transfers is as good as a row",
          "[3.4][task-4][core]") {
  STORY("ann=100 bob=0. One client moves 10, another a half: in all orders.");
  INVARIANT("I3 of lsm/transaction.h: as if one after the other");
  const auto read = [](Transaction& tx, std::string_view key) {
    const auto found = tx.get(key);
    REQUIRE_OK(found);
    REQUIRE(found->has_value());
    return std::stoi(**found);
  };
  struct Client {
    std::unique_ptr<Transaction> tx;
    int step = 0;
    int ann = 0;
    int bob = 0;
    bool won = false;
  };
  constexpr int kSteps = 6;
  const auto go_on = [&](const std::shared_ptr<ModelStore>& store,
                         Client& client, bool half) {
    switch (client.step++) {
      case 0:
        client.tx = begin(store);
        break;
      case 1:
        client.ann = read(*client.tx, "ann");
        break;
      case 2: {
        const int moved = half ? client.ann / 2 : 10;
        CHECK_OK(client.tx->put("ann", std::to_string(client.ann - moved)));
        client.ann = moved;
        break;
      }
      case 3:
        client.bob = read(*client.tx, "bob");
        break;
      case 4:
        CHECK_OK(
            client.tx->put("bob", std::to_string(client.bob + client.ann)));
        break;
      case 5: {
        const Result<void> done = client.tx->commit();
        if (!done) CHECK_ERROR(done, Code::conflict);
        client.won = done.has_value();
        break;
      }
      default:
        break;
    }
  };
  const std::map<std::string, std::string> serial = {
      {"ten", "ann=90 bob=10"},
      {"half", "ann=50 bob=50"},
      {"ten half", "ann=45 bob=55"},
      {"half ten", "ann=40 bob=60"},
  };
  std::size_t orders = 0;
  for (unsigned order = 0; order < (1u << (2 * kSteps)); ++order) {
    if (std::popcount(order) != kSteps) continue;
    ++orders;
    FirstWins check;
    const auto store = store_of("ann=100 bob=0", &check);
    Client ten;
    Client half;
    std::string winners;
    for (int i = 0; i < 2 * kSteps; ++i) {
      const bool is_half = ((order >> i) & 1) != 0;
      Client& client = is_half ? half : ten;
      go_on(store, client, is_half);
      if (client.step == kSteps && client.won) {
        winners += (winners.empty() ? "" : " ");
        winners += is_half ? "half" : "ten";
        client.won = false;
      }
    }
    INFO("order: " << order << ", winners: " << winners);
    REQUIRE((serial.contains(winners)));
    REQUIRE_SAME(all(store), serial.at(winners));
  }
  CHECK_SAME(orders, 924);  // 12 over 6
}

TEST_CASE("counters do not lose a step among threads", "[3.4][task-4][core]") {
  STORY("4 threads add one to the same counter, 100 times each, and retry.");
  INVARIANT("I3 of lsm/transaction.h: of two, one loses and tries again");
  FirstWins check;
  const auto store = store_of("count=0", &check);
  constexpr int kThreads = 4;
  const auto times = static_cast<int>(scaled(100));
  run_threads(kThreads, [&](int) {
    // A conflict is another's commit since begin: no thread has more of them
    // than the others have steps.
    int tries = 0;
    for (int done = 0; done < times;) {
      expect(++tries <= kThreads * times, "conflicts without a commit");
      const auto tx = begin(store);
      const auto found = tx->get("count");
      expect(found.has_value() && found->has_value(), "count was not found");
      expect(
          tx->put("count", std::to_string(std::stoi(**found) + 1)).has_value(),
          "put failed");
      const Result<void> result = tx->commit();
      expect(result || result.error().code == Code::conflict,
             "commit answers conflict or success");
      if (result) ++done;
    }
  });
  CHECK_SAME(all(store), "count=" + std::to_string(kThreads * times));
}

// Task 5: scan.

TEST_CASE("a view of the workspace stays as it was", "[3.4][task-5][core]") {
  STORY("View ant=1 bee=2; then overwrite ant, remove bee, put cat.");
  INVARIANT("I2 of workspace.h: a view never changes");
  Workspace workspace;
  write(workspace, "ant=1 bee=2");
  const OwnWritesView view = workspace.view();
  const auto& [first_key, first_write] = *view->begin();
  const std::string_view key = first_key;
  const std::string_view value = first_write.value;
  write(workspace, "ant=new bee cat=3");
  CHECK_SAME(view->size(), 2);
  CHECK_SAME(key, "ant");
  CHECK_SAME(value, "1");
  CHECK((view->find("bee")->second.kind == Kind::put));
  CHECK_SAME(text_of(workspace.ops()), "ant=new bee cat=3");
  CHECK_SAME(text_of([&] {
               std::vector<WriteOp> ops;
               for (const auto& [k, w] : *workspace.view())
                 ops.push_back({w.kind, k, w.value});
               return ops;
             }()),
             "ant=new bee cat=3");
}

TEST_CASE("a copy is made once a view, and only while it is held",
          "[3.4][task-5][core]") {
  STORY("Write without a view; with one, twice; after it is gone.");
  INVARIANT("I2 of workspace.h: and only then");
  Workspace workspace;
  write(workspace, "ant=1");
  const OwnWrites* map = workspace.view().get();
  write(workspace, "bee=2");
  CHECK((workspace.view().get() == map));  // nobody held the view
  OwnWritesView held = workspace.view();
  write(workspace, "cat=3");
  CHECK((workspace.view().get() != map));
  map = workspace.view().get();
  write(workspace, "dog=4");
  CHECK((workspace.view().get() == map));  // `held` is of an older map
  held = workspace.view();
  held.reset();
  write(workspace, "eel=5");
  CHECK((workspace.view().get() == map));
  CHECK_SAME(workspace.memory_bytes(), 5 * (3 + 1 + kNodeBytes));
}

TEST_CASE("a scan shows own writes over the snapshot", "[3.4][task-5][core]") {
  STORY("Snapshot: bee=2 cat=3 dog=4 elk=5; own: bee=9, no dog, fox=7.");
  INVARIANT("I1 of optimistic.h");
  const auto store = store_of("bee=2 cat=3 dog=4 elk=5");
  const auto tx = begin(store);
  REQUIRE_OK(write(*store, "ant=later elk"));
  CHECK_OK(write(*tx, "bee=9 dog fox=7"));
  CHECK_SAME(forward(*tx->scan()), "bee=9 cat=3 elk=5 fox=7");
  CHECK_SAME(forward(*tx->scan({.lower = "c", .upper = "fox"})), "cat=3 elk=5");
  CHECK_SAME(forward(*begin(store)->scan()), "ant=later bee=2 cat=3 dog=4");
}

TEST_CASE("a scan sees the workspace as it was when it was opened",
          "[3.4][task-5][core]") {
  STORY("Open a scan; then overwrite ant, remove bee, put cat.");
  INVARIANT("I2 of workspace.h: a view never changes");
  const auto store = store_of("dog=4");
  const auto tx = begin(store);
  CHECK_OK(write(*tx, "ant=1 bee=2"));
  const auto scan = tx->scan();
  CHECK_OK(write(*tx, "ant=new bee cat=3 dog"));
  CHECK_SAME(forward(*scan), "ant=1 bee=2 dog=4");
  CHECK_SAME(forward(*tx->scan()), "ant=new cat=3");
  CHECK_SAME(ask(*tx, "bee"), "bee absent");
}

TEST_CASE("a loop may write what it scans", "[3.4][task-5][core]") {
  STORY("For every row put the same value under a key that comes later.");
  INVARIANT("lsm/transaction.h: later writes do not show");
  const auto store = store_of("ant=1 bee=2");
  const auto tx = begin(store);
  CHECK_OK(tx->put("cat", "3"));
  const auto scan = tx->scan();
  int rows = 0;
  for (scan->seek_to_first(); scan->valid() && rows < 100; scan->next()) {
    ++rows;
    CHECK_OK(tx->put(std::string(scan->key()) + "x", scan->value()));
    CHECK_OK(tx->put(scan->key(), "seen"));
  }
  CHECK_SAME(rows, 3);
  CHECK_OK(tx->commit());
  CHECK_SAME(all(store), "ant=seen antx=1 bee=seen beex=2 cat=seen catx=3");
}

TEST_CASE("what a scan shows stays while the transaction writes",
          "[3.4][task-5][core]") {
  STORY("Hold key and value of an own row; overwrite and remove the key.");
  INVARIANT("I3 of base/iterator.h: readable until the iterator moves");
  const std::string key = "a key that is longer than a string's own buffer";
  const std::string value = "a value that is longer than its own buffer";
  const auto store = store_of("");
  const auto tx = begin(store);
  CHECK_OK(tx->put(key, value));
  const auto scan = tx->scan();
  scan->seek_to_first();
  REQUIRE(scan->valid());
  const std::string_view seen_key = scan->key();
  const std::string_view seen_value = scan->value();
  CHECK_OK(tx->put(key, std::string(value.size(), '#')));
  CHECK_OK(tx->remove(seen_key));
  CHECK_SAME(seen_key, key);
  CHECK_SAME(seen_value, value);
}

TEST_CASE("a scan outlives its transaction", "[3.4][task-5][core]") {
  STORY("Open a scan with own writes; commit, roll back, or let go; walk.");
  INVARIANT("optimistic.h: its iterators hold what they read");
  for (const End& end : kEnds) {
    INFO("end: " << end.how);
    Watched watched(store_of("ant=1 cat=3"));
    CHECK_OK(watched.tx->put("bee", "own"));
    auto scan = watched.tx->scan();
    end.end(watched.tx);
    CHECK_SAME(forward(*scan), "ant=1 bee=own cat=3");
    watched.tx.reset();
    CHECK_SAME(forward(*scan), "ant=1 bee=own cat=3");
    INFO("it cannot write any more, but its scan reads");
    CHECK_SAME(watched.held(), "snapshot");
    scan.reset();
    CHECK_SAME(watched.held(), "");
  }
}

TEST_CASE("under serializable every scan is watched", "[3.4][task-5][core]") {
  STORY("Scan [b, d) and all of it; walk the first; commit.");
  INVARIANT("I2 of optimistic.h: every scan is watched by the tracker");
  const auto store = store_of("ant=1 bee=2 dog=4");
  auto tracker = std::make_shared<ToldTracker>();
  const auto tx = begin(store, serializable(), tracker);
  CHECK_OK(tx->put("cat", "own"));
  const auto scan = tx->scan({.lower = "b", .upper = "d"});
  const auto other = tx->scan();
  CHECK_SAME(tracker->watched, Strings({"[b, d)", "[…, …)"}));
  // The merged iterator is watched, so that own rows are in its bounds, too.
  CHECK_SAME(forward(*scan), "bee=2 cat=own");
  CHECK_SAME(*tracker->moves, 3);
  CHECK_OK(tx->commit());
  // What was read until then, not what was read when the scan was opened.
  CHECK_SAME(intent_of(store).ranges,
             std::vector<ReadRange>({{"a", "a3", true}}));
  CHECK_SAME(reads_of(store), Strings());
}

TEST_CASE("without own writes a scan is watched as well",
          "[3.4][task-5][core]") {
  STORY("Scan before the first write; then put zoo and commit.");
  INVARIANT("I2 of optimistic.h: every scan");
  const auto store = store_of("ant=1 bee=2");
  auto tracker = std::make_shared<ToldTracker>();
  const auto tx = begin(store, serializable(), tracker);
  CHECK_SAME(forward(*tx->scan()), "ant=1 bee=2");
  CHECK_OK(tx->put("zoo", "own"));
  CHECK_OK(tx->commit());
  CHECK_SAME(intent_of(store).ranges,
             std::vector<ReadRange>({{"a", "a3", true}}));
}

TEST_CASE("nobody watches where nothing is validated", "[3.4][task-5][core]") {
  STORY("Scan under snapshot isolation, and read_only.");
  INVARIANT("I2 of optimistic.h: nothing is noted then");
  for (const Options& options : {snapshot_isolation(), read_only()}) {
    const auto store = store_of("ant=1 bee=2");
    const auto tx = begin(store, options, std::make_shared<NobodysTracker>());
    CHECK_SAME(forward(*tx->scan()), "ant=1 bee=2");
    if (!options.read_only) CHECK_OK(tx->put("cat", "3"));
    CHECK_OK(tx->commit());
  }
}

TEST_CASE("a scan of what cannot be read says so", "[3.4][task-5][core]") {
  STORY("The store cannot read bee; own writes lie on both sides of it.");
  INVARIANT("I4 of overlay.h");
  const auto store = store_of("bee=2");
  store->fail_reads_at("bee", {Code::corruption, "000007.sst"});
  const auto tx = begin(store);
  CHECK_OK(write(*tx, "ant=1 cat=3"));
  const auto scan = tx->scan();
  CHECK_SAME(forward(*scan), "");
  CHECK_ERROR(scan->status(), Code::corruption);
  store->close();
  const auto closed = tx->scan();
  CHECK_SAME(forward(*closed), "");
  CHECK_ERROR(closed->status(), Code::closed);
}

TEST_CASE("after its end a transaction does not scan", "[3.4][task-5][core]") {
  STORY("Commit, or roll back; then open a scan.");
  INVARIANT("I4 of optimistic.h: every call, naming how it ended");
  const auto store = store_of("ant=1");
  const auto committed = begin(store);
  CHECK_OK(committed->commit());
  const auto rolled_back = begin(store);
  CHECK_OK(rolled_back->put("bee", "own"));
  rolled_back->rollback();
  const std::size_t reads = store->reads();
  for (const auto& [tx, how] : {std::pair(committed.get(), "was committed"),
                                {rolled_back.get(), "was rolled back"}}) {
    const auto scan = tx->scan();
    REQUIRE((scan != nullptr));
    scan->seek_to_first();
    CHECK(!scan->valid());
    CHECK_ERROR(scan->status(), Code::invalid_argument);
    CHECK_SAME(message_of(scan->status()),
               std::string("the transaction is over: it ") + how);
  }
  CHECK_SAME(store->reads(), reads);
}

TEST_CASE("a transaction's scan may seek its own key", "[3.4][task-5][core]") {
  STORY("Seek key() with own writes and without.");
  INVARIANT("overlay.h: the target of a seek is copied");
  const auto store = store_of("ant=1 bee=2 cat=3");
  const auto tx = begin(store);
  for (int round = 0; round < 2; ++round) {
    const auto scan = tx->scan();
    scan->seek("b");
    REQUIRE(scan->valid());
    scan->seek(scan->key());
    REQUIRE_SAME(here(*scan), "bee=2");
    scan->next();
    REQUIRE_SAME(here(*scan), "cat=3");
    CHECK_OK(tx->put("dog", "own"));
  }
}

TEST_CASE("transactions do what a map does", "[3.4][task-5][core]") {
  STORY("Random reads, writes, scans and commits, others writing meanwhile.");
  INVARIANT("I1 of optimistic.h");
  SEEDED_RANDOM(random, 5);
  const auto store = store_of("");
  std::map<std::string, std::string> committed;
  const auto text = [](const std::map<std::string, std::string>& rows) {
    std::string result;
    for (const auto& [key, value] : rows)
      result += (result.empty() ? "" : " ") + word(key, value);
    return result;
  };
  for (std::size_t round = 0; round < scaled(100); ++round) {
    const auto tx = begin(store);
    std::map<std::string, std::string> mine = committed;
    std::map<std::string, std::optional<std::string>> written;
    const std::size_t calls = random.below(30);
    for (std::size_t i = 0; i < calls; ++i) {
      const std::string key = "k" + std::to_string(random.below(20));
      const std::string value = std::to_string(random.below(1000));
      switch (random.below(6)) {
        case 0:
        case 1:
          REQUIRE_OK(tx->put(key, value));
          mine[key] = value;
          written[key] = value;
          break;
        case 2:
          REQUIRE_OK(tx->remove(key));
          mine.erase(key);
          written[key] = std::nullopt;
          break;
        case 3:
          REQUIRE_SAME(ask(*tx, key), mine.contains(key) ? word(key, mine[key])
                                                         : key + " absent");
          break;
        case 4:
          REQUIRE_SAME(forward(*tx->scan()), text(mine));
          break;
        default:  // somebody else
          REQUIRE_OK(store->put(key, "other"));
          committed[key] = "other";
          break;
      }
    }
    if (random.one_in(4)) {
      tx->rollback();
    } else {
      REQUIRE_OK(tx->commit());
      for (const auto& [key, value] : written) {
        if (value) {
          committed[key] = *value;
        } else {
          committed.erase(key);
        }
      }
    }
    REQUIRE_SAME(all(store), text(committed));
  }
}

// Task 6: the overlay, backward.

TEST_CASE("the overlay that overlay.h draws, backward", "[3.4][task-6][gold]") {
  STORY("Own: bee=9, no dog, fox=7. Snapshot: bee=2 cat=3 dog=4 elk=5.");
  INVARIANT("I2 of overlay.h: backward, the last entry at or before");
  const auto scan = overlay("bee=9 dog fox=7", "bee=2 cat=3 dog=4 elk=5");
  CHECK_SAME(backward(*scan), "fox=7 elk=5 cat=3 bee=9");
  CHECK(!scan->valid());
  CHECK_OK(scan->status());
  CHECK_SAME(backward(*overlay("ant bee", "ant=1 bee=2 cat=3")), "cat=3");
  CHECK_SAME(backward(*overlay("bee cat", "ant=1 bee=2 cat=3")), "ant=1");
  CHECK_SAME(backward(*overlay("ant=1 bee=2", "")), "bee=2 ant=1");
  CHECK_SAME(backward(*overlay("ant", "ant=1")), "");
}

TEST_CASE("the walk may turn at every entry", "[3.4][task-6][gold]") {
  STORY("Five entries; at each one turn, step, turn back, step.");
  INVARIANT("I2 of overlay.h, in both directions");
  // Each neighbour of each kind: own, snapshot's, both; removals between.
  const std::string_view writes = "ant=o bee=o bit cat dog=o eel fox=o";
  const std::string_view rows = "ape=s bee=s cat=s cow=s dog=s emu=s gnu=s";
  const Rows expected =
      parse_rows("ant=o ape=s bee=o cow=s dog=o emu=s fox=o gnu=s");
  for (std::size_t i = 1; i + 1 < expected.size(); ++i) {
    const auto scan = overlay(writes, rows);
    const auto at = [&](std::size_t k) {
      return word(expected[k].first, expected[k].second);
    };
    REQUIRE_SAME(
        walk(*scan, "seek " + expected[i].first + ", prev, next, next, prev"),
        at(i) + ", " + at(i - 1) + ", " + at(i) + ", " + at(i + 1) + ", " +
            at(i));
  }
}

TEST_CASE("the walk may turn at the first and the last entry",
          "[3.4][task-6][gold]") {
  STORY("Own: cat. Snapshot: ant, eel. Turn where one side has run out.");
  INVARIANT("I2 of overlay.h: a side without an entry comes in again");
  const auto scan = overlay("cat=o", "ant=s eel=s");
  // At eel own has run out; at the inner one's, the snapshot.
  CHECK_SAME(walk(*scan, "seek cat, next, prev, prev, next"),
             "cat=o, eel=s, cat=o, ant=s, cat=o");
  const auto inner = overlay("ant=o eel=o", "cat=s");
  CHECK_SAME(walk(*inner, "seek cat, next, prev, prev, next"),
             "cat=s, eel=o, cat=s, ant=o, cat=s");
}

TEST_CASE("bounds hold backward", "[3.4][task-6][gold]") {
  STORY("Own: ant, cat, eel. Snapshot: bee, dog. Scan from b to eel.");
  INVARIANT("I3 of overlay.h");
  const auto scan = overlay("ant=1 cat=3 eel=5", "bee=2 dog=4",
                            {.lower = "b", .upper = "eel"});
  CHECK_SAME(backward(*scan), "dog=4 cat=3 bee=2");
  REQUIRE_SAME(walk(*scan, "seek ant"), "bee=2");
  CHECK_SAME(walk(*scan, "prev, last, next"), "(nothing), dog=4, (nothing)");
}

TEST_CASE("an error while turning ends the overlay", "[3.4][task-6][gold]") {
  STORY("Own: cat, eel. The snapshot's bee, before cat, cannot be read.");
  INVARIANT("I4 of overlay.h");
  auto below = std::make_unique<RowIterator>(parse_rows("ant=1 bee=2 dog=4"));
  below->fail_at("bee", {Code::io, "disk"});
  const auto scan =
      make_overlay_iterator(own("aaa=0 cat=3 eel=5"), std::move(below), {});
  CHECK_SAME(walk(*scan, "seek cat, prev"), "cat=3, (nothing)");
  CHECK_ERROR(scan->status(), Code::io);
  scan->seek_to_last();
  REQUIRE_SAME(here(*scan), "(nothing)");
}

TEST_CASE("an overlay walks both ways like any iterator",
          "[3.4][task-6][gold]") {
  STORY("Random sides and bounds over keys of up to two letters.");
  INVARIANT("I1 to I3 of overlay.h");
  SEEDED_RANDOM(random, 6);
  for (std::size_t i = 0; i < scaled(50); ++i) {
    const TwoSides sides = random_sides(random);
    const ScanRange range = random_range(random);
    INFO("case: " << show_case(sides, range));
    const auto scan = overlay(sides.writes, sides.rows, range);
    check_iterator_contract(*scan, laid_over(sides.rows, *sides.writes, range),
                            i);
  }
}

TEST_CASE("a transaction's scan walks both ways like any iterator",
          "[3.4][task-6][gold]") {
  STORY("Random rows and own writes; the scan that the transaction makes.");
  INVARIANT("I1 of optimistic.h");
  SEEDED_RANDOM(random, 7);
  for (std::size_t i = 0; i < scaled(30); ++i) {
    const TwoSides sides = random_sides(random);
    const ScanRange range = random_range(random);
    INFO("case: " << show_case(sides, range));
    const auto store = store_of("");
    for (const auto& [key, value] : sides.rows)
      REQUIRE_OK(store->put(key, value));
    const auto tx =
        begin(store, serializable(), std::make_shared<ToldTracker>());
    for (const auto& [key, one] : *sides.writes) {
      REQUIRE_OK(one.kind == Kind::put ? tx->put(key, one.value)
                                       : tx->remove(key));
    }
    const auto scan = tx->scan(range);
    tx->rollback();
    check_iterator_contract(*scan, laid_over(sides.rows, *sides.writes, range),
                            i);
  }
}

// Task 7: limits.

TEST_CASE("writes beyond max_bytes are refused", "[3.4][task-7][gold]") {
  STORY("Room for two rows of four bytes: put three.");
  INVARIANT("I5 of optimistic.h: a refused call has changed nothing");
  const auto store = store_of("ant=0");
  const auto tx = begin(store, serializable(2 * (4 + kNodeBytes)));
  CHECK_OK(write(*tx, "ant=1 bee=2"));
  const Result<void> third = tx->put("cat", "3");
  CHECK_ERROR(third, Code::invalid_argument);
  CHECK_ERROR(tx->put("bee", "22"), Code::invalid_argument);
  CHECK_ERROR(tx->remove("cat"), Code::invalid_argument);
  CHECK_SAME(forward(*tx->scan()), "ant=1 bee=2");
  CHECK_OK(tx->put("bee", "3"));  // in place of the other
  CHECK_OK(tx->remove("ant"));    // gives a byte back
  CHECK_OK(tx->put("bee", "22"));
  CHECK_OK(tx->commit());
  CHECK_SAME(all(store), "bee=22");
}

TEST_CASE("notes count as well", "[3.4][task-7][gold]") {
  STORY("Room for two notes of three letters: read three keys.");
  INVARIANT("I5 of optimistic.h: neither workspace nor notes");
  const auto store = store_of("ant=1 bee=2 cat=3");
  const auto tx = begin(store, serializable(2 * (3 + kNodeBytes)));
  CHECK_SAME(ask(*tx, "ant zoo"), "ant=1, zoo absent");
  const std::size_t reads = store->reads();
  std::string value = "untouched";
  CHECK_ERROR(tx->get("cat", value), Code::invalid_argument);
  CHECK_SAME(value, "untouched");
  CHECK_SAME(store->reads(), reads);
  CHECK_SAME(ask(*tx, "ant"), "ant=1");  // noted already
  CHECK_ERROR(tx->put("dog", ""), Code::invalid_argument);
}

TEST_CASE("a refused read is not noted", "[3.4][task-7][gold]") {
  STORY("Put ant; reading cat is refused, bee, which is shorter, is not.");
  INVARIANT("I5 of optimistic.h");
  const auto store = store_of("b=2 cat=3");
  const auto tx =
      begin(store, serializable((4 + kNodeBytes) + (1 + kNodeBytes)));
  CHECK_OK(tx->put("ant", "1"));
  CHECK_ERROR(tx->get("cat"), Code::invalid_argument);
  CHECK_SAME(ask(*tx, "b"), "b=2");
  CHECK_OK(tx->commit());
  CHECK_SAME(reads_of(store), Strings({"b"}));
}

TEST_CASE("what is not noted does not count", "[3.4][task-7][gold]") {
  STORY("Room for one row: read many keys under snapshot isolation.");
  INVARIANT("I2 of optimistic.h: nothing is noted then");
  const auto store = store_of("ant=1 bee=2 cat=3");
  Options options = snapshot_isolation();
  options.max_bytes = 4 + kNodeBytes;
  const auto tx = begin(store, options, std::make_shared<NobodysTracker>());
  CHECK_OK(tx->put("dog", "4"));
  for (const char* key : {"ant", "bee", "cat", "dog", "eel"})
    CHECK_OK(tx->get(key));
  CHECK_SAME(forward(*tx->scan()), "ant=1 bee=2 cat=3 dog=4");
  CHECK_OK(tx->commit());
}

TEST_CASE("an own write is read whatever the limit", "[3.4][task-7][gold]") {
  STORY("Room for one row: put ant, read ant, remove ant, read ant.");
  INVARIANT("I2 of optimistic.h: a key answered from the workspace is not");
  const auto store = store_of("ant=1");
  const auto tx = begin(store, serializable(4 + kNodeBytes));
  CHECK_OK(tx->put("ant", "o"));
  CHECK_SAME(ask(*tx, "ant"), "ant=o");
  CHECK_OK(tx->remove("ant"));
  CHECK_SAME(ask(*tx, "ant"), "ant absent");
}

TEST_CASE("the tracker's bytes count", "[3.4][task-7][gold]") {
  STORY("Scans have filled the room but for one byte; then wholly.");
  INVARIANT("I6 of optimistic.h: workspace, noted keys and tracker together");
  const auto store = store_of("ant=1");
  auto tracker = std::make_shared<ToldTracker>();
  const auto tx = begin(store, serializable(1000), tracker);
  tracker->bytes = 1000 - (4 + kNodeBytes) + 1;
  CHECK_ERROR(tx->put("bee", "2"), Code::invalid_argument);
  tracker->bytes -= 1;
  CHECK_OK(tx->put("bee", "2"));
  CHECK_ERROR(tx->get("ant"), Code::invalid_argument);
  CHECK_OK(tx->scan()->status());
}

TEST_CASE("beyond its limit a transaction does not commit",
          "[3.4][task-7][gold]") {
  STORY("An open scan takes the tracker beyond the limit; try every call.");
  INVARIANT("I6 of optimistic.h: nothing may grow any more, commit refuses");
  const auto store = store_of("ant=1");
  auto tracker = std::make_shared<ToldTracker>();
  const auto tx = begin(store, serializable(1000), tracker);
  CHECK_OK(tx->put("bee", "4444"));
  tracker->bytes = 1002 - (7 + kNodeBytes);  // two too many
  const auto scan = tx->scan();
  CHECK(!scan->valid());
  CHECK_ERROR(scan->status(), Code::invalid_argument);
  CHECK_ERROR(tx->put("bee", "55555"), Code::invalid_argument);
  CHECK_ERROR(tx->get("ant"), Code::invalid_argument);
  CHECK_SAME(ask(*tx, "bee"), "bee=4444");
  SECTION("commit refuses") {
    CHECK_ERROR(tx->commit(), Code::invalid_argument);
    CHECK_SAME(store->commits().size(), 1);
    CHECK_SAME(all(store), "ant=1");
    const Result<void> again = tx->put("bee", "");
    CHECK_ERROR(again, Code::invalid_argument);
    CHECK_SAME(message_of(again),
               "the transaction is over: it failed to commit");
  }
  SECTION("what shrinks is allowed, and may bring it back") {
    CHECK_OK(tx->put("bee", "5555"));  // does not grow
    CHECK_OK(tx->put("bee", "333"));   // still one too many
    CHECK_ERROR(tx->get("ant"), Code::invalid_argument);
    CHECK_OK(tx->put("bee", "22"));
    CHECK_OK(tx->commit());
    CHECK_SAME(all(store), "ant=1 bee=22");
  }
}

TEST_CASE("a reader beyond its limit ends well", "[3.4][task-7][gold]") {
  STORY("Scans fill the room; nothing was written; commit.");
  INVARIANT("I3 of optimistic.h: without writes the answer is success");
  const auto store = store_of("ant=1");
  auto tracker = std::make_shared<ToldTracker>();
  const auto tx = begin(store, serializable(100), tracker);
  tracker->bytes = 101;
  CHECK_ERROR(tx->put("bee", "2"), Code::invalid_argument);
  CHECK_OK(tx->commit());
}

}  // namespace lsm::test
