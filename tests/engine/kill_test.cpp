// kill -9 in a loop. A writer writes a sequence that depends on a seed only
// (tools/lsm/steps.h) and tells each acknowledged step through a pipe; it dies
// at a random moment, in its recovery too; the store is opened here and must
// hold exactly the first m steps. The next round goes on in the same store.
//
// What a SIGKILL may take is nothing that was acknowledged, synced or not: the
// pages of the log belong to the operating system (base/log_segment.h, I1).
#include <fmt/format.h>

#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "lsm/db.h"
#include "run_tool.h"
#include "support/catch.h"
#include "support/random.h"
#include "support/teach.h"
#include "support/temp_dir.h"
#include "tools/lsm/steps.h"

namespace lsm::test {
namespace {

using Map = std::map<std::string, std::string>;

constexpr std::uint64_t kNever = std::uint64_t{1} << 62;

// Small, so that a round flushes and compacts.
const std::vector<std::string> kSmallStore = {
    "--write-buffer", "128K", "--table-size", "64K",
    "--base-level",   "512K", "--cache",      "256K"};

Options small_options() {
  Options options;
  options.write_buffer_size_bytes = 128 << 10;
  options.target_file_size_bytes = 64 << 10;
  options.base_level_size_bytes = 512 << 10;
  options.block_cache_bytes = 256 << 10;
  return options;
}

class KillLoop {
 public:
  explicit KillLoop(Random& random) : random_(random), seed_(random.next()) {}

  void round() {
    const std::uint64_t before = held_;
    std::vector<std::string> args = {dir_ / "store",
                                     "--ops",
                                     std::to_string(kNever),
                                     "--seed",
                                     std::to_string(seed_),
                                     "--sync-every",
                                     std::to_string(sync_every())};
    args.insert(args.end(), kSmallStore.begin(), kSmallStore.end());
    Writer writer(args);
    // One in eight dies while it opens the store.
    if (!random_.one_in(8)) {
      REQUIRE(writer.wait_for(before + random_.below(1500)));
    }
    writer.kill_and_drain();
    INFO("steps before the round: " << before);
    // Without a line nothing was begun; else at most one more than was told.
    const std::uint64_t acknowledged = writer.acknowledged().value_or(before);
    const std::uint64_t started =
        writer.acknowledged() ? acknowledged + 1 : before;
    INFO("last acknowledged: " << acknowledged << ", started: " << started);
    check(acknowledged, started);
  }

 private:
  std::uint64_t sync_every() {
    constexpr std::uint64_t kChoices[] = {0, 1, 13};
    return kChoices[random_.below(3)];
  }

  void check(std::uint64_t acknowledged, std::uint64_t started) {
    INVARIANT(
        "I1, I2 of lsm/db.h: what was acknowledged survives a killed "
        "process; the store holds the first m operations");
    auto opened = Db::open(dir_ / "store", small_options());
    REQUIRE_OK(opened);
    Db& db = **opened;
    const auto value = db.get(tool::kStepKey);
    REQUIRE_OK(value);
    const std::uint64_t m = std::stoull(value->value_or("0"));
    INFO("m, the steps that the store holds: " << m);
    REQUIRE(acknowledged <= m);
    REQUIRE(m <= started);
    for (; held_ < m; ++held_) {
      tool::make_step(seed_, held_, tool::StepShape(), batch_);
      tool::apply_step(batch_, model_);
    }
    check_rows(db);
    if (random_.one_in(5)) REQUIRE_OK(db.verify());
    REQUIRE_OK(db.close());
  }

  // content == model[m]: batches are whole, or some row differs.
  void check_rows(Db& db) {
    const auto it = db.scan();
    auto expected = model_.begin();
    for (it->seek_to_first(); it->valid(); it->next(), ++expected) {
      if (expected == model_.end()) FAIL("a row too many: " << it->key());
      if (it->key() != expected->first || it->value() != expected->second) {
        REQUIRE_SAME(std::string(it->key()), expected->first);
        REQUIRE_SAME(std::string(it->value()), expected->second);
      }
    }
    REQUIRE_OK(it->status());
    if (expected != model_.end()) FAIL("a row is lost: " << expected->first);
  }

  TempDir dir_;
  Random& random_;
  const std::uint64_t seed_;
  std::uint64_t held_ = 0;  // steps that the model has taken
  Map model_;
  WriteBatch batch_;
};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LSM_TEST_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define LSM_TEST_SANITIZED 1
#endif
#endif
#ifdef LSM_TEST_SANITIZED
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

// The most memory that `process` has had at any moment, in bytes; 0 when the
// system does not tell.
std::uint64_t peak_memory(pid_t process) {
  std::ifstream status(fmt::format("/proc/{}/status", process));
  std::string word;
  std::uint64_t kilobytes = 0;
  while (status >> word) {
    if (word == "VmHWM:" && status >> kilobytes) return kilobytes << 10;
  }
  return 0;
}

}  // namespace

TEST_CASE("after kill -9, again and again, the store holds the first m steps",
          "[engine][kill]") {
  STORY(
      "A writer is killed at a random moment, with and without sync; the "
      "store is opened and compared with the model; and again.");
  SEEDED_RANDOM(random, 9);
  KillLoop loop(random);
  const std::size_t rounds = scaled(50);
  for (std::size_t round = 0; round < rounds; ++round) {
    INFO("round " << round);
    loop.round();
  }
}

TEST_CASE("a writer's memory is bounded by its options, whatever it writes",
          "[engine][kill]") {
  STORY(
      "A writer with 128 KiB of buffer and 256 KiB of cache writes some 20 "
      "MB; its peak memory is read before it is killed.");
  if (kSanitized) return;  // their shadow is not the engine's
  const TempDir dir;
  std::vector<std::string> args = {dir / "store", "--ops",
                                   std::to_string(kNever)};
  args.insert(args.end(), kSmallStore.begin(), kSmallStore.end());
  Writer writer(args);
  REQUIRE(writer.wait_for(2'000));
  const std::uint64_t early = peak_memory(writer.process());
  REQUIRE(writer.wait_for(scaled(60'000)));
  const std::uint64_t late = peak_memory(writer.process());
  writer.kill_and_drain();
  INFO("early " << early << " bytes, late " << late << " bytes");
  // A compaction's buffers and the allocator's slack may come on top.
  CHECK(late < early + (std::uint64_t{12} << 20));
}

}  // namespace lsm::test
