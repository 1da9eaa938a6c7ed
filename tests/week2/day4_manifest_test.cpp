// Day 2.4: version edits, their sum, and the manifest that makes them durable.
#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/fault_file_system.h"
#include "base/sim_file_system.h"
#include "edit_codec.h"
#include "edit_sum.h"
#include "log_reader.h"
#include "log_writer.h"
#include "manifest.h"
#include "support/catch.h"
#include "support/random.h"
#include "support/teach.h"

namespace lsm::test {

namespace {

constexpr const char* kWhole =
    "I2 of edit_codec.h: bytes are decoded whole or refused";
constexpr const char* kNumber =
    "I1 of edit_sum.h: a number names at most one table";
constexpr const char* kWasThere =
    "I2 of edit_sum.h: a removed table was there, in that level";
constexpr const char* kDisjoint =
    "I3 of edit_sum.h: tables of one run share no user key";
constexpr const char* kSense =
    "I4 of edit_sum.h: a table's numbers make sense, its level is below 7";
constexpr const char* kCounters =
    "I5 of edit_sum.h: the last sequence is the newest that any table has "
    "held, the next file number above every table's; neither goes back";
constexpr const char* kCurrent =
    "I1 of manifest.h: CURRENT names a manifest that is durable and whole up "
    "to its last acknowledged edit";
constexpr const char* kStrict =
    "I3 of manifest.h: all damage is corruption, but to an edit that was never "
    "acknowledged";

constexpr const char* kBounded =
    "I6 of manifest.h: never past 1 MiB, or twice what it began with, by more "
    "than one edit";
constexpr const char* kOnlyThen =
    "a manifest is begun anew only when it has reached the bound of I6: 1 MiB, "
    "or twice what it began with";
constexpr const char* kOldMayGo =
    "step 5 of manifest.h: the old manifest may go";
constexpr const char* kFirstError =
    "I5 of manifest.h: after a failure every later call fails";

constexpr std::uint64_t kStore = 0xc0ffee42;
const std::string kFolder = "db";

FileMeta table(std::uint64_t number, std::string_view smallest,
               std::string_view largest, Sequence newest = 10,
               std::uint64_t run = 0) {
  FileMeta file;
  file.number = number;
  file.size_bytes = 1000 + number;
  file.entries = 3;
  file.tombstones = 1;
  file.hidden = 1;
  file.smallest = InternalKeyBuffer({smallest, make_tag(newest, Kind::put)});
  file.largest = InternalKeyBuffer({largest, make_tag(1, Kind::remove)});
  file.oldest_sequence = 1;
  file.newest_sequence = newest;
  file.run = run;
  return file;
}

VersionEdit added(int level, const FileMeta& file) {
  VersionEdit edit;
  edit.added.push_back({level, file});
  return edit;
}
VersionEdit removed(int level, std::uint64_t number) {
  VersionEdit edit;
  edit.removed.push_back({level, number});
  return edit;
}

std::vector<std::uint64_t> numbers_of(
    const std::vector<VersionEdit::Added>& files) {
  std::vector<std::uint64_t> numbers;
  for (const VersionEdit::Added& file : files) {
    numbers.push_back(file.file.number);
  }
  std::ranges::sort(numbers);
  return numbers;
}

using Numbers = std::vector<std::uint64_t>;

struct Folder {
  Folder() {
    REQUIRE_OK(fs.create_dir(kFolder));
    REQUIRE_OK(fs.sync_dir("."));
  }
  SimFileSystem fs;
  FileNumbers numbers;
};

ManifestState new_store() {
  ManifestState state;
  state.store_id = kStore;
  return state;
}

ManifestState read_state(FileSystem& fs) {
  auto state = read_manifest(fs, kFolder);
  REQUIRE_OK(state);
  REQUIRE(state->has_value());
  return **state;
}

std::vector<std::string> names_in(FileSystem& fs, std::string_view suffix) {
  const auto names = fs.list(kFolder);
  REQUIRE_OK(names);
  std::vector<std::string> found;
  for (const std::string& name : *names) {
    if (name.ends_with(suffix)) found.push_back(name);
  }
  return found;
}
std::vector<std::string> manifests_in(FileSystem& fs) {
  return names_in(fs, ".manifest");
}

std::string manifest_path(std::uint64_t number) {
  return file_path(kFolder, FileKind::manifest, number);
}

// What the manifest in use holds, read as a log: record by record, so that
// task 3 needs nothing of task 4.
struct InUse {
  std::uint64_t number = 0;
  std::vector<VersionEdit> edits;
  std::uint64_t last_edit_ends = 0;
  LogEnd end;
};
std::optional<InUse> manifest_in_use(FileSystem& fs) {
  const auto current = read_current(fs, kFolder);
  REQUIRE_OK(current);
  if (!current->has_value()) return std::nullopt;
  InUse seen;
  seen.number = (*current)->number;
  const LogVisitor visit = [&](std::uint64_t offset, std::string_view record) {
    const auto edit = decode_edit(record);
    REQUIRE_OK(edit);
    seen.edits.push_back(*edit);
    seen.last_edit_ends = offset + kRecordHeaderSizeBytes + record.size();
    return Result<void>();
  };
  const auto end = read_log(fs, manifest_path(seen.number), **current, visit);
  REQUIRE_OK(end);
  seen.end = *end;
  return seen;
}

}  // namespace

// Task 1: edits as bytes.

TEST_CASE("an edit is removed, added and counters", "[2.4][task-1][core]") {
  STORY("Encode {removed table 9 of level 0, oldest log 12}.");
  INVARIANT("the grammar of edit_codec.h");
  VersionEdit edit = removed(0, 9);
  edit.oldest_log = 12;
  CHECK_BYTES(encode_edit(edit), std::string("\x01\0\x09\0\x01\x0c", 6));
}

TEST_CASE("an edit comes back as it was", "[2.4][task-1][core]") {
  STORY("Encode and decode edits with all fields, with none, with the rest.");
  INVARIANT("I1 of edit_codec.h: decoding gives back the edit");
  VersionEdit all = added(0, table(7, "", std::string("\xff\0z", 3)));
  all.added.push_back({6, table(300, "m", "n", kMaxSequence, 9)});
  all.removed.push_back({5, ~std::uint64_t{0}});
  all.oldest_log = 0;
  all.next_file_number = 301;
  all.last_sequence = kMaxSequence;
  VersionEdit rest;
  rest.next_file_number = 5;
  for (const VersionEdit& edit : {all, VersionEdit(), rest}) {
    const auto seen = decode_edit(encode_edit(edit));
    REQUIRE_OK(seen);
    CHECK_SAME(*seen == edit, true);
  }
}

TEST_CASE("an edit that was cut, extended or claims more is refused",
          "[2.4][task-1][core]") {
  STORY("Cut an edit at every byte; add one; set an unknown flag; lie.");
  INVARIANT(kWhole);
  VersionEdit edit = added(1, table(7, "apple", "lime"));
  edit.removed.push_back({0, 300});
  edit.last_sequence = 1000;
  const std::string bytes = encode_edit(edit);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    INFO("size: " << size);
    CHECK_ERROR(decode_edit(bytes.substr(0, size)), Code::corruption);
  }
  CHECK_ERROR(decode_edit(bytes + '\0'), Code::corruption);
  CHECK_ERROR(decode_edit(std::string("\0\0\x08", 3)), Code::corruption);
  std::string liar;
  append_varint(liar, ~std::uint64_t{0});
  CHECK_ERROR(decode_edit(liar + bytes), Code::corruption);
}

TEST_CASE("a refused edit is refused at a byte", "[2.4][task-1][core]") {
  STORY("Decode a sound edit with one byte more behind it.");
  INVARIANT("errors of decode_edit: corruption, naming the byte");
  const std::string bytes = encode_edit(added(1, table(7, "apple", "lime")));
  const auto seen = decode_edit(bytes + '\0');
  CHECK_ERROR(seen, Code::corruption);
  if (seen) return;
  INFO("message: " << seen.error().message);
  INFO("to be named: the one that should not be there, " << bytes.size());
  CHECK(seen.error().message.contains(std::to_string(bytes.size())));
}

TEST_CASE("random bytes never read past their end", "[2.4][task-1][core]") {
  STORY("Decode damaged edits; any answer is right that stays inside.");
  INVARIANT(kWhole);
  SEEDED_RANDOM(random, 24);
  VersionEdit edit = added(1, table(7, "apple", "lime"));
  edit.added.push_back({2, table(8, "a", std::string(200, 'z'))});
  const std::string bytes = encode_edit(edit);
  for (std::size_t round = 0; round < scaled(2000); ++round) {
    std::string damaged = bytes;
    for (std::uint64_t i = random.between(1, 3); i > 0; --i) {
      random.pick(damaged) = static_cast<char>(random.below(256));
    }
    const auto seen = decode_edit(damaged);
    if (seen) CHECK(seen->added.size() <= bytes.size());
  }
}

// Task 2: the sum.

TEST_CASE("a flush adds, a compaction replaces", "[2.4][task-2][core]") {
  STORY("Add 7 and 9 to level 0; replace both by 11 in level 1.");
  INVARIANT("the sum says which tables there are");
  EditSum sum;
  REQUIRE_OK(sum.apply(added(0, table(7, "a", "m", 20))));
  REQUIRE_OK(sum.apply(added(0, table(9, "c", "z", 40))));
  CHECK_SAME(numbers_of(sum.total().added), Numbers{7, 9});
  VersionEdit compaction = added(1, table(11, "a", "z", 35));
  compaction.removed = {{0, 7}, {0, 9}};
  REQUIRE_OK(sum.apply(compaction));
  CHECK_SAME(numbers_of(sum.total().added), Numbers{11});
  INVARIANT(kCounters);
  CHECK_SAME(sum.total().last_sequence, 40u);  // that any table has held
  CHECK_SAME(sum.total().next_file_number, 12u);
}

TEST_CASE("a table moves down in one edit", "[2.4][task-2][core]") {
  STORY("Remove 7 from level 1 and add it to level 2, in one edit.");
  INVARIANT("I1 of edit_sum.h: a table stands in one level");
  EditSum sum;
  REQUIRE_OK(sum.apply(added(1, table(7, "a", "m"))));
  VersionEdit move = added(2, table(7, "a", "m"));
  move.removed = {{1, 7}};
  REQUIRE_OK(sum.apply(move));
  const VersionEdit total = sum.total();
  REQUIRE_SAME(total.added.size(), 1u);
  CHECK_SAME(total.added[0].level, 2);
}

TEST_CASE("counters never go back", "[2.4][task-2][core]") {
  STORY("Set oldest log, next number and last sequence; set smaller ones.");
  INVARIANT("I5 of edit_sum.h: they never go back");
  EditSum sum;
  VersionEdit edit;
  edit.oldest_log = 10;
  edit.next_file_number = 20;
  edit.last_sequence = 30;
  REQUIRE_OK(sum.apply(edit));
  edit.oldest_log = 1;
  edit.next_file_number = 2;
  edit.last_sequence = 3;
  REQUIRE_OK(sum.apply(edit));
  CHECK_SAME(sum.total().oldest_log, 10u);
  CHECK_SAME(sum.total().next_file_number, 20u);
  CHECK_SAME(sum.total().last_sequence, 30u);
}

TEST_CASE("an edit that cannot be is refused", "[2.4][task-2][core]") {
  STORY("Level 0 holds 5; level 1 holds 7 = [c, f]; add what cannot be.");
  FileMeta upside_down = table(20, "z", "y");
  FileMeta empty = table(20, "y", "z");
  empty.entries = 0;
  FileMeta too_many = table(20, "y", "z");
  too_many.tombstones = 4;
  FileMeta all_hidden = table(20, "y", "z");
  all_hidden.hidden = all_hidden.entries;
  FileMeta too_new = table(20, "y", "z");
  too_new.newest_sequence = kMaxSequence + 1;
  FileMeta unknown = table(20, "y", "z");
  unknown.largest = InternalKeyBuffer({"z", 2});
  struct Case {
    const char* what;
    const char* promise;
    VersionEdit edit;
  };
  const std::vector<Case> cases = {
      {"removed, and never there", kWasThere, removed(0, 6)},
      {"removed from another level", kWasThere, removed(0, 7)},
      {"a number twice, same level", kNumber, added(1, table(7, "x", "y"))},
      {"a number twice, other level", kNumber, added(3, table(5, "x", "y"))},
      {"a level too deep", kSense, added(7, table(20, "x", "y"))},
      {"a level below zero", kSense, added(-1, table(20, "x", "y"))},
      {"number 0", kSense, added(2, table(0, "x", "y"))},
      {"overlap on the left", kDisjoint, added(1, table(20, "a", "c"))},
      {"overlap on the right", kDisjoint, added(1, table(20, "f", "k"))},
      {"overlap inside", kDisjoint, added(1, table(20, "d", "e"))},
      {"overlap around", kDisjoint, added(1, table(20, "a", "z"))},
      {"the same bounds", kDisjoint, added(1, table(20, "c", "f"))},
      {"overlap in a run of level 0", kDisjoint,
       added(0, table(20, "a", "z", 10, 5))},
      {"bounds upside down", kSense, added(2, upside_down)},
      {"no entries", kSense, added(2, empty)},
      {"more tombstones than entries", kSense, added(2, too_many)},
      {"every entry hidden by another", kSense, added(2, all_hidden)},
      {"a sequence past the last", kSense, added(2, too_new)},
      {"a kind that is not known", kSense, added(2, unknown)},
  };
  for (const auto& [what, promise, edit] : cases) {
    INFO("case: " << what);
    INVARIANT(promise);
    EditSum sum;
    REQUIRE_OK(sum.apply(added(0, table(5, "c", "f"))));
    REQUIRE_OK(sum.apply(added(1, table(7, "c", "f"))));
    CHECK_ERROR(sum.apply(edit), Code::corruption);
  }
  INVARIANT(kDisjoint);
  EditSum sum;
  REQUIRE_OK(sum.apply(added(0, table(5, "c", "f"))));
  CHECK_OK(sum.apply(added(0, table(6, "a", "z"))));  // another run
  CHECK_OK(sum.apply(added(1, table(7, "c", "f"))));
  CHECK_OK(sum.apply(added(1, table(8, "a", "b"))));
  CHECK_OK(sum.apply(added(1, table(9, "g", "h"))));
}

TEST_CASE("a random history sums up to what a map holds",
          "[2.4][task-2][core]") {
  STORY("Add and remove tables at random; compare with a map.");
  INVARIANT("the sum says which tables there are");
  SEEDED_RANDOM(random, 42);
  EditSum sum;
  std::map<std::uint64_t, int> model;
  for (std::uint64_t number = 1; number <= 500; ++number) {
    VersionEdit edit;
    if (!model.empty() && random.one_in(2)) {
      const auto victim =
          std::next(model.begin(),
                    static_cast<std::ptrdiff_t>(random.below(model.size())));
      edit.removed.push_back({victim->second, victim->first});
      model.erase(victim);
    }
    const int level = static_cast<int>(random.below(7));
    const std::string key = std::to_string(number + 1000);
    edit.added.push_back({level, table(number, key, key + "z")});
    model[number] = level;
    REQUIRE_OK(sum.apply(edit));
    // The total, applied to nothing, is the same sum.
    EditSum again;
    REQUIRE_OK(again.apply(sum.total()));
    REQUIRE_SAME(again.total() == sum.total(), true);
    std::map<std::uint64_t, int> seen;
    for (const auto& file : sum.total().added) {
      seen[file.file.number] = file.level;
    }
    REQUIRE_SAME(seen == model, true);
  }
}

// Task 3: a manifest is written.

TEST_CASE("a new manifest is one edit, and CURRENT names it",
          "[2.4][task-3][core]") {
  STORY(
      "A store of table 7, logs from 5 on, sequences to 30: begin a manifest.");
  INVARIANT(kCurrent);
  Folder store;
  store.numbers.skip_past(40);
  ManifestState start = new_store();
  start.files.push_back({1, table(7, "a", "m", 20)});
  start.oldest_log = 5;
  start.next_file_number = 8;
  start.last_sequence = 30;
  const auto manifest =
      Manifest::create(store.fs, kFolder, store.numbers, start);
  REQUIRE_OK(manifest);
  const auto seen = manifest_in_use(store.fs);
  REQUIRE(seen.has_value());
  CHECK_SAME(seen->number, (*manifest)->number());
  REQUIRE_SAME(seen->edits.size(), 1u);
  CHECK_SAME(seen->edits[0].added == start.files, true);
  CHECK_SAME(seen->edits[0].oldest_log, 5u);
  CHECK_SAME(seen->edits[0].last_sequence, 30u);
  CHECK_SAME(seen->end.any_mark, true);
  CHECK_SAME(names_in(store.fs, ".tmp").size(), 0u);
  INVARIANT(
      "41 and 42, the manifest's own number and the temporary's, are never "
      "used again");
  CHECK(seen->edits[0].next_file_number.value_or(0) >= 43u);
}

TEST_CASE("an acknowledged edit and its mark survive a power cut",
          "[2.4][task-3][core]") {
  STORY("Append a table; the power fails as soon as append has returned.");
  INVARIANT("I2 of manifest.h: the edit survives");
  for (const CrashModel model : {CrashModel::ordered, CrashModel::any_subset}) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      Folder store;
      const auto manifest =
          Manifest::create(store.fs, kFolder, store.numbers, new_store());
      REQUIRE_OK(manifest);
      REQUIRE_OK((*manifest)->append(added(0, table(7, "a", "m"))));
      store.fs.power_cycle(model, seed);
      const auto seen = manifest_in_use(store.fs);
      REQUIRE(seen.has_value());
      REQUIRE_SAME(seen->edits.size(), 2u);
      CHECK_SAME(numbers_of(seen->edits[1].added), Numbers{7});
      INVARIANT("an acknowledged edit has a durable mark behind it");
      CHECK(seen->end.durable_bytes >= seen->last_edit_ends);
    }
  }
}

TEST_CASE("at every moment of a switch one manifest is whole",
          "[2.4][task-3][core]") {
  STORY(
      "A manifest names 7, the next one 7 and 9; the power fails at each "
      "operation of the switch.");
  INVARIANT(kCurrent);
  SEEDED_RANDOM(random, 243);
  for (const CrashModel model : {CrashModel::ordered, CrashModel::any_subset}) {
    // Which names survive is drawn: enough draws for every pair of them.
    const std::uint64_t rounds = model == CrashModel::ordered ? 4 : 32;
    for (std::uint64_t round = 0; round < rounds; ++round) {
      bool done = false;
      for (std::uint64_t cut = 1; !done; ++cut) {
        INFO("power cut at operation " << cut << " of the switch");
        Folder store;
        ManifestState start = new_store();
        start.files.push_back({0, table(7, "a", "m")});
        store.numbers.skip_past(9);
        REQUIRE_OK(Manifest::create(store.fs, kFolder, store.numbers, start));
        start.files.push_back({0, table(9, "a", "m")});
        store.fs.cut_power_at(store.fs.operations() + cut);
        done = Manifest::create(store.fs, kFolder, store.numbers, start)
                   .has_value();
        store.fs.power_cycle(model, random.next());
        const auto seen = manifest_in_use(store.fs);
        REQUIRE(seen.has_value());
        REQUIRE_SAME(seen->edits.size(), 1u);
        REQUIRE_SAME(seen->end.any_mark, true);
        const Numbers tables = numbers_of(seen->edits[0].added);
        REQUIRE((tables == Numbers{7, 9} || (!done && tables == Numbers{7})));
      }
    }
  }
}

TEST_CASE("a closed manifest is sealed and takes no more",
          "[2.4][task-3][core]") {
  STORY("Append, close, append, close.");
  INVARIANT("close: every later call fails");
  Folder store;
  const auto manifest =
      Manifest::create(store.fs, kFolder, store.numbers, new_store());
  REQUIRE_OK(manifest);
  REQUIRE_OK((*manifest)->append(added(0, table(7, "a", "m"))));
  REQUIRE_OK((*manifest)->close());
  CHECK_ERROR((*manifest)->append(added(0, table(8, "a", "m"))), Code::closed);
  CHECK_ERROR((*manifest)->close(), Code::closed);
  const auto seen = manifest_in_use(store.fs);
  REQUIRE(seen.has_value());
  CHECK_SAME(seen->edits.size(), 2u);
  CHECK((seen->end.kind == LogEnd::Kind::sealed));
}

TEST_CASE("an edit that contradicts the sum is not written",
          "[2.4][task-3][core]") {
  STORY("Append the removal of a table that is not there, then a sound edit.");
  INVARIANT(
      "errors of append: internal, for an edit that contradicts the sum; the "
      "engine's bug, not the disk's");
  Folder store;
  auto manifest =
      Manifest::create(store.fs, kFolder, store.numbers, new_store());
  REQUIRE_OK(manifest);
  CHECK_ERROR((*manifest)->append(removed(0, 99)), Code::internal);
  INVARIANT(kFirstError);
  CHECK_ERROR((*manifest)->append(added(0, table(7, "a", "b"))),
              Code::internal);
  INVARIANT("I4 of manifest.h: an edit that contradicts the sum is refused");
  CHECK_SAME(manifest_in_use(store.fs)->edits.size(), 1u);
}

TEST_CASE("after a failed sync nothing is appended and nothing deleted",
          "[2.4][task-3][core]") {
  STORY("Each fsync of an append fails in turn; later appends fail, too.");
  INVARIANT(kFirstError);
  for (const auto effect : {Fault::Effect::none, Fault::Effect::done}) {
    for (const std::uint64_t nth : {1u, 2u}) {
      Folder store;
      FaultFileSystem fs(store.fs);
      auto manifest = Manifest::create(fs, kFolder, store.numbers, new_store());
      REQUIRE_OK(manifest);
      const std::vector<std::string> before = manifests_in(store.fs);
      fs.inject({.kinds = kSync, .nth = nth, .effect = effect});
      CHECK_ERROR((*manifest)->append(added(0, table(7, "a", "b"))), Code::io);
      CHECK_ERROR((*manifest)->append(added(0, table(8, "a", "b"))), Code::io);
      CHECK_ERROR((*manifest)->close(), Code::io);
      CHECK_SAME(manifests_in(store.fs), before);
      CHECK(manifest_in_use(store.fs)->edits.size() <= 2);
    }
  }
}

// Task 4: a manifest is read: strictly, and after crashes.

TEST_CASE("a folder without CURRENT has no manifest", "[2.4][task-4][core]") {
  STORY("Read an empty folder.");
  INVARIANT("nullopt when there is no CURRENT");
  Folder store;
  const auto state = read_manifest(store.fs, kFolder);
  REQUIRE_OK(state);
  CHECK_SAME(state->has_value(), false);
}

TEST_CASE("what was appended is read back", "[2.4][task-4][core]") {
  STORY(
      "Create a manifest, append a flush and a compaction; read, close, read.");
  INVARIANT(kCurrent);
  Folder store;
  auto manifest =
      Manifest::create(store.fs, kFolder, store.numbers, new_store());
  REQUIRE_OK(manifest);
  VersionEdit flush = added(0, table(7, "a", "m", 20));
  flush.oldest_log = 9;
  REQUIRE_OK((*manifest)->append(flush));
  VersionEdit compaction = added(1, table(10, "a", "m", 20));
  compaction.removed = {{0, 7}};
  REQUIRE_OK((*manifest)->append(compaction));
  const ManifestState open = read_state(store.fs);
  CHECK_SAME(open.store_id, kStore);
  CHECK_SAME(open.number, (*manifest)->number());
  CHECK_SAME(numbers_of(open.files), Numbers{10});
  CHECK_SAME(open.files[0] == compaction.added[0], true);
  CHECK_SAME(open.oldest_log, 9u);
  CHECK_SAME(open.last_sequence, 20u);
  CHECK(open.next_file_number >= 11);
  REQUIRE_OK((*manifest)->close());
  CHECK_SAME(read_state(store.fs) == open, true);
  CHECK_ERROR((*manifest)->append(flush), Code::closed);
}

TEST_CASE("a new manifest begins with everything so far",
          "[2.4][task-4][core]") {
  STORY("Open a store for the second time; append; read.");
  INVARIANT(kCurrent);
  Folder store;
  ManifestState state = new_store();
  for (std::uint64_t round = 0; round < 3; ++round) {
    auto manifest = Manifest::create(store.fs, kFolder, store.numbers, state);
    REQUIRE_OK(manifest);
    const std::uint64_t number = store.numbers.take();
    const std::string key = std::to_string(number);
    REQUIRE_OK((*manifest)->append(added(1, table(number, key, key))));
    state = read_state(store.fs);
    CHECK_SAME(state.number, (*manifest)->number());
    CHECK_SAME(state.files.size(), round + 1);
    CHECK(state.next_file_number > number);
  }
  CHECK_SAME(manifests_in(store.fs).size(), 3u);  // orphans are 2.5's
}

TEST_CASE("of two manifests the one that CURRENT names counts",
          "[2.4][task-4][core]") {
  STORY(
      "An older and a younger manifest stand beside the current one; then the "
      "older one is copied over it.");
  INVARIANT(kCurrent);
  Folder store;
  ManifestState state = new_store();
  for (const std::uint64_t number : {21u, 22u, 23u}) {
    state.files = {{0, table(number, "a", "m")}};
    store.numbers.skip_past(number);
    REQUIRE_OK(Manifest::create(store.fs, kFolder, store.numbers, state));
    if (number == 22) {  // as if 23's switch had never come to its rename
      REQUIRE_OK(store.fs.link(join_path(kFolder, kCurrentName), "kept"));
    }
  }
  REQUIRE_OK(store.fs.rename("kept", join_path(kFolder, kCurrentName)));
  const std::vector<std::string> before = manifests_in(store.fs);
  REQUIRE_SAME(before.size(), 3u);
  CHECK_SAME(numbers_of(read_state(store.fs).files), Numbers{22});

  const std::string current = join_path(kFolder, before[1]);
  REQUIRE_OK(store.fs.remove(current));
  REQUIRE_OK(store.fs.link(join_path(kFolder, before[0]), current));
  const auto seen = read_manifest(store.fs, kFolder);
  INVARIANT(kStrict);
  CHECK_ERROR(seen, Code::corruption);
  if (seen) return;
  INFO("message: " << seen.error().message);
  CHECK(seen.error().message.starts_with(current + ": offset 0: "));
  CHECK_SAME(manifests_in(store.fs), before);
}

TEST_CASE("a manifest that is missing or of another store is refused",
          "[2.4][task-4][core]") {
  STORY("Remove the manifest; put another store's in its place.");
  INVARIANT(kStrict);
  Folder store;
  Folder other;
  ManifestState foreign = new_store();
  foreign.store_id++;
  REQUIRE_OK(Manifest::create(store.fs, kFolder, store.numbers, new_store()));
  REQUIRE_OK(Manifest::create(other.fs, kFolder, other.numbers, foreign));
  const std::string path = kFolder + "/000001.manifest";
  const auto bytes = read_file(other.fs, path);
  REQUIRE_OK(bytes);
  REQUIRE_OK(store.fs.remove(path));
  const auto missing = read_manifest(store.fs, kFolder);
  CHECK_ERROR(missing, Code::corruption);
  if (!missing) CHECK(missing.error().message.find(path) != std::string::npos);
  auto file = store.fs.open(path, FileSystem::Mode::create);
  REQUIRE_OK(file);
  REQUIRE_OK((*file)->append(*bytes));
  CHECK_ERROR(read_manifest(store.fs, kFolder), Code::corruption);
}

TEST_CASE("an edit on disk that cannot be is corruption at its offset",
          "[2.4][task-4][core]") {
  STORY(
      "Append, behind the manifest's back, a table that is there already; then "
      "a record that is no edit.");
  INVARIANT("errors of read_manifest: corruption naming file and offset");
  for (const std::string& wrong :
       {encode_edit(added(2, table(20, "c", "d"))), std::string("no edit")}) {
    INFO("the record: " << quoted(wrong));
    Folder store;
    store.numbers.skip_past(20);
    const auto manifest =
        Manifest::create(store.fs, kFolder, store.numbers, new_store());
    REQUIRE_OK(manifest);
    const std::string path =
        file_path(kFolder, FileKind::manifest, (*manifest)->number());
    REQUIRE_OK(store.fs.remove(path));
    auto writer = LogWriter::create(store.fs, path,
                                    {kStore, (*manifest)->number()}, 1000);
    REQUIRE_OK(writer);
    REQUIRE_OK((*writer)->append(encode_edit(added(1, table(20, "a", "b")))));
    const std::uint64_t offset = (*writer)->size_bytes();
    REQUIRE_OK((*writer)->append(wrong));
    REQUIRE_OK((*writer)->sync());
    const auto seen = read_manifest(store.fs, kFolder);
    CHECK_ERROR(seen, Code::corruption);
    if (seen) continue;
    const std::string place = path + ": offset " + std::to_string(offset);
    INFO("to be named: " << place);
    INFO("message: " << seen.error().message);
    CHECK(seen.error().message.starts_with(place));
  }
}

TEST_CASE("a manifest without an edit is no empty store",
          "[2.4][task-4][core]") {
  STORY("The manifest holds a header and a seal, and not one edit.");
  INVARIANT(
      "I3 of manifest.h: the first edit was durable before CURRENT named the "
      "file");
  Folder store;
  {
    const auto manifest =
        Manifest::create(store.fs, kFolder, store.numbers, new_store());
    REQUIRE_OK(manifest);
    const std::uint64_t number = (*manifest)->number();
    REQUIRE_OK(store.fs.remove(manifest_path(number)));
    const auto writer = LogWriter::create(store.fs, manifest_path(number),
                                          {kStore, number}, 1000);
    REQUIRE_OK(writer);
    REQUIRE_OK((*writer)->seal());
  }
  CHECK_ERROR(read_manifest(store.fs, kFolder), Code::corruption);
}

TEST_CASE("CURRENT is text with a checksum", "[2.4][task-4][gold]") {
  STORY("Read CURRENT; flip each of its bits; cut it; extend it; empty it.");
  INVARIANT("what CURRENT says must verify");
  Folder store;
  REQUIRE_OK(Manifest::create(store.fs, kFolder, store.numbers, new_store()));
  const std::string path = join_path(kFolder, kCurrentName);
  const auto text = read_file(store.fs, path);
  REQUIRE_OK(text);
  CHECK_SAME(text->starts_with("000001.manifest store 00000000c0ffee42 "),
             true);
  for (std::uint64_t bit = 0; bit < text->size() * 8; ++bit) {
    REQUIRE_OK(store.fs.flip_bit(path, bit));
    INFO("flipped: bit " << bit);
    CHECK_ERROR(read_manifest(store.fs, kFolder), Code::corruption);
    REQUIRE_OK(store.fs.flip_bit(path, bit));
  }
  CHECK_OK(read_manifest(store.fs, kFolder));
  for (std::size_t size = text->size(); size-- > 0;) {
    REQUIRE_OK(store.fs.truncate_to(path, size));
    CHECK_ERROR(read_manifest(store.fs, kFolder), Code::corruption);
  }
}

TEST_CASE("no flip in a manifest changes what it says", "[2.4][task-4][gold]") {
  STORY("Flip each bit of a closed manifest, then of one that was not closed.");
  INVARIANT(kStrict);
  for (const bool closed : {true, false}) {
    Folder store;
    auto manifest =
        Manifest::create(store.fs, kFolder, store.numbers, new_store());
    REQUIRE_OK(manifest);
    REQUIRE_OK((*manifest)->append(added(0, table(7, "a", "m"))));
    VersionEdit edit = added(1, table(9, "a", "m"));
    edit.removed = {{0, 7}};
    REQUIRE_OK((*manifest)->append(edit));
    if (closed) REQUIRE_OK((*manifest)->close());
    manifest->reset();  // its window would hide the damage
    const ManifestState whole = read_state(store.fs);
    const std::string path = kFolder + "/000001.manifest";
    const auto bytes = read_file(store.fs, path);
    REQUIRE_OK(bytes);
    const std::uint64_t used = bytes->find_last_not_of('\0') + 1;
    // A short tail of zeros does as well as a long one, and reads faster.
    REQUIRE_OK(store.fs.truncate_to(
        path, std::min<std::uint64_t>(bytes->size(), used + 64)));
    int refused = 0;
    for (std::uint64_t bit = 0; bit < used * 8; ++bit) {
      REQUIRE_OK(store.fs.flip_bit(path, bit));
      const auto seen = read_manifest(store.fs, kFolder);
      INFO("flipped: bit " << bit % 8 << " of byte " << bit / 8);
      if (seen) {
        REQUIRE(seen->has_value());
        CHECK_SAME(**seen == whole, true);  // only a mark or the seal
      } else {
        CHECK_ERROR(seen, Code::corruption);
        ++refused;
      }
      REQUIRE_OK(store.fs.flip_bit(path, bit));
    }
    CHECK(refused > 0);
  }
}

TEST_CASE("a manifest cut short never makes states up", "[2.4][task-4][gold]") {
  STORY("Cut a manifest of three edits at every byte; read.");
  INVARIANT(kStrict);
  Folder store;
  auto manifest =
      Manifest::create(store.fs, kFolder, store.numbers, new_store());
  REQUIRE_OK(manifest);
  std::vector<Numbers> states = {{}};
  for (const std::uint64_t number : {7u, 9u}) {
    REQUIRE_OK((*manifest)->append(added(0, table(number, "a", "m"))));
    states.push_back(numbers_of(read_state(store.fs).files));
  }
  manifest->reset();
  const std::string path = kFolder + "/000001.manifest";
  const auto bytes = read_file(store.fs, path);
  REQUIRE_OK(bytes);
  std::uint64_t refused = 0;
  for (std::uint64_t size = bytes->find_last_not_of('\0') + 1; size-- > 0;) {
    REQUIRE_OK(store.fs.truncate_to(path, size));
    const auto seen = read_manifest(store.fs, kFolder);
    INFO("size: " << size);
    if (seen) {
      REQUIRE(seen->has_value());
      CHECK(std::ranges::find(states, numbers_of((**seen).files)) !=
            states.end());
    } else {
      CHECK_ERROR(seen, Code::corruption);
      ++refused;
    }
  }
  // The first edit has 6 bytes, at 48; a mark must stand whole behind it.
  CHECK(refused >= 54 + 24);
}

namespace {

// Opens the store of `fs` and commits three edits, as an engine does. Says
// what was acknowledged and what was tried last.
struct Session {
  // The tables a reader may find, oldest first: the acknowledged ones, then
  // what was tried and not acknowledged.
  std::vector<Numbers> possible;
  bool exists = false;  // the first creation was acknowledged

  void run(FileSystem& fs) {
    FileNumbers numbers;
    const auto names = fs.list(kFolder);
    if (!names) return;
    for (const std::string& name : *names) {
      if (const auto file = parse_file_name(name)) {
        numbers.skip_past(file->number);
      }
    }
    const auto found = read_manifest(fs, kFolder);
    if (!found) return;
    ManifestState state = found->value_or(new_store());
    numbers.skip_past(state.next_file_number - 1);
    const auto manifest = Manifest::create(fs, kFolder, numbers, state);
    if (!manifest) return;
    exists = true;
    Numbers tables = numbers_of(state.files);
    for (int i = 0; i < 3; ++i) {
      const std::uint64_t number = numbers.take();
      tables.push_back(number);
      possible.push_back(tables);
      if (!(*manifest)->append(added(0, table(number, "a", "m")))) return;
      possible = {tables};
    }
    if (!(*manifest)->close()) return;
  }
};

void check_image(FileSystem& fs, Session& session) {
  INVARIANT(kCurrent);
  const auto seen = read_manifest(fs, kFolder);
  REQUIRE_OK(seen);
  if (!seen->has_value()) {
    REQUIRE_SAME(session.exists, false);
    return;
  }
  const Numbers tables = numbers_of((**seen).files);
  INFO("found: " << show(tables));
  INFO("possible: " << show(session.possible));
  REQUIRE(std::ranges::find(session.possible, tables) !=
          session.possible.end());
  session.possible = {tables};
  session.exists = true;
}

}  // namespace

TEST_CASE("a power cut at any operation, and another in what follows",
          "[2.4][task-4][gold]") {
  STORY(
      "Open, commit three tables, close; the power fails at each operation; "
      "open again, with another failure at each operation; read.");
  SEEDED_RANDOM(random, 240);
  for (const CrashModel model : {CrashModel::ordered, CrashModel::any_subset}) {
    Folder whole;
    Session sound;
    const std::uint64_t before = whole.fs.operations();
    sound.run(whole.fs);
    const std::uint64_t operations = whole.fs.operations() - before;
    for (std::uint64_t cut = 1; cut <= operations + 1; ++cut) {
      INFO("first power cut at operation " << cut);
      Folder store;
      Session session;
      session.possible = {{}};
      store.fs.cut_power_at(store.fs.operations() + cut);
      session.run(store.fs);
      store.fs.power_cycle(model, random.next());
      check_image(store.fs, session);
      for (std::uint64_t next = 1; next <= operations + 1; next += 1) {
        INFO("second power cut at operation " << next);
        const auto image = store.fs.clone();
        Session second = session;
        image->cut_power_at(image->operations() + next);
        second.run(*image);
        image->power_cycle(model, random.next());
        check_image(*image, second);
      }
    }
  }
}

TEST_CASE("a fault at any operation loses nothing that was acknowledged",
          "[2.4][task-4][gold]") {
  STORY(
      "Each operation fails in turn, once or from then on, having done its "
      "work or not; then the power fails; read.");
  SEEDED_RANDOM(random, 241);
  Folder whole;
  FaultFileSystem counter(whole.fs);
  Session sound;
  sound.run(counter);
  const std::uint64_t operations = counter.operations();
  for (const auto effect :
       {Fault::Effect::none, Fault::Effect::half, Fault::Effect::done}) {
    for (std::uint64_t nth = 1; nth <= operations; ++nth) {
      INFO("fault at operation " << nth);
      Folder store;
      FaultFileSystem fs(store.fs);
      Session session;
      session.possible = {{}};
      fs.inject({.nth = nth, .sticky = random.one_in(2), .effect = effect});
      session.run(fs);
      store.fs.power_cycle(CrashModel::ordered, random.next());
      check_image(store.fs, session);
      CHECK_SAME(fs.open_handles(), 0);
    }
  }
}

// Task 5: growth.

TEST_CASE("a manifest that has grown is begun anew", "[2.4][task-5][gold]") {
  STORY("Append and remove tables with keys of 60 KB, 60 times; read.");
  INVARIANT(kCurrent);
  Folder store;
  auto manifest =
      Manifest::create(store.fs, kFolder, store.numbers, new_store());
  REQUIRE_OK(manifest);
  const std::uint64_t first = (*manifest)->number();
  std::uint64_t last = 0;
  for (int i = 0; i < 60; ++i) {
    VersionEdit edit =
        added(1, table(store.numbers.take(), "a", std::string(60'000, 'k')));
    if (last != 0) edit.removed.push_back({1, last});
    last = edit.added[0].file.number;
    REQUIRE_OK((*manifest)->append(edit));
  }
  CHECK_SAME(numbers_of(read_state(store.fs).files), Numbers{last});
  INVARIANT(kOldMayGo);
  CHECK_SAME(manifests_in(store.fs).size(), 1u);
  INVARIANT(kBounded);
  CHECK((*manifest)->number() > first);
  const auto bytes = read_file(
      store.fs, file_path(kFolder, FileKind::manifest, (*manifest)->number()));
  REQUIRE_OK(bytes);
  CHECK(bytes->size() < 3 << 20);
}

TEST_CASE("a long life leaves a short manifest", "[2.4][task-5][gold]") {
  STORY(
      "A tree of 100 tables, one of them replaced at a time, 20,000 times (a "
      "million at LSM_TEST_SCALE=50).");
  INVARIANT(kBounded);
  Folder store;
  auto manifest =
      Manifest::create(store.fs, kFolder, store.numbers, new_store());
  REQUIRE_OK(manifest);
  std::uint64_t number = (*manifest)->number();
  std::size_t manifests = 1;
  std::vector<std::uint64_t> slots(100);
  const std::size_t edits = scaled(20'000);
  for (std::size_t i = 0; i < edits; ++i) {
    std::uint64_t& slot = slots[i % slots.size()];
    const std::string key = std::to_string(1000 + i % slots.size());
    VersionEdit edit;
    if (slot != 0) edit.removed = {{1, slot}};
    slot = store.numbers.take();
    edit.added = {{1, table(slot, key, key)}};
    edit.last_sequence = i;
    REQUIRE_OK((*manifest)->append(edit));
    if ((*manifest)->number() == number) continue;
    number = (*manifest)->number();
    ++manifests;
    INVARIANT(kOldMayGo);
    REQUIRE_SAME(manifests_in(store.fs).size(), 1u);
  }
  INVARIANT(kBounded);
  const auto seen = manifest_in_use(store.fs);
  REQUIRE(seen.has_value());
  CHECK(seen->end.offset < 1'100'000);
  // Edits of some 50 bytes, each with its marks: about a hundred bytes.
  CHECK(manifests <= 2 + edits * 200 / (1 << 20));
  std::ranges::sort(slots);
  std::erase(slots, 0u);
  CHECK_SAME(numbers_of(read_state(store.fs).files) == slots, true);
}

namespace {

// Appends that many edits; the manifests they went into, one after the other.
Numbers manifests_of_small_edits(Manifest& manifest, FileNumbers& numbers,
                                 int edits) {
  Numbers manifests = {manifest.number()};
  for (int i = 0; i < edits; ++i) {
    REQUIRE_OK(manifest.append(added(0, table(numbers.take(), "a", "b"))));
    if (manifest.number() != manifests.back()) {
      manifests.push_back(manifest.number());
    }
  }
  return manifests;
}

}  // namespace

TEST_CASE("a large sum is not written again at every edit",
          "[2.4][task-5][gold]") {
  STORY("Begin with 30 tables whose keys have 60 KB; append 20 small edits.");
  INVARIANT(kOnlyThen);
  Folder store;
  ManifestState start = new_store();
  for (std::uint64_t i = 0; i < 30; ++i) {
    start.files.push_back(
        {0, table(store.numbers.take(), "a", std::string(60'000, 'k'))});
  }
  auto manifest = Manifest::create(store.fs, kFolder, store.numbers, start);
  REQUIRE_OK(manifest);
  const Numbers manifests =
      manifests_of_small_edits(**manifest, store.numbers, 20);
  INFO("their numbers, one after the other: " << show(manifests));
  CHECK_SAME(manifests.size(), 1u);  // it began with 1.8 MB
  CHECK_SAME(read_state(store.fs).files.size(), 50u);
}

namespace {

VersionEdit large_edit(std::uint64_t number, std::uint64_t replaced) {
  VersionEdit edit = added(1, table(number, "a", std::string(60'000, 'k')));
  if (replaced != 0) edit.removed.push_back({1, replaced});
  return edit;
}

// Replaces a table of level 1, 18 times: 18 edits of 60 KB are more than 1 MiB,
// 17 are not, and the sum is one of them. The next append rolls.
std::uint64_t grow(Manifest& manifest, FileNumbers& numbers, int edits = 18) {
  std::uint64_t last = 0;
  for (int i = 0; i < edits; ++i) {
    const std::uint64_t number = numbers.take();
    REQUIRE_OK(manifest.append(large_edit(number, last)));
    last = number;
  }
  return last;
}

}  // namespace

TEST_CASE("after a roll that failed nothing is acknowledged",
          "[2.4][task-5][gold]") {
  STORY(
      "A manifest has grown; each operation of the next append fails once; "
      "append a second table; read.");
  INVARIANT(kFirstError);
  bool done = false;
  for (std::uint64_t nth = 1; !done; ++nth) {
    INFO("fault at operation " << nth);
    Folder store;
    FaultFileSystem fs(store.fs);
    auto manifest = Manifest::create(fs, kFolder, store.numbers, new_store());
    REQUIRE_OK(manifest);
    Numbers tables = {grow(**manifest, store.numbers)};
    const std::uint64_t before = fs.operations();
    fs.inject({.nth = nth});
    const std::uint64_t first = store.numbers.take();
    const auto rolled = (*manifest)->append(added(2, table(first, "a", "b")));
    done = fs.operations() - before < nth;
    fs.lift();
    const std::uint64_t second = store.numbers.take();
    const auto later = (*manifest)->append(added(2, table(second, "c", "d")));
    if (rolled) {
      CHECK_OK(later);
      tables.insert(tables.end(), {first, second});
    } else {
      CHECK_ERROR(later, Code::io);
    }
    manifest->reset();
    Numbers seen = numbers_of(read_state(store.fs).files);
    if (!rolled) std::erase(seen, first);  // tried, and not acknowledged
    CHECK_SAME(seen, tables);
  }
}

TEST_CASE("an edit that failed is in no later manifest",
          "[2.4][task-5][gold]") {
  STORY(
      "The edit that makes a manifest grow past its bound fails at an fsync; "
      "the next append would roll.");
  INVARIANT(kFirstError);
  for (const std::uint64_t nth : {1u, 2u}) {
    INFO("fault at fsync " << nth);
    Folder store;
    FaultFileSystem fs(store.fs);
    auto manifest = Manifest::create(fs, kFolder, store.numbers, new_store());
    REQUIRE_OK(manifest);
    const std::uint64_t last = grow(**manifest, store.numbers, 17);
    const std::vector<std::string> before = manifests_in(store.fs);
    fs.inject({.kinds = kSync, .nth = nth});
    CHECK_ERROR((*manifest)->append(large_edit(store.numbers.take(), last)),
                Code::io);
    fs.lift();
    CHECK_ERROR(
        (*manifest)->append(added(2, table(store.numbers.take(), "a", "b"))),
        Code::io);
    CHECK_SAME(manifests_in(store.fs), before);
  }
}

TEST_CASE("an old manifest that cannot be removed stops nothing",
          "[2.4][task-5][gold]") {
  STORY("A manifest has grown; the next append rolls; the removal fails.");
  INVARIANT(kOldMayGo);
  Folder store;
  FaultFileSystem fs(store.fs);
  auto manifest = Manifest::create(fs, kFolder, store.numbers, new_store());
  REQUIRE_OK(manifest);
  const std::uint64_t last = grow(**manifest, store.numbers);
  fs.inject({.kinds = kRemove});
  const std::uint64_t number = store.numbers.take();
  CHECK_OK((*manifest)->append(added(2, table(number, "a", "b"))));
  CHECK_OK((*manifest)->append(removed(1, last)));
  CHECK_SAME(manifests_in(store.fs).size(), 2u);
  CHECK_SAME(numbers_of(read_state(store.fs).files), Numbers{number});
}

TEST_CASE("a sum that has become large is not written again at every edit",
          "[2.4][task-5][gold]") {
  STORY("A new store; add 30 tables whose keys have 60 KB; 20 small edits.");
  INVARIANT(kOnlyThen);
  Folder store;
  auto manifest =
      Manifest::create(store.fs, kFolder, store.numbers, new_store());
  REQUIRE_OK(manifest);
  VersionEdit large;
  for (int i = 0; i < 30; ++i) {
    large.added.push_back(
        {0, table(store.numbers.take(), "a", std::string(60'000, 'k'))});
  }
  REQUIRE_OK((*manifest)->append(large));
  const Numbers manifests =
      manifests_of_small_edits(**manifest, store.numbers, 20);
  INFO("their numbers, one after the other: " << show(manifests));
  CHECK_SAME(manifests.size(), 2u);  // the second began with 1.8 MB
}

TEST_CASE("a manifest grows to twice what it began with, not further",
          "[2.4][task-5][gold]") {
  STORY("Begin with 10 tables of 60 KB keys; replace one at a time, 40 times.");
  INVARIANT(kBounded);
  Folder store;
  ManifestState start = new_store();
  for (int i = 0; i < 10; ++i) {
    start.files.push_back(
        {0, table(store.numbers.take(), "a", std::string(60'000, 'k'))});
  }
  auto manifest = Manifest::create(store.fs, kFolder, store.numbers, start);
  REQUIRE_OK(manifest);
  std::vector<VersionEdit::Added> tables = start.files;
  for (std::size_t i = 0; i < 40; ++i) {
    VersionEdit::Added& slot = tables[i % tables.size()];
    VersionEdit edit = removed(0, slot.file.number);
    slot.file.number = store.numbers.take();
    edit.added = {slot};
    REQUIRE_OK((*manifest)->append(edit));
    // Ten tables are begun with 600 KB and some; an edit has 60 KB and some.
    CHECK(manifest_in_use(store.fs)->end.offset < 1'270'000);
  }
}

TEST_CASE("a crash or a fault while a grown manifest is begun anew",
          "[2.4][task-5][gold]") {
  STORY(
      "One edit of 1.2 MB is there, the next one rolls; the power fails at "
      "each "
      "operation, or the operation fails and the power later.");
  INVARIANT(kCurrent);
  VersionEdit large;
  Numbers before;
  for (std::uint64_t number = 100; number < 120; ++number) {
    large.added.push_back({0, table(number, "a", std::string(60'000, 'k'))});
    before.push_back(number);
  }
  Numbers after = before;
  after.push_back(200);
  for (const bool cut : {true, false}) {
    bool done = false;
    for (std::uint64_t nth = 1; !done; ++nth) {
      INFO((cut ? "power cut" : "fault") << " at operation " << nth);
      Folder store;
      store.numbers.skip_past(200);
      FaultFileSystem fs(store.fs);
      auto manifest = Manifest::create(fs, kFolder, store.numbers, new_store());
      REQUIRE_OK(manifest);
      REQUIRE_OK((*manifest)->append(large));
      if (cut) store.fs.cut_power_at(store.fs.operations() + nth);
      if (!cut) fs.inject({.nth = nth, .effect = Fault::Effect::half});
      const std::uint64_t operations = fs.operations();
      const bool acknowledged =
          (*manifest)->append(added(1, table(200, "a", "b"))).has_value();
      done = cut ? acknowledged : fs.operations() - operations < nth;
      manifest->reset();
      store.fs.power_cycle(CrashModel::ordered, nth);
      const Numbers seen = numbers_of(read_state(store.fs).files);
      REQUIRE((seen == after || (!acknowledged && seen == before)));
    }
  }
}

}  // namespace lsm::test
