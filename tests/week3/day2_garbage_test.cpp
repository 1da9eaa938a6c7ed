// Day 3.2, garbage: which versions the live snapshots can tell apart
// (stripes.h), under the drop rule of day 2.1; and what is rewritten once they
// are gone (garbage.h). Versions are written as "k@9=d k@4": a put at 9, a
// tombstone at 4.
#include "garbage.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/block_cache.h"
#include "base/sim_file_system.h"
#include "compaction.h"
#include "drop_rule.h"
#include "stripes.h"
#include "support/catch.h"
#include "support/model.h"
#include "support/random.h"
#include "support/shapes.h"
#include "support/teach.h"
#include "version.h"

namespace lsm::test {
namespace {

using Entries = std::vector<Entry>;
using Sequences = std::vector<Sequence>;
using Numbers = std::vector<std::uint64_t>;

const KeepAll kKeepAll;

std::vector<std::size_t> stripes_of(const Stripes& stripes, Sequence last) {
  std::vector<std::size_t> all;
  for (Sequence sequence = 0; sequence <= last; ++sequence)
    all.push_back(stripes.stripe(sequence));
  return all;
}

// A run below, of one table that may hold any key; it is never opened.
RunPtr anything_below() {
  FileMeta file;
  file.number = 1;
  file.smallest = InternalKeyBuffer({"", make_tag(1, Kind::put)});
  file.largest = InternalKeyBuffer({"\xff", make_tag(1, Kind::put)});
  auto handle = std::make_shared<const TableHandle>(
      std::make_shared<const TableStore>(),
      std::make_shared<const FileMeta>(file));
  return std::make_shared<const Run>(std::vector<TableHandlePtr>{handle});
}

// What is left of `entries` after a compaction under `retention`.
Entries compacted(const Entries& entries, const Retention& retention,
                  const std::vector<RunPtr>& below = {}) {
  DropRule rule(retention, kKeepAll, below);
  Entries kept;
  for (const auto& [key, value] : entries) {
    if (rule.judge(key.view(), value) == DropRule::Verdict::keep)
      kept.emplace_back(key, value);
  }
  return kept;
}

Model model_of(const Entries& entries) {
  Model model;
  for (const auto& [key, value] : entries) {
    const InternalKey at = key.view();
    model.apply(at.kind(), at.user, value, at.sequence());
  }
  return model;
}

std::string text(const Entries& entries) {
  std::string all;
  for (const auto& [key, value] : entries) {
    const InternalKey at = key.view();
    if (!all.empty()) all += " ";
    all.append(at.user).append("@").append(std::to_string(at.sequence()));
    if (at.kind() == Kind::put) all.append("=").append(value);
  }
  return all;
}

// "k@9=d k@4" as entries; in the order of internal keys already.
Entries parse(std::string_view all) {
  Entries entries;
  std::istringstream words{std::string(all)};
  for (std::string word; words >> word;) {
    const std::size_t at = word.find('@');
    const std::size_t is = word.find('=', at);
    const Sequence sequence = std::strtoull(word.c_str() + at + 1, nullptr, 10);
    const Kind kind = is == std::string::npos ? Kind::remove : Kind::put;
    entries.emplace_back(
        InternalKeyBuffer({word.substr(0, at), make_tag(sequence, kind)}),
        kind == Kind::put ? word.substr(is + 1) : "");
  }
  return entries;
}

// Keeps whatever lies above the oldest snapshot, as one number allows.
class Watermark final : public Retention {
 public:
  explicit Watermark(Sequence oldest) : oldest_(oldest) {}
  std::size_t stripe(Sequence sequence) const override {
    return sequence <= oldest_ ? 0 : sequence - oldest_;
  }

 private:
  Sequence oldest_;
};

}  // namespace

// Task 1: stripes.

TEST_CASE("the stripes that stripes.h draws", "[3.2][task-1][core]") {
  STORY("Snapshots at 3 and 7.");
  INVARIANT(
      "I1 of stripes.h: stripe(s) is the number of live snapshots below s");
  const Stripes stripes({3, 7});
  CHECK_SAME(stripes_of(stripes, 9),
             std::vector<std::size_t>{0, 0, 0, 0, 1, 1, 1, 1, 2, 2});
}

TEST_CASE("a snapshot sees its own sequence", "[3.2][task-1][core]") {
  STORY("One snapshot at 5; asked of 4, 5 and 6.");
  INVARIANT("I1 of stripes.h: a snapshot sees its own sequence");
  const Stripes stripes({5});
  CHECK_SAME(stripes.stripe(4), 0);
  CHECK_SAME(stripes.stripe(5), 0);
  CHECK_SAME(stripes.stripe(6), 1);
}

TEST_CASE("without snapshots all is one stripe", "[3.2][task-1][core]") {
  STORY("Nobody holds anything.");
  INVARIANT("I3 of stripes.h: there are live + 1 stripes");
  const Stripes stripes({});
  CHECK_SAME(stripes.stripe(0), 0);
  CHECK_SAME(stripes.stripe(12'345), 0);
  CHECK_SAME(stripes.stripe(kMaxSequence), 0);
}

TEST_CASE("what is newer than every snapshot has a stripe of its own",
          "[3.2][task-1][core]") {
  STORY("Snapshots at 1, 2, 3 and 1000; asked of 1000, 1001 and the largest.");
  INVARIANT("I3 of stripes.h: there are live + 1 stripes");
  const Stripes stripes({1, 2, 3, 1000});
  CHECK_SAME(stripes.stripe(1000), 3);
  CHECK_SAME(stripes.stripe(1001), 4);
  CHECK_SAME(stripes.stripe(kMaxSequence), 4);
}

TEST_CASE("a snapshot of the empty store has a stripe too",
          "[3.2][task-1][core]") {
  STORY("A snapshot at 0, before anything was written, and one at 2.");
  INVARIANT(
      "I1 of stripes.h: stripe(s) is the number of live snapshots below s");
  const Stripes stripes({0, 2});
  CHECK_SAME(stripes_of(stripes, 3), std::vector<std::size_t>{0, 1, 1, 2});
}

TEST_CASE("one stripe is what nobody can tell apart", "[3.2][task-1][core]") {
  STORY("Every set of snapshots among 0 … 7, and every two sequences.");
  INVARIANT(
      "I2 of stripes.h: one stripe: every live snapshot sees both or neither");
  for (unsigned set = 0; set < 256; ++set) {
    Sequences live;
    for (Sequence at = 0; at < 8; ++at) {
      if ((set >> at & 1) != 0) live.push_back(at);
    }
    const Stripes stripes(live);
    for (Sequence a = 0; a <= 8; ++a) {
      for (Sequence b = a; b <= 8; ++b) {
        const bool told_apart = std::ranges::any_of(
            live, [&](Sequence at) { return (a <= at) != (b <= at); });
        CAPTURE(live, a, b);
        REQUIRE_SAME(stripes.stripe(a) == stripes.stripe(b), !told_apart);
        REQUIRE_SAME(stripes.stripe(a) <= stripes.stripe(b), true);  // I3
      }
    }
  }
}

TEST_CASE("one version a stripe, not all above the watermark",
          "[3.2][task-1][core]") {
  STORY("k put at 9, 8, 6, 5 and 2; snapshots at 3 and 7.");
  INVARIANT("I1 of drop_rule.h, with the stripes of stripes.h");
  const Entries all = parse("k@9=e k@8=d k@6=c k@5=b k@2=a");
  CHECK_SAME(text(compacted(all, Stripes({3, 7}))), "k@9=e k@6=c k@2=a");
  CHECK_SAME(text(compacted(all, Stripes({3}))), "k@9=e k@2=a");
  CHECK_SAME(text(compacted(all, Stripes({7}))), "k@9=e k@6=c");
  CHECK_SAME(text(compacted(all, Stripes({}))), "k@9=e");
  CHECK_SAME(text(compacted(all, Watermark(3))),
             "k@9=e k@8=d k@6=c k@5=b k@2=a");
}

TEST_CASE("what one long-held snapshot costs", "[3.2][task-1][core]") {
  STORY(
      "1,000 keys are written ten times over, and compacted. A snapshot was "
      "taken after the first round.");
  INVARIANT(
      "I2 of stripes.h: two stripes: what it sees, and what all others see");
  Model model;
  Sequence sequence = 0;
  for (int round = 0; round < 10; ++round) {
    for (int key = 1000; key < 2000; ++key)
      model.put(std::to_string(key), "v", ++sequence);
  }
  const Entries all = model.entries();
  CHECK_SAME(all.size(), 10'000);
  CHECK_SAME(compacted(all, Stripes({})).size(), 1'000);
  CHECK_SAME(compacted(all, Stripes({1'000})).size(), 2'000);
  CHECK_SAME(compacted(all, Watermark(1'000)).size(), 10'000);
  // A second one adds what changed between the two, and what it alone sees.
  CHECK_SAME(compacted(all, Stripes({1'000, 1'001})).size(), 2'001);
  CHECK_SAME(compacted(all, Stripes({1'000, 5'000})).size(), 3'000);
  // One that was taken when nothing has been written since costs nothing.
  CHECK_SAME(compacted(all, Stripes({10'000})).size(), 1'000);
}

TEST_CASE("a million snapshots are searched, not walked along",
          "[3.2][task-1][gold]") {
  STORY(
      "A million snapshots, at even sequences; asked about 20,000 entries "
      "of every age.");
  INVARIANT("cost: a binary search an entry that is compacted");
  constexpr std::uint64_t kEntries = 20'000;
  Sequences live;
  for (Sequence i = 0; i < 1'000'000; ++i)
    live.push_back(2 * i);
  const Stripes stripes(std::move(live));
  const auto began = std::chrono::steady_clock::now();
  std::uint64_t asked = 0;
  for (; asked < kEntries; ++asked) {
    const std::uint64_t below = 49 * asked + 1;  // 0, 2, … are live
    REQUIRE_SAME(stripes.stripe(2 * below - 1), below);
    if (std::chrono::steady_clock::now() - began > std::chrono::seconds(5)) {
      break;
    }
  }
  INFO("asked about " << asked << " entries in five seconds");
  CHECK_SAME(asked, kEntries);
}

namespace {

// Bit i of `writes` says whether one key has a version at sequence i + 1, bit i
// of `puts` whether that is a put. Newest first.
Entries history_of(unsigned writes, unsigned puts, unsigned length) {
  Entries entries;
  for (unsigned i = length; i-- > 0;) {
    if ((writes >> i & 1) == 0) continue;
    const Kind kind = (puts >> i & 1) != 0 ? Kind::put : Kind::remove;
    entries.emplace_back(
        InternalKeyBuffer({"k", make_tag(i + 1, kind)}),
        kind == Kind::put ? std::string(1, 'a' + char(i)) : "");
  }
  return entries;
}

// What is wrong with `kept`, which was `all`, under these snapshots.
std::string wrong_with(const Entries& kept, const Entries& all,
                       const Sequences& live, bool something_below) {
  const Model before = model_of(all);
  const Model after = model_of(kept);
  Sequences readers = live;
  readers.push_back(kMaxSequence);
  // The newest version that a reader sees; none if it sees none.
  const auto seen = [](const Entries& entries, Sequence at) {
    const Entry* newest = nullptr;
    for (const Entry& entry : entries) {
      if (newest == nullptr && entry.first.view().sequence() <= at)
        newest = &entry;
    }
    return newest;
  };
  std::set<Sequence> needed;
  for (const Sequence at : readers) {
    if (before.get("k", at) != after.get("k", at))
      return "a reader at " + std::to_string(at) + " sees something else";
    if (const Entry* entry = seen(all, at)) {
      const InternalKey key = entry->first.view();
      // The oldest of all that are needed may go, if it is a tombstone with
      // nothing below.
      const bool in_oldest = live.empty() || key.sequence() <= live.front();
      if (key.kind() == Kind::put || !in_oldest || something_below)
        needed.insert(key.sequence());
    }
  }
  std::set<Sequence> left;
  for (const Entry& entry : kept)
    left.insert(entry.first.view().sequence());
  if (left == needed) return "";
  return "kept " + show(left) + ", needed " + show(needed);
}

}  // namespace

TEST_CASE("every history under every set of snapshots keeps what is needed",
          "[3.2][task-1][core]") {
  STORY(
      "Every history of one key over five sequences, puts and tombstones, "
      "under every set of snapshots among 0 … 5; with and without something "
      "below.");
  INVARIANT("I2 of stripes.h: each reader's version stays, and no other");
  constexpr unsigned kLength = 5;
  const std::vector<RunPtr> below{anything_below()};
  std::size_t cases = 0;
  for (unsigned set = 0; set < 64; ++set) {
    Sequences live;
    for (Sequence at = 0; at <= kLength; ++at) {
      if ((set >> at & 1) != 0) live.push_back(at);
    }
    const Stripes stripes(live);
    for (unsigned writes = 0; writes < 32; ++writes) {
      for (unsigned puts = 0; puts < 32; ++puts) {
        if ((puts & ~writes) != 0) continue;
        const Entries all = history_of(writes, puts, kLength);
        for (const bool something : {false, true}) {
          ++cases;
          const Entries kept = compacted(
              all, stripes, something ? below : std::vector<RunPtr>{});
          const std::string wrong = wrong_with(kept, all, live, something);
          if (wrong.empty()) continue;
          CAPTURE(text(all), live, something);
          REQUIRE_SAME(wrong, "");
        }
      }
    }
  }
  CHECK_SAME(cases, 64 * 243 * 2);  // 3^5 histories
}

TEST_CASE("snapshots come and go, compactions follow, every scan stays",
          "[3.2][task-1][core]") {
  STORY(
      "Random writes to 12 keys, snapshots taken and given up, and a "
      "compaction of everything now and then.");
  INVARIANT("I2 of stripes.h: whatever a live snapshot sees stays");
  SEEDED_RANDOM(random, 321);
  Model all;
  Model store;
  Sequence sequence = 0;
  std::vector<std::pair<Sequence, std::vector<Row>>> held;
  for (std::size_t step = 0; step < scaled(3'000); ++step) {
    const std::string key = random.text(1, "abcdefghijkl");
    const Kind kind = random.one_in(4) ? Kind::remove : Kind::put;
    const std::string value = std::to_string(++sequence);
    store.apply(kind, key, value, sequence);
    all.apply(kind, key, value, sequence);
    if (random.one_in(7)) held.emplace_back(sequence, all.scan(sequence));
    if (!held.empty() && random.one_in(8)) {
      std::swap(random.pick(held), held.back());
      held.pop_back();
    }
    if (!random.one_in(20)) continue;

    std::set<Sequence> live;
    for (const auto& [at, rows] : held)
      live.insert(at);
    const Stripes stripes(Sequences(live.begin(), live.end()));
    const Entries kept = compacted(store.entries(), stripes);
    store = model_of(kept);
    REQUIRE_SAME(store.scan(), all.scan());
    for (const auto& [at, rows] : held)
      REQUIRE_SAME(store.scan(at), rows);
    // One version of a key in a stripe.
    std::set<std::pair<std::string, std::size_t>> seen;
    for (const auto& [entry, bytes] : kept) {
      REQUIRE_SAME(
          seen.emplace(entry.user(), stripes.stripe(entry.view().sequence()))
              .second,
          true);
    }
  }
}

TEST_CASE("once nobody reads the past, a compaction leaves none of it",
          "[3.2][task-1][core]") {
  STORY(
      "k put at 9, 6 and 2, removed at 4. Snapshots at 3, 5 and 7 go by "
      "turns.");
  INVARIANT(
      "I2 of stripes.h: what no live snapshot tells apart is one version");
  Entries all = parse("k@9=d k@6=c k@4 k@2=a");
  all = compacted(all, Stripes({3, 5, 7}));
  CHECK_SAME(text(all), "k@9=d k@6=c k@4 k@2=a");
  all = compacted(all, Stripes({5, 7}));
  CHECK_SAME(text(all), "k@9=d k@6=c");
  all = compacted(all, Stripes({5}));
  CHECK_SAME(text(all), "k@9=d");
}

// Garbage. Tables are described by what is known of them without opening them.
namespace {

FileMetaPtr table(std::uint64_t number, std::string_view smallest,
                  std::string_view largest, std::uint64_t entries,
                  std::uint64_t hidden, std::uint64_t tombstones,
                  Sequence newest = 100) {
  auto file = std::make_shared<FileMeta>();
  file->number = number;
  file->size_bytes = entries * 10;
  file->entries = entries;
  file->hidden = hidden;
  file->tombstones = tombstones;
  file->smallest = InternalKeyBuffer({smallest, make_tag(newest, Kind::put)});
  file->largest = InternalKeyBuffer({largest, make_tag(newest, Kind::put)});
  file->newest_sequence = newest;
  file->oldest_sequence = 1;
  return file;
}

std::vector<RunShape>& runs_at(TreeShape& shape, int level) {
  return shape.levels[static_cast<std::size_t>(level)].runs;
}
TreeShape deepest(int level, std::vector<FileMetaPtr> files) {
  TreeShape shape;
  runs_at(shape, level).push_back({std::move(files)});
  return shape;
}

std::string picked(const TreeShape& shape,
                   std::optional<Sequence> oldest = std::nullopt) {
  return text_of(pick_garbage(shape, oldest, 1000));
}

// The shape after `task`: what could go has gone.
void rewrite(TreeShape& shape, const CompactionTask& task,
             std::uint64_t& next_number) {
  for (RunShape& run : runs_at(shape, task.output_level)) {
    std::vector<FileMetaPtr> files;
    for (const FileMetaPtr& file : run.files) {
      bool is_input = false;
      for (const RunShape& input : task.inputs.at(0).runs)
        is_input |= std::ranges::find(input.files, file) != input.files.end();
      if (!is_input) {
        files.push_back(file);
        continue;
      }
      FileMeta clean = *file;
      const std::uint64_t gone = clean.hidden + clean.tombstones;
      clean.hidden = clean.tombstones = 0;
      clean.number = next_number++;
      if (gone >= clean.entries) continue;
      clean.entries -= gone;
      files.push_back(std::make_shared<const FileMeta>(clean));
    }
    run.files = std::move(files);
  }
  std::erase_if(runs_at(shape, task.output_level),
                [](const RunShape& run) { return run.files.empty(); });
}

}  // namespace

// Task 2: what is garbage.

TEST_CASE("garbage is what is hidden, and what hides", "[3.2][task-2][core]") {
  STORY("Tables of 100: 30 hidden, 7 tombstones; 5 and 0; 0 and 5; clean.");
  INVARIANT("garbage_in: how many entries could go");
  CHECK_SAME(garbage_in(*table(1, "a", "c", 100, 30, 7)), 37);
  CHECK_SAME(garbage_in(*table(2, "a", "c", 100, 5, 0)), 5);
  CHECK_SAME(garbage_in(*table(3, "a", "c", 100, 0, 5)), 5);
  CHECK_SAME(garbage_in(*table(4, "a", "c", 100, 0, 0)), 0);
}

TEST_CASE("a table is free when the oldest snapshot sees all of it",
          "[3.2][task-2][core]") {
  STORY("A table whose newest entry is 50; snapshots at 49, 50 and 51.");
  INVARIANT("I2 of garbage.h: all of its entries lie in stripe 0");
  const FileMetaPtr fifty = table(1, "a", "c", 10, 5, 0, 50);
  CHECK_SAME(is_below_snapshots(*fifty, 49), false);
  CHECK_SAME(is_below_snapshots(*fifty, 50), true);
  CHECK_SAME(is_below_snapshots(*fifty, 51), true);
  CHECK_SAME(is_below_snapshots(*fifty, std::nullopt), true);
  CHECK_SAME(is_below_snapshots(*fifty, 0), false);
}

// Task 3: where it lies, and what is done.

TEST_CASE("nothing is picked where nothing is", "[3.2][task-3][core]") {
  STORY("An empty tree; and a tree of one clean table.");
  INVARIANT("I3 of garbage.h: only where entries can go");
  CHECK_SAME(picked(TreeShape()), "nothing");
  CHECK_SAME(picked(deepest(6, {table(1, "a", "c", 100, 0, 0)})), "nothing");
}

TEST_CASE("a table is rewritten in its place", "[3.2][task-3][core]") {
  STORY("Level 6: 12, 13 with 40 of 100 hidden, and 14.");
  INVARIANT("I4 of garbage.h: no other table changes");
  const TreeShape shape = deepest(
      6, {table(12, "a", "c", 100, 0, 0), table(13, "d", "f", 100, 40, 0),
          table(14, "g", "k", 100, 0, 0)});
  const std::optional<CompactionTask> task =
      pick_garbage(shape, std::nullopt, 4096);
  REQUIRE_SAME(text_of(task), "6: 13 -> 6");
  CHECK_SAME(task->target_file_size_bytes, 4096);
  CHECK_SAME(task->trivial_move, false);
  CHECK_SAME(task->reason.empty(), false);
}

TEST_CASE("the deepest level that holds a table is the bottom",
          "[3.2][task-3][core]") {
  STORY("Garbage in levels 2 and 4; 5 and 6 are empty, then 6 is not.");
  INVARIANT("I1 of garbage.h: only tables of the deepest level");
  TreeShape shape = deepest(4, {table(4, "a", "z", 100, 20, 0)});
  runs_at(shape, 2).push_back({{table(2, "a", "z", 100, 90, 0)}});
  CHECK_SAME(picked(shape), "4: 4 -> 4");
  runs_at(shape, 6).push_back({{table(6, "a", "z", 100, 0, 0)}});
  CHECK_SAME(picked(shape), "nothing");
}

TEST_CASE("a live snapshot protects what it may see", "[3.2][task-4][core]") {
  STORY("The tables of garbage.h: 12 is clean, 13 up to 700, 14 up to 950.");
  INVARIANT(
      "I2 of garbage.h: only a table that the oldest live snapshot sees all "
      "of");
  TreeShape shape = deepest(6, {table(12, "a", "c", 100, 0, 0, 900),
                                table(13, "d", "f", 100, 40, 0, 700),
                                table(14, "g", "k", 100, 0, 9, 950)});
  CHECK_SAME(picked(shape, 650), "nothing");
  CHECK_SAME(picked(shape, 800), "6: 13 -> 6");
  CHECK_SAME(picked(shape, std::nullopt), "6: 13 -> 6");
  std::uint64_t number = 20;
  rewrite(shape, *pick_garbage(shape, std::nullopt, 1000), number);
  CHECK_SAME(picked(shape, 800), "nothing");
  CHECK_SAME(picked(shape, std::nullopt), "6: 14 -> 6");
  rewrite(shape, *pick_garbage(shape, std::nullopt, 1000), number);
  CHECK_SAME(picked(shape, std::nullopt), "nothing");
}

TEST_CASE("the table to rewrite may be the last of many",
          "[3.2][task-3][core]") {
  STORY("Nine clean tables, and a tenth with garbage.");
  INVARIANT("cost: each table of the run is looked at");
  std::vector<FileMetaPtr> files;
  for (std::uint64_t i = 1; i <= 9; ++i) {
    const std::string key(1, static_cast<char>('a' + i));
    files.push_back(table(i, key, key, 100, 0, 0));
  }
  files.push_back(table(10, "x", "z", 100, 0, 50));
  CHECK_SAME(picked(deepest(6, files)), "6: 10 -> 6");
}

// Task 3 still: when it is worth it.

TEST_CASE("five of a hundred are worth a rewrite, four are not",
          "[3.2][task-3][core]") {
  STORY("Tables of 100 with 4 and 5 hidden; then 2 hidden and 3 tombstones.");
  INVARIANT("I3 of garbage.h: at least 5 % of all entries");
  CHECK_SAME(picked(deepest(6, {table(1, "a", "c", 100, 4, 0)})), "nothing");
  CHECK_SAME(picked(deepest(6, {table(1, "a", "c", 100, 5, 0)})), "6: 1 -> 6");
  CHECK_SAME(picked(deepest(6, {table(1, "a", "c", 100, 2, 3)})), "6: 1 -> 6");
  CHECK_SAME(picked(deepest(6, {table(1, "a", "c", 100, 2, 2)})), "nothing");
}

TEST_CASE("small tables and large ones are judged alike",
          "[3.2][task-3][core]") {
  STORY("1 of 20, 1 of 21; 50,000 and 49,999 of a million; 1 of 1.");
  INVARIANT("I3 of garbage.h: at least 5 % of all entries");
  CHECK_SAME(picked(deepest(6, {table(1, "a", "c", 20, 1, 0)})), "6: 1 -> 6");
  CHECK_SAME(picked(deepest(6, {table(1, "a", "c", 21, 1, 0)})), "nothing");
  CHECK_SAME(picked(deepest(6, {table(1, "a", "c", 1'000'000, 50'000, 0)})),
             "6: 1 -> 6");
  CHECK_SAME(picked(deepest(6, {table(1, "a", "c", 1'000'000, 49'999, 0)})),
             "nothing");
  CHECK_SAME(picked(deepest(6, {table(1, "a", "c", 1, 0, 1)})), "6: 1 -> 6");
}

// Task 4: the worst first.

TEST_CASE("the worst table comes first", "[3.2][task-4][core]") {
  STORY("10 of 100, 9 of 30, 60 of 1000; then shares that are close.");
  INVARIANT("I5 of garbage.h: worst table first: the largest share can go");
  TreeShape shape =
      deepest(6, {table(1, "a", "c", 100, 10, 0), table(2, "d", "f", 30, 4, 5),
                  table(3, "g", "k", 1000, 60, 0)});
  std::uint64_t number = 10;
  CHECK_SAME(picked(shape), "6: 2 -> 6");
  rewrite(shape, *pick_garbage(shape, std::nullopt, 1000), number);
  CHECK_SAME(picked(shape), "6: 1 -> 6");
  rewrite(shape, *pick_garbage(shape, std::nullopt, 1000), number);
  CHECK_SAME(picked(shape), "6: 3 -> 6");
  rewrite(shape, *pick_garbage(shape, std::nullopt, 1000), number);
  CHECK_SAME(picked(shape), "nothing");
  // 10.1 % and 10 %; 50 of 100 leave more to write than 3 of 30.
  CHECK_SAME(picked(deepest(6, {table(1, "a", "c", 100, 10, 0),
                                table(2, "d", "f", 1000, 101, 0)})),
             "6: 2 -> 6");
  CHECK_SAME(picked(deepest(6, {table(1, "a", "c", 30, 3, 0),
                                table(2, "d", "f", 100, 50, 0)})),
             "6: 2 -> 6");
}

TEST_CASE("of equals the first in key order", "[3.2][task-4][core]") {
  STORY("Two tables with 10 of 100, and one with 20 of 200.");
  INVARIANT("I5 of equals the first in key order");
  CHECK_SAME(picked(deepest(6, {table(9, "a", "c", 100, 10, 0),
                                table(2, "d", "f", 100, 0, 10),
                                table(3, "g", "k", 200, 20, 0)})),
             "6: 9 -> 6");
}

TEST_CASE("the worst that is protected does not stand in the way",
          "[3.2][task-4][core]") {
  STORY("90 of 100 up to 500, 10 of 100 up to 50; a snapshot at 60.");
  INVARIANT(
      "I2 of garbage.h: only a table that the oldest live snapshot sees all "
      "of");
  CHECK_SAME(picked(deepest(6, {table(1, "a", "c", 100, 90, 0, 500),
                                table(2, "d", "f", 100, 10, 0, 50)}),
                    60),
             "6: 2 -> 6");
}

// Task 3 again: level 0.

TEST_CASE("level 0 is left to the policy", "[3.2][task-3][core]") {
  STORY(
      "Level 0 alone: run 9, and run 7 8, all of it garbage. Then a table in "
      "level 1, first clean, then with garbage.");
  INVARIANT("I1 of garbage.h: never of level 0");
  TreeShape shape;
  runs_at(shape, 0).push_back({{table(9, "a", "z", 100, 90, 0)}});
  runs_at(shape, 0).push_back(
      {{table(7, "a", "k", 100, 90, 10), table(8, "l", "z", 100, 0, 100)}});
  CHECK_SAME(picked(shape), "nothing");
  runs_at(shape, 1).push_back({{table(3, "a", "z", 100, 0, 0)}});
  CHECK_SAME(picked(shape), "nothing");
  runs_at(shape, 1)[0].files[0] = table(4, "a", "z", 100, 20, 0);
  CHECK_SAME(picked(shape), "1: 4 -> 1");
}

// It ends.

TEST_CASE("rewriting ends, and leaves nothing that was worth it",
          "[3.2][task-4][core]") {
  STORY("Random trees, random snapshots: pick and rewrite until nothing.");
  INVARIANT("I4 of garbage.h: it ends: a rewritten table is not picked again");
  SEEDED_RANDOM(random, 322);
  for (std::size_t round = 0; round < scaled(2'000); ++round) {
    TreeShape shape;
    std::uint64_t number = 1;
    const int deepest_level = static_cast<int>(random.below(kMaxLevels));
    for (int level = deepest_level; level >= 0; --level) {
      if (level != deepest_level && random.one_in(2)) continue;
      RunShape run;
      const std::uint64_t tables = random.between(1, 6);
      for (std::uint64_t i = 0; i < tables; ++i) {
        const std::string key(1, static_cast<char>('a' + i));
        const std::uint64_t entries = random.between(1, 200);
        run.files.push_back(table(number++, key, key, entries,
                                  random.one_in(3) ? random.below(entries) : 0,
                                  random.one_in(3) ? random.below(entries) : 0,
                                  random.between(1, 100)));
      }
      runs_at(shape, level).push_back(std::move(run));
    }
    std::optional<Sequence> oldest;
    if (random.one_in(2)) oldest = random.between(0, 120);

    // Each rewrite cleans a table, or takes it away: never more than tables.
    const std::size_t most = runs_at(shape, deepest_level)[0].files.size();
    std::size_t rewrites = 0;
    while (const auto task = pick_garbage(shape, oldest, 1000)) {
      REQUIRE_SAME(task->inputs.size(), 1);
      REQUIRE_SAME(task->inputs[0].level, task->output_level);
      REQUIRE_SAME(task->output_level, deepest_level);
      REQUIRE_SAME(++rewrites <= most, true);
      rewrite(shape, *task, number);
      if (runs_at(shape, deepest_level).empty()) break;
    }
    if (deepest_level == 0) REQUIRE_SAME(rewrites, 0);
    if (deepest_level == 0 || runs_at(shape, deepest_level).empty()) continue;
    for (const FileMetaPtr& file : runs_at(shape, deepest_level)[0].files) {
      const bool is_free = !oldest || file->newest_sequence <= *oldest;
      const bool is_worth =
          file->hidden + file->tombstones > 0 &&
          20 * (file->hidden + file->tombstones) >= file->entries;
      REQUIRE_SAME(is_free && is_worth, false);
    }
  }
}

// On a disk, with the compaction of day 2.1.
namespace {

struct Disk {
  Disk() {
    REQUIRE_OK(fs.create_dir("store"));
    auto shared = std::make_shared<TableStore>();
    shared->fs = std::shared_ptr<FileSystem>(&fs, [](FileSystem*) {});
    shared->folder = folder;
    shared->store_id = kStore;
    shared->filter = filter;
    shared->cache = make_no_cache();
    tree = std::make_shared<const Tree>(shared);
  }

  void compact(const CompactionTask& task, const Sequences& live) {
    const Stripes stripes(live);
    const auto result = run_compaction({fs, folder, kStore, numbers, options,
                                        stripes, kKeepAll, *tree, cancel},
                                       task);
    REQUIRE_OK(result);
    apply(result->edit);
  }
  void apply(const VersionEdit& edit) {
    Result<TreePtr> next = tree->apply(edit);
    REQUIRE_OK(next);
    tree = std::move(*next);
  }
  // A new run of level 0.
  void add_run(const Entries& entries) {
    const std::uint64_t number = numbers.take();
    auto builder =
        TableBuilder::create(fs, file_path(folder, FileKind::table, number),
                             {kStore, number}, options);
    REQUIRE_OK(builder);
    for (const auto& [key, value] : entries)
      REQUIRE_OK((*builder)->add(key.view(), value));
    Result<FileMeta> file = (*builder)->finish();
    REQUIRE_OK(file);
    file->run = number;
    VersionEdit edit;
    edit.added.push_back({0, std::move(*file)});
    apply(edit);
  }
  CompactionTask push_down(int output_level, std::uint64_t target) const {
    CompactionTask task;
    for (int level = 0; level < kMaxLevels; ++level) {
      const auto& runs =
          tree->shape().levels[static_cast<std::size_t>(level)].runs;
      if (!runs.empty()) task.inputs.push_back({level, runs});
    }
    task.output_level = output_level;
    task.target_file_size_bytes = target;
    return task;
  }
  FileMeta sum() const {
    FileMeta all;
    for (const LevelShape& level : tree->shape().levels) {
      for (const RunShape& run : level.runs) {
        for (const FileMetaPtr& file : run.files) {
          all.entries += file->entries;
          all.hidden += file->hidden;
          all.tombstones += file->tombstones;
        }
      }
    }
    return all;
  }
  std::string get(std::string_view key, Sequence at) const {
    const Version version{std::make_shared<MemTable>(1, 1), {}, tree};
    std::string value;
    const Result<bool> found = version.get(key, at, value);
    REQUIRE_OK(found);
    return *found ? value : "-";
  }

  static constexpr std::uint64_t kStore = 7;
  SimFileSystem fs;
  std::string folder = "store";
  FileNumbers numbers{1};
  std::shared_ptr<const FilterPolicy> filter = std::make_shared<NoFilter>();
  TableOptions options{256, Compression::none, filter.get()};
  std::atomic<bool> cancel = false;
  TreePtr tree;
};

}  // namespace

TEST_CASE("what a snapshot kept goes once it is given up",
          "[3.2][task-4][gold]") {
  STORY(
      "100 keys are put, then put again; every fifth is removed. A snapshot of "
      "the first round lets a compaction keep it all; then it is given up.");
  INVARIANT(
      "I4 of garbage.h: a rewritten table has no hidden entry and no "
      "tombstone");
  Disk disk;
  Model model;
  Sequence sequence = 0;
  for (int round = 0; round < 2; ++round) {
    for (int key = 100; key < 200; ++key)
      model.put(std::to_string(key), std::string(20, 'v'), ++sequence);
  }
  for (int key = 100; key < 200; key += 5)
    model.remove(std::to_string(key), ++sequence);
  disk.add_run(model.entries());
  disk.compact(disk.push_down(6, 600), {100});
  const std::size_t tables = disk.tree->shape().levels[6].runs[0].files.size();
  // 80 keys of two versions, 20 of a tombstone and what the snapshot sees.
  CHECK_SAME(disk.sum().entries, 200);
  CHECK_SAME(disk.sum().tombstones, 20);
  CHECK_SAME(disk.sum().hidden, 100);
  CHECK_SAME(tables > 3, true);
  CHECK_SAME(text_of(pick_garbage(disk.tree->shape(), 100, 600)), "nothing");
  CHECK_SAME(disk.get("105", 100), std::string(20, 'v'));
  CHECK_SAME(disk.get("105", kMaxSequence), "-");

  std::size_t rewrites = 0;
  while (const auto task =
             pick_garbage(disk.tree->shape(), std::nullopt, 600)) {
    REQUIRE_SAME(++rewrites <= tables, true);
    disk.compact(*task, {});
  }
  CHECK_SAME(rewrites, tables);
  CHECK_SAME(disk.sum().entries, 80);
  CHECK_SAME(disk.sum().tombstones, 0);
  CHECK_SAME(disk.sum().hidden, 0);
  for (int key = 100; key < 200; ++key) {
    REQUIRE_SAME(disk.get(std::to_string(key), kMaxSequence),
                 key % 5 == 0 ? "-" : std::string(20, 'v'));
  }
}

TEST_CASE("a snapshot that came meanwhile does not stop the end",
          "[3.2][task-3][gold]") {
  STORY(
      "k put at 1 and 2 lies at the bottom. The picker saw no snapshot; before "
      "the list is asked, one is taken, at 2 or later.");
  INVARIANT(
      "I4 of garbage.h: it ends: what is taken later sees all of the inputs");
  Disk disk;
  disk.add_run(parse("k@2=b k@1=a"));
  disk.compact(disk.push_down(6, 600), {1});
  const auto task = pick_garbage(disk.tree->shape(), std::nullopt, 600);
  REQUIRE_SAME(text_of(task), "6: 2 -> 6");
  disk.compact(*task, {2});
  CHECK_SAME(disk.sum().entries, 1);
  CHECK_SAME(disk.get("k", 2), "b");
  CHECK_SAME(text_of(pick_garbage(disk.tree->shape(), 2, 600)), "nothing");
}

TEST_CASE("a table of tombstones goes altogether", "[3.2][task-3][gold]") {
  STORY(
      "a, b and c removed, and nothing else in the tree: level 3, where a "
      "snapshot of the empty store kept it.");
  INVARIANT("I1 of garbage.h: below it a tombstone has nothing to hide");
  Disk disk;
  disk.add_run(parse("a@1 b@2 c@3"));
  disk.compact(disk.push_down(3, 600), {0});
  CHECK_SAME(disk.sum().tombstones, 3);
  CHECK_SAME(text_of(pick_garbage(disk.tree->shape(), 2, 600)), "nothing");
  const auto task = pick_garbage(disk.tree->shape(), 3, 600);
  REQUIRE_SAME(text_of(task), "3: 2 -> 3");
  disk.compact(*task, {3});
  CHECK_SAME(disk.sum().entries, 0);
  CHECK_SAME(text_of(pick_garbage(disk.tree->shape(), std::nullopt, 600)),
             "nothing");
}

}  // namespace lsm::test
