// Day 3.3, compaction filter: what an application no longer needs, by prefix,
// by age, by predicate (lsm/compaction_filters.h), and what becomes of it in a
// compaction with snapshots. Entries are written as on the page:
// "t7/a@9=x t7/b@4" puts t7/a = x at sequence 9 and removes t7/b at 4.
#include "lsm/compaction_filters.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/block_cache.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "base/sim_file_system.h"
#include "compaction.h"
#include "drop_rule.h"
#include "stripes.h"
#include "support/catch.h"
#include "support/model.h"
#include "support/random.h"
#include "support/teach.h"
#include "support/threads.h"

namespace lsm::test {
namespace {

using Entries = std::vector<Entry>;
using Strings = std::vector<std::string>;
using FilterPtr = std::shared_ptr<const CompactionFilter>;

// A clock that stands still until the test sets it. The two kinds of time are
// far apart: whoever takes the wrong one is far off.
class SetClock final : public Clock {
 public:
  explicit SetClock(std::uint64_t wall) : wall_micros_(wall) {}
  std::uint64_t now_micros() override { return 5; }
  std::uint64_t wall_micros() override { return wall_micros_; }
  void sleep_micros(std::uint64_t) override {}
  void set(std::uint64_t wall) { wall_micros_ = wall; }

 private:
  std::uint64_t wall_micros_;
};

constexpr std::uint64_t kDay = std::uint64_t{24} * 3600 * 1'000'000;
// 2024-01-01, in microseconds since 1970.
constexpr std::uint64_t kNewYear = 1'704'067'200'000'000;

InternalKey put_key(std::string_view user, Sequence sequence) {
  return {user, make_tag(sequence, Kind::put)};
}

bool keeps(const CompactionFilter& filter, std::string_view user,
           Sequence sequence = 1, std::string_view value = "v") {
  return filter.keep(put_key(user, sequence), value);
}

// Those of `users` that the filter keeps.
Strings kept_of(const CompactionFilter& filter, const Strings& users,
                Sequence sequence = 1) {
  Strings kept;
  for (const std::string& user : users) {
    if (keeps(filter, user, sequence)) kept.push_back(user);
  }
  return kept;
}

void sort_entries(Entries& entries) {
  std::ranges::sort(entries, [](const Entry& a, const Entry& b) {
    return ::lsm::compare(a.first.view(), b.first.view()) < 0;
  });
}

Entries parse(std::string_view text) {
  Entries entries;
  std::istringstream words{std::string(text)};
  for (std::string word; words >> word;) {
    const std::size_t at = word.find('@');
    const std::size_t equals = word.find('=', at);
    const Sequence sequence = std::strtoull(word.c_str() + at + 1, nullptr, 10);
    const bool is_put = equals != std::string::npos;
    entries.emplace_back(
        InternalKeyBuffer(
            {std::string_view(word).substr(0, at),
             make_tag(sequence, is_put ? Kind::put : Kind::remove)}),
        is_put ? word.substr(equals + 1) : "");
  }
  sort_entries(entries);
  return entries;
}

std::string text(const Entries& entries) {
  std::string all;
  for (const auto& [buffer, value] : entries) {
    const InternalKey key = buffer.view();
    all += (all.empty() ? "" : " ") + std::string(key.user) + "@" +
           std::to_string(key.sequence());
    if (key.kind() == Kind::put) all += "=" + value;
  }
  return all;
}

// What a reader at `at` gets of `user` from `entries`.
std::string read(const Entries& entries, std::string_view user, Sequence at) {
  const Entry* newest = nullptr;
  for (const Entry& entry : entries) {
    const InternalKey key = entry.first.view();
    if (key.user != user || key.sequence() > at) continue;
    if (newest == nullptr || key.sequence() > newest->first.view().sequence()) {
      newest = &entry;
    }
  }
  if (newest == nullptr) return "absent";
  if (newest->first.view().kind() == Kind::remove) return "absent";
  return newest->second;
}

// A disk with a level 0 to be merged and, if wanted, a level below it.
struct Shelf {
  explicit Shelf(std::vector<Sequence> snapshots = {})
      : retention(std::move(snapshots)) {
    REQUIRE_OK(fs.create_dir(folder));
    auto shared = std::make_shared<TableStore>();
    shared->fs = std::shared_ptr<FileSystem>(&fs, [](FileSystem*) {});
    shared->folder = folder;
    shared->store_id = kStore;
    shared->filter = bloom;
    shared->cache = make_no_cache();
    store = shared;
    tree = std::make_shared<const Tree>(store);
  }

  void add_table(int level, const Entries& entries) {
    const std::uint64_t number = numbers.take();
    auto builder = TableBuilder::create(
        fs, file_path(folder, FileKind::table, number), {kStore, number},
        {256, Compression::none, bloom.get()});
    REQUIRE_OK(builder);
    for (const auto& [key, value] : entries)
      REQUIRE_OK((*builder)->add(key.view(), value));
    Result<FileMeta> file = (*builder)->finish();
    REQUIRE_OK(file);
    if (level == 0) file->run = number;
    VersionEdit edit;
    edit.added.push_back({level, std::move(*file)});
    apply(edit);
  }
  void add_table(int level, std::string_view entries) {
    add_table(level, parse(entries));
  }
  void apply(const VersionEdit& edit) {
    Result<TreePtr> next = tree->apply(edit);
    REQUIRE_OK(next);
    tree = std::move(*next);
  }

  // Merges the tables of `from` … `to` into level `to`.
  void compact(const CompactionFilter& filter, int from = 0,
               int to = kMaxLevels - 1) {
    CompactionTask task;
    for (int level = from; level <= to; ++level) {
      CompactionTask::Input input{level, {}};
      for (const RunPtr& run : tree->level(level))
        input.runs.push_back(run->shape());
      if (!input.runs.empty()) task.inputs.push_back(std::move(input));
    }
    task.output_level = to;
    task.target_file_size_bytes = 1 << 20;
    const Result<CompactionResult> result =
        run_compaction({fs,
                        folder,
                        kStore,
                        numbers,
                        {256, Compression::none, bloom.get()},
                        retention,
                        filter,
                        *tree,
                        cancel},
                       task);
    REQUIRE_OK(result);
    apply(result->edit);
  }

  // Every entry of a level, or of a tree, as it lies there.
  static Entries entries_of(const Tree& tree, int level) {
    Entries all;
    for (const RunPtr& run : tree.level(level)) {
      for (const TableHandlePtr& handle : run->tables()) {
        const auto table = handle->table();
        REQUIRE_OK(table);
        const auto entry = (*table)->iterator(Table::Access::normal);
        for (entry->seek_to_first(); entry->valid(); entry->next()) {
          all.emplace_back(InternalKeyBuffer(entry->key()), entry->value());
        }
        REQUIRE_OK(entry->status());
      }
    }
    sort_entries(all);
    return all;
  }
  static Entries entries_of(const Tree& tree) {
    Entries all;
    for (int level = 0; level < kMaxLevels; ++level) {
      for (Entry& entry : entries_of(tree, level))
        all.push_back(std::move(entry));
    }
    sort_entries(all);
    return all;
  }
  Entries entries() const { return entries_of(*tree); }
  std::string content() const { return text(entries()); }

  static constexpr std::uint64_t kStore = 33;
  const std::string folder = "db";
  SimFileSystem fs;
  std::shared_ptr<const FilterPolicy> bloom = std::make_shared<NoFilter>();
  std::shared_ptr<const TableStore> store;
  TreePtr tree;
  FileNumbers numbers;
  Stripes retention;
  std::atomic<bool> cancel = false;
};

// Asks as many filters as it is told, and notes the order.
FilterPtr noting(std::string name, bool keep, Strings& asked) {
  return drop_if([name = std::move(name), keep, &asked](std::string_view,
                                                        std::string_view) {
    asked.push_back(name);
    return !keep;
  });
}

}  // namespace

// Task 1: by prefix.

TEST_CASE("keys that begin with a dropped prefix are given up",
          "[3.3][task-1][core]") {
  STORY("t7/ is dropped; ask for keys around it.");
  INVARIANT("DroppedPrefixes: every entry whose key BEGINS with the prefix");
  const auto dropped = make_dropped_prefixes();
  dropped->add("t7/");
  CHECK_SAME(kept_of(*dropped, {"t7", "t7/", "t7/a", "t7/a/b", "t70", "t8/a",
                                "x/t7/a", "T7/a", ""}),
             Strings{"t7", "t70", "t8/a", "x/t7/a", "T7/a", ""});
}

TEST_CASE("without prefixes everything stays", "[3.3][task-1][core]") {
  STORY("Nothing was dropped.");
  INVARIANT("I3 of compaction_filters.h: in doubt an entry stays");
  const auto dropped = make_dropped_prefixes();
  CHECK_SAME(kept_of(*dropped, {"", "a", "t7/a"}), Strings{"", "a", "t7/a"});
}

TEST_CASE("what came after the moment stays", "[3.3][task-1][core]") {
  STORY("t7/ is dropped up to 12; the tenant comes back and writes at 13.");
  INVARIANT("DroppedPrefixes: written at up_to or before");
  const auto dropped = make_dropped_prefixes();
  dropped->add("t7/", 12);
  CHECK_SAME(keeps(*dropped, "t7/a", 11), false);
  CHECK_SAME(keeps(*dropped, "t7/a", 12), false);
  CHECK_SAME(keeps(*dropped, "t7/a", 13), true);
}

TEST_CASE("every prefix of a key counts, each with its moment",
          "[3.3][task-1][core]") {
  STORY("a/ up to 5 and a/b/ up to 9; then c/ up to 9 and c/d/ up to 5.");
  INVARIANT("DroppedPrefixes: every entry whose key begins with A prefix");
  const auto dropped = make_dropped_prefixes();
  dropped->add("a/", 5);
  dropped->add("a/b/", 9);
  dropped->add("c/", 9);
  dropped->add("c/d/", 5);
  CHECK_SAME(kept_of(*dropped, {"a/x", "a/b/x", "c/x", "c/d/x"}, 4), Strings{});
  CHECK_SAME(kept_of(*dropped, {"a/x", "a/b/x", "c/x", "c/d/x"}, 7),
             Strings{"a/x"});
  CHECK_SAME(kept_of(*dropped, {"a/x", "a/b/x", "c/x", "c/d/x"}, 10),
             Strings{"a/x", "a/b/x", "c/x", "c/d/x"});
}

TEST_CASE("of two moments the later one holds", "[3.3][task-1][core]") {
  STORY("t7/ is dropped up to 12, then up to 8, then up to 20.");
  INVARIANT("DroppedPrefixes: of two calls for one prefix the later moment");
  const auto dropped = make_dropped_prefixes();
  dropped->add("t7/", 12);
  dropped->add("t7/", 8);
  CHECK_SAME(keeps(*dropped, "t7/a", 12), false);
  dropped->add("t7/", 20);
  CHECK_SAME(keeps(*dropped, "t7/a", 20), false);
  CHECK_SAME(keeps(*dropped, "t7/a", 21), true);
}

TEST_CASE("what is forgotten is kept again", "[3.3][task-1][core]") {
  STORY("t7/ and t8/ are dropped, t7/ twice; t7/ is forgotten; then t9/.");
  INVARIANT("DroppedPrefixes: forget keeps what is left of it");
  const auto dropped = make_dropped_prefixes();
  dropped->add("t7/");
  dropped->add("t7/");
  dropped->add("t8/");
  dropped->forget("t7/");
  dropped->forget("t9/");  // never was
  dropped->forget("t7/");  // no more
  CHECK_SAME(kept_of(*dropped, {"t7/a", "t8/a"}), Strings{"t7/a"});
  dropped->forget("t8/");
  CHECK_SAME(kept_of(*dropped, {"t7/a", "t8/a"}), Strings{"t7/a", "t8/a"});
}

TEST_CASE("prefixes are bytes like others", "[3.3][task-1][core]") {
  STORY("Dropped: a zero byte, 0xff 0xff, and last the empty prefix.");
  INVARIANT("DroppedPrefixes: the empty prefix is every key's");
  const auto dropped = make_dropped_prefixes();
  const std::string zero(1, '\0');
  dropped->add(zero);
  dropped->add("\xff\xff");
  CHECK_SAME(kept_of(*dropped, {"", zero, zero + "a", "\xff", "\xff\xff",
                                "\xff\xff\xff", "a" + zero}),
             Strings{"", "\xff", "a" + zero});
  dropped->add("", 4);
  CHECK_SAME(kept_of(*dropped, {"", "a", "\xff"}, 4), Strings{});
  CHECK_SAME(kept_of(*dropped, {"", "a", "\xff"}, 5), Strings{"", "a", "\xff"});
}

TEST_CASE("prefixes agree with a list that is searched from end to end",
          "[3.3][task-1][core]") {
  SEEDED_RANDOM(random, 331);
  STORY("Random short prefixes come and go; every answer against a plain map.");
  INVARIANT("DroppedPrefixes: begins with, at up_to or before");
  const auto dropped = make_dropped_prefixes();
  std::map<std::string, Sequence> model;
  const std::size_t steps = scaled(20'000);
  for (std::size_t step = 0; step < steps; ++step) {
    const std::string some = random.text(random.below(4), "ab");
    if (random.one_in(4)) {
      const Sequence up_to = random.below(10);
      dropped->add(some, up_to);
      const auto [at, added] = model.try_emplace(some, up_to);
      if (!added) at->second = std::max(at->second, up_to);
    } else if (random.one_in(4)) {
      dropped->forget(some);
      model.erase(some);
    }
    const std::string key = random.text(random.below(6), "ab");
    const Sequence sequence = random.below(12);
    bool expected = true;
    for (const auto& [prefix, up_to] : model) {
      if (key.starts_with(prefix) && sequence <= up_to) expected = false;
    }
    CAPTURE(key, sequence);
    REQUIRE_SAME(keeps(*dropped, key, sequence), expected);
  }
}

// Task 2: the stamp.

TEST_CASE("a stamp is time and check, behind the payload",
          "[3.3][task-2][core]") {
  STORY("\"on\", stamped at 1,000,000 microseconds: 0x0f4240.");
  INVARIANT("stamped := payload micros:u64 check:u32, little-endian");
  const std::string expected_micros("on\x40\x42\x0f\0\0\0\0\0", 10);
  std::string expected = expected_micros + std::string(4, '\0');
  store_u32(expected.data() + 10,
            static_cast<std::uint32_t>(hash64(expected_micros, kStampSeed)));
  CHECK_BYTES(stamp("on", 1'000'000), expected);
}

TEST_CASE("what was stamped is read back", "[3.3][task-2][core]") {
  STORY("Payloads: none, text, bytes with zeros, 100,000 bytes.");
  INVARIANT("read_stamp: the parts of a stamped value, as views of it");
  for (const std::string& payload :
       {std::string(), std::string("red"), std::string("a\0b\xff\0", 5),
        std::string(100'000, 'x')}) {
    for (const std::uint64_t micros : {std::uint64_t{0}, kNewYear, ~0UL}) {
      const std::string value = stamp(payload, micros);
      CHECK_SAME(value.size(), payload.size() + kStampSizeBytes);
      const auto stamped = read_stamp(value);
      REQUIRE_SAME(stamped.has_value(), true);
      CHECK_SAME(stamped->payload, payload);
      CHECK_SAME(stamped->written_micros, micros);
      CHECK_SAME(stamped->payload.data() == value.data(), true);
    }
  }
}

TEST_CASE("a value without a stamp has none", "[3.3][task-2][core]") {
  STORY("Nothing, a byte, eleven bytes, twelve zeros, a text, 100 of 0xff.");
  INVARIANT("I3 of compaction_filters.h: a value without an intact stamp");
  for (const std::string& value :
       {std::string(), std::string("x"), std::string(11, 'x'),
        std::string(12, '\0'), std::string("a text of more than twelve bytes"),
        std::string(100, '\xff')}) {
    CHECK_SAME(read_stamp(value).has_value(), false);
  }
}

TEST_CASE("a value that has no room for a stamp has none",
          "[3.3][task-2][core]") {
  STORY("0 to 7 bytes, and behind them four that are a right check of these.");
  INVARIANT("I3 of compaction_filters.h: a value without an INTACT stamp");
  for (std::size_t size = 0; size < kStampSizeBytes - 4; ++size) {
    std::string value(size, 'x');
    append_u32(value, static_cast<std::uint32_t>(hash64(value, kStampSeed)));
    CAPTURE(size);
    CHECK_SAME(read_stamp(value).has_value(), false);
  }
}

TEST_CASE("no bit of a stamped value may change", "[3.3][task-2][core]") {
  STORY("\"on\" stamped at New Year; flip each of its 112 bits in turn.");
  INVARIANT("I3 of compaction_filters.h: a value without an INTACT stamp");
  const std::string value = stamp("on", kNewYear);
  for (std::size_t bit = 0; bit < value.size() * 8; ++bit) {
    std::string changed = value;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    CAPTURE(bit);
    CHECK_SAME(read_stamp(changed).has_value(), false);
  }
}

TEST_CASE("a value that ends in a stamped value is not stamped",
          "[3.3][task-2][core]") {
  STORY("A list holds copies of stamped values; it never was stamped itself.");
  INVARIANT("I3 of compaction_filters.h: in doubt an entry stays");
  const std::string inner = stamp("on", kNewYear);
  CHECK_SAME(read_stamp("list:" + inner).has_value(), false);
  CHECK_SAME(read_stamp(inner + inner).has_value(), false);
  CHECK_SAME(read_stamp(inner + "\n").has_value(), false);
}

TEST_CASE("a stamped value can be stamped again", "[3.3][task-2][core]") {
  STORY("\"on\", stamped at 7, and all of that stamped at 9.");
  INVARIANT("read_stamp: the parts of a stamped value");
  const std::string inner = stamp("on", 7);
  const std::string value = stamp(inner, 9);
  const auto outer = read_stamp(value);
  REQUIRE_SAME(outer.has_value(), true);
  CHECK_SAME(outer->written_micros, 9);
  CHECK_SAME(outer->payload, inner);
  const auto again = read_stamp(outer->payload);
  REQUIRE_SAME(again.has_value(), true);
  CHECK_SAME(again->written_micros, 7);
}

// Task 3: who has lived its time.

TEST_CASE("it lives its time, and not a microsecond more",
          "[3.3][task-3][core]") {
  STORY("Written at New Year, with a day to live.");
  INVARIANT("has_expired: has lived its time now");
  CHECK_SAME(has_expired(kNewYear, kNewYear, kDay), false);
  CHECK_SAME(has_expired(kNewYear, kNewYear + kDay - 1, kDay), false);
  CHECK_SAME(has_expired(kNewYear, kNewYear + kDay, kDay), true);
  CHECK_SAME(has_expired(kNewYear, kNewYear + 9 * kDay, kDay), true);
}

TEST_CASE("a stamp of the future has not expired", "[3.3][task-3][core]") {
  STORY("Written a microsecond from now, then a day; a clock was set back.");
  INVARIANT("I3 of compaction_filters.h: in doubt an entry stays");
  CHECK_SAME(has_expired(kNewYear + 1, kNewYear, kDay), false);
  CHECK_SAME(has_expired(kNewYear + kDay, kNewYear, kDay), false);
  CHECK_SAME(has_expired(kNewYear + 1, kNewYear, 0), false);
}

TEST_CASE("no time is too long, none too short", "[3.3][task-3][core]") {
  STORY("To live: all the microseconds of 64 bits; one less; none at all.");
  INVARIANT("I3 of compaction_filters.h: in doubt an entry stays");
  constexpr std::uint64_t kEver = ~std::uint64_t{0};
  CHECK_SAME(has_expired(kNewYear, kNewYear + kDay, kEver), false);
  CHECK_SAME(has_expired(kNewYear, kNewYear + kDay, kEver - kNewYear), false);
  CHECK_SAME(has_expired(kNewYear, kNewYear, 0), true);
  CHECK_SAME(has_expired(0, kEver, kEver), true);
}

// Task 4: the filter.

TEST_CASE("what has expired is given up", "[3.3][task-4][core]") {
  STORY("Stamped at New Year, a week to live; ask after six days, then seven.");
  INVARIANT("expire_after: stamped values, once they have lived that long");
  SetClock clock(kNewYear + 6 * kDay);
  const FilterPtr filter = expire_after(7 * kDay, clock);
  const std::string value = stamp("session", kNewYear);
  CHECK_SAME(keeps(*filter, "s/1", 1, value), true);
  clock.set(kNewYear + 7 * kDay);
  CHECK_SAME(keeps(*filter, "s/1", 1, value), false);
  CHECK_SAME(keeps(*filter, "s/2", 1, stamp("session", kNewYear + 1)), true);
}

TEST_CASE("a value without a stamp never expires", "[3.3][task-4][core]") {
  STORY("A hundred years later, a text and a stamp with a flipped bit.");
  INVARIANT("I3 of compaction_filters.h: a value without an intact stamp");
  SetClock clock(kNewYear + 36'500 * kDay);
  const FilterPtr filter = expire_after(kDay, clock);
  std::string broken = stamp("session", kNewYear);
  broken[0] = 'S';
  CHECK_SAME(keeps(*filter, "s/1", 1, "session"), true);
  CHECK_SAME(keeps(*filter, "s/1", 1, ""), true);
  CHECK_SAME(keeps(*filter, "s/1", 1, broken), true);
}

TEST_CASE("a clock that is set back makes nothing expire",
          "[3.3][task-4][core]") {
  STORY("Stamped at New Year; somebody sets the clock to a month before.");
  INVARIANT("I3 of compaction_filters.h: a stamp of the future");
  SetClock clock(kNewYear - 30 * kDay);
  const FilterPtr filter = expire_after(kDay, clock);
  CHECK_SAME(keeps(*filter, "s/1", 1, stamp("session", kNewYear)), true);
}

// Task 5: predicates, and several together.

TEST_CASE("a predicate decides by key and value", "[3.3][task-5][core]") {
  STORY("Gives up what is under tmp/ and empty.");
  INVARIANT("drop_if: gives up the entries of which it is true");
  const FilterPtr filter =
      drop_if([](std::string_view key, std::string_view value) {
        return key.starts_with("tmp/") && value.empty();
      });
  CHECK_SAME(keeps(*filter, "tmp/a", 1, ""), false);
  CHECK_SAME(keeps(*filter, "tmp/a", 1, "x"), true);
  CHECK_SAME(keeps(*filter, "a", 1, ""), true);
}

TEST_CASE("of several, one is enough to give up", "[3.3][task-5][core]") {
  STORY("Two that keep and one that does not, in every place; then none.");
  INVARIANT("I4 of compaction_filters.h: what ANY of them gives up");
  const FilterPtr yes = std::make_shared<KeepAll>();
  const FilterPtr no = drop_if([](auto, auto) { return true; });
  CHECK_SAME(keeps(*all_of({yes, yes, yes}), "a"), true);
  CHECK_SAME(keeps(*all_of({no, yes, yes}), "a"), false);
  CHECK_SAME(keeps(*all_of({yes, no, yes}), "a"), false);
  CHECK_SAME(keeps(*all_of({yes, yes, no}), "a"), false);
  CHECK_SAME(keeps(*all_of({all_of({yes, no}), yes}), "a"), false);
  CHECK_SAME(keeps(*all_of({}), "a"), true);
}

TEST_CASE("they are asked in order, until the first that gives up",
          "[3.3][task-5][core]") {
  STORY("cheap keeps, middle gives up, costly would be asked last.");
  INVARIANT("all_of: in their order, until the first that gives it up");
  Strings asked;
  const FilterPtr filter =
      all_of({noting("cheap", true, asked), noting("middle", false, asked),
              noting("costly", true, asked)});
  CHECK_SAME(keeps(*filter, "a"), false);
  CHECK_SAME(asked, Strings{"cheap", "middle"});
}

TEST_CASE("all of them see the key's moment and the value",
          "[3.3][task-5][core]") {
  STORY("t7/ up to 12, and a day to live: each may be the one.");
  INVARIANT("I4 of compaction_filters.h: what any of them gives up");
  SetClock clock(kNewYear + kDay);
  const auto tenants = make_dropped_prefixes();
  tenants->add("t7/", 12);
  const FilterPtr filter = all_of({tenants, expire_after(kDay, clock)});
  CHECK_SAME(keeps(*filter, "t7/a", 12), false);
  CHECK_SAME(keeps(*filter, "t7/a", 13), true);
  CHECK_SAME(keeps(*filter, "t7/a", 13, stamp("x", kNewYear)), false);
  CHECK_SAME(keeps(*filter, "t8/a", 13, stamp("x", kNewYear + 1)), true);
}

// The filters in a compaction.

TEST_CASE("at the bottom what is given up is gone", "[3.3][task-1][core]") {
  STORY("t7/ is dropped; t7/a@9 over t7/a@4, t8/a@5; no snapshots.");
  INVARIANT("I2 of compaction_filters.h: no older version comes back");
  Shelf shelf;
  shelf.add_table(0, "t7/a@4=old t8/a@5=other");
  shelf.add_table(0, "t7/a@9=new");
  const auto tenants = make_dropped_prefixes();
  tenants->add("t7/");
  shelf.compact(*tenants);
  CHECK_SAME(shelf.content(), "t8/a@5=other");
}

TEST_CASE("what is given up over an older version below is buried",
          "[3.3][task-1][core]") {
  STORY("t7/a@9 is merged into level 3; t7/a@4 lies in level 6.");
  INVARIANT("I2 of base/compaction_filter.h: it becomes a tombstone");
  Shelf shelf;
  shelf.add_table(6, "t7/a@4=old");
  shelf.add_table(0, "t7/a@9=new");
  const auto tenants = make_dropped_prefixes();
  tenants->add("t7/");
  shelf.compact(*tenants, 0, 3);
  CHECK_SAME(text(Shelf::entries_of(*shelf.tree, 3)), "t7/a@9");
  CHECK_SAME(read(shelf.entries(), "t7/a", kMaxSequence), "absent");
  shelf.compact(*tenants);
  CHECK_SAME(shelf.content(), "");
}

TEST_CASE("versions that snapshots see stay, all of them",
          "[3.3][task-1][core]") {
  STORY("t7/a@2, @4, @6, @9 and t7/b@3; snapshots at 3 and 7; t7/ dropped.");
  INVARIANT("I1 of base/compaction_filter.h: only where no snapshot sees it");
  Shelf shelf({3, 7});
  shelf.add_table(0, "t7/a@2=a2 t7/b@3=b3 t7/a@4=a4 t7/a@6=a6 t7/a@9=a9");
  const auto tenants = make_dropped_prefixes();
  tenants->add("t7/");
  shelf.compact(*tenants);
  CHECK_SAME(shelf.content(), "t7/a@9 t7/a@6=a6 t7/a@2=a2 t7/b@3=b3");
  CHECK_SAME(read(shelf.entries(), "t7/a", 3), "a2");
  CHECK_SAME(read(shelf.entries(), "t7/a", 7), "a6");
  CHECK_SAME(read(shelf.entries(), "t7/a", kMaxSequence), "absent");
}

TEST_CASE("once the snapshots are gone the rest goes, too",
          "[3.3][task-1][core]") {
  STORY("The same with a snapshot at 7; it is released; compacted again.");
  INVARIANT("I1 of compaction_filters.h: when a compaction comes by");
  Shelf before({7});
  before.add_table(0, "t7/a@4=a4 t7/a@9=a9 t7/b@3=b3");
  const auto tenants = make_dropped_prefixes();
  tenants->add("t7/");
  before.compact(*tenants);
  CHECK_SAME(before.content(), "t7/a@9 t7/a@4=a4 t7/b@3=b3");
  Shelf after;
  after.add_table(0, before.entries());
  after.compact(*tenants);
  CHECK_SAME(after.content(), "");
}

TEST_CASE("an expired version hides the older one that has not expired",
          "[3.3][task-4][core]") {
  STORY(
      "s@4 has no stamp; s@9, stamped, has expired. Merged with a snapshot at "
      "5, then without.");
  INVARIANT("I2 of compaction_filters.h: no older version comes back");
  SetClock clock(kNewYear + kDay);
  const FilterPtr filter = expire_after(kDay, clock);
  const Entries entries = {
      {InternalKeyBuffer(put_key("s", 9)), stamp("new", kNewYear)},
      {InternalKeyBuffer(put_key("s", 4)), "old"}};
  Shelf shelf({5});
  shelf.add_table(0, entries);
  shelf.compact(*filter);
  CHECK_SAME(shelf.content(), "s@9 s@4=old");
  Shelf alone;
  alone.add_table(0, entries);
  alone.compact(*filter);
  CHECK_SAME(alone.content(), "");
}

TEST_CASE("a removed key is nobody's to ask about", "[3.3][task-5][core]") {
  STORY("a is removed at 8 over a put at 2, b was put at 3; all are counted.");
  INVARIANT("I1 of base/compaction_filter.h: only for puts, the newest");
  Strings asked;
  const FilterPtr filter = drop_if([&](std::string_view key, auto) {
    asked.emplace_back(key);
    return false;
  });
  Shelf shelf;
  shelf.add_table(0, "a@8 a@2=x b@3=y");
  shelf.compact(*filter);
  CHECK_SAME(asked, Strings{"b"});
  CHECK_SAME(shelf.content(), "b@3=y");
}

TEST_CASE("a snapshot taken while a filter is at work needs the old tables",
          "[3.3][task-1][core]") {
  STORY(
      "A compaction has read its list of snapshots: none. Now one is taken, at "
      "9; then the outputs replace the inputs.");
  INVARIANT("the race of the page: who is not in the list holds its Version");
  Shelf shelf;  // made with the list of before: no snapshots
  shelf.add_table(0, "t7/a@9=new t8/a@5=other");
  const auto tenants = make_dropped_prefixes();
  tenants->add("t7/");
  const TreePtr held = shelf.tree;  // what the snapshot at 9 must hold
  shelf.compact(*tenants);
  CHECK_SAME(read(shelf.entries(), "t7/a", 9), "absent");
  CHECK_SAME(read(Shelf::entries_of(*held), "t7/a", 9), "new");
}

TEST_CASE("no snapshot sees a filter at work", "[3.3][task-5][core]") {
  SEEDED_RANDOM(random, 332);
  STORY(
      "Random histories under random snapshots; prefixes, a time to live and "
      "a predicate together. Every key is read at every snapshot, and now, "
      "before and after the compaction.");
  INVARIANT("I2 of compaction_filters.h, I1 of compaction.h");
  SetClock clock(kNewYear + kDay);
  const auto tenants = make_dropped_prefixes();
  tenants->add("a", 20);
  tenants->add("cc");
  const FilterPtr filter =
      all_of({tenants, expire_after(kDay, clock),
              drop_if([](auto, auto value) { return value == "junk"; })});
  const std::vector<std::string> keys = {"a", "ab", "b", "c", "cc", "cd"};
  const std::size_t rounds = scaled(60);
  for (std::size_t round = 0; round < rounds; ++round) {
    std::vector<Sequence> snapshots;
    for (Sequence at = 1; at < 40; ++at) {
      if (random.one_in(8)) snapshots.push_back(at);
    }
    Shelf shelf(snapshots);
    Entries entries;
    for (Sequence at = 1; at <= 40; ++at) {
      const std::string& key = random.pick(keys);
      std::string value = "v" + std::to_string(at);
      if (random.one_in(4)) value = "junk";
      if (random.one_in(4)) value = stamp(value, kNewYear + random.below(2));
      const Kind kind = random.one_in(6) ? Kind::remove : Kind::put;
      if (kind == Kind::remove) value.clear();
      entries.emplace_back(InternalKeyBuffer({key, make_tag(at, kind)}), value);
      if (at % 20 != 0) continue;
      sort_entries(entries);
      shelf.add_table(at == 20 ? 4 : 0, entries);
      entries.clear();
    }
    const Entries before = shelf.entries();
    shelf.compact(*filter, 0, random.one_in(2) ? 3 : 6);
    const Entries after = shelf.entries();
    for (const std::string& key : keys) {
      for (const Sequence at : snapshots) {
        CAPTURE(round, key, at);
        REQUIRE_SAME(read(after, key, at), read(before, key, at));
      }
      // Now: gone if the filter gave it up, else as before. Of what was not
      // among the inputs (level 4, when the output is level 3) it was not
      // asked.
      const std::string was = read(before, key, kMaxSequence);
      const std::string is = read(after, key, kMaxSequence);
      CAPTURE(round, key);
      if (is != "absent") REQUIRE_SAME(is, was);
      if (is == was) continue;
      Sequence newest = 0;
      for (const auto& [buffer, value] : before) {
        if (buffer.view().user == key) {
          newest = std::max(newest, buffer.view().sequence());
        }
      }
      REQUIRE_SAME(filter->keep(put_key(key, newest), was), false);
      const Sequence last = snapshots.empty() ? 0 : snapshots.back();
      REQUIRE_SAME(newest > last, true);
    }
  }
}

// Deeper.

TEST_CASE("prefixes come and go while compactions ask", "[3.3][task-1][core]") {
  STORY("One thread adds and forgets t1/ … t99/, another asks for t1/ and x/.");
  INVARIANT("thread safety: any thread, beside compactions");
  const auto dropped = make_dropped_prefixes();
  dropped->add("t1/");
  std::atomic<int> wrong = 0;
  run_threads(2, [&](int thread) {
    for (int i = 0; i < 2000; ++i) {
      if (thread == 0) {
        const std::string prefix = "t" + std::to_string(2 + i % 98) + "/";
        if (i % 3 == 0) dropped->forget(prefix);
        if (i % 3 != 0) dropped->add(prefix);
        continue;
      }
      if (keeps(*dropped, "t1/a")) ++wrong;
      if (!keeps(*dropped, "x/a")) ++wrong;
    }
  });
  CHECK_SAME(wrong.load(), 0);
}

TEST_CASE("twenty thousand dropped tenants cost a search each",
          "[3.3][task-1][gold]") {
  STORY("20,000 prefixes of 3 to 7 bytes; 20,000 keys are asked about.");
  INVARIANT("cost: one search a prefix LENGTH, however many prefixes");
  const auto dropped = make_dropped_prefixes();
  for (int i = 0; i < 20'000; ++i)
    dropped->add("t" + std::to_string(2 * i) + "/");
  const auto began = std::chrono::steady_clock::now();
  int kept = 0;
  int asked = 0;
  for (; asked < 20'000; ++asked) {
    kept += keeps(*dropped, "t" + std::to_string(asked) + "/key") ? 1 : 0;
    if (std::chrono::steady_clock::now() - began > std::chrono::seconds(5)) {
      break;
    }
  }
  INFO("asked about " << asked << " keys in five seconds");
  REQUIRE_SAME(asked, 20'000);
  CHECK_SAME(kept, 10'000);
}

TEST_CASE("the clock is asked at every key, and the wall's",
          "[3.3][task-4][core]") {
  STORY(
      "The filter is made on New Year's day; a compaction runs a week later.");
  INVARIANT("Stamped::written_micros is Clock::wall_micros");
  SetClock clock(kNewYear);
  const FilterPtr filter = expire_after(kDay, clock);
  Shelf shelf;
  shelf.add_table(
      0, Entries{{InternalKeyBuffer(put_key("s", 1)), stamp("x", kNewYear)}});
  shelf.compact(*filter);
  CHECK_SAME(shelf.entries().size(), 1);
  clock.set(kNewYear + 7 * kDay);
  shelf.compact(*filter);
  CHECK_SAME(shelf.entries().size(), 0);
}

}  // namespace lsm::test
