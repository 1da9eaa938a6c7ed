// lsm-sim: a policy at work on a model of the tree (shape_model.h), step by
// step or in figures, and several beside each other on the same writes.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <unordered_set>
#include <vector>

#include "leveled.h"
#include "picture.h"
#include "sim_report.h"
#include "simple.h"
#include "simulation.h"
#include "tiered.h"
#include "workload.h"

namespace lsm::sim {
namespace {

const std::vector<std::string> kPolicies = {"leveled", "tiered", "simple"};

struct Arguments {
  std::string policy = "leveled";
  std::vector<std::string> compared;
  Input input;
  Options options;
  double rate_megabytes = 0;
  double disk_megabytes = 200;
  bool steps = false;
  bool json = false;
};

// A wrong command line; what() names the option.
struct BadUsage : std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::shared_ptr<const CompactionPolicy> make_policy(const std::string& name,
                                                    const Options& options) {
  if (name == "tiered") return std::make_shared<TieredPolicy>(options);
  if (name == "simple") return std::make_shared<SimpleLeveledPolicy>(options);
  return std::make_shared<LeveledPolicy>(options);
}

// The trees beside each other, on one scale, and above each what was done.
std::string picture_of(const std::vector<Simulation>& all, bool with_tasks,
                       const std::string& title) {
  const std::size_t columns = block_columns(all.size());
  std::uint64_t full = 1;
  for (const Simulation& one : all)
    full = std::max(full, largest_level(one.shape()));
  std::vector<Lines> tasks;
  std::vector<Lines> trees;
  for (const Simulation& one : all) {
    Lines lines;
    if (all.size() > 1) lines.push_back(one.name());
    if (with_tasks) {
      for (const CompactionTask& task : one.tasks())
        lines.push_back(describe(task, columns));
    }
    tasks.push_back(std::move(lines));
    trees.push_back(draw_tree(one.shape(), full, columns));
  }
  return title + side_by_side(tasks) + side_by_side(trees);
}

// The keys that exist, whatever the policy.
class LiveKeys {
 public:
  LiveKeys(const Input& input, const Workload& workload)
      : input_(input), workload_(workload) {}

  void note(const Write& write) {
    if (write.remove) {
      keys_.erase(write.key);
    } else {
      keys_.insert(write.key);
    }
  }
  std::uint64_t bytes() {
    if (input_.workload == "time-series") {
      std::erase_if(keys_,
                    [&](std::uint64_t key) { return workload_.expired(key); });
    }
    return keys_.size() * input_.model.entry_bytes;
  }

 private:
  const Input& input_;
  const Workload& workload_;
  std::unordered_set<std::uint64_t> keys_;
};

// Every policy on the same writes, one write at a time.
std::vector<Figures> simulate(const std::vector<std::string>& names,
                              const Arguments& arguments) {
  const Input& input = arguments.input;
  Workload workload(kWorkloads.at(input.workload), input.keys, input.seed);
  LiveKeys live(input, workload);
  std::vector<Simulation> all;
  for (const std::string& name : names) {
    all.emplace_back(name, make_policy(name, arguments.options), input);
    all.back().expire([&](std::uint64_t key) { return workload.expired(key); });
  }
  std::size_t flushes = 0;
  for (std::uint64_t i = 0; i < input.writes; ++i) {
    const Write write = workload.next();
    live.note(write);
    bool full = false;
    for (Simulation& one : all)
      full = one.write(write);
    if (!full) continue;
    const std::uint64_t live_bytes = live.bytes();
    for (Simulation& one : all)
      one.flush(live_bytes);
    ++flushes;
    if (arguments.steps) {
      fmt::print("{}\n",
                 picture_of(all, true, fmt::format("flush {}\n", flushes)));
    }
  }
  if (!arguments.json) {
    const std::string after =
        fmt::format("the tree after {} writes\n", input.writes);
    fmt::print("{}", picture_of(all, false,
                                all.size() == 1 ? names[0] + ": " + after
                                                : "each policy: " + after));
  }
  std::vector<Figures> figures;
  for (const Simulation& one : all)
    figures.push_back(one.figures());
  return figures;
}

void add_knobs(CLI::App& app, Options& options) {
  options.base_level_size_bytes = 2 << 20;
  options.target_file_size_bytes = 512 << 10;
  const CLI::Range bytes(std::uint64_t{1}, std::uint64_t{1} << 40);
  app.add_option("--table-size", options.target_file_size_bytes, "Bytes")
      ->check(bytes)
      ->capture_default_str();
  app.add_option("--base-level", options.base_level_size_bytes, "Bytes")
      ->check(bytes)
      ->capture_default_str();
  app.add_option("--multiplier", options.level_size_multiplier)
      ->check(CLI::Range(2.0, 100.0))
      ->capture_default_str();
  app.add_option("--level0-runs", options.level0_runs_to_compact)
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--level0-stop", options.level0_runs_to_stop,
                 "Runs in level 0 that stop the writes; with --rate")
      ->check(CLI::Range(2, 10'000))
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
}

void add_options(CLI::App& app, Arguments& arguments) {
  Input& input = arguments.input;
  const CLI::Range many(std::uint64_t{1}, std::uint64_t{1'000'000'000});
  app.add_option("--policy", arguments.policy, "leveled, tiered or simple")
      ->check(CLI::IsMember(kPolicies))
      ->capture_default_str();
  app.add_option("--compare", arguments.compared,
                 "Two or three policies side by side; all, when none is named")
      ->delimiter(',')
      ->expected(0, 3)
      ->check(CLI::IsMember(kPolicies));
  app.add_option("--workload", input.workload)
      ->check(CLI::IsMember(kWorkloads))
      ->capture_default_str();
  app.add_option("--writes", input.writes)->check(many)->capture_default_str();
  app.add_option("--keys", input.keys,
                 "that are written; time-series: that live")
      ->check(many)
      ->capture_default_str();
  app.add_option("--seed", input.seed)->capture_default_str();
  app.add_option("--entry-size", input.model.entry_bytes, "Bytes")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--buffer", input.model.entries_a_buffer,
                 "Entries in a memtable")
      ->check(CLI::Range(1, 100'000'000))
      ->capture_default_str();
  app.add_option("--rate", arguments.rate_megabytes,
                 "MB a second that are written; 0: compaction always keeps up")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  app.add_option("--disk", arguments.disk_megabytes,
                 "MB a second that compaction can read and write; with --rate")
      ->check(CLI::Range(0.001, 1e6))
      ->capture_default_str();
  add_knobs(app, arguments.options);
  app.add_flag("--steps", arguments.steps, "Show every flush, task and tree");
  app.add_flag("--json", arguments.json, "The figures as JSON, for plots");
  app.footer(
      "\nThe same options and seed give the same bytes. The rooms (2.1 to "
      "2.3)\n"
      "are those that this build has: ./course sim --mine takes yours.");
}

// What no single option's range can tell. Throws BadUsage.
std::vector<std::string> policies_of(const CLI::App& app,
                                     const Arguments& arguments) {
  const bool comparing = app.count("--compare") > 0;
  if (!comparing) return {arguments.policy};
  if (app.count("--policy") > 0) {
    throw BadUsage("--policy: --compare names the policies already");
  }
  // Without a name CLI11 leaves one empty value.
  std::vector<std::string> names = arguments.compared;
  std::erase(names, "");
  if (names.empty()) return kPolicies;
  if (names.size() < 2) {
    throw BadUsage("--compare: two or three policies; one alone is --policy");
  }
  for (const std::string& name : names) {
    if (std::ranges::count(names, name) > 1) {
      throw BadUsage(fmt::format("--compare: {} is named twice", name));
    }
  }
  return names;
}

void check_knobs(const CLI::App& app, const Options& options) {
  if (options.tiered_min_merge_width > options.tiered_max_merge_width) {
    throw BadUsage(fmt::format(
        "--tiered-max-width: {} is below --tiered-min-width {}",
        options.tiered_max_merge_width, options.tiered_min_merge_width));
  }
  if (options.level0_runs_to_stop <= options.level0_runs_to_compact) {
    throw BadUsage(fmt::format(
        "--level0-stop: {} is not above --level0-runs {}, so writes would "
        "stop before anything is compacted",
        options.level0_runs_to_stop, options.level0_runs_to_compact));
  }
  for (const char* option : {"--disk", "--level0-stop"}) {
    if (app.count(option) > 0 && app.count("--rate") == 0) {
      throw BadUsage(fmt::format("{}: it says nothing without --rate", option));
    }
  }
}

nlohmann::ordered_json knobs_json(const Options& options) {
  return {
      {"table_size_bytes", options.target_file_size_bytes},
      {"base_level_bytes", options.base_level_size_bytes},
      {"multiplier", options.level_size_multiplier},
      {"level0_runs", options.level0_runs_to_compact},
      {"level0_stop", options.level0_runs_to_stop},
      {"tiered_max_runs", options.tiered_max_runs},
      {"tiered_min_width", options.tiered_min_merge_width},
      {"tiered_max_width", options.tiered_max_merge_width},
      {"tiered_ratio_percent", options.tiered_size_ratio_percent},
      {"tiered_space_percent", options.tiered_max_space_amplification_percent}};
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
  Input& input = arguments.input;
  input.rate_bytes = arguments.rate_megabytes * 1e6;
  input.disk_bytes = arguments.disk_megabytes * 1e6;
  input.level0_runs_to_stop = arguments.options.level0_runs_to_stop;
  try {
    const std::vector<std::string> names = policies_of(app, arguments);
    check_knobs(app, arguments.options);
    const std::vector<Figures> all = simulate(names, arguments);
    fmt::print("{}", arguments.json
                         ? json_of(all, input, knobs_json(arguments.options))
                         : table_of(all, input));
  } catch (const BadUsage& error) {
    fmt::print(stderr, "lsm-sim: {}\n", error.what());
    return 2;
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
