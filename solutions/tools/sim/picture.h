// The tree in the terminal: a line a level, a bar a run. Several trees stand
// beside each other, on one scale.
//
//   leveled                 tiered
//   0  0.45 MB ## ##        0  0.45 MB ## ##
//   6  5.68 MB ##########   6  5.66 MB #########
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/tree_shape.h"

namespace lsm::sim {

inline constexpr std::size_t kPageColumns = 80;

using Lines = std::vector<std::string>;

// The largest level, which a bar of full width stands for.
std::uint64_t largest_level(const TreeShape& shape);

// The levels that are not empty. No line is longer than `columns`; a bar that
// would be is cut, and ends in '>'.
Lines draw_tree(const TreeShape& shape, std::uint64_t full_bar_bytes,
                std::size_t columns);

// "merge level 0 (4 tables) + level 6 (11 tables) to level 6, 5.70 MB: …";
// where that does not fit, "merge 0:4 + 6:11 to 6, 5.70 MB".
std::string describe(const CompactionTask& task, std::size_t columns);

// Blocks of lines as columns of one page; a single one as it is.
std::string side_by_side(const std::vector<Lines>& blocks);
// How wide a line of one of so many blocks may be.
std::size_t block_columns(std::size_t blocks);

}  // namespace lsm::sim
