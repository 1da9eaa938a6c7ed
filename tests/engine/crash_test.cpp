// Power cuts: a workload runs on a disk in memory, and before each of the
// disk's operations an image is taken, as the power might leave it. Every image
// must open, and hold exactly the first m batches, for an m between the last
// synced and the last started one.
//
// LSM_TEST_SCALE chooses how many images are looked at, LSM_SEED which.
#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/fault_file_system.h"
#include "base/sim_file_system.h"
#include "lsm/db.h"
#include "support/catch.h"
#include "support/random.h"
#include "support/teach.h"

namespace lsm::test {
namespace {

using Map = std::map<std::string, std::string>;

Options tiny_options(FileSystem& fs, Executor& executor) {
  Options options;
  options.file_system = &fs;
  options.executor = &executor;
  options.write_buffer_size_bytes = 8 << 10;
  options.target_file_size_bytes = 8 << 10;
  options.base_level_size_bytes = 32 << 10;
  options.level_size_multiplier = 4;
  options.block_size_bytes = 512;
  options.block_cache_bytes = 64 << 10;
  options.compression = Compression::none;
  return options;
}

// Batch i sets "last" to i and changes one to four other keys.
WriteBatch batch_number(std::uint64_t seed, int i) {
  Random random(seed * 1'000'003 + static_cast<std::uint64_t>(i));
  WriteBatch batch;
  batch.put("last", std::to_string(i));
  for (std::uint64_t n = random.between(1, 4); n > 0; --n) {
    const std::string key = "key" + std::to_string(random.below(150));
    if (random.one_in(4)) {
      batch.remove(key);
    } else {
      batch.put(key, random.text(random.below(200)));
    }
  }
  return batch;
}

void replay(const WriteBatch& batch, Map& map) {
  for (const WriteOp& op : batch.ops()) {
    if (op.kind == Kind::put) {
      map[std::string(op.key)] = std::string(op.value);
    } else {
      map.erase(std::string(op.key));
    }
  }
}

// What was promised at the moment of an image.
struct Promise {
  int synced = 0;        // batches 1 … synced survive a power cut
  int acknowledged = 0;  // … acknowledged survive a kill
  int started = 0;       // no batch after this one exists
};

struct Image {
  std::unique_ptr<SimFileSystem> disk;
  Promise promise;
  std::uint64_t operation = 0;
};

// Opens the image and holds it against the promise.
void check_image(SimFileSystem& disk, std::uint64_t seed, int at_least,
                 int at_most) {
  const auto executor = make_stepped_executor(seed);
  auto db = Db::open("db", tiny_options(disk, *executor));
  REQUIRE_OK(db);
  const auto last = (*db)->get("last");
  REQUIRE_OK(last);
  const int m = last->has_value() ? std::stoi(**last) : 0;
  REQUIRE(m >= at_least);
  REQUIRE(m <= at_most);
  Map expected;
  for (int i = 1; i <= m; ++i)
    replay(batch_number(seed, i), expected);
  const auto it = (*db)->scan();
  auto at = expected.begin();
  for (it->seek_to_first(); it->valid(); it->next(), ++at) {
    REQUIRE(at != expected.end());
    if (it->key() != at->first || it->value() != at->second) {
      REQUIRE_SAME(std::string(it->key()), at->first);
      REQUIRE_SAME(std::string(it->value()), at->second);
    }
  }
  REQUIRE_OK(it->status());
  REQUIRE(at == expected.end());
}

// Runs the workload and calls `visit` with about `wanted` images, spread evenly
// over the operations of the whole run.
template <class Visit>
void for_images(std::uint64_t seed, std::size_t wanted, Visit visit) {
  constexpr int kBatches = 400;
  std::uint64_t operations = 0;
  for (const bool counting : {true, false}) {
    SimFileSystem disk;
    const auto executor = make_stepped_executor(seed);
    Promise promise;
    std::vector<Image> images;
    const std::uint64_t every =
        counting ? 0 : std::max<std::uint64_t>(1, operations / wanted);
    disk.before_each_operation([&](const SimOperation& operation) {
      const std::uint64_t number = operation.number;
      if (counting || number % every != seed % every) return;
      images.push_back({disk.clone(), promise, number});
    });
    auto opened = Db::open("db", tiny_options(disk, *executor));
    REQUIRE_OK(opened);
    Db& db = **opened;
    Random random(seed);
    for (int i = 1; i <= kBatches; ++i) {
      const bool sync = random.one_in(8);
      promise.started = i;
      REQUIRE_OK(db.write(batch_number(seed, i), {.sync = sync}));
      promise.acknowledged = i;
      if (sync) promise.synced = i;
      if (random.one_in(40)) {
        REQUIRE_OK(db.sync());
        promise.synced = i;
      }
      if (random.one_in(60)) REQUIRE_OK(db.flush());
      if (random.one_in(150)) REQUIRE_OK(db.compact());
    }
    if (!counting) {
      REQUIRE_OK(db.close());
      promise.synced = kBatches;
    }
    operations = disk.operations();
    for (Image& image : images)
      visit(image);
  }
}

}  // namespace

TEST_CASE("after a power cut the store holds the first m batches",
          "[engine][crash]") {
  STORY(
      "Batches, syncs, flushes and compactions; power cuts at operations "
      "spread over the whole run, names kept in order or any of them.");
  const std::uint64_t seed = GENERATE(as<std::uint64_t>{}, 1, 2, 3, 4);
  std::size_t images = 0;
  for_images(seed, scaled(500), [&](Image& image) {
    for (const CrashModel model :
         {CrashModel::ordered, CrashModel::any_subset}) {
      const auto disk = image.disk->clone();
      disk->power_cycle(model, seed + image.operation);
      INFO(
          "seed " << seed << ", power cut at operation " << image.operation
                  << ", "
                  << (model == CrashModel::ordered ? "ordered" : "any subset"));
      check_image(*disk, seed, image.promise.synced, image.promise.started);
      ++images;
    }
  });
  CHECK(images > 0);
}

TEST_CASE("after a kill the store holds all that was acknowledged",
          "[engine][crash]") {
  STORY("The same run, but the process dies and the disk does not.");
  const std::uint64_t seed = GENERATE(as<std::uint64_t>{}, 5, 6);
  for_images(seed, scaled(300), [&](Image& image) {
    image.disk->kill();
    INFO("seed " << seed << ", killed at operation " << image.operation);
    check_image(*image.disk, seed, image.promise.acknowledged,
                image.promise.started);
  });
}

TEST_CASE("a power cut during recovery, and another in the next, lose nothing",
          "[engine][crash]") {
  STORY(
      "Every image is opened while the power fails again and again: at each "
      "tenth operation of the recovery, then at one of the next recovery.");
  const std::uint64_t seed = GENERATE(as<std::uint64_t>{}, 7, 8);
  for_images(seed, scaled(25), [&](Image& image) {
    image.disk->power_cycle(CrashModel::any_subset, seed + image.operation);
    std::uint64_t operations = 0;
    {
      const auto whole = image.disk->clone();
      const auto executor = make_stepped_executor(seed);
      const std::uint64_t before = whole->operations();
      REQUIRE_OK(Db::open("db", tiny_options(*whole, *executor)));
      operations = whole->operations() - before;
    }
    for (std::uint64_t first = 1; first <= operations; first += 5) {
      const auto disk = image.disk->clone();
      for (const std::uint64_t cut : {first, 1 + (first * 7) % operations}) {
        disk->cut_power_at(disk->operations() + cut);
        {
          const auto executor = make_stepped_executor(seed);
          (void)Db::open("db", tiny_options(*disk, *executor));
        }
        disk->power_cycle(CrashModel::any_subset, seed + first + cut);
      }
      INFO("seed " << seed << ", image of operation " << image.operation
                   << ", recovery cut at its operation " << first);
      check_image(*disk, seed, image.promise.synced, image.promise.started);
    }
  });
}

TEST_CASE("a fault at any operation loses nothing that was acknowledged",
          "[engine][fault]") {
  STORY(
      "Operation n of the disk fails, once or from then on; what was "
      "acknowledged is there after a kill and a reopen without the fault.");
  const std::uint64_t seed = 9;
  const bool sticky = GENERATE(false, true);
  constexpr int kBatches = 150;
  std::uint64_t operations = 0;
  for (std::uint64_t nth = 0; nth == 0 || nth <= operations;
       nth +=
       nth == 0 ? 1 : std::max<std::uint64_t>(1, operations / scaled(150))) {
    SimFileSystem disk;
    FaultFileSystem fs(disk);
    int acknowledged = 0;
    int started = 0;
    {
      const auto executor = make_stepped_executor(seed);
      if (nth > 0) {
        fs.inject(
            {.nth = nth, .sticky = sticky, .effect = Fault::Effect::half});
      }
      Random random(seed);
      auto db = Db::open("db", tiny_options(fs, *executor));
      if (db) {
        bool refused = false;
        for (int i = 1; i <= kBatches && !refused; ++i) {
          started = i;
          const auto written =
              (*db)->write(batch_number(seed, i), {.sync = random.one_in(5)});
          refused = !written.has_value();
          if (written) acknowledged = i;
          if (random.one_in(30)) (void)(*db)->flush();
          if (random.one_in(60)) (void)(*db)->compact();
        }
        (void)(*db)->close();
      }
      if (nth == 0) operations = fs.operations();
    }
    CHECK(fs.open_handles() == 0);
    fs.lift();
    disk.kill();
    INFO("operation " << nth << " of " << operations << " failed");
    check_image(disk, seed, acknowledged, started);
  }
}

TEST_CASE("a disk that fills up and is emptied again loses nothing",
          "[engine][fault]") {
  STORY(
      "From operation n on there is no space; then there is. The store goes "
      "on, or after a reopen does.");
  const std::uint64_t seed = 10;
  for (std::uint64_t nth = 5; nth < 200; nth += 3) {
    SimFileSystem disk;
    FaultFileSystem fs(disk);
    const auto executor = make_stepped_executor(seed);
    int acknowledged = 0;
    int started = 0;
    {
      auto db = Db::open("db", tiny_options(fs, *executor));
      REQUIRE_OK(db);
      fs.inject(full_disk_from(nth));
      for (int i = 1; i <= 120; ++i) {
        if (i == 100) fs.lift();
        started = i;
        if (!(*db)->write(batch_number(seed, i))) break;
        acknowledged = i;
      }
      fs.lift();
      const auto last = (*db)->get("last");
      REQUIRE_OK(last);
    }
    INFO("no space from operation " << nth);
    check_image(disk, seed, acknowledged, started);
  }
}

}  // namespace lsm::test
