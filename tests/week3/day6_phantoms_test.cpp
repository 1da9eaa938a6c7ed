// Day 3.6, phantoms: ranges and their set (range_set.h), what a scan has read
// (watched_scan.h), and whom that refuses (phantoms.h). Ranges are written as
// on the page: "[a, c) [d, e] [k, end)".
#include "phantoms.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "conflicts.h"
#include "optimistic.h"
#include "range_set.h"
#include "support/catch.h"
#include "support/iterator_contract.h"
#include "support/model_store.h"
#include "support/random.h"
#include "support/teach.h"
#include "watched_scan.h"

namespace lsm::test {
namespace {

using Ranges = std::vector<ReadRange>;
using Keys = std::vector<std::string>;

constexpr std::size_t kRoomy = std::size_t{1} << 20;

// [lower, upper), [lower, upper] and [lower, end).
ReadRange half_open(std::string lower, std::string upper) {
  return {std::move(lower), std::move(upper), false};
}
ReadRange closed(std::string lower, std::string upper) {
  return {std::move(lower), std::move(upper), true};
}
ReadRange open_end(std::string lower) {
  return {std::move(lower), std::nullopt, false};
}

std::string text(const ReadRange& range) {
  return "[" + escape(range.lower) + ", " +
         (range.upper ? escape(*range.upper) : "end") +
         (range.upper_included ? "]" : ")");
}
std::string text(const Ranges& ranges) {
  std::string all;
  for (const ReadRange& range : ranges) {
    all += (all.empty() ? "" : " ") + text(range);
  }
  return all;
}
std::string text(const RangeSet& set) {
  return text(set.ranges());
}

// In the words of commit_intent.h, without a line of today's room.
bool holds(const ReadRange& range, std::string_view key) {
  if (key < range.lower) return false;
  if (!range.upper) return true;
  return key < *range.upper || (range.upper_included && key == *range.upper);
}
bool holds(const Ranges& ranges, std::string_view key) {
  return std::ranges::any_of(
      ranges, [key](const ReadRange& range) { return holds(range, key); });
}

// Every string of up to `length` letters of `alphabet`, in order.
Keys all_keys(std::string_view alphabet, std::size_t length) {
  std::set<std::string, std::less<>> keys = {""};
  for (std::size_t n = 0; n < length; ++n) {
    for (const std::string& key : std::vector(keys.begin(), keys.end())) {
      for (const char c : alphabet)
        keys.insert(key + c);
    }
  }
  return {keys.begin(), keys.end()};
}

// A scan of `rows` (keys; the values do not matter), watched.
class Scan {
 public:
  explicit Scan(const Keys& keys, ScanRange bounds = {},
                std::shared_ptr<ScanTracker> tracker = make_scan_tracker())
      : tracker_(std::move(tracker)) {
    std::vector<Row> rows;
    for (const std::string& key : keys) {
      if (bounds.lower && key < *bounds.lower) continue;
      if (bounds.upper && key >= *bounds.upper) continue;
      rows.emplace_back(key, "value of " + key);
    }
    auto inner = std::make_unique<RowIterator>(std::move(rows), nullptr,
                                               RowIterator::Target::read_last);
    rows_ = inner.get();
    scan_ = tracker_->watch(std::move(inner), bounds);
  }

  UserIterator* operator->() { return scan_.get(); }
  UserIterator& operator*() { return *scan_; }
  std::string read() const { return text(tracker_->ranges()); }
  ScanTracker& tracker() { return *tracker_; }
  void fail_at(std::string key) {
    rows_->fail_at(std::move(key), {Code::io, "the disk is gone"});
  }
  void close() { scan_.reset(); }

 private:
  std::shared_ptr<ScanTracker> tracker_;
  RowIterator* rows_ = nullptr;
  std::unique_ptr<UserIterator> scan_;
};

const Keys kStore = {"b", "d", "k", "p"};

// Answers as it is told, and notes what it was asked and told.
class Points final : public CommitCheck {
 public:
  Result<void> check(const WriteRequest&) override {
    ++asked;
    return answer;
  }
  void committed(const WriteRequest& request) override {
    told.push_back(&request);
  }
  Result<void> answer;
  int asked = 0;
  std::vector<const WriteRequest*> told;
};

// The records and the checks of a store, told of commits one by one.
class Desk {
 public:
  explicit Desk(Sequence oldest_open)
      : commits_(
            std::make_shared<RecentCommits>([this] { return open_; }, kRoomy)),
        check_(std::make_unique<ConflictCheck>(commits_), commits_),
        open_(oldest_open) {}

  // `key` was committed at `sequence`.
  void committed(std::string_view key, Sequence sequence,
                 Kind kind = Kind::put) {
    const WriteOp op{kind, key, kind == Kind::put ? "value" : ""};
    WriteRequest request;
    request.ops = {&op, 1};
    request.first_sequence = sequence;
    check_.committed(request);
  }
  Result<void> check(const CommitIntent* intent) {
    const WriteOp op{Kind::put, "somewhere else", "value"};
    WriteRequest request;
    request.ops = {&op, 1};
    request.intent = intent;
    return check_.check(request);
  }
  // Whether a transaction at `snapshot` that scanned `ranges` may commit.
  Result<void> check(Sequence snapshot, Ranges ranges,
                     Isolation isolation = Isolation::serializable) {
    CommitIntent intent;
    intent.snapshot = snapshot;
    intent.isolation = isolation;
    intent.ranges = std::move(ranges);
    return check(&intent);
  }
  void nobody_is_open() { open_.reset(); }

 private:
  std::shared_ptr<RecentCommits> commits_;
  PhantomCheck check_;
  std::optional<Sequence> open_;
};

// Transactions of room 3.4 over the model of a store, with today's check.
class Hospital {
 public:
  std::unique_ptr<Transaction> begin(
      Isolation isolation = Isolation::serializable) {
    const Sequence at = store->visible();
    open_.insert(at);
    std::shared_ptr<const void> pin(
        this, [this, at](const void*) { open_.erase(open_.find(at)); });
    TransactionOptions options;
    options.isolation = isolation;
    std::shared_ptr<ScanTracker> tracker = std::make_shared<NoTracker>();
    if (isolation == Isolation::serializable) tracker = make_scan_tracker();
    return make_transaction({store, store->snapshot(at), std::move(tracker),
                             options, std::move(pin)});
  }

 private:
  std::optional<Sequence> oldest() const {
    if (open_.empty()) return std::nullopt;
    return *open_.begin();
  }
  std::multiset<Sequence> open_;
  const std::shared_ptr<RecentCommits> commits_ =
      std::make_shared<RecentCommits>([this] { return oldest(); }, kRoomy);
  PhantomCheck check_{std::make_unique<ConflictCheck>(commits_), commits_};

 public:
  const std::shared_ptr<ModelStore> store =
      std::make_shared<ModelStore>(&check_);
};

// The sum of all values from `lower` up to `upper`, and how many there are.
std::pair<int, int> sum(UserIterator& scan) {
  int total = 0;
  int count = 0;
  for (scan.seek_to_first(); scan.valid(); scan.next()) {
    total += std::stoi(std::string(scan.value()));
    ++count;
  }
  return {total, count};
}

std::string message(const Result<void>& result) {
  return result ? "success" : result.error().message;
}
bool says(const Result<void>& result, std::string_view words) {
  return message(result).find(words) != std::string::npos;
}

}  // namespace

// Task 1: a range.

TEST_CASE("an upper bound is excluded unless it says otherwise",
          "[3.6][task-1][core]") {
  STORY("[b, d), [b, d] and [b, end), asked about keys around d.");
  INVARIANT("ends_before: neither the key nor a larger one is in the range");
  CHECK_SAME(ends_before(half_open("b", "d"), "c"), false);
  CHECK_SAME(ends_before(half_open("b", "d"), "cz"), false);
  CHECK_SAME(ends_before(half_open("b", "d"), "d"), true);
  CHECK_SAME(ends_before(half_open("b", "d"), "da"), true);
  CHECK_SAME(ends_before(closed("b", "d"), "d"), false);
  CHECK_SAME(ends_before(closed("b", "d"), std::string("d\0", 2)), true);
  CHECK_SAME(ends_before(closed("b", "d"), "e"), true);
  CHECK_SAME(ends_before(open_end("b"), "d"), false);
  CHECK_SAME(ends_before(open_end("b"), "\xff\xff\xff"), false);
}

TEST_CASE("a range does not end before what lies below it",
          "[3.6][task-1][core]") {
  STORY("[b, d), asked about a and the empty key.");
  INVARIANT("ends_before looks at the upper bound alone");
  CHECK_SAME(ends_before(half_open("b", "d"), "a"), false);
  CHECK_SAME(ends_before(half_open("b", "d"), ""), false);
}

TEST_CASE("bounds compare as unsigned bytes", "[3.6][task-1][core]") {
  STORY("[a, \\x80), asked about \\x7f, \\x80 and \\xff.");
  INVARIANT("I1 of base/key.h: user keys ascend as unsigned bytes");
  CHECK_SAME(ends_before(half_open("a", "\x80"), "\x7f"), false);
  CHECK_SAME(ends_before(half_open("a", "\x80"), "\x80"), true);
  CHECK_SAME(ends_before(half_open("a", "\x80"), "\xff"), true);
}

TEST_CASE("some ranges hold no key", "[3.6][task-1][core]") {
  STORY("Ranges with equal bounds, with reversed ones, and with empty keys.");
  INVARIANT("is_empty: no key is in it");
  CHECK_SAME(is_empty(half_open("b", "b")), true);
  CHECK_SAME(is_empty(closed("b", "b")), false);
  CHECK_SAME(is_empty(half_open("b", std::string("b\0", 2))), false);
  CHECK_SAME(is_empty(half_open("c", "b")), true);
  CHECK_SAME(is_empty(closed("c", "b")), true);
  CHECK_SAME(is_empty(open_end("b")), false);
  CHECK_SAME(is_empty(open_end("")), false);
  CHECK_SAME(is_empty(half_open("", "")), true);
  CHECK_SAME(is_empty(closed("", "")), false);
}

// Task 2: a set of ranges.

TEST_CASE("the set that range_set.h draws", "[3.6][task-2][core]") {
  STORY("Six ranges, added one after the other.");
  INVARIANT("I2 of range_set.h: no two overlap or touch");
  RangeSet set;
  set.add(half_open("c", "f"));
  set.add(closed("m", "m"));
  CHECK_SAME(text(set), "[c, f) [m, m]");
  set.add(half_open("f", "h"));
  CHECK_SAME(text(set), "[c, h) [m, m]");
  set.add(closed("a", "b"));
  CHECK_SAME(text(set), "[a, b] [c, h) [m, m]");
  set.add(half_open(std::string("b\0", 2), "c"));
  CHECK_SAME(text(set), "[a, h) [m, m]");
  set.add(open_end("k"));
  CHECK_SAME(text(set), "[a, h) [k, end)");
  CHECK_SAME(set.size(), 2);
}

TEST_CASE("ranges with a key between them stay apart", "[3.6][task-2][core]") {
  STORY("[a, b) and what begins at the next key, or at the one after it.");
  INVARIANT("I2 of range_set.h: between two of them a key was not read");
  const std::string after_b("b\0", 2);
  RangeSet out;
  out.add(half_open("a", "b"));
  out.add(half_open(after_b, "c"));
  INFO("b itself is in neither");
  CHECK_SAME(text(out), "[a, b) [b\\x00, c)");
  RangeSet in;
  in.add(closed("a", "b"));
  in.add(half_open("b\x01", "c"));
  INFO("b\\x00 is in neither");
  CHECK_SAME(text(in), "[a, b] [b\\x01, c)");
  RangeSet far;
  far.add(closed("a", "b"));
  far.add(half_open(std::string("c\0", 2), "d"));
  CHECK_SAME(text(far), "[a, b] [c\\x00, d)");
}

TEST_CASE("ranges that touch are one, in either order", "[3.6][task-2][core]") {
  STORY("[a, b) and [b, c), [a, b] and [b\\x00, c), added both ways.");
  INVARIANT("I2 of range_set.h: no two overlap or touch");
  const std::string after_b("b\0", 2);
  const std::array<std::array<ReadRange, 2>, 3> pairs = {{
      {half_open("a", "b"), half_open("b", "c")},
      {closed("a", "b"), half_open(after_b, "c")},
      {closed("a", "b"), half_open("b", "c")},
  }};
  for (const auto& [low, high] : pairs) {
    INFO(text(low) << " and " << text(high));
    RangeSet up;
    up.add(low);
    up.add(high);
    CHECK_SAME(text(up), "[a, c)");
    RangeSet down;
    down.add(high);
    down.add(low);
    CHECK_SAME(text(down), "[a, c)");
  }
}

TEST_CASE("ranges that overlap are one, to the longer end",
          "[3.6][task-2][core]") {
  STORY("Pairs of ranges, added both ways.");
  INVARIANT("I1 of range_set.h: exactly the keys that were in one");
  struct Line {
    ReadRange a, b;
    std::string_view expected;
  };
  const std::array lines = {
      Line{half_open("a", "d"), half_open("c", "f"), "[a, f)"},
      Line{half_open("a", "f"), half_open("c", "d"), "[a, f)"},
      Line{half_open("a", "f"), closed("c", "d"), "[a, f)"},
      Line{half_open("a", "c"), closed("a", "c"), "[a, c]"},
      Line{half_open("a", "c"), closed("b", "c"), "[a, c]"},
      Line{closed("a", "c"), half_open("b", "c"), "[a, c]"},
      Line{half_open("a", "c"), closed("c", "c"), "[a, c]"},
      Line{half_open("a", "c"), open_end("b"), "[a, end)"},
      Line{open_end("a"), half_open("b", "c"), "[a, end)"},
      Line{open_end("b"), half_open("a", "c"), "[a, end)"},
      Line{open_end("b"), open_end("a"), "[a, end)"},
      Line{open_end("b"), half_open("a", "b"), "[a, end)"},
  };
  for (const Line& line : lines) {
    INFO(text(line.a) << " and " << text(line.b));
    RangeSet up;
    up.add(line.a);
    up.add(line.b);
    CHECK_SAME(text(up), line.expected);
    RangeSet down;
    down.add(line.b);
    down.add(line.a);
    CHECK_SAME(text(down), line.expected);
  }
}

TEST_CASE("one range may swallow many", "[3.6][task-2][core]") {
  STORY("Five ranges far from each other; then [d, m), then [b, end).");
  INVARIANT("I2 of range_set.h: no two overlap or touch");
  RangeSet set;
  for (const char* key : {"z", "g", "a", "m", "d"})
    set.add(closed(key, key));
  CHECK_SAME(text(set), "[a, a] [d, d] [g, g] [m, m] [z, z]");
  set.add(half_open("d", "m"));
  CHECK_SAME(text(set), "[a, a] [d, m] [z, z]");
  set.add(open_end("b"));
  CHECK_SAME(text(set), "[a, a] [b, end)");
}

TEST_CASE("an empty range adds nothing", "[3.6][task-2][core]") {
  STORY(
      "Add [b, b) and [d, c) to nothing, and between [a, b) and [b\\x00, c).");
  INVARIANT("I1 of range_set.h: exactly the keys that were in one");
  RangeSet set;
  set.add(half_open("b", "b"));
  set.add(half_open("d", "c"));
  CHECK_SAME(text(set), "");
  CHECK_SAME(set.memory_bytes(), 0);
  set.add(half_open("a", "b"));
  set.add(half_open(std::string("b\0", 2), "c"));
  set.add(half_open("b", "b"));
  CHECK_SAME(text(set), "[a, b) [b\\x00, c)");
}

TEST_CASE("the empty key is a key", "[3.6][task-2][core]") {
  STORY("[, ] holds the empty key alone; the next key is \\x00.");
  INVARIANT("I2 of range_set.h: no two overlap or touch");
  RangeSet set;
  set.add(closed("", ""));
  CHECK_SAME(text(set), "[, ]");
  set.add(half_open("a", "b"));
  CHECK_SAME(text(set), "[, ] [a, b)");
  set.add(half_open(std::string("\0", 1), "a"));
  CHECK_SAME(text(set), "[, b)");
}

TEST_CASE("a set takes memory for the ranges that it has",
          "[3.6][task-2][core]") {
  STORY("Ranges with bounds of 1 and 40 bytes; then one that swallows both.");
  INVARIANT("memory_bytes() is that of the ranges there are");
  RangeSet set;
  set.add(half_open("a", "b"));
  CHECK_SAME(set.memory_bytes(), 2 + RangeSet::kRangeBytes);
  set.add(half_open("c", std::string(40, 'd')));
  CHECK_SAME(set.memory_bytes(), 43 + 2 * RangeSet::kRangeBytes);
  set.add(open_end("a"));
  CHECK_SAME(set.memory_bytes(), 1 + RangeSet::kRangeBytes);
}

TEST_CASE("the set agrees with a list of all ranges", "[3.6][task-2][core]") {
  STORY("Random ranges over keys of \\x00, a and b; every key is looked up.");
  INVARIANT("I1 and I2 of range_set.h");
  SEEDED_RANDOM(random, 362);
  const std::string_view alphabet("\0ab", 3);
  const Keys keys = all_keys(alphabet, 4);
  for (std::size_t round = 0; round < scaled(300); ++round) {
    RangeSet set;
    Ranges all;
    for (std::uint64_t n = random.between(1, 12); n > 0; --n) {
      ReadRange range{random.text(random.below(4), alphabet),
                      random.text(random.below(4), alphabet), random.one_in(2)};
      if (random.one_in(12)) range = open_end(range.lower);
      all.push_back(range);
      set.add(range);
    }
    INFO("round " << round << ": added " << text(all) << ", ranges "
                  << text(set));
    const Ranges ranges = set.ranges();
    for (const std::string& key : keys) {
      INFO("key " << quoted(key));
      REQUIRE_SAME(holds(ranges, key), holds(all, key));
    }
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < ranges.size(); ++i) {
      bytes += range_bytes(ranges[i]);
      if (i == 0) continue;
      // The first key behind the one is not in the other.
      const ReadRange& before = ranges[i - 1];
      REQUIRE_SAME(before.upper.has_value(), true);
      std::string gap = *before.upper;
      if (before.upper_included) gap += '\0';
      REQUIRE_SAME(gap < ranges[i].lower, true);
    }
    REQUIRE_SAME(set.memory_bytes(), bytes);
  }
}

// Task 3: what a scan reads, forward.

TEST_CASE("a scan that has not moved has read nothing", "[3.6][task-3][core]") {
  STORY("Open a scan of everything. Do not seek.");
  INVARIANT("I3 of watched_scan.h: nothing before the first seek");
  Scan scan(kStore);
  CHECK_SAME(scan->valid(), false);
  CHECK_SAME(scan.read(), "");
}

TEST_CASE("the scan that watched_scan.h draws", "[3.6][task-3][core]") {
  STORY("b, d and k, scanned from a to m: seek(c), next, next; seek_to_first.");
  INVARIANT("I1 and I2 of watched_scan.h: from the target to what it shows");
  Scan scan(kStore, {"a", "m"});
  scan->seek("c");
  CHECK_SAME(scan->key(), "d");
  CHECK_SAME(scan.read(), "[c, d]");
  scan->next();
  CHECK_SAME(scan.read(), "[c, k]");
  scan->next();
  CHECK_SAME(scan->valid(), false);
  CHECK_SAME(scan.read(), "[c, m)");
  scan->seek_to_first();
  CHECK_SAME(scan->key(), "b");
  CHECK_SAME(scan.read(), "[a, b] [c, m)");
  scan->next();
  CHECK_SAME(scan.read(), "[a, m)");
}

TEST_CASE("a seek that finds its target has read one key",
          "[3.6][task-3][core]") {
  STORY("seek(d) in b, d, k, p.");
  INVARIANT("I1 of watched_scan.h: [t, what it lands on]");
  Scan scan(kStore);
  scan->seek("d");
  CHECK_SAME(scan.read(), "[d, d]");
}

TEST_CASE("a seek that finds nothing has read to the bound",
          "[3.6][task-3][core]") {
  STORY("seek(l) in b, d, k, p: with the bounds [a, n), and without.");
  INVARIANT("I1 of watched_scan.h: to the upper bound if it lands nowhere");
  Scan bounded(kStore, {"a", "n"});
  bounded->seek("l");
  CHECK_SAME(bounded->valid(), false);
  CHECK_SAME(bounded.read(), "[l, n)");
  Scan all(kStore);
  all->seek("q");
  CHECK_SAME(all->valid(), false);
  CHECK_SAME(all.read(), "[q, end)");
}

TEST_CASE("a seek below the bounds has read from the lower one",
          "[3.6][task-3][core]") {
  STORY("b, d, k and p from c to n: seek(a), seek(the empty key).");
  INVARIANT("I3 of watched_scan.h: nothing beyond the scan's bounds");
  for (const std::string_view target : {"a", ""}) {
    Scan scan(kStore, {"c", "n"});
    scan->seek(target);
    CHECK_SAME(scan->key(), "d");
    CHECK_SAME(scan.read(), "[c, d]");
  }
}

TEST_CASE("a seek beyond the bounds has read nothing", "[3.6][task-3][core]") {
  STORY("b, d, k and p from c to n: seek(n), seek(z).");
  INVARIANT("I3 of watched_scan.h: nothing beyond the scan's bounds");
  for (const std::string_view target : {"n", "z"}) {
    Scan scan(kStore, {"c", "n"});
    scan->seek(target);
    CHECK_SAME(scan->valid(), false);
    CHECK_SAME(scan.read(), "");
  }
}

TEST_CASE("a whole scan has read to its bounds", "[3.6][task-3][core]") {
  STORY("Walk all of a store: without bounds, within [c, l), an empty one.");
  INVARIANT("I2 of watched_scan.h: to the bound if there is no second key");
  const auto walk = [](Scan& scan) {
    for (scan->seek_to_first(); scan->valid();)
      scan->next();
    return scan.read();
  };
  Scan all(kStore);
  CHECK_SAME(walk(all), "[, end)");
  Scan some(kStore, {"c", "l"});
  CHECK_SAME(walk(some), "[c, l)");
  Scan none({});
  CHECK_SAME(walk(none), "[, end)");
  Scan gap(kStore, {"e", "j"});
  INFO("nothing lies between e and j, and that was read");
  CHECK_SAME(walk(gap), "[e, j)");
}

TEST_CASE("a scan that stops early has read so far", "[3.6][task-3][core]") {
  STORY("The first two of b, d, k, p; nobody asks for the third.");
  INVARIANT("I2 of watched_scan.h: everything between the two keys");
  Scan scan(kStore);
  scan->seek_to_first();
  scan->next();
  CHECK_SAME(scan.read(), "[, d]");
}

TEST_CASE("what was read stays read", "[3.6][task-3][core]") {
  STORY("A scan reads [c, d] and dies; a second one reads [m, p].");
  INVARIANT("I5 of watched_scan.h: stays read when the iterator dies");
  const auto tracker = make_scan_tracker();
  {
    Scan first(kStore, {}, tracker);
    first->seek("c");
  }
  CHECK_SAME(text(tracker->ranges()), "[c, d]");
  Scan second(kStore, {}, tracker);
  second->seek("m");
  CHECK_SAME(text(tracker->ranges()), "[c, d] [m, p]");
  INFO("asking changes nothing");
  CHECK_SAME(text(tracker->ranges()), "[c, d] [m, p]");
  second->next();
  CHECK_SAME(text(tracker->ranges()), "[c, d] [m, end)");
}

TEST_CASE("two scans walk side by side", "[3.6][task-3][core]") {
  STORY("Two iterators of one tracker, moved in turn, meet at k.");
  INVARIANT("I1 of base/scan_tracker.h: everything that an iterator has shown");
  const auto tracker = make_scan_tracker();
  Scan low(kStore, {}, tracker);
  Scan high(kStore, {}, tracker);
  low->seek("a");
  high->seek("k");
  CHECK_SAME(text(tracker->ranges()), "[a, b] [k, k]");
  low->next();
  high->next();
  CHECK_SAME(text(tracker->ranges()), "[a, d] [k, p]");
  low->next();
  CHECK_SAME(text(tracker->ranges()), "[a, p]");
}

TEST_CASE("a scan may outlive its tracker", "[3.6][task-3][core]") {
  STORY("Open and seek a scan, drop the tracker, walk on.");
  INVARIANT("lifetime: a tracker and its iterators; any may die first");
  std::vector<Row> rows = {{"a", "1"}, {"b", "2"}};
  auto tracker = make_scan_tracker();
  const auto scan =
      tracker->watch(std::make_unique<RowIterator>(std::move(rows)), {});
  scan->seek("a");
  tracker.reset();
  scan->next();
  CHECK_SAME(scan->key(), "b");
  scan->seek("a");
  CHECK_SAME(scan->value(), "1");
}

TEST_CASE("the target of a seek may be the scan's own key",
          "[3.6][task-3][core]") {
  STORY("seek(b), next, then seek(key()), whose bytes die as it moves.");
  INVARIANT("lsm/transaction.h: a scan of a transaction is as that of Db");
  Scan scan({"b", "dog with a long name, not kept in place", "k"});
  scan->seek("b");
  scan->next();
  scan->seek(scan->key());
  REQUIRE_SAME(scan->valid(), true);
  CHECK_SAME(scan->key(), "dog with a long name, not kept in place");
}

TEST_CASE("a scan that fails has read to its bound", "[3.6][task-3][core]") {
  STORY("b, d, k, p from a to n; the disk fails at k: by a step, by a seek.");
  INVARIANT("I4 of watched_scan.h: who does not ask takes it for the end");
  Scan stepped(kStore, {"a", "n"});
  stepped.fail_at("k");
  stepped->seek("c");
  CHECK_SAME(stepped.read(), "[c, d]");
  stepped->next();
  CHECK_SAME(stepped->valid(), false);
  CHECK_ERROR(stepped->status(), Code::io);
  CHECK_SAME(stepped.read(), "[c, n)");
  Scan sought(kStore, {"a", "n"});
  sought.fail_at("k");
  sought->seek("e");
  CHECK_ERROR(sought->status(), Code::io);
  CHECK_SAME(sought.read(), "[e, n)");
}

// Task 4: a scan is a range, however long it is.

TEST_CASE("a long scan is one range", "[3.6][task-4][core]") {
  STORY("Walk 100,000 keys and look at the memory on the way.");
  INVARIANT("cost of range_set.h: a scan of a million keys is one range");
  Keys keys;
  for (std::size_t i = 0; i < scaled(100'000); ++i) {
    std::string digits = std::to_string(i);
    keys.push_back(std::string(8 - digits.size(), '0') + digits);
  }
  Scan scan(keys);
  std::size_t most = 0;
  for (scan->seek_to_first(); scan->valid(); scan->next()) {
    most = std::max(most, scan.tracker().memory_bytes());
  }
  CHECK_SAME(most <= 8 + RangeSet::kRangeBytes, true);
  CHECK_SAME(most > 0, true);
  CHECK_SAME(scan.read(), "[, end)");
}

TEST_CASE("a tracker counts what every scan has read", "[3.6][task-4][core]") {
  STORY("Two scans read [c, d] and [m, p]; the first one dies.");
  INVARIANT("memory_bytes() counts each range and its bounds");
  const auto tracker = make_scan_tracker();
  CHECK_SAME(tracker->memory_bytes(), 0);
  Scan first(kStore, {}, tracker);
  Scan second(kStore, {}, tracker);
  CHECK_SAME(tracker->memory_bytes(), 0);
  first->seek("c");
  CHECK_SAME(tracker->memory_bytes(), 2 + RangeSet::kRangeBytes);
  second->seek("m");
  CHECK_SAME(tracker->memory_bytes(), 4 + 2 * RangeSet::kRangeBytes);
  first.close();
  CHECK_SAME(tracker->memory_bytes(), 4 + 2 * RangeSet::kRangeBytes);
}

TEST_CASE("a watched scan moves as the one inside it", "[3.6][task-4][core]") {
  STORY("The contract of base/iterator.h, forward, over a watched scan.");
  std::vector<Row> rows;
  for (const std::string& key : all_keys("ab", 4))
    rows.emplace_back(key, key);
  const auto tracker = make_scan_tracker();
  const auto scan = tracker->watch(std::make_unique<RowIterator>(rows), {});
  check_iterator_contract(*scan, rows, 363, Directions::forward);
}

TEST_CASE("a thousand scans of one range cost as much as a few",
          "[3.6][task-4][core]") {
  STORY("Open a scan of [a, n), walk it, drop it; a thousand times.");
  INVARIANT("the walks that are over melt into one range");
  const auto tracker = make_scan_tracker();
  std::size_t most = 0;
  for (int i = 0; i < 1000; ++i) {
    Scan scan(kStore, {"a", "n"}, tracker);
    for (scan->seek_to_first(); scan->valid();)
      scan->next();
    most = std::max(most, tracker->memory_bytes());
  }
  CHECK_SAME(most <= 64 * (2 + RangeSet::kRangeBytes), true);
  CHECK_SAME(text(tracker->ranges()), "[a, n)");
}

TEST_CASE("a thousand seeks of one scan cost as much as a few",
          "[3.6][task-4][core]") {
  STORY("One scan seeks c and l in turn, a thousand times.");
  INVARIANT("the walks that are over melt into few ranges");
  Scan scan(kStore);
  std::size_t most = 0;
  for (int i = 0; i < 1000; ++i) {
    scan->seek(i % 2 == 0 ? "c" : "l");
    most = std::max(most, scan.tracker().memory_bytes());
  }
  CHECK_SAME(most <= 64 * (2 + RangeSet::kRangeBytes), true);
  CHECK_SAME(scan.read(), "[c, d] [l, p]");
}

TEST_CASE("scans that are open lose nothing when others are settled",
          "[3.6][task-4][core]") {
  STORY("One scan stands at d while a hundred others come and go.");
  INVARIANT("I1 of base/scan_tracker.h: every gap that it walked over");
  const auto tracker = make_scan_tracker();
  Scan stays(kStore, {}, tracker);
  stays->seek("c");
  for (int i = 0; i < 100; ++i) {
    Scan scan(kStore, {}, tracker);
    scan->seek("p");
  }
  CHECK_SAME(text(tracker->ranges()), "[c, d] [p, p]");
  stays->next();
  CHECK_SAME(text(tracker->ranges()), "[c, k] [p, p]");
}

TEST_CASE("ranges that cannot be one cost memory each", "[3.6][task-4][core]") {
  STORY("Seek two hundred keys that are far from each other.");
  INVARIANT("memory_bytes() counts each range: max_bytes depends on it");
  Keys keys;
  for (int i = 100; i < 300; ++i)
    keys.push_back(std::to_string(i));
  Scan scan(keys);
  for (const std::string& key : keys)
    scan->seek(key);
  CHECK_SAME(scan.tracker().ranges().size(), 200);
  CHECK_SAME(scan.tracker().memory_bytes(), 200 * (6 + RangeSet::kRangeBytes));
}

// Task 5: the check.

TEST_CASE("the smallest phantom", "[3.6][task-5][core]") {
  STORY("T at 8 scans [b, d) and finds nothing; c is committed at 9.");
  INVARIANT("I1 of phantoms.h: no key in any range after the snapshot");
  Desk desk(8);
  desk.committed("c", 9);
  const Result<void> lost = desk.check(8, {half_open("b", "d")});
  CHECK_ERROR(lost, Code::conflict);
  INFO("message: " << message(lost));
  CHECK_SAME(says(lost, "\"c\""), true);
}

TEST_CASE("what lies outside of every range is no conflict",
          "[3.6][task-5][core]") {
  STORY("T at 8 scanned [b, d) and [k, m); a, d, j, m and z are committed.");
  INVARIANT("I1 of phantoms.h: no key IN any of the ranges");
  Desk desk(8);
  Sequence next = 9;
  for (const char* key : {"a", "d", "j", "m", "z"}) {
    desk.committed(key, next++);
  }
  CHECK_OK(desk.check(8, {half_open("b", "d"), half_open("k", "m")}));
}

TEST_CASE("bounds are in or out as they say", "[3.6][task-5][core]") {
  STORY("One key is committed at 9, and one range was scanned at 8.");
  INVARIANT("I1 of phantoms.h: lower included, upper as it says");
  struct Line {
    std::string key;
    ReadRange range;
    bool commits;
  };
  const std::string after_d("d\0", 2);
  const std::array lines = {
      Line{"b", half_open("b", "d"), false},
      Line{"az", half_open("b", "d"), true},
      Line{"cz", half_open("b", "d"), false},
      Line{"d", half_open("b", "d"), true},
      Line{"d", closed("b", "d"), false},
      Line{after_d, closed("b", "d"), true},
      Line{"d", closed("d", "d"), false},
      Line{"zzz", open_end("b"), false},
      Line{"a", open_end("b"), true},
      Line{"", half_open("", "a"), false},
      Line{"", closed("", ""), false},
      Line{"", half_open(std::string("\0", 1), "a"), true},
      Line{"\xff", half_open("a", "\x80"), true},
      Line{"\xff", open_end("a"), false},
  };
  for (const Line& line : lines) {
    Desk desk(8);
    desk.committed(line.key, 9);
    INFO("committed " << quoted(line.key) << ", scanned " << text(line.range));
    CHECK_SAME(desk.check(8, {line.range}).has_value(), line.commits);
  }
}

TEST_CASE("what the snapshot has seen is no phantom", "[3.6][task-5][core]") {
  STORY("Old is open at 8, c is committed at 9, young begins at 9.");
  INVARIANT("I1 of phantoms.h: committed AFTER intent->snapshot");
  Desk desk(8);
  desk.committed("c", 9);
  CHECK_OK(desk.check(9, {half_open("b", "d")}));
  CHECK_ERROR(desk.check(8, {half_open("b", "d")}), Code::conflict);
}

TEST_CASE("an old key in front does not hide a new one behind",
          "[3.6][task-5][core]") {
  STORY("b at 9 and c at 11, and T that scanned [a, d) at 10.");
  INVARIANT("I1 of phantoms.h: no KEY in the range, not only the first");
  Desk desk(8);
  desk.committed("b", 9);
  desk.committed("c", 11);
  CHECK_ERROR(desk.check(10, {half_open("a", "d")}), Code::conflict);
}

TEST_CASE("every range counts", "[3.6][task-5][core]") {
  STORY("T scanned [a, b), [e, f) and [k, end); one key in one of them.");
  INVARIANT("I1 of phantoms.h: no key in ANY of intent->ranges");
  for (const char* key : {"a", "e", "x"}) {
    Desk desk(8);
    desk.committed(key, 9);
    INFO("committed: " << key);
    CHECK_ERROR(desk.check(8, {half_open("a", "b"), half_open("e", "f"),
                               open_end("k")}),
                Code::conflict);
  }
}

TEST_CASE("what disappears from a range is a phantom as well",
          "[3.6][task-5][core]") {
  STORY("T at 8 scanned [b, d); c is removed at 9.");
  INVARIANT("I1 of phantoms.h: put or removed");
  Desk desk(8);
  desk.committed("c", 9, Kind::remove);
  CHECK_ERROR(desk.check(8, {half_open("b", "d")}), Code::conflict);
}

TEST_CASE("an empty range holds no phantom", "[3.6][task-5][core]") {
  STORY("c is committed at 9; the intent says [c, c) and [d, b).");
  INVARIANT("I1 of phantoms.h: no key in the range");
  Desk desk(8);
  desk.committed("c", 9);
  CHECK_OK(desk.check(8, {half_open("c", "c"), half_open("d", "b")}));
}

TEST_CASE("under snapshot isolation ranges are not asked about",
          "[3.6][task-5][core]") {
  STORY("c is committed at 9; T scanned [b, d) at 8, under snapshot.");
  INVARIANT("I3 of phantoms.h: under Isolation::snapshot only the points");
  Desk desk(8);
  desk.committed("c", 9);
  CHECK_OK(desk.check(8, {half_open("b", "d")}, Isolation::snapshot));
}

TEST_CASE("plain writes pass", "[3.6][task-5][core]") {
  STORY("c is committed at 9, then a write comes that read nothing.");
  INVARIANT("I3 of phantoms.h: without intent only the points count");
  Desk desk(8);
  desk.committed("c", 9);
  CHECK_OK(desk.check(nullptr));
}

TEST_CASE("the points are asked first, and told of every commit",
          "[3.6][task-5][core]") {
  STORY("A check of points that refuses, then one that does not.");
  INVARIANT("I2 of phantoms.h: what the points' check refuses stays refused");
  const auto commits = std::make_shared<RecentCommits>(
      [] { return std::optional<Sequence>(8); }, kRoomy);
  auto owned = std::make_unique<Points>();
  Points& points = *owned;
  PhantomCheck check(std::move(owned), commits);
  CommitIntent intent;
  intent.snapshot = 8;
  intent.ranges = {open_end("")};
  WriteRequest request;
  request.intent = &intent;
  points.answer = fail(Code::conflict, "a point in the way");
  const Result<void> refused = check.check(request);
  CHECK_SAME(message(refused), "a point in the way");
  points.answer = {};
  CHECK_OK(check.check(request));
  CHECK_SAME(points.asked, 2);
  check.committed(request);
  REQUIRE_SAME(points.told.size(), 1);
  CHECK_SAME(points.told.front() == &request, true);
}

TEST_CASE("who began before the records never comes to the ranges",
          "[3.6][task-5][core]") {
  STORY("Nobody is open while 9 is written; T scanned [x, z) at 8.");
  INVARIANT("I2 of phantoms.h: a check refuses when it does not know");
  Desk desk(8);
  desk.nobody_is_open();
  desk.committed("c", 9);
  CHECK_ERROR(desk.check(8, {half_open("x", "z")}), Code::conflict);
}

TEST_CASE("reads of keys count beside the ranges", "[3.6][task-5][core]") {
  STORY("T at 8 read ant and scanned [b, d); ant is committed at 9.");
  INVARIANT("I2 of phantoms.h: the points are asked first");
  Desk desk(8);
  desk.committed("ant", 9);
  CommitIntent intent;
  intent.snapshot = 8;
  intent.reads.insert("ant");
  intent.ranges = {half_open("b", "d")};
  CHECK_ERROR(desk.check(&intent), Code::conflict);
}

TEST_CASE("the message names key and range", "[3.6][task-5][core]") {
  STORY("k\\x00 is committed at 9; T at 8 scanned [k, end).");
  INVARIANT("base/error.h: words a person can act on");
  Desk desk(8);
  desk.committed(std::string_view("k\0", 2), 9);
  const Result<void> lost = desk.check(8, {open_end("k")});
  CHECK_ERROR(lost, Code::conflict);
  INFO("message: " << message(lost));
  CHECK_SAME(says(lost, "k\\x00"), true);
  CHECK_SAME(says(lost, "[\"k\", end)"), true);
}

TEST_CASE("one doctor stays on call", "[3.6][task-5][core]") {
  STORY("ann and bob are on call. Each counts two, and signs off.");
  INVARIANT("I1 of phantoms.h: the ranges that were counted are unchanged");
  Hospital hospital;
  REQUIRE_OK(hospital.store->put("on call/ann", "1"));
  REQUIRE_OK(hospital.store->put("on call/bob", "1"));
  const auto ann = hospital.begin();
  const auto bob = hospital.begin();
  CHECK_SAME(sum(*ann->scan({"on call/", "on call0"})).second, 2);
  CHECK_SAME(sum(*bob->scan({"on call/", "on call0"})).second, 2);
  REQUIRE_OK(ann->remove("on call/ann"));
  REQUIRE_OK(bob->remove("on call/bob"));
  CHECK_OK(ann->commit());
  CHECK_ERROR(bob->commit(), Code::conflict);
  CHECK_SAME(hospital.store->rows().size(), 1);
}

TEST_CASE("two that see nobody do not both begin", "[3.6][task-5][core]") {
  STORY("Nobody is on call. ann and bob count none, and both sign on.");
  INVARIANT("I1 of phantoms.h: a key that was not there has no key to note");
  Hospital hospital;
  const auto ann = hospital.begin();
  const auto bob = hospital.begin();
  CHECK_SAME(sum(*ann->scan({"on call/", "on call0"})).second, 0);
  CHECK_SAME(sum(*bob->scan({"on call/", "on call0"})).second, 0);
  REQUIRE_OK(ann->put("on call/ann", "1"));
  REQUIRE_OK(bob->put("on call/bob", "1"));
  CHECK_OK(ann->commit());
  CHECK_ERROR(bob->commit(), Code::conflict);
}

TEST_CASE("under snapshot isolation both doctors leave",
          "[3.6][task-5][core]") {
  STORY("The same two, under snapshot isolation.");
  INVARIANT("I3 of phantoms.h: only the points count");
  Hospital hospital;
  REQUIRE_OK(hospital.store->put("on call/ann", "1"));
  REQUIRE_OK(hospital.store->put("on call/bob", "1"));
  const auto ann = hospital.begin(Isolation::snapshot);
  const auto bob = hospital.begin(Isolation::snapshot);
  CHECK_SAME(sum(*ann->scan({"on call/", "on call0"})).second, 2);
  CHECK_SAME(sum(*bob->scan({"on call/", "on call0"})).second, 2);
  REQUIRE_OK(ann->remove("on call/ann"));
  REQUIRE_OK(bob->remove("on call/bob"));
  CHECK_OK(ann->commit());
  CHECK_OK(bob->commit());
  CHECK_SAME(hospital.store->rows().size(), 0);
}

TEST_CASE("sums of two ranges that are put into each other",
          "[3.6][task-5][core]") {
  STORY("a/ holds 10 and 20, b/ 100 and 200. T1 puts the sum of a/ into b/.");
  INVARIANT("I1 of phantoms.h: no serial order gives both old sums");
  Hospital hospital;
  REQUIRE_OK(hospital.store->put("a/1", "10"));
  REQUIRE_OK(hospital.store->put("a/2", "20"));
  REQUIRE_OK(hospital.store->put("b/1", "100"));
  REQUIRE_OK(hospital.store->put("b/2", "200"));
  const auto t1 = hospital.begin();
  const auto t2 = hospital.begin();
  const int of_a = sum(*t1->scan({"a/", "a0"})).first;
  const int of_b = sum(*t2->scan({"b/", "b0"})).first;
  CHECK_SAME(of_a, 30);
  CHECK_SAME(of_b, 300);
  REQUIRE_OK(t1->put("b/3", std::to_string(of_a)));
  REQUIRE_OK(t2->put("a/3", std::to_string(of_b)));
  CHECK_OK(t1->commit());
  CHECK_ERROR(t2->commit(), Code::conflict);
  const auto again = hospital.begin();
  const int now = sum(*again->scan({"b/", "b0"})).first;
  CHECK_SAME(now, 330);
  REQUIRE_OK(again->put("a/3", std::to_string(now)));
  CHECK_OK(again->commit());
}

TEST_CASE("a transaction's own writes are no phantoms", "[3.6][task-5][core]") {
  STORY("T scans [a, z), puts into it, scans again, removes, commits.");
  INVARIANT("I1 of phantoms.h: committed by ANOTHER after the snapshot");
  Hospital hospital;
  REQUIRE_OK(hospital.store->put("k", "1"));
  const auto tx = hospital.begin();
  CHECK_SAME(sum(*tx->scan({"a", "z"})).first, 1);
  REQUIRE_OK(tx->put("b", "5"));
  CHECK_SAME(sum(*tx->scan({"a", "z"})).first, 6);
  REQUIRE_OK(tx->remove("k"));
  CHECK_OK(tx->commit());
}

TEST_CASE("who asks for the first two does not care for the fifth",
          "[3.6][task-5][core]") {
  STORY("T takes the first two jobs of a queue; a job is added at its end.");
  INVARIANT("I1 of watched_scan.h: only as far as it went");
  Hospital hospital;
  REQUIRE_OK(hospital.store->put("job/1", "1"));
  REQUIRE_OK(hospital.store->put("job/2", "1"));
  REQUIRE_OK(hospital.store->put("job/3", "1"));
  const auto tx = hospital.begin();
  const auto jobs = tx->scan({"job/", "job0"});
  jobs->seek_to_first();
  jobs->next();
  REQUIRE_OK(tx->remove("job/1"));
  REQUIRE_OK(tx->remove("job/2"));
  REQUIRE_OK(hospital.store->put("job/4", "1"));
  CHECK_OK(tx->commit());
}

TEST_CASE("the check agrees with a look at every commit",
          "[3.6][task-5][core]") {
  STORY("Random commits, and random ranges at every snapshot there is.");
  INVARIANT("I1 of phantoms.h: those refusals, and no others");
  SEEDED_RANDOM(random, 365);
  const std::string_view alphabet("\0ab", 3);
  for (std::size_t round = 0; round < scaled(200); ++round) {
    constexpr Sequence kOldest = 100;
    Desk desk(kOldest);
    std::vector<std::pair<std::string, Sequence>> all;
    for (Sequence at = kOldest + 1; at <= kOldest + 12; ++at) {
      all.emplace_back(random.text(random.below(4), alphabet), at);
      desk.committed(all.back().first, at,
                     random.one_in(3) ? Kind::remove : Kind::put);
    }
    for (Sequence at = kOldest; at <= kOldest + 12; ++at) {
      RangeSet set;
      for (std::uint64_t n = random.below(3); n > 0; --n) {
        ReadRange range{random.text(random.below(4), alphabet),
                        random.text(random.below(4), alphabet),
                        random.one_in(2)};
        if (random.one_in(20)) range.upper.reset();
        set.add(std::move(range));
      }
      const Ranges ranges = set.ranges();
      const bool loses = std::ranges::any_of(all, [&](const auto& commit) {
        return commit.second > at && holds(ranges, commit.first);
      });
      INFO("round " << round << ": at " << at << ", scanned " << text(ranges));
      REQUIRE_SAME(desk.check(at, ranges).has_value(), !loses);
    }
  }
}

// Task 6: backward.

TEST_CASE("from the end a scan has read from its last key on",
          "[3.6][task-6][gold]") {
  STORY("b, d, k and p, within [a, n) and without bounds: seek_to_last.");
  INVARIANT("I1 of watched_scan.h: [what it lands on, the upper bound]");
  Scan bounded(kStore, {"a", "n"});
  bounded->seek_to_last();
  CHECK_SAME(bounded->key(), "k");
  CHECK_SAME(bounded.read(), "[k, n)");
  bounded->prev();
  CHECK_SAME(bounded.read(), "[d, n)");
  Scan all(kStore);
  all->seek_to_last();
  CHECK_SAME(all.read(), "[p, end)");
  all->next();
  CHECK_SAME(all.read(), "[p, end)");
}

TEST_CASE("off the front a scan has read to its lower bound",
          "[3.6][task-6][gold]") {
  STORY("Walk b, d, k, p backward: within [a, n), within [c, n), unbounded.");
  INVARIANT("I2 of watched_scan.h: to the bound if there is no second key");
  const auto walk = [](Scan& scan) {
    for (scan->seek_to_last(); scan->valid();)
      scan->prev();
    return scan.read();
  };
  Scan some(kStore, {"a", "n"});
  CHECK_SAME(walk(some), "[a, n)");
  Scan fewer(kStore, {"c", "n"});
  CHECK_SAME(walk(fewer), "[c, n)");
  Scan all(kStore);
  CHECK_SAME(walk(all), "[, end)");
  Scan upper(kStore, {std::nullopt, "n"});
  CHECK_SAME(walk(upper), "[, n)");
  Scan none({});
  CHECK_SAME(walk(none), "[, end)");
  Scan gap(kStore, {"e", "j"});
  CHECK_SAME(walk(gap), "[e, j)");
}

TEST_CASE("turning around changes nothing", "[3.6][task-6][gold]") {
  STORY("seek(c) on d; next, prev, prev, next, prev, prev, off the front.");
  INVARIANT("I2 of watched_scan.h: one range, that grows at both ends");
  Scan scan(kStore, {"a", "z"});
  scan->seek("c");
  CHECK_SAME(scan.read(), "[c, d]");
  scan->next();
  CHECK_SAME(scan.read(), "[c, k]");
  scan->prev();
  CHECK_SAME(scan.read(), "[c, k]");
  scan->prev();
  CHECK_SAME(scan->key(), "b");
  CHECK_SAME(scan.read(), "[b, k]");
  scan->next();
  CHECK_SAME(scan.read(), "[b, k]");
  scan->prev();
  scan->prev();
  CHECK_SAME(scan->valid(), false);
  CHECK_SAME(scan.read(), "[a, k]");
}

TEST_CASE("a turn at the last key leaves the gap behind it read",
          "[3.6][task-6][gold]") {
  STORY("seek_to_last within [a, n), prev, next, next.");
  INVARIANT("I2 of watched_scan.h: turning around changes nothing");
  Scan scan(kStore, {"a", "n"});
  scan->seek_to_last();
  scan->prev();
  scan->next();
  CHECK_SAME(scan.read(), "[d, n)");
  scan->next();
  CHECK_SAME(scan->valid(), false);
  CHECK_SAME(scan.read(), "[d, n)");
}

TEST_CASE("a scan that fails backward has read to its lower bound",
          "[3.6][task-6][gold]") {
  STORY("b, d, k and p from a to n; the disk fails at d, then at k.");
  INVARIANT("I4 of watched_scan.h: who does not ask takes it for the end");
  Scan stepped(kStore, {"a", "n"});
  stepped.fail_at("d");
  stepped->seek_to_last();
  CHECK_SAME(stepped.read(), "[k, n)");
  stepped->prev();
  CHECK_ERROR(stepped->status(), Code::io);
  CHECK_SAME(stepped.read(), "[a, n)");
  Scan sought(kStore, {"a", "n"});
  sought.fail_at("k");
  sought->seek_to_last();
  CHECK_ERROR(sought->status(), Code::io);
  CHECK_SAME(sought.read(), "[a, n)");
}

TEST_CASE("a watched scan moves as the one inside it, both ways",
          "[3.6][task-6][gold]") {
  STORY("The whole contract of base/iterator.h over a watched scan.");
  std::vector<Row> rows;
  for (const std::string& key : all_keys("ab", 4))
    rows.emplace_back(key, key);
  const auto tracker = make_scan_tracker();
  const auto scan = tracker->watch(std::make_unique<RowIterator>(rows), {});
  check_iterator_contract(*scan, rows, 366);
}

TEST_CASE("what was read agrees with a mark on every key",
          "[3.6][task-6][gold]") {
  STORY("Random moves of two scans; every key walked over gets a mark.");
  INVARIANT("I1 to I3 of watched_scan.h: those keys, and no others");
  SEEDED_RANDOM(random, 367);
  const Keys keys = all_keys("abc", 3);  // what there may be, and what lies
                                         // between
  for (std::size_t round = 0; round < scaled(150); ++round) {
    Keys stored;
    for (const std::string& key : keys) {
      if (random.one_in(6)) stored.push_back(key);
    }
    ScanRange bounds;
    if (random.one_in(2)) bounds.lower = random.pick(keys);
    if (random.one_in(2)) bounds.upper = random.pick(keys);
    const auto tracker = make_scan_tracker();
    std::set<std::string, std::less<>> marked;
    const auto in_bounds = [&](const std::string& key) {
      return (!bounds.lower || key >= *bounds.lower) &&
             (!bounds.upper || key < *bounds.upper);
    };
    // Marks what lies from `low` (none: the front) to `high` (none: the end),
    // both included.
    const auto mark = [&](const std::optional<std::string>& low,
                          const std::optional<std::string>& high) {
      for (const std::string& key : keys) {
        if (!in_bounds(key) || (low && key < *low) || (high && key > *high)) {
          continue;
        }
        marked.insert(key);
      }
    };
    const auto at = [](UserIterator& scan) -> std::optional<std::string> {
      if (!scan.valid()) return std::nullopt;
      return std::string(scan.key());
    };
    std::string moves;
    for (int scans = 0; scans < 2; ++scans) {
      Scan scan(stored, bounds, tracker);
      for (int step = 0; step < 20; ++step) {
        const std::optional<std::string> before = at(*scan);
        const std::uint64_t move = random.below(before ? 8 : 3);
        if (move == 0) {
          const std::string target = random.pick(keys);
          moves += " seek(" + target + ")";
          scan->seek(target);
          mark(target, at(*scan));
        } else if (move == 1) {
          moves += " first";
          scan->seek_to_first();
          mark(std::nullopt, at(*scan));
        } else if (move == 2) {
          moves += " last";
          scan->seek_to_last();
          mark(at(*scan), std::nullopt);
        } else if (move < 6) {
          moves += " next";
          scan->next();
          mark(before, at(*scan));
        } else {
          moves += " prev";
          scan->prev();
          mark(at(*scan), before);
        }
      }
    }
    const Ranges ranges = tracker->ranges();
    INFO("round " << round << ":" << moves << "; bounds "
                  << bounds.lower.value_or("-") << " to "
                  << bounds.upper.value_or("-") << "; read " << text(ranges));
    for (const std::string& key : keys) {
      INFO("key " << quoted(key));
      REQUIRE_SAME(holds(ranges, key), marked.contains(key));
    }
  }
}

TEST_CASE("a phantom before a backward scan refuses, too",
          "[3.6][task-6][gold]") {
  STORY("T asks for the newest entry of a journal; a newer one is added.");
  INVARIANT("I1 of watched_scan.h: [what it lands on, the upper bound]");
  Hospital hospital;
  REQUIRE_OK(hospital.store->put("log/1", "1"));
  const auto tx = hospital.begin();
  const auto journal = tx->scan({"log/", "log0"});
  journal->seek_to_last();
  REQUIRE_SAME(journal->key(), "log/1");
  REQUIRE_OK(tx->put("seen", "1"));
  REQUIRE_OK(hospital.store->put("log/2", "2"));
  CHECK_ERROR(tx->commit(), Code::conflict);
}

}  // namespace lsm::test
