// Day 2.3: the leveled policy (leveled.h). Most tests are a tree and the pick,
// as text (support/shapes.h); the last ones let the policy work on a model of
// the tree (tools/sim/shape_model.h), also after the policies of day 2.2.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "leveled.h"
#include "simple.h"
#include "support/any_tree.h"
#include "support/catch.h"
#include "support/golden.h"
#include "support/random.h"
#include "support/shapes.h"
#include "support/teach.h"
#include "tiered.h"

namespace lsm::test {

namespace {

constexpr const char* kPure =
    "I1 pick() is a pure function of the shape; the same shape, the same task";
constexpr const char* kTargets = "I2 targets come from the bottom up";
constexpr const char* kLevel0 =
    "I3 level 0 is merged whole, or its oldest run moved alone";
constexpr const char* kMoved =
    "I4 a table that overlaps nothing below is moved, not rewritten";
constexpr const char* kTouched =
    "I5 a task takes every table of the output level that its keys touch";
constexpr const char* kRest =
    "I6 at rest level 0 is short of its runs, nothing lies above the base "
    "level, and every level from it to the one above the bottom is smaller "
    "than its target";
constexpr const char* kEnds = "I7 it comes to rest";

struct Knobs {
  std::size_t runs = 2;
  std::uint64_t base = 10;
  double multiplier = 4;
};

Options options_of(Knobs knobs) {
  Options options;
  options.level0_runs_to_compact = knobs.runs;
  options.base_level_size_bytes = knobs.base;
  options.level_size_multiplier = knobs.multiplier;
  options.target_file_size_bytes = 2000;
  return options;
}

LeveledPolicy leveled(Knobs knobs = {}) {
  return LeveledPolicy(options_of(knobs));
}

std::string picked(const CompactionPolicy& policy, const TreeShape& shape) {
  return text_of(policy.pick(shape));
}

using Bytes = std::array<std::uint64_t, kMaxLevels>;

// I6, on a tree that has come to rest.
void check_rest(const LeveledPolicy& policy, const TreeShape& shape,
                std::size_t runs) {
  const LeveledPolicy::Targets targets = policy.targets(shape);
  REQUIRE(shape.levels[0].runs.size() < runs);
  for (int level = 1; level < kMaxLevels - 1; ++level) {
    const std::uint64_t bytes = level_bytes(shape, level);
    if (level < targets.base_level) {
      REQUIRE(bytes == 0);
    } else {
      REQUIRE(bytes < targets.bytes[static_cast<std::size_t>(level)]);
    }
  }
}

}  // namespace

// Task 1: targets.

TEST_CASE("a small tree has one level below level 0", "[2.3][task-1][core]") {
  STORY("Base size 10. Nothing below level 0; then 6 bytes in level 6.");
  INVARIANT(kTargets);
  const auto empty = leveled().targets(runs_of("1 1"));
  CHECK_SAME(empty.base_level, 6);
  CHECK_SAME(empty.bytes, Bytes{0, 0, 0, 0, 0, 0, 10});
  const auto small = leveled().targets(runs_of("1 1", "6:6"));
  CHECK_SAME(small.base_level, 6);
  CHECK_SAME(small.bytes, Bytes{0, 0, 0, 0, 0, 0, 10});
}

TEST_CASE("a level grows above a bottom beyond the base size",
          "[2.3][task-1][core]") {
  STORY("Base size 10, multiplier 4: the bottom holds 10, 11, 40, 41, 200.");
  INVARIANT(kTargets);
  const auto of = [](const std::string& bottom) {
    return leveled().targets(runs_of("", "6:" + bottom));
  };
  CHECK_SAME(of("10").base_level, 6);
  CHECK_SAME(of("11").base_level, 5);
  CHECK_SAME(of("11").bytes, Bytes{0, 0, 0, 0, 0, 2, 11});
  CHECK_SAME(of("40").bytes, Bytes{0, 0, 0, 0, 0, 10, 40});
  CHECK_SAME(of("44").base_level, 4);
  CHECK_SAME(of("44").bytes, Bytes{0, 0, 0, 0, 2, 11, 44});
  CHECK_SAME(of("200").bytes, Bytes{0, 0, 0, 3, 12, 50, 200});
  CHECK_SAME(of("200").base_level, 3);
}

TEST_CASE("level 1 is as far up as the base level goes",
          "[2.3][task-1][core]") {
  STORY("Base size 10, multiplier 4, the bottom holds a million.");
  INVARIANT(kTargets);
  const auto targets = leveled().targets(runs_of("", "6:1024000"));
  CHECK_SAME(targets.base_level, 1);
  CHECK_SAME(targets.bytes,
             Bytes{0, 1000, 4000, 16000, 64000, 256000, 1024000});
}

TEST_CASE("the largest level counts as the bottom's size",
          "[2.3][task-1][core]") {
  STORY(
      "Level 3 holds 160 and the bottom 20: a tree that another policy left. "
      "What level 3 holds will end at the bottom.");
  INVARIANT(kTargets);
  const auto targets = leveled().targets(runs_of("900", "3:160 6:20"));
  CHECK_SAME(targets.base_level, 4);
  CHECK_SAME(targets.bytes, Bytes{0, 0, 0, 0, 10, 40, 160});
}

// Task 2: level_to_compact.

TEST_CASE("an empty tree has nothing to compact", "[2.3][task-2][core]") {
  STORY("No tables; then one run in level 0 and a bottom.");
  INVARIANT(kRest);
  CHECK_SAME(leveled().level_to_compact(TreeShape()), std::optional<int>());
  CHECK_SAME(leveled().level_to_compact(runs_of("5", "6:900")),
             std::optional<int>());
}

TEST_CASE("level 0 is due with its number of runs", "[2.3][task-2][core]") {
  STORY("level0_runs_to_compact is 3: two runs, then three.");
  INVARIANT(kRest);
  const LeveledPolicy policy = leveled({.runs = 3});
  CHECK_SAME(policy.level_to_compact(runs_of("9 9")), std::optional<int>());
  CHECK_SAME(policy.level_to_compact(runs_of("9 9 9")), std::optional<int>(0));
}

TEST_CASE("a level is due when it reaches its target", "[2.3][task-2][core]") {
  STORY("The bottom holds 40, so level 5 may hold less than 10: 9, then 10.");
  INVARIANT(kRest);
  CHECK_SAME(leveled().level_to_compact(runs_of("", "5:9 6:40")),
             std::optional<int>());
  CHECK_SAME(leveled().level_to_compact(runs_of("", "5:10 6:40")),
             std::optional<int>(5));
}

TEST_CASE("the worst score goes first", "[2.3][task-2][core]") {
  STORY(
      "The bottom holds 160: targets 10 for level 4, 40 for level 5. Level 0 "
      "scores 2/2, level 4 30/10, level 5 80/40.");
  CHECK_SAME(leveled().level_to_compact(runs_of("1 1", "4:30 5:80 6:160")),
             std::optional<int>(4));
  STORY("Six runs in level 0: 6/2. A tie, and the upper goes first.");
  CHECK_SAME(
      leveled().level_to_compact(runs_of("1 1 1 1 1 1", "4:30 5:80 6:160")),
      std::optional<int>(0));
}

TEST_CASE("the bottom is never over its target", "[2.3][task-2][core]") {
  STORY("Only the bottom holds anything, a million.");
  INVARIANT(kTargets);
  CHECK_SAME(leveled().level_to_compact(runs_of("", "6:1000000")),
             std::optional<int>());
}

TEST_CASE("what lies above the base level goes down first",
          "[2.3][task-2][core]") {
  STORY(
      "The bottom holds 20, so level 5 is the base. A table lies in level 2, "
      "one in level 4, and level 0 has five times its runs.");
  INVARIANT(kRest);
  CHECK_SAME(leveled().level_to_compact(
                 runs_of("1 1 1 1 1 1 1 1 1 1", "2:1 4:1 6:20")),
             std::optional<int>(2));
}

// Task 3: overlap and pick_level0.

TEST_CASE("level 0 takes the tables that it touches, and no others",
          "[2.3][task-3][core]") {
  STORY(
      "Runs over f..k and h..p; below it tables a..d, e..f, g..m, p..s, "
      "t..z.");
  INVARIANT(kTouched);
  const TreeShape shape = shape_of(
      "0: 9=f..k:1 | 8=h..p:1\n"
      "6: 1=a..d:1 2=e..f:1 3=g..m:1 4=p..s:1 5=t..z:1");
  CHECK_SAME(picked(leveled(), shape), "0: 9 | 8 + 6: 2 3 4 -> 6");
}

TEST_CASE("one shared key is an overlap", "[2.3][task-3][core]") {
  STORY(
      "The oldest run begins with the last key of the table below; the run "
      "ends with the first key of another.");
  INVARIANT(kTouched);
  CHECK_SAME(picked(leveled(), shape_of("0: 9=x..z:1 | 8=m..p:1\n"
                                        "6: 1=a..m:5")),
             "0: 9 | 8 + 6: 1 -> 6");
  CHECK_SAME(picked(leveled(), shape_of("0: 9=x..y:1 | 8=a..m:1\n"
                                        "6: 1=m..p:5")),
             "0: 9 | 8 + 6: 1 -> 6");
}

TEST_CASE("a table around the whole run is touched", "[2.3][task-3][core]") {
  STORY("The runs lie within a table's keys, though none of its ends does.");
  INVARIANT(kTouched);
  CHECK_SAME(picked(leveled(), shape_of("0: 9=g..h:1 | 8=g..h:1\n"
                                        "6: 1=a..z:5")),
             "0: 9 | 8 + 6: 1 -> 6");
}

TEST_CASE("what lies between two runs' keys is taken too",
          "[2.3][task-3][core]") {
  STORY(
      "Runs over a..b and y..z, with a..b in the base level as well, and a "
      "table m..n between: an output may reach from a to z.");
  INVARIANT(kTouched);
  const TreeShape shape = shape_of(
      "0: 9=y..z:1 | 8=a..b:1\n"
      "6: 1=a..b:1 2=m..n:1");
  CHECK_SAME(picked(leveled(), shape), "0: 9 | 8 + 6: 1 2 -> 6");
}

TEST_CASE("level 0 goes to the base level as a whole", "[2.3][task-3][core]") {
  STORY(
      "The bottom holds 20: level 5 is the base. Three runs, one of two "
      "tables.");
  INVARIANT(kLevel0);
  const TreeShape shape = shape_of(
      "0: 9=a..z:1 | 7=a..f:1 8=g..k:1 | 6=b..c:1\n"
      "5: 4=a..c:1 5=l..z:1\n"
      "6: 1=a..z:20");
  CHECK_SAME(picked(leveled(), shape), "0: 9 | 7 8 | 6 + 5: 4 5 -> 5");
}

TEST_CASE("into an empty base level the oldest run moves",
          "[2.3][task-3][core]") {
  STORY("Level 5 is the base, and empty; the runs share all their keys.");
  INVARIANT(kMoved);
  CHECK_SAME(picked(leveled(), runs_of("1 1 1", "6:20")), "0: 3 => 5");
}

TEST_CASE("the oldest run moves alone, a newer one never",
          "[2.3][task-3][core]") {
  STORY(
      "The newest run overlaps nothing below; the oldest does. Moving the "
      "newest past the oldest would hide new under old.");
  INVARIANT(kLevel0);
  const TreeShape shape = shape_of(
      "0: 9=s..t:1 | 8=a..z:1\n"
      "6: 1=a..c:5");
  CHECK_SAME(picked(leveled(), shape), "0: 9 | 8 + 6: 1 -> 6");
}

TEST_CASE("a run of several tables moves whole", "[2.3][task-3][core]") {
  STORY(
      "The oldest run has two tables around the one below, m..n: as a run it "
      "reaches over it.");
  INVARIANT(kMoved);
  CHECK_SAME(picked(leveled(), shape_of("0: 9=a..b:1 | 7=a..d:1 8=e..g:1\n"
                                        "6: 1=m..n:5")),
             "0: 7 8 => 6");
  CHECK_SAME(picked(leveled(), shape_of("0: 9=a..b:1 | 7=a..d:1 8=p..q:1\n"
                                        "6: 1=m..n:5")),
             "0: 9 | 7 8 + 6: 1 -> 6");
}

// Task 4: pick_table.

TEST_CASE("the table with the least overlap per byte is chosen",
          "[2.3][task-4][core]") {
  STORY("Table 8 drags 20 along for its 10, table 9 15 for its 5.");
  const TreeShape shape = shape_of(
      "5: 8=a..f:10 9=g..m:5\n"
      "6: 1=a..c:10 2=d..g:10 3=h..m:5 4=n..z:15");
  CHECK_SAME(picked(leveled(), shape), "5: 8 + 6: 1 2 -> 6");
}

TEST_CASE("a table over a gap is moved", "[2.3][task-4][core]") {
  STORY("Level 5 is over its target; table 9 shares no key with level 6.");
  INVARIANT(kMoved);
  const TreeShape shape = shape_of(
      "5: 8=a..f:10 9=g..h:1\n"
      "6: 1=a..f:20 2=k..z:20");
  CHECK_SAME(picked(leveled(), shape), "5: 9 => 6");
}

TEST_CASE("of equal tables the first is chosen", "[2.3][task-4][core]") {
  STORY(
      "Two tables of 6, each over a table of 12: the same tree must always "
      "give the same task.");
  INVARIANT(kPure);
  const TreeShape shape = shape_of(
      "5: 8=a..f:6 9=g..m:6\n"
      "6: 1=a..f:12 2=g..m:12");
  CHECK_SAME(picked(leveled(), shape), "5: 8 + 6: 1 -> 6");
  CHECK_SAME(picked(leveled(), shape), "5: 8 + 6: 1 -> 6");
}

TEST_CASE("one table at a time goes down, not the level",
          "[2.3][task-4][core]") {
  STORY(
      "Level 4 is twenty times over its target of 2; level 5 below it is not "
      "touched by table 7 but for one table.");
  const TreeShape shape = shape_of(
      "4: 7=a..b:20 8=c..d:20\n"
      "5: 5=a..c:8 6=d..e:7\n"
      "6: 1=a..z:44");
  CHECK_SAME(picked(leveled(), shape), "4: 7 + 5: 5 -> 5");
}

TEST_CASE("a task of this policy says how large its tables shall be and why",
          "[2.3][task-4][core]") {
  STORY("target_file_size_bytes is 2000: a merge of level 0, a table's merge.");
  for (const TreeShape& shape :
       {runs_of("1 1", "6:5"), runs_of("", "5:10 6:40")}) {
    const auto task = leveled().pick(shape);
    REQUIRE(task.has_value());
    CHECK_SAME(task->target_file_size_bytes, 2000);
    CHECK_FALSE(task->reason.empty());
  }
}

TEST_CASE("the leveled policy follows its golden trace",
          "[2.3][task-4][core]") {
  const GoldenTrace trace = read_golden("leveled.txt");
  REQUIRE(trace.steps.size() >= 10);
  const LeveledPolicy policy(options_of(trace));
  for (const GoldenStep& step : trace.steps) {
    STORY("Golden trace, step " + step.title + "\n" + step.tree);
    CHECK_SAME(picked(policy, shape_of(step.tree)), step.pick);
  }
}

// At work on a model.

TEST_CASE("under overwrites every level keeps below its target",
          "[2.3][task-4][core]") {
  STORY(
      "Random overwrites of 3000 keys; after every flush the policy works "
      "until it is at rest.");
  INVARIANT(kRest);
  SEEDED_RANDOM(random, 2301);
  sim::ShapeModel model({.entries_a_buffer = 100});
  const LeveledPolicy policy =
      leveled({.runs = 4, .base = 20'000, .multiplier = 4});
  NewestOf newest;
  std::string wrong;
  for (std::size_t flush = 0; flush < scaled(150); ++flush) {
    while (!write_any(model, random, 3000, newest)) {
    }
    model.flush();
    REQUIRE(model.settle(policy, 1000, wrong) < 1000);
    REQUIRE_SAME(wrong, "");
    check_rest(policy, model.shape(), 4);
  }
  check_reads(model, newest);
}

TEST_CASE("space stays near what the bottom holds", "[2.3][task-4][core]") {
  STORY(
      "3000 keys, multiplier 4, no removes, many overwrites: the levels above "
      "the bottom hold less than 1/4 + 1/16 + … = 1/3 of it, and level 0 "
      "three flushes.");
  INVARIANT(kTargets);
  SEEDED_RANDOM(random, 2302);
  sim::ShapeModel model({.entries_a_buffer = 100});
  const LeveledPolicy policy =
      leveled({.runs = 4, .base = 20'000, .multiplier = 4});
  std::string wrong;
  for (std::size_t flush = 0; flush < scaled(150); ++flush) {
    while (!model.put(random.below(3000))) {
    }
    model.flush();
    REQUIRE(model.settle(policy, 1000, wrong) < 1000);
    REQUIRE_SAME(wrong, "");
    std::uint64_t all = 0;
    std::uint64_t largest = 20'000;
    for (int level = 1; level < kMaxLevels; ++level) {
      const std::uint64_t bytes = level_bytes(model.shape(), level);
      all += bytes;
      largest = std::max(largest, bytes);
    }
    REQUIRE(all * 3 < largest * 4);
  }
}

TEST_CASE("keys in order are moved, never rewritten", "[2.3][task-4][core]") {
  STORY(
      "10,000 keys in ascending order: no run overlaps anything, so no table "
      "is written twice.");
  INVARIANT(kMoved);
  sim::ShapeModel model({.entries_a_buffer = 100});
  const LeveledPolicy policy =
      leveled({.runs = 4, .base = 20'000, .multiplier = 4});
  std::string wrong;
  for (std::uint64_t key = 0; key < 10'000; ++key) {
    if (!model.put(key)) continue;
    model.flush();
    REQUIRE(model.settle(policy, 1000, wrong) < 1000);
    REQUIRE_SAME(wrong, "");
  }
  CHECK_SAME(model.totals().written_bytes, 0);
  CHECK(model.totals().moves > 90);
}

TEST_CASE("from any tree the leveled policy comes to rest",
          "[2.3][task-4][gold]") {
  STORY(
      "Trees grown by tasks that no policy would choose; then the policy "
      "alone: every task legal, no read changed, at rest in the end.");
  INVARIANT(kEnds);
  SEEDED_RANDOM(random, 2303);
  for (std::size_t i = 0; i < scaled(60); ++i) {
    sim::ShapeModel model({.entries_a_buffer = 20});
    NewestOf newest;
    grow_any_tree(model, random, random.between(1, 25), 300, newest);
    const std::size_t runs = random.between(1, 4);
    const LeveledPolicy policy =
        leveled({.runs = runs,
                 .base = random.between(1000, 9000),
                 .multiplier = 2 + static_cast<double>(random.below(9))});
    std::uint64_t entries = 0;
    for (const LevelShape& level : model.shape().levels) {
      for (const RunShape& run : level.runs) {
        for (const FileMetaPtr& file : run.files)
          entries += file->entries;
      }
    }
    std::string wrong;
    const std::size_t limit = entries * (kMaxLevels - 1) + 1;  // I7
    const std::size_t tasks = model.settle(policy, limit, wrong);
    REQUIRE_SAME(wrong, "");
    REQUIRE(tasks < limit);
    check_rest(policy, model.shape(), runs);
    check_reads(model, newest);
  }
}

TEST_CASE("a tree may go from any policy to any other", "[2.3][task-4][gold]") {
  STORY(
      "Leveled, tiered and simple take turns, ten flushes each, in any "
      "order.");
  INVARIANT(kEnds);
  SEEDED_RANDOM(random, 2304);
  Options options = options_of({.runs = 3, .base = 9000, .multiplier = 4});
  options.tiered_max_runs = 6;
  options.tiered_min_merge_width = 3;
  const LeveledPolicy one(options);
  const TieredPolicy two(options);
  const SimpleLeveledPolicy three(options);
  const std::array<const CompactionPolicy*, 3> policies = {&one, &two, &three};
  sim::ShapeModel model({.entries_a_buffer = 50});
  NewestOf newest;
  std::string wrong;
  for (std::size_t turn = 0; turn < scaled(20); ++turn) {
    const CompactionPolicy& policy = *random.pick(policies);
    for (int flush = 0; flush < 10; ++flush) {
      while (!write_any(model, random, 1500, newest)) {
      }
      model.flush();
      REQUIRE(model.settle(policy, 1000, wrong) < 1000);
      REQUIRE_SAME(wrong, "");
    }
    check_reads(model, newest);
  }
}

// Task 5: the debt.

TEST_CASE("debt is what stands over the targets", "[2.3][task-5][gold]") {
  STORY(
      "The bottom holds 160: targets 10 for level 4, 40 for level 5. Level 4 "
      "holds 30, level 5 41; level 0 two runs, 7 bytes together.");
  CHECK_SAME(leveled().debt_bytes(runs_of("3 4", "4:30 5:41 6:160")),
             7 + 20 + 1);
}

TEST_CASE("what lies above the base level is debt", "[2.3][task-5][gold]") {
  STORY("The bottom holds 20, so level 5 is the base; 8 bytes lie in level 3.");
  CHECK_SAME(leveled().debt_bytes(runs_of("1", "3:8 6:20")), 8);
}

TEST_CASE("the leveled policy at rest has no debt", "[2.3][task-5][gold]") {
  STORY("An empty tree; one run in level 0 over a bottom in shape.");
  CHECK_SAME(leveled().debt_bytes(TreeShape()), 0);
  CHECK_SAME(leveled().debt_bytes(runs_of("3", "5:9 6:40")), 0);
}

}  // namespace lsm::test
