// Day 2.1, compaction: which versions stay (drop_rule.h), where outputs are cut
// (output_writer.h), and the whole of it (compaction.h). Entries are written as
// on the page: "a@5=new b@3" puts a = new at sequence 5 and removes b at 3.
#include "compaction.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/block_cache.h"
#include "base/fault_file_system.h"
#include "base/sim_file_system.h"
#include "drop_rule.h"
#include "output_writer.h"
#include "support/catch.h"
#include "support/model.h"
#include "support/random.h"
#include "support/teach.h"
#include "version.h"

namespace lsm::test {
namespace {

using Entries = std::vector<Entry>;
using Strings = std::vector<std::string>;
using Numbers = std::vector<std::uint64_t>;

void sort_entries(Entries& entries) {
  std::ranges::sort(entries, [](const Entry& a, const Entry& b) {
    return ::lsm::compare(a.first.view(), b.first.view()) < 0;
  });
}

// "a@5=new b@3" as entries, in the order of internal keys.
Entries parse(std::string_view text) {
  Entries entries;
  std::istringstream words{std::string(text)};
  for (std::string word; words >> word;) {
    const std::size_t at = word.find('@');
    const std::size_t equals = word.find('=', at);
    const Sequence sequence = std::strtoull(word.c_str() + at + 1, nullptr, 10);
    const bool is_put = equals != std::string::npos;
    entries.emplace_back(
        InternalKeyBuffer(
            {std::string_view(word).substr(0, at),
             make_tag(sequence, is_put ? Kind::put : Kind::remove)}),
        is_put ? word.substr(equals + 1) : "");
  }
  sort_entries(entries);
  return entries;
}

std::string text(const InternalKey& key) {
  return std::string(key.user) + "@" + std::to_string(key.sequence());
}

// The line of sequences, cut after each snapshot (base/retention.h).
class Stripes final : public Retention {
 public:
  explicit Stripes(std::set<Sequence> snapshots = {})
      : snapshots_(std::move(snapshots)) {}
  std::size_t stripe(Sequence sequence) const override {
    return static_cast<std::size_t>(
        std::distance(snapshots_.begin(), snapshots_.lower_bound(sequence)));
  }

 private:
  std::set<Sequence> snapshots_;
};

// One stripe, and a word when an entry is judged by it.
class WatchedStripe final : public Retention {
 public:
  explicit WatchedStripe(std::function<void()> asked)
      : asked_(std::move(asked)) {}
  std::size_t stripe(Sequence sequence) const override {
    if (sequence != kMaxSequence) asked_();
    return 0;
  }

 private:
  std::function<void()> asked_;
};

// Asks a function, and notes what it was asked.
class AskingFilter final : public CompactionFilter {
 public:
  using Function = std::function<bool(const InternalKey&, std::string_view)>;
  explicit AskingFilter(Function function) : function_(std::move(function)) {}
  bool keep(const InternalKey& key, std::string_view value) const override {
    asked.push_back(text(key));
    return function_(key, value);
  }
  mutable Strings asked;

 private:
  Function function_;
};

const KeepAll kKeepAll;

// Where the tables lie of which only the metadata exists: whoever opens one
// learns which promise that breaks.
class NoDisk final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, Mode) override {
    throw std::logic_error(
        path +
        " was opened. I3 of drop_rule.h: judged by the ranges of "
        "tables, never by a filter or a read");
  }
  Result<void> rename(const std::string&, const std::string&) override {
    return {};
  }
  Result<void> link(const std::string&, const std::string&) override {
    return {};
  }
  Result<void> remove(const std::string&) override { return {}; }
  Result<void> create_dir(const std::string&) override { return {}; }
  Result<std::vector<std::string>> list(const std::string&) override {
    return Strings{};
  }
  Result<bool> exists(const std::string&) override { return false; }
  Result<void> sync_dir(const std::string&) override { return {}; }
  Result<std::unique_ptr<FileLock>> lock(const std::string&) override {
    return nullptr;
  }
  IoCounters counters() const override { return {}; }
  void count_mapped(std::uint64_t) override {}
};

// A table of which only the metadata exists: enough to be searched for a key.
FileMeta meta(std::uint64_t number, std::string_view smallest,
              std::string_view largest, Sequence newest = 1) {
  FileMeta file;
  file.number = number;
  file.smallest = InternalKeyBuffer({smallest, make_tag(newest, Kind::put)});
  file.largest = InternalKeyBuffer({largest, make_tag(newest, Kind::put)});
  file.newest_sequence = newest;
  return file;
}
RunPtr run_of(const std::vector<FileMeta>& files) {
  auto store = std::make_shared<TableStore>();
  store->fs = std::make_shared<NoDisk>();
  store->folder = "nowhere";
  std::vector<TableHandlePtr> tables;
  for (const FileMeta& file : files) {
    tables.push_back(std::make_shared<const TableHandle>(
        store, std::make_shared<const FileMeta>(file)));
  }
  return std::make_shared<const Run>(std::move(tables));
}

std::string_view word(DropRule::Verdict verdict) {
  switch (verdict) {
    case DropRule::Verdict::keep:
      return "keep";
    case DropRule::Verdict::drop:
      return "drop";
    case DropRule::Verdict::bury:
      return "bury";
  }
  return "no verdict";
}

// What the rule says of each entry: "k@9 keep, k@7 drop".
std::string judged(std::string_view entries, const Retention& retention,
                   const std::vector<RunPtr>& below = {},
                   const CompactionFilter& filter = kKeepAll) {
  DropRule rule(retention, filter, below);
  std::string all;
  for (const auto& [key, value] : parse(entries)) {
    all += (all.empty() ? "" : ", ") + text(key.view()) + " ";
    all += word(rule.judge(key.view(), value));
  }
  return all;
}

}  // namespace

// Task 1: which versions.

TEST_CASE("without snapshots only the newest version stays",
          "[2.1][task-1][core]") {
  STORY("Three versions of ant, one of bee, two of cat; no snapshots.");
  INVARIANT("I1 of drop_rule.h: of each key and stripe the newest version");
  CHECK_SAME(
      judged("ant@9=c ant@5=b ant@1=a bee@2=x cat@8=z cat@7=y", Stripes()),
      "ant@9 keep, ant@5 drop, ant@1 drop, bee@2 keep, cat@8 keep, "
      "cat@7 drop");
}

TEST_CASE("a snapshot keeps the version that it sees", "[2.1][task-1][core]") {
  STORY("Puts of k at 9, 7, 4 and 2; a snapshot at 5.");
  INVARIANT("I1 of drop_rule.h: of each key and stripe the newest version");
  CHECK_SAME(judged("k@9=d k@7=c k@4=b k@2=a", Stripes({5})),
             "k@9 keep, k@7 drop, k@4 keep, k@2 drop");
}

TEST_CASE("a snapshot sees the version written at its own sequence",
          "[2.1][task-1][core]") {
  STORY("Puts of k at 9, 7, 4 and 2; a snapshot at 7, then at 6, then at 1.");
  INVARIANT("stripes of base/retention.h end with a snapshot's sequence");
  CHECK_SAME(judged("k@9=d k@7=c k@4=b k@2=a", Stripes({7})),
             "k@9 keep, k@7 keep, k@4 drop, k@2 drop");
  CHECK_SAME(judged("k@9=d k@7=c k@4=b k@2=a", Stripes({6})),
             "k@9 keep, k@7 drop, k@4 keep, k@2 drop");
  CHECK_SAME(judged("k@9=d k@7=c k@4=b k@2=a", Stripes({1})),
             "k@9 keep, k@7 drop, k@4 drop, k@2 drop");
}

TEST_CASE("every stripe keeps one version", "[2.1][task-1][core]") {
  STORY("Puts of k at 1 … 9; snapshots at 2, 3 and 7.");
  INVARIANT("I1 of drop_rule.h: of each key and stripe the newest version");
  CHECK_SAME(judged("k@9=i k@8=h k@7=g k@6=f k@5=e k@4=d k@3=c k@2=b k@1=a",
                    Stripes({2, 3, 7})),
             "k@9 keep, k@8 drop, k@7 keep, k@6 drop, k@5 drop, k@4 drop, "
             "k@3 keep, k@2 keep, k@1 drop");
}

TEST_CASE("each key is judged by its own versions", "[2.1][task-1][core]") {
  STORY("a@1, aa@2 and b@1, then the empty key; no snapshots.");
  INVARIANT("I1 of drop_rule.h: of each KEY and stripe the newest version");
  CHECK_SAME(judged("a@1=x aa@2=y b@1=z", Stripes()),
             "a@1 keep, aa@2 keep, b@1 keep");
  CHECK_SAME(judged("@5=new @3=old a@4=x", Stripes()),
             "@5 keep, @3 drop, a@4 keep");
}

TEST_CASE("the key of an entry need not outlive its judgement",
          "[2.1][task-1][core]") {
  STORY("Judge k@9, m@8, m@7, n@6, each from the buffer of the one before.");
  INVARIANT("I3 of base/iterator.h: a key lives until the iterator moves");
  const Stripes retention;
  DropRule rule(retention, kKeepAll, {});
  std::string buffer = "k";
  const auto judge = [&](std::string_view user, Sequence sequence) {
    buffer.assign(user);
    return word(rule.judge({buffer, make_tag(sequence, Kind::put)}, "v"));
  };
  CHECK_SAME(judge("k", 9), "keep");
  CHECK_SAME(judge("m", 8), "keep");
  CHECK_SAME(judge("m", 7), "drop");
  CHECK_SAME(judge("n", 6), "keep");
}

// Task 2: which tombstones.

TEST_CASE("the versions that drop_rule.h draws", "[2.1][task-2][core]") {
  STORY("k put at 9 and 7, removed at 4, put at 2; a snapshot at 5.");
  INVARIANT("I2 of drop_rule.h: a tombstone stays while its key may lie below");
  const std::string_view entries = "k@9=d k@7=c k@4 k@2=a";
  CHECK_SAME(judged(entries, Stripes({5}), {run_of({meta(3, "j", "m")})}),
             "k@9 keep, k@7 drop, k@4 keep, k@2 drop");
  CHECK_SAME(judged(entries, Stripes({5})),
             "k@9 keep, k@7 drop, k@4 drop, k@2 drop");
}

TEST_CASE("a tombstone goes when nothing lies below", "[2.1][task-2][core]") {
  STORY("k removed at 9 over a put at 2; an empty tree below.");
  INVARIANT("I2 of drop_rule.h: nothing below, so nothing to hide");
  CHECK_SAME(judged("k@9 k@2=a", Stripes()), "k@9 drop, k@2 drop");
  CHECK_SAME(judged("a@3 b@4 c@5=x d@6", Stripes()),
             "a@3 drop, b@4 drop, c@5 keep, d@6 drop");
}

TEST_CASE("a table may hold any key of its range", "[2.1][task-2][core]") {
  STORY("b, c, e, g and h removed; below lies one table, c … g.");
  INVARIANT("I3 of drop_rule.h: judged by the ranges of tables");
  CHECK_SAME(
      judged("b@1 c@2 e@3 g@4 h@5", Stripes(), {run_of({meta(3, "c", "g")})}),
      "b@1 drop, c@2 keep, e@3 keep, g@4 keep, h@5 drop");
}

TEST_CASE("every run below is asked, and every table of a run",
          "[2.1][task-2][core]") {
  STORY("a … f removed; below lie [b c] [e] in one run and [c d] in another.");
  INVARIANT("I2 of drop_rule.h: no run below may hold its key");
  CHECK_SAME(judged("a@1 b@2 c@3 d@4 e@5 f@6", Stripes(),
                    {run_of({meta(3, "b", "c"), meta(4, "e", "e")}),
                     run_of({meta(5, "c", "d")})}),
             "a@1 drop, b@2 keep, c@3 keep, d@4 keep, e@5 keep, f@6 drop");
}

TEST_CASE("a table below may hold an older version beside newer keys",
          "[2.1][task-2][core]") {
  STORY("k removed at 5; the table below holds k@2 and z@9.");
  INVARIANT("I3 of drop_rule.h: judged by the ranges of tables");
  FileMeta file = meta(3, "k", "z");
  file.smallest = InternalKeyBuffer({"k", make_tag(2, Kind::put)});
  file.largest = InternalKeyBuffer({"z", make_tag(9, Kind::put)});
  file.oldest_sequence = 2;
  file.newest_sequence = 9;
  CHECK_SAME(judged("k@5", Stripes(), {run_of({file})}), "k@5 keep");
}

TEST_CASE("a tombstone that hides a snapshot's version stays",
          "[2.1][task-2][core]") {
  STORY("k removed at 9 over a put at 2; a snapshot at 5; nothing below.");
  INVARIANT("I2 of drop_rule.h: a tombstone goes only from stripe 0");
  CHECK_SAME(judged("k@9 k@2=a", Stripes({5})), "k@9 keep, k@2 keep");
  CHECK_SAME(judged("k@9 k@2", Stripes({5})), "k@9 keep, k@2 drop");
  CHECK_SAME(judged("k@9 k@7=b k@2=a", Stripes({8})),
             "k@9 keep, k@7 keep, k@2 drop");
}

TEST_CASE("a tombstone that goes takes the older versions with it",
          "[2.1][task-2][core]") {
  STORY("k removed at 9, put at 7 and 2, removed at 1; nothing below.");
  INVARIANT("I1 of drop_rule.h: hidden is hidden, whether 9 stays or not");
  CHECK_SAME(judged("k@9 k@7=b k@2=a k@1", Stripes()),
             "k@9 drop, k@7 drop, k@2 drop, k@1 drop");
}

// Every history, every tree, every compaction: a small world, walked whole.
// Millions of cases, so plain arrays.
namespace {

constexpr std::size_t kMost = 5;  // versions
constexpr std::size_t kLevels = 3;
constexpr std::array<std::string_view, 2> kKeys = {"a", "b"};

struct SmallVersion {
  Sequence sequence = 0;
  bool is_put = false;
  std::size_t level = 0;
};

// The versions of one key, newest first. Levels never decrease: of a key,
// older versions never lie above newer ones, so a read that goes from level to
// level finds the newest first, too.
struct SmallKey {
  std::array<SmallVersion, kMost> versions;
  std::size_t count = 0;

  void push_back(const SmallVersion& version) { versions[count++] = version; }
  bool has(std::size_t top, std::size_t bottom) const {
    for (std::size_t i = 0; i < count; ++i) {
      if (versions[i].level >= top && versions[i].level <= bottom) return true;
    }
    return false;
  }
  // The put that a reader finds, 0 for nothing.
  Sequence read(Sequence at) const {
    for (std::size_t i = 0; i < count; ++i) {
      if (versions[i].sequence > at) continue;
      return versions[i].is_put ? versions[i].sequence : 0;
    }
    return 0;
  }
};

struct World final : Retention {
  std::array<SmallKey, 2> keys;
  Sequence newest = 0;
  std::array<bool, kMost + 1> snapshot = {};        // at this sequence
  std::array<std::size_t, kMost + 2> stripes = {};  // kept, to be quick

  void number_stripes() {
    for (std::size_t at = 1; at <= newest + 1; ++at)
      stripes[at] = stripes[at - 1] + (snapshot[at - 1] ? 1 : 0);
  }
  std::size_t stripe(Sequence sequence) const override {
    return stripes[sequence <= newest ? sequence : newest + 1];
  }

  std::string show() const {
    std::string all;
    for (std::size_t key = 0; key < 2; ++key) {
      for (std::size_t i = 0; i < keys[key].count; ++i) {
        const SmallVersion& version = keys[key].versions[i];
        all += std::string(kKeys[key]) + "@" +
               std::to_string(version.sequence) +
               (version.is_put ? " put" : " removed") + " in level " +
               std::to_string(version.level) + "; ";
      }
    }
    all += "snapshots:";
    for (std::size_t at = 1; at <= newest; ++at)
      all += snapshot[at] ? " " + std::to_string(at) : "";
    return all;
  }
};

// Merges levels top … bottom of the keys in `mask` into bottom; each key of a
// level is a table of its own, so the other key's table stays where it is.
struct Choice {
  std::size_t top;
  std::size_t bottom;
  unsigned mask;

  bool takes(std::size_t key) const { return (mask >> key & 1) != 0; }
};

// The key after the compaction, and what was broken on the way.
const char* merge_key(const World& world, const Choice& choice, std::size_t at,
                      DropRule& rule, SmallKey& after) {
  const SmallKey& before = world.keys[at];
  const bool older_below = before.has(choice.bottom + 1, kLevels);
  bool kept_any = false;
  std::size_t kept_stripe = 0;
  for (std::size_t i = 0; i < before.count; ++i) {
    SmallVersion version = before.versions[i];
    if (version.level < choice.top || version.level > choice.bottom) {
      after.push_back(version);
      continue;
    }
    const Kind kind = version.is_put ? Kind::put : Kind::remove;
    const std::size_t stripe = world.stripe(version.sequence);
    const bool hidden = kept_any && kept_stripe == stripe;
    switch (rule.judge({kKeys[at], make_tag(version.sequence, kind)}, "")) {
      case DropRule::Verdict::bury:
        return "a version was buried, though no filter gave it up";
      case DropRule::Verdict::keep:
        if (hidden) return "two versions of one stripe were kept";
        if (!version.is_put && stripe == 0 && !older_below) {
          return "a tombstone was kept that hides nothing";
        }
        version.level = choice.bottom;
        after.push_back(version);
        kept_any = true;
        kept_stripe = stripe;
        break;
      case DropRule::Verdict::drop:
        // What hides a tombstone hides what it hid.
        if (!version.is_put && !hidden && older_below) {
          return "a tombstone was dropped above an older version";
        }
        break;
    }
  }
  return nullptr;
}

// A table with versions of `key`, and beside them a key of its own that is
// newer than the whole world: its newest sequence tells nothing of `key`.
FileMeta below(std::uint64_t number, std::string_view key) {
  FileMeta file = meta(number, key, key);
  file.newest_sequence = kMost + 1;
  file.largest = InternalKeyBuffer(
      {std::string(key) + "~", make_tag(file.newest_sequence, Kind::put)});
  return file;
}

// What the compaction breaks, or nothing.
std::string broken_promise(const World& world, const Choice& choice) {
  static const std::array<std::vector<RunPtr>, 4> kBelow = {{
      {},
      {run_of({below(1, "a")})},
      {run_of({below(2, "b")})},
      {run_of({below(1, "a"), below(2, "b")})},
  }};
  unsigned held = 0;
  for (std::size_t key = 0; key < 2; ++key) {
    const std::size_t below = choice.bottom + (choice.takes(key) ? 1 : 0);
    if (world.keys[key].has(below, kLevels)) held |= 1U << key;
  }
  DropRule rule(world, kKeepAll, kBelow[held]);
  for (std::size_t key = 0; key < 2; ++key) {
    if (!choice.takes(key)) continue;
    SmallKey after;
    if (const char* broken = merge_key(world, choice, key, rule, after)) {
      return broken;
    }
    // Readers stand at the snapshots and at the newest sequence.
    for (Sequence at = 1; at <= world.newest; ++at) {
      if (at < world.newest && !world.snapshot[at]) continue;
      const Sequence before = world.keys[key].read(at);
      const Sequence now = after.read(at);
      if (now == before) continue;
      return "a read of " + std::string(kKeys[key]) + " at " +
             std::to_string(at) + " finds version " + std::to_string(now) +
             ", not " + std::to_string(before) + " (0: nothing)";
    }
  }
  return {};
}

struct Walk {
  std::size_t cases = 0;
  std::string world;    // of the first broken promise
  std::string promise;  // which one
};

void try_every_choice(const World& world, Walk& walk) {
  for (std::size_t top = 0; top < kLevels; ++top) {
    for (std::size_t bottom = top; bottom < kLevels; ++bottom) {
      const unsigned present = (world.keys[0].has(top, bottom) ? 1U : 0U) |
                               (world.keys[1].has(top, bottom) ? 2U : 0U);
      for (unsigned mask = 1; mask < 4; ++mask) {
        if ((mask & ~present) != 0) continue;  // the same as a smaller one
        ++walk.cases;
        if (!walk.promise.empty()) continue;
        walk.promise = broken_promise(world, {top, bottom, mask});
        if (walk.promise.empty()) continue;
        walk.world = world.show() + "; merged: levels " + std::to_string(top) +
                     " to " + std::to_string(bottom) + " of " +
                     (mask == 1   ? "a"
                      : mask == 2 ? "b"
                                  : "a and b");
      }
    }
  }
}

// Gives operation `sequence`, then the ones before it, every key, kind and
// level that the newer versions of the key leave it.
void try_every_history(World& world, Sequence sequence, bool snapshots,
                       Walk& walk) {
  if (sequence == 0) {
    const unsigned sets = snapshots ? 1U << world.newest : 1U;
    for (unsigned set = 0; set < sets; ++set) {
      for (std::size_t at = 1; at <= world.newest; ++at)
        world.snapshot[at] = (set >> (at - 1) & 1) != 0;
      world.number_stripes();
      try_every_choice(world, walk);
    }
    return;
  }
  for (SmallKey& key : world.keys) {
    std::size_t level = key.count == 0 ? 0 : key.versions[key.count - 1].level;
    for (; level < kLevels; ++level) {
      for (const bool is_put : {true, false}) {
        key.push_back({sequence, is_put, level});
        try_every_history(world, sequence - 1, snapshots, walk);
        --key.count;
      }
    }
  }
}

Walk walk_the_world(Sequence most, bool snapshots) {
  Walk walk;
  for (Sequence count = 0; count <= most; ++count) {
    World world;
    world.newest = count;
    try_every_history(world, count, snapshots, walk);
  }
  return walk;
}

}  // namespace

TEST_CASE("no compaction of any small tree changes a read",
          "[2.1][task-2][core]") {
  STORY(
      "Every history of up to 5 versions of 2 keys, in every place of 3 "
      "levels, under every compaction.");
  INVARIANT("I2 of drop_rule.h: no tombstone goes above an older version");
  const Walk walk = walk_the_world(5, false);
  INFO("the first tree that it breaks: " << walk.world);
  CHECK_SAME(walk.promise, "");
  // Counted on paper: 63,077 trees, of which each allows up to 18 choices.
  CHECK_SAME(walk.cases, 727'536);
}

TEST_CASE("no compaction changes what any set of snapshots reads",
          "[2.1][task-2][core]") {
  STORY(
      "Every history of up to 4 versions of 2 keys in 3 levels, every set of "
      "snapshots, every compaction.");
  INVARIANT("I1 of drop_rule.h: a reader stands at the end of a stripe");
  const Walk walk = walk_the_world(4, true);
  INFO("the first tree that it breaks: " << walk.world);
  CHECK_SAME(walk.promise, "");
  CHECK_SAME(walk.cases, 1'410'416);
}

// Task 3: what lies below.
namespace {

// A tree of tables that exist by name only, and a task on it.
struct Sketch {
  void add(int level, const FileMeta& file) {
    VersionEdit edit;
    edit.added.push_back({level, file});
    Result<TreePtr> next = tree->apply(edit);
    REQUIRE_OK(next);
    tree = std::move(*next);
  }
  // Of the runs of `level` the tables with these numbers, in runs as they are.
  void take(int level, const std::set<std::uint64_t>& numbers) {
    CompactionTask::Input input{level, {}};
    for (const RunPtr& run : tree->level(level)) {
      RunShape taken;
      for (const FileMetaPtr& file : run->shape().files) {
        if (numbers.contains(file->number)) taken.files.push_back(file);
      }
      if (!taken.files.empty()) input.runs.push_back(std::move(taken));
    }
    task.inputs.push_back(std::move(input));
  }
  // The numbers of all tables that lie below the task's output, ascending.
  Numbers below(int output_level) {
    task.output_level = output_level;
    Numbers numbers;
    for (const RunPtr& run : older_than_output(*tree, task)) {
      for (const TableHandlePtr& table : run->tables())
        numbers.push_back(table->meta()->number);
    }
    std::ranges::sort(numbers);
    return numbers;
  }

  TreePtr tree = std::make_shared<const Tree>(nullptr);
  CompactionTask task;
};

}  // namespace

TEST_CASE("below a merge within level 0 lies what is older",
          "[2.1][task-3][core]") {
  STORY("Level 0: runs 12, 11, 9, 7; level 5: 3 and 4. Merge 11 and 9 into 0.");
  INVARIANT("older_than_output: the runs behind the first input");
  Sketch sketch;
  sketch.add(5, meta(3, "a", "g", 1));
  sketch.add(5, meta(4, "h", "z", 2));
  sketch.add(0, meta(7, "a", "z", 17));
  sketch.add(0, meta(9, "a", "z", 19));
  sketch.add(0, meta(11, "a", "z", 21));
  sketch.add(0, meta(12, "a", "z", 22));
  sketch.take(0, {11, 9});
  CHECK_SAME(sketch.below(0), Numbers{3, 4, 7});
}

TEST_CASE("age in level 0 is by sequence, not by number",
          "[2.1][task-3][core]") {
  STORY(
      "Level 0, newest first: 12, 30, 7, where 30 was merged from old runs. "
      "Merge 30 and 7 into level 0, then 12 and 30.");
  INVARIANT("I1 of tree.h: level 0 holds runs newest first");
  Sketch sketch;
  sketch.add(0, meta(7, "a", "z", 17));
  sketch.add(0, meta(30, "a", "z", 20));
  sketch.add(0, meta(12, "a", "z", 22));
  sketch.take(0, {30, 7});
  CHECK_SAME(sketch.below(0), Numbers{});
  sketch.task = {};
  sketch.take(0, {12, 30});
  CHECK_SAME(sketch.below(0), Numbers{7});
}

TEST_CASE("below a deeper output lie the deeper levels and the rest of its own",
          "[2.1][task-3][core]") {
  STORY(
      "Level 1: 1 2 3; level 2: 4 5 6; level 4: 7; level 0: 9. Merge 2 of "
      "level 1 and 5 of level 2 into level 2.");
  INVARIANT("older_than_output: inputs and what lies above are left out");
  Sketch sketch;
  sketch.add(1, meta(1, "a", "c"));
  sketch.add(1, meta(2, "d", "f"));
  sketch.add(1, meta(3, "g", "k"));
  sketch.add(2, meta(4, "a", "c"));
  sketch.add(2, meta(5, "d", "f"));
  sketch.add(2, meta(6, "g", "k"));
  sketch.add(4, meta(7, "a", "z"));
  sketch.add(0, meta(9, "a", "z", 50));
  sketch.take(1, {2});
  sketch.take(2, {5});
  CHECK_SAME(sketch.below(2), Numbers{4, 6, 7});
}

TEST_CASE("below a merge of everything lies nothing", "[2.1][task-3][core]") {
  STORY("Level 0: 8 and 9, level 3: 4, level 6: 1 and 2; all merged into 6.");
  INVARIANT("older_than_output: inputs are left out");
  Sketch sketch;
  sketch.add(6, meta(1, "a", "c"));
  sketch.add(6, meta(2, "d", "f"));
  sketch.add(3, meta(4, "a", "f"));
  sketch.add(0, meta(8, "a", "f", 8));
  sketch.add(0, meta(9, "a", "f", 9));
  sketch.take(0, {8, 9});
  sketch.take(3, {4});
  sketch.take(6, {1, 2});
  CHECK_SAME(sketch.below(6), Numbers{});
}

TEST_CASE("below an output where nothing was yet lie the deeper levels",
          "[2.1][task-3][core]") {
  STORY("Level 0: 8 and 9, level 6: 1 and 2; 8 and 9 merged into level 4.");
  INVARIANT("older_than_output: the levels below the output");
  Sketch sketch;
  sketch.add(6, meta(1, "a", "c"));
  sketch.add(6, meta(2, "d", "f"));
  sketch.add(0, meta(8, "a", "f", 8));
  sketch.add(0, meta(9, "a", "f", 9));
  sketch.take(0, {8, 9});
  CHECK_SAME(sketch.below(4), Numbers{1, 2});
  CHECK_SAME(sketch.below(6), Numbers{1, 2});
}

// Tasks 4 and up: on a disk.
namespace {

// A store's disk, on which a test lays tables by hand and merges them.
struct Shelf {
  Shelf() {
    REQUIRE_OK(fs.create_dir(folder));
    REQUIRE_OK(fs.sync_dir("."));
    auto shared = std::make_shared<TableStore>();
    shared->fs = std::shared_ptr<FileSystem>(&fs, [](FileSystem*) {});
    shared->folder = folder;
    shared->store_id = kStore;
    shared->filter = filter;
    shared->cache = make_no_cache();
    store = shared;
    tree = std::make_shared<const Tree>(store);
  }

  CompactionContext context() {
    return {fs,
            folder,
            kStore,
            numbers,
            {256, Compression::none, filter.get()},
            *retention,
            *giving_up,
            *tree,
            cancel};
  }

  // One run of level 0, or tables of a deeper level's run.
  Numbers add_run(int level, const std::vector<Entries>& tables) {
    VersionEdit edit;
    Numbers added;
    for (const Entries& entries : tables) {
      const std::uint64_t number = numbers.take();
      auto builder = TableBuilder::create(
          fs, file_path(folder, FileKind::table, number), {kStore, number},
          {256, Compression::none, filter.get()});
      REQUIRE_OK(builder);
      for (const auto& [key, value] : entries)
        REQUIRE_OK((*builder)->add(key.view(), value));
      Result<FileMeta> file = (*builder)->finish();
      REQUIRE_OK(file);
      added.push_back(number);
      if (level == 0) file->run = added.front();
      edit.added.push_back({level, std::move(*file)});
    }
    REQUIRE_OK(fs.sync_dir(folder));
    apply(edit);
    return added;
  }
  std::uint64_t add_table(int level, std::string_view entries) {
    return add_run(level, {parse(entries)}).front();
  }
  void apply(const VersionEdit& edit) {
    Result<TreePtr> next = tree->apply(edit);
    REQUIRE_OK(next);
    tree = std::move(*next);
  }

  // A task on the tables with these numbers, newest first as in the tree.
  CompactionTask task(const std::set<std::uint64_t>& inputs, int output_level,
                      std::uint64_t target = 1 << 20) const {
    CompactionTask made;
    for (int level = 0; level < kMaxLevels; ++level) {
      CompactionTask::Input input{level, {}};
      for (const RunPtr& run : tree->level(level)) {
        RunShape taken;
        for (const FileMetaPtr& file : run->shape().files) {
          if (inputs.contains(file->number)) taken.files.push_back(file);
        }
        if (!taken.files.empty()) input.runs.push_back(std::move(taken));
      }
      if (!input.runs.empty()) made.inputs.push_back(std::move(input));
    }
    made.output_level = output_level;
    made.target_file_size_bytes = target;
    return made;
  }
  CompactionTask everything(int output_level, std::uint64_t target = 1 << 20) {
    std::set<std::uint64_t> all;
    for (int level = 0; level < kMaxLevels; ++level) {
      for (const RunPtr& run : tree->level(level)) {
        for (const TableHandlePtr& table : run->tables())
          all.insert(table->meta()->number);
      }
    }
    return task(all, output_level, target);
  }
  Result<CompactionResult> compact(const CompactionTask& work) {
    return run_compaction(context(), work);
  }

  Strings tables_on_disk() {
    Strings names = fs.list(folder).value_or(Strings{});
    std::erase_if(
        names, [](const std::string& name) { return !name.ends_with(".sst"); });
    return names;
  }
  std::string path_of(std::uint64_t number) const {
    return file_path(folder, FileKind::table, number);
  }

  static constexpr std::uint64_t kStore = 77;
  const std::string folder = "db";
  SimFileSystem disk;
  FaultFileSystem fs{disk};
  std::shared_ptr<const FilterPolicy> filter = std::make_shared<NoFilter>();
  std::shared_ptr<const TableStore> store;
  TreePtr tree;
  FileNumbers numbers;
  std::shared_ptr<const Retention> retention = std::make_shared<Stripes>();
  std::shared_ptr<const CompactionFilter> giving_up =
      std::make_shared<KeepAll>();
  std::atomic<bool> cancel = false;
};

// "a@9=x b@6": every entry of a table, read from the disk.
std::string content(Shelf& shelf, std::uint64_t number) {
  const auto table =
      Table::open(shelf.fs, shelf.path_of(number), {Shelf::kStore, number},
                  {shelf.filter.get(), shelf.store->cache.get()});
  if (!table) return "error: " + table.error().message;
  std::string all;
  const auto entry = (*table)->iterator(Table::Access::normal);
  for (entry->seek_to_first(); entry->valid(); entry->next()) {
    all += (all.empty() ? "" : " ") + text(entry->key());
    const bool is_put = entry->key().kind() == Kind::put;
    if (is_put) all += "=" + std::string(entry->value());
    if (!is_put && !entry->value().empty()) {
      all += " removed, but with a value: " + std::string(entry->value());
    }
  }
  if (!entry->status()) return "error: " + entry->status().error().message;
  return all;
}

// `part`, if the message has it; else the whole message.
std::string part_of(const std::string& message, const std::string& part) {
  return message.find(part) == std::string::npos ? message : part;
}

// The contents of files, in their order.
Strings contents(Shelf& shelf, const std::vector<FileMeta>& files) {
  Strings all;
  for (const FileMeta& file : files)
    all.push_back(content(shelf, file.number));
  return all;
}
std::vector<FileMeta> added_by(const VersionEdit& edit) {
  std::vector<FileMeta> files;
  for (const VersionEdit::Added& added : edit.added)
    files.push_back(added.file);
  return files;
}

// Writes entries through an OutputWriter; the files that came out.
std::vector<FileMeta> written(Shelf& shelf, const Entries& entries,
                              std::uint64_t target, int output_level = 6) {
  const CompactionContext context = shelf.context();
  const CompactionTask task = shelf.task({}, output_level, target);
  OutputWriter output(context, task);
  for (const auto& [key, value] : entries)
    REQUIRE_OK(output.add(key.view(), value));
  REQUIRE_OK(output.finish());
  return output.files();
}

// `count` keys from k00000 on, one version each.
Entries many(std::size_t count, std::size_t value_size, Sequence first = 1) {
  Entries entries;
  for (std::size_t i = 0; i < count; ++i) {
    std::string key = std::to_string(i);
    key.insert(0, "k" + std::string(5 - key.size(), '0'));
    entries.emplace_back(
        InternalKeyBuffer({key, make_tag(first + i, Kind::put)}),
        std::string(value_size, 'v'));
  }
  return entries;
}

}  // namespace

// Task 4: cut outputs.

TEST_CASE("what is added is in the table", "[2.1][task-4][core]") {
  STORY("Write ant@5, ant@2, bee removed at 7, cat@1 into one table.");
  INVARIANT("I3 of output_writer.h: after finish every table is there");
  Shelf shelf;
  const auto files =
      written(shelf, parse("ant@5=new ant@2=old bee@7 cat@1=x"), 1 << 20);
  CHECK_SAME(contents(shelf, files),
             Strings{"ant@5=new ant@2=old bee@7 cat@1=x"});
  REQUIRE_SAME(files.size(), 1);
  CHECK_SAME(files[0].smallest,
             InternalKeyBuffer({"ant", make_tag(5, Kind::put)}));
  CHECK_SAME(files[0].largest,
             InternalKeyBuffer({"cat", make_tag(1, Kind::put)}));
  CHECK_SAME(files[0].entries, 4);
  CHECK_SAME(files[0].tombstones, 1);
}

TEST_CASE("nothing added makes no table", "[2.1][task-4][core]") {
  STORY("Finish a writer to which nothing was added.");
  INVARIANT("I1 of output_writer.h: a table begins with an entry");
  Shelf shelf;
  CHECK_SAME(written(shelf, {}, 100).size(), 0);
  CHECK_SAME(shelf.tables_on_disk(), Strings{});
}

TEST_CASE("a table is closed once it has reached the target",
          "[2.1][task-4][core]") {
  STORY("1,000 entries of 100 bytes; target 10,000 bytes a table.");
  INVARIANT("I1 of output_writer.h: closed once its size reached the target");
  Shelf shelf;
  const Entries entries = many(1000, 100);
  const auto files = written(shelf, entries, 10'000);
  std::size_t sum = 0;
  for (std::size_t i = 0; i < files.size(); ++i) {
    INFO("table " << i + 1 << " of " << files.size());
    CHECK(files[i].size_bytes < 13'000);
    if (i + 1 < files.size()) CHECK(files[i].size_bytes > 9'000);
    sum += files[i].entries;
  }
  CHECK_SAME(sum, 1000);
  CHECK(files.size() >= 9);
  CHECK(files.size() <= 15);  // an entry takes some 130 bytes of the target
}

TEST_CASE("the entry that reaches the target is the table's last",
          "[2.1][task-4][core]") {
  STORY(
      "A TableBuilder says how large 39 entries make it, and 40. Write 100 "
      "with a target of a byte more than 39 take, then of what 40 take.");
  INVARIANT(
      "I1 of output_writer.h: closed once size_bytes() has reached the target");
  Shelf shelf;
  const Entries entries = many(100, 100);
  const std::uint64_t number = shelf.numbers.take();
  const auto builder = TableBuilder::create(
      shelf.fs, shelf.path_of(number), {Shelf::kStore, number},
      {256, Compression::none, shelf.filter.get()});
  REQUIRE_OK(builder);
  std::vector<std::uint64_t> sizes = {0};
  for (std::size_t i = 0; i < 40; ++i) {
    REQUIRE_OK((*builder)->add(entries[i].first.view(), entries[i].second));
    sizes.push_back((*builder)->size_bytes());
  }
  for (const std::uint64_t target : {sizes[39] + 1, sizes[40]}) {
    const auto files = written(shelf, entries, target);
    REQUIRE_SAME(files.empty(), false);
    CHECK_SAME(files[0].entries, 40);
  }
}

TEST_CASE("the versions of one user key stay in one table",
          "[2.1][task-4][core]") {
  STORY("a@9 a@4 b@6 c@8 c@3 c@1; a target of one byte.");
  INVARIANT("I1 of output_writer.h: a user key's versions are in one table");
  Shelf shelf;
  const auto files =
      written(shelf, parse("a@9=1 a@4=2 b@6=3 c@8=4 c@3=5 c@1=6"), 1);
  CHECK_SAME(contents(shelf, files),
             Strings{"a@9=1 a@4=2", "b@6=3", "c@8=4 c@3=5 c@1=6"});
}

TEST_CASE("a hot key makes its table as large as it must be",
          "[2.1][task-4][core]") {
  STORY("a, then hot with 300 versions of 100 bytes, then z; target 2,000.");
  INVARIANT("I1 of output_writer.h: a user key's versions are in one table");
  Shelf shelf;
  Entries entries = parse("a@1=x");
  for (Sequence sequence = 301; sequence > 1; --sequence) {
    entries.emplace_back(
        InternalKeyBuffer({"hot", make_tag(sequence, Kind::put)}),
        std::string(100, 'h'));
  }
  entries.push_back(parse("z@2=x").front());
  const auto files = written(shelf, entries, 2000);
  REQUIRE_SAME(files.size(), 2);
  CHECK_SAME(files[0].smallest.user(), "a");
  CHECK_SAME(files[0].largest.user(), "hot");
  CHECK_SAME(files[0].entries, 301);
  CHECK_SAME(files[1].smallest.user(), "z");
}

TEST_CASE("keys of any bytes are cut like others", "[2.1][task-4][core]") {
  STORY("The empty key twice, \\0, \\xff; a target of one byte.");
  INVARIANT("I1 of output_writer.h: closed at the first new user key");
  Shelf shelf;
  Entries entries = parse("@3=new @1=old \xff@4=y");
  entries.emplace_back(
      InternalKeyBuffer({std::string_view("\0", 1), make_tag(2, Kind::put)}),
      "x");
  sort_entries(entries);
  const auto files = written(shelf, entries, 1);
  REQUIRE_SAME(files.size(), 3);
  CHECK_SAME(files[0].entries, 2);
  CHECK_SAME(files[1].smallest.user(), std::string("\0", 1));
  CHECK_SAME(files[2].smallest.user(), "\xff");
}

TEST_CASE("outputs of level 0 are one run, named by its first table",
          "[2.1][task-4][core]") {
  STORY("Three tables written for level 0, then three for level 3.");
  INVARIANT("I4 of base/file_meta.h: `run` names a run of level 0, else is 0");
  Shelf shelf;
  const auto top = written(shelf, parse("a@1=x b@2=y c@3=z"), 1, 0);
  REQUIRE_SAME(top.size(), 3);
  for (const FileMeta& file : top)
    CHECK_SAME(file.run, top[0].number);
  CHECK(top[0].number < top[1].number);
  CHECK(top[1].number < top[2].number);
  const auto deep = written(shelf, parse("a@1=x b@2=y c@3=z"), 1, 3);
  REQUIRE_SAME(deep.size(), 3);
  for (const FileMeta& file : deep)
    CHECK_SAME(file.run, 0);
}

TEST_CASE("what is discarded leaves no file", "[2.1][task-4][core]") {
  STORY("Two tables finished, one open; discard. Then again, after finish.");
  INVARIANT("I4 of output_writer.h: no file of this writer is left");
  Shelf shelf;
  const int handles = shelf.fs.open_handles();
  for (const bool finish_first : {false, true}) {
    const CompactionContext context = shelf.context();
    const CompactionTask task = shelf.task({}, 6, 1);
    OutputWriter output(context, task);
    for (const auto& [key, value] : parse("a@1=x b@2=y c@3=z"))
      REQUIRE_OK(output.add(key.view(), value));
    if (finish_first) REQUIRE_OK(output.finish());
    output.discard();
    CHECK_SAME(shelf.tables_on_disk(), Strings{});
    CHECK_SAME(shelf.fs.open_handles(), handles);
  }
}

TEST_CASE("a table that cannot be removed keeps no other",
          "[2.1][task-4][gold]") {
  STORY("Three tables are discarded; the disk refuses the first removal.");
  INVARIANT(
      "I4 of output_writer.h: no file is left but what cannot be removed");
  Shelf shelf;
  const CompactionContext context = shelf.context();
  const CompactionTask task = shelf.task({}, 6, 1);
  OutputWriter output(context, task);
  for (const auto& [key, value] : parse("a@1=x b@2=y c@3=z"))
    REQUIRE_OK(output.add(key.view(), value));
  shelf.fs.inject({.kinds = kRemove, .nth = 1});
  output.discard();
  shelf.fs.lift();
  CHECK_SAME(shelf.tables_on_disk().size(), 1);
}

TEST_CASE("the folder is synced once for all tables", "[2.1][task-4][core]") {
  STORY("Write three tables, finish; syncs of the folder are counted.");
  INVARIANT("cost of output_writer.h: one sync of the folder, in finish");
  Shelf shelf;
  const std::uint64_t before = shelf.fs.operations(kSyncDir);
  REQUIRE_SAME(written(shelf, parse("a@1=x b@2=y c@3=z"), 1).size(), 3);
  CHECK_SAME(shelf.fs.operations(kSyncDir) - before, 1);
}

TEST_CASE("finished tables survive a power cut", "[2.1][task-4][core]") {
  STORY("Write three tables, finish; the power fails at once.");
  INVARIANT("I3 of output_writer.h: durable, bytes and name");
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    for (const CrashModel model :
         {CrashModel::ordered, CrashModel::any_subset}) {
      Shelf shelf;
      const auto files = written(shelf, parse("a@1=x b@2=y c@3=z"), 1);
      REQUIRE_SAME(files.size(), 3);
      shelf.disk.power_cycle(model, seed);
      REQUIRE_SAME(contents(shelf, files), Strings{"a@1=x", "b@2=y", "c@3=z"});
    }
  }
}

// Task 5: the merge and its edit.

namespace {

std::string walked(const TreePtr& tree, Sequence at = kMaxSequence) {
  const auto version = std::make_shared<const Version>(
      Version{std::make_shared<MemTable>(1, 4096), {}, tree});
  const auto entry = scan(version, at, {});
  std::string all;
  for (entry->seek_to_first(); entry->valid(); entry->next()) {
    all += (all.empty() ? "" : " ") + std::string(entry->key()) + "=" +
           std::string(entry->value());
  }
  if (!entry->status()) all += " error: " + entry->status().error().message;
  return all;
}

Numbers removed_by(const VersionEdit& edit) {
  Numbers numbers;
  for (const VersionEdit::Removed& removed : edit.removed)
    numbers.push_back(removed.number);
  std::ranges::sort(numbers);
  return numbers;
}

// The runs of a level: "[3 4] [1]".
std::string runs_of(const TreePtr& tree, int level) {
  std::string all;
  for (const RunPtr& run : tree->level(level)) {
    all += all.empty() ? "[" : " [";
    for (std::size_t i = 0; i < run->size(); ++i) {
      all += (i == 0 ? "" : " ") +
             std::to_string(run->tables()[i]->meta()->number);
    }
    all += "]";
  }
  return all;
}

}  // namespace

TEST_CASE("the compaction that compaction.h draws", "[2.1][task-5][core]") {
  STORY("Level 0: a@9 c@8, then a@4 b@6; level 6: a@2 d@1. Merge all into 6.");
  INVARIANT("I1 of compaction.h: reads of the outputs are reads of the inputs");
  Shelf shelf;
  const auto deep = shelf.add_table(6, "a@2=a2 d@1=d1");
  const auto older = shelf.add_table(0, "a@4=a4 b@6=b6");
  const auto newer = shelf.add_table(0, "a@9=a9 c@8=c8");
  const auto result = shelf.compact(shelf.everything(6));
  REQUIRE_OK(result);
  CHECK_SAME(contents(shelf, added_by(result->edit)),
             Strings{"a@9=a9 b@6=b6 c@8=c8 d@1=d1"});
  CHECK_SAME(removed_by(result->edit), Numbers{deep, older, newer});
  CHECK_SAME(result->entries_in, 6);
  CHECK_SAME(result->entries_out, 4);
  shelf.apply(result->edit);
  CHECK_SAME(runs_of(shelf.tree, 0), "");
  CHECK_SAME(walked(shelf.tree), "a=a9 b=b6 c=c8 d=d1");
}

TEST_CASE("the edit counts bytes and names the level", "[2.1][task-5][core]") {
  STORY("Two tables of level 0 merged into level 4, cut into small ones.");
  INVARIANT("I3 of compaction.h: removes the inputs, adds the outputs");
  Shelf shelf;
  shelf.add_run(0, {many(50, 100)});
  shelf.add_run(0, {many(50, 100, 100)});
  std::uint64_t before = 0;
  for (const LevelShape& level : shelf.tree->shape().levels)
    before += level.size_bytes();
  const auto result = shelf.compact(shelf.everything(4, 2000));
  REQUIRE_OK(result);
  CHECK_SAME(result->bytes_read, before);
  std::uint64_t after = 0;
  for (const VersionEdit::Added& added : result->edit.added) {
    CHECK_SAME(added.level, 4);
    after += added.file.size_bytes;
  }
  CHECK(result->edit.added.size() >= 3);
  CHECK_SAME(result->bytes_written, after);
}

TEST_CASE("the edit tells of tables and of nothing else",
          "[2.1][task-5][core]") {
  STORY("Two tables of level 0 merged; logs, numbers and sequences stay.");
  INVARIANT("I3 of compaction.h: the inputs out, the outputs in, nothing else");
  Shelf shelf;
  shelf.add_table(0, "a@1=x");
  shelf.add_table(0, "a@2=y");
  const auto result = shelf.compact(shelf.everything(6));
  REQUIRE_OK(result);
  CHECK_SAME(result->edit.oldest_log, std::nullopt);
  CHECK_SAME(result->edit.next_file_number, std::nullopt);
  CHECK_SAME(result->edit.last_sequence, std::nullopt);
}

TEST_CASE("a flush that lands meanwhile is not lost", "[2.1][task-5][core]") {
  STORY(
      "While a and b are merged, a flush adds a run with a newer a, a removed "
      "b and a new e. Then the edit is applied.");
  INVARIANT("I3 of compaction.h: the edit fits any tree with its inputs");
  Shelf shelf;
  const auto deep = shelf.add_table(6, "a@1=a1 b@2=b2");
  const auto top = shelf.add_table(0, "a@3=a3");
  const TreePtr before = shelf.tree;
  std::uint64_t flushed = 0;
  shelf.giving_up =
      std::make_shared<AskingFilter>([&](const InternalKey&, std::string_view) {
        if (flushed == 0) flushed = shelf.add_table(0, "a@7=a7 b@8 e@9=e9");
        return true;
      });
  const CompactionTask task = shelf.everything(6, 1);
  // The compaction keeps the tree that it began with.
  CompactionContext context = {shelf.fs,
                               shelf.folder,
                               Shelf::kStore,
                               shelf.numbers,
                               {256, Compression::none, shelf.filter.get()},
                               *shelf.retention,
                               *shelf.giving_up,
                               *before,
                               shelf.cancel};
  const auto result = run_compaction(context, task);
  REQUIRE_OK(result);
  if (flushed == 0) flushed = shelf.add_table(0, "a@7=a7 b@8 e@9=e9");
  CHECK_SAME(removed_by(result->edit), Numbers{deep, top});
  shelf.apply(result->edit);
  CHECK_SAME(runs_of(shelf.tree, 0), "[" + std::to_string(flushed) + "]");
  CHECK_SAME(walked(shelf.tree), "a=a7 e=e9");
  CHECK_SAME(walked(shelf.tree, 6), "a=a3 b=b2");
}

TEST_CASE("a merge of old runs stays behind newer ones",
          "[2.1][task-5][core]") {
  STORY("Level 0: k@9, k@6, k@4, k@2. Merge the two in the middle into 0.");
  INVARIANT("I1 of tree.h: level 0 holds runs newest first");
  Shelf shelf;
  const auto oldest = shelf.add_table(0, "k@2=d m@1=d");
  const auto third = shelf.add_table(0, "k@4=c x@3=c");
  const auto second = shelf.add_table(0, "k@6=b z@5=b");
  const auto newest = shelf.add_table(0, "k@9=a");
  const auto result = shelf.compact(shelf.task({second, third}, 0, 1));
  REQUIRE_OK(result);
  CHECK_SAME(contents(shelf, added_by(result->edit)),
             Strings{"k@6=b", "x@3=c", "z@5=b"});
  shelf.apply(result->edit);
  const auto first = result->edit.added[0].file.number;
  CHECK_SAME(runs_of(shelf.tree, 0), "[" + std::to_string(newest) + "] [" +
                                         std::to_string(first) + " " +
                                         std::to_string(first + 1) + " " +
                                         std::to_string(first + 2) + "] [" +
                                         std::to_string(oldest) + "]");
  CHECK_SAME(walked(shelf.tree), "k=a m=d x=c z=b");
}

TEST_CASE("a tombstone is carried down until nothing lies below",
          "[2.1][task-5][core]") {
  STORY("k removed in level 0, put in level 6: merge 0 into 4, then all.");
  INVARIANT("I1 of compaction.h: reads of the outputs are reads of the inputs");
  Shelf shelf;
  shelf.add_table(6, "a@1=a k@2=old");
  const auto top = shelf.add_table(0, "k@5 z@6");
  auto result = shelf.compact(shelf.task({top}, 4));
  REQUIRE_OK(result);
  CHECK_SAME(contents(shelf, added_by(result->edit)), Strings{"k@5"});
  shelf.apply(result->edit);
  CHECK_SAME(walked(shelf.tree), "a=a");
  result = shelf.compact(shelf.everything(6));
  REQUIRE_OK(result);
  CHECK_SAME(contents(shelf, added_by(result->edit)), Strings{"a@1=a"});
}

TEST_CASE("a part of a level is merged, the rest stays",
          "[2.1][task-5][core]") {
  STORY(
      "Level 1: [a b] [k l]; level 2: [a c] [k m] [x z]. l is removed in its "
      "table, and no other can hold it. Merge [k l] and [k m] into level 2.");
  Shelf shelf;
  const Numbers two = shelf.add_run(
      2, {parse("a@1=1 c@2=2"), parse("k@3=3 m@4=4"), parse("x@5=5 z@6=6")});
  const Numbers one =
      shelf.add_run(1, {parse("a@11=11 b@12"), parse("k@13=13 l@14")});
  const auto result = shelf.compact(shelf.task({one[1], two[1]}, 2));
  REQUIRE_OK(result);
  {
    INVARIANT("I3 of compaction.h: the edit removes exactly the inputs");
    CHECK_SAME(removed_by(result->edit), Numbers{two[1], one[1]});
  }
  {
    INVARIANT("I2 of drop_rule.h: a tombstone goes when no table can hold it");
    CHECK_SAME(contents(shelf, added_by(result->edit)),
               Strings{"k@13=13 m@4=4"});
  }
  INVARIANT("I2 of compaction.h: outputs are disjoint from what stays");
  shelf.apply(result->edit);
  CHECK_SAME(runs_of(shelf.tree, 1), "[" + std::to_string(one[0]) + "]");
  CHECK_SAME(walked(shelf.tree), "a=11 c=2 k=13 m=4 x=5 z=6");
}

TEST_CASE("what is all gone leaves no table", "[2.1][task-5][core]") {
  STORY("Level 0 removes a and b, level 6 has them. Merge all into 6.");
  INVARIANT("I2 of drop_rule.h: nothing below, so nothing to hide");
  Shelf shelf;
  shelf.add_table(6, "a@1=x b@2=y");
  shelf.add_table(0, "a@3 b@4");
  const auto result = shelf.compact(shelf.everything(6));
  REQUIRE_OK(result);
  CHECK_SAME(result->edit.added.size(), 0);
  CHECK_SAME(shelf.tables_on_disk().size(), 2);
  shelf.apply(result->edit);
  CHECK_SAME(walked(shelf.tree), "");
  CHECK_SAME(runs_of(shelf.tree, 6), "");
}

TEST_CASE("a task that names a table which is gone is refused",
          "[2.1][task-5][core]") {
  STORY("Merge a table, apply the edit, and run the same task again.");
  INVARIANT("run_compaction: internal, when the tree has no such table");
  Shelf shelf;
  const auto number = shelf.add_table(0, "a@1=x");
  const CompactionTask task = shelf.everything(6);
  const auto result = shelf.compact(task);
  REQUIRE_OK(result);
  shelf.apply(result->edit);
  const auto again = shelf.compact(task);
  CHECK_ERROR(again, Code::internal);
  REQUIRE_SAME(again.has_value(), false);
  const std::string name = std::to_string(number);
  CHECK_SAME(part_of(again.error().message, name), name);
}

TEST_CASE("a damaged input is an error that names its file",
          "[2.1][task-5][core]") {
  STORY(
      "Three inputs of many blocks; a bit flips in the second, at 0, 30, 60 "
      "and 80 % of the file in turn.");
  INVARIANT("I5 of compaction.h: an unreadable input is no shorter input");
  for (const std::uint64_t percent : {0U, 30U, 60U, 80U}) {
    Shelf shelf;
    shelf.add_run(6, {many(100, 50)});
    const std::uint64_t damaged = shelf.add_run(0, {many(100, 50, 200)})[0];
    shelf.add_run(0, {many(100, 50, 400)});
    const Strings before = shelf.tables_on_disk();
    const std::uint64_t size =
        shelf.tree->find_handle(0, damaged)->meta()->size_bytes;
    REQUIRE_OK(shelf.disk.flip_bit(shelf.path_of(damaged),
                                   size * percent / 100 * 8 + 3));
    const auto result = shelf.compact(shelf.everything(6, 2000));
    INFO("the bit at " << percent << " % of the file");
    CHECK_ERROR(result, Code::corruption);
    REQUIRE_SAME(result.has_value(), false);
    const std::string name = shelf.path_of(damaged);
    CHECK_SAME(part_of(result.error().message, name), name);
    CHECK_SAME(shelf.tables_on_disk(), before);
  }
}

TEST_CASE("inputs are read ahead", "[2.1][task-5][core]") {
  STORY("Two runs of some 600 blocks of 256 bytes each; reads are counted.");
  INVARIANT("cost: each input byte once, sequentially, in large reads");
  Shelf shelf;
  shelf.add_run(6, {many(1500, 100)});
  shelf.add_run(0, {many(1500, 100, 5000)});
  const std::uint64_t before = shelf.fs.operations(kRead);
  const auto result = shelf.compact(shelf.everything(6));
  REQUIRE_OK(result);
  CHECK(shelf.fs.operations(kRead) - before < 60);
}

TEST_CASE("inputs are read around the cache", "[2.1][task-5][core]") {
  STORY("Two runs of many blocks; the cache counts what it is asked for.");
  INVARIANT("cost of compaction.h: each input byte once, around the cache");
  Shelf shelf;
  shelf.add_run(6, {many(200, 100)});
  shelf.add_run(0, {many(200, 100, 500)});
  const std::uint64_t before = shelf.store->cache->stats().misses;
  const auto result = shelf.compact(shelf.everything(6));
  REQUIRE_OK(result);
  CHECK_SAME(shelf.store->cache->stats().misses - before, 0);
}

TEST_CASE("the tables of a run are opened one after another",
          "[2.1][task-5][core]") {
  STORY(
      "Two runs of three tables each. When the first entry is judged, how "
      "many tables have been opened?");
  INVARIANT("cost of compaction.h: memory is one read-ahead an input run");
  Shelf shelf;
  shelf.add_run(6, {parse("a@1=1 b@2=2"), parse("c@3=3"), parse("d@4=4")});
  shelf.add_run(0, {parse("a@5=5"), parse("b@6=6 c@7=7"), parse("d@8=8")});
  const std::uint64_t before = shelf.fs.operations(kOpen);
  std::uint64_t opened = 0;
  shelf.retention = std::make_shared<WatchedStripe>([&] {
    if (opened == 0) opened = shelf.fs.operations(kOpen) - before;
  });
  const auto result = shelf.compact(shelf.everything(6));
  REQUIRE_OK(result);
  CHECK_SAME(opened, 2);
  CHECK_SAME(shelf.fs.operations(kOpen) - before, 6);
}

TEST_CASE("any operation of the disk may fail, and nothing is left behind",
          "[2.1][task-5][gold]") {
  STORY("A compaction of three tables into several; its nth operation fails.");
  INVARIANT("I4 of compaction.h: after an error no output is left behind");
  std::uint64_t failures = 0;
  for (std::uint64_t nth = 1;; ++nth) {
    Shelf shelf;
    shelf.add_run(6, {many(40, 50)});
    shelf.add_run(0, {many(40, 50, 100)});
    shelf.add_run(0, {many(40, 50, 200)});
    const Strings before = shelf.tables_on_disk();
    const std::string rows = walked(shelf.tree);
    const CompactionTask task = shelf.everything(6, 1000);
    shelf.fs.inject({.nth = nth});
    const auto result = shelf.compact(task);
    shelf.fs.lift();
    if (result) break;
    ++failures;
    INFO("operation " << nth << ": " << result.error().message);
    REQUIRE_SAME(result.error().code, Code::io);
    REQUIRE_SAME(shelf.tables_on_disk(), before);
    REQUIRE_SAME(walked(shelf.tree), rows);
    // The next try, under new numbers, succeeds.
    const auto again = shelf.compact(task);
    REQUIRE_OK(again);
    shelf.apply(again->edit);
    REQUIRE_SAME(walked(shelf.tree), rows);
  }
  CHECK(failures >= 15);
}

TEST_CASE("a full disk stops a compaction and loses nothing",
          "[2.1][task-5][gold]") {
  STORY("The disk is full from the nth operation that takes space.");
  INVARIANT("I4 of compaction.h: after an error no output is left behind");
  for (std::uint64_t nth = 1; nth <= 12; ++nth) {
    Shelf shelf;
    shelf.add_run(6, {many(40, 200)});
    shelf.add_run(0, {many(40, 200, 100)});
    const Strings before = shelf.tables_on_disk();
    shelf.fs.inject(full_disk_from(nth));
    const auto result = shelf.compact(shelf.everything(6, 1000));
    shelf.fs.lift();
    REQUIRE_SAME(result.has_value(), false);
    CHECK_ERROR(result, Code::no_space);
    CHECK_SAME(shelf.tables_on_disk(), before);
  }
}

TEST_CASE("random trees, compactions and snapshots agree with the model",
          "[2.1][task-5][core]") {
  SEEDED_RANDOM(random, 21);
  STORY("Flushes and compactions at random; every read is compared.");
  INVARIANT("I1 of compaction.h: reads of the outputs are reads of the inputs");
  for (std::size_t round = 0; round < scaled(12); ++round) {
    Shelf shelf;
    Model model;
    std::set<Sequence> snapshots;
    Sequence sequence = 0;
    for (int step = 0; step < 25; ++step) {
      // A flush.
      Entries entries;
      for (std::uint64_t n = random.between(1, 30); n > 0; --n) {
        const std::string key = random.text(random.below(3), "abcd");
        const Kind kind = random.one_in(3) ? Kind::remove : Kind::put;
        const std::string value = kind == Kind::put
                                      ? "v" + std::to_string(++sequence)
                                      : (++sequence, "");
        model.apply(kind, key, value, sequence);
        entries.emplace_back(InternalKeyBuffer({key, make_tag(sequence, kind)}),
                             value);
      }
      sort_entries(entries);
      shelf.add_run(0, {entries});
      if (random.one_in(3)) snapshots.insert(sequence);
      if (random.one_in(5) && !snapshots.empty()) {
        snapshots.erase(snapshots.begin());
      }
      shelf.retention = std::make_shared<Stripes>(snapshots);
      if (!random.one_in(2)) continue;

      // A compaction: neighbours in age within level 0; or the oldest runs of
      // level 0, or one table, with all that overlaps further down.
      const auto& top = shelf.tree->level(0);
      std::set<std::uint64_t> inputs;
      int output_level = 0;
      const auto take = [&](const RunPtr& run) {
        for (const TableHandlePtr& table : run->tables())
          inputs.insert(table->meta()->number);
      };
      const std::size_t from = random.below(top.size() + 1);
      if (random.one_in(3) && from < top.size()) {
        const std::size_t last = random.between(from, top.size() - 1);
        for (std::size_t i = from; i <= last; ++i)
          take(top[i]);
      } else {
        output_level = static_cast<int>(random.between(1, 6));
        if (from < top.size() || random.one_in(2)) {
          for (std::size_t i = from; i < top.size(); ++i)
            take(top[i]);
          for (int level = 1; level <= output_level; ++level) {
            for (const RunPtr& run : shelf.tree->level(level))
              take(run);
          }
        } else {
          const int level = output_level - 1;
          if (level == 0 || shelf.tree->level(level).empty()) continue;
          const auto& tables = shelf.tree->level(level)[0]->tables();
          const FileMeta& upper = *random.pick(tables)->meta();
          inputs.insert(upper.number);
          for (const RunPtr& run : shelf.tree->level(output_level)) {
            for (const TableHandlePtr& table : run->tables()) {
              if (table->meta()->largest.user() >= upper.smallest.user() &&
                  table->meta()->smallest.user() <= upper.largest.user()) {
                inputs.insert(table->meta()->number);
              }
            }
          }
        }
      }
      if (inputs.empty()) continue;
      const auto result = shelf.compact(
          shelf.task(inputs, output_level, random.between(1, 3000)));
      REQUIRE_OK(result);
      shelf.apply(result->edit);

      std::set<Sequence> readers = snapshots;
      readers.insert(sequence);
      for (const Sequence at : readers) {
        std::string expected;
        for (const auto& [key, value] : model.scan(at)) {
          expected += (expected.empty() ? "" : " ") + key + "=" + value;
        }
        INFO("at sequence " << at);
        REQUIRE_SAME(walked(shelf.tree, at), expected);
        const Version version{
            std::make_shared<MemTable>(1, 4096), {}, shelf.tree};
        for (const char* key : {"", "a", "b", "ab", "cd", "dd"}) {
          std::string value;
          const Result<bool> found = version.get(key, at, value);
          REQUIRE_OK(found);
          const std::optional<std::string> wanted = model.get(key, at);
          REQUIRE_SAME(*found, wanted.has_value());
          if (wanted) REQUIRE_SAME(value, *wanted);
        }
      }
    }
    // Merged whole and without snapshots, only what lives is left.
    shelf.retention = std::make_shared<Stripes>();
    const auto result = shelf.compact(shelf.everything(6));
    REQUIRE_OK(result);
    REQUIRE_SAME(result->entries_out, model.scan().size());
  }
}

// Task 6: what the application gives up.

TEST_CASE("a put that the filter gives up is buried or dropped",
          "[2.1][task-6][gold]") {
  STORY("old@3 and old@2, new@4; the filter gives up `old`.");
  INVARIANT("I4 of drop_rule.h: what is given up counts as a tombstone");
  const AskingFilter filter([](const InternalKey& key, std::string_view) {
    return key.user != "old";
  });
  CHECK_SAME(judged("new@4=n old@3=o old@2=p", Stripes(), {}, filter),
             "new@4 keep, old@3 drop, old@2 drop");
  CHECK_SAME(judged("new@4=n old@3=o old@2=p", Stripes(),
                    {run_of({meta(1, "a", "z")})}, filter),
             "new@4 keep, old@3 bury, old@2 drop");
}

TEST_CASE("the filter is asked of a key's newest put only",
          "[2.1][task-6][gold]") {
  STORY("a put over a put, b removed over a put, c put over a tombstone.");
  INVARIANT("I1 of compaction_filter.h: the newest version, and only puts");
  const AskingFilter filter(
      [](const InternalKey&, std::string_view) { return false; });
  CHECK_SAME(judged("a@5=x a@4=y b@7 b@6=z c@9=u c@8", Stripes(),
                    {run_of({meta(1, "a", "z")})}, filter),
             "a@5 bury, a@4 drop, b@7 keep, b@6 drop, c@9 bury, c@8 drop");
  CHECK_SAME(filter.asked, Strings{"a@5", "c@9"});
}

TEST_CASE("the filter is not asked of what a snapshot sees",
          "[2.1][task-6][gold]") {
  STORY("a@9 over a@4, b@3 alone; a snapshot at 5; all is given up.");
  INVARIANT("I1 of compaction_filter.h: only where no snapshot sees the entry");
  const AskingFilter filter(
      [](const InternalKey&, std::string_view) { return false; });
  CHECK_SAME(judged("a@9=x a@4=y b@3=z", Stripes({5}), {}, filter),
             "a@9 bury, a@4 keep, b@3 keep");
  CHECK_SAME(filter.asked, Strings{"a@9"});
}

TEST_CASE("a buried put is written as a tombstone of its sequence",
          "[2.1][task-6][gold]") {
  STORY("Level 0: k@8, m@9; below: k@1. The filter gives up k; merge into 3.");
  INVARIANT("I2 of compaction_filter.h: it becomes a tombstone, with no value");
  Shelf shelf;
  shelf.add_table(6, "k@1=k1");
  const auto top = shelf.add_table(0, "k@8=k8 m@9=m9");
  shelf.giving_up = std::make_shared<AskingFilter>(
      [](const InternalKey& key, std::string_view value) {
        return key.user != "k" || value != "k8";
      });
  const auto result = shelf.compact(shelf.task({top}, 3));
  REQUIRE_OK(result);
  CHECK_SAME(contents(shelf, added_by(result->edit)), Strings{"k@8 m@9=m9"});
  CHECK_SAME(result->edit.added[0].file.tombstones, 1);
  CHECK_SAME(result->entries_out, 2);
  shelf.apply(result->edit);
  CHECK_SAME(walked(shelf.tree), "m=m9");
}

// Task 7: stop.

TEST_CASE("a compaction that is cancelled stops soon and leaves nothing",
          "[2.1][task-7][gold]") {
  STORY("10,000 entries into small tables; cancelled at the 3,000th.");
  INVARIANT("run_compaction: closed, when cancelled; I4: no output is left");
  Shelf shelf;
  shelf.add_run(0, {many(10'000, 10)});
  std::size_t asked = 0;
  shelf.giving_up =
      std::make_shared<AskingFilter>([&](const InternalKey&, std::string_view) {
        if (++asked == 3000) shelf.cancel = true;
        return true;
      });
  const Strings before = shelf.tables_on_disk();
  const auto result = shelf.compact(shelf.everything(6, 5000));
  CHECK_ERROR(result, Code::closed);
  CHECK(asked >= 3000);
  CHECK(asked <= 3000 + 2000);
  CHECK_SAME(shelf.tables_on_disk(), before);
}

TEST_CASE("a compaction that writes nothing is cancelled, too",
          "[2.1][task-7][gold]") {
  STORY("10,000 tombstones with nothing below; the store is closing.");
  INVARIANT("run_compaction: closed, when cancelled");
  Shelf shelf;
  Entries entries;
  for (auto& [key, value] : many(10'000, 0)) {
    entries.emplace_back(
        InternalKeyBuffer(
            {key.user(), make_tag(key.view().sequence(), Kind::remove)}),
        "");
  }
  shelf.add_run(0, {entries});
  shelf.cancel = true;
  const auto result = shelf.compact(shelf.everything(6));
  CHECK_ERROR(result, Code::closed);
}

TEST_CASE("a compaction that nobody cancels ends", "[2.1][task-7][gold]") {
  STORY("The same 10,000 entries; nobody cancels.");
  INVARIANT("I1 of compaction.h: reads of the outputs are reads of the inputs");
  Shelf shelf;
  shelf.add_run(0, {many(10'000, 10)});
  const auto result = shelf.compact(shelf.everything(6, 50'000));
  REQUIRE_OK(result);
  CHECK_SAME(result->entries_out, 10'000);
}

}  // namespace lsm::test
