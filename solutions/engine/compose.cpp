#include "engine/compose.h"

#include <fmt/format.h>

#include <utility>

#include "cache.h"
#include "conflicts.h"
#include "filter.h"
#include "group_queue.h"
#include "leveled.h"
#include "phantoms.h"
#include "simple.h"
#include "stripes.h"
#include "tiered.h"
#include "watched_scan.h"

namespace lsm {

namespace {

Result<void> check(bool holds, std::string_view option, std::string_view must) {
  if (holds) return {};
  return fail(Code::invalid_argument,
              fmt::format("{} must be {}", option, must));
}

Result<void> check_tiered(const Options& options) {
  LSM_TRY(check(options.tiered_max_runs >= 1, "tiered_max_runs", "at least 1"));
  // At rest all runs may stand in level 0; no writer may wait for that to end.
  LSM_TRY(check(options.tiered_max_runs < options.level0_runs_to_slow_down,
                "tiered_max_runs", "below level0_runs_to_slow_down"));
  LSM_TRY(check(options.tiered_min_merge_width >= 2, "tiered_min_merge_width",
                "at least 2"));
  LSM_TRY(
      check(options.tiered_min_merge_width <= options.tiered_max_merge_width,
            "tiered_max_merge_width", "at least tiered_min_merge_width"));
  LSM_TRY(check(options.tiered_size_ratio_percent >= 0 &&
                    options.tiered_size_ratio_percent <= 1000,
                "tiered_size_ratio_percent", "0 to 1000"));
  return check(options.tiered_max_space_amplification_percent >= 1 &&
                   options.tiered_max_space_amplification_percent <= 10'000,
               "tiered_max_space_amplification_percent", "1 to 10,000");
}

std::shared_ptr<const CompactionPolicy> make_policy(const Options& options) {
  switch (options.compaction_style) {
    case CompactionStyle::tiered:
      return std::make_shared<const TieredPolicy>(options);
    case CompactionStyle::simple:
      return std::make_shared<const SimpleLeveledPolicy>(options);
    case CompactionStyle::leveled:
      break;
  }
  return std::make_shared<const LeveledPolicy>(options);
}

}  // namespace

Result<Options> compose(Options options) {
  LSM_TRY(check(options.write_buffer_size_bytes >= 4096,
                "write_buffer_size_bytes", "at least 4096"));
  LSM_TRY(check(options.max_frozen_memtables >= 1, "max_frozen_memtables",
                "at least 1"));
  LSM_TRY(check(
      options.block_size_bytes >= 256 && options.block_size_bytes <= 65'536,
      "block_size_bytes", "256 to 65,536"));
  LSM_TRY(check(
      options.filter_bits_per_key >= 0 && options.filter_bits_per_key <= 64,
      "filter_bits_per_key", "0 to 64"));
  LSM_TRY(check(options.target_file_size_bytes >= 4096,
                "target_file_size_bytes", "at least 4096"));
  LSM_TRY(check(options.level0_runs_to_compact >= 1, "level0_runs_to_compact",
                "at least 1"));
  LSM_TRY(check(
      options.level0_runs_to_compact <= options.level0_runs_to_slow_down &&
          options.level0_runs_to_slow_down <= options.level0_runs_to_stop,
      "level0_runs_to_compact, _slow_down, _stop", "in ascending order"));
  // So that four runs of level 0 meet at most four times their size below.
  if (options.base_level_size_bytes == 0) {
    options.base_level_size_bytes = 16 * options.write_buffer_size_bytes;
  }
  LSM_TRY(check(options.base_level_size_bytes >= 4096, "base_level_size_bytes",
                "at least 4096"));
  LSM_TRY(check(options.level_size_multiplier >= 2 &&
                    options.level_size_multiplier <= 100,
                "level_size_multiplier", "2 to 100"));
  LSM_TRY(check(options.compaction_style <= CompactionStyle::simple,
                "compaction_style", "leveled, tiered or simple"));
  if (options.compaction_style == CompactionStyle::tiered) {
    LSM_TRY(check_tiered(options));
  }

  if (options.filter_policy == nullptr) {
    if (options.filter_bits_per_key == 0) {
      options.filter_policy = std::make_shared<const NoFilter>();
    } else {
      options.filter_policy = std::make_shared<const BlockedBloomFilter>(
          options.filter_bits_per_key);
    }
  }
  if (options.block_cache == nullptr) {
    options.block_cache = options.block_cache_bytes == 0
                              ? make_no_cache()
                              : make_clock_cache(options.block_cache_bytes,
                                                 options.block_size_bytes);
  }
  if (options.compaction_policy == nullptr) {
    options.compaction_policy = make_policy(options);
  }
  if (options.compaction_filter == nullptr) {
    options.compaction_filter = std::make_shared<const KeepAll>();
  }
  return options;
}

std::unique_ptr<CommitCheck> compose_commit_check(
    std::shared_ptr<RecentCommits> commits) {
  auto points = std::make_unique<ConflictCheck>(commits);
  return std::make_unique<PhantomCheck>(std::move(points), std::move(commits));
}

std::unique_ptr<WriteQueue> compose_write_queue(WriteQueue::Commit commit,
                                                Executor& executor,
                                                Clock& clock) {
  return make_group_queue(std::move(commit), executor, clock);
}

std::unique_ptr<Retention> compose_retention(std::vector<Sequence> snapshots) {
  return std::make_unique<Stripes>(std::move(snapshots));
}

std::shared_ptr<ScanTracker> compose_scan_tracker(
    const TransactionOptions& options) {
  if (options.isolation == Isolation::serializable && !options.read_only) {
    return make_scan_tracker();
  }
  return std::make_shared<NoTracker>();
}

}  // namespace lsm
