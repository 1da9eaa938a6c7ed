// What is left after a power cut, a kill, a fault of the disk, a full disk.
// The laboratory that makes the images and judges them is lsm-crash's
// (solutions/tools/crash); here it has to find nothing.
//
// LSM_TEST_SCALE chooses how many images are looked at.
#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "base/fault_file_system.h"
#include "base/sim_file_system.h"
#include "lsm/db.h"
#include "support/catch.h"
#include "support/random.h"
#include "support/teach.h"
#include "tools/crash/crash_lab.h"
#include "tools/crash/crash_oracle.h"

namespace lsm::test {
namespace {

using crash::Oracle;
using crash::tiny_options;

const std::vector<CompactionStyle> kPolicies = {
    CompactionStyle::leveled, CompactionStyle::tiered, CompactionStyle::simple};

// Images of one run, and runs, each with its own seed, under each policy.
struct Plan {
  std::size_t images;
  int seeds;
};
constexpr Plan kCuts = {2'500, 3};
constexpr Plan kAppendedCuts = {2'000, 1};
constexpr Plan kKills = {1'500, 1};
constexpr Plan kDoubleCuts = {2'500, 2};
constexpr Plan kAppendedDoubleCuts = {1'000, 1};
// The same with transactions.
constexpr Plan kTransactionCuts = {2'000, 2};
constexpr Plan kTransactionKills = {1'000, 1};
constexpr Plan kTransactionDoubleCuts = {1'700, 1};

constexpr std::size_t total(Plan plan) {
  return 3 * plan.images * static_cast<std::size_t>(plan.seeds);
}
static_assert(total(kCuts) + total(kAppendedCuts) + total(kKills) +
                  total(kDoubleCuts) + total(kAppendedDoubleCuts) >=
              50'000);
static_assert(total(kTransactionCuts) + total(kTransactionKills) +
                  total(kTransactionDoubleCuts) >=
              20'000);

// Every image of the plan keeps the promise.
void run_plan(Plan plan, std::uint64_t first_seed, crash::Settings settings) {
  settings.images = scaled(plan.images);
  for (int i = 0; i < plan.seeds; ++i) {
    settings.seed = first_seed + static_cast<std::uint64_t>(i);
    const crash::Report report = crash::run_lab(settings);
    if (report.first) {
      FAIL(crash::describe(settings, *report.first)
           << "\nThis image alone: lsm-crash "
           << crash::arguments_of(settings, report.first->image));
    }
    REQUIRE_SAME(report.broken_off, "");
    REQUIRE_SAME(report.images, settings.images);
    // Or too little happened.
    CHECK(report.opens > 1);
    CHECK(report.flushes > 10);
    CHECK(report.compactions > 5);
    CHECK((report.losing > 0) == !settings.kill);
  }
}

void check_store(SimFileSystem& disk, const Oracle& oracle, int at_least,
                 int at_most) {
  const auto executor = make_stepped_executor(1);
  auto db =
      Db::open("db", tiny_options(CompactionStyle::leveled, disk, *executor));
  REQUIRE_OK(db);
  REQUIRE_SAME(oracle.judge(**db, at_least, at_most).wrong, "");
}

}  // namespace

TEST_CASE("after a power cut the store holds the first m batches",
          "[engine][crash]") {
  STORY(
      "Batches, syncs, flushes, compactions, reopens; power cuts spread over "
      "the whole run, names kept in order or any of them, tails torn.");
  INVARIANT("last synced <= m <= last started, batches whole");
  const CompactionStyle policy = GENERATE(from_range(kPolicies));
  run_plan(kCuts, 1, {.policy = policy});
}

TEST_CASE("after a power cut logs that are appended to hold the same",
          "[engine][crash]") {
  STORY("The same on a disk that does not allocate: logs grow by append.");
  INVARIANT("last synced <= m <= last started, batches whole");
  const CompactionStyle policy = GENERATE(from_range(kPolicies));
  run_plan(kAppendedCuts, 11, {.policy = policy, .append_log = true});
}

TEST_CASE("after a kill the store holds all that was acknowledged",
          "[engine][crash]") {
  STORY("The same run, but the process dies and the disk does not.");
  INVARIANT("last acknowledged <= m <= last started, batches whole");
  const CompactionStyle policy = GENERATE(from_range(kPolicies));
  run_plan(kKills, 21, {.policy = policy, .kill = true});
}

TEST_CASE("a power cut during recovery, and another in the next, lose nothing",
          "[engine][crash]") {
  STORY(
      "Power fails in the run, at an operation of the recovery, and at one of "
      "the recovery after that.");
  INVARIANT("last synced <= m <= last started, batches whole");
  const CompactionStyle policy = GENERATE(from_range(kPolicies));
  run_plan(kDoubleCuts, 31, {.policy = policy, .twice = true});
  run_plan(kAppendedDoubleCuts, 41,
           {.policy = policy, .append_log = true, .twice = true});
}

TEST_CASE("after a crash each transaction is there whole, or not at all",
          "[engine][crash]") {
  STORY(
      "Every batch is a transaction that reads first, beside one that must "
      "lose to it; snapshots are held. Power cuts, kills, cuts in recovery.");
  INVARIANT("last synced <= m <= last started, and nothing of a loser");
  const CompactionStyle policy = GENERATE(from_range(kPolicies));
  run_plan(kTransactionCuts, 51, {.policy = policy, .transactions = true});
  run_plan(kTransactionKills, 61,
           {.policy = policy, .transactions = true, .kill = true});
  run_plan(kTransactionDoubleCuts, 71,
           {.policy = policy, .transactions = true, .twice = true});
}

TEST_CASE("a fault at any operation loses nothing that was acknowledged",
          "[engine][fault]") {
  STORY(
      "Operation n of the disk fails, once or from then on; what was "
      "acknowledged is there after a kill and a reopen without the fault.");
  const std::uint64_t seed = 9;
  const bool sticky = GENERATE(false, true);
  constexpr int kBatches = 150;
  const Oracle oracle(seed, kBatches);
  std::uint64_t operations = 0;
  for (std::uint64_t nth = 0; nth == 0 || nth <= operations;
       nth +=
       nth == 0 ? 1 : std::max<std::uint64_t>(1, operations / scaled(150))) {
    SimFileSystem disk;
    FaultFileSystem fs(disk);
    int acknowledged = 0;
    int started = 0;
    {
      const auto executor = make_stepped_executor(seed);
      if (nth > 0) {
        fs.inject(
            {.nth = nth, .sticky = sticky, .effect = Fault::Effect::half});
      }
      Random random(seed);
      auto db =
          Db::open("db", tiny_options(CompactionStyle::leveled, fs, *executor));
      if (db) {
        bool refused = false;
        for (int i = 1; i <= kBatches && !refused; ++i) {
          started = i;
          const auto written =
              (*db)->write(oracle.batch(i), {.sync = random.one_in(5)});
          refused = !written.has_value();
          if (written) acknowledged = i;
          if (random.one_in(30)) (void)(*db)->flush();
          if (random.one_in(60)) (void)(*db)->compact();
        }
        (void)(*db)->close();
      }
      if (nth == 0) operations = fs.operations();
    }
    CHECK(fs.open_handles() == 0);
    fs.lift();
    disk.kill();
    INFO("operation " << nth << " of " << operations << " failed");
    check_store(disk, oracle, acknowledged, started);
  }
}

TEST_CASE("a disk that fills up and is emptied again loses nothing",
          "[engine][fault]") {
  STORY(
      "From operation n on there is no space; then there is. The store goes "
      "on, or after a reopen does.");
  const std::uint64_t seed = 10;
  constexpr int kBatches = 120;
  const Oracle oracle(seed, kBatches);
  for (std::uint64_t nth = 5; nth < 200; nth += 3) {
    SimFileSystem disk;
    FaultFileSystem fs(disk);
    const auto executor = make_stepped_executor(seed);
    int acknowledged = 0;
    int started = 0;
    {
      auto db =
          Db::open("db", tiny_options(CompactionStyle::leveled, fs, *executor));
      REQUIRE_OK(db);
      fs.inject(full_disk_from(nth));
      for (int i = 1; i <= kBatches; ++i) {
        if (i == 100) fs.lift();
        started = i;
        if (!(*db)->write(oracle.batch(i))) break;
        acknowledged = i;
      }
      fs.lift();
      const auto last = (*db)->get("last");
      REQUIRE_OK(last);
    }
    INFO("no space from operation " << nth);
    check_store(disk, oracle, acknowledged, started);
  }
}

}  // namespace lsm::test
