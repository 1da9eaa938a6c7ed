// Day 3.1, snapshots: the list of what is held and the holds on it, the race
// with a compaction, and the snapshot that an application has (snapshots.h).
// What is visible is a number of the test's; the store is the model of
// support/model_store.h.
#include "snapshots.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <semaphore>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/catch.h"
#include "support/model_store.h"
#include "support/random.h"
#include "support/teach.h"
#include "support/threads.h"

namespace lsm::test {
namespace {

using Pin = SnapshotRegistry::Pin;
using RegistryPtr = std::shared_ptr<SnapshotRegistry>;
using Sequences = std::vector<Sequence>;

// What is visible, as a number that the test sets.
struct World {
  std::atomic<Sequence> visible = 0;

  RegistryPtr registry(std::function<void()> on_release = {}) {
    return SnapshotRegistry::create([this] { return visible.load(); },
                                    std::move(on_release));
  }
  Pin take(SnapshotRegistry& registry, Sequence at) {
    visible = at;
    return registry.take();
  }
};

// How long is waited for what must not happen, and for what must.
constexpr std::chrono::milliseconds kMustNot{100};
constexpr std::chrono::milliseconds kMust{3000};

using Signal = std::binary_semaphore;

// Waits for another thread's signal; false when that thread has failed.
bool await(Signal& signal, const std::atomic<bool>& stop) {
  while (!signal.try_acquire_for(std::chrono::milliseconds(10))) {
    if (stop) return false;
  }
  return true;
}

std::string rows_of(UserIterator& iterator) {
  std::string all;
  for (iterator.seek_to_first(); iterator.valid(); iterator.next()) {
    if (!all.empty()) all += " ";
    all.append(iterator.key()).append("=").append(iterator.value());
  }
  return all;
}
std::string rows_of(const Snapshot& snapshot, ScanRange range = {}) {
  const auto iterator = snapshot.scan(std::move(range));
  return rows_of(*iterator);
}

RegistryPtr registry_of(const std::shared_ptr<ModelStore>& store,
                        std::function<void()> on_release = {}) {
  return SnapshotRegistry::create([store] { return store->visible(); },
                                  std::move(on_release));
}

}  // namespace

// Task 1: the list.

TEST_CASE("a hold is a number, and the number is on the list",
          "[3.1][task-1][core]") {
  STORY("Five writes are visible; somebody takes a hold.");
  INVARIANT("I1 a hold is on the list from before take() returns");
  World world;
  const RegistryPtr registry = world.registry();
  const Pin pin = world.take(*registry, 5);
  CHECK_SAME(pin.sequence(), 5);
  CHECK_SAME(registry->live(), Sequences{5});
  CHECK_SAME(registry->oldest(), std::optional<Sequence>(5));
  CHECK_SAME(registry->count(), 1);
}

TEST_CASE("a registry begins with nothing", "[3.1][task-1][core]") {
  STORY("A new registry in a store of a hundred writes; nobody has asked.");
  INVARIANT("I1 on the list is what take() put there");
  World world;
  world.visible = 100;
  const RegistryPtr registry = world.registry();
  CHECK_SAME(registry->live(), Sequences{});
  CHECK_SAME(registry->oldest(), std::nullopt);
  CHECK_SAME(registry->count(), 0);
}

TEST_CASE("an empty store has a moment too", "[3.1][task-1][core]") {
  STORY("Nothing was ever written: 0 is visible. A hold is taken.");
  INVARIANT("I1 a hold on 0 is a hold: nothing at all is what it reads");
  World world;
  const RegistryPtr registry = world.registry();
  const Pin pin = registry->take();
  CHECK_SAME(pin.sequence(), 0);
  CHECK_SAME(registry->live(), Sequences{0});
  CHECK_SAME(registry->oldest(), std::optional<Sequence>(0));
}

TEST_CASE("the list ascends, the watermark is its first",
          "[3.1][task-1][core]") {
  STORY("Holds are taken at 3, 7 and 9.");
  INVARIANT("I4 live() ascends");
  World world;
  const RegistryPtr registry = world.registry();
  const Pin three = world.take(*registry, 3);
  const Pin seven = world.take(*registry, 7);
  const Pin nine = world.take(*registry, 9);
  CHECK_SAME(registry->live(), Sequences{3, 7, 9});
  CHECK_SAME(registry->oldest(), std::optional<Sequence>(3));
  CHECK_SAME(registry->count(), 3);
}

TEST_CASE("holds of one moment are one entry of the list",
          "[3.1][task-1][core]") {
  STORY("Three holds at 4 and one at 6: nothing was written in between.");
  INVARIANT("I4 live() names each sequence once; count() counts holds");
  World world;
  const RegistryPtr registry = world.registry();
  std::vector<Pin> pins;
  for (int i = 0; i < 3; ++i)
    pins.push_back(world.take(*registry, 4));
  pins.push_back(world.take(*registry, 6));
  CHECK_SAME(registry->live(), Sequences{4, 6});
  CHECK_SAME(registry->count(), 4);
}

TEST_CASE("asking for the list takes nothing", "[3.1][task-1][core]") {
  STORY("One take; then live, oldest and count, three times each.");
  INVARIANT("I2 take() reads what is visible: once, and only take()");
  int asked = 0;
  const RegistryPtr registry = SnapshotRegistry::create([&asked] {
    ++asked;
    return Sequence{8};
  });
  const Pin pin = registry->take();
  for (int i = 0; i < 3; ++i) {
    CHECK_SAME(registry->live(), Sequences{8});
    CHECK_SAME(registry->oldest(), std::optional<Sequence>(8));
    CHECK_SAME(registry->count(), 1);
  }
  CHECK_SAME(asked, 1);
}

TEST_CASE("two registries of a store know nothing of each other",
          "[3.1][task-1][core]") {
  STORY("Readers hold 5, writers hold 9: two lists over one visible sequence.");
  INVARIANT("I1 a hold is on the list of its registry");
  World world;
  const RegistryPtr readers = world.registry();
  const RegistryPtr writers = world.registry();
  const Pin reader = world.take(*readers, 5);
  const Pin writer = world.take(*writers, 9);
  CHECK_SAME(readers->live(), Sequences{5});
  CHECK_SAME(writers->live(), Sequences{9});
}

// The race. Another thread asks for the list while take() has read what is
// visible, and has not returned.

namespace {

// 3 is held. Has `ask` done by another thread while take() has read that 5 is
// visible, and has not returned. Says whether it got through in the middle.
bool gets_into_a_take(
    const std::function<void(SnapshotRegistry&, Pin& three)>& ask) {
  Signal reading{0};
  Signal done{0};
  bool got_through = false;
  Sequence visible = 3;
  const RegistryPtr registry = SnapshotRegistry::create([&] {
    if (visible == 5) {
      reading.release();
      got_through = done.try_acquire_for(kMustNot);
    }
    return visible;
  });
  Pin three = registry->take();
  visible = 5;
  Pin five;
  run_threads(2, [&](int i, const std::atomic<bool>& stop) {
    if (i == 0) {
      five = registry->take();
    } else if (await(reading, stop)) {
      ask(*registry, three);
      done.release();
    }
  });
  return got_through;
}

}  // namespace

TEST_CASE("nobody reads the list in the middle of a take",
          "[3.1][task-1][core]") {
  STORY(
      "3 is held, and take() reads that 5 is visible. Before it goes on, a "
      "compaction asks live().");
  INVARIANT("I2 take() reads the visible sequence under the lock of live()");
  Sequences live;
  const bool answered_in_the_middle = gets_into_a_take(
      [&](SnapshotRegistry& registry, Pin&) { live = registry.live(); });
  CHECK_SAME(answered_in_the_middle, false);
  CHECK_SAME(live, Sequences{3, 5});
}

TEST_CASE("nobody reads the watermark in the middle of a take",
          "[3.1][task-1][core]") {
  STORY(
      "3 is held, and take() reads that 5 is visible. Before it goes on, the "
      "store asks oldest(); and in another take, count().");
  INVARIANT("I2 take() reads the visible sequence under the lock");
  std::optional<Sequence> oldest;
  const bool oldest_in_the_middle = gets_into_a_take(
      [&](SnapshotRegistry& registry, Pin&) { oldest = registry.oldest(); });
  CHECK_SAME(oldest_in_the_middle, false);
  CHECK_SAME(oldest, std::optional<Sequence>(3));
  std::size_t count = 0;
  const bool count_in_the_middle = gets_into_a_take(
      [&](SnapshotRegistry& registry, Pin&) { count = registry.count(); });
  CHECK_SAME(count_in_the_middle, false);
  CHECK_SAME(count, 2);
}

namespace {

// One key, written again and again: version s is the one of sequence s. A
// compaction goes in steps, so that anything may happen in between.
class Steps {
 public:
  explicit Steps(SnapshotRegistry& registry) : registry_(registry) {}

  Sequence visible() const { return visible_; }
  void write() { versions_.insert(++visible_); }
  void choose_inputs() { inputs_ = versions_; }
  void ask_list() { live_ = registry_.live(); }
  // Of the inputs, what a newer one hides goes, unless one of the list sees
  // the older one and not the newer.
  void finish() {
    for (auto at = inputs_.begin(); at != inputs_.end(); ++at) {
      const auto newer = std::next(at);
      if (newer == inputs_.end()) break;
      const auto sees_older = std::ranges::lower_bound(live_, *at);
      if (sees_older == live_.end() || *sees_older >= *newer)
        versions_.erase(*at);
    }
  }
  bool has(Sequence sequence) const { return versions_.contains(sequence); }

 private:
  SnapshotRegistry& registry_;
  Sequence visible_ = 1;
  std::set<Sequence> versions_{1};
  std::set<Sequence> inputs_;
  Sequences live_;
};

// Runs `order`: w a write, t a take, i inputs, l list, f finish. Whether what
// was taken can still be read.
bool still_reads(const std::string& order) {
  Steps* store = nullptr;
  const RegistryPtr registry =
      SnapshotRegistry::create([&store] { return store->visible(); });
  Steps steps(*registry);
  store = &steps;
  Pin pin;
  for (const char step : order) {
    switch (step) {
      case 'w':
        steps.write();
        break;
      case 't':
        pin = registry->take();
        break;
      case 'i':
        steps.choose_inputs();
        break;
      case 'l':
        steps.ask_list();
        break;
      default:
        steps.finish();
    }
  }
  return steps.has(pin.sequence());
}

// Every order of the steps in which the compaction's come in its own.
std::vector<std::string> orders(const std::string& compaction) {
  std::string steps = "CCCtwww";
  std::ranges::sort(steps);
  std::vector<std::string> all;
  do {
    std::string order = steps;
    std::size_t next = 0;
    for (char& step : order) {
      if (step == 'C') step = compaction[next++];
    }
    all.push_back(order);
  } while (std::ranges::next_permutation(steps).found);
  return all;
}

}  // namespace

TEST_CASE("inputs first, list second: no order of events loses a version",
          "[3.1][task-1][core]") {
  STORY(
      "One take, three writes and a compaction of three steps (i inputs, l "
      "list, f finish), in every order.");
  INVARIANT("I3 a snapshot that is not on the list sees all of the inputs");
  const std::vector<std::string> all = orders("ilf");
  REQUIRE_SAME(all.size(), 140);  // 7! / (3! · 3! · 1!)
  std::vector<std::string> lost;
  for (const std::string& order : all) {
    if (!still_reads(order)) lost.push_back(order);
  }
  CHECK_SAME(lost, std::vector<std::string>{});
}

TEST_CASE("list first, inputs second loses what a snapshot reads",
          "[3.1][task-1][gold]") {
  STORY("The list is asked, a snapshot taken, k written, the inputs chosen.");
  INVARIANT("I3 inputs first, the list second: this is the wrong way round");
  CHECK_SAME(still_reads("ltwif"), false);
  CHECK_SAME(still_reads("tlwif"), true);
  CHECK_SAME(still_reads("lwtif"), true);
}

// Task 2: a hold ends.

TEST_CASE("a hold ends with its Pin", "[3.1][task-2][core]") {
  STORY("Hold 3; in a block of its own hold 7; the block ends.");
  INVARIANT("I1 a hold is on the list until its Pin ends");
  World world;
  const RegistryPtr registry = world.registry();
  const Pin three = world.take(*registry, 3);
  {
    Pin seven = world.take(*registry, 7);
    CHECK_SAME(registry->live(), Sequences{3, 7});
    seven.release();
    CHECK_SAME(registry->live(), Sequences{3});
    const Pin again = world.take(*registry, 7);
    CHECK_SAME(registry->live(), Sequences{3, 7});
  }
  CHECK_SAME(registry->live(), Sequences{3});
  CHECK_SAME(registry->count(), 1);
}

TEST_CASE("the watermark moves up when the oldest goes",
          "[3.1][task-2][core]") {
  STORY("Holds at 3, 7 and 9. 7 ends, then 3, then 9.");
  INVARIANT("I1 the list is what is held");
  World world;
  const RegistryPtr registry = world.registry();
  Pin three = world.take(*registry, 3);
  Pin seven = world.take(*registry, 7);
  Pin nine = world.take(*registry, 9);
  seven.release();
  CHECK_SAME(registry->oldest(), std::optional<Sequence>(3));
  CHECK_SAME(registry->live(), Sequences{3, 9});
  three.release();
  CHECK_SAME(registry->oldest(), std::optional<Sequence>(9));
  nine.release();
  CHECK_SAME(registry->oldest(), std::nullopt);
  CHECK_SAME(registry->count(), 0);
}

TEST_CASE("a moment is held until its last hold ends", "[3.1][task-2][core]") {
  STORY("Two holds at 4. One ends, then the other.");
  INVARIANT("I1 each hold is given up by itself");
  World world;
  const RegistryPtr registry = world.registry();
  Pin one = world.take(*registry, 4);
  Pin other = world.take(*registry, 4);
  one.release();
  CHECK_SAME(registry->live(), Sequences{4});
  CHECK_SAME(registry->count(), 1);
  other.release();
  CHECK_SAME(registry->live(), Sequences{});
  CHECK_SAME(registry->count(), 0);
}

TEST_CASE("a hold is given up once", "[3.1][task-2][core]") {
  STORY("Two holds at 4. One is released, released again, and its Pin ends.");
  INVARIANT("I1 taken once, given up once");
  World world;
  int told = 0;
  const RegistryPtr registry = world.registry([&told] { ++told; });
  Pin one = world.take(*registry, 4);
  {
    Pin other = world.take(*registry, 4);
    other.release();
    other.release();
    CHECK_SAME(other.sequence(), 0);
    CHECK_SAME(other.is_of(*registry), false);
  }
  CHECK_SAME(registry->count(), 1);
  CHECK_SAME(registry->live(), Sequences{4});
  CHECK_SAME(told, 0);
  one.release();
  one.release();
  CHECK_SAME(told, 1);
}

TEST_CASE("a hold moves, and the one it left holds nothing",
          "[3.1][task-2][core]") {
  STORY("A hold at 6 moves into a vector, then out of it; the first Pin ends.");
  INVARIANT("I1 a hold is given up by whoever owns the Pin last");
  World world;
  const RegistryPtr registry = world.registry();
  Pin last;
  {
    Pin first = world.take(*registry, 6);
    std::vector<Pin> pins;
    pins.push_back(std::move(first));
    CHECK_SAME(first.sequence(), 0);  // what a moved Pin promises
    first.release();
    last = std::move(pins.back());
  }
  CHECK_SAME(last.sequence(), 6);
  CHECK_SAME(registry->live(), Sequences{6});
  last.release();
  CHECK_SAME(registry->count(), 0);
}

TEST_CASE("a Pin that gets another hold gives up its own",
          "[3.1][task-2][core]") {
  STORY("A Pin holds 3, another 8; the second is assigned to the first.");
  INVARIANT("I1 taken once, given up once");
  World world;
  const RegistryPtr registry = world.registry();
  Pin pin = world.take(*registry, 3);
  Pin eight = world.take(*registry, 8);
  pin = std::move(eight);
  CHECK_SAME(pin.sequence(), 8);
  CHECK_SAME(registry->live(), Sequences{8});
  CHECK_SAME(registry->count(), 1);
  Pin& same = pin;
  pin = std::move(same);
  CHECK_SAME(registry->live(), Sequences{8});
  pin = Pin();
  CHECK_SAME(registry->count(), 0);
  pin.release();
  CHECK_SAME(registry->count(), 0);
}

TEST_CASE("a Pin keeps its registry", "[3.1][task-2][core]") {
  STORY("The store lets go of the registry while a hold is open.");
  INVARIANT("lifetime: every Pin keeps its registry");
  World world;
  int told = 0;
  RegistryPtr registry = world.registry([&told] { ++told; });
  const std::weak_ptr<SnapshotRegistry> watched = registry;
  Pin pin = world.take(*registry, 2);
  registry.reset();
  CHECK_SAME(watched.expired(), false);
  pin.release();
  CHECK_SAME(told, 1);
  CHECK_SAME(watched.expired(), true);
}

TEST_CASE("the store is told when the oldest moves up, and only then",
          "[3.1][task-2][core]") {
  STORY("Holds at 3, 3, 7 and 9. They end: 7, 3, 3, 9.");
  INVARIANT("I5 on_release: the oldest has moved up, or the last has gone");
  World world;
  int told = 0;
  const RegistryPtr registry = world.registry([&told] { ++told; });
  Pin three = world.take(*registry, 3);
  Pin also_three = world.take(*registry, 3);
  Pin seven = world.take(*registry, 7);
  Pin nine = world.take(*registry, 9);
  CHECK_SAME(told, 0);
  seven.release();
  CHECK_SAME(told, 0);
  three.release();
  CHECK_SAME(told, 0);
  also_three.release();
  CHECK_SAME(told, 1);
  nine.release();
  CHECK_SAME(told, 2);
}

TEST_CASE("when the store is told, the hold is off the list",
          "[3.1][task-2][core]") {
  STORY("Holds at 3 and 7. 3 ends; the store, told of it, looks at the list.");
  INVARIANT("I5 on_release is called AFTER the oldest has moved up");
  World world;
  // Asked by another thread: with the lock still held the question would wait
  // for ever on this one.
  Signal told{0};
  Signal answered{0};
  bool in_time = true;
  int calls = 0;
  const RegistryPtr registry = world.registry([&] {
    ++calls;
    told.release();
    in_time &= answered.try_acquire_for(kMust);
  });
  Pin three = world.take(*registry, 3);
  Pin seven = world.take(*registry, 7);
  Sequences seen;
  std::size_t count = 0;
  run_threads(2, [&](int i, const std::atomic<bool>& stop) {
    if (i == 0) {
      three.release();
      if (calls == 0) told.release();  // the other one must not wait
    } else if (await(told, stop)) {
      seen = registry->live();
      count = registry->count();
      answered.release();
    }
  });
  CHECK_SAME(calls, 1);
  CHECK_SAME(in_time, true);
  CHECK_SAME(seen, Sequences{7});
  CHECK_SAME(count, 1);
  // seven outlives nobody who would answer.
  answered.release();
  seven.release();
  CHECK_SAME(calls, 2);
}

TEST_CASE("the store may take and give up while it is told",
          "[3.1][task-2][gold]") {
  STORY(
      "3, 5 and 6 are held; 3 ends. Told of it, the store takes a hold at 8 "
      "and gives up the one at 5.");
  INVARIANT("I5 with no lock held: it may ask, take and give up");
  World world;
  Signal told{0};
  Signal answered{0};
  bool in_time = true;
  std::atomic<int> calls = 0;
  const RegistryPtr registry = world.registry([&] {
    if (++calls != 1) return;
    told.release();
    in_time = answered.try_acquire_for(kMust);
  });
  Pin three = world.take(*registry, 3);
  Pin five = world.take(*registry, 5);
  const Pin six = world.take(*registry, 6);
  Pin taken;
  Sequences seen;
  run_threads(2, [&](int i, const std::atomic<bool>& stop) {
    if (i == 0) {
      three.release();
      if (calls == 0) told.release();  // the other one must not wait
    } else if (await(told, stop)) {
      taken = world.take(*registry, 8);
      five.release();
      seen = registry->live();
      answered.release();
    }
  });
  CHECK_SAME(in_time, true);
  CHECK_SAME(seen, Sequences{6, 8});
  CHECK_SAME(calls.load(), 2);
}

TEST_CASE("a Pin that is just ending is over already", "[3.1][task-2][gold]") {
  STORY("Told that 3 has gone, the store releases the Pin of 3 once more.");
  INVARIANT("I1 taken once, given up once");
  World world;
  Pin three;
  int calls = 0;
  const RegistryPtr registry = world.registry([&] {
    if (++calls < 5) three.release();
  });
  three = world.take(*registry, 3);
  const Pin seven = world.take(*registry, 7);
  three.release();
  CHECK_SAME(calls, 1);
  CHECK_SAME(registry->live(), Sequences{7});
  CHECK_SAME(registry->count(), 1);
}

TEST_CASE("nobody gives up in the middle of a take", "[3.1][task-2][core]") {
  STORY(
      "3 is held, and take() reads that 5 is visible. Before it goes on, "
      "whoever holds 3 gives it up.");
  INVARIANT("thread safety: any thread");
  const bool given_up_in_the_middle =
      gets_into_a_take([](SnapshotRegistry&, Pin& three) { three.release(); });
  CHECK_SAME(given_up_in_the_middle, false);
}

TEST_CASE("the last Pin tells the store before its registry is gone",
          "[3.1][task-2][gold]") {
  STORY("A Pin is all that is left of a registry. It ends.");
  INVARIANT("lifetime: every Pin keeps its registry");
  World world;
  std::weak_ptr<SnapshotRegistry> left;
  std::vector<bool> gone;
  RegistryPtr registry =
      world.registry([&] { gone.push_back(left.expired()); });
  left = registry;
  Pin pin = world.take(*registry, 5);
  registry.reset();
  pin.release();
  CHECK_SAME(gone, std::vector<bool>{false});
  CHECK_SAME(left.expired(), true);
}

// Task 3: one more hold on a moment.

TEST_CASE("a moment can be held once more", "[3.1][task-3][core]") {
  STORY("9 is visible, 5 is held; somebody joins in at 5.");
  INVARIANT("I1 taken once, given up once: each hold by itself");
  World world;
  const RegistryPtr registry = world.registry();
  Pin five = world.take(*registry, 5);
  world.visible = 9;
  Pin joined = registry->take_at(5);
  CHECK_SAME(joined.sequence(), 5);
  CHECK_SAME(registry->live(), Sequences{5});
  CHECK_SAME(registry->count(), 2);
  five.release();
  CHECK_SAME(registry->live(), Sequences{5});
  joined.release();
  CHECK_SAME(registry->live(), Sequences{});
}

TEST_CASE("a moment may be held in another registry of the store",
          "[3.1][task-3][core]") {
  STORY(
      "A reader's snapshot holds 4. The writers' registry holds 8; a "
      "transaction on the snapshot joins the writers at 4.");
  INVARIANT("I4 live() ascends, in whatever order holds come");
  World world;
  int told = 0;
  const RegistryPtr readers = world.registry();
  const RegistryPtr writers = world.registry([&told] { ++told; });
  const Pin reader = world.take(*readers, 4);
  Pin eight = world.take(*writers, 8);
  Pin four = writers->take_at(reader.sequence());
  CHECK_SAME(writers->live(), Sequences{4, 8});
  CHECK_SAME(writers->oldest(), std::optional<Sequence>(4));
  CHECK_SAME(told, 0);  // the oldest has moved down
  four.release();
  CHECK_SAME(writers->oldest(), std::optional<Sequence>(8));
  CHECK_SAME(told, 1);
  CHECK_SAME(readers->live(), Sequences{4});
}

TEST_CASE("joining asks nobody what is visible", "[3.1][task-3][core]") {
  STORY("Hold 5, join at 5 while 9 is visible.");
  INVARIANT("I2 only take() reads the visible sequence");
  int asked = 0;
  const RegistryPtr registry = SnapshotRegistry::create([&asked] {
    ++asked;
    return Sequence{5};
  });
  const Pin five = registry->take();
  const Pin joined = registry->take_at(five.sequence());
  CHECK_SAME(joined.sequence(), 5);
  CHECK_SAME(asked, 1);
}

TEST_CASE("nobody joins in the middle of a take", "[3.1][task-3][core]") {
  STORY(
      "3 is held, and take() reads that 5 is visible. Before it goes on, "
      "somebody joins at 3.");
  INVARIANT("thread safety: any thread");
  Pin joined;
  const bool joined_in_the_middle = gets_into_a_take(
      [&](SnapshotRegistry& registry, Pin&) { joined = registry.take_at(3); });
  CHECK_SAME(joined_in_the_middle, false);
}

// Task 4: the snapshot that an application has.

TEST_CASE("a snapshot reads what it saw", "[3.1][task-4][core]") {
  STORY("ant = red, a snapshot, ant = green, bee = new, cat removed.");
  INVARIANT("I6 a Snapshot reads at what its hold holds");
  const auto store = std::make_shared<ModelStore>();
  const RegistryPtr registry = registry_of(store);
  REQUIRE_OK(store->put("ant", "red"));
  REQUIRE_OK(store->put("cat", "old"));
  const SnapshotPtr before = make_snapshot(registry->take(), store);
  REQUIRE_OK(store->put("ant", "green"));
  REQUIRE_OK(store->put("bee", "new"));
  REQUIRE_OK(store->remove("cat"));
  const SnapshotPtr after = make_snapshot(registry->take(), store);

  CHECK_SAME(before->sequence(), 2);
  CHECK_SAME(*before->get("ant"), std::optional<std::string>("red"));
  CHECK_SAME(*before->get("bee"), std::nullopt);
  CHECK_SAME(rows_of(*before), "ant=red cat=old");
  CHECK_SAME(after->sequence(), 5);
  CHECK_SAME(*after->get("ant"), std::optional<std::string>("green"));
  CHECK_SAME(*after->get("cat"), std::nullopt);
  CHECK_SAME(rows_of(*after), "ant=green bee=new");
}

TEST_CASE("a snapshot's scan has its bounds", "[3.1][task-4][core]") {
  STORY("ant, bee, cow and doe; a scan from bee up to doe.");
  INVARIANT("as Db::scan, at this moment (lsm/snapshot.h)");
  const auto store = std::make_shared<ModelStore>();
  const RegistryPtr registry = registry_of(store);
  for (const char* key : {"ant", "bee", "cow", "doe"})
    REQUIRE_OK(store->put(key, "1"));
  const SnapshotPtr snapshot = make_snapshot(registry->take(), store);
  REQUIRE_OK(store->put("bat", "2"));
  CHECK_SAME(rows_of(*snapshot, {"bee", "doe"}), "bee=1 cow=1");
  CHECK_SAME(rows_of(*snapshot, {std::nullopt, "bee"}), "ant=1");
  CHECK_SAME(rows_of(*snapshot, {"cow", std::nullopt}), "cow=1 doe=1");
}

TEST_CASE("a snapshot holds its moment while anybody has it",
          "[3.1][task-4][core]") {
  STORY("Two owners share a snapshot at 1. One lets go, then the other.");
  INVARIANT("I1 a hold is given up once, by whoever owns it last");
  const auto store = std::make_shared<ModelStore>();
  int told = 0;
  const RegistryPtr registry = registry_of(store, [&told] { ++told; });
  REQUIRE_OK(store->put("ant", "red"));
  SnapshotPtr one = make_snapshot(registry->take(), store);
  SnapshotPtr other = one;
  CHECK_SAME(registry->live(), Sequences{1});
  CHECK_SAME(*one->get("ant"), std::optional<std::string>("red"));
  one.reset();
  CHECK_SAME(registry->live(), Sequences{1});
  CHECK_SAME(told, 0);
  other.reset();
  CHECK_SAME(registry->live(), Sequences{});
  CHECK_SAME(told, 1);
}

TEST_CASE("a scan keeps its snapshot", "[3.1][task-4][core]") {
  STORY(
      "Two scans of a snapshot; the snapshot goes, then the scans, by turns.");
  INVARIANT("I6 the hold ends with the last of its scans");
  const auto store = std::make_shared<ModelStore>();
  int told = 0;
  const RegistryPtr registry = registry_of(store, [&told] { ++told; });
  REQUIRE_OK(store->put("ant", "red"));
  SnapshotPtr snapshot = make_snapshot(registry->take(), store);
  auto one = snapshot->scan();
  auto other = snapshot->scan({"b", std::nullopt});
  snapshot.reset();
  CHECK_SAME(registry->live(), Sequences{1});
  REQUIRE_OK(store->put("ant", "green"));
  CHECK_SAME(rows_of(*one), "ant=red");
  one.reset();
  CHECK_SAME(registry->live(), Sequences{1});
  CHECK_SAME(told, 0);
  other.reset();
  CHECK_SAME(registry->live(), Sequences{});
  CHECK_SAME(told, 1);
}

TEST_CASE("a scan that is over and not yet destroyed still holds",
          "[3.1][task-4][core]") {
  STORY("A scan runs to its end, then is sought back to its first row.");
  INVARIANT("I6 the hold ends with the scan, not with its last row");
  const auto store = std::make_shared<ModelStore>();
  const RegistryPtr registry = registry_of(store);
  REQUIRE_OK(store->put("ant", "red"));
  auto scan = make_snapshot(registry->take(), store)->scan();
  CHECK_SAME(rows_of(*scan), "ant=red");
  CHECK_SAME(scan->valid(), false);
  CHECK_SAME(registry->count(), 1);
  scan->seek_to_first();
  REQUIRE_SAME(scan->valid(), true);
  CHECK_SAME(scan->value(), "red");
}

TEST_CASE("what the store says is what the snapshot says",
          "[3.1][task-4][core]") {
  STORY("A read fails; then the store is closed.");
  INVARIANT("errors as Db::get and Db::scan (lsm/snapshot.h)");
  const auto store = std::make_shared<ModelStore>();
  const RegistryPtr registry = registry_of(store);
  REQUIRE_OK(store->put("ant", "red"));
  REQUIRE_OK(store->put("bee", "red"));
  const SnapshotPtr snapshot = make_snapshot(registry->take(), store);
  store->fail_reads_at("bee", {Code::io, "the disk is gone"});
  CHECK_SAME(*snapshot->get("ant"), std::optional<std::string>("red"));
  CHECK_ERROR(snapshot->get("bee"), Code::io);
  const auto scan = snapshot->scan();
  CHECK_SAME(rows_of(*scan), "ant=red");
  CHECK_ERROR(scan->status(), Code::io);
  store->close();
  CHECK_ERROR(snapshot->get("ant"), Code::closed);
  CHECK_ERROR(snapshot->scan()->status(), Code::closed);
}

TEST_CASE("nothing of a snapshot is left when its store is told",
          "[3.1][task-4][gold]") {
  STORY(
      "A snapshot reads a store of its own, as one that pins a Version does. "
      "It goes; the registry's owner is told.");
  INVARIANT("I5 when on_release is called, what the snapshot kept is free");
  const auto store = std::make_shared<ModelStore>();
  std::weak_ptr<const Store> pinned;
  std::vector<bool> gone;
  const RegistryPtr registry =
      registry_of(store, [&] { gone.push_back(pinned.expired()); });
  auto own = std::make_shared<ModelStore>();
  pinned = own;
  REQUIRE_OK(own->put("ant", "red"));
  SnapshotPtr snapshot = make_snapshot(registry->take(), std::move(own));
  CHECK_SAME(snapshot->sequence(), 0);
  CHECK_SAME(rows_of(*snapshot), "");
  snapshot.reset();
  CHECK_SAME(gone, std::vector<bool>{true});
}

// Task 5: whose it is.

TEST_CASE("a snapshot is of the registry that holds it",
          "[3.1][task-5][gold]") {
  STORY("Two stores with five writes each, and a snapshot of each, at 5.");
  INVARIANT("is_of: its sequence means something only to its own store");
  World world;
  const RegistryPtr mine = world.registry();
  const RegistryPtr other = world.registry();
  const auto store = std::make_shared<ModelStore>();
  world.visible = 5;
  const SnapshotPtr snapshot = make_snapshot(mine->take(), store);
  const SnapshotPtr foreign = make_snapshot(other->take(), store);
  CHECK_SAME(is_of(*snapshot, *mine), true);
  CHECK_SAME(is_of(*snapshot, *other), false);
  CHECK_SAME(is_of(*foreign, *mine), false);
  CHECK_SAME(is_of(*foreign, *other), true);
}

TEST_CASE("somebody else's Snapshot is of no registry", "[3.1][task-5][gold]") {
  STORY("An application hands in a Snapshot class of its own.");
  INVARIANT("is_of: it was made of no hold");
  World world;
  const RegistryPtr registry = world.registry();
  const auto store = std::make_shared<ModelStore>();
  const SnapshotPtr foreign = store->snapshot();
  CHECK_SAME(is_of(*foreign, *registry), false);
}

namespace {

// A Snapshot that is not of this room, and full of what one of it holds:
// whoever reads it as one finds the registry that he looks for.
class Lookalike final : public Snapshot {
 public:
  explicit Lookalike(const SnapshotRegistry& registry) {
    words_.fill(&registry);
  }

  using Snapshot::get;
  Result<bool> get(std::string_view, std::string&) const override {
    return words_.empty();
  }
  std::unique_ptr<UserIterator> scan(ScanRange) const override { return {}; }
  Sequence sequence() const override { return 0; }

 private:
  std::array<const SnapshotRegistry*, 16> words_{};
};

}  // namespace

TEST_CASE("a Snapshot is known by its class, not by its bytes",
          "[3.1][task-5][gold]") {
  STORY(
      "An application's Snapshot class, whose bytes name the registry "
      "everywhere.");
  INVARIANT("is_of: it was made of no hold");
  World world;
  const RegistryPtr registry = world.registry();
  CHECK_SAME(is_of(Lookalike(*registry), *registry), false);
}

// Random walks.

TEST_CASE("the list is the model's, whatever comes and goes",
          "[3.1][task-3][core]") {
  STORY("Random takes, joins, moves and ends, beside a multiset.");
  INVARIANT("I1, I4 and I5 after every step");
  SEEDED_RANDOM(random, 31);
  World world;
  std::size_t told = 0;
  const RegistryPtr registry = world.registry([&told] { ++told; });
  std::vector<Pin> pins;
  std::multiset<Sequence> model;
  std::size_t expected_told = 0;
  const auto give_up = [&](std::size_t i) {
    const Sequence oldest = *model.begin();
    model.erase(model.find(pins[i].sequence()));
    expected_told += model.empty() || *model.begin() > oldest ? 1 : 0;
  };
  for (std::size_t step = 0; step < scaled(20'000); ++step) {
    const std::size_t i = pins.empty() ? 0 : random.below(pins.size());
    // By turns more come than go, and more go than come, down to none.
    const bool going = step / 64 % 2 == 1;
    switch (pins.empty() ? 0 : random.below(going ? 20 : 5)) {
      case 0:
      case 1:
        world.visible += random.below(3);
        pins.push_back(registry->take());
        model.insert(world.visible);
        break;
      case 2: {
        const Sequence at = pins[i].sequence();
        pins.push_back(registry->take_at(at));
        model.insert(at);
        break;
      }
      case 3: {  // moved about; the one it replaces ends
        Pin moved = std::move(pins[i]);
        pins[i] = std::move(moved);
        break;
      }
      default:
        give_up(i);
        if (random.one_in(2)) pins[i].release();
        pins[i] = std::move(pins.back());
        pins.pop_back();
    }
    const std::set<Sequence> once(model.begin(), model.end());
    REQUIRE_SAME(registry->live(), Sequences(once.begin(), once.end()));
    REQUIRE_SAME(registry->count(), model.size());
    REQUIRE_SAME(registry->oldest(),
                 model.empty() ? std::nullopt : std::optional(*model.begin()));
    REQUIRE_SAME(told, expected_told);
  }
}

TEST_CASE("a hundred snapshots read what they saw", "[3.1][task-4][gold]") {
  STORY("Random writes; a hundred snapshots are held and read all along.");
  INVARIANT("I6 a Snapshot reads at what its hold holds");
  SEEDED_RANDOM(random, 32);
  const auto store = std::make_shared<ModelStore>();
  const RegistryPtr registry = registry_of(store);
  std::vector<std::pair<SnapshotPtr, std::string>> held;
  for (std::size_t step = 0; step < scaled(400); ++step) {
    for (int i = 0; i < 3; ++i) {
      const std::string key = random.text(1, "abcdefgh");
      if (random.one_in(4)) {
        REQUIRE_OK(store->remove(key));
      } else {
        REQUIRE_OK(store->put(key, random.text(3)));
      }
    }
    SnapshotPtr snapshot = make_snapshot(registry->take(), store);
    std::string rows;
    for (const auto& [key, value] : store->rows()) {
      if (!rows.empty()) rows += " ";
      rows.append(key).append("=").append(value);
    }
    if (held.size() < 100) {
      held.emplace_back(std::move(snapshot), rows);
    } else {
      random.pick(held) = {std::move(snapshot), rows};
    }
    const auto& [one, expected] = random.pick(held);
    REQUIRE_SAME(rows_of(*one), expected);
  }
  CHECK_SAME(registry->count(), held.size());
}

// Threads.

TEST_CASE("many threads take and give up", "[3.1][task-2][gold]") {
  STORY("Four threads take and give up, each up to eight holds at a time.");
  INVARIANT("thread safety: any thread");
  World world;
  std::atomic<std::size_t> told = 0;
  const RegistryPtr registry = world.registry([&told] { ++told; });
  const std::size_t rounds = scaled(4000);
  run_threads(4, [&](int thread) {
    Random random(static_cast<std::uint64_t>(thread));
    std::vector<Pin> pins;
    for (std::size_t i = 0; i < rounds; ++i) {
      world.visible.fetch_add(1);
      pins.push_back(registry->take());
      const Sequences live = registry->live();
      expect(std::ranges::is_sorted(live), "live() does not ascend");
      expect(std::ranges::binary_search(live, pins.back().sequence()),
             "a hold is not on the list");
      expect(registry->oldest() <= pins.front().sequence(),
             "a hold is older than the watermark");
      if (pins.size() == 8) pins[random.below(8)].release();
      std::erase_if(pins,
                    [&](const Pin& pin) { return !pin.is_of(*registry); });
    }
  });
  CHECK_SAME(registry->count(), 0);
  CHECK_SAME(registry->live(), Sequences{});
  CHECK_SAME(told > 0, true);
}

TEST_CASE("what a reader holds survives every compaction",
          "[3.1][task-2][gold]") {
  STORY(
      "One key. A writer overwrites it, a compactor drops what the list does "
      "not need, two readers take holds and look for their version.");
  INVARIANT("I2 and I3: between a take and a live() one comes first");
  std::atomic<Sequence> visible = 1;
  Mutex mutex;
  std::set<Sequence> versions{1};
  const RegistryPtr registry =
      SnapshotRegistry::create([&visible] { return visible.load(); });
  const auto has = [&](Sequence sequence) {
    const MutexLock lock(mutex);
    return versions.contains(sequence);
  };
  const std::size_t rounds = scaled(3000);
  std::atomic<int> reading = 2;
  run_threads(4, [&](int thread, const std::atomic<bool>& stop) {
    if (thread < 2) {
      for (std::size_t i = 0; i < rounds; ++i) {
        const Pin pin = registry->take();
        for (int looks = 0; looks < 3; ++looks) {
          expect(has(pin.sequence()), "version " +
                                          std::to_string(pin.sequence()) +
                                          " was dropped under its reader");
        }
      }
      reading.fetch_sub(1);
    } else if (thread == 2) {
      while (reading != 0 && !stop) {
        const MutexLock lock(mutex);
        versions.insert(visible + 1);
        visible.fetch_add(1);
      }
    } else {
      while (reading != 0 && !stop) {
        std::set<Sequence> inputs;
        {
          const MutexLock lock(mutex);
          inputs = versions;
        }
        const Sequences live = registry->live();
        const MutexLock lock(mutex);
        for (auto at = inputs.begin(); std::next(at) != inputs.end(); ++at) {
          const auto sees = std::ranges::lower_bound(live, *at);
          if (sees == live.end() || *sees >= *std::next(at))
            versions.erase(*at);
        }
      }
    }
  });
  CHECK_SAME(registry->count(), 0);
}

}  // namespace lsm::test
