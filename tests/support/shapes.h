// Trees and tasks as text, so that a test of a policy shows what it means.
//
//   0: 9=a..m:10 | 8=c..f:4        a level, its runs newest first
//   5: 3=a..f:40 4=g..z:40         a run's tables:
//   number=smallest..largest:size
//
//   0: 9 | 8 + 5: 3 4 -> 5         a task: the inputs, the output's level
//   5: 3 => 6                      a table moved as it is
//
// Levels not named are empty. Ages are given by place: everything is older
// than what stands before it.
#pragma once

#include <charconv>
#include <cstdint>
#include <memory>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "base/tree_shape.h"

namespace lsm::test {

// "9=a..m:10"; its entries are as many as its bytes.
inline FileMetaPtr table_of(const std::string& text, Sequence newest) {
  const auto bad = [&]() -> std::invalid_argument {
    return std::invalid_argument("not a table of a shape: " + text);
  };
  const std::size_t is = text.find('=');
  const std::size_t to = text.find("..");
  const std::size_t size = text.rfind(':');
  if (is == std::string::npos || to == std::string::npos ||
      size == std::string::npos) {
    throw bad();
  }
  auto file = std::make_shared<FileMeta>();
  file->number = std::stoull(text.substr(0, is));
  file->size_bytes = std::stoull(text.substr(size + 1));
  file->entries = file->size_bytes;
  file->newest_sequence = newest;
  file->oldest_sequence = newest - 1;
  const std::uint64_t tag = make_tag(newest, Kind::put);
  file->smallest = InternalKeyBuffer({text.substr(is + 1, to - is - 1), tag});
  file->largest = InternalKeyBuffer({text.substr(to + 2, size - to - 2), tag});
  return file;
}

inline TreeShape shape_of(const std::string& text) {
  TreeShape shape;
  Sequence newest = 1'000'000;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string word;
    if (!(words >> word)) continue;
    const std::size_t level = std::stoul(word);
    if (level >= shape.levels.size() || word.back() != ':') {
      throw std::invalid_argument("not a level of a shape: " + line);
    }
    auto& runs = shape.levels[level].runs;
    runs.emplace_back();
    while (words >> word) {
      if (word == "|") {
        runs.emplace_back();
        newest -= 10;
      } else {
        runs.back().files.push_back(table_of(word, newest));
      }
    }
    newest -= 10;
  }
  return shape;
}

// One run of one table a size, all of them over the same keys: "1 1 4" are
// three runs of level 0, newest first, numbered from 1 on.
inline TreeShape runs_of(const std::string& level0,
                         const std::string& deeper = "") {
  std::uint64_t number = 0;
  std::string text = "0:";
  std::istringstream sizes(level0);
  for (std::string size; sizes >> size;) {
    text += number == 0 ? " " : " | ";
    text += std::to_string(++number) + "=a..z:" + size;
  }
  if (number == 0) text.clear();
  std::istringstream pairs(deeper);  // "5:16 6:64"
  for (std::string pair; pairs >> pair;) {
    text += "\n" + pair.substr(0, 2) + " " + std::to_string(++number) +
            "=a..z:" + pair.substr(2);
  }
  return shape_of(text);
}

inline std::string text_of(const CompactionTask& task) {
  std::string text;
  for (const CompactionTask::Input& input : task.inputs) {
    if (!text.empty()) text += " + ";
    text += std::to_string(input.level) + ":";
    for (std::size_t i = 0; i < input.runs.size(); ++i) {
      if (i > 0) text += " |";
      for (const FileMetaPtr& file : input.runs[i].files) {
        text += " " + std::to_string(file->number);
      }
    }
  }
  return text + (task.trivial_move ? " => " : " -> ") +
         std::to_string(task.output_level);
}

inline std::string text_of(const std::optional<CompactionTask>& task) {
  return task ? text_of(*task) : "nothing";
}

}  // namespace lsm::test
