// Day 1.3: tables (frame.h, separators.h, table_builder.h, table.h,
// table_iterator.cpp). The disk is in memory; the cache here keeps everything
// and counts; the filter is exact, so that "surely not" is surely so.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/fault_file_system.h"
#include "base/sim_file_system.h"
#include "block.h"
#include "frame.h"
#include "separators.h"
#include "support/catch.h"
#include "support/iterator_contract.h"
#include "support/model.h"
#include "support/random.h"
#include "support/teach.h"
#include "table.h"
#include "table_builder.h"

namespace lsm::test {

namespace {

using Entries = std::vector<Entry>;

constexpr FileIdentity kFile{.store_id = 1, .number = 7};
const std::string kPath = "/db/000007.sst";

Entry put(std::string_view key, Sequence sequence, std::string_view value) {
  return {InternalKeyBuffer({key, make_tag(sequence, Kind::put)}),
          std::string(value)};
}
Entry removed(std::string_view key, Sequence sequence) {
  return {InternalKeyBuffer({key, make_tag(sequence, Kind::remove)}), ""};
}

// Remembers every hash: never wrong in either direction.
class ExactFilter final : public FilterPolicy {
 public:
  std::string_view name() const override { return "test.exact"; }
  std::string build(std::span<const std::uint64_t> hashes) const override {
    std::string to;
    for (const std::uint64_t hash : hashes)
      append_u64(to, hash);
    return to;
  }
  bool may_contain(std::string_view filter, std::uint64_t hash) const override {
    for (std::size_t i = 0; i + 8 <= filter.size(); i += 8) {
      if (load_u64(filter.data() + i) == hash) return true;
    }
    return false;
  }
};

// Which block was inserted: its offset, and whether as a scan's.
using Inserted = std::vector<std::pair<std::uint64_t, bool>>;

// Keeps everything, and notes it.
class KeepAll final : public BlockCache {
 public:
  BlockPin lookup(BlockKey key) override {
    const auto found = blocks_.find({key.table, key.offset});
    if (found == blocks_.end()) return {};
    return {this, &found->second, found->second.view()};
  }
  BlockPin insert(BlockKey key, BlockBytes bytes, bool scan) override {
    inserted.emplace_back(key.offset, scan);
    auto& kept = blocks_[{key.table, key.offset}];
    kept = std::move(bytes);
    return {this, &kept, kept.view()};
  }
  void charge(std::size_t bytes) override { charged += bytes; }
  void uncharge(std::size_t bytes) override { charged -= bytes; }
  std::uint64_t new_table_id() override { return ++tables_; }
  CacheStats stats() const override { return {}; }

  Inserted inserted;
  std::size_t charged = 0;

 protected:
  void release(void*) noexcept override {}

 private:
  std::map<std::pair<std::uint64_t, std::uint64_t>, BlockBytes> blocks_;
  std::uint64_t tables_ = 0;
};

// A disk with one folder, and what a table needs around it.
struct Desk {
  Desk() { REQUIRE_OK(fs.create_dir("/db")); }

  TableOptions options(std::size_t block_size_bytes = 256,
                       Compression compression = Compression::none) const {
    return {.block_size_bytes = block_size_bytes,
            .compression = compression,
            .filter = &filter};
  }
  FileMeta write(const Entries& entries, TableOptions how) {
    auto builder = TableBuilder::create(fs, kPath, kFile, how);
    REQUIRE_OK(builder);
    for (const auto& [key, value] : entries) {
      REQUIRE_OK((*builder)->add(key.view(), value));
    }
    auto meta = (*builder)->finish();
    REQUIRE_OK(meta);
    return *meta;
  }
  FileMeta write(const Entries& entries) { return write(entries, options()); }
  Result<std::shared_ptr<const Table>> try_open(FileIdentity file = kFile) {
    return Table::open(fs, kPath, file, {&filter, &cache});
  }
  std::shared_ptr<const Table> open() {
    auto table = try_open();
    REQUIRE_OK(table);
    return *table;
  }
  std::string bytes() {
    auto all = read_file(fs, kPath);
    REQUIRE_OK(all);
    return *all;
  }
  void replace(std::string_view bytes) {
    REQUIRE_OK(fs.remove(kPath));
    auto file = fs.open(kPath, FileSystem::Mode::create);
    REQUIRE_OK(file);
    REQUIRE_OK((*file)->append(bytes));
    REQUIRE_OK((*file)->close());
  }

  SimFileSystem fs;
  ExactFilter filter;
  KeepAll cache;
};

Result<Lookup> get(const Table& table, std::string_view key, Sequence at,
                   std::string& value) {
  return table.get(key, filter_hash(key), at, value);
}

Entries fruit() {
  return {put("apple", 9, "red"), removed("apple", 4), put("banana", 5, ""),
          put("cherry", 3, "dark")};
}

// 200 keys with 40-byte values: some 60 blocks of 256 bytes.
Entries many() {
  Entries entries;
  for (int i = 0; i < 200; i++) {
    entries.push_back(put("key" + std::to_string(1000 + i), 9,
                          std::string(40, static_cast<char>('a' + i % 26))));
  }
  return entries;
}

// 300 versions of one key between two others, over many blocks.
Entries versions() {
  Entries entries = {put("ant", 1, "first")};
  for (Sequence sequence = 400; sequence > 100; sequence--) {
    entries.push_back(sequence % 5 == 0
                          ? removed("bee", sequence)
                          : put("bee", sequence, std::to_string(sequence)));
  }
  entries.push_back(put("cow", 1, "last"));
  return entries;
}

Model random_model(Random& random, std::size_t most) {
  Model model;
  const std::size_t count = 1 + random.below(most);
  for (std::size_t i = 0; i < count; i++) {
    const std::string key =
        random.text(random.below(7), std::string_view("ab\xff\0", 4));
    model.apply(random.one_in(4) ? Kind::remove : Kind::put, key,
                random.text(random.one_in(12) ? 2000 : random.below(40), "xy"),
                1 + random.below(50));
  }
  return model;
}

// The entries of a table, read frame by frame without room 1.3's reader.
struct Taken {
  Entries entries;
  std::vector<std::size_t> entries_in_block;
  std::vector<std::size_t> block_bytes;
  Footer footer;
  std::string filter;
  std::string filter_policy;
};
Taken take_apart(Desk& desk) {
  Taken taken;
  const std::string bytes = desk.bytes();
  const auto file = desk.fs.open(kPath, FileSystem::Mode::read);
  REQUIRE_OK(file);
  const auto footer = read_footer(**file, kPath);
  REQUIRE_OK(footer);
  taken.footer = *footer;
  BlockBytes unpacked;
  const auto frame = [&](std::uint64_t begin, std::uint64_t end) {
    const auto payload =
        open_frame(std::string_view(bytes).substr(begin, end - begin),
                   {kPath, kFile, begin}, unpacked);
    REQUIRE_OK(payload);
    return std::string(*payload);
  };
  taken.filter = frame(footer->filter_at, footer->index_at);
  const auto properties =
      decode_properties(frame(footer->properties_at, footer->footer_at),
                        {kPath, kFile, footer->properties_at});
  REQUIRE_OK(properties);
  taken.filter_policy = properties->filter_policy;
  const auto index =
      BlockIndex::parse(frame(footer->index_at, footer->properties_at),
                        footer->filter_at, {kPath, kFile, footer->index_at});
  REQUIRE_OK(index);
  for (std::size_t i = 0; i < index->size(); i++) {
    const BlockIndex::Handle handle = index->handle(i);
    const std::string payload =
        frame(handle.offset, handle.offset + handle.size_bytes);
    const auto block = Block::parse(payload);
    REQUIRE_OK(block);
    taken.entries_in_block.push_back(block->count());
    taken.block_bytes.push_back(payload.size());
    BlockIterator it(*block);
    for (it.seek_to_first(); it.valid(); it.next()) {
      taken.entries.emplace_back(InternalKeyBuffer(it.key()), it.value());
    }
  }
  return taken;
}

std::string with_checksum(std::string body, std::uint64_t offset) {
  append_u32(body, checksum32(body, kFile, offset));
  return body;
}

// A block of a table on disk, and a key of it.
struct Target {
  std::uint64_t offset = 0;
  std::string payload;
  Entry entry;
};
// Block `number` of a table written plain.
Target target_of(Desk& desk, std::size_t number) {
  const Taken taken = take_apart(desk);
  const BlockIndex::Handle handle = desk.open()->index().handle(number);
  std::size_t before = 0;
  for (std::size_t i = 0; i < number; i++) {
    before += taken.entries_in_block[i];
  }
  return {handle.offset,
          desk.bytes().substr(handle.offset,
                              handle.size_bytes - kFrameTrailerBytes),
          taken.entries[before]};
}
// Two payloads of the same size that are no block: without an entry; and with
// the last entry starting far outside.
std::vector<std::string> no_blocks(const std::string& payload) {
  const std::size_t count = load_u16(payload.data());
  std::string outside = payload;
  const std::size_t starts = kBlockHeaderBytes + 2 * count;
  outside.replace(starts + 2 * (count - 1), 2, "\xff\xff");
  return {std::string(payload.size(), '\0'), outside};
}
// Puts `payload` where the target's stood, under the right checksum.
void forge(Desk& desk, const Target& target, const std::string& payload) {
  std::string bytes = desk.bytes();
  bytes.replace(target.offset, payload.size() + kFrameTrailerBytes,
                with_checksum(payload + '\0', target.offset));
  desk.replace(bytes);
}

// An error about stored bytes begins with their place.
void check_place(const Error& error, std::uint64_t offset) {
  const std::string place = kPath + ": offset " + std::to_string(offset) + ":";
  CHECK_SAME(error.message.substr(0, place.size()), place);
}

}  // namespace

TEST_CASE("a frame gives its payload back", "[1.3][task-1][core]") {
  STORY("The header's example: \"hi\" at offset 0 of file 7, store 1.");
  INVARIANT("frame := payload type:u8 checksum:u32");
  const std::string frame("hi\0\x83\xa6\xb4\x62", 7);
  std::string made;
  append_frame(made, "hi", Compression::none, kFile, 0);
  CHECK_BYTES(made, frame);
  BlockBytes unpacked;
  const auto payload = open_frame(frame, {kPath, kFile, 0}, unpacked);
  REQUIRE_OK(payload);
  CHECK_SAME(*payload, "hi");
}

TEST_CASE("a frame with any bit flipped is corruption", "[1.3][task-1][core]") {
  STORY("Flip each bit of a frame in turn.");
  INVARIANT("I1 every byte stands under a checksum");
  std::string frame;
  append_frame(frame, "some payload", Compression::none, kFile, 4096);
  for (std::size_t bit = 0; bit < frame.size() * 8; bit++) {
    std::string flipped = frame;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    INFO("bit " << bit);
    BlockBytes unpacked;
    const auto payload = open_frame(flipped, {kPath, kFile, 4096}, unpacked);
    CHECK_ERROR(payload, Code::corruption);
  }
}

TEST_CASE("intact bytes in the wrong place are corruption",
          "[1.3][task-1][core]") {
  STORY("Read a frame as if it stood elsewhere: offset, number, store.");
  INVARIANT("I2 a checksum is bound to store, file number and offset");
  std::string frame;
  append_frame(frame, "some payload", Compression::none, kFile, 4096);
  BlockBytes unpacked;
  REQUIRE_OK(open_frame(frame, {kPath, kFile, 4096}, unpacked));
  for (const FilePlace& place :
       {FilePlace{kPath, kFile, 0}, FilePlace{kPath, {1, 8}, 4096},
        FilePlace{kPath, {2, 7}, 4096}}) {
    const auto payload = open_frame(frame, place, unpacked);
    CHECK_ERROR(payload, Code::corruption);
    REQUIRE(!payload.has_value());
    check_place(payload.error(), place.offset);
  }
}

TEST_CASE("a frame too short for its trailer is corruption",
          "[1.3][task-1][core]") {
  STORY("Open 0, 1, 2, 3 and 4 bytes.");
  INVARIANT("nothing is read past the end of the bytes");
  for (std::size_t size = 0; size < kFrameTrailerBytes; size++) {
    BlockBytes unpacked;
    const std::unique_ptr<char[]> exact(new char[size]());
    const auto payload = open_frame(std::string_view(exact.get(), size),
                                    {kPath, kFile, 0}, unpacked);
    CHECK_ERROR(payload, Code::corruption);
  }
}

TEST_CASE("bytes outside a short frame do not vouch for it",
          "[1.3][task-1][core]") {
  STORY(
      "The checksum of no bytes at all; open those four bytes, then none "
      "behind them.");
  INVARIANT("frame := payload type:u8 checksum:u32, so at least five bytes");
  // A zero in front, where a frame without a type would look for it.
  const std::string bytes = '\0' + with_checksum("", 0);
  for (const std::size_t size : {std::size_t{4}, std::size_t{0}}) {
    INFO(size << " bytes");
    BlockBytes unpacked;
    const auto frame = std::string_view(bytes).substr(bytes.size() - size);
    const auto payload = open_frame(frame, {kPath, kFile, 0}, unpacked);
    CHECK_ERROR(payload, Code::corruption);
  }
}

TEST_CASE("a compressed frame unpacks", "[1.3][task-1][core]") {
  STORY("4,000 a's compress well, 4,000 random bytes do not.");
  INVARIANT("I4 compressed only if that saves an eighth or more");
  SEEDED_RANDOM(random, 31);
  for (const std::string& text :
       {std::string(4000, 'a'), random.bytes(4000), std::string()}) {
    std::string frame;
    append_frame(frame, text, Compression::lz4, kFile, 0);
    BlockBytes unpacked;
    const auto payload = open_frame(frame, {kPath, kFile, 0}, unpacked);
    REQUIRE_OK(payload);
    CHECK(*payload == text);
    CHECK(frame.size() <= text.size() + kFrameTrailerBytes);
  }
}

TEST_CASE("a frame that lies about its type or size is refused",
          "[1.3][task-1][gold]") {
  STORY(
      "The checksum is right, but: a type nobody knows; 8 bytes that claim "
      "to unpack to 4 GiB; no room for the size; bytes that do not unpack.");
  INVARIANT("I4 the claimed size is checked before memory is taken");
  BlockBytes unpacked;
  const FilePlace place{kPath, kFile, 0};
  CHECK_ERROR(open_frame(with_checksum("payload\x07", 0), place, unpacked),
              Code::not_supported);
  std::string body;
  append_frame(body, std::string(100, 'a'), Compression::lz4, kFile, 0);
  if (body[body.size() - kFrameTrailerBytes] != '\x01') {
    return;  // built without LZ4
  }
  CHECK_ERROR(open_frame(with_checksum("\xff\xff\xff\xff"
                                       "12345678\x01",
                                       0),
                         place, unpacked),
              Code::corruption);
  CHECK_ERROR(open_frame(with_checksum("ab\x01", 0), place, unpacked),
              Code::corruption);
  std::string wrong;
  append_u32(wrong, 50);
  CHECK_ERROR(
      open_frame(with_checksum(wrong + "\xff\xff\xff\x01", 0), place, unpacked),
      Code::corruption);
}

TEST_CASE("a separator lies between two blocks, and is short",
          "[1.3][task-2][core]") {
  STORY("Separators between last and next keys, by hand.");
  INVARIANT("separator: the shortest prefix of next above last, or last");
  const auto between = [](std::string_view last, std::string_view next) {
    return std::string(separator_between({last, make_tag(5, Kind::put)},
                                         {next, make_tag(9, Kind::put)})
                           .user);
  };
  CHECK_SAME(between("banana", "blueberry"), "bl");
  CHECK_SAME(between("key00017", "key00021"), "key0002");
  CHECK_SAME(between("abc", "abd"), "abc");
  CHECK_SAME(between("abc", "abcdef"), "abc");
  CHECK_SAME(between("", "zebra"), "");
  CHECK_SAME(between("a\x7fz", "a\x80z"), "a\x80");
}

TEST_CASE("a separator sorts after every version of the last key",
          "[1.3][task-2][core]") {
  STORY(
      "a@5 ends a block, b@9 begins the next: all of a belongs to the first.");
  INVARIANT("different user keys: the separator's tag is 0");
  const InternalKey last{"a", make_tag(5, Kind::put)};
  const InternalKey next{"b", make_tag(9, Kind::put)};
  CHECK_SAME(separator_between(last, next), InternalKey{"a", 0});
}

TEST_CASE("versions of one key on both sides are told apart by the tag",
          "[1.3][task-2][core]") {
  STORY("cherry@9 ends a block, cherry@4 begins the next.");
  INVARIANT("same user key: the separator is the last internal key itself");
  const InternalKey last{"cherry", make_tag(9, Kind::put)};
  const InternalKey next{"cherry", make_tag(4, Kind::remove)};
  CHECK_SAME(separator_between(last, next), last);
}

TEST_CASE("random separators separate", "[1.3][task-2][core]") {
  STORY("Random neighbours: last <= separator < next, no longer than last.");
  INVARIANT("I1 separators strictly increase");
  SEEDED_RANDOM(random, 32);
  for (std::size_t i = 0; i < scaled(20); i++) {
    const Entries entries = random_model(random, 300).entries();
    for (std::size_t j = 1; j < entries.size(); j++) {
      const InternalKey last = entries[j - 1].first.view();
      const InternalKey next = entries[j].first.view();
      const InternalKey separator = separator_between(last, next);
      INFO("last: " << show(last) << ", next: " << show(next)
                    << ", separator: " << show(separator));
      REQUIRE(compare(last, separator) <= 0);
      REQUIRE(compare(separator, next) < 0);
      REQUIRE(separator.user.size() <= last.user.size());
    }
  }
}

namespace {

// An index over blocks of 10 bytes with these separators.
BlockIndex index_of(const std::vector<InternalKeyBuffer>& separators) {
  std::string payload;
  for (const auto& separator : separators) {
    append_index_entry(payload, separator.view(), 10);
  }
  auto index =
      BlockIndex::parse(payload, 10 * separators.size(), {kPath, kFile, 0});
  REQUIRE_OK(index);
  return std::move(*index);
}

void check_find(const std::vector<InternalKeyBuffer>& separators,
                const std::vector<InternalKeyBuffer>& targets) {
  const BlockIndex index = index_of(separators);
  for (const auto& target : targets) {
    std::size_t expected = 0;
    while (expected < separators.size() &&
           compare(separators[expected].view(), target.view()) < 0) {
      expected++;
    }
    INFO("target: " << show(target));
    REQUIRE_SAME(find_block(index, target.view()), expected);
  }
}

}  // namespace

TEST_CASE("the index finds the block of a key", "[1.3][task-3][core]") {
  STORY("Separators \"bl\", cherry@9, elder, as in the header's picture.");
  INVARIANT("I2 find_block: the first block whose separator is >= target");
  const BlockIndex index =
      index_of({InternalKeyBuffer({"bl", 0}),
                InternalKeyBuffer({"cherry", make_tag(9, Kind::put)}),
                InternalKeyBuffer({"elder", 0})});
  CHECK_SAME(find_block(index, seek_key("", 5)), 0);
  CHECK_SAME(find_block(index, seek_key("banana", 5)), 0);
  CHECK_SAME(find_block(index, seek_key("bl", 5)), 0);
  CHECK_SAME(find_block(index, seek_key("blueberry", 5)), 1);
  CHECK_SAME(find_block(index, seek_key("cherry", 100)), 1);
  CHECK_SAME(find_block(index, seek_key("cherry", 9)), 1);
  CHECK_SAME(find_block(index, seek_key("cherry", 8)), 2);
  CHECK_SAME(find_block(index, seek_key("elder", 0)), 2);
  CHECK_SAME(find_block(index, seek_key("elderberry", 5)), 3);
}

TEST_CASE("the index of one block", "[1.3][task-3][core]") {
  STORY("One separator, \"mm\": it is all of the common prefix.");
  INVARIANT("I2 find_block: the first block whose separator is >= target");
  const BlockIndex index = index_of({InternalKeyBuffer({"mm", 0})});
  CHECK_SAME(find_block(index, seek_key("", 5)), 0);
  CHECK_SAME(find_block(index, seek_key("m", 5)), 0);
  CHECK_SAME(find_block(index, seek_key("ml", 5)), 0);
  CHECK_SAME(find_block(index, seek_key("mm", 5)), 0);
  CHECK_SAME(find_block(index, seek_key("mma", 5)), 1);
  CHECK_SAME(find_block(index, seek_key("mn", 5)), 1);
}

TEST_CASE("keys that tie in eight bytes are compared whole",
          "[1.3][task-3][core]") {
  STORY(
      "Separators that share no first byte all together, but in groups agree "
      "for more than eight; some end in zeros, some in 0xff.");
  INVARIANT("only where the eight bytes tie are whole keys compared");
  std::vector<InternalKeyBuffer> separators;
  for (const std::string& group : {std::string("aaaaaaaaaaaa"),
                                   std::string("b"), std::string(12, '\xff')}) {
    for (int i = 10; i < 30; i++) {
      separators.emplace_back(InternalKey{group + std::to_string(i), 0});
    }
  }
  separators.emplace_back(InternalKey{std::string("c"), 0});
  separators.emplace_back(InternalKey{std::string("c\0", 2), 0});
  separators.emplace_back(InternalKey{std::string("c\0\0", 3), 0});
  std::ranges::sort(separators, [](const auto& a, const auto& b) {
    return compare(a.view(), b.view()) < 0;
  });
  std::vector<InternalKeyBuffer> targets;
  for (const auto& separator : separators) {
    for (auto& target : targets_around(separator))
      targets.push_back(target);
  }
  check_find(separators, targets);
}

TEST_CASE("random finds agree with a walk", "[1.3][task-3][core]") {
  STORY("Random separators, with and without a long common prefix.");
  INVARIANT("I2 find_block: the first block whose separator is >= target");
  SEEDED_RANDOM(random, 33);
  for (std::size_t i = 0; i < scaled(8); i++) {
    const std::string common(random.below(2) * 11, 'p');
    std::vector<InternalKeyBuffer> separators;
    std::vector<InternalKeyBuffer> targets;
    for (const auto& [key, value] : random_model(random, 200).entries()) {
      separators.emplace_back(InternalKey{common + key.user(), key.tag()});
      for (auto& target : targets_around(separators.back())) {
        targets.push_back(target);
      }
    }
    check_find(separators, targets);
  }
}

TEST_CASE("a small table is one block and four parts", "[1.3][task-4][core]") {
  STORY("Write four entries; take the file apart frame by frame.");
  INVARIANT("table := data frames, filter, index, properties, footer");
  Desk desk;
  const FileMeta meta = desk.write(fruit());
  const std::string bytes = desk.bytes();
  const Taken taken = take_apart(desk);
  CHECK_SAME(taken.entries, fruit());
  CHECK_SAME(taken.entries_in_block.size(), 1);
  CHECK_SAME(taken.footer.file.store_id, kFile.store_id);
  CHECK_SAME(taken.footer.file.number, kFile.number);
  CHECK_SAME(taken.filter_policy, "test.exact");
  CHECK_SAME(meta.number, 7);
  CHECK_SAME(meta.size_bytes, bytes.size());
  CHECK_SAME(meta.entries, 4);
  CHECK_SAME(meta.tombstones, 1);
  CHECK_SAME(meta.hidden, 1);
  CHECK_SAME(meta.smallest, fruit().front().first);
  CHECK_SAME(meta.largest, fruit().back().first);
  CHECK_SAME(meta.oldest_sequence, 3);
  CHECK_SAME(meta.newest_sequence, 9);
}

TEST_CASE("no entry is lost where blocks are cut", "[1.3][task-4][core]") {
  STORY("200 entries in blocks of 256 bytes.");
  INVARIANT("one index entry for every data frame, the last included");
  Desk desk;
  desk.write(many());
  const Taken taken = take_apart(desk);
  CHECK(taken.entries == many());
  CHECK(taken.entries_in_block.size() > 20);
}

TEST_CASE("a block is cut before it grows too large", "[1.3][task-4][core]") {
  STORY("Small entries, one of 1,000 bytes among them, blocks of 256 bytes.");
  INVARIANT("I2 only a block of a single entry may be larger");
  Desk desk;
  Entries entries = many();
  entries[100].second = std::string(1000, 'v');
  desk.write(entries);
  const Taken taken = take_apart(desk);
  for (std::size_t i = 0; i < taken.block_bytes.size(); i++) {
    INFO("block " << i << " of " << taken.entries_in_block[i] << " entries, "
                  << taken.block_bytes[i] << " bytes");
    CHECK((taken.block_bytes[i] <= 256 || taken.entries_in_block[i] == 1));
    // And not too early: the next entry would not have fitted.
    const bool last = i + 1 == taken.block_bytes.size();
    CHECK((last || taken.block_bytes[i] > 100));
  }
}

TEST_CASE("the filter learns each user key once", "[1.3][task-4][core]") {
  STORY("302 entries of three user keys.");
  INVARIANT("the filter is built from the hashes of distinct user keys");
  Desk desk;
  desk.write(versions());
  const Taken taken = take_apart(desk);
  const std::uint64_t hashes[] = {filter_hash("ant"), filter_hash("bee"),
                                  filter_hash("cow")};
  CHECK_BYTES(taken.filter, desk.filter.build(hashes));
}

TEST_CASE("a finished table survives a power cut", "[1.3][task-4][core]") {
  STORY("Finish a table, sync the folder, cut the power.");
  INVARIANT("I3 when finish has returned, the bytes are on disk");
  for (std::uint64_t seed = 0; seed < 20; seed++) {
    Desk desk;
    desk.write(many());
    const std::string before = desk.bytes();
    REQUIRE_OK(desk.fs.sync_dir("/db"));
    REQUIRE_OK(desk.fs.sync_dir("/"));
    desk.fs.power_cycle(CrashModel::ordered, seed);
    INFO("seed of the power cut: " << seed);
    const std::string after = desk.bytes();
    REQUIRE_SAME(after.size(), before.size());
    CHECK_BYTES(after, before);
    if (after != before) break;
  }
}

TEST_CASE("a failing disk fails the builder", "[1.3][task-4][gold]") {
  STORY("The disk fails at operation n, for each n until all succeeds.");
  INVARIANT("every error of the disk reaches the caller");
  for (std::uint64_t number = 1;; number++) {
    Desk desk;
    const std::uint64_t before = desk.fs.operations();
    desk.fs.cut_power_at(before + number);
    auto builder = TableBuilder::create(desk.fs, kPath, kFile, desk.options());
    if (!builder) continue;
    bool failed = false;
    for (const auto& [key, value] : many()) {
      if (!failed && !(*builder)->add(key.view(), value)) failed = true;
    }
    if (!failed && (*builder)->finish()) {
      INFO("operations: create, append, sync at least");
      CHECK(number > 3);
      break;
    }
    REQUIRE(number < 100);
  }
}

TEST_CASE("an error of close reaches the caller", "[1.3][task-4][gold]") {
  STORY("Append and sync succeed; only close reports an error.");
  INVARIANT("finish writes the rest, syncs, closes: each may fail");
  Desk desk;
  FaultFileSystem faults(desk.fs);
  auto builder = TableBuilder::create(faults, kPath, kFile, desk.options());
  REQUIRE_OK(builder);
  for (const auto& [key, value] : fruit()) {
    REQUIRE_OK((*builder)->add(key.view(), value));
  }
  faults.inject({.kinds = kClose});
  CHECK_ERROR((*builder)->finish(), Code::io);
}

TEST_CASE("the file is appended to in large pieces", "[1.3][task-4][gold]") {
  STORY("Write 2 MB in blocks of 4 KiB; count the operations.");
  INVARIANT("I/O in pieces of 256 KiB");
  Desk desk;
  Entries entries;
  for (int i = 0; i < 20'000; i++) {
    entries.push_back(
        put(std::to_string(100'000 + i), 9, std::string(100, 'v')));
  }
  const std::uint64_t before = desk.fs.operations();
  const FileMeta meta = desk.write(entries, desk.options(4096));
  CHECK(desk.fs.operations() - before <= meta.size_bytes / (128 << 10));
}

TEST_CASE("a get finds versions and tombstones", "[1.3][task-5][core]") {
  STORY("apple: put 9, removed 4; banana put 5 with no bytes; cherry put 3.");
  INVARIANT("get: the newest version with a sequence <= at");
  Desk desk;
  desk.write(fruit());
  const auto table = desk.open();
  std::string value = "untouched";
  CHECK_SAME(get(*table, "aardvark", 9, value), Lookup::absent);
  CHECK_SAME(get(*table, "apple", 3, value), Lookup::absent);
  CHECK_SAME(get(*table, "apple", 8, value), Lookup::removed);
  CHECK_SAME(value, "untouched");
  CHECK_SAME(get(*table, "apple", 9, value), Lookup::value);
  CHECK_SAME(value, "red");
  CHECK_SAME(get(*table, "banana", 9, value), Lookup::value);
  CHECK_SAME(value, "");
  CHECK_SAME(get(*table, "cherry", 9, value), Lookup::value);
  CHECK_SAME(value, "dark");
  CHECK_SAME(get(*table, "date", 9, value), Lookup::absent);
}

TEST_CASE("versions of one key over many blocks", "[1.3][task-5][core]") {
  STORY("300 versions of bee; get at every sequence.");
  INVARIANT("I2 get reads at most one block");
  Desk desk;
  desk.write(versions());
  const auto table = desk.open();
  CHECK(table->index().size() > 10);
  for (Sequence at = 90; at < 410; at++) {
    INFO("at " << at);
    std::string value;
    const std::uint64_t reads = desk.fs.counters().reads;
    const auto seen = get(*table, "bee", at, value);
    REQUIRE_OK(seen);
    REQUIRE(desk.fs.counters().reads <= reads + 1);
    const Sequence newest = std::min<Sequence>(at, 400);
    if (newest <= 100) {
      REQUIRE_SAME(*seen, Lookup::absent);
    } else if (newest % 5 == 0) {
      REQUIRE_SAME(*seen, Lookup::removed);
    } else {
      REQUIRE_SAME(*seen, Lookup::value);
      REQUIRE_SAME(value, std::to_string(newest));
    }
  }
}

TEST_CASE("the filter saves the read", "[1.3][task-5][core]") {
  STORY("Get keys that are not there, but lie within the table's range.");
  INVARIANT("a get that the filter denies reads no block");
  Desk desk;
  desk.write(many());
  const auto table = desk.open();
  const std::uint64_t reads = desk.fs.counters().reads;
  std::string value;
  CHECK_SAME(get(*table, "key1000x", 9, value), Lookup::absent);
  CHECK_SAME(get(*table, "key1100x", 9, value), Lookup::absent);
  CHECK_SAME(desk.fs.counters().reads, reads);
}

TEST_CASE("a table ignores a filter of another policy", "[1.3][task-5][core]") {
  STORY("Written with the exact filter, opened with none.");
  INVARIANT("a reader with another policy ignores the filter");
  Desk desk;
  desk.write(many());
  // Says no to everything: using it on a foreign filter would lose keys.
  class Denies final : public FilterPolicy {
   public:
    std::string_view name() const override { return "test.denies"; }
    std::string build(std::span<const std::uint64_t>) const override {
      return {};
    }
    bool may_contain(std::string_view, std::uint64_t) const override {
      return false;
    }
  } other;
  const auto table = Table::open(desk.fs, kPath, kFile, {&other, &desk.cache});
  REQUIRE_OK(table);
  std::string value;
  CHECK_SAME(get(**table, "key1003", 9, value), Lookup::value);
}

TEST_CASE("a block is read once and then comes from the cache",
          "[1.3][task-5][core]") {
  STORY("Get key1000 three times, then its neighbour in the block.");
  INVARIANT("a hit reads nothing");
  for (const Compression compression : {Compression::none, Compression::lz4}) {
    Desk desk;
    desk.write(many(), desk.options(256, compression));
    const auto table = desk.open();
    const std::uint64_t reads = desk.fs.counters().reads;
    std::string value;
    for (const char* key : {"key1000", "key1000", "key1000", "key1001"}) {
      CHECK_SAME(get(*table, key, 9, value), Lookup::value);
    }
    CHECK_SAME(value, std::string(40, 'b'));
    CHECK_SAME(desk.fs.counters().reads, reads + 1);
    CHECK_SAME(desk.cache.inserted, Inserted{{0, false}});
  }
}

TEST_CASE("two tables do not mix their blocks up", "[1.3][task-5][core]") {
  STORY("Two tables with one cache; both have a block at offset 0.");
  INVARIANT("a cached block is named by table and offset");
  Desk desk;
  desk.write(fruit());
  const FileIdentity second{1, 8};
  auto builder =
      TableBuilder::create(desk.fs, "/db/000008.sst", second, desk.options());
  REQUIRE_OK(builder);
  REQUIRE_OK((*builder)->add(seek_key("apple", 20), "green"));
  REQUIRE_OK((*builder)->finish());
  const auto one = desk.open();
  const auto two = Table::open(desk.fs, "/db/000008.sst", second,
                               {&desk.filter, &desk.cache});
  REQUIRE_OK(two);
  std::string value;
  CHECK_SAME(get(*one, "apple", 99, value), Lookup::value);
  CHECK_SAME(value, "red");
  CHECK_SAME(get(**two, "apple", 99, value), Lookup::value);
  CHECK_SAME(value, "green");
}

TEST_CASE("a damaged block is an error with path and offset",
          "[1.3][task-5][core]") {
  STORY("Flip a bit in the first block, get a key of it, twice.");
  INVARIANT("I1 no byte is believed before its checksum is verified");
  Desk desk;
  desk.write(many());
  REQUIRE_OK(desk.fs.flip_bit(kPath, 8 * 30));
  const auto table = desk.open();
  for (int i = 0; i < 2; i++) {
    std::string value;
    const auto seen = get(*table, "key1000", 9, value);
    CHECK_ERROR(seen, Code::corruption);
    REQUIRE(!seen.has_value());
    check_place(seen.error(), 0);
  }
  CHECK_SAME(desk.cache.inserted.size(), 0);
}

TEST_CASE("bytes that verify need not be a block", "[1.3][task-5][gold]") {
  STORY(
      "The checksum of block 10 is right, but it has no entries, or one that "
      "starts outside. Get a key of it.");
  INVARIANT("I4 every error names the file, and the offset of the bytes");
  Desk desk;
  desk.write(many());
  const Target target = target_of(desk, 10);
  for (const std::string& payload : no_blocks(target.payload)) {
    forge(desk, target, payload);
    const auto table = desk.open();
    std::string value;
    const auto seen = get(*table, target.entry.first.user(), 9, value);
    CHECK_ERROR(seen, Code::corruption);
    REQUIRE(!seen.has_value());
    check_place(seen.error(), target.offset);
    CHECK_SAME(desk.cache.inserted.size(), 0);
  }
}

TEST_CASE("values larger than a block", "[1.3][task-5][core]") {
  STORY("Values of 0, 255, 256, 70,000 and 1,000,000 bytes.");
  INVARIANT("only a block of a single entry may be larger");
  for (const Compression compression : {Compression::none, Compression::lz4}) {
    Desk desk;
    Entries entries;
    for (const std::size_t size : {0u, 255u, 256u, 70'000u, 1'000'000u}) {
      entries.push_back(put("key" + std::to_string(1'000'000 + size), 9,
                            std::string(size, 'v')));
    }
    desk.write(entries, desk.options(65'536, compression));
    const auto table = desk.open();
    for (const auto& [key, expected] : entries) {
      std::string value;
      CHECK_SAME(get(*table, key.user(), 9, value), Lookup::value);
      CHECK(value == expected);
    }
  }
}

TEST_CASE("random gets agree with the model", "[1.3][task-5][core]") {
  STORY("Random tables, plain and compressed; random gets.");
  INVARIANT("get: the newest version with a sequence <= at");
  SEEDED_RANDOM(random, 35);
  for (std::size_t i = 0; i < scaled(20); i++) {
    const Model model = random_model(random, 300);
    Desk desk;
    desk.write(model.entries(),
               desk.options(256, random.one_in(2) ? Compression::lz4
                                                  : Compression::none));
    const auto table = desk.open();
    for (int j = 0; j < 200; j++) {
      const std::string key =
          random.text(random.below(7), std::string_view("ab\xff\0", 4));
      const Sequence at = random.below(60);
      INFO("key: " << quoted(key) << " at " << at);
      std::string value;
      const auto seen = get(*table, key, at, value);
      REQUIRE_OK(seen);
      const auto expected = model.get(key, at);
      REQUIRE_SAME(*seen == Lookup::value, expected.has_value());
      if (expected) REQUIRE_SAME(value, *expected);
    }
  }
}

TEST_CASE("a foreign or newer table says what it is", "[1.3][task-5][core]") {
  STORY(
      "Open table 7 of store 1 as 8, as store 2's, cut short, empty, not a "
      "table; and one whose footer says format 2.");
  INVARIANT("I5 an older reader says newer, not damaged");
  Desk desk;
  desk.write(fruit());
  const std::string intact = desk.bytes();
  REQUIRE_OK(desk.try_open());
  const auto renamed = desk.try_open({1, 8});
  CHECK_ERROR(renamed, Code::corruption);
  REQUIRE(!renamed.has_value());
  CHECK(renamed.error().message.find("is file 7 of store 0000000000000001") !=
        std::string::npos);
  CHECK_ERROR(desk.try_open({2, 7}), Code::corruption);
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{10}, std::size_t{64}, intact.size() - 1}) {
    desk.replace(intact.substr(0, size));
    INFO("cut to " << size << " bytes");
    CHECK_ERROR(desk.try_open(), Code::corruption);
  }
  desk.replace(std::string(1000, 'x'));
  CHECK_ERROR(desk.try_open(), Code::corruption);
  desk.replace("x" + intact);
  CHECK_ERROR(desk.try_open(), Code::corruption);

  std::string newer = intact.substr(0, intact.size() - 16);
  append_u32(newer, 2);
  const std::uint64_t footer_at = intact.size() - kFooterBytes;
  append_u32(newer, checksum32(std::string_view(newer).substr(footer_at), kFile,
                               footer_at));
  desk.replace(newer + "LSMTABLE");
  CHECK_ERROR(desk.try_open(), Code::not_supported);
}

TEST_CASE("a table charges its index and filter to the cache",
          "[1.3][task-5][core]") {
  STORY("Open a table of 200 keys, look at the charge, close it.");
  INVARIANT("I3 index and filter are charged to the cache");
  Desk desk;
  desk.write(many());
  {
    const auto table = desk.open();
    CHECK(desk.cache.charged >= 200 * sizeof(std::uint64_t));
  }
  CHECK_SAME(desk.cache.charged, 0);
}

TEST_CASE("an iterator goes over the edge of a block", "[1.3][task-6][core]") {
  STORY("Walk 200 entries in more than 20 blocks, from the first.");
  INVARIANT("I1 of base/iterator.h: none is left out");
  Desk desk;
  const Entries entries = many();
  desk.write(entries);
  const auto table = desk.open();
  const auto it = table->iterator(Table::Access::normal);
  CHECK_SAME(it->valid(), false);
  std::size_t i = 0;
  for (it->seek_to_first(); it->valid(); it->next(), i++) {
    REQUIRE(i < entries.size());
    REQUIRE_SAME(it->key(), entries[i].first.view());
    REQUIRE_SAME(it->value(), entries[i].second);
  }
  CHECK_OK(it->status());
  CHECK_SAME(i, entries.size());
}

TEST_CASE("a seek into the gap between two blocks", "[1.3][task-6][core]") {
  STORY(
      "Blocks [a…], [m…]; the separator lies between. Seek to it, and to "
      "every place between the last key of a block and the next.");
  INVARIANT("I2 a separator may be larger than every key of its block");
  Desk desk;
  const Entries entries = {put("alpha", 9, std::string(200, 'a')),
                           put("mike", 9, std::string(200, 'm')),
                           put("zulu", 9, std::string(200, 'z'))};
  desk.write(entries);
  const auto table = desk.open();
  REQUIRE_SAME(table->index().size(), 3);
  const auto it = table->iterator(Table::Access::normal);
  it->seek(seek_key("m", 9));
  REQUIRE_SAME(it->valid(), true);
  CHECK_SAME(it->key().user, "mike");
  it->seek(seek_key("alphabet", 9));
  REQUIRE_SAME(it->valid(), true);
  CHECK_SAME(it->key().user, "mike");
  it->seek(seek_key("zulu", 8));
  CHECK_SAME(it->valid(), false);
  CHECK_OK(it->status());
}

TEST_CASE("tables obey the iterator contract, forward", "[1.3][task-6][core]") {
  STORY("Random tables, both kinds of access, every target.");
  INVARIANT("base/iterator.h");
  SEEDED_RANDOM(random, 36);
  for (std::size_t i = 0; i < scaled(4); i++) {
    const Entries entries = random_model(random, 200).entries();
    Desk desk;
    desk.write(entries, desk.options(256, i % 2 == 0 ? Compression::lz4
                                                     : Compression::none));
    const auto table = desk.open();
    for (const auto access : {Table::Access::normal, Table::Access::scan}) {
      const auto it = table->iterator(access);
      check_iterator_contract(*it, entries, i, Directions::forward);
    }
  }
}

TEST_CASE("a scan reads far ahead and leaves the cache alone",
          "[1.3][task-6][core]") {
  STORY("Walk a table of 1 MB and 4 KiB blocks with Access::scan.");
  INVARIANT("scan: reads ahead, and around the cache");
  Desk desk;
  Entries entries;
  for (int i = 0; i < 10'000; i++) {
    entries.push_back(
        put(std::to_string(100'000 + i), 9, std::string(100, 'v')));
  }
  desk.write(entries, desk.options(4096));
  const auto table = desk.open();
  const auto it = table->iterator(Table::Access::scan);
  const std::uint64_t reads = desk.fs.counters().reads;
  std::size_t seen = 0;
  for (it->seek_to_first(); it->valid(); it->next())
    seen++;
  REQUIRE_OK(it->status());
  CHECK_SAME(seen, entries.size());
  CHECK(desk.fs.counters().reads - reads < table->index().size() / 10);
  CHECK_SAME(desk.cache.inserted.size(), 0);
}

TEST_CASE("an error ends the walk for good", "[1.3][task-6][core]") {
  STORY("A damaged block in the middle: walk into it, then seek elsewhere.");
  INVARIANT("I4 of base/iterator.h: an error stays in status()");
  Desk desk;
  const Entries entries = many();
  desk.write(entries);
  const std::uint64_t offset = desk.open()->index().handle(10).offset;
  REQUIRE_OK(desk.fs.flip_bit(kPath, 8 * (offset + 20)));
  const auto table = desk.open();
  for (const auto access : {Table::Access::normal, Table::Access::scan}) {
    const auto it = table->iterator(access);
    std::size_t i = 0;
    for (it->seek_to_first(); it->valid(); it->next(), i++) {
      REQUIRE_SAME(it->key(), entries[i].first.view());
    }
    CHECK_ERROR(it->status(), Code::corruption);
    CHECK(i > 10);
    CHECK(i < entries.size());
    it->seek_to_first();
    CHECK_SAME(it->valid(), false);
    CHECK_ERROR(it->status(), Code::corruption);
  }
}

TEST_CASE("a walk does not pass over what is no block", "[1.3][task-6][gold]") {
  STORY(
      "The checksum of block 10 is right, but it has no entries, or one that "
      "starts outside. Walk the table.");
  INVARIANT("I4 every error names the file, and the offset of the bytes");
  Desk desk;
  const Entries entries = many();
  desk.write(entries);
  const Target target = target_of(desk, 10);
  for (const std::string& payload : no_blocks(target.payload)) {
    forge(desk, target, payload);
    const auto table = desk.open();
    for (const auto access : {Table::Access::normal, Table::Access::scan}) {
      const auto it = table->iterator(access);
      std::size_t i = 0;
      for (it->seek_to_first(); it->valid(); it->next(), i++) {
        REQUIRE_SAME(it->key(), entries[i].first.view());
      }
      const auto status = it->status();
      CHECK_ERROR(status, Code::corruption);
      REQUIRE(!status.has_value());
      check_place(status.error(), target.offset);
      CHECK_SAME(entries[i].first, target.entry.first);
    }
  }
}

TEST_CASE("an error takes the iterator off its entry", "[1.3][task-6][core]") {
  STORY("Stand on the first entry; seek into a damaged block.");
  INVARIANT("I4 of base/iterator.h: an error makes the iterator invalid");
  Desk desk;
  desk.write(many());
  const Target target = target_of(desk, 10);
  REQUIRE_OK(desk.fs.flip_bit(kPath, 8 * (target.offset + 20)));
  const auto table = desk.open();
  for (const auto access : {Table::Access::normal, Table::Access::scan}) {
    const auto it = table->iterator(access);
    it->seek_to_first();
    REQUIRE_SAME(it->valid(), true);
    it->seek(target.entry.first.view());
    CHECK_SAME(it->valid(), false);
    CHECK_ERROR(it->status(), Code::corruption);
  }
}

TEST_CASE("a block walked into is cached as a scan's", "[1.3][task-6][gold]") {
  STORY(
      "Three blocks, [alpha], [mike], [zulu]. Walk from the first; with an "
      "empty cache, seek into the gap between the first two.");
  INVARIANT("blocks that a seek lands on are wanted, those walked over scan");
  const Entries entries = {put("alpha", 9, std::string(200, 'a')),
                           put("mike", 9, std::string(200, 'm')),
                           put("zulu", 9, std::string(200, 'z'))};
  for (const bool walk : {true, false}) {
    Desk desk;
    desk.write(entries);
    const auto table = desk.open();
    const auto offset = [&](std::size_t block) {
      return table->index().handle(block).offset;
    };
    const auto it = table->iterator(Table::Access::normal);
    if (walk) {
      it->seek_to_first();
      for (int i = 0; i < 2; i++) {
        REQUIRE_SAME(it->valid(), true);
        it->next();
      }
      CHECK_SAME(
          desk.cache.inserted,
          Inserted{{offset(0), false}, {offset(1), true}, {offset(2), true}});
    } else {
      it->seek(seek_key("alphabet", 9));
      CHECK_SAME(desk.cache.inserted,
                 Inserted{{offset(0), false}, {offset(1), false}});
    }
  }
}

TEST_CASE("a block walked back into is cached as a scan's",
          "[1.3][task-7][gold]") {
  STORY("Three blocks, [alpha], [mike], [zulu]. Walk back from the last.");
  INVARIANT("blocks that a seek lands on are wanted, those walked over scan");
  Desk desk;
  desk.write({put("alpha", 9, std::string(200, 'a')),
              put("mike", 9, std::string(200, 'm')),
              put("zulu", 9, std::string(200, 'z'))});
  const auto table = desk.open();
  const auto it = table->iterator(Table::Access::normal);
  it->seek_to_last();
  REQUIRE_SAME(it->valid(), true);
  it->prev();
  CHECK_SAME(desk.cache.inserted,
             Inserted{{table->index().handle(2).offset, false},
                      {table->index().handle(1).offset, true}});
}

TEST_CASE("an iterator goes back over the edge of a block",
          "[1.3][task-7][gold]") {
  STORY("Walk 200 entries from the last to before the first.");
  INVARIANT("I2 of base/iterator.h: a move past either end is invalid");
  Desk desk;
  const Entries entries = many();
  desk.write(entries);
  const auto table = desk.open();
  const auto it = table->iterator(Table::Access::normal);
  it->seek_to_last();
  for (std::size_t i = entries.size(); i-- > 0;) {
    REQUIRE_SAME(it->valid(), true);
    REQUIRE_SAME(it->key(), entries[i].first.view());
    it->prev();
  }
  CHECK_SAME(it->valid(), false);
  CHECK_OK(it->status());
}

TEST_CASE("tables obey the iterator contract, both ways",
          "[1.3][task-7][gold]") {
  STORY("Random tables, both kinds of access, random moves.");
  INVARIANT("base/iterator.h, all of it");
  SEEDED_RANDOM(random, 37);
  for (std::size_t i = 0; i < scaled(4); i++) {
    const Entries entries =
        i == 0 ? versions() : random_model(random, 200).entries();
    Desk desk;
    desk.write(entries, desk.options(256, i % 2 == 0 ? Compression::lz4
                                                     : Compression::none));
    const auto table = desk.open();
    for (const auto access : {Table::Access::normal, Table::Access::scan}) {
      const auto it = table->iterator(access);
      check_iterator_contract(*it, entries, i);
    }
  }
}

TEST_CASE("no flipped bit of a table goes unseen", "[1.3][task-7][gold]") {
  STORY(
      "Flip every bit of a small file in turn; open it, get every key, walk "
      "both ways.");
  INVARIANT("I1 every byte of the file stands under a checksum");
  for (const Compression compression : {Compression::none, Compression::lz4}) {
    Desk desk;
    const Entries entries = versions();
    desk.write({entries.begin(), entries.begin() + 14},
               desk.options(256, compression));
    const std::size_t bits = desk.bytes().size() * 8;
    for (std::size_t bit = 0; bit < bits; bit++) {
      INFO("bit " << bit << " of " << bits);
      REQUIRE_OK(desk.fs.flip_bit(kPath, bit));
      const auto table =
          Table::open(desk.fs, kPath, kFile, {&desk.filter, &desk.cache});
      if (table) {
        for (std::size_t i = 0; i < 14; i++) {
          const InternalKey key = entries[i].first.view();
          std::string value;
          const auto seen = get(**table, key.user, key.sequence(), value);
          if (!seen) continue;
          REQUIRE_SAME(
              *seen, key.kind() == Kind::put ? Lookup::value : Lookup::removed);
          REQUIRE_SAME(value, entries[i].second);
        }
        const auto it = (*table)->iterator(Table::Access::normal);
        std::size_t i = 0;
        for (it->seek_to_first(); it->valid(); it->next(), i++) {
          REQUIRE_SAME(it->key(), entries[i].first.view());
        }
        REQUIRE(!it->status().has_value());
        const auto back = (*table)->iterator(Table::Access::scan);
        i = 14;
        for (back->seek_to_last(); back->valid(); back->prev()) {
          REQUIRE_SAME(back->key(), entries[--i].first.view());
        }
        REQUIRE(!back->status().has_value());
      } else {
        REQUIRE((table.error().code == Code::corruption));
      }
      REQUIRE_OK(desk.fs.flip_bit(kPath, bit));
    }
  }
}

}  // namespace lsm::test
