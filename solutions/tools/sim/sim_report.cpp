#include "sim_report.h"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace lsm::sim {

namespace {

using Json = nlohmann::ordered_json;

// Name in the table, name in JSON, definition.
struct Definition {
  const char* column;
  const char* field;
  const char* text;
};

constexpr std::array kDefinitions = {
    Definition{"write", "write_amplification",
               "bytes flushed and merged, a byte written by the user"},
    Definition{"space", "space_amplification",
               "bytes in tables, a byte of the live keys' newest versions"},
    Definition{"worst", "worst_space_amplification",
               "the same, at its worst after a flush of the second half"},
    Definition{"read", "read_amplification",
               "runs that a read of an absent key looks into, mean"},
    Definition{"worst", "worst_read_amplification",
               "the same, at its worst after a flush"},
    Definition{"largest", "largest_merge_bytes",
               "bytes read by the largest merge"},
};
constexpr Definition kStalled = {
    "stalled", "stalled_share",
    "share of the time in which writers waited for level 0"};

double stalled_share(const Figures& one) {
  return one.seconds > 0 ? one.stalled_seconds / one.seconds : 0;
}

Json json_of_step(const Step& step) {
  return {{"flush", step.flush},
          {"writes", step.writes},
          {"write_amplification", step.write_amplification},
          {"space_amplification", step.space_amplification},
          {"runs", step.runs},
          {"level0_runs", step.level0_runs},
          {"level_bytes", step.level_bytes}};
}

Json json_of_figures(const Figures& one) {
  Json json = {{"policy", one.policy},
               {"write_amplification", one.write_amplification},
               {"space_amplification", one.space_amplification},
               {"worst_space_amplification", one.worst_space},
               {"read_amplification", one.mean_runs},
               {"worst_read_amplification", one.worst_runs},
               {"largest_merge_bytes", one.totals.largest_task_bytes},
               {"stalled_share", stalled_share(one)},
               {"seconds", one.seconds},
               {"flushes", one.totals.flushes},
               {"merges", one.totals.tasks},
               {"moves", one.totals.moves},
               {"user_bytes", one.totals.user_bytes},
               {"flushed_bytes", one.totals.flushed_bytes},
               {"read_bytes", one.totals.read_bytes},
               {"written_bytes", one.totals.written_bytes},
               {"steps", Json::array()}};
  for (const Step& step : one.steps)
    json["steps"].push_back(json_of_step(step));
  return json;
}

}  // namespace

std::string table_of(const std::vector<Figures>& all, const Input& input) {
  const bool rated = input.rate_bytes > 0;
  std::string text =
      fmt::format("\n{:<8} {:>7} {:>7} {:>7} {:>6} {:>6} {:>9} {:>7} {:>7}{}\n",
                  "policy", "write", "space", "worst", "read", "worst",
                  "largest", "merges", "moves", rated ? " stalled" : "");
  for (const Figures& one : all) {
    text += fmt::format(
        "{:<8} {:>7.2f} {:>7.2f} {:>7.2f} {:>6.1f} {:>6} {:>6.1f} MB {:>7} "
        "{:>7}{}\n",
        one.policy, one.write_amplification, one.space_amplification,
        one.worst_space, one.mean_runs, one.worst_runs,
        static_cast<double>(one.totals.largest_task_bytes) / 1e6,
        one.totals.tasks, one.totals.moves,
        rated ? fmt::format("{:>6.1f} %", 100 * stalled_share(one)) : "");
  }
  text += '\n';
  for (const Definition& definition : kDefinitions) {
    text += fmt::format("{:<8} {}\n", definition.column, definition.text);
  }
  if (rated) text += fmt::format("{:<8} {}\n", kStalled.column, kStalled.text);
  return text;
}

std::string json_of(const std::vector<Figures>& all, const Input& input,
                    const Json& knobs) {
  Json json;
  json["schema"] = 1;
  json["input"] = {{"workload", input.workload},
                   {"writes", input.writes},
                   {"keys", input.keys},
                   {"seed", input.seed},
                   {"entry_bytes", input.model.entry_bytes},
                   {"entries_a_buffer", input.model.entries_a_buffer},
                   {"rate_bytes", input.rate_bytes},
                   {"disk_bytes", input.disk_bytes}};
  json["knobs"] = knobs;
  for (const Definition& definition : kDefinitions) {
    json["definitions"][definition.field] = definition.text;
  }
  json["definitions"][kStalled.field] = kStalled.text;
  json["policies"] = Json::array();
  for (const Figures& one : all)
    json["policies"].push_back(json_of_figures(one));
  return json.dump(2) + '\n';
}

}  // namespace lsm::sim
