// Everything that can be chosen when a store is opened. The defaults suit a
// laptop; each has its unit in its name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/block_cache.h"
#include "base/clock.h"
#include "base/compaction_filter.h"
#include "base/compaction_policy.h"
#include "base/executor.h"
#include "base/file_system.h"
#include "base/filter_policy.h"

namespace lsm {

enum class Compression : std::uint8_t { none = 0, lz4 = 1 };

// Which policy keeps the tree in shape; any may open a store that another
// wrote. leveled: least space, few runs to read. tiered: fewest rewrites.
// simple: to learn from, and to measure the others against.
enum class CompactionStyle : std::uint8_t { leveled, tiered, simple };

struct Options {
  // Opening.
  bool create_if_missing = true;
  bool error_if_exists = false;

  // Memory: about (1 + max_frozen_memtables) * write_buffer_size_bytes plus
  // block_cache_bytes, whatever is loaded.
  std::size_t write_buffer_size_bytes = std::size_t{64} << 20;
  std::size_t max_frozen_memtables = 2;
  std::size_t block_cache_bytes = std::size_t{64} << 20;
  // Of what was committed since the oldest open transaction began. Beyond it
  // the oldest records go, and the transactions that need them lose.
  std::size_t max_commit_records_bytes = std::size_t{64} << 20;

  // Tables.
  std::size_t block_size_bytes = 4096;  // 256 … 65,536
  Compression compression = Compression::lz4;
  int filter_bits_per_key = 10;  // 0: no filter
  std::uint64_t target_file_size_bytes = std::uint64_t{64} << 20;

  // Shape of the tree; `compaction_policy`, if given, decides instead.
  CompactionStyle compaction_style = CompactionStyle::leveled;

  // Shape of the tree (leveled, simple; the last is leveled's base level).
  std::size_t level0_runs_to_compact = 4;
  std::size_t level0_runs_to_slow_down = 12;
  std::size_t level0_runs_to_stop = 20;
  double level_size_multiplier = 10;
  std::uint64_t base_level_size_bytes = 0;  // 0: 16 write buffers

  // Shape of the tree (tiered), see room 2.2.
  std::size_t tiered_max_runs = 8;
  std::size_t tiered_min_merge_width = 4;
  std::size_t tiered_max_merge_width = 16;
  int tiered_size_ratio_percent = 1;
  int tiered_max_space_amplification_percent = 200;

  // Compression, filter, cache and policy are seams; null means the engine's
  // own (rooms 2.2, 2.3, 2.6, 2.7), made from the numbers above.
  std::shared_ptr<const CompactionPolicy> compaction_policy;
  std::shared_ptr<const CompactionFilter> compaction_filter;
  std::shared_ptr<const FilterPolicy> filter_policy;
  std::shared_ptr<BlockCache> block_cache;

  // The outside world; null means the machine's. They must outlive the store.
  FileSystem* file_system = nullptr;
  Executor* executor = nullptr;
  Clock* clock = nullptr;
};

}  // namespace lsm
