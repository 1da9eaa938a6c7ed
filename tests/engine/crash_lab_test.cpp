// The crash laboratory itself: does it find what it is made to find? The judge
// on stores that are wrong by a known batch or key, and whole runs on a disk
// that lies.
#include <algorithm>
#include <memory>
#include <string>

#include "base/sim_file_system.h"
#include "lsm/db.h"
#include "support/catch.h"
#include "support/random.h"
#include "support/teach.h"
#include "tools/crash/crash_lab.h"
#include "tools/crash/crash_oracle.h"

namespace lsm::test {
namespace {

using crash::Lie;
using crash::Oracle;
using crash::Report;
using crash::Settings;

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// A store that has batches 1 … 5 of a seed.
struct Written {
  Written() {
    db = std::move(*Db::open(
        "db", crash::tiny_options(CompactionStyle::leveled, disk, *executor)));
    for (int i = 1; i <= 5; ++i)
      REQUIRE_OK(db->write(oracle.batch(i)));
  }
  std::string wrong(int at_least, int at_most) {
    return oracle.judge(*db, at_least, at_most).wrong;
  }

  const Oracle oracle{1, 10};
  SimFileSystem disk;
  std::unique_ptr<Executor> executor = make_stepped_executor(1);
  std::unique_ptr<Db> db;
};

// The first key but "last" that batch 6 puts.
std::string key_of_batch_6(const Oracle& oracle) {
  for (const WriteOp& op : oracle.batch(6).ops()) {
    if (op.kind == Kind::put && op.key != "last") return std::string(op.key);
  }
  FAIL("batch 6 puts nothing: take another seed");
  return {};
}

}  // namespace

TEST_CASE("the judge takes each m that is promised, and no other",
          "[engine][crash]") {
  STORY("Batches 1 … 5 are written; m may be 5, 4 … 6, 6 … 7, 3 … 4.");
  Written store;
  CHECK_SAME(store.oracle.judge(*store.db, 5, 5).m, 5);
  CHECK_SAME(store.wrong(5, 5), "");
  CHECK_SAME(store.wrong(4, 6), "");
  CHECK_SAME(store.wrong(6, 7), "it ends with batch 5, and 6 was promised");
  CHECK_SAME(store.wrong(3, 4),
             "it ends with batch 5, and none after 4 was started");
}

TEST_CASE("the judge sees half a batch", "[engine][crash]") {
  STORY("Of batch 6 only \"last\" is written; or all but \"last\".");
  Written store;
  const std::string key = key_of_batch_6(store.oracle);
  SECTION("only last") {
    REQUIRE_OK(store.db->put("last", "6"));
    const std::string wrong = store.wrong(1, 10);
    CHECK(contains(wrong, "it ends with batch 6, but is not what"));
  }
  SECTION("all but last") {
    for (const WriteOp& op : store.oracle.batch(6).ops()) {
      if (op.key == key) {
        REQUIRE_OK(store.db->put(op.key, std::string(op.value) + "!"));
      }
    }
    const std::string wrong = store.wrong(1, 10);
    CHECK(contains(wrong, "it ends with batch 5, but is not what"));
    CHECK(contains(wrong, key));
  }
}

TEST_CASE("the judge sees a key too many, one too few, and one that changed",
          "[engine][crash]") {
  STORY("To the end, to the front, and in the middle of the store.");
  Written store;
  SECTION("too many at the end") {
    REQUIRE_OK(store.db->put("zoo", "1"));
    CHECK(contains(store.wrong(5, 5),
                   "key      \"zoo\"\n  expected nothing\n  found    \"1\""));
  }
  SECTION("too many at the front") {
    REQUIRE_OK(store.db->put("", "1"));
    CHECK(contains(store.wrong(5, 5),
                   "key      \"\"\n  expected nothing\n  found    \"1\""));
  }
  SECTION("too few") {
    const auto it = store.db->scan();
    it->seek_to_first();
    REQUIRE(it->valid());
    const std::string first(it->key());
    REQUIRE_OK(store.db->remove(first));
    const std::string wrong = store.wrong(5, 5);
    CHECK(contains(wrong, "key      \"" + first + "\""));
    CHECK(contains(wrong, "found    nothing"));
  }
}

TEST_CASE("on a disk that lies the laboratory finds bad images, each again",
          "[engine][crash]") {
  STORY(
      "Syncs that do nothing, folder syncs that do nothing, syncs that come "
      "late; then the first bad image alone.");
  const Lie lie = GENERATE(Lie::sync, Lie::sync_dir, Lie::late_sync);
  const bool twice = GENERATE(false, true);
  Settings settings{.batches = 120, .lie = lie, .twice = twice, .images = 200};
  const Report report = crash::run_lab(settings);
  INFO("lie " << static_cast<int>(lie) << (twice ? ", twice" : ""));
  CHECK_SAME(report.broken_off, "");
  CHECK_SAME(report.images, 200u);
  CHECK(report.bad > 0);
  REQUIRE(report.first);
  const crash::Image& image = report.first->image;
  // What the run had done by then is told up to the operation.
  REQUIRE(!report.first->history.empty());
  CHECK(contains(report.first->history.back(),
                 std::to_string(image.operation) + "  "));
  if (!twice) {  // else the lie that counts may be one of a recovery
    CHECK(std::ranges::any_of(report.first->history, [](const auto& line) {
      return contains(line, ": confirmed, ");
    }));
  }

  settings.at = image.operation;
  settings.models = {image.model};
  settings.draw = image.draw;
  settings.images = 1;
  const Report again = crash::run_lab(settings);
  CHECK_SAME(again.images, 1u);
  REQUIRE(again.first);
  CHECK_SAME(again.first->what, report.first->what);
  CHECK_SAME(again.first->history, report.first->history);
  CHECK_SAME(again.first->damage, report.first->damage);
}

TEST_CASE("a killed process loses nothing, whatever the disk confirmed",
          "[engine][crash]") {
  STORY("The same lies, but the operating system lives on.");
  const Lie lie = GENERATE(Lie::sync, Lie::sync_dir, Lie::late_sync);
  const Report report =
      crash::run_lab({.batches = 120, .lie = lie, .kill = true, .images = 100});
  CHECK_SAME(report.bad, 0u);
  CHECK(report.clean());
}

TEST_CASE("an operation behind the end of the run is said to be none",
          "[engine][crash]") {
  STORY("Ten batches; an image is asked for at operation 1,000,000.");
  const Report report =
      crash::run_lab({.batches = 10, .images = 1, .at = 1'000'000});
  CHECK_SAME(report.images, 0u);
  CHECK(!report.clean());
  CHECK(contains(report.broken_off, "there is no operation 1000000"));
}

}  // namespace lsm::test
