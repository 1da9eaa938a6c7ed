// The program lsm-sim as its users meet it: the same bytes for the same seed,
// what each policy promises of its shape, the definitions of the figures,
// mistakes on the command line.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "run_tool.h"
#include "support/catch.h"
#include "support/shapes.h"
#include "support/teach.h"
#include "tools/sim/legal_task.h"

namespace lsm::test {
namespace {

using nlohmann::json;
using Args = std::vector<std::string>;

Ran run_sim(Args args, const Args& more = {}) {
  args.insert(args.end(), more.begin(), more.end());
  return run_tool(args, {}, LSM_SIM_PATH);
}

json figures(Args args) {
  args.emplace_back("--json");
  const Ran ran = run_sim(args);
  INFO(ran.err);
  REQUIRE(ran.status == 0);
  return json::parse(ran.out);
}

// The one policy of such a run.
json policy(const Args& args) {
  return figures(args)["policies"][0];
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// A tree of 200 kB and what is dead in it: buffers of 10 kB, tables of 20 kB.
const Args kSmall = {"--writes",     "20000", "--keys",       "2000",
                     "--entry-size", "100",   "--buffer",     "100",
                     "--table-size", "20000", "--base-level", "40000"};

Args small(const Args& more) {
  Args args = kSmall;
  args.insert(args.end(), more.begin(), more.end());
  return args;
}

// "0: 9 | 8 + 5: 3 -> 5" as a task; a table is sought in the whole shape.
CompactionTask task_of(const TreeShape& shape, const std::string& text) {
  CompactionTask task;
  task.target_file_size_bytes = 10;
  const auto table = [&](std::uint64_t number) {
    for (const LevelShape& level : shape.levels) {
      for (const RunShape& run : level.runs) {
        for (const FileMetaPtr& file : run.files) {
          if (file->number == number) return file;
        }
      }
    }
    throw std::invalid_argument("no such table");
  };
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (word == "->" || word == "=>") {
      task.trivial_move = word == "=>";
      words >> task.output_level;
    } else if (word == "|") {
      task.inputs.back().runs.emplace_back();
    } else if (word.back() == ':') {
      task.inputs.push_back({std::stoi(word), {RunShape()}});
    } else if (word != "+") {
      task.inputs.back().runs.back().files.push_back(table(std::stoull(word)));
    }
  }
  return task;
}

const Args kWorkloads = {"uniform", "zipfian", "sequential", "time-series",
                         "delete-heavy"};

}  // namespace

TEST_CASE("the same seed gives the same bytes", "[engine][tool]") {
  STORY("Each workload twice: figures, steps and JSON; then another seed.");
  for (const std::string& workload : kWorkloads) {
    INFO(workload);
    for (const Args& shown : {Args{}, Args{"--steps"}, Args{"--json"},
                              Args{"--rate", "20", "--json"}}) {
      Args args = small({"--workload", workload, "--compare"});
      args[1] = "5000";  // of --writes
      const Ran first = run_sim(args, shown);
      CHECK_SAME(first.status, 0);
      CHECK_SAME(first.err, "");
      CHECK(first.out == run_sim(args, shown).out);
    }
  }
  const Args drawn = small({"--seed", "7"});
  CHECK(run_sim(drawn).out != run_sim(kSmall).out);
}

TEST_CASE("the JSON holds input, definitions and figures", "[engine][tool]") {
  STORY("20,000 writes of 100 bytes in buffers of 100: 200 flushes.");
  const json all = figures(small({"--compare", "leveled,tiered"}));
  CHECK_SAME(all["schema"].get<int>(), 1);
  CHECK_SAME(all["input"]["workload"].get<std::string>(), "uniform");
  CHECK_SAME(all["input"]["seed"].get<int>(), 1);
  CHECK_SAME(all["knobs"]["table_size_bytes"].get<int>(), 20000);
  REQUIRE(all["policies"].size() == 2);
  for (const json& one : all["policies"]) {
    for (const auto& [field, text] : all["definitions"].items()) {
      INFO(field);
      CHECK(one.contains(field));
      CHECK(!text.get<std::string>().empty());
    }
    CHECK_SAME(one["flushes"].get<int>(), 200);
    CHECK_SAME(one["user_bytes"].get<int>(), 2'000'000);
    // Write amplification is what its definition says.
    const double bytes =
        one["flushed_bytes"].get<double>() + one["written_bytes"].get<double>();
    CHECK(std::abs(one["write_amplification"].get<double>() - bytes / 2e6) <
          1e-9);
    CHECK(one["steps"].size() >= 100);
    CHECK(one["steps"].size() <= 200);
    CHECK_SAME(one["steps"].back()["writes"].get<int>(), 20'000);
  }
}

TEST_CASE("policies are compared side by side on one input", "[engine][tool]") {
  STORY("All three, named or not; each has the figures it has alone.");
  const Ran ran = run_sim(kSmall, {"--compare"});
  CHECK(ran.out == run_sim(kSmall, {"--compare", "leveled,tiered,simple"}).out);
  std::istringstream lines(ran.out);
  bool one_line = false;
  for (std::string line; std::getline(lines, line);) {
    CHECK(line.size() <= 80);
    one_line =
        one_line || (contains(line, "leveled  ") &&
                     contains(line, "tiered  ") && contains(line, "simple"));
  }
  CHECK(one_line);
  const json all = figures(small({"--compare", "simple,leveled,tiered"}));
  REQUIRE(all["policies"].size() == 3);
  for (const json& one : all["policies"]) {
    INFO(one["policy"]);
    CHECK(one == policy(small({"--policy", one["policy"]})));
  }
}

TEST_CASE("steps show every flush, task and tree", "[engine][tool]") {
  STORY(
      "Four buffers of 100 ascending keys under leveled: the fourth flush "
      "moves "
      "the oldest run to the bottom, where nothing overlaps it.");
  const Ran ran =
      run_sim({"--workload", "sequential", "--writes", "400", "--entry-size",
               "100", "--buffer", "100", "--steps"});
  const std::string bar(40, '#');
  const std::string third(13, '#');
  const std::string tables = " MB     1 tables  ";
  CHECK(contains(ran.out, "flush 1\n  0       0.01" + tables + bar + "\n"));
  CHECK(contains(ran.out,
                 "flush 4\n  move level 0 (1 tables) to level 6, 0.01 MB: "));
  CHECK(contains(ran.out, "  0       0.03 MB     3 tables  " + third + " " +
                              third + " " + third +
                              "\n"
                              "  6       0.01" +
                              tables + third + "\n"));
}

TEST_CASE("leveled writes ascending keys once", "[engine][tool]") {
  STORY("Nothing overlaps, so every table moves and none is rewritten.");
  const json one = policy(small({"--workload", "sequential"}));
  CHECK_SAME(one["write_amplification"].get<double>(), 1.0);
  CHECK_SAME(one["merges"].get<int>(), 0);
  CHECK(one["moves"].get<int>() > 0);
  CHECK_SAME(one["space_amplification"].get<double>(), 1.0);
}

TEST_CASE("leveled's levels stay within their targets", "[engine][tool]") {
  STORY("After every flush: 3 runs in level 0, level n a tenth of n + 1.");
  INVARIANT("base_level 40,000 bytes, multiplier 10, 4 runs are compacted");
  for (const std::string& workload : kWorkloads) {
    INFO(workload);
    const json one = policy(small({"--workload", workload}));
    for (const json& step : one["steps"]) {
      const auto bytes = step["level_bytes"].get<std::vector<double>>();
      REQUIRE(bytes.size() == 7);
      CHECK(step["level0_runs"].get<int>() < 4);
      double largest = 40'000;
      for (std::size_t level = 1; level < 7; ++level)
        largest = std::max(largest, bytes[level]);
      for (std::size_t level = 5; level > 0; --level) {
        largest /= 10;
        CHECK(bytes[level] <= largest + 1);
      }
    }
  }
}

TEST_CASE("simple's levels stay a tenth of the next", "[engine][tool]") {
  STORY("After every flush, from level 1 down to the deepest.");
  INVARIANT("I4 of simple.h");
  for (const std::string& workload : kWorkloads) {
    INFO(workload);
    const json one =
        policy(small({"--workload", workload, "--policy", "simple"}));
    for (const json& step : one["steps"]) {
      const auto bytes = step["level_bytes"].get<std::vector<double>>();
      CHECK(step["level0_runs"].get<int>() < 4);
      for (std::size_t level = 1; level < 6; ++level) {
        CHECK(bytes[level] * 10 <= bytes[level + 1]);
      }
    }
  }
}

TEST_CASE("tiered keeps its runs few and its space bounded", "[engine][tool]") {
  STORY("At most 5 runs; all but the oldest at most 50% of it.");
  INVARIANT("I4 of tiered.h");
  for (const std::string& workload : kWorkloads) {
    INFO(workload);
    const json one =
        policy(small({"--workload", workload, "--policy", "tiered",
                      "--tiered-max-runs", "5", "--tiered-space", "50"}));
    CHECK(one["worst_read_amplification"].get<int>() <= 5);
    for (const json& step : one["steps"]) {
      const auto bytes = step["level_bytes"].get<std::vector<double>>();
      double all = 0;
      double oldest = 0;
      for (const double level : bytes) {
        all += level;
        if (level > 0) oldest = level;
      }
      if (oldest == bytes[0]) continue;  // the runs of level 0 are not told
      CHECK(all <= 1.5 * oldest);
    }
  }
}

TEST_CASE("what has expired is forgotten", "[engine][tool]") {
  STORY("20,000 ascending keys, of which the last 2,000 live.");
  for (const char* name : {"tiered", "simple"}) {
    const json one =
        policy(small({"--workload", "time-series", "--policy", name}));
    CHECK(one["space_amplification"].get<double>() < 4);
  }
}

TEST_CASE("a rate beyond the disk makes writers wait", "[engine][tool]") {
  STORY("As good as no rate; then more than the disk can compact.");
  const json rest = policy(kSmall);
  const json slow = policy(small({"--rate", "0.001"}));
  CHECK_SAME(slow["stalled_share"].get<double>(), 0.0);
  CHECK(slow["write_amplification"] == rest["write_amplification"]);
  CHECK(slow["steps"] == rest["steps"]);
  // 2 MB at 1 MB a second take two seconds of the simulator's own clock.
  const double seconds = policy(small({"--rate", "1"}))["seconds"];
  CHECK(std::abs(seconds - 2) < 1e-6);

  const json fast =
      policy(small({"--rate", "100", "--disk", "100", "--level0-stop", "8"}));
  CHECK(fast["stalled_share"].get<double>() > 0);
  CHECK(fast["stalled_share"].get<double>() < 1);
  for (const json& step : fast["steps"]) {
    CHECK(step["level0_runs"].get<int>() < 8);
  }
}

TEST_CASE("a task that breaks a rule is refused", "[engine][tool]") {
  STORY("Three runs in level 0, two tables in level 5, three in level 6.");
  INVARIANT("R1 to R3 of legal_task.h");
  const TreeShape shape = shape_of(
      "0: 9=a..m:10 | 8=c..f:4 | 7=p..q:4\n"
      "5: 5=a..d:9 6=g..k:9\n"
      "6: 1=a..c:40 2=d..k:40 3=r..z:40");
  const auto why = [&](const std::string& text) {
    return sim::why_illegal(shape, task_of(shape, text));
  };
  const std::string pass = "its output would pass table ";
  const std::vector<std::pair<std::string, std::string>> tasks = {
      // Legal: two neighbours of level 0 with all they overlap; within level
      // 0; a run that overlaps nothing, moved; a table of a deeper level.
      {"0: 9 | 8 | 7 + 5: 5 6 -> 5", ""},
      {"0: 9 | 8 -> 0", ""},
      {"0: 7 => 6", ""},
      {"5: 6 + 6: 2 -> 6", ""},
      // R1.
      {"-> 5", "it has no inputs"},
      {"6: 2 + 5: 6 -> 6", "its levels do not descend"},
      {"6: 2 -> 5", "an input is below the output"},
      {"0: 9 | 7 -> 0", "its tables are not neighbours in a run"},
      {"6: 1 3 -> 6", "its tables are not neighbours in a run"},
      {"5: 5 | 6 -> 5", "level 5 has not so many runs"},
      {"0: 7 | 8 -> 0", "its runs are not neighbours in level 0"},
      {"4: 5 -> 5", "level 4 has not so many runs"},
      {"5: 5 -> 7", "there is no level 7"},
      // R2.
      {"0: 7 => 0", "it moves a run of level 0 to level 0"},
      {"0: 9 | 8 => 5", "it moves more than one run, or nowhere"},
      {"5: 6 => 5", "it moves more than one run, or nowhere"},
      // R3: past an older run of level 0, past level 5, onto level 6.
      {"0: 9 -> 5", pass + "8 of level 0, which shares keys"},
      {"0: 8 -> 6", pass + "5 of level 5, which shares keys"},
      {"5: 6 -> 6", pass + "2 of level 6, which shares keys"}};
  for (const auto& [text, expected] : tasks) {
    INFO(text);
    CHECK_SAME(why(text), expected);
  }
}

TEST_CASE("an impossible knob is named", "[engine][tool]") {
  STORY("Status 2, the option on stderr, nothing on stdout.");
  const std::vector<std::pair<Args, std::string>> wrong = {
      {{"--policy", "best"}, "--policy"},
      {{"--workload", "random"}, "--workload"},
      {{"--writes", "0"}, "--writes"},
      {{"--writes", "many"}, "--writes"},
      {{"--keys", "0"}, "--keys"},
      {{"--entry-size", "0"}, "--entry-size"},
      {{"--buffer", "0"}, "--buffer"},
      {{"--table-size", "0"}, "--table-size"},
      {{"--base-level", "0"}, "--base-level"},
      {{"--multiplier", "1"}, "--multiplier"},
      {{"--level0-runs", "0"}, "--level0-runs"},
      {{"--level0-runs", "20"}, "--level0-stop"},
      {{"--tiered-min-width", "1"}, "--tiered-min-width"},
      {{"--tiered-min-width", "9", "--tiered-max-width", "8"},
       "--tiered-max-width"},
      {{"--tiered-space", "0"}, "--tiered-space"},
      {{"--rate", "-1"}, "--rate"},
      {{"--rate", "1", "--disk", "0"}, "--disk"},
      {{"--disk", "100"}, "--disk"},
      {{"--compare", "tiered"}, "--compare"},
      {{"--compare", "tiered,tiered"}, "--compare"},
      {{"--compare", "tiered,best"}, "--compare"},
      {{"--compare", "--policy", "tiered"}, "--policy"},
      {{"--nonsense"}, "--nonsense"}};
  for (const auto& [args, option] : wrong) {
    const Ran ran = run_sim(args);
    INFO(option << ": " << ran.err);
    CHECK_SAME(ran.status, 2);
    CHECK(contains(ran.err, option));
    CHECK_SAME(ran.out, "");
  }
}

}  // namespace lsm::test
