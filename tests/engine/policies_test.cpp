// The engine under each compaction policy, and one store under all in turn.
#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/sim_file_system.h"
#include "lsm/db.h"
#include "support/catch.h"
#include "support/random.h"
#include "support/teach.h"

namespace lsm::test {
namespace {

constexpr std::array kStyles = {
    CompactionStyle::leveled, CompactionStyle::tiered, CompactionStyle::simple};

Options small_options(FileSystem& fs, CompactionStyle style) {
  Options options;
  options.file_system = &fs;
  options.compaction_style = style;
  options.write_buffer_size_bytes = 16 << 10;
  options.target_file_size_bytes = 16 << 10;
  options.base_level_size_bytes = 64 << 10;
  options.level_size_multiplier = 4;
  options.tiered_max_runs = 6;
  options.compression = Compression::none;
  return options;
}

using Rows = std::map<std::string, std::string>;

// Writes to the store and to `rows` alike.
void write_some(Db& db, Random& random, Rows& rows) {
  for (std::size_t i = 0; i < scaled(4000); ++i) {
    const std::string key = "key" + std::to_string(random.below(2000));
    if (random.one_in(6)) {
      REQUIRE_OK(db.remove(key));
      rows.erase(key);
    } else {
      rows[key] = random.text(60);
      REQUIRE_OK(db.put(key, rows[key]));
    }
  }
}

void check_rows(Db& db, const Rows& rows) {
  auto expected = rows.begin();
  const auto it = db.scan();
  for (it->seek_to_first(); it->valid(); it->next(), ++expected) {
    REQUIRE(expected != rows.end());
    REQUIRE_SAME(it->key(), expected->first);
    REQUIRE_SAME(it->value(), expected->second);
  }
  REQUIRE_OK(it->status());
  REQUIRE(expected == rows.end());
}

// What the policy promises of a tree at rest.
void check_rest(const Stats& stats, const Options& options) {
  std::size_t runs = 0;
  std::uint64_t all = 0;
  std::uint64_t oldest = 0;  // the deepest run, level 0 left out
  for (const LevelStats& level : stats.levels) {
    runs += level.runs;
    all += level.size_bytes;
    const bool below0 = &level != &stats.levels[0];
    if (below0 && level.size_bytes > 0) oldest = level.size_bytes;
  }
  CHECK_SAME(stats.debt_bytes, 0);
  if (options.compaction_style == CompactionStyle::tiered) {
    CHECK(runs <= options.tiered_max_runs);
    // The oldest run, if it stands in level 0, is less than all of it.
    if (stats.levels[0].size_bytes < all) CHECK(all <= 3 * oldest);
  } else {
    CHECK(stats.levels[0].runs < options.level0_runs_to_compact);
    // All above the bottom: a third of it, with multiplier 4.
    const std::uint64_t below0 = all - stats.levels[0].size_bytes;
    CHECK(3 * (below0 - oldest) <=
          std::max(oldest, options.base_level_size_bytes));
  }
}

}  // namespace

TEST_CASE("a store keeps its rows and its shape under every policy",
          "[engine][policies]") {
  STORY("Random puts and removes under each policy; then idle.");
  SEEDED_RANDOM(random, 2209);
  for (const CompactionStyle style : kStyles) {
    SimFileSystem fs;
    const Options options = small_options(fs, style);
    auto db = Db::open("db", options);
    REQUIRE_OK(db);
    Rows rows;
    for (int round = 0; round < 4; ++round) {
      write_some(**db, random, rows);
      REQUIRE_OK((*db)->wait_idle());
      check_rest((*db)->stats(), options);
    }
    check_rows(**db, rows);
    REQUIRE_OK((*db)->verify());
    REQUIRE_OK((*db)->close());
  }
}

TEST_CASE("idle means that no compaction is due", "[engine][policies]") {
  STORY("Put, flush, wait until idle, 500 times: each second run is merged.");
  SimFileSystem fs;
  Options options = small_options(fs, CompactionStyle::leveled);
  options.level0_runs_to_compact = 2;
  auto db = Db::open("db", options);
  REQUIRE_OK(db);
  for (int round = 0; round < 500; ++round) {
    REQUIRE_OK((*db)->put("key" + std::to_string(round % 7), "value"));
    REQUIRE_OK((*db)->flush());
    REQUIRE_OK((*db)->wait_idle());
    REQUIRE((*db)->stats().levels[0].runs < 2);
  }
  REQUIRE_OK((*db)->close());
}

TEST_CASE("the base level is in proportion to the write buffer",
          "[engine][policies]") {
  STORY("8 MiB through a buffer of 64 KiB: a bottom eight times 16 buffers.");
  SEEDED_RANDOM(random, 2212);
  SimFileSystem fs;
  Options options = small_options(fs, CompactionStyle::leveled);
  options.write_buffer_size_bytes = 64 << 10;
  options.base_level_size_bytes = 0;
  auto db = Db::open("db", options);
  REQUIRE_OK(db);
  for (int i = 0; i < 8192; ++i) {
    REQUIRE_OK((*db)->put(random.bytes(16), std::string(1000, 'v')));
  }
  REQUIRE_OK((*db)->wait_idle());
  const Stats stats = (*db)->stats();
  CHECK(stats.levels[6].size_bytes > (16 * options.write_buffer_size_bytes));
  CHECK(stats.levels[5].size_bytes > 0);
  REQUIRE_OK((*db)->close());
}

TEST_CASE("a store written under one policy opens under another",
          "[engine][policies]") {
  STORY("Twelve times: open under a random policy, look, write, close.");
  SEEDED_RANDOM(random, 2210);
  SimFileSystem fs;
  Rows rows;
  for (int round = 0; round < 12; ++round) {
    const Options options = small_options(fs, random.pick(kStyles));
    auto db = Db::open("db", options);
    REQUIRE_OK(db);
    check_rows(**db, rows);
    write_some(**db, random, rows);
    if (random.one_in(2)) {
      REQUIRE_OK((*db)->wait_idle());
      check_rest((*db)->stats(), options);
    }
    check_rows(**db, rows);
    REQUIRE_OK((*db)->close());
  }
}

TEST_CASE("a policy with impossible knobs names the option",
          "[engine][policies]") {
  STORY("Each knob beyond its limits, at open; nothing is created.");
  using Change = void (*)(Options&);
  const std::vector<std::pair<std::string, Change>> changes = {
      {"level0_runs_to_compact",
       [](Options& o) { o.level0_runs_to_compact = 0; }},
      {"level_size_multiplier",
       [](Options& o) { o.level_size_multiplier = 1; }},
      {"base_level_size_bytes",
       [](Options& o) { o.base_level_size_bytes = 100; }},
      {"tiered_max_runs", [](Options& o) { o.tiered_max_runs = 0; }},
      {"tiered_max_runs", [](Options& o) { o.tiered_max_runs = 12; }},
      {"tiered_min_merge_width",
       [](Options& o) { o.tiered_min_merge_width = 1; }},
      {"tiered_max_merge_width",
       [](Options& o) { o.tiered_max_merge_width = 3; }},
      {"tiered_size_ratio_percent",
       [](Options& o) { o.tiered_size_ratio_percent = -1; }},
      {"tiered_max_space_amplification_percent",
       [](Options& o) { o.tiered_max_space_amplification_percent = 0; }},
      {"compaction_style",
       [](Options& o) { o.compaction_style = CompactionStyle{9}; }}};
  for (const auto& [name, change] : changes) {
    CAPTURE(name);
    SimFileSystem fs;
    Options options = small_options(fs, CompactionStyle::tiered);
    change(options);
    const auto db = Db::open("db", options);
    CHECK_ERROR(db, Code::invalid_argument);
    if (!db) CHECK(db.error().message.find(name) != std::string::npos);
    const auto there = fs.exists("db");
    REQUIRE_OK(there);
    CHECK_FALSE(*there);
  }
}

}  // namespace lsm::test
