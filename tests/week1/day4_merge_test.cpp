// Day 1.4: merge, concatenation, visible versions (merge.h, concat.h,
// visible.h). Their children here are plain vectors, so that a failure has one
// home; some of them fail on purpose, some count how often they are asked.
#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "concat.h"
#include "merge.h"
#include "support/catch.h"
#include "support/iterator_contract.h"
#include "support/model.h"
#include "support/random.h"
#include "support/teach.h"
#include "visible.h"

namespace lsm::test {

namespace {

using Entries = std::vector<Entry>;
using Rows = std::vector<Row>;

Entry put(std::string_view key, Sequence sequence, std::string_view value) {
  return {InternalKeyBuffer({key, make_tag(sequence, Kind::put)}),
          std::string(value)};
}
Entry removed(std::string_view key, Sequence sequence) {
  return {InternalKeyBuffer({key, make_tag(sequence, Kind::remove)}), ""};
}

// What was asked of the sources of a test.
struct Asked {
  int steps = 0;  // next and prev
  int seeks = 0;
};

// Walks a vector, by the contract of base/iterator.h. Its entry number
// `broken`, if given, cannot be read. key() and value() hand out copies that a
// move overwrites, as a block's do: with question marks, so that a view kept
// too long is seen.
class VectorIterator final : public InternalIterator {
 public:
  explicit VectorIterator(const Entries& entries,
                          std::optional<std::size_t> broken = {},
                          Asked* asked = nullptr)
      : entries_(entries),
        at_(entries.size()),
        broken_(broken),
        asked_(asked) {}

  bool valid() const override { return status_ && at_ < entries_.size(); }
  void seek(InternalKey target) override {
    if (asked_ != nullptr) asked_->seeks++;
    const auto found =
        std::ranges::partition_point(entries_, [&](const Entry& entry) {
          return ::lsm::compare(entry.first.view(), target) < 0;
        });
    stand(static_cast<std::size_t>(found - entries_.begin()));
  }
  void seek_to_first() override {
    if (asked_ != nullptr) asked_->seeks++;
    stand(0);
  }
  void seek_to_last() override {
    if (asked_ != nullptr) asked_->seeks++;
    stand(entries_.empty() ? 0 : entries_.size() - 1);
  }
  void next() override {
    expect_valid("next");
    if (asked_ != nullptr) asked_->steps++;
    stand(at_ + 1);
  }
  void prev() override {
    expect_valid("prev");
    if (asked_ != nullptr) asked_->steps++;
    stand(at_ == 0 ? entries_.size() : at_ - 1);
  }
  InternalKey key() const override {
    expect_valid("key");
    return {views_[slot_].user, entries_[at_].first.tag()};
  }
  std::string_view value() const override {
    expect_valid("value");
    return views_[slot_].value;
  }
  Result<void> status() const override { return status_; }

 private:
  void stand(std::size_t at) {
    std::ranges::fill(views_[slot_].user, '?');
    std::ranges::fill(views_[slot_].value, '?');
    slot_ = (slot_ + 1) % views_.size();
    if (!status_) return;
    at_ = at;
    if (at_ == broken_) {
      status_ = fail(Code::corruption, "000007.sst: offset 512: a bad block");
    } else if (at_ < entries_.size()) {
      views_[slot_].user.assign(entries_[at_].first.user());
      views_[slot_].value.assign(entries_[at_].second);
    }
  }
  void expect_valid(const std::string& call) const {
    if (!valid()) {
      throw std::runtime_error(call + " called on a child that is not valid");
    }
  }

  struct Views {
    std::string user;
    std::string value;
  };

  const Entries entries_;
  std::size_t at_;
  const std::optional<std::size_t> broken_;
  Asked* const asked_;
  Result<void> status_;
  std::array<Views, 8> views_;  // in turn: a dead one is not soon reused
  std::size_t slot_ = 0;
};

// Said beside a failure whose keys show question marks.
constexpr const char* kStale =
    "'?' is read through a view that died when its source moved";

// Entries that a writer may add to while iterators walk them, as it does in a
// memtable.
struct KeyOrder {
  bool operator()(const InternalKeyBuffer& a,
                  const InternalKeyBuffer& b) const {
    return ::lsm::compare(a.view(), b.view()) < 0;
  }
};
using Growing = std::map<InternalKeyBuffer, std::string, KeyOrder>;

void add(Growing& memtable, std::string_view key) {
  memtable.emplace(seek_key(key, 50 + memtable.size()), "");
}

// Walks them; like a memtable's iterator it stands on an entry, and what is
// added beside that entry is met by the next move.
class GrowingIterator final : public InternalIterator {
 public:
  explicit GrowingIterator(const Growing& entries)
      : entries_(entries), at_(entries.end()) {}

  bool valid() const override { return at_ != entries_.end(); }
  void seek(InternalKey target) override {
    at_ = entries_.lower_bound(InternalKeyBuffer(target));
  }
  void seek_to_first() override { at_ = entries_.begin(); }
  void seek_to_last() override {
    at_ = entries_.empty() ? entries_.end() : std::prev(entries_.end());
  }
  void next() override {
    expect_valid("next");
    ++at_;
  }
  void prev() override {
    expect_valid("prev");
    at_ = at_ == entries_.begin() ? entries_.end() : std::prev(at_);
  }
  InternalKey key() const override {
    expect_valid("key");
    return at_->first.view();
  }
  std::string_view value() const override {
    expect_valid("value");
    return at_->second;
  }
  Result<void> status() const override { return {}; }

 private:
  void expect_valid(const std::string& call) const {
    if (!valid()) {
      throw std::runtime_error(call + " called on a child that is not valid");
    }
  }

  const Growing& entries_;
  Growing::const_iterator at_;
};

std::unique_ptr<InternalIterator> over(const Entries& entries,
                                       std::optional<std::size_t> broken = {},
                                       Asked* asked = nullptr) {
  return std::make_unique<VectorIterator>(entries, broken, asked);
}

std::unique_ptr<InternalIterator> merge_of(
    const std::vector<Entries>& newest_first) {
  std::vector<std::unique_ptr<InternalIterator>> children;
  for (const Entries& entries : newest_first)
    children.push_back(over(entries));
  return make_merge_iterator(std::move(children));
}

// A merge of a table and a memtable.
std::unique_ptr<InternalIterator> merge_beside(const Growing& memtable,
                                               const Entries& table) {
  std::vector<std::unique_ptr<InternalIterator>> children;
  children.push_back(std::make_unique<GrowingIterator>(memtable));
  children.push_back(over(table));
  return make_merge_iterator(std::move(children));
}

// The parts of a run, some of which may be broken, or hold nothing of what
// their boundaries promise; notes which were opened.
class VectorParts final : public ConcatSource {
 public:
  explicit VectorParts(std::vector<Entries> parts) : parts_(std::move(parts)) {}

  std::size_t size() const override { return parts_.size(); }
  InternalKey smallest(std::size_t i) const override {
    return parts_.at(i).front().first.view();
  }
  InternalKey largest(std::size_t i) const override {
    return parts_.at(i).back().first.view();
  }
  Result<std::unique_ptr<InternalIterator>> open(std::size_t i) const override {
    opened.push_back(i);
    if (i == broken_part) {
      return fail(Code::io, "000009.sst: cannot be opened");
    }
    if (i == broken_entry_in) return over(parts_.at(i), broken_entry);
    if (std::ranges::count(hollow, i) > 0) return over({});
    return over(parts_.at(i));
  }

  std::optional<std::size_t> broken_part;
  std::optional<std::size_t> broken_entry_in;
  std::size_t broken_entry = 0;
  std::vector<std::size_t> hollow;
  mutable std::vector<std::size_t> opened;

 private:
  std::vector<Entries> parts_;
};

std::unique_ptr<UserIterator> visible(const Entries& entries, Sequence at,
                                      ScanRange range = {},
                                      Asked* asked = nullptr) {
  return make_visible_iterator(over(entries, {}, asked), at, std::move(range));
}

// `text` as it was read, with a word about question marks in it.
std::string as_read(std::string text) {
  if (text.find('?') == std::string::npos) return text;
  return text + " (" + kStale + ")";
}

std::string_view user_key(InternalKey key) {
  return key.user;
}
std::string_view user_key(std::string_view key) {
  return key;
}

// The user key on which the iterator stands.
template <class Iterator>
std::string here(const Iterator& iterator) {
  if (!iterator.valid()) return "(invalid)";
  return as_read(std::string(user_key(iterator.key())));
}

template <class Iterator>
std::string row(const Iterator& iterator) {
  return show(iterator.key()) + "=" + std::string(iterator.value());
}

// Says so once where the rows were read through dead views.
std::vector<std::string> as_read(std::vector<std::string> rows) {
  for (std::string& text : rows) {
    const std::string read = as_read(text);
    if (read == text) continue;
    text = read;
    break;
  }
  return rows;
}

// All entries, from the first or from the last.
template <class Iterator>
std::vector<std::string> keys_forward(Iterator& iterator) {
  std::vector<std::string> keys;
  for (iterator.seek_to_first(); iterator.valid(); iterator.next())
    keys.push_back(row(iterator));
  return as_read(std::move(keys));
}
template <class Iterator>
std::vector<std::string> keys_backward(Iterator& iterator) {
  std::vector<std::string> keys;
  for (iterator.seek_to_last(); iterator.valid(); iterator.prev())
    keys.push_back(row(iterator));
  return as_read(std::move(keys));
}

using Shown = std::vector<std::string>;

// Random versions of few keys, so that many share a key.
Model random_model(Random& random, std::size_t operations) {
  Model model;
  for (Sequence sequence = 1; sequence <= operations; ++sequence) {
    const std::string key = random.text(random.below(3), "ab\xff");
    if (random.one_in(4)) {
      model.remove(key, sequence);
    } else {
      model.put(key, "v" + std::to_string(sequence), sequence);
    }
  }
  return model;
}

// The same entries in parts of one to five or so.
std::vector<Entries> cut(Random& random, const std::vector<Entry>& all) {
  std::vector<Entries> parts;
  for (const Entry& entry : all) {
    if (parts.empty() || random.one_in(4)) parts.emplace_back();
    parts.back().push_back(entry);
  }
  return parts;
}

ScanRange random_range(Random& random) {
  ScanRange range;
  if (random.one_in(2)) range.lower = random.text(random.below(3), "ab\xff");
  if (random.one_in(2)) range.upper = random.text(random.below(3), "ab\xff");
  return range;
}
std::string_view lower_of(const ScanRange& range) {
  return range.lower ? std::string_view(*range.lower) : std::string_view();
}

Rows rows_forward(UserIterator& scan) {
  Rows rows;
  for (scan.seek_to_first(); scan.valid(); scan.next())
    rows.emplace_back(scan.key(), scan.value());
  return rows;
}
Rows rows_backward(UserIterator& scan) {
  Rows rows;
  for (scan.seek_to_last(); scan.valid(); scan.prev())
    rows.emplace_back(scan.key(), scan.value());
  return rows;
}

}  // namespace

// Task 1 and 2: merge forward.

TEST_CASE("three sources merge into one ascending sequence",
          "[1.4][task-2][core]") {
  STORY("Merge the three sources of merge.h, newest first.");
  INVARIANT("I1 of merge.h: internal keys in order, newest version first");
  const auto merged = merge_of({{put("bee", 9, "b9"), put("fig", 8, "f8")},
                                {removed("cat", 4), put("fig", 6, "f6")},
                                {put("bee", 2, "b2"), put("cat", 3, "c3"),
                                 put("fig", 1, "f1"), put("yak", 3, "y3")}});
  CHECK_SAME(keys_forward(*merged),
             Shown{"\"bee\"@9 put=b9", "\"bee\"@2 put=b2",
                   "\"cat\"@4 remove=", "\"cat\"@3 put=c3", "\"fig\"@8 put=f8",
                   "\"fig\"@6 put=f6", "\"fig\"@1 put=f1", "\"yak\"@3 put=y3"});
}

TEST_CASE("the heap's top is the first of all, wherever it came from",
          "[1.4][task-1][core]") {
  STORY("Merge seven sources of one entry each, in three orders.");
  INVARIANT("I2 of merge.h: the top child has the next entry");
  const Shown sorted = {
      "\"a\"@1 put=", "\"b\"@1 put=", "\"c\"@1 put=", "\"d\"@1 put=",
      "\"e\"@1 put=", "\"f\"@1 put=", "\"g\"@1 put="};
  for (const std::string_view order : {"abcdefg", "gfedcba", "dbfaceg"}) {
    std::vector<Entries> sources;
    for (const char& key : order)
      sources.push_back({put(std::string_view(&key, 1), 1, "")});
    INFO("order of the sources: " << order);
    CHECK_SAME(keys_forward(*merge_of(sources)), sorted);
  }
}

TEST_CASE("no sources, empty sources, one source", "[1.4][task-2][core]") {
  STORY("Merge nothing; two empty sources; an empty one and a full one; one.");
  CHECK_SAME(keys_forward(*merge_of({})), Shown{});
  CHECK_SAME(keys_forward(*merge_of({{}, {}})), Shown{});
  const Entries one = {put("", 2, "x"), removed("", 1)};
  const Shown shown = {"\"\"@2 put=x", "\"\"@1 remove="};
  CHECK_SAME(keys_forward(*merge_of({{}, one})), shown);
  CHECK_SAME(keys_forward(*merge_of({one, {}, {}})), shown);
  CHECK_SAME(keys_forward(*merge_of({one})), shown);
}

TEST_CASE("equal keys come from the newest source first",
          "[1.4][task-1][core]") {
  STORY("Merge three sources that all hold fig@5, which no sound store does.");
  INVARIANT("I1 of merge.h: were two keys equal, the newer child comes first");
  const auto merged = merge_of({{put("fig", 5, "newest")},
                                {put("fig", 5, "middle")},
                                {put("fig", 5, "oldest")}});
  CHECK_SAME(keys_forward(*merged),
             Shown{"\"fig\"@5 put=newest", "\"fig\"@5 put=middle",
                   "\"fig\"@5 put=oldest"});
}

TEST_CASE("seek brings every source to the target", "[1.4][task-2][core]") {
  STORY("Merge ant cat | bee dog; seek cat, then back to bee, then eel.");
  INVARIANT("I2 of base/iterator.h: the first entry at or after the target");
  const auto merged = merge_of({{put("ant", 1, ""), put("cat", 3, "")},
                                {put("bee", 2, ""), put("dog", 4, "")}});
  merged->seek(seek_key("cat", kMaxSequence));
  REQUIRE_SAME(here(*merged), "cat");
  merged->seek(seek_key("b", kMaxSequence));
  REQUIRE_SAME(here(*merged), "bee");
  merged->next();
  REQUIRE_SAME(here(*merged), "cat");
  merged->seek(seek_key("eel", kMaxSequence));
  CHECK_SAME(merged->valid(), false);
}

TEST_CASE("an error of one source ends the merge", "[1.4][task-2][core]") {
  STORY("The second of two sources cannot be read at its second entry.");
  INVARIANT("I3 of merge.h: the first error of any child ends the merge");
  const Entries healthy = {put("ant", 1, ""), put("cat", 3, ""),
                           put("yak", 5, "")};
  const Entries damaged = {put("bee", 2, ""), put("dog", 4, "")};
  std::vector<std::unique_ptr<InternalIterator>> children;
  children.push_back(over(healthy));
  children.push_back(over(damaged, 1));
  const auto merged = make_merge_iterator(std::move(children));
  merged->seek_to_first();
  REQUIRE_OK(merged->status());
  REQUIRE_SAME(here(*merged), "ant");
  merged->next();
  REQUIRE_SAME(here(*merged), "bee");
  merged->next();
  CHECK_SAME(merged->valid(), false);
  CHECK_ERROR(merged->status(), Code::corruption);
  merged->seek_to_first();
  CHECK_SAME(merged->valid(), false);
  CHECK_ERROR(merged->status(), Code::corruption);
}

TEST_CASE("an error met by a seek ends the merge too", "[1.4][task-2][core]") {
  STORY("The first of two sources cannot be read at its first entry.");
  INVARIANT("I3 of merge.h: the first error of any child ends the merge");
  std::vector<std::unique_ptr<InternalIterator>> children;
  children.push_back(over({put("ant", 1, "")}, 0));
  children.push_back(over({put("bee", 2, "")}));
  const auto merged = make_merge_iterator(std::move(children));
  merged->seek(seek_key("a", kMaxSequence));
  CHECK_SAME(merged->valid(), false);
  CHECK_ERROR(merged->status(), Code::corruption);
}

TEST_CASE("forward, a merge of random sources is the model",
          "[1.4][task-2][core]") {
  SEEDED_RANDOM(random, 41);
  STORY("Deal random versions out to 0 … 9 sources; walk and seek at random.");
  INFO(kStale);
  for (int round = 0; round < 8; ++round) {
    const std::vector<Entry> all =
        random_model(random, random.below(60)).entries();
    std::vector<Entries> sources(random.between(1, 9));
    for (const Entry& entry : all)
      random.pick(sources).push_back(entry);
    check_iterator_contract(*merge_of(sources), all, random.next(),
                            Directions::forward);
  }
}

// Task 3: concatenation.

TEST_CASE("the parts of a run are one sequence", "[1.4][task-3][core]") {
  STORY("Concatenate ant cow | doe hen | ibex yak; walk.");
  INVARIANT("I2 of concat.h: at most one part is open");
  const VectorParts parts({{put("ant", 1, ""), put("cow", 2, "")},
                           {put("doe", 3, ""), put("hen", 4, "")},
                           {put("ibex", 5, ""), put("yak", 6, "")}});
  const auto run = make_concat_iterator(parts);
  CHECK_SAME(keys_forward(*run),
             Shown{"\"ant\"@1 put=", "\"cow\"@2 put=", "\"doe\"@3 put=",
                   "\"hen\"@4 put=", "\"ibex\"@5 put=", "\"yak\"@6 put="});
  CHECK_SAME(parts.opened, std::vector<std::size_t>{0, 1, 2});
}

TEST_CASE("a seek opens the one part that holds the answer",
          "[1.4][task-3][core]") {
  STORY("Concatenate ant cow | doe hen | ibex yak; seek fox, cow, d and z.");
  INVARIANT("I4 of concat.h: a seek opens no other part");
  const VectorParts parts({{put("ant", 1, ""), put("cow", 2, "")},
                           {put("doe", 3, ""), put("hen", 4, "")},
                           {put("ibex", 5, ""), put("yak", 6, "")}});
  const auto landing = [&](std::string_view key, Sequence sequence) {
    parts.opened.clear();
    const auto run = make_concat_iterator(parts);
    run->seek(seek_key(key, sequence));
    return here(*run);
  };
  CHECK_SAME(landing("fox", kMaxSequence), "hen");
  CHECK_SAME(parts.opened, std::vector<std::size_t>{1});
  CHECK_SAME(landing("cow", kMaxSequence), "cow");
  CHECK_SAME(parts.opened, std::vector<std::size_t>{0});
  CHECK_SAME(landing("cow", 2), "cow");
  CHECK_SAME(parts.opened, std::vector<std::size_t>{0});
  CHECK_SAME(landing("cow", 1), "doe");  // versions of cow after cow@2: none
  CHECK_SAME(parts.opened, std::vector<std::size_t>{1});
  CHECK_SAME(landing("d", kMaxSequence), "doe");
  CHECK_SAME(parts.opened, std::vector<std::size_t>{1});
  CHECK_SAME(landing("z", kMaxSequence), "(invalid)");
  CHECK_SAME(parts.opened, std::vector<std::size_t>{});
}

TEST_CASE("a run without parts is empty", "[1.4][task-3][core]") {
  STORY("Walk and seek a run of no parts.");
  const VectorParts parts({});
  const auto run = make_concat_iterator(parts);
  run->seek_to_first();
  CHECK_SAME(run->valid(), false);
  run->seek(seek_key("a", kMaxSequence));
  CHECK_SAME(run->valid(), false);
  CHECK_OK(run->status());
}

TEST_CASE("a part that cannot be opened ends the walk, with its error",
          "[1.4][task-3][core]") {
  STORY("Concatenate ant | bee | cat, where the second cannot be opened.");
  INVARIANT("I3 of concat.h: no entry beyond it is delivered");
  VectorParts parts(
      {{put("ant", 1, "")}, {put("bee", 2, "")}, {put("cat", 3, "")}});
  parts.broken_part = 1;
  const auto run = make_concat_iterator(parts);
  run->seek_to_first();
  REQUIRE_SAME(run->valid(), true);
  run->next();
  CHECK_SAME(run->valid(), false);
  CHECK_ERROR(run->status(), Code::io);
  run->seek(seek_key("cat", kMaxSequence));
  CHECK_SAME(run->valid(), false);
  CHECK_ERROR(run->status(), Code::io);
}

TEST_CASE("a part that breaks off is not mistaken for one that ends",
          "[1.4][task-3][core]") {
  STORY("Concatenate ant bee | cat, where bee cannot be read.");
  INVARIANT("I3 of concat.h: no entry beyond it is delivered");
  VectorParts parts(
      {{put("ant", 1, ""), put("bee", 2, "")}, {put("cat", 3, "")}});
  parts.broken_entry_in = 0;
  parts.broken_entry = 1;
  const auto run = make_concat_iterator(parts);
  run->seek_to_first();
  REQUIRE_SAME(run->valid(), true);
  run->next();
  CHECK_SAME(run->valid(), false);
  CHECK_ERROR(run->status(), Code::corruption);
}

TEST_CASE("an error met by a seek ends the walk, and stays",
          "[1.4][task-3][core]") {
  STORY("Concatenate ant | bee | cat; seek bee, whose part is damaged.");
  INVARIANT("I3 of concat.h: its error stays in status()");
  VectorParts parts(
      {{put("ant", 1, "")}, {put("bee", 2, "")}, {put("cat", 3, "")}});
  const auto check = [&](Code code) {
    const auto run = make_concat_iterator(parts);
    run->seek(seek_key("bee", kMaxSequence));
    CHECK_SAME(here(*run), "(invalid)");
    CHECK_ERROR(run->status(), code);
    run->seek_to_first();
    CHECK_SAME(here(*run), "(invalid)");
    CHECK_ERROR(run->status(), code);
  };
  {
    INFO("The part cannot be opened.");
    parts.broken_part = 1;
    check(Code::io);
  }
  {
    INFO("The part is open; the seek in it fails.");
    parts.broken_part.reset();
    parts.broken_entry_in = 1;
    check(Code::corruption);
  }
}

TEST_CASE("an error met by going to the first entry is reported",
          "[1.4][task-3][core]") {
  STORY("Concatenate ant | bee, where ant cannot be read, or its part opened.");
  INVARIANT("I3 of concat.h: its error stays in status()");
  VectorParts parts({{put("ant", 1, "")}, {put("bee", 2, "")}});
  parts.broken_entry_in = 0;
  const auto unread = make_concat_iterator(parts);
  unread->seek_to_first();
  CHECK_SAME(here(*unread), "(invalid)");
  CHECK_ERROR(unread->status(), Code::corruption);
  parts.broken_part = 0;
  const auto unopened = make_concat_iterator(parts);
  unopened->seek_to_first();
  CHECK_SAME(here(*unopened), "(invalid)");
  CHECK_ERROR(unopened->status(), Code::io);
}

TEST_CASE("an error at the next part's first entry is reported",
          "[1.4][task-3][core]") {
  STORY("Concatenate ant | bee | cat, where bee cannot be read; walk.");
  INVARIANT("I3 of concat.h: no entry beyond it is delivered");
  VectorParts parts(
      {{put("ant", 1, "")}, {put("bee", 2, "")}, {put("cat", 3, "")}});
  parts.broken_entry_in = 1;
  const auto run = make_concat_iterator(parts);
  run->seek_to_first();
  REQUIRE_SAME(here(*run), "ant");
  run->next();
  CHECK_SAME(here(*run), "(invalid)");
  CHECK_ERROR(run->status(), Code::corruption);
  CHECK_SAME(parts.opened, std::vector<std::size_t>{0, 1});
}

TEST_CASE("parts without entries are passed over", "[1.4][task-3][core]") {
  STORY("Concatenate ant | (bee) | (cat) | dog | (eel): three hold nothing.");
  INVARIANT("I5 of concat.h: a part may hold less than its boundaries say");
  VectorParts parts({{put("ant", 1, "")},
                     {put("bee", 2, "")},
                     {put("cat", 3, "")},
                     {put("dog", 4, "")},
                     {put("eel", 5, "")}});
  parts.hollow = {1, 2, 4};
  const auto run = make_concat_iterator(parts);
  CHECK_SAME(keys_forward(*run), Shown{"\"ant\"@1 put=", "\"dog\"@4 put="});
  CHECK_OK(run->status());
  run->seek(seek_key("b", kMaxSequence));
  CHECK_SAME(here(*run), "dog");
  run->seek(seek_key("e", kMaxSequence));
  CHECK_SAME(here(*run), "(invalid)");
  CHECK_OK(run->status());
}

TEST_CASE("forward, a run cut at random is the model", "[1.4][task-3][core]") {
  SEEDED_RANDOM(random, 42);
  STORY("Cut random versions into parts; walk and seek at random.");
  INFO(kStale);
  for (int round = 0; round < 8; ++round) {
    const std::vector<Entry> all =
        random_model(random, random.below(60)).entries();
    const VectorParts parts(cut(random, all));
    check_iterator_contract(*make_concat_iterator(parts), all, random.next(),
                            Directions::forward);
  }
}

// Task 4: what is visible.

TEST_CASE("a scan shows of each key the newest version at its moment",
          "[1.4][task-4][core]") {
  STORY("bee@9 bee@2, cat@4 removed over cat@3, fig@8 fig@6 fig@1, yak@3.");
  INVARIANT("I1 of visible.h: the newest version with sequence <= at");
  const Entries entries = {put("bee", 9, "b9"), put("bee", 2, "b2"),
                           removed("cat", 4),   put("cat", 3, "c3"),
                           put("fig", 8, "f8"), put("fig", 6, "f6"),
                           put("fig", 1, "f1"), put("yak", 3, "y3")};
  CHECK_SAME(keys_forward(*visible(entries, 7)),
             Shown{"\"bee\"=b2", "\"fig\"=f6", "\"yak\"=y3"});
  CHECK_SAME(keys_forward(*visible(entries, 3)),
             Shown{"\"bee\"=b2", "\"cat\"=c3", "\"fig\"=f1", "\"yak\"=y3"});
  CHECK_SAME(keys_forward(*visible(entries, kMaxSequence)),
             Shown{"\"bee\"=b9", "\"fig\"=f8", "\"yak\"=y3"});
  CHECK_SAME(keys_forward(*visible(entries, 0)), Shown{});
}

TEST_CASE("a tombstone hides every older version", "[1.4][task-4][core]") {
  STORY("cat removed at 9 over three puts; a tombstone over nothing.");
  INVARIANT("I1 of visible.h: nothing where that version is a tombstone");
  const Entries entries = {removed("ant", 5),   removed("cat", 9),
                           put("cat", 7, "c7"), put("cat", 5, "c5"),
                           put("cat", 1, "c1"), put("dog", 2, "d2")};
  CHECK_SAME(keys_forward(*visible(entries, 9)), Shown{"\"dog\"=d2"});
  CHECK_SAME(keys_forward(*visible(entries, 8)),
             Shown{"\"cat\"=c7", "\"dog\"=d2"});
}

TEST_CASE("the lower bound is shown, the upper is not", "[1.4][task-4][core]") {
  STORY("Scan [b, d) of a b c d e, from the first, and by seeks outside it.");
  INVARIANT("I2 of visible.h: lower <= key < upper, whatever is sought");
  const Entries entries = {put("a", 1, ""), put("b", 2, ""), put("c", 3, ""),
                           put("d", 4, ""), put("e", 5, "")};
  const auto scan = visible(entries, 9, {.lower = "b", .upper = "d"});
  CHECK_SAME(keys_forward(*scan), Shown{"\"b\"=", "\"c\"="});
  scan->seek("a");
  REQUIRE_SAME(here(*scan), "b");
  scan->seek("c");
  REQUIRE_SAME(here(*scan), "c");
  scan->seek("d");
  CHECK_SAME(scan->valid(), false);
  CHECK_SAME(keys_forward(*visible(entries, 9, {.lower = "d", .upper = "b"})),
             Shown{});
}

TEST_CASE("versions too many to step over are passed by a seek",
          "[1.4][task-4][core]") {
  STORY("hot has 10,000 versions, then yak; scan at the end and at 3.");
  INVARIANT("I4 of visible.h: at most a few versions are stepped over");
  Entries entries;
  for (Sequence s = 10'000; s > 0; --s)
    entries.push_back(put("hot", s, std::to_string(s)));
  entries.push_back(put("yak", 20'000, "y"));
  Asked asked;
  CHECK_SAME(keys_forward(*visible(entries, kMaxSequence, {}, &asked)),
             Shown{"\"hot\"=10000", "\"yak\"=y"});
  CHECK(asked.steps + asked.seeks < 40);
  asked = {};
  CHECK_SAME(keys_forward(*visible(entries, 3, {}, &asked)),
             Shown{"\"hot\"=3"});
  CHECK(asked.steps + asked.seeks < 40);
}

TEST_CASE("a scan stops at its upper bound, whatever stands there",
          "[1.4][task-4][core]") {
  STORY("Scan [a, c) at 9: ant, bee, then 1,000 entries that nobody may see.");
  INVARIANT("I5 of visible.h: nothing beyond a bound is walked");
  const auto beyond = [](std::size_t i) { return "d" + std::to_string(i); };
  Entries tombstones = {put("ant", 1, ""), put("bee", 2, "")};
  Entries too_new = tombstones;
  for (std::size_t i = 1000; i < 2000; ++i) {
    tombstones.push_back(removed(beyond(i), 3));
    too_new.push_back(put(beyond(i), 10, ""));
  }
  for (const Entries* entries : {&tombstones, &too_new}) {
    INFO("beyond the bound: " << (entries == &tombstones ? "tombstones"
                                                         : "versions too new"));
    Asked asked;
    const auto scan =
        visible(*entries, 9, {.lower = "a", .upper = "c"}, &asked);
    CHECK_SAME(keys_forward(*scan), Shown{"\"ant\"=", "\"bee\"="});
    CHECK(asked.steps + asked.seeks < 10);
    asked = {};
    scan->seek("bo");
    CHECK_SAME(here(*scan), "(invalid)");
    CHECK(asked.steps + asked.seeks < 10);
  }
}

TEST_CASE("a scan may seek the key that it shows", "[1.4][task-4][core]") {
  STORY("Merge cat fig | ant dog eel; at cat, seek the scan's own key().");
  INVARIANT("I2 of base/iterator.h: the first entry at or after the target");
  const auto scan = make_visible_iterator(
      merge_of({{put("cat", 4, ""), put("fig", 5, "")},
                {put("ant", 1, ""), put("dog", 2, ""), put("eel", 3, "")}}),
      9, {});
  scan->seek("c");
  REQUIRE_SAME(here(*scan), "cat");
  scan->seek(scan->key());
  REQUIRE_SAME(here(*scan), "cat");
  scan->next();
  CHECK_SAME(here(*scan), "dog");
}

TEST_CASE("a scan reports the error below it", "[1.4][task-4][core]") {
  STORY("Scan ant bee cat, where bee cannot be read.");
  const auto scan = make_visible_iterator(
      over({put("ant", 1, ""), put("bee", 2, ""), put("cat", 3, "")}, 1), 9,
      {});
  scan->seek_to_first();
  REQUIRE_SAME(scan->valid(), true);
  scan->next();
  CHECK_SAME(scan->valid(), false);
  CHECK_ERROR(scan->status(), Code::corruption);
}

TEST_CASE("forward, a scan of random versions is the model",
          "[1.4][task-4][core]") {
  SEEDED_RANDOM(random, 43);
  STORY("Random versions, moments and bounds; walk and seek at random.");
  INFO(kStale);
  for (int round = 0; round < 25; ++round) {
    const Model model = random_model(random, random.below(60));
    const Sequence at = random.below(70);
    const auto scan = visible(model.entries(), at);
    check_iterator_contract(*scan, model.scan(at), random.next(),
                            Directions::forward);
    const ScanRange range = random_range(random);
    CHECK_SAME(rows_forward(*visible(model.entries(), at, range)),
               model.scan(at, lower_of(range), range.upper));
  }
}

// Task 5: merge backward.

TEST_CASE("backward, a merge shows the same entries in the opposite order",
          "[1.4][task-5][gold]") {
  STORY("Merge the three sources of merge.h; walk from the last.");
  INVARIANT("I2 of merge.h: every other child stands before the top one");
  const auto merged = merge_of({{put("bee", 9, "b9"), put("fig", 8, "f8")},
                                {removed("cat", 4), put("fig", 6, "f6")},
                                {put("bee", 2, "b2"), put("cat", 3, "c3"),
                                 put("fig", 1, "f1"), put("yak", 3, "y3")}});
  CHECK_SAME(keys_backward(*merged),
             Shown{"\"yak\"@3 put=y3", "\"fig\"@1 put=f1", "\"fig\"@6 put=f6",
                   "\"fig\"@8 put=f8", "\"cat\"@3 put=c3", "\"cat\"@4 remove=",
                   "\"bee\"@2 put=b2", "\"bee\"@9 put=b9"});
}

TEST_CASE("a merge turns round wherever it stands", "[1.4][task-5][gold]") {
  STORY("Merge ant cat | bee dog: next to cat, prev to bee, next to cat.");
  INVARIANT("I2 of merge.h: a change of direction moves every other child");
  const auto merged = merge_of({{put("ant", 1, ""), put("cat", 3, "")},
                                {put("bee", 2, ""), put("dog", 4, "")}});
  merged->seek(seek_key("cat", kMaxSequence));
  REQUIRE_SAME(merged->valid(), true);
  merged->prev();
  REQUIRE_SAME(here(*merged), "bee");
  merged->next();
  REQUIRE_SAME(here(*merged), "cat");
  merged->next();
  REQUIRE_SAME(here(*merged), "dog");
  merged->prev();
  REQUIRE_SAME(here(*merged), "cat");
}

TEST_CASE("equal keys keep their order in both directions",
          "[1.4][task-5][gold]") {
  STORY("Merge two sources that both hold fig@5; walk there and back.");
  INVARIANT("I1 of merge.h: were two keys equal, the newer child comes first");
  const auto merged =
      merge_of({{put("fig", 5, "newer")}, {put("fig", 5, "older")}});
  CHECK_SAME(keys_backward(*merged),
             Shown{"\"fig\"@5 put=older", "\"fig\"@5 put=newer"});
  merged->seek_to_first();
  merged->next();
  REQUIRE_SAME(merged->valid(), true);
  CHECK_SAME(merged->value(), "older");
  merged->prev();
  REQUIRE_SAME(merged->valid(), true);
  CHECK_SAME(merged->value(), "newer");
  merged->next();
  REQUIRE_SAME(merged->valid(), true);
  CHECK_SAME(merged->value(), "older");
}

TEST_CASE("an error met while turning ends the merge", "[1.4][task-5][gold]") {
  STORY("Merge bee dog | ant eel, where ant cannot be read; at dog, turn.");
  INVARIANT("I3 of merge.h: the first error of any child ends the merge");
  std::vector<std::unique_ptr<InternalIterator>> children;
  children.push_back(over({put("bee", 2, ""), put("dog", 4, "")}));
  children.push_back(over({put("ant", 1, ""), put("eel", 5, "")}, 0));
  const auto merged = make_merge_iterator(std::move(children));
  merged->seek(seek_key("dog", kMaxSequence));
  REQUIRE_SAME(merged->valid(), true);
  merged->prev();
  CHECK_SAME(merged->valid(), false);
  CHECK_ERROR(merged->status(), Code::corruption);
}

TEST_CASE("a source that grew is brought across by many steps",
          "[1.4][task-5][gold]") {
  STORY("Merge a memtable and a table; the memtable grows, the walk turns.");
  INVARIANT("I2 of merge.h: every other child stands beyond the top one");
  {
    INFO("Memtable yak; table ant dog fox. At dog, hen and pig come; prev.");
    Growing memtable;
    add(memtable, "yak");
    const auto merged = merge_beside(
        memtable, {put("ant", 1, ""), put("dog", 2, ""), put("fox", 3, "")});
    merged->seek(seek_key("dog", kMaxSequence));
    REQUIRE_SAME(here(*merged), "dog");
    add(memtable, "hen");
    add(memtable, "pig");
    merged->prev();
    REQUIRE_SAME(here(*merged), "ant");
    merged->next();
    REQUIRE_SAME(here(*merged), "dog");
    merged->next();
    REQUIRE_SAME(here(*merged), "fox");
    merged->next();
    CHECK_SAME(here(*merged), "hen");
  }
  {
    INFO("Memtable ant; table cow elk fox. At elk, bee and cat come; next.");
    Growing memtable;
    add(memtable, "ant");
    const auto merged = merge_beside(
        memtable, {put("cow", 1, ""), put("elk", 2, ""), put("fox", 3, "")});
    merged->seek_to_last();
    merged->prev();
    REQUIRE_SAME(here(*merged), "elk");
    add(memtable, "bee");
    add(memtable, "cat");
    merged->next();
    CHECK_SAME(here(*merged), "fox");
  }
}

TEST_CASE("a source that had ended and grew comes back to its place",
          "[1.4][task-5][gold]") {
  STORY("Merge a memtable that has ended and a table; it grows; turn.");
  INVARIANT("I2 of merge.h: every other child stands beyond the top one");
  {
    INFO("Memtable ant; table cow elk. At cow, bee, hen and pig come; prev.");
    Growing memtable;
    add(memtable, "ant");
    const auto merged =
        merge_beside(memtable, {put("cow", 1, ""), put("elk", 2, "")});
    merged->seek(seek_key("cow", kMaxSequence));
    REQUIRE_SAME(here(*merged), "cow");
    add(memtable, "bee");
    add(memtable, "hen");
    add(memtable, "pig");
    merged->prev();
    CHECK_SAME(here(*merged), "bee");
  }
  {
    INFO("Memtable fox; table cow elk. At elk, ant and bee come; next.");
    Growing memtable;
    add(memtable, "fox");
    const auto merged =
        merge_beside(memtable, {put("cow", 1, ""), put("elk", 2, "")});
    merged->seek_to_last();
    REQUIRE_SAME(here(*merged), "fox");
    merged->prev();
    REQUIRE_SAME(here(*merged), "elk");
    add(memtable, "ant");
    add(memtable, "bee");
    merged->next();
    CHECK_SAME(here(*merged), "fox");
  }
}

TEST_CASE("in both directions a merge of random sources is the model",
          "[1.4][task-5][gold]") {
  SEEDED_RANDOM(random, 44);
  STORY("Deal random versions out to sources; next, prev, seek at random.");
  INFO(kStale);
  for (int round = 0; round < 8; ++round) {
    const std::vector<Entry> all =
        random_model(random, random.below(60)).entries();
    std::vector<Entries> sources(random.between(1, 9));
    for (const Entry& entry : all)
      random.pick(sources).push_back(entry);
    check_iterator_contract(*merge_of(sources), all, random.next());
  }
}

// Task 6: concatenation backward.

TEST_CASE("backward, a run goes from part to part", "[1.4][task-6][gold]") {
  STORY("Concatenate ant cow | doe | ibex yak; walk from the last.");
  INVARIANT("I2 of concat.h: at most one part is open");
  const VectorParts parts({{put("ant", 1, ""), put("cow", 2, "")},
                           {put("doe", 3, "")},
                           {put("ibex", 5, ""), put("yak", 6, "")}});
  const auto run = make_concat_iterator(parts);
  CHECK_SAME(keys_backward(*run),
             Shown{"\"yak\"@6 put=", "\"ibex\"@5 put=", "\"doe\"@3 put=",
                   "\"cow\"@2 put=", "\"ant\"@1 put="});
  CHECK_SAME(parts.opened, std::vector<std::size_t>{2, 1, 0});
  const VectorParts none({});
  CHECK_SAME(keys_backward(*make_concat_iterator(none)), Shown{});
}

TEST_CASE("backward, a part that breaks off ends the walk",
          "[1.4][task-6][gold]") {
  STORY("Concatenate ant | bee cat, where bee cannot be read.");
  INVARIANT("I3 of concat.h: no entry beyond it is delivered");
  VectorParts parts(
      {{put("ant", 1, "")}, {put("bee", 2, ""), put("cat", 3, "")}});
  parts.broken_entry_in = 1;
  parts.broken_entry = 0;
  const auto run = make_concat_iterator(parts);
  run->seek_to_last();
  REQUIRE_SAME(run->valid(), true);
  run->prev();
  CHECK_SAME(run->valid(), false);
  CHECK_ERROR(run->status(), Code::corruption);
}

TEST_CASE("backward, an error met in a part just entered is reported",
          "[1.4][task-6][gold]") {
  STORY("Concatenate ant | bee | cat, where bee cannot be read, or opened.");
  INVARIANT("I3 of concat.h: its error stays in status()");
  VectorParts parts(
      {{put("ant", 1, "")}, {put("bee", 2, "")}, {put("cat", 3, "")}});
  const auto check = [&](Code code) {
    parts.opened.clear();
    const auto run = make_concat_iterator(parts);
    run->seek_to_last();
    REQUIRE_SAME(here(*run), "cat");
    run->prev();
    CHECK_SAME(here(*run), "(invalid)");
    CHECK_ERROR(run->status(), code);
    CHECK_SAME(parts.opened, std::vector<std::size_t>{2, 1});
  };
  parts.broken_entry_in = 1;
  check(Code::corruption);
  parts.broken_part = 1;
  check(Code::io);
}

TEST_CASE("an error met by going to the last entry is reported",
          "[1.4][task-6][gold]") {
  STORY("Concatenate ant | bee, where bee cannot be read, or its part opened.");
  INVARIANT("I3 of concat.h: its error stays in status()");
  VectorParts parts({{put("ant", 1, "")}, {put("bee", 2, "")}});
  parts.broken_entry_in = 1;
  const auto unread = make_concat_iterator(parts);
  unread->seek_to_last();
  CHECK_SAME(here(*unread), "(invalid)");
  CHECK_ERROR(unread->status(), Code::corruption);
  parts.broken_part = 1;
  const auto unopened = make_concat_iterator(parts);
  unopened->seek_to_last();
  CHECK_SAME(here(*unopened), "(invalid)");
  CHECK_ERROR(unopened->status(), Code::io);
}

TEST_CASE("backward, parts without entries are passed over",
          "[1.4][task-6][gold]") {
  STORY("Concatenate (ant) | bee | (cat) | (dog) | eel: three hold nothing.");
  INVARIANT("I5 of concat.h: a part may hold less than its boundaries say");
  VectorParts parts({{put("ant", 1, "")},
                     {put("bee", 2, "")},
                     {put("cat", 3, "")},
                     {put("dog", 4, "")},
                     {put("eel", 5, "")}});
  parts.hollow = {0, 2, 3};
  const auto run = make_concat_iterator(parts);
  CHECK_SAME(keys_backward(*run), Shown{"\"eel\"@5 put=", "\"bee\"@2 put="});
  CHECK_OK(run->status());
}

TEST_CASE("in both directions a run cut at random is the model",
          "[1.4][task-6][gold]") {
  SEEDED_RANDOM(random, 45);
  STORY("Cut random versions into parts; next, prev, seek at random.");
  INFO(kStale);
  for (int round = 0; round < 8; ++round) {
    const std::vector<Entry> all =
        random_model(random, random.below(60)).entries();
    const VectorParts parts(cut(random, all));
    check_iterator_contract(*make_concat_iterator(parts), all, random.next());
  }
}

// Task 7: what is visible, backward.

TEST_CASE("backward, a scan shows the newest versions too",
          "[1.4][task-7][gold]") {
  STORY("bee@9 bee@2, cat@4 removed over cat@3, fig@8 fig@6 fig@1, yak@3.");
  INVARIANT("I1 of visible.h: the newest version with sequence <= at");
  const Entries entries = {put("bee", 9, "b9"), put("bee", 2, "b2"),
                           removed("cat", 4),   put("cat", 3, "c3"),
                           put("fig", 8, "f8"), put("fig", 6, "f6"),
                           put("fig", 1, "f1"), put("yak", 3, "y3")};
  CHECK_SAME(keys_backward(*visible(entries, 7)),
             Shown{"\"yak\"=y3", "\"fig\"=f6", "\"bee\"=b2"});
  CHECK_SAME(keys_backward(*visible(entries, 3)),
             Shown{"\"yak\"=y3", "\"fig\"=f1", "\"cat\"=c3", "\"bee\"=b2"});
}

TEST_CASE("backward, a scan begins below its upper bound and ends at its lower",
          "[1.4][task-7][gold]") {
  STORY("Scan [b, d) of a b c d e backward; [x, z) of the same; [d, b).");
  INVARIANT("I2 of visible.h: lower <= key < upper, in both directions");
  const Entries entries = {put("a", 1, ""), put("b", 2, ""), put("c", 3, ""),
                           put("d", 4, ""), put("e", 5, "")};
  const auto rows = [&](const char* lower, const char* upper) {
    return keys_backward(
        *visible(entries, 9, {.lower = lower, .upper = upper}));
  };
  CHECK_SAME(rows("b", "d"), Shown{"\"c\"=", "\"b\"="});
  CHECK_SAME(rows("b", "zz"), Shown{"\"e\"=", "\"d\"=", "\"c\"=", "\"b\"="});
  CHECK_SAME(rows("x", "z"), Shown{});
  CHECK_SAME(rows("d", "b"), Shown{});
}

TEST_CASE("a scan turns round wherever it stands", "[1.4][task-7][gold]") {
  STORY("ant@5 ant@1, bee removed, cat@7 cat@2: there and back, at 6.");
  const auto scan =
      visible({put("ant", 5, "a5"), put("ant", 1, "a1"), removed("bee", 4),
               put("bee", 3, "b3"), put("cat", 7, "c7"), put("cat", 2, "c2")},
              6);
  scan->seek("b");
  REQUIRE_SAME(scan->valid(), true);
  CHECK_SAME(scan->value(), "c2");
  scan->prev();
  REQUIRE_SAME(here(*scan), "ant");
  CHECK_SAME(scan->value(), "a5");
  scan->next();
  REQUIRE_SAME(here(*scan), "cat");
  CHECK_SAME(scan->value(), "c2");
  scan->next();
  CHECK_SAME(scan->valid(), false);
}

TEST_CASE("backward, many versions are passed by a seek",
          "[1.4][task-7][gold]") {
  STORY("ant, then hot with 10,000 versions; scan backward, at three moments.");
  INVARIANT("I4 of visible.h: at most a few versions are stepped over");
  Entries entries = {put("ant", 1, "a")};
  for (Sequence s = 10'000; s > 0; --s)
    entries.push_back(put("hot", s, std::to_string(s)));
  for (const Sequence at : {Sequence{3}, Sequence{5000}, kMaxSequence}) {
    Asked asked;
    const Sequence newest = std::min(at, Sequence{10'000});
    CHECK_SAME(keys_backward(*visible(entries, at, {}, &asked)),
               Shown{"\"hot\"=" + std::to_string(newest), "\"ant\"=a"});
    CHECK(asked.steps + asked.seeks < 60);
  }
}

TEST_CASE("backward, a scan stops at its lower bound, whatever stands there",
          "[1.4][task-7][gold]") {
  STORY("Scan [c, z) at 9 backward: 1,000 entries nobody may see, dog, eel.");
  INVARIANT("I5 of visible.h: nothing beyond a bound is walked");
  const auto before = [](std::size_t i) { return "a" + std::to_string(i); };
  Entries tombstones;
  Entries too_new;
  for (std::size_t i = 1000; i < 2000; ++i) {
    tombstones.push_back(removed(before(i), 3));
    too_new.push_back(put(before(i), 10, ""));
  }
  for (Entries* entries : {&tombstones, &too_new}) {
    INFO("before the bound: " << (entries == &tombstones ? "tombstones"
                                                         : "versions too new"));
    entries->push_back(put("dog", 1, ""));
    entries->push_back(put("eel", 2, ""));
    Asked asked;
    CHECK_SAME(keys_backward(
                   *visible(*entries, 9, {.lower = "c", .upper = "z"}, &asked)),
               Shown{"\"eel\"=", "\"dog\"="});
    CHECK(asked.steps + asked.seeks < 10);
  }
}

TEST_CASE("backward, an old version is not shown for an unreadable newer one",
          "[1.4][task-7][gold]") {
  STORY("fig@8 cannot be read, fig@1 can; scan backward.");
  INVARIANT("I3 of visible.h: no entry is shown when an error hides a newer");
  const auto scan = make_visible_iterator(
      over({put("fig", 8, "f8"), put("fig", 1, "f1")}, 0), 9, {});
  scan->seek_to_last();
  CHECK_SAME(scan->valid(), false);
  CHECK_ERROR(scan->status(), Code::corruption);
}

TEST_CASE("in both directions a scan of random versions is the model",
          "[1.4][task-7][gold]") {
  SEEDED_RANDOM(random, 46);
  STORY("Random versions, moments and bounds; next, prev, seek at random.");
  INFO(kStale);
  for (int round = 0; round < 25; ++round) {
    const Model model = random_model(random, random.below(60));
    const Sequence at = random.below(70);
    const auto scan = visible(model.entries(), at);
    check_iterator_contract(*scan, model.scan(at), random.next());
    const ScanRange range = random_range(random);
    CHECK_SAME(rows_backward(*visible(model.entries(), at, range)),
               model.scan_backward(at, lower_of(range), range.upper));
  }
}

}  // namespace lsm::test
