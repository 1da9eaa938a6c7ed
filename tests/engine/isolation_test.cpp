// Histories of many transactions at the same time, on the engine: is each
// what its isolation level promises? The proving ground that runs and checks
// them is lsm-check's (solutions/tools/check); here it has to find nothing.
//
// LSM_TEST_SCALE chooses how many histories are run.
#include <string>

#include "support/catch.h"
#include "support/random.h"
#include "support/teach.h"
#include "tools/check/prove.h"

namespace lsm::test {
namespace {

using check::Report;
using check::Settings;
using check::Workload;

// Histories of one level, both workloads together.
constexpr std::size_t kThreaded = 500;  // of each workload
static_assert(2 * kThreaded >= 1'000);
constexpr std::size_t kTurns = 40;  // of each workload and policy
constexpr std::size_t kSnapshot = 60;

Report run(Settings settings, std::size_t histories) {
  settings.histories = scaled(histories);
  const Report report = check::run_prove(settings);
  if (report.first) {
    FAIL(report.first->story
         << "\nThis seed again: lsm-check "
         << check::arguments_of(settings, report.first->seed));
  }
  REQUIRE_SAME(report.broken_off, "");
  REQUIRE_SAME(report.histories, settings.histories);
  // Or too little happened.
  const auto transactions =
      settings.histories * static_cast<std::size_t>(settings.plan.transactions);
  CHECK_SAME(report.transactions, transactions);
  CHECK(report.committed > transactions / 3);
  CHECK(report.refused > transactions / 50);
  CHECK(report.overlaps > transactions / 4);
  CHECK(report.flushes >= settings.histories);
  return report;
}

}  // namespace

TEST_CASE("serializable transactions in threads might have run one by one",
          "[engine][isolation][long]") {
  STORY(
      "1,000 histories of 500 transactions in 4 threads, lists and numbers; "
      "flushes and compactions beside them.");
  INVARIANT("no cycle in what the committed ones saw");
  const Workload workload = GENERATE(Workload::append, Workload::registers);
  Settings settings;
  settings.plan = {.seed = 1, .workload = workload};
  const Report report = run(settings, kThreaded);
  CHECK(report.compactions >= settings.histories / 4);
}

TEST_CASE("serializable transactions that take turns, under each policy",
          "[engine][isolation]") {
  STORY("One thread, its order drawn from the seed; few keys, many conflicts.");
  INVARIANT("no cycle in what the committed ones saw");
  const Workload workload = GENERATE(Workload::append, Workload::registers);
  const CompactionStyle policy =
      GENERATE(CompactionStyle::leveled, CompactionStyle::tiered,
               CompactionStyle::simple);
  Settings settings;
  settings.plan = {
      .seed = 5'001, .workload = workload, .keys = 5, .turns = true};
  settings.policy = policy;
  run(settings, kTurns);
}

TEST_CASE("snapshot isolation allows write skew, and nothing else",
          "[engine][isolation]") {
  STORY("The same under snapshot isolation, in threads and in turns.");
  INVARIANT("only cycles with two rw arrows side by side");
  const Workload workload = GENERATE(Workload::append, Workload::registers);
  const bool turns = GENERATE(false, true);
  Settings settings;
  settings.plan = {.seed = 9'001,
                   .workload = workload,
                   .isolation = Isolation::snapshot,
                   .turns = turns};
  const Report report = run(settings, kSnapshot);
  // It does allow that much.
  CHECK(report.allowed > 0);
}

TEST_CASE("with one key and many sessions", "[engine][isolation]") {
  STORY("16 sessions take turns at 1 key, and at 2.");
  INVARIANT("no cycle in what the committed ones saw");
  const int keys = GENERATE(1, 2);
  Settings settings;
  settings.plan = {.seed = 7'001, .sessions = 16, .keys = keys, .turns = true};
  settings.histories = scaled(20);
  const Report report = check::run_prove(settings);
  if (report.first) FAIL(report.first->story);
  CHECK_SAME(report.broken_off, "");
  CHECK(report.refused > 0);
}

}  // namespace lsm::test
