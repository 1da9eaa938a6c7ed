// Day 2.2: the simple leveled and the tiered policy (simple.h, tiered.h). A
// policy reads a shape and answers with a task, so most tests are a tree and
// the answer, as text (support/shapes.h); the last ones let a policy work on a
// model of the tree (tools/sim/shape_model.h).
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

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

constexpr const char* kWhole =
    "I2 of simple.h: a task takes all of a level and all of the next";
constexpr const char* kMoved =
    "I3 of simple.h: one run over an empty level is moved";
constexpr const char* kSimpleRest =
    "I4 of simple.h: at rest every level times the multiplier is at most the "
    "next";
constexpr const char* kSimpleEnds = "I5 of simple.h: it comes to rest";
constexpr const char* kNeighbours =
    "I2 of tiered.h: a task merges neighbours in age, and its output stands "
    "where they stood";
constexpr const char* kTriggers =
    "I3 of tiered.h: space, then ratio, then count";
constexpr const char* kTieredRest = "I4 of tiered.h: at rest no trigger holds";
constexpr const char* kTieredEnds =
    "I5 of tiered.h: from n runs it is at rest after n - 1 tasks";

SimpleLeveledPolicy simple(std::size_t runs = 2, double multiplier = 4) {
  Options options;
  options.level0_runs_to_compact = runs;
  options.level_size_multiplier = multiplier;
  options.target_file_size_bytes = 2000;
  return SimpleLeveledPolicy(options);
}

struct Knobs {
  std::size_t max_runs = 100;
  std::size_t min_width = 100;
  std::size_t max_width = 100;
  int ratio_percent = 1;
  int space_percent = 10'000;
};

// By default no trigger holds; a test turns on the one that it is about.
TieredPolicy tiered(Knobs knobs) {
  Options options;
  options.tiered_max_runs = knobs.max_runs;
  options.tiered_min_merge_width = knobs.min_width;
  options.tiered_max_merge_width = knobs.max_width;
  options.tiered_size_ratio_percent = knobs.ratio_percent;
  options.tiered_max_space_amplification_percent = knobs.space_percent;
  options.target_file_size_bytes = 2000;
  return TieredPolicy(options);
}

std::string picked(const CompactionPolicy& policy, const TreeShape& shape) {
  return text_of(policy.pick(shape));
}

// What one trigger says.
std::string space(const TieredPolicy& policy, const TreeShape& shape) {
  return text_of(policy.pick_space(runs_by_age(shape)));
}
std::string ratio(const TieredPolicy& policy, const TreeShape& shape) {
  return text_of(policy.pick_ratio(runs_by_age(shape)));
}
std::string count(const TieredPolicy& policy, const TreeShape& shape) {
  return text_of(policy.pick_count(runs_by_age(shape)));
}

void follow(const CompactionPolicy& policy, const GoldenTrace& trace) {
  REQUIRE(trace.steps.size() >= 10);
  for (const GoldenStep& step : trace.steps) {
    STORY("Golden trace, step " + step.title + "\n" + step.tree);
    CHECK_SAME(picked(policy, shape_of(step.tree)), step.pick);
  }
}

}  // namespace

// Task 1: push_down.

TEST_CASE("level 0 goes into level 1 with all of both", "[2.2][task-1][core]") {
  STORY(
      "Two runs in level 0; three tables in level 1, one of them out of "
      "reach of the runs' keys.");
  INVARIANT(kWhole);
  const TreeShape shape = shape_of(
      "0: 9=c..f:4 | 8=b..d:4\n"
      "1: 3=a..b:9 4=c..e:9 5=x..z:9\n"
      "2: 1=a..z:900");
  CHECK_SAME(text_of(push_down(shape, 0)), "0: 9 | 8 + 1: 3 4 5 -> 1");
}

TEST_CASE("a run of several tables goes as a whole", "[2.2][task-1][core]") {
  STORY("Level 0 has a run of two tables; level 1 is empty.");
  INVARIANT(kWhole);
  const TreeShape shape = shape_of("0: 9=a..f:4 7=g..z:4 | 8=b..d:4");
  CHECK_SAME(text_of(push_down(shape, 0)), "0: 9 7 | 8 -> 1");
}

TEST_CASE("one run over an empty level is moved", "[2.2][task-1][core]") {
  STORY("Level 3 holds two tables, level 4 nothing.");
  INVARIANT(kMoved);
  const TreeShape shape = shape_of("3: 5=a..f:10 6=g..z:10\n5: 1=a..z:900");
  CHECK_SAME(text_of(push_down(shape, 3)), "3: 5 6 => 4");
}

TEST_CASE("one run of level 0 is moved like any other", "[2.2][task-1][core]") {
  STORY("Level 0 holds one run of two tables; level 1 holds nothing.");
  INVARIANT(kMoved);
  const TreeShape shape = shape_of("0: 9=a..f:4 7=g..z:4\n5: 1=a..z:900");
  CHECK_SAME(text_of(push_down(shape, 0)), "0: 9 7 => 1");
}

TEST_CASE("two runs over an empty level are merged", "[2.2][task-1][core]") {
  STORY(
      "Two runs in level 0 share no keys; level 1 is empty. A level below 0 "
      "holds one run, so two names cannot move there.");
  INVARIANT(kMoved);
  const TreeShape shape = shape_of("0: 9=n..z:4 | 8=a..m:4");
  CHECK_SAME(text_of(push_down(shape, 0)), "0: 9 | 8 -> 1");
}

// Task 2: which level.

TEST_CASE("an empty tree is left alone by the simple policy",
          "[2.2][task-2][core]") {
  STORY("No tables; then one run in level 0; then a run in the last level.");
  INVARIANT(kSimpleRest);
  CHECK_SAME(picked(simple(), TreeShape()), "nothing");
  CHECK_SAME(picked(simple(), runs_of("1")), "nothing");
  CHECK_SAME(picked(simple(), runs_of("", "6:50")), "nothing");
}

TEST_CASE("level 0 waits for its number of runs", "[2.2][task-2][core]") {
  STORY("level0_runs_to_compact is 4: three runs, then four.");
  CHECK_SAME(picked(simple(4), runs_of("1 1 1")), "nothing");
  CHECK_SAME(picked(simple(4), runs_of("1 1 1 1")), "0: 1 | 2 | 3 | 4 -> 1");
}

TEST_CASE("a level is too large beyond its share of the next",
          "[2.2][task-2][core]") {
  STORY("Multiplier 4. Level 5 holds 25 over 100, then 26 over 100.");
  INVARIANT(kSimpleRest);
  CHECK_SAME(picked(simple(), runs_of("", "5:25 6:100")), "nothing");
  CHECK_SAME(picked(simple(), runs_of("", "5:26 6:100")), "5: 1 + 6: 2 -> 6");
}

TEST_CASE("the multiplier need not be a whole number", "[2.2][task-2][core]") {
  STORY("Multiplier 2.5. Level 5 holds 40 over 100, then 41 over 100.");
  INVARIANT(kSimpleRest);
  CHECK_SAME(picked(simple(2, 2.5), runs_of("", "5:40 6:100")), "nothing");
  CHECK_SAME(picked(simple(2, 2.5), runs_of("", "5:41 6:100")),
             "5: 1 + 6: 2 -> 6");
}

TEST_CASE("level 0 goes before any other", "[2.2][task-2][core]") {
  STORY("Level 0 is full, and levels 1 and 5 are far too large.");
  CHECK_SAME(picked(simple(), runs_of("1 1", "1:90 2:1 5:500 6:1")),
             "0: 1 | 2 + 1: 3 -> 1");
}

TEST_CASE("of the deeper levels the upper goes first", "[2.2][task-2][core]") {
  STORY("Levels 2 and 5 are both too large.");
  CHECK_SAME(picked(simple(), runs_of("1", "2:9 3:9 5:500 6:1")),
             "2: 2 + 3: 3 -> 3");
}

TEST_CASE("the simple policy follows its golden trace", "[2.2][task-2][core]") {
  const GoldenTrace trace = read_golden("simple.txt");
  follow(SimpleLeveledPolicy(options_of(trace)), trace);
}

TEST_CASE("a task says how large its tables shall be and why",
          "[2.2][task-2][core]") {
  STORY("target_file_size_bytes is 2000.");
  const auto task = simple().pick(runs_of("1 1"));
  REQUIRE(task.has_value());
  CHECK_SAME(task->target_file_size_bytes, 2000);
  CHECK_FALSE(task->reason.empty());
}

// Task 3: runs_by_age.

TEST_CASE("runs line up from the newest to the oldest", "[2.2][task-3][core]") {
  STORY("Two runs in level 0, one each in levels 2 and 6.");
  const auto runs = runs_by_age(
      shape_of("0: 9=a..f:4 7=g..z:6 | 8=b..d:5\n2: 3=a..z:30\n6: 1=a..z:99"));
  REQUIRE_SAME(runs.size(), 4);
  std::vector<int> levels;
  std::vector<std::uint64_t> sizes;
  std::vector<std::uint64_t> first;
  for (const AgedRun& run : runs) {
    levels.push_back(run.level);
    sizes.push_back(run.size_bytes);
    REQUIRE_FALSE(run.run.files.empty());
    first.push_back(run.run.files[0]->number);
  }
  CHECK_SAME(levels, std::vector<int>{0, 0, 2, 6});
  CHECK_SAME(sizes, std::vector<std::uint64_t>{10, 5, 30, 99});
  CHECK_SAME(first, std::vector<std::uint64_t>{9, 8, 3, 1});
}

TEST_CASE("an empty tree has no runs", "[2.2][task-3][core]") {
  STORY("A shape without tables.");
  CHECK_SAME(runs_by_age(TreeShape()).size(), 0);
}

// Task 4: merge_neighbours.

TEST_CASE("neighbours of level 0 stay there while an older run does",
          "[2.2][task-4][core]") {
  STORY("Runs 1 2 3 4 in level 0: merge 2 and 3.");
  INVARIANT(kNeighbours);
  const auto runs = runs_by_age(runs_of("1 1 1 1"));
  CHECK_SAME(text_of(merge_neighbours(runs, 1, 2)), "0: 2 | 3 -> 0");
}

TEST_CASE("a merge goes one level above the next older run",
          "[2.2][task-4][core]") {
  STORY(
      "Level 0 has two runs, and levels 3 and 6 one: merge all of level 0; "
      "then level 0 and 3.");
  INVARIANT(kNeighbours);
  const auto runs = runs_by_age(runs_of("1 1", "3:5 6:9"));
  CHECK_SAME(text_of(merge_neighbours(runs, 0, 2)), "0: 1 | 2 -> 2");
  CHECK_SAME(text_of(merge_neighbours(runs, 0, 3)), "0: 1 | 2 + 3: 3 -> 5");
}

TEST_CASE("right above level 1 there is only level 0", "[2.2][task-4][core]") {
  STORY("Level 1 holds the next older run.");
  INVARIANT(kNeighbours);
  const auto runs = runs_by_age(runs_of("1 1", "1:5"));
  CHECK_SAME(text_of(merge_neighbours(runs, 0, 2)), "0: 1 | 2 -> 0");
}

TEST_CASE("a merge that takes the oldest run goes to the bottom",
          "[2.2][task-4][core]") {
  STORY("Merge the last two of the runs in levels 0, 2 and 4.");
  INVARIANT(kNeighbours);
  const auto runs = runs_by_age(runs_of("1", "2:5 4:9"));
  CHECK_SAME(text_of(merge_neighbours(runs, 1, 2)), "2: 2 + 4: 3 -> 6");
}

// Task 5: space amplification.

TEST_CASE("too much over the oldest run merges all", "[2.2][task-5][core]") {
  STORY("At most 200 %: 199 over 100 is left alone, as is 200; 201 is not.");
  INVARIANT(kTriggers);
  const TieredPolicy policy = tiered({.space_percent = 200});
  CHECK_SAME(space(policy, runs_of("99", "5:100 6:100")), "nothing");
  CHECK_SAME(space(policy, runs_of("100", "5:100 6:100")), "nothing");
  CHECK_SAME(space(policy, runs_of("101", "5:100 6:100")),
             "0: 1 + 5: 2 + 6: 3 -> 6");
}

TEST_CASE("how much is too much is an option", "[2.2][task-5][core]") {
  STORY("At most 50 %: 50 over 100, then 51. At most 400 %: 400, then 401.");
  INVARIANT(kTriggers);
  const TieredPolicy half = tiered({.space_percent = 50});
  CHECK_SAME(space(half, runs_of("50", "6:100")), "nothing");
  CHECK_SAME(space(half, runs_of("51", "6:100")), "0: 1 + 6: 2 -> 6");
  const TieredPolicy fourfold = tiered({.space_percent = 400});
  CHECK_SAME(space(fourfold, runs_of("400", "6:100")), "nothing");
  CHECK_SAME(space(fourfold, runs_of("401", "6:100")), "0: 1 + 6: 2 -> 6");
}

TEST_CASE("space is asked before ratio and count", "[2.2][task-5][core]") {
  STORY(
      "Two runs of 1, then 40 over 10: ratio would merge the first two, "
      "count a pair.");
  INVARIANT(kTriggers);
  const TieredPolicy policy =
      tiered({.max_runs = 3, .min_width = 2, .space_percent = 200});
  CHECK_SAME(picked(policy, runs_of("1 1 40 10")), "0: 1 | 2 | 3 | 4 -> 6");
}

TEST_CASE("an oldest run of no bytes is merged into", "[2.2][task-5][core]") {
  STORY("The oldest run has size 0: any run over it is too much.");
  CHECK_SAME(space(tiered({}), runs_of("3 0")), "0: 1 | 2 -> 6");
}

TEST_CASE("too many for one merge: the newest fold first",
          "[2.2][task-5][gold]") {
  STORY(
      "At most 4 runs a merge, 6 runs. Three become one, and then four are "
      "left to merge.");
  INVARIANT(kNeighbours);
  const TieredPolicy policy = tiered({.max_width = 4, .space_percent = 200});
  CHECK_SAME(space(policy, runs_of("1 1 1 1 1 1")), "0: 1 | 2 | 3 -> 0");
  STORY("9 runs: four, as many as may be.");
  CHECK_SAME(space(policy, runs_of("1 1 1 1 1 1 1 1 1")),
             "0: 1 | 2 | 3 | 4 -> 0");
}

// Task 6: size ratio.

TEST_CASE("enough runs of one size are merged", "[2.2][task-6][core]") {
  STORY("At least 3: two runs of 1 over 50, then three.");
  INVARIANT(kTriggers);
  const TieredPolicy policy = tiered({.min_width = 3});
  CHECK_SAME(ratio(policy, runs_of("1 1", "6:50")), "nothing");
  CHECK_SAME(ratio(policy, runs_of("1 1 1", "6:50")), "0: 1 | 2 | 3 -> 5");
}

TEST_CASE("a run is compared with all before it together",
          "[2.2][task-6][core]") {
  STORY("1 1 2 4: each is at most the sum of those before it.");
  INVARIANT(kTriggers);
  const TieredPolicy policy = tiered({.min_width = 2});
  CHECK_SAME(ratio(policy, runs_of("1 1 2 4", "6:50")),
             "0: 1 | 2 | 3 | 4 -> 5");
}

TEST_CASE("a little larger still counts as similar", "[2.2][task-6][core]") {
  STORY("size ratio 10 %: 110 after 100 is similar, 111 is not.");
  INVARIANT(kTriggers);
  const TieredPolicy policy = tiered({.min_width = 2, .ratio_percent = 10});
  CHECK_SAME(ratio(policy, runs_of("100 110", "6:9000")), "0: 1 | 2 -> 5");
  CHECK_SAME(ratio(policy, runs_of("100 111", "6:9000")), "nothing");
}

TEST_CASE("a run exactly as large as may be is similar",
          "[2.2][task-6][core]") {
  STORY("size ratio 0 %: 5 after 5 is similar, 6 after 5 is not.");
  INVARIANT(kTriggers);
  const TieredPolicy policy = tiered({.min_width = 2, .ratio_percent = 0});
  CHECK_SAME(ratio(policy, runs_of("5 5", "6:90")), "0: 1 | 2 -> 5");
  CHECK_SAME(ratio(policy, runs_of("5 6", "6:90")), "nothing");
}

TEST_CASE("the newest start wins, not the longest merge",
          "[2.2][task-6][core]") {
  STORY(
      "At least 4 a merge: four runs of 1, then five of 6. Both would do; "
      "the 1s are newer.");
  INVARIANT(kTriggers);
  const TieredPolicy policy = tiered({.min_width = 4});
  CHECK_SAME(ratio(policy, runs_of("1 1 1 1 6 6 6 6 6", "6:900")),
             "0: 1 | 2 | 3 | 4 -> 0");
}

TEST_CASE("a run that begins nothing is passed over", "[2.2][task-6][core]") {
  STORY("1 5 5 over 50: no merge begins at the 1, one begins at the first 5.");
  INVARIANT(kTriggers);
  const TieredPolicy policy = tiered({.min_width = 2});
  CHECK_SAME(ratio(policy, runs_of("1 5 5", "6:50")), "0: 2 | 3 -> 5");
}

TEST_CASE("like runs in deeper levels count too", "[2.2][task-6][core]") {
  STORY("Runs of 5 in levels 0, 3 and 6.");
  INVARIANT(kNeighbours);
  const TieredPolicy policy = tiered({.min_width = 3});
  CHECK_SAME(ratio(policy, runs_of("5", "3:5 6:5")), "0: 1 + 3: 2 + 6: 3 -> 6");
}

TEST_CASE("a merge by ratio has a bounded width", "[2.2][task-6][gold]") {
  STORY("Six runs of 1, at most 4 a merge.");
  INVARIANT(kNeighbours);
  const TieredPolicy policy = tiered({.min_width = 2, .max_width = 4});
  CHECK_SAME(ratio(policy, runs_of("1 1 1 1 1 1", "6:50")),
             "0: 1 | 2 | 3 | 4 -> 0");
}

// Task 7: the number of runs.

TEST_CASE("one run too many costs the cheapest pair", "[2.2][task-7][core]") {
  STORY("At most 3 runs: 5 9 1 40. The pairs weigh 14, 10, 41.");
  INVARIANT(kTriggers);
  const TieredPolicy policy = tiered({.max_runs = 3});
  CHECK_SAME(count(policy, runs_of("5 9 1", "6:40")), "0: 2 | 3 -> 5");
}

TEST_CASE("as many runs as may be are left alone", "[2.2][task-7][core]") {
  STORY("At most 3 runs, and 3 there are.");
  INVARIANT(kTieredRest);
  CHECK_SAME(count(tiered({.max_runs = 3}), runs_of("5 9", "6:40")), "nothing");
}

TEST_CASE("of equally cheap neighbours the newest are merged",
          "[2.2][task-7][core]") {
  STORY("At most 3 runs: 2 1 2 40. Both pairs weigh 3.");
  CHECK_SAME(count(tiered({.max_runs = 3}), runs_of("2 1 2", "6:40")),
             "0: 1 | 2 -> 0");
}

TEST_CASE("two runs too many cost three neighbours", "[2.2][task-7][core]") {
  STORY("At most 3 runs, 5 there are: 1 2 4 9 40.");
  CHECK_SAME(count(tiered({.max_runs = 3}), runs_of("1 2 4 9", "6:40")),
             "0: 1 | 2 | 3 -> 0");
}

TEST_CASE("a merge by count has a bounded width", "[2.2][task-7][gold]") {
  STORY("At most 2 runs, 6 there are, 3 a merge.");
  INVARIANT(kNeighbours);
  const TieredPolicy policy = tiered({.max_runs = 2, .max_width = 3});
  CHECK_SAME(count(policy, runs_of("1 2 4 9 20", "6:60")), "0: 1 | 2 | 3 -> 0");
}

TEST_CASE("ratio is asked before count", "[2.2][task-7][core]") {
  STORY(
      "At most 2 runs, four there are: 1 5 5 20. Ratio merges the two 5, "
      "count would merge 1 5 5.");
  INVARIANT(kTriggers);
  const TieredPolicy policy = tiered({.max_runs = 2, .min_width = 2});
  CHECK_SAME(picked(policy, runs_of("1 5 5", "6:20")), "0: 2 | 3 -> 5");
}

TEST_CASE("the tiered policy follows its golden trace", "[2.2][task-7][core]") {
  const GoldenTrace trace = read_golden("tiered.txt");
  follow(TieredPolicy(options_of(trace)), trace);
}

TEST_CASE("an empty tree or one run is left alone by the tiered policy",
          "[2.2][task-7][core]") {
  STORY("No runs; one in level 0; one in the middle; two that are in shape.");
  INVARIANT(kTieredRest);
  const TieredPolicy policy = tiered({.space_percent = 1});
  CHECK_SAME(picked(policy, TreeShape()), "nothing");
  CHECK_SAME(picked(policy, runs_of("7")), "nothing");
  CHECK_SAME(picked(policy, runs_of("", "3:7")), "nothing");
  CHECK_SAME(picked(policy, runs_of("7", "6:700")), "nothing");
}

TEST_CASE("every task of the tiered policy says why", "[2.2][task-7][core]") {
  STORY("Each trigger is asked about a tree on which it holds.");
  INVARIANT("base/tree_shape.h: a task's reason is for people");
  const auto by_space = tiered({}).pick_space(runs_by_age(runs_of("3 0")));
  REQUIRE(by_space.has_value());
  CHECK_SAME(by_space->reason.empty(), false);
  const auto by_ratio =
      tiered({.min_width = 2}).pick_ratio(runs_by_age(runs_of("1 1")));
  REQUIRE(by_ratio.has_value());
  CHECK_SAME(by_ratio->reason.empty(), false);
  const auto by_count =
      tiered({.max_runs = 1}).pick_count(runs_by_age(runs_of("1 9")));
  REQUIRE(by_count.has_value());
  CHECK_SAME(by_count->reason.empty(), false);
}

// Task 8: the debt.

TEST_CASE("debt is what the next task rewrites", "[2.2][task-8][gold]") {
  STORY(
      "The simple policy merges 3 + 4 of level 0 with 10 of level 1; the "
      "tiered one 3, 3, 3 of four runs.");
  CHECK_SAME(simple().debt_bytes(runs_of("3 4", "1:10 2:900")), 17);
  CHECK_SAME(tiered({.min_width = 3}).debt_bytes(runs_of("3 3 3", "6:90")), 9);
}

TEST_CASE("a tree at rest has no debt, and a move is free",
          "[2.2][task-8][gold]") {
  STORY("One run in level 0; and one over an empty level.");
  CHECK_SAME(simple().debt_bytes(runs_of("3", "6:90")), 0);
  CHECK_SAME(simple().debt_bytes(runs_of("", "5:9")), 0);
  CHECK_SAME(tiered({}).debt_bytes(runs_of("3", "6:90")), 0);
}

// At work on a model.

TEST_CASE("from any tree the simple policy comes to rest",
          "[2.2][task-2][gold]") {
  STORY(
      "Trees grown by tasks that no policy would choose; then the policy "
      "alone. At most 63 tasks (I5), every one legal, no read changed.");
  INVARIANT(kSimpleEnds);
  SEEDED_RANDOM(random, 2201);
  for (std::size_t i = 0; i < scaled(60); ++i) {
    sim::ShapeModel model({.entries_a_buffer = 20});
    NewestOf newest;
    grow_any_tree(model, random, random.between(1, 25), 300, newest);
    std::string wrong;
    const auto policy =
        simple(random.between(1, 4), 2 + double(random.below(9)));
    const std::size_t tasks = model.settle(policy, 64, wrong);
    REQUIRE_SAME(wrong, "");
    REQUIRE(tasks < 64);
    check_reads(model, newest);
  }
}

TEST_CASE("from any tree the tiered policy comes to rest",
          "[2.2][task-7][gold]") {
  STORY(
      "Trees grown by tasks that no policy would choose; then the policy "
      "alone. From n runs at most n - 1 tasks, every one legal and of bounded "
      "width, no read changed.");
  INVARIANT(kTieredEnds);
  SEEDED_RANDOM(random, 2202);
  for (std::size_t i = 0; i < scaled(60); ++i) {
    sim::ShapeModel model({.entries_a_buffer = 20});
    NewestOf newest;
    grow_any_tree(model, random, random.between(1, 25), 300, newest);
    const Knobs knobs = {.max_runs = random.between(1, 8),
                         .min_width = random.between(2, 4),
                         .max_width = random.between(4, 6),
                         .ratio_percent = int(random.below(50)),
                         .space_percent = int(random.between(1, 300))};
    std::string wrong;
    std::size_t widest = 0;
    const std::size_t runs = count_runs(model.shape());
    const std::size_t tasks = model.settle(
        tiered(knobs), runs, wrong, [&](const CompactionTask& task) {
          std::size_t width = 0;
          for (const auto& input : task.inputs)
            width += input.runs.size();
          widest = std::max(widest, width);
        });
    REQUIRE_SAME(wrong, "");
    REQUIRE(tasks < runs);
    REQUIRE(widest <= knobs.max_width);
    check_reads(model, newest);
  }
}

TEST_CASE("under overwrites the simple policy keeps its bounds",
          "[2.2][task-2][core]") {
  STORY(
      "Random overwrites of 2000 keys; after every flush the policy works "
      "until it is at rest.");
  INVARIANT(kSimpleRest);
  SEEDED_RANDOM(random, 2203);
  sim::ShapeModel model({.entries_a_buffer = 100});
  const auto policy = simple(4, 4);
  NewestOf newest;
  std::string wrong;
  for (std::size_t flush = 0; flush < scaled(120); ++flush) {
    while (!write_any(model, random, 2000, newest)) {
    }
    model.flush();
    REQUIRE(model.settle(policy, 64, wrong) < 64);
    REQUIRE_SAME(wrong, "");
    REQUIRE(model.shape().levels[0].runs.size() < 4);
    for (int level = 1; level < kMaxLevels - 1; ++level) {
      REQUIRE(level_bytes(model.shape(), level) * 4 <=
              level_bytes(model.shape(), level + 1));
    }
  }
  check_reads(model, newest);
}

TEST_CASE("under overwrites the tiered policy keeps its bounds",
          "[2.2][task-7][core]") {
  STORY(
      "Random overwrites of 2000 keys; after every flush the policy works "
      "until it is at rest: at most 6 runs, at most 200 % over the oldest.");
  INVARIANT(kTieredRest);
  SEEDED_RANDOM(random, 2204);
  sim::ShapeModel model({.entries_a_buffer = 100});
  const auto policy = tiered(
      {.max_runs = 6, .min_width = 3, .max_width = 8, .space_percent = 200});
  NewestOf newest;
  std::string wrong;
  for (std::size_t flush = 0; flush < scaled(120); ++flush) {
    while (!write_any(model, random, 2000, newest)) {
    }
    model.flush();
    REQUIRE(model.settle(policy, 64, wrong) < 64);
    REQUIRE_SAME(wrong, "");
    REQUIRE(count_runs(model.shape()) <= 6);
    std::uint64_t all = 0;
    std::uint64_t oldest = 0;
    for (int level = 0; level < kMaxLevels; ++level) {
      for (const RunShape& run :
           model.shape().levels[static_cast<std::size_t>(level)].runs) {
        oldest = run.size_bytes();
        all += oldest;
      }
    }
    REQUIRE(all <= 3 * oldest);
  }
  check_reads(model, newest);
}

TEST_CASE("a tree may go from one policy to the other and back",
          "[2.2][task-7][gold]") {
  STORY("The policy changes every ten flushes.");
  INVARIANT(kTieredEnds);
  SEEDED_RANDOM(random, 2205);
  sim::ShapeModel model({.entries_a_buffer = 50});
  const auto one = simple(3, 4);
  const auto other =
      tiered({.max_runs = 6, .min_width = 3, .space_percent = 200});
  NewestOf newest;
  std::string wrong;
  for (std::size_t flush = 0; flush < scaled(100); ++flush) {
    while (!write_any(model, random, 1000, newest)) {
    }
    model.flush();
    const CompactionPolicy& policy =
        flush / 10 % 2 == 0 ? static_cast<const CompactionPolicy&>(one) : other;
    REQUIRE(model.settle(policy, 64, wrong) < 64);
    REQUIRE_SAME(wrong, "");
  }
  check_reads(model, newest);
}

}  // namespace lsm::test
