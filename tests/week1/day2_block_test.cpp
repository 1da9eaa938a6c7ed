// Day 1.2: a block of sorted entries (block.h). Bytes are worked out by hand
// or put together field by field, by the grammar of the header.
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "block.h"
#include "support/catch.h"
#include "support/iterator_contract.h"
#include "support/model.h"
#include "support/random.h"
#include "support/teach.h"

namespace lsm::test {

namespace {

using Entries = std::vector<Entry>;

constexpr const char* kI1 = "I1 internal keys strictly increase";
constexpr const char* kI2 = "I2 shared counts against the first key";
constexpr const char* kI3 = "I3 shared is maximal";
constexpr const char* kI4 =
    "I4 entries follow each other without gaps; starts are u16, ends are not";
constexpr const char* kI5 =
    "I5 a head is the two bytes after those that all keys begin with";

Entry put(std::string_view key, Sequence sequence, std::string_view value) {
  return {InternalKeyBuffer({key, make_tag(sequence, Kind::put)}),
          std::string(value)};
}
Entry removed(std::string_view key, Sequence sequence) {
  return {InternalKeyBuffer({key, make_tag(sequence, Kind::remove)}), ""};
}

std::string build(const Entries& entries) {
  BlockBuilder builder;
  for (const auto& [key, value] : entries)
    builder.add(key.view(), value);
  return std::string(builder.finish());
}

// "apple" put at 7 with "red", "apply" removed at 3: the header's example.
std::string example() {
  const unsigned char bytes[] = {
      0x02, 0x00, 0x04, 0x00,                          // 00
      0x00, 0x65, 0x00, 0x79,                          // 04
      0x00, 0x00, 0x13, 0x00,                          // 08
      0x00, 0x05, 0x03, 'a',  'p',  'p',  'l',  'e',   // 0c
      0x01, 0x07, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,  // 14
      'r',  'e',  'd',                                 // 1c
      0x04, 0x01, 0x00, 'y',                           // 1f
      0x00, 0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,  // 23
  };
  return {reinterpret_cast<const char*>(bytes), sizeof bytes};
}
const Entries kExample = {put("apple", 7, "red"), removed("apply", 3)};

// One field of a block after the other, right or wrong.
struct RawEntry {
  std::uint64_t shared;
  std::string tail;
  std::uint64_t tag;
  std::string value;
};
std::string raw_entry(const RawEntry& entry) {
  std::string to;
  append_varint(to, entry.shared);
  append_varint(to, entry.tail.size());
  append_varint(to, entry.value.size());
  to += entry.tail;
  append_u64(to, entry.tag);
  return to + entry.value;
}
std::string raw_front(std::uint16_t count, std::uint16_t common,
                      const std::vector<std::uint16_t>& heads,
                      const std::vector<std::uint16_t>& starts) {
  std::string to;
  append_u16(to, count);
  append_u16(to, common);
  for (const std::uint16_t head : heads)
    append_u16(to, head);
  for (const std::uint16_t start : starts)
    append_u16(to, start);
  return to;
}
// One entry after a front that fits it but for what the caller gets wrong.
std::string raw_single(std::string_view entry, std::uint16_t common = 1) {
  return raw_front(1, common, {0}, {0}) + std::string(entry);
}
// The two bytes after `common` as a big-endian number.
std::uint16_t raw_head(std::string key, std::size_t common) {
  key += std::string(common + 2, '\0');
  return static_cast<std::uint16_t>(
      static_cast<unsigned char>(key[common]) << 8 |
      static_cast<unsigned char>(key[common + 1]));
}
// Entries as they are; everything before them fits them.
std::string raw_block(const std::vector<RawEntry>& entries) {
  std::string bytes;
  std::vector<std::string> keys;
  std::vector<std::uint16_t> starts;
  std::string common;
  for (const RawEntry& entry : entries) {
    const std::string first = keys.empty() ? "" : keys[0];
    keys.push_back(first.substr(0, entry.shared) + entry.tail);
    if (keys.size() == 1) common = keys[0];
    while (!keys.back().starts_with(common))
      common.pop_back();
    starts.push_back(static_cast<std::uint16_t>(bytes.size()));
    bytes += raw_entry(entry);
  }
  std::vector<std::uint16_t> heads;
  for (const std::string& key : keys)
    heads.push_back(raw_head(key, common.size()));
  return raw_front(static_cast<std::uint16_t>(entries.size()),
                   static_cast<std::uint16_t>(common.size()), heads, starts) +
         bytes;
}

constexpr std::uint64_t kPut9 = 9 << 8 | 1;

// Few letters, so that prefixes, extensions and versions abound.
Entries random_entries(Random& random, std::size_t most) {
  Model model;
  const std::size_t count = 1 + random.below(most);
  for (std::size_t i = 0; i < count; i++) {
    const std::string key =
        random.text(random.below(12), std::string_view("ab\xff\0", 4));
    const std::string value =
        random.bytes(random.one_in(8) ? 300 : random.below(6));
    const Sequence sequence = 1 + random.below(30);
    if (random.one_in(4)) {
      model.remove(key, sequence);
    } else {
      model.put(key, value, sequence);
    }
  }
  return model.entries();
}

// Bytes with nothing readable around them: a sanitizer sees every read beyond.
class Exact {
 public:
  explicit Exact(std::string_view bytes)
      : data_(std::make_unique<char[]>(bytes.size())), size_(bytes.size()) {
    if (size_ > 0) std::memcpy(data_.get(), bytes.data(), size_);
  }
  std::string_view view() const { return {data_.get(), size_}; }
  void flip(std::size_t bit) {
    data_[bit / 8] = static_cast<char>(data_[bit / 8] ^ (1 << (bit % 8)));
  }

 private:
  std::unique_ptr<char[]> data_;
  std::size_t size_;
};

// Uses everything a parsed block offers; false when its keys are out of order.
bool walk_everything(const Block& block) {
  BlockIterator it(block);
  InternalKeyBuffer last;
  bool ordered = true;
  std::size_t seen = 0;
  std::string_view value;
  for (it.seek_to_first(); it.valid(); it.next()) {
    if (seen > 0 && compare(last.view(), it.key()) >= 0) ordered = false;
    last.assign(it.key());
    static_cast<void>(block.get(last.user(), kMaxSequence, value));
    ordered = ordered && block.lower_bound(last.view()) == seen;
    seen++;
  }
  return ordered && seen == block.count();
}

}  // namespace

TEST_CASE("two entries become the bytes of the worked example",
          "[1.2][task-1][core]") {
  STORY("Add apple@7 put \"red\" and apply@3 remove; finish.");
  INVARIANT("block := count common head* start* entry*");
  CHECK_BYTES(build(kExample), example());
}

TEST_CASE("a key shares with the first key, not with the one before",
          "[1.2][task-1][core]") {
  STORY(
      "Add aaa, aabbb, aabbc. The third shares four bytes with the second, "
      "but only two with the first.");
  INVARIANT(kI2);
  const std::string seen =
      build({put("aaa", 9, ""), put("aabbb", 9, ""), put("aabbc", 9, "")});
  CHECK_BYTES(seen, raw_block({{0, "aaa", kPut9, ""},
                               {2, "bbb", kPut9, ""},
                               {2, "bbc", kPut9, ""}}));
}

TEST_CASE("a key that extends the first shares all of it",
          "[1.2][task-1][core]") {
  STORY("Add key@9, key@8 and keyhole@9.");
  INVARIANT(kI3);
  const std::string seen =
      build({put("key", 9, "x"), put("key", 8, "y"), put("keyhole", 9, "z")});
  CHECK_BYTES(seen, raw_block({{0, "key", kPut9, "x"},
                               {3, "", 8 << 8 | 1, "y"},
                               {3, "hole", kPut9, "z"}}));
}

TEST_CASE("empty key, empty value and lengths of two bytes",
          "[1.2][task-1][core]") {
  STORY("Add the empty key with no value, then 300 k's with 200 v's.");
  INVARIANT(kI4);
  const std::string key(300, 'k');
  const std::string value(200, 'v');
  CHECK_BYTES(build({put("", 9, ""), put(key, 9, value)}),
              raw_block({{0, "", kPut9, ""}, {0, key, kPut9, value}}));
}

TEST_CASE("heads begin where the keys of a block part", "[1.2][task-1][core]") {
  STORY(
      "user:17, user:2 and user:203 begin with user: and go on with 17, 2 and "
      "20. Alone, user:17 has no byte left for its head.");
  INVARIANT(kI5);
  const std::string three = build(
      {put("user:17", 9, ""), put("user:2", 9, ""), put("user:203", 9, "")});
  CHECK_BYTES(std::string_view(three).substr(0, 10), std::string_view("\3\0\5\0"
                                                                      "71"
                                                                      "\0"
                                                                      "2"
                                                                      "02",
                                                                      10));
  const std::string one = build({put("user:17", 9, "")});
  CHECK_BYTES(std::string_view(one).substr(0, 6), std::string_view("\1\0\7\0"
                                                                   "\0\0",
                                                                   6));
}

TEST_CASE("the first key may be empty", "[1.2][task-1][core]") {
  STORY("Add the empty key, then ab and ac, which share nothing with it.");
  INVARIANT(kI2);
  CHECK_BYTES(
      build({put("", 9, ""), put("ab", 9, ""), put("ac", 9, "")}),
      raw_block(
          {{0, "", kPut9, ""}, {0, "ab", kPut9, ""}, {0, "ac", kPut9, ""}}));
}

TEST_CASE("size_bytes says what finish will make", "[1.2][task-1][core]") {
  STORY("Add entries one by one; compare the size with a finished copy.");
  INVARIANT("size_bytes: how large the block would be if finished now");
  SEEDED_RANDOM(random, 12);
  const Entries entries = random_entries(random, 60);
  BlockBuilder builder;
  CHECK(builder.empty());
  for (std::size_t i = 0; i < entries.size(); i++) {
    const auto& [key, value] = entries[i];
    const std::size_t predicted = builder.size_bytes_with(key.view(), value);
    builder.add(key.view(), value);
    REQUIRE_SAME(builder.size_bytes(), predicted);
    const Entries so_far(entries.begin(),
                         entries.begin() + static_cast<std::ptrdiff_t>(i + 1));
    REQUIRE_SAME(build(so_far).size(), predicted);
  }
  CHECK_SAME(builder.empty(), false);
}

TEST_CASE("a builder that was reset remembers nothing", "[1.2][task-1][core]") {
  STORY("Build a block of aardvark, reset, build the worked example.");
  INVARIANT("reset: the next block begins with nothing of the last");
  BlockBuilder builder;
  builder.add(seek_key("aardvark", 5), "value");
  static_cast<void>(builder.finish());
  builder.reset();
  CHECK(builder.empty());
  for (const auto& [key, value] : kExample)
    builder.add(key.view(), value);
  CHECK_BYTES(builder.finish(), example());
}

TEST_CASE("any entry decodes without the others", "[1.2][task-2][core]") {
  STORY("Take entry 1 of the worked example before entry 0.");
  INVARIANT(kI2);
  const std::string bytes = example();
  const Block block = Block::trusted(bytes);
  REQUIRE_SAME(block.count(), 2);
  const Block::Entry second = block.entry(1);
  CHECK_SAME(second.shared, 4);
  CHECK_SAME(second.tail, "y");
  CHECK_SAME(second.tag, make_tag(3, Kind::remove));
  CHECK_SAME(second.value, "");
  const Block::Entry first = block.entry(0);
  CHECK_SAME(first.shared, 0);
  CHECK_SAME(first.tail, "apple");
  CHECK_SAME(first.tag, make_tag(7, Kind::put));
  CHECK_SAME(first.value, "red");
}

TEST_CASE("shared and tail may need more than one byte",
          "[1.2][task-2][core]") {
  STORY("Keys that share 127, 128, 300 and 20,000 bytes; tails as long.");
  INVARIANT("entry := shared:varint tail:varint value:varint …");
  for (const std::size_t size : {127U, 128U, 300U, 20'000U}) {
    INFO("bytes: " << size);
    const std::string long_key(size, 'k');
    const std::string bytes =
        raw_block({{0, long_key, kPut9, "1"},
                   {size, "x", kPut9, "2"},
                   {0, std::string(size, 'z'), kPut9, ""}});
    const Block block = Block::trusted(bytes);
    CHECK_SAME(block.entry(0).tail, long_key);
    CHECK_SAME(block.entry(1).shared, size);
    CHECK_SAME(block.entry(1).tail, "x");
    CHECK_SAME(block.entry(1).value, "2");
    CHECK_SAME(block.entry(2).tail.size(), size);
  }
}

TEST_CASE("a value may reach far beyond 64 KiB", "[1.2][task-2][core]") {
  STORY("The last entry starts early and has a value of 200,000 bytes.");
  INVARIANT(kI4);
  const std::string value(200'000, 'v');
  const std::string bytes =
      raw_block({{0, "a", kPut9, "small"}, {0, "b", kPut9, value}});
  const Block::Entry entry = Block::trusted(bytes).entry(1);
  CHECK_SAME(entry.tail, "b");
  CHECK_SAME(entry.value.size(), value.size());
  CHECK(entry.value == value);
}

TEST_CASE("an iterator walks forward and puts keys together",
          "[1.2][task-3][core]") {
  STORY("Walk the worked example from the first entry.");
  INVARIANT("I1 of base/iterator.h: every entry, in ascending order");
  const std::string bytes = example();
  BlockIterator it(Block::trusted(bytes));
  CHECK_SAME(it.valid(), false);
  it.seek_to_first();
  REQUIRE_SAME(it.valid(), true);
  CHECK_SAME(it.key(), InternalKey{"apple", make_tag(7, Kind::put)});
  CHECK_SAME(it.value(), "red");
  it.next();
  REQUIRE_SAME(it.valid(), true);
  CHECK_SAME(it.key(), InternalKey{"apply", make_tag(3, Kind::remove)});
  CHECK_SAME(it.value(), "");
  it.next();
  CHECK_SAME(it.valid(), false);
  CHECK_OK(it.status());
}

TEST_CASE("a second walk finds the keys that the first one found",
          "[1.2][task-3][core]") {
  STORY(
      "abcdef, abcdeg, abx, b share 6, 5, 2 and 0 bytes with the first. Walk "
      "to the end, then from the start again.");
  INVARIANT("I2 a key is the first key's `shared` bytes and its own tail");
  const Entries entries = {put("abcdef", 9, "1"), put("abcdeg", 9, "2"),
                           put("abx", 9, "3"), put("b", 9, "4")};
  const std::string bytes = build(entries);
  BlockIterator it(Block::trusted(bytes));
  for (int walk = 0; walk < 2; walk++) {
    std::size_t i = 0;
    for (it.seek_to_first(); it.valid(); it.next(), i++) {
      REQUIRE(i < entries.size());
      CHECK_SAME(it.key(), entries[i].first.view());
      CHECK_SAME(it.value(), entries[i].second);
    }
    CHECK_SAME(i, entries.size());
  }
}

TEST_CASE("an iterator moves to another block", "[1.2][task-3][core]") {
  STORY("Walk a block of plum…, then reset the iterator to the example.");
  INVARIANT("I2 shared counts against the first key of the iterator's block");
  const std::string bytes =
      build({put("plum", 1, ""), put("plumage", 1, ""), put("plums", 1, "")});
  const std::string other = example();
  BlockIterator it(Block::trusted(bytes));
  for (it.seek_to_first(); it.valid();)
    it.next();
  it.reset(Block::trusted(other));
  CHECK_SAME(it.valid(), false);
  it.seek_to_first();
  it.next();
  REQUIRE_SAME(it.valid(), true);
  CHECK_SAME(it.key(), kExample[1].first.view());
}

TEST_CASE("one probe for each way a key can differ from the first",
          "[1.2][task-4][core]") {
  STORY(
      "Look for maple, man, mango, mangos and others among mango, mangrove, "
      "maple, maraca, melon, which share all, 4, 2, 2, 1 bytes with the "
      "first.");
  INVARIANT("s > L is smaller, s < L larger: of entries 1 and up, not of 0");
  const std::string bytes =
      build({put("mango", 9, ""), put("mangrove", 9, ""), put("maple", 9, ""),
             put("maraca", 9, ""), put("melon", 9, "")});
  const Block block = Block::trusted(bytes);
  CHECK_SAME(block.lower_bound(seek_key("maple", 9)), 2);
  CHECK_SAME(block.lower_bound(seek_key("man", 9)), 0);
  CHECK_SAME(block.lower_bound(seek_key("mango", 9)), 0);
  CHECK_SAME(block.lower_bound(seek_key("mangos", 9)), 1);
  CHECK_SAME(block.lower_bound(seek_key("mb", 9)), 4);
  CHECK_SAME(block.lower_bound(seek_key("n", 9)), 5);
  CHECK_SAME(block.lower_bound(seek_key("", 9)), 0);
}

TEST_CASE("keys with one head are told apart by their tails",
          "[1.2][task-4][core]") {
  STORY(
      "aba, abb, abc, b: all but b have the head \"ab\". Then a, a0, a00, a01 "
      "with 0 and 1 for zero and one bytes: all but a01 have the head 00.");
  INVARIANT(kI5);
  const std::string letters = build({put("aba", 9, ""), put("abb", 9, ""),
                                     put("abc", 9, ""), put("b", 9, "")});
  const Block block = Block::trusted(letters);
  CHECK_SAME(block.lower_bound(seek_key("ab", 9)), 0);
  CHECK_SAME(block.lower_bound(seek_key("abb", 9)), 1);
  CHECK_SAME(block.lower_bound(seek_key("abbb", 9)), 2);
  CHECK_SAME(block.lower_bound(seek_key("abc", 9)), 2);
  CHECK_SAME(block.lower_bound(seek_key("abd", 9)), 3);
  CHECK_SAME(block.lower_bound(seek_key("ac", 9)), 3);
  using namespace std::string_view_literals;
  const std::string zeros =
      build({put("a"sv, 9, ""), put("a\0"sv, 9, ""), put("a\0\0"sv, 9, ""),
             put("a\0\1"sv, 9, "")});
  const Block padded = Block::trusted(zeros);
  CHECK_SAME(padded.lower_bound(seek_key("a"sv, 9)), 0);
  CHECK_SAME(padded.lower_bound(seek_key("a\0"sv, 9)), 1);
  CHECK_SAME(padded.lower_bound(seek_key("a\0\0"sv, 9)), 2);
  CHECK_SAME(padded.lower_bound(seek_key("a\0\0\0"sv, 9)), 3);
  CHECK_SAME(padded.lower_bound(seek_key("a\0\1"sv, 9)), 3);
  CHECK_SAME(padded.lower_bound(seek_key("a\xff\xff"sv, 9)), 4);
}

TEST_CASE("a head may be ff ff", "[1.2][task-4][core]") {
  STORY("a, then ff ff and ff ff ff (bytes), whose heads are the largest.");
  INVARIANT(kI5);
  const std::string bytes = build(
      {put("a", 9, ""), put("\xff\xff", 9, ""), put("\xff\xff\xff", 9, "")});
  const Block block = Block::trusted(bytes);
  CHECK_SAME(block.lower_bound(seek_key("\xff\xff", 9)), 1);
  CHECK_SAME(block.lower_bound(seek_key("\xff\xff\xff", 9)), 2);
  CHECK_SAME(block.lower_bound(seek_key("\xff\xff\xff\xff", 9)), 3);
}

TEST_CASE("the first key has versions too", "[1.2][task-4][core]") {
  STORY("Versions 9, 5 and 2 of \"a\" stand before b.");
  INVARIANT(kI1);
  const std::string bytes = build(
      {put("a", 9, ""), put("a", 5, ""), put("a", 2, ""), put("b", 1, "")});
  const Block block = Block::trusted(bytes);
  CHECK_SAME(block.lower_bound(seek_key("a", 10)), 0);
  CHECK_SAME(block.lower_bound(seek_key("a", 9)), 0);
  CHECK_SAME(block.lower_bound(seek_key("a", 8)), 1);
  CHECK_SAME(block.lower_bound(seek_key("a", 5)), 1);
  CHECK_SAME(block.lower_bound(seek_key("a", 2)), 2);
  CHECK_SAME(block.lower_bound(seek_key("a", 1)), 3);
}

TEST_CASE("among versions the tag decides, newest first",
          "[1.2][task-4][core]") {
  STORY("Versions 9, 5 and 2 of \"b\" stand between a and c.");
  INVARIANT(kI1);
  const std::string bytes =
      build({put("a", 1, ""), put("b", 9, ""), put("b", 5, ""), put("b", 2, ""),
             put("c", 1, "")});
  const Block block = Block::trusted(bytes);
  CHECK_SAME(block.lower_bound(seek_key("b", kMaxSequence)), 1);
  CHECK_SAME(block.lower_bound(seek_key("b", 9)), 1);
  CHECK_SAME(block.lower_bound(seek_key("b", 8)), 2);
  CHECK_SAME(block.lower_bound(seek_key("b", 2)), 3);
  CHECK_SAME(block.lower_bound(seek_key("b", 1)), 4);
  CHECK_SAME(block.lower_bound(seek_key("c", 0)), 5);
}

TEST_CASE("seek and next obey the iterator contract", "[1.2][task-4][core]") {
  STORY("Random blocks, forward: every target around every key.");
  INVARIANT("I2 of base/iterator.h: seek stands at or after the target");
  SEEDED_RANDOM(random, 24);
  for (std::size_t i = 0; i < scaled(12); i++) {
    const Entries entries = random_entries(random, i % 6 == 0 ? 1 : 60);
    const std::string bytes = build(entries);
    BlockIterator it(Block::trusted(bytes));
    check_iterator_contract(it, entries, i, Directions::forward);
  }
}

TEST_CASE("a get takes the newest version it may see", "[1.2][task-5][core]") {
  STORY("apple: put 9, removed 6, put 4. Get at 3, 4, 5, 6, 8, 9, 100.");
  INVARIANT("get: the newest version with a sequence <= at");
  const std::string bytes =
      build({put("apple", 9, "new"), removed("apple", 6),
             put("apple", 4, "old"), put("banana", 5, "yellow")});
  const Block block = Block::trusted(bytes);
  std::string_view value;
  CHECK_SAME(block.get("apple", 100, value), Lookup::value);
  CHECK_SAME(value, "new");
  CHECK_SAME(block.get("apple", 9, value), Lookup::value);
  CHECK_SAME(value, "new");
  CHECK_SAME(block.get("apple", 8, value), Lookup::removed);
  CHECK_SAME(block.get("apple", 6, value), Lookup::removed);
  CHECK_SAME(block.get("apple", 5, value), Lookup::value);
  CHECK_SAME(value, "old");
  CHECK_SAME(block.get("apple", 3, value), Lookup::absent);
  CHECK_SAME(block.get("banana", 5, value), Lookup::value);
  CHECK_SAME(value, "yellow");
}

TEST_CASE("a get of a key that is not there is absent", "[1.2][task-5][core]") {
  STORY("Keys before, between, after; a prefix and an extension of a key.");
  INVARIANT("get: absent unless the whole user key is equal");
  const std::string bytes = example();
  const Block block = Block::trusted(bytes);
  std::string_view value;
  for (const char* key : {"", "a", "appl", "applf", "applee", "applyy", "b"}) {
    INFO("key: " << key);
    CHECK_SAME(block.get(key, 100, value), Lookup::absent);
  }
}

TEST_CASE("an equal head does not make an equal key", "[1.2][task-5][core]") {
  STORY(
      "key:aa1 alone in its block: the head of any key of its length is 0. "
      "Then key:aa1, key:aa2 and key:b: the first two have the head \"aa\".");
  INVARIANT(kI5);
  std::string_view value;
  const std::string alone = build({put("key:aa1", 9, "one")});
  CHECK_SAME(Block::trusted(alone).get("key:aa2", 9, value), Lookup::absent);
  CHECK_SAME(Block::trusted(alone).get("yek:aa1", 9, value), Lookup::absent);
  CHECK_SAME(Block::trusted(alone).get("key:aa1", 9, value), Lookup::value);
  const std::string three =
      build({put("key:aa1", 9, "one"), put("key:aa2", 9, "two"),
             put("key:b", 9, "")});
  const Block block = Block::trusted(three);
  CHECK_SAME(block.get("key:aa1", 9, value), Lookup::value);
  CHECK_SAME(value, "one");
  CHECK_SAME(block.get("key:aa2", 9, value), Lookup::value);
  CHECK_SAME(value, "two");
  CHECK_SAME(block.get("key:aa3", 9, value), Lookup::absent);
  CHECK_SAME(block.get("yek:aa2", 9, value), Lookup::absent);
}

TEST_CASE("an empty value is a value", "[1.2][task-5][core]") {
  STORY("Put \"a\" with no bytes, and the empty key with \"x\".");
  INVARIANT("a tombstone is a kind, not an empty value");
  const std::string bytes = build({put("", 9, "x"), put("a", 9, "")});
  const Block block = Block::trusted(bytes);
  std::string_view value = "untouched";
  CHECK_SAME(block.get("a", 9, value), Lookup::value);
  CHECK_SAME(value, "");
  CHECK_SAME(block.get("", 9, value), Lookup::value);
  CHECK_SAME(value, "x");
}

TEST_CASE("random gets agree with a map", "[1.2][task-5][core]") {
  STORY("Random versions; get random keys at random sequences.");
  INVARIANT("get: the newest version with a sequence <= at");
  SEEDED_RANDOM(random, 25);
  for (std::size_t i = 0; i < scaled(60); i++) {
    const Entries entries = random_entries(random, 80);
    const std::string bytes = build(entries);
    const Block block = Block::trusted(bytes);
    for (int j = 0; j < 60; j++) {
      const std::string key =
          random.one_in(2)
              ? random.pick(entries).first.user()
              : random.text(random.below(4), std::string_view("ab\xff\0", 4));
      const Sequence at = random.below(32);
      const auto expected =
          std::ranges::find_if(entries, [&](const Entry& entry) {
            return entry.first.user() == key &&
                   entry.first.view().sequence() <= at;
          });
      std::string_view value;
      const Lookup seen = block.get(key, at, value);
      INFO("key: " << quoted(key) << " at " << at);
      Lookup answer = Lookup::absent;
      if (expected != entries.end()) {
        const bool gone = expected->first.view().kind() == Kind::remove;
        answer = gone ? Lookup::removed : Lookup::value;
      }
      REQUIRE_SAME(seen, answer);
      if (answer == Lookup::value) REQUIRE_SAME(value, expected->second);
    }
  }
}

TEST_CASE("intact blocks parse", "[1.2][task-6][core]") {
  STORY("The worked example, and random blocks.");
  INVARIANT("parse accepts what a builder makes");
  const auto parsed = Block::parse(example());
  REQUIRE_OK(parsed);
  CHECK_SAME(parsed->count(), 2);
  SEEDED_RANDOM(random, 26);
  for (std::size_t i = 0; i < scaled(50); i++) {
    const Entries entries = random_entries(random, 60);
    const Exact bytes(build(entries));
    const auto block = Block::parse(bytes.view());
    REQUIRE_OK(block);
    REQUIRE_SAME(block->count(), entries.size());
    REQUIRE(walk_everything(*block));
  }
}

TEST_CASE("every kind of damage is refused", "[1.2][task-6][gold]") {
  STORY("One field after the other is wrong; see `damage` for which.");
  INVARIANT("parse checks I1 to I5, sizes and kinds of every entry");
  const std::uint64_t put8 = 8 << 8 | 1;
  const std::string intact = raw_block({{0, "mm", kPut9, "1"},
                                        {2, "", put8, "2"},
                                        {1, "n", kPut9, "3"},
                                        {0, "n", kPut9, "4"}});
  REQUIRE_OK(Block::parse(intact));
  std::string long_tail;
  append_varint(long_tail, 0);
  append_varint(long_tail, UINT64_MAX);
  append_varint(long_tail, 0);
  std::string long_value;
  append_varint(long_value, 0);
  append_varint(long_value, 1);
  append_varint(long_value, UINT64_MAX - 8);
  long_value += "m";
  append_u64(long_value, kPut9);
  // The tag would be read from the lengths themselves, and fit.
  std::string wraps;
  append_varint(wraps, 0);
  append_varint(wraps, UINT64_MAX - 11);
  append_varint(wraps, 20);
  wraps += std::string(16, 'x');
  std::string no_end(3, '\0');
  no_end[0] = '\xff';
  no_end[1] = '\xff';
  no_end[2] = '\xff';
  const std::pair<const char*, std::string> cases[] = {
      {"no bytes", ""},
      {"one byte", std::string(1, '\0')},
      {"three bytes", std::string("\1\0\0", 3)},
      {"count 0", raw_front(0, 0, {}, {})},
      {"count larger than the block", raw_front(9, 0, {0}, {0})},
      {"cut off at the front", intact.substr(1)},
      {"cut off at the end", intact.substr(0, intact.size() - 1)},
      {"first entry does not start at 0",
       raw_front(1, 1, {0}, {1}) + "x" + raw_entry({0, "m", kPut9, ""})},
      {"a start inside the entry before",
       raw_front(2, 0, {0x6d00, 0x6e00}, {0, 11}) +
           raw_entry({0, "m", kPut9, ""}) + raw_entry({0, "n", kPut9, ""})},
      {"bytes after the last entry",
       raw_single(raw_entry({0, "m", kPut9, ""}) + "x")},
      {"more in common than the keys have", raw_front(2, 1, {0, 0}, {0, 12}) +
                                                raw_entry({0, "m", kPut9, ""}) +
                                                raw_entry({0, "n", kPut9, ""})},
      {"less in common than the keys have",
       raw_front(2, 1, {0x6d00, 0x6d01}, {0, 13}) +
           raw_entry({0, "mm", kPut9, ""}) + raw_entry({2, "\1", kPut9, ""})},
      {"a head of another key", raw_front(2, 0, {0x6d00, 0x6f00}, {0, 12}) +
                                    raw_entry({0, "m", kPut9, ""}) +
                                    raw_entry({0, "n", kPut9, ""})},
      {"a first entry that shares", raw_block({{1, "m", kPut9, ""}})},
      {"shares more than the first key has",
       raw_block({{0, "m", kPut9, ""}, {2, "x", kPut9, ""}})},
      {"shares less than it could",
       raw_block({{0, "mm", kPut9, ""}, {1, "mx", kPut9, ""}})},
      {"shares all but says one less, same key",
       raw_block({{0, "mm", kPut9, ""}, {1, "m", put8, ""}})},
      {"shares 0 bytes but could share 3, and its head ties",
       raw_front(2, 0, {0x7878, 0x7878}, {0, 15}) +
           raw_entry({0, "xxab", kPut9, ""}) +
           raw_entry({0, "xxac", kPut9, ""})},
      {"a key that shares again after one that does not",
       raw_front(3, 3, {0x6100, 0x0000, 0x6200}, {0, 15, 27}) +
           raw_entry({0, "aaaa", kPut9, ""}) + raw_entry({0, "b", kPut9, ""}) +
           raw_entry({3, "b", kPut9, ""})},
      {"a key of 65,536 bytes",
       raw_block(
           {{0, "a", kPut9, ""}, {0, std::string(65'536, 'b'), kPut9, ""}})},
      {"a proper prefix of the first key",
       raw_block({{0, "mm", kPut9, ""}, {1, "", kPut9, ""}})},
      {"smaller than the first key",
       raw_block({{0, "mm", kPut9, ""}, {0, "a", kPut9, ""}})},
      {"smaller than the one before",
       raw_block(
           {{0, "m", kPut9, ""}, {0, "x", kPut9, ""}, {0, "w", kPut9, ""}})},
      {"shares more than the one before",
       raw_block(
           {{0, "mm", kPut9, ""}, {0, "x", kPut9, ""}, {1, "n", kPut9, ""}})},
      {"the same key twice",
       raw_block({{0, "m", kPut9, ""}, {1, "", kPut9, ""}})},
      {"an older version before a newer one",
       raw_block({{0, "m", put8, ""}, {1, "", kPut9, ""}})},
      {"a tail byte that compares signed",
       raw_block({{0, "m\x7f", kPut9, ""},
                  {1, "\x80", kPut9, ""},
                  {1, "\x7f\x01", kPut9, ""}})},
      {"an unknown kind", raw_block({{0, "m", 9 << 8 | 2, ""}})},
      {"a tail of 2^64-1 bytes", raw_single(long_tail + std::string(20, 'x'))},
      {"a tail so long that adding to it wraps around",
       raw_front(2, 0, {0x7878, 0x7a00}, {0, 28}) + wraps +
           raw_entry({0, "z", kPut9, ""})},
      {"a value of nearly 2^64 bytes", raw_single(long_value)},
      {"a length without an end", raw_single(no_end)},
      {"an entry that reaches past the block",
       raw_single(raw_entry({0, "m", kPut9, "vvvv"}).substr(0, 14))},
  };
  for (const auto& [damage, bytes] : cases) {
    INFO("damage: " << damage);
    const Exact exact(bytes);
    CHECK_ERROR(Block::parse(exact.view()), Code::corruption);
  }
}

TEST_CASE("an error names the entry", "[1.2][task-6][gold]") {
  STORY("The third of three entries repeats the second.");
  INVARIANT("I2 of base/error.h: a message says where");
  const auto parsed = Block::parse(raw_block(
      {{0, "a", kPut9, ""}, {0, "b", kPut9, ""}, {0, "b", kPut9, ""}}));
  REQUIRE(!parsed.has_value());
  INFO("message: " << parsed.error().message);
  CHECK(parsed.error().message.find("entry 2") != std::string::npos);
}

TEST_CASE("a flipped bit is refused or harmless", "[1.2][task-6][gold]") {
  STORY(
      "Flip each bit of small blocks: what still parses is walked, searched "
      "and asked, and must be in order and in bounds.");
  INVARIANT("parse: nothing below can fail or read outside");
  SEEDED_RANDOM(random, 27);
  for (std::size_t i = 0; i < scaled(12); i++) {
    Exact bytes(build(random_entries(random, 12)));
    for (std::size_t bit = 0; bit < bytes.view().size() * 8; bit++) {
      bytes.flip(bit);
      if (const auto block = Block::parse(bytes.view())) {
        INFO("flipped bit " << bit);
        REQUIRE(walk_everything(*block));
      }
      bytes.flip(bit);
    }
  }
}

TEST_CASE("garbage is refused or harmless", "[1.2][task-6][gold]") {
  STORY("Random bytes, small numbers mostly, with a plausible count.");
  INVARIANT("parse: its input is hostile");
  SEEDED_RANDOM(random, 28);
  for (std::size_t i = 0; i < scaled(20'000); i++) {
    std::string bytes = random.text(
        4 + random.below(60),
        std::string_view("\0\0\0\0\1\1\2\3\xb\xc\x16 ab\x80\xff", 16));
    bytes[0] = static_cast<char>(random.below(4));
    bytes[1] = '\0';
    const Exact exact(bytes);
    if (const auto block = Block::parse(exact.view())) {
      INFO("bytes: " << quoted(bytes));
      REQUIRE(walk_everything(*block));
    }
  }
}

TEST_CASE("an iterator walks backward", "[1.2][task-7][gold]") {
  STORY("Walk abcdef, abcdeg, abx, b from the last to before the first.");
  INVARIANT("I2 of base/iterator.h: a move past either end is invalid");
  const Entries entries = {put("abcdef", 9, "1"), put("abcdeg", 9, "2"),
                           put("abx", 9, "3"), put("b", 9, "4")};
  const std::string bytes = build(entries);
  BlockIterator it(Block::trusted(bytes));
  it.seek_to_last();
  for (std::size_t i = entries.size(); i-- > 0;) {
    REQUIRE_SAME(it.valid(), true);
    CHECK_SAME(it.key(), entries[i].first.view());
    CHECK_SAME(it.value(), entries[i].second);
    it.prev();
  }
  CHECK_SAME(it.valid(), false);
}

TEST_CASE("next and prev undo each other", "[1.2][task-7][gold]") {
  STORY("Random blocks, random moves both ways, every seek target.");
  INVARIANT("base/iterator.h, all of it");
  SEEDED_RANDOM(random, 29);
  for (std::size_t i = 0; i < scaled(12); i++) {
    const Entries entries = random_entries(random, i % 6 == 0 ? 1 : 60);
    const std::string bytes = build(entries);
    BlockIterator it(Block::trusted(bytes));
    check_iterator_contract(it, entries, i);
  }
}

TEST_CASE("a full block of the largest size walks both ways",
          "[1.2][task-7][gold]") {
  STORY("64 KiB of entries, and at the end a value of 100,000 bytes.");
  INVARIANT(kI4);
  Entries entries;
  BlockBuilder builder;
  for (int i = 10'000; builder.size_bytes() < kMaxEntryStart - 200; i++) {
    entries.push_back(put("key" + std::to_string(i), 9, "value"));
    builder.add(entries.back().first.view(), entries.back().second);
  }
  entries.push_back(put("last", 9, std::string(100'000, 'v')));
  builder.add(entries.back().first.view(), entries.back().second);
  const Exact bytes(builder.finish());
  const auto block = Block::parse(bytes.view());
  REQUIRE_OK(block);
  BlockIterator it(*block);
  check_iterator_contract(it, entries, 30);
}

}  // namespace lsm::test
