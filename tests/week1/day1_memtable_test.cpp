// Day 1.1: the memtable (memtable.h).
#include <signal.h>
#include <sys/time.h>
#include <time.h>

#include <array>
#include <atomic>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "memtable.h"
#include "support/catch.h"
#include "support/iterator_contract.h"
#include "support/model.h"
#include "support/random.h"
#include "support/teach.h"
#include "support/threads.h"

namespace lsm::test {

namespace {

constexpr std::size_t kExpectedBytes = std::size_t{64} << 20;

// As a prefix is read best: the eight bytes of the key, in hex.
std::string hex(std::uint64_t prefix) {
  std::string text = "0x";
  for (int digit = 60; digit >= 0; digit -= 4)
    text += "0123456789abcdef"[prefix >> digit & 0xf];
  return text;
}

struct Version {
  std::string_view user;
  Sequence sequence = 0;
};

std::string told(const Version& version) {
  return quoted(version.user) + "@" + std::to_string(version.sequence);
}

// What comes_before makes of two versions, in words.
std::string order_of(const Version& a, const Version& b) {
  const auto before = [](const Version& first, const Version& second) {
    const auto key = [](const Version& version) {
      return with_prefix({version.user, make_tag(version.sequence, Kind::put)});
    };
    return comes_before(key(first), key(second));
  };
  const bool ab = before(a, b);
  const bool ba = before(b, a);
  if (ab && ba) return told(a) + " and " + told(b) + ", each before the other";
  if (ab) return told(a) + " before " + told(b);
  if (ba) return told(b) + " before " + told(a);
  return told(a) + " and " + told(b) + ", neither before the other";
}

// What a get answers, in words: "value v", "removed" or "absent".
std::string answer(const MemTable& table, std::string_view key, Sequence at) {
  std::string_view value = "(not set)";
  switch (table.get(key, at, value)) {
    case Lookup::value:
      return "value " + std::string(value);
    case Lookup::removed:
      return "removed";
    case Lookup::absent:
      break;
  }
  return "absent";
}

// The same from the model, which must have had the same operations.
std::string answer(const std::vector<Entry>& entries, std::string_view key,
                   Sequence at) {
  for (const auto& [entry, value] : entries) {
    if (entry.user() != key || entry.view().sequence() > at) continue;
    return entry.view().kind() == Kind::put ? "value " + value : "removed";
  }
  return "absent";
}

constexpr const char* kEndless = "… and on: the list does not end";

// Every entry, first to last: "fig@9 put". A walk that meets more entries than
// were added goes in a circle; it is broken off, and says so.
std::vector<std::string> walk(const MemTable& table) {
  std::vector<std::string> seen;
  const auto iterator = table.iterator();
  for (iterator->seek_to_first(); iterator->valid(); iterator->next()) {
    if (seen.size() > table.entries()) {
      seen.emplace_back(kEndless);
      break;
    }
    seen.push_back(show(iterator->key()));
  }
  return seen;
}

// The processor time that this thread takes for `work`, in seconds: what other
// programs do meanwhile does not count.
template <class Work>
double seconds_for(const Work& work) {
  const auto now = [] {
    timespec time = {};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) +
           static_cast<double>(time.tv_nsec) * 1e-9;
  };
  const double begin = now();
  work();
  return now() - begin;
}

// Where a seek lands: the entry, or "invalid".
std::string landing(const MemTable& table, std::string_view key,
                    Sequence sequence) {
  const auto iterator = table.iterator();
  iterator->seek(seek_key(key, sequence));
  return iterator->valid() ? show(iterator->key()) : "invalid";
}

void add_fruit(MemTable& table) {
  table.add(2, Kind::put, "lime", "green");
  table.add(3, Kind::put, "date", "brown");
  table.add(4, Kind::remove, "fig", "");
  table.add(7, Kind::put, "apple", "red");
  table.add(9, Kind::put, "fig", "ripe");
}

using Walk = std::vector<std::string>;

// Interrupts this thread every 50 microseconds for as long as it lives.
class Interrupts {
 public:
  explicit Interrupts(void (*handler)(int)) {
    struct sigaction action = {};
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    sigaction(SIGALRM, &action, &before_);
    const itimerval on = {.it_interval = {0, 50}, .it_value = {0, 50}};
    setitimer(ITIMER_REAL, &on, nullptr);
  }
  ~Interrupts() {
    const itimerval off = {};
    setitimer(ITIMER_REAL, &off, nullptr);
    sigaction(SIGALRM, &before_, nullptr);
  }
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;

 private:
  struct sigaction before_ = {};
};

// A reader beside a writer, on one thread: `write` is called over and over,
// and at random instants a signal interrupts it, between any two instructions,
// and calls `look`. A window of two instructions, which two threads would meet
// once in a million runs, is found in a second. Returns the first complaint of
// `look`, "" when it never had one.
template <class Look, class Write>
std::string look_in_between(const Look& look, const Write& write) {
  static const Look* looking = nullptr;
  static const char* volatile complaint = nullptr;
  static volatile sig_atomic_t looks = 0;
  constexpr int kLooks = 4000;
  constexpr int kMostWrites = 3'000'000;  // should the timer be slow

  looking = &look;
  complaint = look();  // an unwritten task throws here, not in the handler
  looks = 0;
  const Interrupts interrupts([](int) {
    if (*complaint == '\0') complaint = (*looking)();
    looks = looks + 1;
  });
  for (int i = 0; i < kMostWrites && looks < kLooks; ++i)
    write();
  return complaint;
}

// Keys that are hard to tell apart: shared prefixes of eight bytes and more,
// zeros, high bytes, the empty key.
const std::vector<std::string>& hard_keys() {
  using namespace std::string_literals;
  static const std::vector<std::string> keys = {
      ""s,
      "\0"s,
      "\0\0"s,
      "\0\0\0\0\0\0\0\0"s,
      "\0\0\0\0\0\0\0\0\0"s,
      "\x01"s,
      "a"s,
      "a\0"s,
      "a\0\0\0\0\0\0\0"s,
      "a\0\0\0\0\0\0\0\0"s,
      "a\0\0\0\0\0\0\0b"s,
      "aaaaaaa"s,
      "aaaaaaaa"s,
      "aaaaaaaa\0"s,
      "aaaaaaaaa"s,
      "aaaaaaaab"s,
      "b"s,
      "\x7f"s,
      "\x80"s,
      "\xff"s,
      "\xff\0"s,
      "\xff\xff\xff\xff\xff\xff\xff\xff"s,
      "\xff\xff\xff\xff\xff\xff\xff\xff\xff"s,
  };
  return keys;
}

}  // namespace

// Task 1: the order.

TEST_CASE("a prefix is the first eight bytes as one big-endian number",
          "[1.1][task-1][core]") {
  STORY("Take the prefix of keys of three, eight and nine bytes.");
  INVARIANT("I1 lane 0 is in the order of internal keys");
  CHECK_SAME(hex(key_prefix("fig")), "0x6669670000000000");
  CHECK_SAME(hex(key_prefix("abcdefgh")), "0x6162636465666768");
  CHECK_SAME(hex(key_prefix("abcdefghi")), "0x6162636465666768");
  CHECK_SAME(hex(key_prefix("")), "0x0000000000000000");
  CHECK_SAME(hex(key_prefix(std::string_view("\xff\0\x01", 3))),
             "0xff00010000000000");
}

TEST_CASE("user keys come in the order of their unsigned bytes",
          "[1.1][task-1][core]") {
  STORY("Compare each of 23 hard keys with each other one, both at 5.");
  INVARIANT("I1 user key ascending: unsigned bytes, a prefix sorts first");
  const std::vector<std::string>& keys = hard_keys();
  for (std::size_t a = 0; a < keys.size(); ++a) {
    for (std::size_t b = a + 1; b < keys.size(); ++b) {
      const Version first{keys[a], 5};
      const Version second{keys[b], 5};
      CHECK_SAME(order_of(first, second),
                 told(first) + " before " + told(second));
    }
  }
}

TEST_CASE("of one user key the newest version comes first",
          "[1.1][task-1][core]") {
  STORY("Compare fig@9 with fig@4, and fig@4 with itself.");
  INVARIANT("I1 user key ascending, then tag DESCENDING");
  CHECK_SAME(order_of({"fig", 9}, {"fig", 4}), "\"fig\"@9 before \"fig\"@4");
  CHECK_SAME(order_of({"fig", 4}, {"fig", 4}),
             "\"fig\"@4 and \"fig\"@4, neither before the other");
  CHECK_SAME(order_of({"fig", 4}, {"lime", 9}), "\"fig\"@4 before \"lime\"@9");
  CHECK_SAME(order_of({"longer than eight", 9}, {"longer than eight", 4}),
             "\"longer than eight\"@9 before \"longer than eight\"@4");
}

// Task 2: insert.

TEST_CASE("one entry is linked, and nothing comes behind it",
          "[1.1][task-2][core]") {
  STORY("Add fig@9 to an empty memtable; walk.");
  INVARIANT("I1 lane 0 holds every node, in ascending order");
  MemTable table(1, kExpectedBytes);
  table.add(9, Kind::put, "fig", "ripe");
  CHECK_SAME(walk(table), Walk{"\"fig\"@9 put"});
}

TEST_CASE("entries come back sorted, whatever the order they came in",
          "[1.1][task-2][core]") {
  STORY("Add lime@2, date@3, fig@4 (removed), apple@7, fig@9; walk.");
  INVARIANT("I1 lane 0 holds every node, in ascending order");
  MemTable table(1, kExpectedBytes);
  add_fruit(table);
  CHECK_SAME(walk(table),
             Walk{"\"apple\"@7 put", "\"date\"@3 put", "\"fig\"@9 put",
                  "\"fig\"@4 remove", "\"lime\"@2 put"});
  CHECK_SAME(table.entries(), 5);
}

TEST_CASE("keys and values are copied", "[1.1][task-2][core]") {
  STORY("Add from a buffer, overwrite the buffer, read the entry.");
  INVARIANT("I4 nodes are never changed");
  MemTable table(1, kExpectedBytes);
  std::string key = "a key of some length";
  std::string value = "its value";
  table.add(1, Kind::put, key, value);
  key.assign(key.size(), '?');
  value.assign(value.size(), '?');
  const auto iterator = table.iterator();
  iterator->seek_to_first();
  REQUIRE_SAME(iterator->valid(), true);
  CHECK_SAME(iterator->key().user, "a key of some length");
  CHECK_SAME(iterator->value(), "its value");
}

TEST_CASE("an empty memtable has no entry", "[1.1][task-2][core]") {
  STORY("Walk an empty memtable, then one with the empty key alone.");
  MemTable table(1, kExpectedBytes);
  CHECK_SAME(table.entries(), 0);
  CHECK_SAME(walk(table), Walk{});
  table.add(1, Kind::put, "", "");
  CHECK_SAME(walk(table), Walk{"\"\"@1 put"});
}

TEST_CASE("versions that come in the wrong order are sorted too",
          "[1.1][task-2][core]") {
  STORY("Add fig@4, then fig@9, then fig@6; walk.");
  INVARIANT("I1 user key ascending, then tag descending");
  MemTable table(1, kExpectedBytes);
  table.add(4, Kind::put, "fig", "four");
  table.add(9, Kind::put, "fig", "nine");
  table.add(6, Kind::put, "fig", "six");
  CHECK_SAME(walk(table),
             Walk{"\"fig\"@9 put", "\"fig\"@6 put", "\"fig\"@4 put"});
}

TEST_CASE("limits: the longest key, a value larger than any block",
          "[1.1][task-2][core]") {
  STORY("Add a key of 65,535 bytes and a value of 16 MiB; read both back.");
  MemTable table(1, kExpectedBytes);
  const std::string key(kMaxKeySizeBytes, 'k');
  const std::string value(std::size_t{16} << 20, 'v');
  table.add(1, Kind::put, key, "small");
  table.add(2, Kind::put, "big", value);
  table.add(3, Kind::put, "after", "x");
  const auto iterator = table.iterator();
  iterator->seek_to_first();
  REQUIRE_SAME(iterator->valid(), true);
  CHECK_SAME(iterator->key().user, "after");
  iterator->next();
  REQUIRE_SAME(iterator->valid(), true);
  CHECK_SAME(iterator->value() == value, true);
  iterator->next();
  REQUIRE_SAME(iterator->valid(), true);
  CHECK_SAME(iterator->key().user == key, true);
}

TEST_CASE("memory is counted, all of it", "[1.1][task-2][core]") {
  STORY("Add 1,000 entries of 100 bytes, then one of 8 MiB.");
  MemTable table(1, kExpectedBytes);
  for (Sequence i = 1; i <= 1000; ++i)
    table.add(i, Kind::put, std::to_string(i), std::string(100, 'v'));
  CHECK(table.memory_bytes() >= 1000 * 100);
  CHECK(table.memory_bytes() <= 1'000'000);
  table.add(1001, Kind::put, "big", std::string(std::size_t{8} << 20, 'v'));
  CHECK(table.memory_bytes() >= std::size_t{8} << 20);
  CHECK_SAME(table.log_number(), 1);
}

// Task 3: get.

TEST_CASE("a read sees the version of its sequence", "[1.1][task-3][core]") {
  STORY("Put fig@4 = green, fig@6 = soft, fig@9 = ripe; get at 3 … 10.");
  INVARIANT("a get at S answers with the newest version at or below S");
  MemTable table(1, kExpectedBytes);
  table.add(4, Kind::put, "fig", "green");
  table.add(6, Kind::put, "fig", "soft");
  table.add(9, Kind::put, "fig", "ripe");
  CHECK_SAME(answer(table, "fig", 3), "absent");
  CHECK_SAME(answer(table, "fig", 4), "value green");
  CHECK_SAME(answer(table, "fig", 5), "value green");
  CHECK_SAME(answer(table, "fig", 6), "value soft");
  CHECK_SAME(answer(table, "fig", 8), "value soft");
  CHECK_SAME(answer(table, "fig", 9), "value ripe");
  CHECK_SAME(answer(table, "fig", kMaxSequence), "value ripe");
}

TEST_CASE("a tombstone answers removed, which is not absent",
          "[1.1][task-3][core]") {
  STORY("Put fig@4, remove fig@6; get fig at 5 and 6, and lime at 6.");
  INVARIANT("removed ends the search of a store, absent sends it further down");
  MemTable table(1, kExpectedBytes);
  table.add(4, Kind::put, "fig", "green");
  table.add(6, Kind::remove, "fig", "");
  CHECK_SAME(answer(table, "fig", 5), "value green");
  CHECK_SAME(answer(table, "fig", 6), "removed");
  CHECK_SAME(answer(table, "lime", 6), "absent");
}

TEST_CASE("an empty value is a value", "[1.1][task-3][core]") {
  STORY("Put fig@1 = \"\"; get fig.");
  MemTable table(1, kExpectedBytes);
  table.add(1, Kind::put, "fig", "");
  CHECK_SAME(answer(table, "fig", 1), "value ");
}

TEST_CASE("a get never answers with a neighbour's version",
          "[1.1][task-3][core]") {
  STORY("Put fig@9 and its right neighbour lime@2; get fig at 5.");
  INVARIANT("versions of a key end where the next user key begins");
  MemTable table(1, kExpectedBytes);
  table.add(2, Kind::put, "lime", "green");
  table.add(9, Kind::put, "fig", "ripe");
  CHECK_SAME(answer(table, "fig", 5), "absent");
  table.add(10, Kind::put, "zebra", "");
  CHECK_SAME(answer(table, "zebra", 9), "absent");
}

TEST_CASE("keys that share a prefix stay different keys",
          "[1.1][task-3][core]") {
  STORY("Put 23 hard keys, each with its own value; get each.");
  MemTable table(1, kExpectedBytes);
  Sequence sequence = 0;
  for (const std::string& key : hard_keys())
    table.add(++sequence, Kind::put, key, "of " + quoted(key));
  for (const std::string& key : hard_keys()) {
    INFO("key: " << quoted(key));
    CHECK_SAME(answer(table, key, sequence), "value of " + quoted(key));
  }
}

TEST_CASE("an old version is found below thousands of newer ones",
          "[1.1][task-3][core]") {
  STORY("Put hot@1 … hot@5000 and its neighbours; get hot at many sequences.");
  MemTable table(1, kExpectedBytes);
  for (Sequence i = 1; i <= 5000; ++i)
    table.add(i, Kind::put, "hot", std::to_string(i));
  table.add(5001, Kind::put, "hos", "left");
  table.add(5002, Kind::put, "hou", "right");
  CHECK_SAME(answer(table, "hot", 0), "absent");
  for (Sequence at = 1; at <= 5000; at += 7)
    CHECK_SAME(answer(table, "hot", at), "value " + std::to_string(at));
}

TEST_CASE("a read of an old version does not pass every newer one",
          "[1.1][task-3][core]") {
  STORY(
      "Put one counter 100,000 times; read its newest version 2,000 times, "
      "then versions among its oldest as often.");
  INVARIANT("cost: O(log n) for a read, whatever the number of versions");
  // A search costs some twenty reads of the newest version, a walk thousands.
  constexpr double kMostTimesSlower = 400;
  constexpr Sequence kVersions = 100'000;
  constexpr int kReads = 2000;
  MemTable table(1, kExpectedBytes);
  for (Sequence i = 1; i <= kVersions; ++i)
    table.add(i, Kind::put, "counter", "");
  std::string_view value;
  const double newest = seconds_for([&] {
    for (int i = 0; i < kReads; ++i)
      static_cast<void>(table.get("counter", kVersions, value));
  });
  double oldest = 0;
  int reads = 0;
  while (reads < kReads && oldest < newest * kMostTimesSlower) {
    ++reads;
    oldest += seconds_for([&] {
      static_cast<void>(
          table.get("counter", static_cast<Sequence>(reads), value));
    });
  }
  INFO("Before the time was over, " << reads << " of " << kReads
                                    << " reads were done.");
  const bool in_time = oldest < newest * kMostTimesSlower;
  CHECK_SAME(std::string(in_time ? "at most" : "more than") +
                 " 400 times the reads of the newest",
             "at most 400 times the reads of the newest");
}

// Task 4: seek.

TEST_CASE("seek stands on the first entry at or after its target",
          "[1.1][task-4][core]") {
  STORY("Add the fruit; seek to keys that are there, between, and beyond.");
  INVARIANT("I2 of base/iterator.h: the first entry at or after the target");
  MemTable table(1, kExpectedBytes);
  add_fruit(table);
  CHECK_SAME(landing(table, "", kMaxSequence), "\"apple\"@7 put");
  CHECK_SAME(landing(table, "apple", kMaxSequence), "\"apple\"@7 put");
  CHECK_SAME(landing(table, "banana", kMaxSequence), "\"date\"@3 put");
  CHECK_SAME(landing(table, "fig", kMaxSequence), "\"fig\"@9 put");
  CHECK_SAME(landing(table, "zebra", kMaxSequence), "invalid");
}

TEST_CASE("seek to a version skips the newer ones", "[1.1][task-4][core]") {
  STORY("Add the fruit, with fig@9 and fig@4; seek fig at 9, 8, 4 and 3.");
  INVARIANT("I1 user key ascending, then tag descending");
  MemTable table(1, kExpectedBytes);
  add_fruit(table);
  CHECK_SAME(landing(table, "fig", 9), "\"fig\"@9 put");
  CHECK_SAME(landing(table, "fig", 8), "\"fig\"@4 remove");
  CHECK_SAME(landing(table, "fig", 4), "\"fig\"@4 remove");
  CHECK_SAME(landing(table, "fig", 3), "\"lime\"@2 put");
}

TEST_CASE("forward, a memtable walks and answers like the model",
          "[1.1][task-4][core]") {
  SEEDED_RANDOM(random, 11);
  STORY(
      "Random puts and removes of short keys of a and b, and of keys that are "
      "hard to tell apart; walk, seek, get at random.");
  MemTable table(1, kExpectedBytes);
  Model model;
  const std::size_t operations = scaled(3000);
  for (Sequence sequence = 1; sequence <= operations; ++sequence) {
    const std::string key =
        random.one_in(4)
            ? random.pick(hard_keys())
            : random.text(random.below(12), std::string_view("ab"));
    const Kind kind = random.one_in(4) ? Kind::remove : Kind::put;
    const std::string value =
        kind == Kind::put ? random.bytes(random.below(40)) : std::string();
    table.add(sequence, kind, key, value);
    model.apply(kind, key, value, sequence);
  }
  const std::vector<Entry> entries = model.entries();
  check_iterator_contract(*table.iterator(), entries, random.seed(),
                          Directions::forward);
  for (int i = 0; i < 500; ++i) {
    const Entry& entry = random.pick(entries);
    const Sequence at = random.below(operations + 2);
    CHECK_SAME(answer(table, entry.first.user(), at),
               answer(entries, entry.first.user(), at));
  }
}

// Task 5: backward.

TEST_CASE("backward, entries come in the opposite order",
          "[1.1][task-5][gold]") {
  STORY("Add the fruit; walk from the last to the first.");
  INVARIANT("I1 lane 0 holds every node, in ascending order");
  MemTable table(1, kExpectedBytes);
  add_fruit(table);
  Walk seen;
  const auto iterator = table.iterator();
  for (iterator->seek_to_last(); iterator->valid(); iterator->prev()) {
    if (seen.size() > table.entries()) {
      seen.emplace_back(kEndless);
      break;
    }
    seen.push_back(show(iterator->key()));
  }
  CHECK_SAME(seen, Walk{"\"lime\"@2 put", "\"fig\"@4 remove", "\"fig\"@9 put",
                        "\"date\"@3 put", "\"apple\"@7 put"});
}

TEST_CASE("backward from the first entry is invalid, and an empty memtable",
          "[1.1][task-5][gold]") {
  STORY("Seek to the last of nothing; add one entry, step back from it.");
  MemTable table(1, kExpectedBytes);
  const auto iterator = table.iterator();
  iterator->seek_to_last();
  CHECK_SAME(iterator->valid(), false);
  table.add(1, Kind::put, "", "");
  iterator->seek_to_last();
  REQUIRE_SAME(iterator->valid(), true);
  iterator->prev();
  CHECK_SAME(iterator->valid(), false);
}

TEST_CASE("in both directions a memtable walks like the model",
          "[1.1][task-5][gold]") {
  SEEDED_RANDOM(random, 12);
  STORY("Random versions of 63 keys; next, prev and seek at random.");
  MemTable table(1, kExpectedBytes);
  Model model;
  for (Sequence sequence = 1; sequence <= scaled(1500); ++sequence) {
    const std::string key = random.one_in(3) ? random.pick(hard_keys())
                                             : std::to_string(random.below(40));
    const Kind kind = random.one_in(4) ? Kind::remove : Kind::put;
    const std::string value =
        kind == Kind::put ? std::to_string(sequence) : std::string();
    table.add(sequence, kind, key, value);
    model.apply(kind, key, value, sequence);
  }
  check_iterator_contract(*table.iterator(), model.entries(), random.seed());
}

// Task 6: the finger.

TEST_CASE("a run of ascending keys that lands in the middle stays sorted",
          "[1.1][task-6][gold]") {
  STORY("Add a and z, then m0, m1, m2, then zz, then m3, then b.");
  INVARIANT("I1 lane 0 holds every node, in ascending order");
  MemTable table(1, kExpectedBytes);
  Sequence sequence = 0;
  for (const char* key : {"a", "z", "m0", "m1", "m2", "zz", "m3", "b"})
    table.add(++sequence, Kind::put, key, "");
  CHECK_SAME(walk(table), Walk{"\"a\"@1 put", "\"b\"@8 put", "\"m0\"@3 put",
                               "\"m1\"@4 put", "\"m2\"@5 put", "\"m3\"@7 put",
                               "\"z\"@2 put", "\"zz\"@6 put"});
}

TEST_CASE("after ascending runs every lane is still sorted",
          "[1.1][task-6][gold]") {
  SEEDED_RANDOM(random, 13);
  STORY("Add runs of ascending keys from random places; seek every one.");
  INVARIANT("I2 a node in lane n stands in every lane below n");
  MemTable table(1, kExpectedBytes);
  Model model;
  Sequence sequence = 0;
  for (int run = 0; run < 40; ++run) {
    std::uint64_t number = 100'000 + random.below(20'000);
    for (std::uint64_t i = random.below(100); i > 0; --i) {
      const std::string key = std::to_string(number);
      table.add(++sequence, Kind::put, key, "");
      model.put(key, "", sequence);
      number += random.between(1, 30);
    }
  }
  const std::vector<Entry> entries = model.entries();
  const auto iterator = table.iterator();
  for (const auto& [key, value] : entries) {
    iterator->seek(key.view());
    REQUIRE_SAME(iterator->valid(), true);
    REQUIRE_SAME(iterator->key(), key.view());
  }
}

// Task 7: readers beside the writer.

TEST_CASE("between any two steps of an insert a reader finds everything",
          "[1.1][task-7][gold]") {
  STORY(
      "Add keys, each smaller than the last. At random instants a timer "
      "interrupts the writer, and a reader seeks the key added last and walks "
      "from the first entry.");
  INVARIANT(
      "I2 lanes are linked from the lowest up; I3 what can be reached is "
      "complete");
  MemTable table(1, kExpectedBytes);
  static volatile std::uint64_t smallest;  // of the keys that are there
  smallest = 999'999'999;
  table.add(1, Kind::put, "999999999", "");
  const auto iterator = table.iterator();
  const auto complaint = look_in_between(
      [&] {
        std::array<char, 9> digits;
        std::to_chars(digits.begin(), digits.end(), smallest);
        const std::string_view key(digits.data(), digits.size());
        iterator->seek(seek_key(key, kMaxSequence));
        if (!iterator->valid()) return "seek(the key added last) is invalid";
        if (iterator->key().user != key) return "the key added last is gone";
        iterator->seek_to_first();
        std::size_t steps = 0;
        while (iterator->valid() && iterator->key().user < key) {
          if (++steps > table.entries()) return "a walk does not end";
          iterator->next();
        }
        return iterator->valid() ? ""
                                 : "a walk from the first entry breaks off";
      },
      [&] {
        const std::uint64_t number = smallest - 1;
        table.add(1, Kind::put, std::to_string(number), "");
        smallest = number;
      });
  CHECK_SAME(complaint, "");
}

TEST_CASE("a reader that walks beside the writer meets whole entries, in order",
          "[1.1][task-7][gold]") {
  STORY(
      "A writer adds keys in a scattered order and publishes nothing; a reader "
      "walks all the time and reads each key and value it meets.");
  INVARIANT("I3 a node that can be reached is complete");
  MemTable table(1, kExpectedBytes);
  const std::uint64_t count = scaled(20'000);
  std::atomic<bool> done = false;
  // Entry n has the key 1,000,000 + n * 7919 modulo a prime, and it as value.
  const auto text_of = [](std::uint64_t n) {
    return std::to_string(1'000'000 + n * 7919 % 999'983);
  };
  // The first entry lets an unwritten task throw before there are threads.
  table.add(1, Kind::put, text_of(0), text_of(0));
  run_threads(2, [&](int thread, const std::atomic<bool>& stop) {
    if (thread == 0) {
      for (std::uint64_t n = 1; n < count && !stop; ++n)
        table.add(1, Kind::put, text_of(n), text_of(n));
      // For the reader to end only: relaxed, so that it orders nothing.
      done.store(true, std::memory_order_relaxed);
      return;
    }
    while (!done.load(std::memory_order_relaxed) && !stop) {
      const auto iterator = table.iterator();
      std::string last;
      for (iterator->seek_to_first(); iterator->valid(); iterator->next()) {
        const std::string key(iterator->key().user);
        const std::string value(iterator->value());
        expect(last < key, "after " + last + " came " + key +
                               ": a walk beside the writer is not in order");
        expect(value == key,
               "the entry " + key + " was met with the value " + quoted(value));
        last = key;
      }
    }
  });
  CHECK_SAME(table.entries(), count);
}

TEST_CASE("what was published is found, however fast the writer goes on",
          "[1.1][task-7][gold]") {
  STORY(
      "A writer adds versions of 500 keys and publishes each sequence; two "
      "readers get at the sequence they see.");
  INVARIANT(
      "I3 a node that can be reached is complete; I5 the index holds the "
      "newest version");
  constexpr std::uint64_t kKeys = 500;
  MemTable table(1, kExpectedBytes);
  const Sequence count = scaled(50'000);
  std::atomic<Sequence> published = 0;
  // Sequence s writes key s % kKeys with the value s.
  run_threads(3, [&](int thread, const std::atomic<bool>& stop) {
    if (thread == 0) {
      for (Sequence s = 1; s <= count && !stop; ++s) {
        table.add(s, Kind::put, std::to_string(s % kKeys * 7919 % kKeys),
                  std::to_string(s));
        // Pairs with the acquire below, as 1.7 will.
        published.store(s, std::memory_order_release);
      }
      return;
    }
    Random random(static_cast<std::uint64_t>(thread));
    Sequence at = 0;
    while (at < count && !stop) {
      at = published.load(std::memory_order_acquire);
      if (at < kKeys) continue;
      const std::uint64_t key = random.below(kKeys);
      // The newest s <= at with s % kKeys == key.
      const Sequence newest = at - (at + kKeys - key) % kKeys;
      std::string_view value;
      const Lookup found =
          table.get(std::to_string(key * 7919 % kKeys), at, value);
      expect(found == Lookup::value, "a published key was not found");
      expect(value == std::to_string(newest),
             "at " + std::to_string(at) + " expected version " +
                 std::to_string(newest) + ", seen " + std::string(value));
    }
  });
  CHECK_SAME(table.entries(), count);
}

}  // namespace lsm::test
