// Day 1.5, the read path: which table of a run, which source first, one scan
// over all of them, and the cell where readers find the current Version.
// Entries are written as on the page: "a@5=new b@3" puts a = new at sequence 5
// and removes b at 3.
#include "version.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/block_cache.h"
#include "base/bytes.h"
#include "base/fault_file_system.h"
#include "base/file_names.h"
#include "base/filter_policy.h"
#include "base/sim_file_system.h"
#include "support/catch.h"
#include "support/iterator_contract.h"
#include "support/model.h"
#include "support/random.h"
#include "support/teach.h"
#include "support/threads.h"
#include "table_builder.h"
#include "tree.h"

namespace lsm::test {
namespace {

using Entries = std::vector<Entry>;
using Strings = std::vector<std::string>;

void sort_entries(Entries& entries) {
  std::ranges::sort(entries, [](const Entry& a, const Entry& b) {
    return compare(a.first.view(), b.first.view()) < 0;
  });
}

// "a@5=new b@3" as entries, in the order of internal keys.
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

// A filter that is never wrong, and counts how often it is asked.
class ExactFilter final : public FilterPolicy {
 public:
  std::string_view name() const override { return "exact"; }
  std::string build(std::span<const std::uint64_t> hashes) const override {
    std::string filter;
    for (const std::uint64_t hash : hashes)
      append_u64(filter, hash);
    return filter;
  }
  bool may_contain(std::string_view filter, std::uint64_t hash) const override {
    ++asked;
    for (std::size_t i = 0; i + 8 <= filter.size(); i += 8) {
      if (load_u64(filter.data() + i) == hash) return true;
    }
    return false;
  }

  mutable std::atomic<int> asked{0};
};

// A store's disk, on which a test lays tables and memtables by hand.
struct Shelf {
  Shelf() {
    REQUIRE_OK(fs.create_dir("db"));
    auto shared = std::make_shared<TableStore>();
    shared->fs = std::shared_ptr<FileSystem>(&fs, [](FileSystem*) {});
    shared->folder = "db";
    shared->store_id = 77;
    shared->filter = filter;
    shared->cache = make_no_cache();
    shared->on_obsolete = [this](std::uint64_t number) {
      obsolete.push_back(number);
    };
    store = shared;
    tree = std::make_shared<const Tree>(store);
  }

  FileMeta write_table(const Entries& entries) {
    const std::uint64_t number = next_number++;
    auto builder = TableBuilder::create(
        fs, file_path("db", FileKind::table, number), {77, number},
        {256, Compression::none, filter.get()});
    REQUIRE_OK(builder);
    for (const auto& [key, value] : entries)
      REQUIRE_OK((*builder)->add(key.view(), value));
    Result<FileMeta> meta = (*builder)->finish();
    REQUIRE_OK(meta);
    return *meta;
  }

  // One run, one table a text, into `level`. Returns the tables' numbers.
  std::vector<std::uint64_t> add_run(int level,
                                     const std::vector<Entries>& tables) {
    VersionEdit edit;
    std::vector<std::uint64_t> numbers;
    for (const Entries& entries : tables) {
      FileMeta meta = write_table(entries);
      numbers.push_back(meta.number);
      if (level == 0) meta.run = numbers.front();
      edit.added.push_back({level, std::move(meta)});
    }
    apply(edit);
    return numbers;
  }
  std::uint64_t add_table(int level, std::string_view entries) {
    return add_run(level, {parse(entries)}).front();
  }
  void apply(const VersionEdit& edit) {
    Result<TreePtr> next = tree->apply(edit);
    REQUIRE_OK(next);
    tree = std::move(*next);
  }

  std::uint64_t opens() const { return fs.operations(kOpen); }
  std::uint64_t reads() const { return fs.operations(kRead); }

  SimFileSystem disk;
  FaultFileSystem fs{disk};
  std::shared_ptr<ExactFilter> filter = std::make_shared<ExactFilter>();
  std::vector<std::uint64_t> obsolete;
  std::shared_ptr<const TableStore> store;
  TreePtr tree;
  std::uint64_t next_number = 1;
};

std::shared_ptr<MemTable> memtable(const Entries& entries,
                                   std::uint64_t log_number = 1) {
  auto made = std::make_shared<MemTable>(log_number, 4096);
  for (const auto& [key, value] : entries) {
    made->add(key.view().sequence(), key.view().kind(), key.user(), value);
  }
  return made;
}
std::shared_ptr<MemTable> memtable(std::string_view entries = "") {
  return memtable(parse(entries));
}

// What a get answers, as text.
std::string read(const Version& version, std::string_view key,
                 Sequence at = kMaxSequence) {
  std::string value;
  const Result<bool> found = version.get(key, at, value);
  if (!found) return "error: " + found.error().message;
  return *found ? value : "(absent)";
}

// "a=1 c=3": what a walk over `rows` shows.
std::string text(const std::vector<Row>& rows) {
  std::string all;
  for (const auto& [key, value] : rows) {
    all += (all.empty() ? "" : " ") + key + "=" + value;
  }
  return all;
}
std::vector<Row> walk_forward(UserIterator& entry) {
  std::vector<Row> rows;
  for (entry.seek_to_first(); entry.valid(); entry.next()) {
    rows.emplace_back(entry.key(), entry.value());
  }
  return rows;
}
std::vector<Row> walk_backward(UserIterator& entry) {
  std::vector<Row> rows;
  for (entry.seek_to_last(); entry.valid(); entry.prev()) {
    rows.emplace_back(entry.key(), entry.value());
  }
  return rows;
}

// Forward and backward walk, which must show the same rows.
std::string walk(const Version& version, Sequence at = kMaxSequence,
                 const ScanRange& range = {}) {
  const auto entry = scan(std::make_shared<const Version>(version), at, range);
  const std::vector<Row> forward = walk_forward(*entry);
  CHECK_OK(entry->status());
  std::vector<Row> backward = walk_backward(*entry);
  CHECK_OK(entry->status());
  std::ranges::reverse(backward);
  CHECK_SAME(text(backward), text(forward));
  return text(forward);
}

// The number of the table that a run would ask, 0 for none.
std::uint64_t found_in(const Run& run, std::string_view key) {
  const TableHandle* handle = run.find(key);
  return handle == nullptr ? 0 : handle->meta()->number;
}

}  // namespace

// Task 1: Run::find.

TEST_CASE("a run knows the one table that may hold a key",
          "[1.5][task-1][core]") {
  STORY("A run of three tables: b … d, f … h, j … m. Keys inside each.");
  INVARIANT("I1 of tree.h: the tables of a run are sorted and disjoint");
  Shelf shelf;
  const auto numbers =
      shelf.add_run(1, {parse("b@1=1 c@2=2 d@3=3"), parse("f@4=4 g@5=5 h@6=6"),
                        parse("j@7=7 k@8=8 m@9=9")});
  const Run& run = *shelf.tree->level(1).front();
  CHECK_SAME(found_in(run, "c"), numbers[0]);
  CHECK_SAME(found_in(run, "g"), numbers[1]);
  CHECK_SAME(found_in(run, "k"), numbers[2]);
  // Within the range of a table, whether it is in there or not.
  CHECK_SAME(found_in(run, "gg"), numbers[1]);
  CHECK_SAME(found_in(run, "l"), numbers[2]);
}

TEST_CASE("a table's smallest and largest keys are in it",
          "[1.5][task-1][core]") {
  STORY("The same run; the keys b, d, f, h, j, m: each table's two ends.");
  INVARIANT("I1 of file_meta.h: smallest and largest are in the table");
  Shelf shelf;
  const auto numbers =
      shelf.add_run(1, {parse("b@1=1 c@2=2 d@3=3"), parse("f@4=4 g@5=5 h@6=6"),
                        parse("j@7=7 k@8=8 m@9=9")});
  const Run& run = *shelf.tree->level(1).front();
  CHECK_SAME(found_in(run, "b"), numbers[0]);
  CHECK_SAME(found_in(run, "d"), numbers[0]);
  CHECK_SAME(found_in(run, "f"), numbers[1]);
  CHECK_SAME(found_in(run, "h"), numbers[1]);
  CHECK_SAME(found_in(run, "j"), numbers[2]);
  CHECK_SAME(found_in(run, "m"), numbers[2]);
}

TEST_CASE("a key before, between or after the tables is in none",
          "[1.5][task-1][core]") {
  STORY("The same run; a, e, i and z lie outside every table.");
  INVARIANT("find: the one table that may hold the key, or null");
  Shelf shelf;
  shelf.add_run(1, {parse("b@1=1 c@2=2 d@3=3"), parse("f@4=4 g@5=5 h@6=6"),
                    parse("j@7=7 k@8=8 m@9=9")});
  const Run& run = *shelf.tree->level(1).front();
  for (const char* key : {"", "a", "ab", "dd", "e", "i", "mm", "z"}) {
    INFO("key " << quoted(key));
    CHECK_SAME(found_in(run, key), std::uint64_t{0});
  }
}

TEST_CASE("the boundaries of a table are compared as bytes, without a tag",
          "[1.5][task-1][core]") {
  STORY(
      "A table of one key in three versions, one that begins with the empty "
      "key, and one that ends with \\xff.");
  INVARIANT("I2 of tree_shape.h: a key's versions never span two tables");
  Shelf shelf;
  const auto first =
      shelf.add_run(1, {parse("@1=empty a@2=1"), parse("k@9=new k@5 k@3=old"),
                        parse("\x80@4=4 \xff@6=6")});
  const Run& run = *shelf.tree->level(1).front();
  CHECK_SAME(found_in(run, ""), first[0]);
  CHECK_SAME(found_in(run, "k"), first[1]);
  CHECK_SAME(found_in(run, std::string_view("k\0", 2)), std::uint64_t{0});
  CHECK_SAME(found_in(run, "\x7f"), std::uint64_t{0});
  CHECK_SAME(found_in(run, "\x80"), first[2]);
  CHECK_SAME(found_in(run, "\xff"), first[2]);
  CHECK_SAME(found_in(run, "\xff\xff"), std::uint64_t{0});
}

TEST_CASE("find agrees with a look at every table", "[1.5][task-1][core]") {
  STORY("A run of 40 tables with random boundaries; 2,000 random keys.");
  INVARIANT("find: the one table that may hold the key, or null");
  SEEDED_RANDOM(random, 51);
  Shelf shelf;
  std::map<std::string, Entries> keys;
  while (keys.size() < 120) {
    const std::string key = random.text(random.between(1, 4), "abcd");
    keys[key] = parse(key + "@1=x");
  }
  std::vector<Entries> tables;
  for (const auto& [key, entries] : keys) {
    if (tables.empty() || tables.back().size() == 3) tables.emplace_back();
    tables.back().push_back(entries.front());
  }
  shelf.add_run(2, tables);
  const Run& run = *shelf.tree->level(2).front();
  for (std::size_t i = 0; i < scaled(2000); ++i) {
    const std::string key = random.text(random.below(6), "abcde");
    std::uint64_t expected = 0;
    for (const TableHandlePtr& table : run.tables()) {
      if (table->meta()->smallest.user() <= key &&
          key <= table->meta()->largest.user()) {
        expected = table->meta()->number;
      }
    }
    INFO("key " << quoted(key));
    REQUIRE_SAME(found_in(run, key), expected);
  }
}

// Task 2: Version::get.

namespace {

// The store that version.h draws.
Version drawn_version(Shelf& shelf) {
  shelf.add_run(2, {parse("ant@1=idle"), parse("yak@2=wild")});
  shelf.add_table(0, "kiwi@3=soft fig@4=ripe");
  shelf.add_table(0, "kiwi@5 ant@6=busy");
  return {memtable("fig@9=red"), {memtable("yak@7 kiwi@8=hard")}, shelf.tree};
}

}  // namespace

TEST_CASE("the reads that version.h draws", "[1.5][task-2][core]") {
  STORY("The store of the header's picture; kiwi, yak and bee are read.");
  INVARIANT("I1 the first hit is the newest version");
  Shelf shelf;
  const Version version = drawn_version(shelf);
  CHECK_SAME(read(version, "kiwi", 9), "hard");
  CHECK_SAME(read(version, "kiwi", 7), "(absent)");
  CHECK_SAME(read(version, "kiwi", 4), "soft");
  CHECK_SAME(read(version, "yak", 9), "(absent)");
  CHECK_SAME(read(version, "yak", 6), "wild");
  CHECK_SAME(read(version, "bee", 9), "(absent)");
}

TEST_CASE("every source is asked", "[1.5][task-2][core]") {
  STORY(
      "Six keys, each in another place: active, two frozen memtables, two "
      "runs of level 0, level 3.");
  INVARIANT("I1 sources are asked newest first");
  Shelf shelf;
  shelf.add_table(3, "f@1=level3 ff@2=x");
  shelf.add_table(0, "e@3=older-run");
  shelf.add_table(0, "d@4=newer-run");
  const Version version{memtable("a@9=active"),
                        {memtable("b@8=frozen"), memtable("c@7=older")},
                        shelf.tree};
  CHECK_SAME(read(version, "a"), "active");
  CHECK_SAME(read(version, "b"), "frozen");
  CHECK_SAME(read(version, "c"), "older");
  CHECK_SAME(read(version, "d"), "newer-run");
  CHECK_SAME(read(version, "e"), "older-run");
  CHECK_SAME(read(version, "f"), "level3");
  CHECK_SAME(read(version, "fe"), "(absent)");
  CHECK_SAME(read(version, "g"), "(absent)");
}

TEST_CASE("the newest source that knows the key answers",
          "[1.5][task-2][core]") {
  STORY(
      "k is in all of seven sources; one after another, from the newest on, "
      "they are left out.");
  INVARIANT("I1 the first hit is the newest version");
  Shelf shelf;
  shelf.add_table(5, "k@1=level5");
  Version version{memtable(), {}, shelf.tree};
  CHECK_SAME(read(version, "k"), "level5");
  shelf.add_table(1, "k@2=level1");
  version.tree = shelf.tree;
  CHECK_SAME(read(version, "k"), "level1");
  shelf.add_table(0, "k@3=run-old");
  version.tree = shelf.tree;
  CHECK_SAME(read(version, "k"), "run-old");
  shelf.add_table(0, "k@4=run-new");
  version.tree = shelf.tree;
  CHECK_SAME(read(version, "k"), "run-new");
  version.frozen = {memtable("k@5=frozen-old")};
  CHECK_SAME(read(version, "k"), "frozen-old");
  version.frozen.insert(version.frozen.begin(), memtable("k@6=frozen-new"));
  CHECK_SAME(read(version, "k"), "frozen-new");
  version.active = memtable("k@7=active");
  CHECK_SAME(read(version, "k"), "active");
}

TEST_CASE("the runs of level 0 overlap, and each is asked",
          "[1.5][task-2][core]") {
  STORY(
      "Two runs of level 0, a … z and a … z: the newer holds a, m, z, the "
      "older b, m, y.");
  INVARIANT("I1 of tree.h: level 0 is many runs, not one");
  Shelf shelf;
  shelf.add_table(0, "b@1=b m@2=old y@3=y");
  shelf.add_table(0, "a@4=a m@5=new z@6=z");
  shelf.add_table(1, "c@0=deep");
  const Version version{memtable(), {}, shelf.tree};
  CHECK_SAME(read(version, "a"), "a");
  CHECK_SAME(read(version, "b"), "b");
  CHECK_SAME(read(version, "m"), "new");
  CHECK_SAME(read(version, "y"), "y");
  CHECK_SAME(read(version, "z"), "z");
  CHECK_SAME(read(version, "c"), "deep");
  CHECK_SAME(read(version, "n"), "(absent)");
}

TEST_CASE("a run is as new as its sequences, not as its number",
          "[1.5][task-2][core]") {
  STORY(
      "k@9 lies in table 1, k@5 in table 2: a merge of old tables wrote the "
      "higher number.");
  INVARIANT("I2 an entry in an earlier run is newer");
  Shelf shelf;
  shelf.add_table(0, "k@9=new");
  shelf.add_table(0, "k@5=old");
  const Version version{memtable(), {}, shelf.tree};
  CHECK_SAME(read(version, "k"), "new");
}

TEST_CASE("a tombstone ends the search wherever it lies",
          "[1.5][task-2][core]") {
  STORY(
      "Four keys with a value in level 2, each removed in another source: "
      "active, frozen, level 0, level 1.");
  INVARIANT("I1 a tombstone is a hit that answers absent");
  Shelf shelf;
  shelf.add_table(2, "a@1=1 b@1=1 c@1=1 d@1=1 e@1=1");
  shelf.add_table(1, "d@2");
  shelf.add_table(0, "c@3");
  const Version version{memtable("a@5"), {memtable("b@4")}, shelf.tree};
  CHECK_SAME(read(version, "a"), "(absent)");
  CHECK_SAME(read(version, "b"), "(absent)");
  CHECK_SAME(read(version, "c"), "(absent)");
  CHECK_SAME(read(version, "d"), "(absent)");
  CHECK_SAME(read(version, "e"), "1");
}

TEST_CASE("an empty value is a value", "[1.5][task-2][core]") {
  STORY("a is put with an empty value in memory, b in a table.");
  INVARIANT("I1 only a tombstone answers absent");
  Shelf shelf;
  shelf.add_table(0, "b@1=");
  shelf.add_table(1, "a@0=old b@0=old");
  const Version version{memtable("a@2="), {}, shelf.tree};
  CHECK_SAME(read(version, "a"), "");
  CHECK_SAME(read(version, "b"), "");
}

TEST_CASE("a read does not see what is newer than its sequence",
          "[1.5][task-2][core]") {
  STORY(
      "k@1, k@3, k@5 (removed), k@7, k@9 in five sources, oldest deepest; "
      "read at every sequence from 0 to 10.");
  INVARIANT("I1 the newest version with sequence <= at");
  Shelf shelf;
  shelf.add_table(4, "k@1=one");
  shelf.add_table(0, "k@3=three");
  shelf.add_table(0, "k@5");
  const Version version{
      memtable("k@9=nine"), {memtable("k@7=seven")}, shelf.tree};
  const Strings expected = {"(absent)", "one",      "one",      "three",
                            "three",    "(absent)", "(absent)", "seven",
                            "seven",    "nine",     "nine"};
  for (Sequence at = 0; at <= 10; ++at) {
    INFO("at sequence " << at);
    CHECK_SAME(read(version, "k", at), expected[at]);
  }
}

TEST_CASE("a table is opened only when it is asked", "[1.5][task-2][core]") {
  STORY(
      "Level 0 holds c … e, level 1 two tables a … d and m … p; the files "
      "opened are counted.");
  INVARIANT("a handle opens its table when first asked");
  Shelf shelf;
  shelf.add_run(1, {parse("a@1=a b@1=b d@1=d"), parse("m@1=m p@1=p")});
  shelf.add_table(0, "c@2=c d@2=newer e@2=e");
  const Version version{memtable("x@9=x"), {}, shelf.tree};
  const std::uint64_t before = shelf.opens();
  CHECK_SAME(read(version, "x"), "x");         // found in memory
  CHECK_SAME(read(version, "k"), "(absent)");  // between all tables
  CHECK_SAME(shelf.opens() - before, std::uint64_t{0});
  CHECK_SAME(read(version, "d"), "newer");  // level 0 ends the search
  CHECK_SAME(shelf.opens() - before, std::uint64_t{1});
  CHECK_SAME(read(version, "m"), "m");  // one table of the run
  CHECK_SAME(shelf.opens() - before, std::uint64_t{2});
  CHECK_SAME(read(version, "b"), "b");
  CHECK_SAME(shelf.opens() - before, std::uint64_t{3});
  CHECK_SAME(read(version, "d"), "newer");
  CHECK_SAME(read(version, "p"), "p");
  CHECK_SAME(shelf.opens() - before, std::uint64_t{3});  // stays open
}

TEST_CASE("filters are asked before blocks", "[1.5][task-2][core]") {
  STORY(
      "Three tables hold a … z; kiwi is in the deepest, lemon in none. The "
      "filter of each table is exact.");
  INVARIANT("I2 of table.h: a block is read only where the filter says maybe");
  Shelf shelf;
  shelf.add_table(2, "a@1=1 kiwi@2=green z@3=1");
  shelf.add_table(1, "a@4=1 z@5=1");
  shelf.add_table(0, "a@6=1 z@7=1");
  const Version version{memtable(), {}, shelf.tree};
  CHECK_SAME(read(version, "kiwi"), "green");  // opens all three
  const std::uint64_t reads = shelf.reads();
  const int asked = shelf.filter->asked;
  CHECK_SAME(read(version, "kiwi"), "green");
  CHECK_SAME(shelf.filter->asked - asked, 3);
  CHECK_SAME(shelf.reads() - reads, std::uint64_t{1});
  CHECK_SAME(read(version, "lemon"), "(absent)");
  CHECK_SAME(shelf.filter->asked - asked, 6);
  CHECK_SAME(shelf.reads() - reads, std::uint64_t{1});
}

TEST_CASE("a table that cannot be opened is an error, not an absent key",
          "[1.5][task-2][core]") {
  STORY(
      "k is new in level 0 and old in level 1. The disk fails once; then it "
      "works again.");
  INVARIANT("I1 what could not be asked may have held the newest version");
  Shelf shelf;
  shelf.add_table(1, "k@1=old");
  shelf.add_table(0, "k@2=new");
  const Version version{memtable("a@3=a"), {}, shelf.tree};
  shelf.fs.inject({.kinds = kOpen, .sticky = true});
  std::string value;
  CHECK_ERROR(version.get("k", kMaxSequence, value), Code::io);
  CHECK_SAME(read(version, "a"), "a");
  CHECK_SAME(read(version, "z"), "(absent)");  // no table holds it
  shelf.fs.lift();
  CHECK_SAME(read(version, "k"), "new");
  shelf.fs.inject({.kinds = kRead, .sticky = true});
  CHECK_ERROR(version.get("k", kMaxSequence, value), Code::io);
  shelf.fs.lift();
  CHECK_SAME(read(version, "k"), "new");
}

TEST_CASE("a damaged block is corruption, not an absent key",
          "[1.5][task-2][core]") {
  STORY("A bit flips in the first block of level 0's table.");
  INVARIANT("I1 what could not be read may have held the newest version");
  Shelf shelf;
  shelf.add_table(1, "k@1=old");
  const std::uint64_t number = shelf.add_table(0, "k@2=new");
  REQUIRE_OK(shelf.disk.flip_bit(file_path("db", FileKind::table, number), 40));
  const Version version{memtable(), {}, shelf.tree};
  std::string value;
  CHECK_ERROR(version.get("k", kMaxSequence, value), Code::corruption);
}

// Task 3: scan.

TEST_CASE("the scans that version.h draws", "[1.5][task-3][core]") {
  STORY("The store of the header's picture, scanned at 9, 6 and 4.");
  INVARIANT("I1 a scan reads the same sources as a get");
  Shelf shelf;
  const Version version = drawn_version(shelf);
  CHECK_SAME(walk(version, 9), "ant=busy fig=red kiwi=hard");
  CHECK_SAME(walk(version, 6), "ant=busy fig=ripe yak=wild");
  CHECK_SAME(walk(version, 4), "ant=idle fig=ripe kiwi=soft yak=wild");
}

TEST_CASE("a scan merges every source", "[1.5][task-3][core]") {
  STORY(
      "Seven keys, each in another place: active, two frozen memtables, two "
      "runs of level 0, two tables of level 3, level 6.");
  INVARIANT("I1 a scan reads the same sources as a get");
  Shelf shelf;
  shelf.add_table(6, "h@1=8");
  shelf.add_run(3, {parse("b@2=2"), parse("f@3=6")});
  shelf.add_table(0, "d@4=4");
  shelf.add_table(0, "a@5=1");
  const Version version{
      memtable("g@8=7"), {memtable("c@7=3"), memtable("e@6=5")}, shelf.tree};
  CHECK_SAME(walk(version), "a=1 b=2 c=3 d=4 e=5 f=6 g=7 h=8");
}

TEST_CASE("a scan of an empty store shows nothing", "[1.5][task-3][core]") {
  STORY("An empty memtable and a tree without tables.");
  INVARIANT("I2 of base/iterator.h: past the end is invalid");
  Shelf shelf;
  const Version version{memtable(), {}, shelf.tree};
  CHECK_SAME(walk(version), "");
}

TEST_CASE("a scan shows the newest version, and hides what was removed",
          "[1.5][task-3][core]") {
  STORY(
      "a, b, c and d lie in level 2. a is overwritten in level 0, b removed "
      "there; c is removed in a frozen memtable, d overwritten in the active "
      "one.");
  INVARIANT("I1 a tombstone is a hit that answers absent");
  Shelf shelf;
  shelf.add_table(2, "a@1=old b@1=old c@1=old d@1=old e@1=old");
  shelf.add_table(0, "a@2=new b@3");
  const Version version{memtable("d@5=new"), {memtable("c@4")}, shelf.tree};
  CHECK_SAME(walk(version), "a=new d=new e=old");
}

TEST_CASE("a scan sees one sequence", "[1.5][task-3][core]") {
  STORY("The same store, scanned at sequences 1, 2 and 3.");
  INVARIANT("I1 the newest version with sequence <= at");
  Shelf shelf;
  shelf.add_table(2, "a@1=old b@1=old c@1=old d@1=old e@1=old");
  shelf.add_table(0, "a@2=new b@3");
  const Version version{memtable("d@5=new"), {memtable("c@4")}, shelf.tree};
  CHECK_SAME(walk(version, 0), "");
  CHECK_SAME(walk(version, 1), "a=old b=old c=old d=old e=old");
  CHECK_SAME(walk(version, 2), "a=new b=old c=old d=old e=old");
  CHECK_SAME(walk(version, 3), "a=new c=old d=old e=old");
}

TEST_CASE("a scan stays within its bounds", "[1.5][task-3][core]") {
  STORY("b … e of a store that holds a … f in two sources.");
  INVARIANT("lower <= key < upper");
  Shelf shelf;
  shelf.add_table(1, "a@1=1 c@1=3 e@1=5");
  const Version version{memtable("b@2=2 d@2=4 f@2=6"), {}, shelf.tree};
  CHECK_SAME(walk(version, kMaxSequence, {"b", "e"}), "b=2 c=3 d=4");
  CHECK_SAME(walk(version, kMaxSequence, {"bb", std::nullopt}),
             "c=3 d=4 e=5 f=6");
  CHECK_SAME(walk(version, kMaxSequence, {std::nullopt, "c"}), "a=1 b=2");
  CHECK_SAME(walk(version, kMaxSequence, {"x", std::nullopt}), "");
}

TEST_CASE("a scan keeps the Version and the pin alive", "[1.5][task-3][core]") {
  STORY(
      "The store drops its Version and its tree, the caller its pin, while "
      "an iterator stands on b.");
  INVARIANT("I2 what a Version names lives as long as it does");
  Shelf shelf;
  const std::uint64_t number = shelf.add_table(1, "a@1=1 c@1=3");
  auto version = std::make_shared<const Version>(
      Version{memtable("d@3=4"), {memtable("b@2=2")}, shelf.tree});
  auto pin = std::make_shared<int>(1);
  const std::weak_ptr<const Version> version_alive = version;
  const std::weak_ptr<int> pin_alive = pin;
  auto entry = scan(std::move(version), kMaxSequence, {}, std::move(pin));
  version.reset();
  pin.reset();
  VersionEdit edit;
  edit.removed.push_back({1, number});
  const TreePtr before = std::exchange(shelf.tree, nullptr);
  before->mark_removed(edit);
  REQUIRE(!version_alive.expired());
  REQUIRE(!pin_alive.expired());

  entry->seek("b");
  REQUIRE(entry->valid());
  CHECK_SAME(text(walk_forward(*entry)), "a=1 b=2 c=3 d=4");
  CHECK(shelf.obsolete.empty());
  entry.reset();
  CHECK(version_alive.expired());
  CHECK(pin_alive.expired());
}

TEST_CASE("a table that has moved stays for those who read it where it was",
          "[1.5][task-3][core]") {
  STORY(
      "A scan has not opened its table yet. The table moves down, and down "
      "again; then a compaction removes it. The scan goes on.");
  INVARIANT("I3 of tree.h: a handle lives as long as a reader names it");
  Shelf shelf;
  const std::uint64_t number = shelf.add_table(1, "a@1=1 c@1=3");
  const FileMeta file = *shelf.tree->level(1)[0]->tables()[0]->meta();
  auto entry =
      scan(std::make_shared<const Version>(Version{memtable(), {}, shelf.tree}),
           kMaxSequence, {});
  for (const int level : {1, 2, 3}) {
    VersionEdit edit;
    edit.removed.push_back({level, number});
    if (level < 3) edit.added.push_back({level + 1, file});
    const TreePtr before = shelf.tree;
    shelf.apply(edit);
    before->mark_removed(edit);
  }
  CHECK(shelf.obsolete.empty());
  entry->seek_to_first();
  REQUIRE(entry->valid());
  CHECK_SAME(text(walk_forward(*entry)), "a=1 c=3");
  entry.reset();
  CHECK_SAME(shelf.obsolete, std::vector<std::uint64_t>{number});
}

TEST_CASE("a removed table goes when the last iterator on it does",
          "[1.5][task-3][core]") {
  STORY("A compaction removes the table under a scan.");
  INVARIANT("I3 of tree.h: a handle lives as long as a reader names it");
  Shelf shelf;
  const std::uint64_t number = shelf.add_table(1, "a@1=1 c@1=3");
  auto entry =
      scan(std::make_shared<const Version>(Version{memtable(), {}, shelf.tree}),
           kMaxSequence, {});
  VersionEdit edit;
  edit.removed.push_back({1, number});
  {
    const TreePtr before = shelf.tree;
    shelf.apply(edit);
    before->mark_removed(edit);
  }
  CHECK(shelf.obsolete.empty());
  CHECK_SAME(text(walk_forward(*entry)), "a=1 c=3");
  entry.reset();
  CHECK_SAME(shelf.obsolete, std::vector<std::uint64_t>{number});
}

TEST_CASE("a scan opens one table of a run at a time", "[1.5][task-3][core]") {
  STORY("Level 1 is a run of three tables; the scan seeks into the second.");
  INVARIANT("a handle opens its table when first asked");
  Shelf shelf;
  shelf.add_run(
      1, {parse("a@1=1 b@1=2"), parse("d@1=3 e@1=4"), parse("g@1=5 h@1=6")});
  const std::uint64_t before = shelf.opens();
  const auto entry =
      scan(std::make_shared<const Version>(Version{memtable(), {}, shelf.tree}),
           kMaxSequence, {});
  CHECK_SAME(shelf.opens() - before, std::uint64_t{0});
  entry->seek("d");
  REQUIRE(entry->valid());
  CHECK_SAME(entry->value(), "3");
  CHECK_SAME(shelf.opens() - before, std::uint64_t{1});
  entry->next();
  entry->next();
  REQUIRE(entry->valid());
  CHECK_SAME(entry->value(), "5");
  CHECK_SAME(shelf.opens() - before, std::uint64_t{2});
}

TEST_CASE("a scan that cannot read a source ends with its error",
          "[1.5][task-3][core]") {
  STORY(
      "Level 0 removed b; its table cannot be opened. The old b must not "
      "show, and the scan must say why it ended.");
  INVARIANT("I1 what could not be asked may have held the newest version");
  Shelf shelf;
  shelf.add_table(1, "a@1=1 b@1=2 c@1=3");
  shelf.add_table(0, "b@2");
  const Version version{memtable(), {}, shelf.tree};
  shelf.fs.inject({.kinds = kOpen, .sticky = true});
  const auto entry =
      scan(std::make_shared<const Version>(version), kMaxSequence, {});
  CHECK_SAME(text(walk_forward(*entry)), "");
  CHECK_ERROR(entry->status(), Code::io);
  shelf.fs.lift();
  CHECK_SAME(walk(version), "a=1 c=3");
}

namespace {

// A store of random content: 2,000 operations on 150 keys, cut by age into
// two deep levels, three runs of level 0, two frozen memtables and an active
// one. `model` learns the same.
Version random_version(Shelf& shelf, Random& random, Model& model) {
  Sequence sequence = 0;
  const auto some = [&](std::size_t operations) {
    Entries entries;
    for (std::size_t i = 0; i < operations; ++i) {
      const std::string key = "k" + std::to_string(random.below(150));
      const Kind kind = random.one_in(4) ? Kind::remove : Kind::put;
      const std::string value =
          kind == Kind::put ? random.text(random.below(40)) : "";
      ++sequence;
      model.apply(kind, key, value, sequence);
      entries.emplace_back(InternalKeyBuffer({key, make_tag(sequence, kind)}),
                           value);
    }
    return entries;
  };
  // Sorted, and cut into tables of 20 entries or a few more: all versions of
  // a key stay together.
  const auto as_run = [](Entries entries) {
    sort_entries(entries);
    std::vector<Entries> tables;
    for (Entry& entry : entries) {
      if (tables.empty() ||
          (tables.back().size() >= 20 &&
           tables.back().back().first.user() != entry.first.user())) {
        tables.emplace_back();
      }
      tables.back().push_back(std::move(entry));
    }
    return tables;
  };
  shelf.add_run(5, as_run(some(800)));
  shelf.add_run(2, as_run(some(400)));
  for (int i = 0; i < 3; ++i)
    shelf.add_run(0, as_run(some(150)));
  const auto older = memtable(some(100));
  const auto newer = memtable(some(100));
  const auto active = memtable(some(150));
  return {active, {newer, older}, shelf.tree};
}

}  // namespace

TEST_CASE("gets of a random store agree with the model",
          "[1.5][task-2][core]") {
  STORY("2,000 operations in eight sources; 3,000 gets at random sequences.");
  INVARIANT("I1 the first hit is the newest version");
  SEEDED_RANDOM(random, 52);
  Shelf shelf;
  Model model;
  const Version version = random_version(shelf, random, model);
  for (std::size_t i = 0; i < scaled(3000); ++i) {
    const std::string key = "k" + std::to_string(random.below(170));
    const Sequence at = random.one_in(3) ? kMaxSequence : random.below(2001);
    INFO("get " << key << " at " << at);
    REQUIRE_SAME(read(version, key, at),
                 model.get(key, at).value_or("(absent)"));
  }
}

TEST_CASE("scans of a random store agree with the model",
          "[1.5][task-3][core]") {
  STORY(
      "2,000 operations in eight sources; scans at random sequences with "
      "random bounds, every way an iterator can be moved.");
  INVARIANT("I1 a scan reads the same sources as a get");
  SEEDED_RANDOM(random, 53);
  Shelf shelf;
  Model model;
  const auto version =
      std::make_shared<const Version>(random_version(shelf, random, model));
  for (std::size_t i = 0; i < scaled(4); ++i) {
    const Sequence at = i == 0 ? kMaxSequence : random.below(2001);
    ScanRange range;
    if (i > 1) {
      range.lower = "k" + std::to_string(random.below(150));
      range.upper = "k" + std::to_string(random.below(150));
      if (*range.upper < *range.lower) std::swap(range.lower, range.upper);
    }
    INFO("scan at " << at << " from " << quoted(range.lower.value_or(""))
                    << " to " << quoted(range.upper.value_or("(the end)")));
    const auto entry = scan(version, at, range);
    check_iterator_contract(
        *entry, model.scan(at, range.lower.value_or(""), range.upper), i);
  }
}

// Task 4: VersionCell.

namespace {

// A Version that can be told apart: by the log number of its memtable.
VersionPtr numbered(std::uint64_t number) {
  return std::make_shared<const Version>(
      Version{memtable(Entries{}, number), {}, nullptr});
}
std::uint64_t number_of(const VersionPtr& version) {
  return version->active->log_number();
}

}  // namespace

TEST_CASE("what was published is current", "[1.5][task-4][core]") {
  STORY("One thread publishes 1, 2, 3, and looks after each.");
  INVARIANT("I4 publish returns when every later reader finds it");
  VersionCell cell(numbered(1));
  CHECK_SAME(number_of(cell.current()), std::uint64_t{1});
  cell.publish(numbered(2));
  CHECK_SAME(number_of(cell.current()), std::uint64_t{2});
  CHECK_SAME(number_of(cell.current()), std::uint64_t{2});
  cell.publish(numbered(3));
  CHECK_SAME(number_of(cell.current()), std::uint64_t{3});
}

TEST_CASE("a published Version is found by every thread",
          "[1.5][task-4][core]") {
  STORY("Publish, then 24 threads look; five times.");
  INVARIANT("I4 publish returns when every stripe holds the new Version");
  constexpr int kThreads = 24;
  VersionCell cell(numbered(100));
  for (std::uint64_t number = 1; number <= 5; ++number) {
    cell.publish(numbered(number));
    std::vector<std::uint64_t> seen(kThreads);
    run_threads(kThreads, [&](int i) {
      seen[static_cast<std::size_t>(i)] = number_of(cell.current());
    });
    CHECK_SAME(seen, std::vector<std::uint64_t>(kThreads, number));
  }
}

TEST_CASE("an old Version dies when its last reader lets go",
          "[1.5][task-4][gold]") {
  STORY(
      "Version 1 is read by twelve threads and held by one reader; version 2 "
      "is published.");
  INVARIANT("I2 what a Version names lives as long as it does, no longer");
  VersionPtr first = numbered(1);
  const std::weak_ptr<MemTable> alive = first->active;
  VersionCell cell(first);
  first.reset();
  REQUIRE(!alive.expired());  // the cell keeps it
  run_threads(12, [&](int) {
    expect(number_of(cell.current()) == 1, "not the first Version");
  });
  VersionPtr reader = cell.current();
  VersionPtr second_reader = reader;
  cell.publish(numbered(2));
  CHECK_SAME(number_of(reader), std::uint64_t{1});
  CHECK(!alive.expired());
  reader.reset();
  CHECK(!alive.expired());
  second_reader.reset();
  CHECK(alive.expired());
}

TEST_CASE("the cell gives its Version up when it dies", "[1.5][task-4][gold]") {
  STORY("A cell is destroyed while a reader holds its Version.");
  INVARIANT("I2 what a Version names lives as long as it does, no longer");
  std::weak_ptr<MemTable> alive;
  VersionPtr reader;
  {
    VersionPtr first = numbered(1);
    alive = first->active;
    const VersionCell cell(first);
    reader = cell.current();
  }
  CHECK_SAME(number_of(reader), std::uint64_t{1});
  reader.reset();
  CHECK(alive.expired());
}

TEST_CASE("readers beside a publisher see Versions in order",
          "[1.5][task-4][gold]") {
  STORY(
      "One thread publishes 2, 3, … 2,000 and says so after each; three "
      "others read all the while.");
  INVARIANT("I4 a reader never goes back, and misses nothing acknowledged");
  VersionCell cell(numbered(1));
  std::atomic<std::uint64_t> published = 1;
  const std::uint64_t last = 1 + scaled(2000);
  run_threads(4, [&](int thread, const std::atomic<bool>& stop) {
    if (thread == 0) {
      for (std::uint64_t number = 2; number <= last && !stop; ++number) {
        cell.publish(numbered(number));
        // Release pairs with the readers' acquire.
        published.store(number, std::memory_order_release);
      }
      return;
    }
    std::uint64_t seen = 0;
    while (seen < last && !stop) {
      const std::uint64_t at_least = published.load(std::memory_order_acquire);
      const std::uint64_t now = number_of(cell.current());
      expect(now >= at_least, "Version " + std::to_string(at_least) +
                                  " was published, yet current() is " +
                                  std::to_string(now));
      expect(now >= seen, "current() went back from " + std::to_string(seen) +
                              " to " + std::to_string(now));
      seen = now;
    }
  });
  CHECK_SAME(number_of(cell.current()), last);
}

TEST_CASE("many threads read one Version whose tables are not open yet",
          "[1.5][task-3][gold]") {
  STORY("Four threads read and scan the same random store at once.");
  INVARIANT("a Version never changes: readers need no lock");
  SEEDED_RANDOM(random, 54);
  Shelf shelf;
  Model model;
  const auto version =
      std::make_shared<const Version>(random_version(shelf, random, model));
  std::size_t tables = 0;
  for (const LevelShape& level : shelf.tree->shape().levels) {
    for (const RunShape& run : level.runs)
      tables += run.files.size();
  }
  const std::vector<Row> expected = model.scan();
  const std::uint64_t before = shelf.opens();
  run_threads(4, [&](int thread) {
    Random own(seed_or(55) + static_cast<std::uint64_t>(thread));
    for (std::size_t i = 0; i < scaled(300); ++i) {
      const std::string key = "k" + std::to_string(own.below(170));
      expect(read(*version, key) == model.get(key).value_or("(absent)"),
             key + " is not what it was");
    }
    const auto entry = scan(version, kMaxSequence, {});
    expect(walk_forward(*entry) == expected, "the scan differs");
  });
  CHECK_SAME(shelf.opens() - before, tables);
}

}  // namespace lsm::test
