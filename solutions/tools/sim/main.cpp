// lsm-sim: a policy at work on a model of the tree (shape_model.h), step by
// step or in figures, and several beside each other on the same writes.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <unordered_set>
#include <vector>

#include "leveled.h"
#include "shape_model.h"
#include "simple.h"
#include "tiered.h"
#include "workload.h"

namespace lsm::sim {
namespace {

constexpr std::size_t kTaskLimit = 1'000'000;
constexpr int kBarColumns = 40;

struct Arguments {
  std::vector<std::string> policies = {"leveled"};
  std::string workload = "uniform";
  std::uint64_t writes = 1'000'000;
  std::uint64_t keys = 200'000;
  std::uint64_t seed = 1;
  ShapeModel::Settings model{.entry_bytes = 116, .entries_a_buffer = 2000};
  Options options;
  bool steps = false;
  bool json = false;
};

std::unique_ptr<CompactionPolicy> make_policy(const std::string& name,
                                              const Options& options) {
  if (name == "tiered") return std::make_unique<TieredPolicy>(options);
  if (name == "simple") return std::make_unique<SimpleLeveledPolicy>(options);
  return std::make_unique<LeveledPolicy>(options);
}

struct Figures {
  std::string policy;
  ShapeModel::Totals totals;
  double write_amplification = 0;
  double space_amplification = 0;  // at the end
  double worst_space = 0;          // after any flush, at rest
  double mean_runs = 0;            // that a get of an absent key may ask
  std::size_t worst_runs = 0;
};

// The levels as bars, one run after another.
void print_tree(const TreeShape& shape) {
  std::uint64_t most = 1;
  for (const LevelShape& level : shape.levels)
    most = std::max(most, level.size_bytes());
  for (int number = 0; number < kMaxLevels; ++number) {
    const LevelShape& level = shape.levels[static_cast<std::size_t>(number)];
    if (level.runs.empty()) continue;
    std::string bar;
    std::size_t tables = 0;
    for (const RunShape& run : level.runs) {
      const auto columns =
          std::max<std::uint64_t>(run.size_bytes() * kBarColumns / most, 1);
      bar += (bar.empty() ? "" : " ") + std::string(columns, '#');
      tables += run.files.size();
    }
    fmt::print("  {}  {:>9.2f} MB {:>5} tables  {}\n", number,
               static_cast<double>(level.size_bytes()) / 1e6, tables, bar);
  }
}

std::string describe(const CompactionTask& task) {
  std::string from;
  std::uint64_t bytes = 0;
  for (const CompactionTask::Input& input : task.inputs) {
    std::size_t tables = 0;
    for (const RunShape& run : input.runs) {
      tables += run.files.size();
      bytes += run.size_bytes();
    }
    from += fmt::format("{}level {} ({} tables)", from.empty() ? "" : " + ",
                        input.level, tables);
  }
  return fmt::format(
      "{} {} to level {}, {:.2f} MB: {}", task.trivial_move ? "move" : "merge",
      from, task.output_level, static_cast<double>(bytes) / 1e6, task.reason);
}

// What one policy makes of the writes; throws what is wrong.
Figures simulate(const std::string& name, const Arguments& arguments) {
  const auto policy = make_policy(name, arguments.options);
  Workload workload(kWorkloads.at(arguments.workload), arguments.keys,
                    arguments.seed);
  ShapeModel model(arguments.model);
  model.expire([&](std::uint64_t key) { return workload.expired(key); });
  std::unordered_set<std::uint64_t> live;
  Figures figures;
  figures.policy = name;
  double runs_sum = 0;
  const auto settle = [&] {
    model.flush();
    if (arguments.steps) fmt::print("flush {}\n", model.totals().flushes);
    std::string wrong;
    const std::size_t tasks = model.settle(
        *policy, kTaskLimit, wrong, [&](const CompactionTask& task) {
          if (arguments.steps) fmt::print("  {}\n", describe(task));
        });
    if (arguments.steps) print_tree(model.shape());
    if (!wrong.empty()) {
      throw std::runtime_error(name + ": an illegal task: " + wrong);
    }
    if (tasks == kTaskLimit) {
      throw std::runtime_error(name + ": it does not come to rest");
    }
    std::uint64_t bytes = 0;
    std::size_t runs = 0;
    for (const LevelShape& level : model.shape().levels) {
      bytes += level.size_bytes();
      runs += level.runs.size();
    }
    if (arguments.workload == "time-series") {
      std::erase_if(live,
                    [&](std::uint64_t key) { return workload.expired(key); });
    }
    figures.space_amplification =
        static_cast<double>(bytes) /
        static_cast<double>(std::max<std::uint64_t>(
            live.size() * arguments.model.entry_bytes, 1));
    // Small trees say little: the second half of the run counts.
    if (model.sequence() * 2 >= arguments.writes) {
      figures.worst_space =
          std::max(figures.worst_space, figures.space_amplification);
    }
    figures.worst_runs = std::max(figures.worst_runs, runs);
    runs_sum += static_cast<double>(runs);
  };
  for (std::uint64_t i = 0; i < arguments.writes; ++i) {
    const Write write = workload.next();
    if (write.remove) {
      live.erase(write.key);
    } else {
      live.insert(write.key);
    }
    if (write.remove ? model.remove(write.key) : model.put(write.key)) settle();
  }
  figures.totals = model.totals();
  const ShapeModel::Totals& totals = figures.totals;
  figures.write_amplification =
      static_cast<double>(totals.flushed_bytes + totals.written_bytes) /
      static_cast<double>(std::max<std::uint64_t>(totals.user_bytes, 1));
  figures.mean_runs =
      runs_sum / static_cast<double>(std::max<std::size_t>(totals.flushes, 1));
  if (!arguments.json) {
    fmt::print("{}: the tree after {} writes\n", name, arguments.writes);
    print_tree(model.shape());
  }
  return figures;
}

void print_table(const std::vector<Figures>& all) {
  fmt::print("\n{:<8} {:>7} {:>7} {:>7} {:>7} {:>7} {:>9} {:>8} {:>8}\n",
             "policy", "write", "space", "worst", "runs", "worst", "largest",
             "merges", "moves");
  for (const Figures& one : all) {
    fmt::print(
        "{:<8} {:>7.2f} {:>7.2f} {:>7.2f} {:>7.1f} {:>7} {:>6.1f} MB {:>8} "
        "{:>8}\n",
        one.policy, one.write_amplification, one.space_amplification,
        one.worst_space, one.mean_runs, one.worst_runs,
        static_cast<double>(one.totals.largest_task_bytes) / 1e6,
        one.totals.tasks, one.totals.moves);
  }
  fmt::print(
      "\nwrite: bytes flushed and merged, a byte written by the user\n"
      "space: bytes in tables, a byte of the live keys' newest versions; worst "
      "in\n       the second half, at rest\n"
      "runs:  places that a read may have to look at, mean and worst at rest\n"
      "largest: bytes read by one merge\n");
}

nlohmann::json json_of(const Figures& one) {
  return {{"policy", one.policy},
          {"write_amplification", one.write_amplification},
          {"space_amplification", one.space_amplification},
          {"worst_space_amplification", one.worst_space},
          {"mean_runs", one.mean_runs},
          {"worst_runs", one.worst_runs},
          {"largest_merge_bytes", one.totals.largest_task_bytes},
          {"merges", one.totals.tasks},
          {"moves", one.totals.moves},
          {"user_bytes", one.totals.user_bytes},
          {"flushed_bytes", one.totals.flushed_bytes},
          {"written_bytes", one.totals.written_bytes}};
}

void add_options(CLI::App& app, Arguments& arguments) {
  Options& options = arguments.options;
  options.base_level_size_bytes = 2 << 20;
  options.target_file_size_bytes = 512 << 10;
  app.add_option("--policy,--compare", arguments.policies,
                 "leveled, tiered, simple; several are compared")
      ->delimiter(',')
      ->check(CLI::IsMember({"leveled", "tiered", "simple"}));
  app.add_option("--workload", arguments.workload)
      ->check(CLI::IsMember(kWorkloads))
      ->capture_default_str();
  app.add_option("--writes", arguments.writes)
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000'000}))
      ->capture_default_str();
  app.add_option("--keys", arguments.keys,
                 "that are written; time-series: that live")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000'000}))
      ->capture_default_str();
  app.add_option("--seed", arguments.seed)->capture_default_str();
  app.add_option("--entry-size", arguments.model.entry_bytes, "Bytes")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--buffer", arguments.model.entries_a_buffer,
                 "Entries in a memtable")
      ->check(CLI::Range(1, 100'000'000))
      ->capture_default_str();
  app.add_option("--table-size", options.target_file_size_bytes, "Bytes")
      ->capture_default_str();
  app.add_option("--base-level", options.base_level_size_bytes, "Bytes")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--multiplier", options.level_size_multiplier)
      ->check(CLI::Range(2.0, 100.0))
      ->capture_default_str();
  app.add_option("--level0-runs", options.level0_runs_to_compact)
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--tiered-max-runs", options.tiered_max_runs)
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--tiered-min-width", options.tiered_min_merge_width)
      ->check(CLI::Range(2, 1000))
      ->capture_default_str();
  app.add_option("--tiered-max-width", options.tiered_max_merge_width)
      ->check(CLI::Range(2, 1000))
      ->capture_default_str();
  app.add_option("--tiered-ratio", options.tiered_size_ratio_percent, "%")
      ->check(CLI::Range(0, 1000))
      ->capture_default_str();
  app.add_option("--tiered-space",
                 options.tiered_max_space_amplification_percent, "%")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  app.add_flag("--steps", arguments.steps, "Show every flush, task and tree");
  app.add_flag("--json", arguments.json, "The figures as JSON");
}

int main_of(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("A compaction policy at work on a model of the tree.");
  add_options(app, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  arguments.steps = arguments.steps && !arguments.json;
  try {
    std::vector<Figures> all;
    for (const std::string& policy : arguments.policies) {
      all.push_back(simulate(policy, arguments));
    }
    if (arguments.json) {
      nlohmann::json json = nlohmann::json::array();
      for (const Figures& one : all)
        json.push_back(json_of(one));
      fmt::print("{}\n", json.dump(2));
    } else {
      print_table(all);
    }
  } catch (const std::exception& error) {
    fmt::print(stderr, "lsm-sim: {}\n", error.what());
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace lsm::sim

int main(int argc, char** argv) {
  return lsm::sim::main_of(argc, argv);
}
