#include "tools/check/prove.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <memory>
#include <utility>

#include "base/executor.h"
#include "base/sim_file_system.h"
#include "tools/check/story.h"

namespace lsm::check {
namespace {

// What recent_commits.h counts for a record besides its key.
constexpr std::size_t kRecordBytes = 144;

// So small that a history flushes and compacts.
Options small_options(CompactionStyle policy) {
  Options options;
  options.compaction_style = policy;
  options.write_buffer_size_bytes = 8 << 10;
  options.target_file_size_bytes = 8 << 10;
  options.base_level_size_bytes = 32 << 10;
  options.level0_runs_to_compact = 2;
  options.tiered_max_runs = 3;
  options.tiered_min_merge_width = 2;
  options.block_size_bytes = 512;
  options.block_cache_bytes = 64 << 10;
  options.compression = Compression::none;
  return options;
}

// What a store leaves for later, the removal of its last files, may run after
// it is gone; when its executor is gone, nothing does.
struct Ground {
  SimFileSystem disk;
  std::unique_ptr<Executor> executor;
  std::unique_ptr<Db> db;
};

void count(Report& report, const History& history, const Verdict& verdict) {
  report.transactions += history.traces.size();
  report.arrows += verdict.arrows;
  std::uint64_t latest_end = 0;
  for (std::size_t i = 0; i < history.traces.size(); ++i) {
    const Trace& trace = history.traces[i];
    report.committed += trace.committed() ? 1 : 0;
    report.refused += trace.outcome == Outcome::refused ? 1 : 0;
    report.rolled_back += trace.outcome == Outcome::rolled_back ? 1 : 0;
    const bool next = i + 1 < history.traces.size() &&
                      history.traces[i + 1].begin < trace.end;
    report.overlaps += next || latest_end > trace.begin ? 1 : 0;
    latest_end = std::max(latest_end, trace.end);
  }
}

}  // namespace

Report run_prove_on(const Settings& settings, const MakeStage& make_stage,
                    const Watch& watch) {
  Report report;
  const auto run_one = [&](std::uint64_t seed) -> Result<void> {
    Plan plan = settings.plan;
    plan.seed = seed;
    LSM_ASSIGN_OR_RETURN(const Stage stage, make_stage(seed));
    LSM_ASSIGN_OR_RETURN(History history, run_history(plan, stage.subject));
    if (plan.turns && stage.max_records_bytes) {
      history.in_turns = true;
      history.max_records_bytes = *stage.max_records_bytes;
      history.record_bytes = kRecordBytes;
    }
    if (stage.close) stage.close(report);
    Graph graph;
    const Verdict verdict = check(history, plan.isolation, graph);
    count(report, history, verdict);
    const auto exhibit = [&](const Finding& finding) {
      return Exhibit{seed, history, finding,
                     tell(history, graph, finding, plan.isolation)};
    };
    for (const Finding& finding : verdict.wrong)
      ++report.anomalies[static_cast<std::size_t>(finding.anomaly)];
    if (!verdict.wrong.empty()) {
      if (report.bad++ == 0) report.first = exhibit(verdict.wrong.front());
    }
    report.allowed += verdict.allowed.size();
    if (!verdict.allowed.empty()) {
      if (report.with_allowed++ == 0) {
        report.first_allowed = exhibit(verdict.allowed.front());
      }
    }
    return {};
  };
  for (; report.histories < settings.histories; ++report.histories) {
    const std::uint64_t seed = settings.plan.seed + report.histories;
    if (watch) watch(report, seed);
    try {
      if (const auto done = run_one(seed); !done) {
        report.broken_off = done.error().message;
      }
    } catch (const std::exception& error) {  // a room that is not written yet
      report.broken_off = error.what();
    }
    if (!report.broken_off.empty()) break;
  }
  return report;
}

Report run_prove(const Settings& settings, const Watch& watch) {
  const auto make_stage = [&](std::uint64_t seed) -> Result<Stage> {
    auto ground = std::make_shared<Ground>();
    Options options = small_options(settings.policy);
    options.file_system = &ground->disk;
    // Every fourth forgets commits that some transaction still needs: it keeps
    // one, three or seven.
    if (seed % 4 == 3) {
      options.max_commit_records_bytes = std::size_t{256} << (seed / 4 % 3);
    }
    ground->executor = settings.plan.turns ? make_stepped_executor(seed)
                                           : make_thread_executor();
    options.executor = ground->executor.get();
    LSM_ASSIGN_OR_RETURN(ground->db, Db::open("db", options));
    Stage stage{subject_of(*ground->db)};
    stage.max_records_bytes = options.max_commit_records_bytes;
    if (settings.plan.turns) {
      stage.subject.on_sync = [disk = &ground->disk](auto visit) {
        if (!visit) return disk->before_each_operation({});
        disk->before_each_operation(
            [visit, done = false](const SimOperation& operation) mutable {
              if (done || operation.what != "sync" ||
                  !operation.path.ends_with(".log")) {
                return;
              }
              done = true;
              visit();
            });
      };
    }
    stage.close = [ground](Report& report) {
      const Stats stats = ground->db->stats();
      report.flushes += stats.flushes;
      report.compactions += stats.compactions + stats.trivial_moves;
    };
    return stage;
  };
  return run_prove_on(settings, make_stage, watch);
}

std::vector<Settings> trial_plans(std::uint64_t seed) {
  std::vector<Settings> plans;
  for (const auto& [keys, sessions] : {std::pair(3, 3), std::pair(6, 5)}) {
    for (const Isolation isolation :
         {Isolation::serializable, Isolation::snapshot}) {
      for (const Workload workload : {Workload::registers, Workload::append}) {
        plans.push_back({.plan = {.seed = seed,
                                  .workload = workload,
                                  .isolation = isolation,
                                  .transactions = 300,
                                  .sessions = sessions,
                                  .keys = keys,
                                  .turns = true},
                         .histories = 40});
      }
    }
  }
  return plans;
}

std::string arguments_of(const Settings& settings, std::uint64_t seed) {
  constexpr const char* kPolicies[] = {"leveled", "tiered", "simple"};
  const Plan& plan = settings.plan;
  return fmt::format(
      "--isolation {} --workload {} --policy {} --seed {} --histories 1 "
      "--transactions {} --threads {} --keys {}{}",
      plan.isolation == Isolation::snapshot ? "snapshot" : "serializable",
      plan.workload == Workload::append ? "list-append" : "register",
      kPolicies[static_cast<int>(settings.policy)], seed, plan.transactions,
      plan.sessions, plan.keys, plan.turns ? " --turns" : "");
}

}  // namespace lsm::check
