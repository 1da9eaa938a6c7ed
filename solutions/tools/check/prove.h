// The proving ground: history after history is run on a new store each, and
// checked; what is wrong is kept with its story.
//
//   seed s ─► Db on a disk in memory ─► run_history ─► check ─► Report
//   seed s + 1 …
//
// I1 Stores have small write buffers and background work (or, with `turns`, a
//    stepped executor), so that flushes and compactions run beside the
//    transactions. Every fourth has little memory for commit records, for
//    one, three or seven, and refuses more.
// I2 With `turns` a history is its seed's: it can be had again. Its refusals
//    are judged, too (refusals.h).
// Cost: some 10 ms a history of 500 transactions.
// Used by lsm-check and tests/engine/isolation_test.cpp.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/options.h"
#include "tools/check/checker.h"
#include "tools/check/workload.h"

namespace lsm::check {

struct Settings {
  Plan plan;  // of the first; the next one has the next seed
  std::uint64_t histories = 100;
  CompactionStyle policy = CompactionStyle::leveled;
};

// A history that should not be.
struct Exhibit {
  std::uint64_t seed = 0;
  History history;
  Finding finding;
  std::string story;
};

struct Report {
  std::uint64_t histories = 0;
  std::uint64_t transactions = 0;
  std::uint64_t committed = 0;
  std::uint64_t refused = 0;
  std::uint64_t rolled_back = 0;
  std::uint64_t arrows = 0;
  std::uint64_t overlaps = 0;  // transactions that another one overlapped
  std::uint64_t flushes = 0;
  std::uint64_t compactions = 0;
  std::uint64_t bad = 0;           // histories
  std::uint64_t allowed = 0;       // cycles, smallest ones of each transaction
  std::uint64_t with_allowed = 0;  // histories
  std::array<std::uint64_t, kAnomalies> anomalies{};  // wrong ones
  std::optional<Exhibit> first;                       // of a bad one
  std::optional<Exhibit> first_allowed;  // the smallest cycle, told
  std::string broken_off;                // why the run could not go on

  bool clean() const { return bad == 0 && broken_off.empty(); }
};

using Watch = std::function<void(const Report& report, std::uint64_t seed)>;

// On the engine.
Report run_prove(const Settings& settings, const Watch& watch = {});

// On any store: `open` makes a new one, which lives as long as the subject.
struct Stage {
  Subject subject;
  std::function<void(Report&)> close = {};  // may note flushes; may be null
  // None: the store's refusals are not judged.
  std::optional<std::size_t> max_records_bytes = {};
};
using MakeStage = std::function<Result<Stage>(std::uint64_t seed)>;
Report run_prove_on(const Settings& settings, const MakeStage& make_stage,
                    const Watch& watch = {});

// Plans that between them do all that a workload can do: both levels, both
// workloads, few keys and more, in turns. What a room breaks, one of them shows
// within seconds (`course mutants --prove`).
std::vector<Settings> trial_plans(std::uint64_t seed);

// The arguments with which lsm-check runs this seed's history alone.
std::string arguments_of(const Settings& settings, std::uint64_t seed);

}  // namespace lsm::check
