// Reads a golden trace: trees and the picks they should lead to, worked out by
// hand and written for people (tests/week2/golden/). A line is
//
//   tree                    a tree begins; its levels are the indented lines
//   pick 0: 2 | 1 -> 6      what the policy should pick for it
//   name = 4                a knob of the policy, before the first tree
//
// and everything else is for the reader. The last heading before a pick ("3.
// …") names its step.
#pragma once

#include <cctype>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/options.h"

namespace lsm::test {

struct GoldenStep {
  std::string title;
  std::string tree;  // as shape_of reads it
  std::string pick;
};

struct GoldenTrace {
  std::map<std::string, std::string> knobs;
  std::vector<GoldenStep> steps;
};

inline GoldenTrace read_golden(const std::string& name) {
  const auto path =
      std::filesystem::path(__FILE__).parent_path().parent_path() / "week2" /
      "golden" / name;
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  GoldenTrace trace;
  GoldenStep step;
  bool in_tree = false;
  for (std::string line; std::getline(file, line);) {
    const std::size_t is = line.find(" = ");
    if (line == "tree") {
      step.tree.clear();
      in_tree = true;
    } else if (line.starts_with("pick ")) {
      step.pick = line.substr(5);
      trace.steps.push_back(step);
      in_tree = false;
    } else if (in_tree) {
      step.tree += line + "\n";
    } else if (!line.empty() && std::isdigit(line[0])) {
      step.title = line;
    } else if (is != std::string::npos) {
      trace.knobs[line.substr(0, is)] = line.substr(is + 3);
    }
  }
  return trace;
}

// The options that the trace's knobs stand for.
inline Options options_of(const GoldenTrace& trace) {
  Options options;
  for (const auto& [name, value] : trace.knobs) {
    const int number = std::stoi(value);
    const auto count = static_cast<std::size_t>(number);
    if (name == "level0_runs_to_compact") {
      options.level0_runs_to_compact = count;
    } else if (name == "level_size_multiplier") {
      options.level_size_multiplier = number;
    } else if (name == "base_level_size_bytes") {
      options.base_level_size_bytes = count;
    } else if (name == "tiered_max_runs") {
      options.tiered_max_runs = count;
    } else if (name == "tiered_min_merge_width") {
      options.tiered_min_merge_width = count;
    } else if (name == "tiered_max_merge_width") {
      options.tiered_max_merge_width = count;
    } else if (name == "tiered_size_ratio_percent") {
      options.tiered_size_ratio_percent = number;
    } else if (name == "tiered_max_space_amplification_percent") {
      options.tiered_max_space_amplification_percent = number;
    } else {
      throw std::runtime_error("no such knob: " + name);
    }
  }
  return options;
}

}  // namespace lsm::test
