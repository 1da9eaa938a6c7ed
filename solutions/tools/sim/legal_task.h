// Whether a task may be applied to a tree: the rules that every policy owes
// the engine (base/compaction_policy.h, I2), each a function that says in words
// what is wrong, or nothing.
//
// R1 Inputs stand in the tree, from upper to lower levels, each table once; of
//    level 0 whole runs, neighbours in age, of a deeper level neighbouring
//    tables of its run.
// R2 A move takes one run, and something out of level 0 or from level to
//    level.
// R3 Nothing that stays may lie between an input and the output and share keys
//    with the inputs, nor in the output's level: a read would find the older
//    version first.
// Cost: the tables of the levels concerned, times the inputs.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/tree_shape.h"

namespace lsm::sim {

inline bool share_keys(const FileMeta& file, std::string_view smallest,
                       std::string_view largest) {
  return file.smallest.user() <= largest && file.largest.user() >= smallest;
}

// What a task takes: its tables' numbers, and the span of their keys.
class TakenTables {
 public:
  // False when the table was taken before.
  bool add(const FileMeta& file) {
    const bool first = numbers_.empty();
    if (!numbers_.insert(file.number).second) return false;
    if (first || file.smallest.user() < smallest_) {
      smallest_ = file.smallest.user();
    }
    if (first || file.largest.user() > largest_) {
      largest_ = file.largest.user();
    }
    return true;
  }
  bool contains(const FileMeta& file) const {
    return numbers_.contains(file.number);
  }
  bool span_meets(const FileMeta& file) const {
    return share_keys(file, smallest_, largest_);
  }

 private:
  std::set<std::uint64_t> numbers_;
  std::string_view smallest_;
  std::string_view largest_;
};

// R1 for one run of an input against the run that it should be of.
inline std::string why_not_of_run(const RunShape& taken, const RunShape& whole,
                                  int level, TakenTables& all) {
  const auto found = std::ranges::search(whole.files, taken.files);
  if (taken.files.empty() || found.empty()) {
    return "its tables are not neighbours in a run";
  }
  if (level == 0 && taken.files.size() != whole.files.size()) {
    return "it takes a part of a run of level 0";
  }
  for (const FileMetaPtr& file : taken.files) {
    if (!all.add(*file)) {
      return fmt::format("it takes table {} twice", file->number);
    }
  }
  return "";
}

// R1 for one level: its runs begin with the one that holds the first table.
inline std::string why_not_of_level(const CompactionTask::Input& input,
                                    const LevelShape& level, TakenTables& all) {
  if (input.runs.empty() || input.runs.size() > level.runs.size()) {
    return fmt::format("level {} has not so many runs", input.level);
  }
  const auto holds_first = [&](const RunShape& run) {
    const auto& taken = input.runs[0].files;
    return !taken.empty() &&
           std::ranges::find(run.files, taken[0]) != run.files.end();
  };
  auto at = std::ranges::find_if(level.runs, holds_first);
  for (const RunShape& run : input.runs) {
    if (at == level.runs.end()) {
      return fmt::format("its runs are not neighbours in level {}",
                         input.level);
    }
    if (std::string why = why_not_of_run(run, *at, input.level, all);
        !why.empty()) {
      return why;
    }
    ++at;
  }
  return "";
}

inline std::string why_not_inputs(const TreeShape& shape,
                                  const CompactionTask& task,
                                  TakenTables& all) {
  if (task.inputs.empty()) return "it has no inputs";
  int last_level = -1;
  for (const CompactionTask::Input& input : task.inputs) {
    if (input.level <= last_level) return "its levels do not descend";
    if (input.level > task.output_level) return "an input is below the output";
    last_level = input.level;
    const auto& level = shape.levels[static_cast<std::size_t>(input.level)];
    if (std::string why = why_not_of_level(input, level, all); !why.empty()) {
      return why;
    }
  }
  return "";
}

// R2.
inline std::string why_not_moved(const CompactionTask& task) {
  if (!task.trivial_move) return "";
  if (task.output_level == 0) return "it moves a run of level 0 to level 0";
  if (task.inputs.size() != 1 || task.inputs[0].runs.size() != 1 ||
      task.inputs[0].level == task.output_level) {
    return "it moves more than one run, or nowhere";
  }
  return "";
}

// R3. From the newest data to the oldest: `above` are the inputs so far.
inline std::string why_not_passing(const TreeShape& shape,
                                   const CompactionTask& task,
                                   const TakenTables& taken) {
  if (task.output_level == 0) return "";  // the output stands among its inputs
  std::vector<FileMetaPtr> above;
  const auto passed = [&](const FileMeta& file, int level) {
    if (level == task.output_level) return taken.span_meets(file);
    return std::ranges::any_of(above, [&](const FileMetaPtr& input) {
      return share_keys(file, input->smallest.user(), input->largest.user());
    });
  };
  for (int level = 0; level <= task.output_level; ++level) {
    for (const RunShape& run :
         shape.levels[static_cast<std::size_t>(level)].runs) {
      for (const FileMetaPtr& file : run.files) {
        if (taken.contains(*file)) {
          above.push_back(file);
        } else if (passed(*file, level)) {
          return fmt::format(
              "its output would pass table {} of level {}, which shares keys",
              file->number, level);
        }
      }
    }
  }
  return "";
}

// Why `task` must not be applied to `shape`; empty if it may be.
inline std::string why_illegal(const TreeShape& shape,
                               const CompactionTask& task) {
  if (task.target_file_size_bytes == 0) return "its tables would have no size";
  if (task.output_level < 0 || task.output_level >= kMaxLevels) {
    return fmt::format("there is no level {}", task.output_level);
  }
  TakenTables taken;
  std::string why = why_not_inputs(shape, task, taken);
  if (why.empty()) why = why_not_moved(task);
  if (why.empty()) why = why_not_passing(shape, task, taken);
  return why;
}

}  // namespace lsm::sim
