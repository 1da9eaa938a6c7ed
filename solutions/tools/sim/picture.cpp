#include "picture.h"

#include <fmt/format.h>

#include <algorithm>

namespace lsm::sim {

namespace {

constexpr std::size_t kGap = 2;  // between columns

std::string cut_to(std::string line, std::size_t columns) {
  if (line.size() > columns) line = line.substr(0, columns - 1) + ">";
  return line;
}

}  // namespace

std::uint64_t largest_level(const TreeShape& shape) {
  std::uint64_t most = 1;
  for (const LevelShape& level : shape.levels)
    most = std::max(most, level.size_bytes());
  return most;
}

Lines draw_tree(const TreeShape& shape, std::uint64_t full_bar_bytes,
                std::size_t columns) {
  const bool wide = columns >= kPageColumns;
  Lines lines;
  for (int number = 0; number < kMaxLevels; ++number) {
    const LevelShape& level = shape.levels[static_cast<std::size_t>(number)];
    if (level.runs.empty()) continue;
    std::size_t tables = 0;
    for (const RunShape& run : level.runs)
      tables += run.files.size();
    const double megabytes = static_cast<double>(level.size_bytes()) / 1e6;
    std::string line = wide ? fmt::format("  {}  {:>9.2f} MB {:>5} tables ",
                                          number, megabytes, tables)
                            : fmt::format("{} {:>6.2f} MB", number, megabytes);
    const std::size_t room = columns - std::min(columns, line.size() + 2);
    const std::size_t most = std::max<std::size_t>(wide ? 40 : room, 1);
    for (const RunShape& run : level.runs) {
      const std::uint64_t bar = run.size_bytes() * most / full_bar_bytes;
      line += ' ';
      line.append(static_cast<std::size_t>(std::max<std::uint64_t>(bar, 1)),
                  '#');
    }
    lines.push_back(cut_to(std::move(line), columns));
  }
  return lines;
}

std::string describe(const CompactionTask& task, std::size_t columns) {
  std::string from;
  std::string short_from;
  std::uint64_t bytes = 0;
  for (const CompactionTask::Input& input : task.inputs) {
    std::size_t tables = 0;
    for (const RunShape& run : input.runs) {
      tables += run.files.size();
      bytes += run.size_bytes();
    }
    const char* plus = from.empty() ? "" : " + ";
    from += fmt::format("{}level {} ({} tables)", plus, input.level, tables);
    short_from += fmt::format("{}{}:{}", plus, input.level, tables);
  }
  const char* verb = task.trivial_move ? "move" : "merge";
  const double megabytes = static_cast<double>(bytes) / 1e6;
  if (columns >= kPageColumns) {
    return fmt::format("  {} {} to level {}, {:.2f} MB: {}", verb, from,
                       task.output_level, megabytes, task.reason);
  }
  return cut_to(fmt::format("{} {} to {}, {:.2f} MB", verb, short_from,
                            task.output_level, megabytes),
                columns);
}

std::size_t block_columns(std::size_t blocks) {
  if (blocks <= 1) return kPageColumns;
  return (kPageColumns - kGap * (blocks - 1)) / blocks;
}

std::string side_by_side(const std::vector<Lines>& blocks) {
  const std::size_t width = block_columns(blocks.size()) + kGap;
  std::size_t height = 0;
  for (const Lines& block : blocks)
    height = std::max(height, block.size());
  std::string page;
  for (std::size_t row = 0; row < height; ++row) {
    std::string line;
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      if (row >= blocks[i].size()) continue;
      line.resize(std::max(line.size(), i * width), ' ');
      line += blocks[i][row];
    }
    page += line + '\n';
  }
  return page;
}

}  // namespace lsm::sim
