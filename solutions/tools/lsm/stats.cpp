#include "stats.h"

#include <fmt/format.h>

#include <algorithm>

#include "commands.h"
#include "progress.h"
#include "text.h"

namespace lsm::tool {
namespace {

constexpr std::size_t kBarColumns = 19;

std::uint64_t written_bytes(const Stats& stats) {
  return stats.log_bytes_written + stats.flush_bytes_written +
         stats.compaction_bytes_written;
}

LevelStats sum_of(const std::vector<LevelStats>& levels) {
  LevelStats sum;
  for (const LevelStats& level : levels) {
    sum.runs += level.runs;
    sum.tables += level.tables;
    sum.size_bytes += level.size_bytes;
    sum.entries += level.entries;
    sum.tombstones += level.tombstones;
    sum.hidden += level.hidden;
  }
  return sum;
}

std::string level_row(std::string_view name, const LevelStats& level) {
  return fmt::format("{:>7} {:>5} {:>7} {:>11} {:>12} {:>11}", name, level.runs,
                     level.tables, show_bytes(level.size_bytes),
                     show_count(level.entries), show_count(level.tombstones));
}

std::string ratio(std::optional<double> value) {
  return value ? fmt::format("{:.2f}", *value) : "-";
}

nlohmann::json level_json(std::size_t number, const LevelStats& level) {
  return {{"level", number},          {"runs", level.runs},
          {"tables", level.tables},   {"size_bytes", level.size_bytes},
          {"entries", level.entries}, {"tombstones", level.tombstones},
          {"hidden", level.hidden}};
}

nlohmann::json ratio_json(std::optional<double> value) {
  if (!value) return nullptr;
  return *value;
}

}  // namespace

std::optional<double> write_amplification(const Stats& stats) {
  if (stats.user_bytes_written == 0) return std::nullopt;
  return static_cast<double>(written_bytes(stats)) /
         static_cast<double>(stats.user_bytes_written);
}

std::optional<double> space_amplification(const Stats& stats) {
  const auto deepest = std::find_if(
      stats.levels.rbegin(), stats.levels.rend(),
      [](const LevelStats& level) { return level.size_bytes > 0; });
  if (deepest == stats.levels.rend()) return std::nullopt;
  return static_cast<double>(sum_of(stats.levels).size_bytes) /
         static_cast<double>(deepest->size_bytes);
}

std::string levels_text(const Stats& stats) {
  std::uint64_t largest = 1;
  for (const LevelStats& level : stats.levels) {
    largest = std::max(largest, level.size_bytes);
  }
  std::string text =
      "  level  runs  tables        size      entries  tombstones\n";
  for (std::size_t i = 0; i < stats.levels.size(); ++i) {
    const LevelStats& level = stats.levels[i];
    if (level.tables == 0) continue;
    text += fmt::format("{}  {}\n", level_row(std::to_string(i), level),
                        bar(static_cast<double>(level.size_bytes) /
                                static_cast<double>(largest),
                            kBarColumns));
  }
  const LevelStats sum = sum_of(stats.levels);
  if (sum.tables == 0) return "  no tables yet: all is in the memtable\n";
  return text + level_row("all", sum) + "\n";
}

std::string amplification_text(const Stats& stats) {
  return fmt::format(
      "write amplification  {:>5}   {} to logs and tables for {} put,\n"
      "                             since the store was opened\n"
      "space amplification  {:>5}   all tables / the deepest level, which has\n"
      "                             each key once (but for snapshots): 1 is "
      "none\n",
      ratio(write_amplification(stats)), show_bytes(written_bytes(stats)),
      show_bytes(stats.user_bytes_written), ratio(space_amplification(stats)));
}

std::string stats_text(const Stats& stats) {
  std::string text = levels_text(stats) + "\n";
  const auto line = [&](std::string_view name, const std::string& value) {
    text += fmt::format("{:<20} {}\n", name, value);
  };
  line("memtables",
       fmt::format("{}, {} frozen", show_bytes(stats.memtable_bytes),
                   stats.frozen_memtables));
  line("last sequence", show_count(stats.last_sequence));
  line("snapshots",
       fmt::format("{} held, the oldest at {}; {} open", stats.snapshots,
                   show_count(stats.oldest_snapshot),
                   plural(stats.transactions, "transaction")));
  line("older versions",
       fmt::format("{} in tables", show_count(sum_of(stats.levels).hidden)));
  line("cache",
       fmt::format("{} of {}; {}, {}, {}", show_bytes(stats.cache.used_bytes),
                   show_bytes(stats.cache.capacity_bytes),
                   plural(stats.cache.hits, "hit"),
                   plural(stats.cache.misses, "miss"),
                   plural(stats.cache.evictions, "eviction")));
  text += "\nsince the store was opened\n";
  line("  put", show_bytes(stats.user_bytes_written));
  line("  log", show_bytes(stats.log_bytes_written));
  line("  flush", fmt::format("{} in {}", show_bytes(stats.flush_bytes_written),
                              plural(stats.flushes, "flush")));
  line("  compaction",
       fmt::format("{} read, {} written, in {}; {}",
                   show_bytes(stats.compaction_bytes_read),
                   show_bytes(stats.compaction_bytes_written),
                   plural(stats.compactions, "compaction"),
                   plural(stats.trivial_moves, "trivial move")));
  line("  files", fmt::format("{} read in {}, {} written, {}",
                              show_bytes(stats.io.bytes_read),
                              plural(stats.io.reads, "read"),
                              show_bytes(stats.io.bytes_written),
                              plural(stats.io.syncs, "sync")));
  line("  writers held back",
       show_seconds(static_cast<double>(stats.stall_micros) / 1e6));
  line("compaction due", show_bytes(stats.debt_bytes));
  return text + "\n" + amplification_text(stats);
}

nlohmann::json stats_json(const Stats& stats) {
  nlohmann::json levels = nlohmann::json::array();
  for (std::size_t i = 0; i < stats.levels.size(); ++i) {
    levels.push_back(level_json(i, stats.levels[i]));
  }
  return {
      {"levels", levels},
      {"memtable_bytes", stats.memtable_bytes},
      {"frozen_memtables", stats.frozen_memtables},
      {"last_sequence", stats.last_sequence},
      {"snapshots", stats.snapshots},
      {"oldest_snapshot", stats.oldest_snapshot},
      {"transactions", stats.transactions},
      {"commit_records", stats.commit_records},
      {"debt_bytes", stats.debt_bytes},
      {"cache",
       {{"hits", stats.cache.hits},
        {"misses", stats.cache.misses},
        {"evictions", stats.cache.evictions},
        {"used_bytes", stats.cache.used_bytes},
        {"capacity_bytes", stats.cache.capacity_bytes}}},
      {"since_open",
       {{"user_bytes_written", stats.user_bytes_written},
        {"log_bytes_written", stats.log_bytes_written},
        {"flush_bytes_written", stats.flush_bytes_written},
        {"compaction_bytes_read", stats.compaction_bytes_read},
        {"compaction_bytes_written", stats.compaction_bytes_written},
        {"flushes", stats.flushes},
        {"compactions", stats.compactions},
        {"trivial_moves", stats.trivial_moves},
        {"stall_micros", stats.stall_micros},
        {"io",
         {{"bytes_read", stats.io.bytes_read},
          {"bytes_written", stats.io.bytes_written},
          {"reads", stats.io.reads},
          {"syncs", stats.io.syncs}}}}},
      {"write_amplification", ratio_json(write_amplification(stats))},
      {"space_amplification", ratio_json(space_amplification(stats))},
  };
}

int run_stats(const std::string& path, const Options& options, bool json) {
  auto db = open_store(path, options, false);
  if (!db) return report(path, db.error());
  const Stats stats = (*db)->stats();
  fmt::print("{}\n", json ? stats_json(stats).dump(2) : stats_text(stats));
  const auto closed = (*db)->close();
  return closed ? 0 : report(path, closed.error());
}

}  // namespace lsm::tool
