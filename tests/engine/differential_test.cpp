// The whole engine against std::map: the same random operations go to both,
// and every answer must be the same. Buffers and tables are tiny, so that a
// run of a million operations flushes and compacts hundreds of times, and
// reopens from its files dozens of times.
//
// LSM_SEED chooses the seed, LSM_TEST_SCALE shortens the run.
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/sim_file_system.h"
#include "lsm/db.h"
#include "support/catch.h"
#include "support/model.h"
#include "support/random.h"
#include "support/teach.h"

namespace lsm::test {
namespace {

using Map = std::map<std::string, std::string>;

Options tiny_options(FileSystem& fs, Random& random) {
  Options options;
  options.file_system = &fs;
  options.write_buffer_size_bytes = 64 << 10;
  options.target_file_size_bytes = 32 << 10;
  options.base_level_size_bytes = 128 << 10;
  options.level_size_multiplier = 4;
  options.block_size_bytes = random.one_in(2) ? 512 : 4096;
  options.block_cache_bytes = random.one_in(4) ? 0 : 256 << 10;
  options.filter_bits_per_key = random.one_in(4) ? 0 : 10;
  options.compression = random.one_in(2) ? Compression::none : Compression::lz4;
  // Each open draws a policy, which finds the tree as another left it.
  options.compaction_style = static_cast<CompactionStyle>(random.below(3));
  return options;
}

// Keys that share prefixes, with every awkward byte; one in fifty is empty.
std::string random_key(Random& random) {
  if (random.one_in(50)) return {};
  std::string key = "k";
  if (random.one_in(3)) key += std::string("\0\xff", 2);
  key += std::to_string(random.below(3000));
  if (random.one_in(10)) key += '\0';
  return key;
}

std::string random_value(Random& random) {
  if (random.one_in(30)) return {};
  const std::size_t size =
      random.one_in(500) ? random.below(20'000) : random.below(120);
  std::string value(size, static_cast<char>(random.below(256)));
  if (size >= 8)
    value.replace(0, 8, std::to_string(random.next()).substr(0, 8));
  return value;
}

class Differential {
 public:
  Differential(std::unique_ptr<Executor> executor, Random& random)
      : executor_(std::move(executor)), random_(random) {
    open();
  }

  void run(std::size_t operations) {
    for (std::size_t i = 0; i < operations; ++i) {
      INFO("operation " << i);
      step();
    }
    check_scan({});
    REQUIRE_OK(db_->verify());
    REQUIRE_OK(db_->close());
  }

 private:
  void open() {
    Options options = tiny_options(fs_, random_);
    options.executor = executor_.get();
    auto db = Db::open("db", options);
    REQUIRE_OK(db);
    db_ = std::move(*db);
  }

  void step() {
    const std::uint64_t dice = random_.below(10'000);
    if (dice < 4500) {
      const std::string key = random_key(random_);
      const std::string value = random_value(random_);
      REQUIRE_OK(db_->put(key, value, {.sync = random_.one_in(100)}));
      map_[key] = value;
    } else if (dice < 5800) {
      const std::string key = random_key(random_);
      REQUIRE_OK(db_->remove(key));
      map_.erase(key);
    } else if (dice < 6300) {
      batch();
    } else if (dice < 9600) {
      get(random_key(random_));
    } else if (dice < 9985) {
      ScanRange range;
      if (!random_.one_in(3)) range.lower = random_key(random_);
      if (!random_.one_in(3)) range.upper = random_key(random_);
      walk(range, 40);
    } else if (dice < 9992) {
      REQUIRE_OK(db_->flush());
    } else if (dice < 9994) {
      REQUIRE_OK(db_->compact());
    } else if (dice < 9996) {
      check_scan({});
    } else if (dice < 9998) {
      REQUIRE_OK(db_->close());
      db_.reset();
      open();
    } else {
      db_.reset();  // without close: the log is replayed
      open();
    }
  }

  void batch() {
    WriteBatch batch;
    for (std::size_t i = random_.below(20); i > 0; --i) {
      const std::string key = random_key(random_);
      if (random_.one_in(4)) {
        batch.remove(key);
        map_.erase(key);
      } else {
        const std::string value = random_value(random_);
        batch.put(key, value);
        map_[key] = value;
      }
    }
    REQUIRE_OK(db_->write(batch));
  }

  void get(const std::string& key) {
    std::string value;
    const auto found = db_->get(key, value);
    REQUIRE_OK(found);
    const auto expected = map_.find(key);
    if (*found != (expected != map_.end()) ||
        (*found && value != expected->second)) {
      INFO("get " << escape(key));
      REQUIRE_SAME(*found ? value : "(absent)",
                   expected != map_.end() ? expected->second : "(absent)");
      FAIL("a key is there in one and not in the other");
    }
  }

  // A random walk of an iterator beside the map's own.
  void walk(const ScanRange& range, int steps) {
    Map::const_iterator begin =
        range.lower ? map_.lower_bound(*range.lower) : map_.begin();
    Map::const_iterator end =
        range.upper ? map_.lower_bound(*range.upper) : map_.end();
    if (range.lower && range.upper && *range.upper <= *range.lower) end = begin;
    const auto it = db_->scan(range);
    Map::const_iterator at = end;
    bool valid = false;
    for (int i = 0; i < steps; ++i) {
      switch (valid ? random_.below(8) : 5 + random_.below(3)) {
        case 0:
        case 1:
        case 2:
          it->next();
          ++at;
          valid = at != end;
          break;
        case 3:
        case 4:
          it->prev();
          valid = at != begin;
          if (valid) --at;
          break;
        case 5: {
          const std::string key = random_key(random_);
          it->seek(key);
          at = map_.lower_bound(key);
          if (begin == end) {
            at = end;
          } else if (range.lower && key < *range.lower) {
            at = begin;
          } else if (range.upper && key >= *range.upper) {
            at = end;
          }
          valid = at != end;
          break;
        }
        case 6:
          it->seek_to_first();
          at = begin;
          valid = at != end;
          break;
        default:
          it->seek_to_last();
          valid = begin != end;
          at = valid ? std::prev(end) : end;
          break;
      }
      REQUIRE(it->valid() == valid);
      if (!valid) continue;
      if (it->key() != at->first || it->value() != at->second) {
        REQUIRE_SAME(std::string(it->key()), at->first);
        REQUIRE_SAME(std::string(it->value()), at->second);
      }
    }
    REQUIRE_OK(it->status());
  }

  void check_scan(const ScanRange& range) {
    const auto it = db_->scan(range);
    std::size_t rows = 0;
    auto at = map_.begin();
    for (it->seek_to_first(); it->valid(); it->next(), ++at, ++rows) {
      REQUIRE(at != map_.end());
      if (it->key() != at->first)
        REQUIRE_SAME(std::string(it->key()), at->first);
    }
    REQUIRE_OK(it->status());
    REQUIRE(rows == map_.size());
    auto back = map_.rbegin();
    for (it->seek_to_last(); it->valid(); it->prev(), ++back) {
      REQUIRE(back != map_.rend());
      if (it->key() != back->first) {
        REQUIRE_SAME(std::string(it->key()), back->first);
      }
    }
    REQUIRE(back == map_.rend());
  }

  SimFileSystem fs_;
  std::unique_ptr<Executor> executor_;
  Random& random_;
  Map map_;
  std::unique_ptr<Db> db_;
};

}  // namespace

TEST_CASE("a million operations agree with std::map, background in threads",
          "[engine][differential]") {
  STORY(
      "Random puts, removes, batches, gets, walks, flushes, compactions and "
      "reopens go to the store and to a std::map.");
  const std::uint64_t seed = GENERATE(as<std::uint64_t>{}, 1, 2, 3);
  SEEDED_RANDOM(random, seed);
  Differential(make_thread_executor(), random).run(scaled(1'000'000));
}

TEST_CASE("operations agree with std::map, background one step at a time",
          "[engine][differential]") {
  STORY(
      "The same with a stepped executor: the seed decides when a flush or a "
      "compaction runs, so a failure repeats.");
  const std::uint64_t seed = GENERATE(as<std::uint64_t>{}, 11, 12, 13);
  SEEDED_RANDOM(random, seed);
  Differential(make_stepped_executor(seed), random).run(scaled(100'000));
}

}  // namespace lsm::test
