// Day 1.6: batches, the log's writer and its reader. Logs to be read are put
// together here field by field, by the grammar of log_format.h, so that a bug
// in the writer does not hide one in the reader.
#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/fault_file_system.h"
#include "base/sim_file_system.h"
#include "batch.h"
#include "log_reader.h"
#include "log_writer.h"
#include "support/catch.h"
#include "support/random.h"
#include "support/teach.h"

namespace lsm {

// How a failing check shows the end of a log: "torn at offset 51, no mark".
static std::string to_string(const LogEnd& end) {
  std::string text;
  switch (end.kind) {
    case LogEnd::Kind::sealed:
      text = "sealed";
      break;
    case LogEnd::Kind::clean:
      text = "clean";
      break;
    case LogEnd::Kind::torn:
      text = "torn";
      break;
  }
  text += " at offset " + std::to_string(end.offset);
  if (!end.any_mark) return text + ", no mark";
  return text + ", the first " + std::to_string(end.durable_bytes) +
         " bytes durable";
}

}  // namespace lsm

namespace lsm::test {

namespace {

constexpr const char* kBatchWhole =
    "I2 of batch.h: a batch is decoded whole or refused";
constexpr const char* kBound =
    "I1 of log_format.h: checksums are bound to store, file and offset";
constexpr const char* kMarks =
    "I2 of log_writer.h: a mark is appended after the fsync it reports, and "
    "covers what stood there before";
constexpr const char* kPrefix =
    "I1 of log_reader.h: all records up to the first damage, none behind it";
constexpr const char* kVerdict =
    "I2 of log_reader.h: damage is corruption when a mark or seal says that it "
    "was durable, else a torn tail";

constexpr FileIdentity kLog{0xc0ffee, 7};
const std::string kPath = "000007.log";

using Ops = std::vector<std::pair<Kind, std::pair<std::string, std::string>>>;

std::vector<WriteOp> views(const Ops& ops) {
  std::vector<WriteOp> out;
  for (const auto& [kind, row] : ops) {
    out.push_back({kind, row.first, row.second});
  }
  return out;
}
Ops owned(const std::vector<WriteOp>& ops) {
  Ops out;
  for (const WriteOp& op : ops) {
    out.push_back({op.kind, {std::string(op.key), std::string(op.value)}});
  }
  return out;
}

std::string encode(Sequence first, const Ops& ops) {
  std::string bytes = "left from the batch before";
  encode_batch(first, views(ops), bytes);
  return bytes;
}

const Ops kFruit = {{Kind::put, {"a", "red"}}, {Kind::remove, {"b", ""}}};
// The worked example of batch.h.
const std::string kFruitBytes(
    "\x05\0\0\0\0\0\0\0\x02\x01\x01"
    "a\x03red\0\x01"
    "b",
    19);

// A log as it must stand in the file.
class LogBytes {
 public:
  explicit LogBytes(FileIdentity file = kLog)
      : file_(file), bytes_(encode_log_header(file)) {}

  // Appends a record; returns its offset.
  std::uint64_t record(std::uint8_t type, std::string_view payload) {
    return record_of_length(type, payload.size(), payload);
  }
  std::uint64_t record_of_length(std::uint8_t type, std::uint64_t length,
                                 std::string_view payload) {
    const std::uint64_t at = bytes_.size();
    std::string rest;
    append_u32(rest, checksum32(payload, file_, at + 16));
    append_u64(rest, length << 8 | type);
    append_u32(bytes_, checksum32(rest, file_, at));
    bytes_ += rest;
    bytes_ += payload;
    return at;
  }
  std::uint64_t data(std::string_view payload) { return record(1, payload); }
  std::uint64_t mark(std::uint64_t durable) {
    std::string payload;
    append_u64(payload, durable);
    return record(2, payload);
  }
  std::uint64_t mark() { return mark(bytes_.size()); }
  std::uint64_t seal() { return record(3, ""); }

  std::uint64_t size() const { return bytes_.size(); }
  std::string& bytes() { return bytes_; }

 private:
  FileIdentity file_;
  std::string bytes_;
};

void put_file(FileSystem& fs, const std::string& path, std::string_view bytes) {
  if (fs.exists(path).value_or(false)) REQUIRE_OK(fs.remove(path));
  auto file = fs.open(path, FileSystem::Mode::create);
  REQUIRE_OK(file);
  REQUIRE_OK((*file)->append(bytes));
  REQUIRE_OK((*file)->close());
}

// What a reader made of a log.
struct Reading {
  std::vector<std::string> records;
  std::vector<std::uint64_t> offsets;
  Result<LogEnd> end;
};

Reading read(FileSystem& fs, FileIdentity file = kLog) {
  std::vector<std::string> records;
  std::vector<std::uint64_t> offsets;
  auto end = read_log(fs, kPath, file,
                      [&](std::uint64_t offset, std::string_view record) {
                        offsets.push_back(offset);
                        records.emplace_back(record);
                        return Result<void>();
                      });
  return {std::move(records), std::move(offsets), std::move(end)};
}
Reading read(std::string_view bytes, FileIdentity file = kLog) {
  SimFileSystem fs;
  put_file(fs, kPath, bytes);
  return read(fs, file);
}

std::string kind_name(const Result<LogEnd>& end) {
  if (!end) return show_error(end.error());
  switch (end->kind) {
    case LogEnd::Kind::sealed:
      return "sealed";
    case LogEnd::Kind::clean:
      return "clean";
    case LogEnd::Kind::torn:
      return "torn";
  }
  return "none of the kinds";
}

// Corruption whose message names the file and `offset`.
Verdict is_corruption(const Reading& reading, std::uint64_t offset) {
  const std::string place = "offset " + std::to_string(offset);
  if (!reading.end && reading.end.error().code == Code::corruption) {
    const std::string& message = reading.end.error().message;
    const std::size_t at = message.find(place);
    const bool whole = at != message.npos &&
                       message.find_first_of("0123456789", at + place.size()) !=
                           at + place.size();
    if (message.find(kPath) != message.npos && whole) return {};
  }
  return {.passed = false,
          .expected = "error corruption that names " + kPath + " and " + place,
          .seen = show_result(reading.end)};
}

#define CHECK_CORRUPTION(reading, offset)           \
  do {                                              \
    INVARIANT(kVerdict);                            \
    LSM_TEACH(FAIL_CHECK, "the end of the reading", \
              "not the end it "                     \
              "should be",                          \
              is_corruption(reading, offset));      \
  } while (false)

std::unique_ptr<LogWriter> create(FileSystem& fs,
                                  std::uint64_t expected_bytes = 64 << 10) {
  auto writer = LogWriter::create(fs, kPath, kLog, expected_bytes);
  REQUIRE_OK(writer);
  return std::move(*writer);
}

// The file up to `size`; segments are longer than what was appended.
std::string file_bytes(FileSystem& fs, std::uint64_t size) {
  auto bytes = read_file(fs, kPath);
  REQUIRE_OK(bytes);
  return bytes->substr(0, static_cast<std::size_t>(size));
}

std::vector<std::string> first_of(const std::vector<std::string>& all,
                                  std::size_t count) {
  return {all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count)};
}

}  // namespace

// Task 1: batches.

TEST_CASE("a batch is first sequence, count and operations",
          "[1.6][task-1][core]") {
  STORY("Encode {put a = red, remove b} from sequence 5 on.");
  INVARIANT("the grammar of batch.h");
  CHECK_BYTES(encode(5, kFruit), kFruitBytes);
}

TEST_CASE("a batch decodes to what was encoded", "[1.6][task-1][core]") {
  STORY("Decode the bytes of {put a = red, remove b} from sequence 5 on.");
  INVARIANT("I1 of batch.h: decoding gives back first and operations");
  const auto batch = decode_batch(kFruitBytes);
  REQUIRE_OK(batch);
  CHECK_SAME(batch->first, 5u);
  CHECK_SAME(owned(batch->ops), kFruit);
}

TEST_CASE("empty and longest keys and values survive a batch",
          "[1.6][task-1][core]") {
  STORY("Encode keys '', '\\0', 0xff and one of 65,535 bytes; decode.");
  INVARIANT("I1 of batch.h: decoding gives back first and operations");
  const Ops ops = {{Kind::put, {"", ""}},
                   {Kind::put, {std::string(1, '\0'), "x"}},
                   {Kind::remove, {"\xff", ""}},
                   {Kind::put, {std::string(65'535, 'k'), ""}},
                   {Kind::put, {"k", std::string(100'000, 'v')}}};
  const std::string bytes = encode(kMaxSequence - 4, ops);
  const auto batch = decode_batch(bytes);
  REQUIRE_OK(batch);
  CHECK_SAME(batch->first, kMaxSequence - 4);
  CHECK_SAME(owned(batch->ops) == ops, true);
}

TEST_CASE("a remove stores no value", "[1.6][task-1][core]") {
  STORY("Encode a remove whose WriteOp still has a value from before.");
  INVARIANT("the grammar of batch.h: kind 0 has a key only");
  CHECK_BYTES(encode(1, {{Kind::remove, {"b", "old"}}}),
              std::string("\x01\0\0\0\0\0\0\0\x01\0\x01"
                          "b",
                          12));
}

TEST_CASE("a batch may be empty", "[1.6][task-1][core]") {
  STORY("Encode no operations at sequence 7; decode.");
  INVARIANT("I1 of batch.h: decoding gives back first and operations");
  const std::string bytes("\x07\0\0\0\0\0\0\0\0", 9);
  CHECK_BYTES(encode(7, {}), bytes);
  const auto batch = decode_batch(bytes);
  REQUIRE_OK(batch);
  CHECK_SAME(batch->first, 7u);
  CHECK_SAME(owned(batch->ops), Ops{});
}

TEST_CASE("a batch that was cut anywhere is refused", "[1.6][task-1][core]") {
  STORY("Cut the 19 bytes of a batch after 0, 1, … 18 bytes; decode.");
  INVARIANT(kBatchWhole);
  for (std::size_t size = 0; size < kFruitBytes.size(); ++size) {
    INFO("size: " << size);
    CHECK_ERROR(decode_batch(kFruitBytes.substr(0, size)), Code::corruption);
  }
}

TEST_CASE("bytes behind a batch are refused", "[1.6][task-1][core]") {
  STORY("Decode a batch with one zero byte behind it.");
  INVARIANT(kBatchWhole);
  CHECK_ERROR(decode_batch(kFruitBytes + '\0'), Code::corruption);
}

TEST_CASE("a kind that is not known is refused", "[1.6][task-1][core]") {
  STORY("Decode a batch whose first operation has kind 2, then 255.");
  INVARIANT(kBatchWhole);
  for (const char kind : {'\x02', '\xff'}) {
    std::string bytes = kFruitBytes;
    bytes[9] = kind;
    CHECK_ERROR(decode_batch(bytes), Code::corruption);
  }
}

TEST_CASE("a batch ends at the last sequence there is", "[1.6][task-1][core]") {
  STORY("Two operations at 2^56 - 2 fit; at 2^56 - 1, and past it, not.");
  INVARIANT(kBatchWhole);
  CHECK_OK(decode_batch(encode(kMaxSequence - 1, kFruit)));
  CHECK_ERROR(decode_batch(encode(kMaxSequence, kFruit)), Code::corruption);
  CHECK_ERROR(decode_batch(encode(kMaxSequence + 1, {})), Code::corruption);
  CHECK_ERROR(decode_batch(encode(~Sequence{0}, kFruit)), Code::corruption);
}

TEST_CASE("a count alone takes no memory", "[1.6][task-1][core]") {
  STORY("Decode 20 bytes that claim 2^50 operations, then 2^64 - 1.");
  INVARIANT(
      "I3 of batch.h: decoding takes memory for what is there, not for what "
      "a count claims");
  for (const std::uint64_t count :
       {std::uint64_t{1} << 50, ~std::uint64_t{0}}) {
    std::string bytes;
    append_u64(bytes, 1);
    append_varint(bytes, count);
    bytes.append(4, '\0');
    CHECK_ERROR(decode_batch(bytes), Code::corruption);
  }
}

TEST_CASE("a key over its limit is refused", "[1.6][task-1][core]") {
  STORY("Decode a batch with a key of 65,536 bytes.");
  INVARIANT(kBatchWhole);
  std::string bytes;
  append_u64(bytes, 1);
  append_varint(bytes, 1);
  append_u8(bytes, 0);
  append_prefixed(bytes, std::string(65'536, 'k'));
  CHECK_ERROR(decode_batch(bytes), Code::corruption);
}

TEST_CASE("random batches come back, and survive damage",
          "[1.6][task-1][core]") {
  STORY("Encode random batches; decode them; flip a byte; decode again.");
  INVARIANT(kBatchWhole);
  SEEDED_RANDOM(random, 16);
  for (std::size_t round = 0; round < scaled(500); ++round) {
    Ops ops;
    for (std::uint64_t i = random.below(6); i > 0; --i) {
      const Kind kind = random.one_in(3) ? Kind::remove : Kind::put;
      std::string key = random.bytes(random.below(300));
      ops.push_back(
          {kind,
           {std::move(key), kind == Kind::put ? random.bytes(random.below(300))
                                              : std::string()}});
    }
    const Sequence first = random.below(kMaxSequence - 10);
    std::string bytes = encode(first, ops);
    const auto batch = decode_batch(bytes);
    REQUIRE_OK(batch);
    REQUIRE_SAME(batch->first, first);
    REQUIRE_SAME(owned(batch->ops), ops);
    // Any answer is right here, as long as it stays inside the bytes.
    bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
    const auto damaged = decode_batch(bytes);
    if (!damaged) continue;
    for (const WriteOp& op : damaged->ops) {
      REQUIRE(op.key.size() + op.value.size() <= bytes.size());
    }
  }
}

// Task 2: the writer.

TEST_CASE("a record is a header with two checksums, then the payload",
          "[1.6][task-2][core]") {
  STORY("Append one batch of 19 bytes and a record of 1; look at the file.");
  INVARIANT(kBound);
  SimFileSystem fs;
  const auto writer = create(fs);
  REQUIRE_OK(writer->append(kFruitBytes));
  REQUIRE_OK(writer->append("x"));
  LogBytes expected;
  CHECK_SAME(expected.data(kFruitBytes), 32u);
  CHECK_SAME(expected.data("x"), 67u);
  CHECK_SAME(writer->size_bytes(), expected.size());
  CHECK_BYTES(file_bytes(fs, writer->size_bytes()), expected.bytes());
}

TEST_CASE("empty and long records keep their place", "[1.6][task-2][core]") {
  STORY("Append records of 0, 65,536, 65,537 and 3 bytes; look at the file.");
  INVARIANT("I1 of log_writer.h: records in the order of the calls, whole");
  SimFileSystem fs;
  const auto writer = create(fs);
  LogBytes expected;
  for (const std::size_t size : {0u, 65'536u, 65'537u, 3u}) {
    const std::string record(size, static_cast<char>('a' + size % 26));
    REQUIRE_OK(writer->append(record));
    expected.data(record);
  }
  const std::string seen = file_bytes(fs, writer->size_bytes());
  CHECK_BYTES(seen, expected.bytes());
}

TEST_CASE("a sync leaves a mark that covers what was there before",
          "[1.6][task-2][core]") {
  STORY("Append, sync, append, sync; look for marks of 67 and 126 bytes.");
  INVARIANT(kMarks);
  SimFileSystem fs;
  const auto writer = create(fs);
  LogBytes expected;
  for (int i = 0; i < 2; ++i) {
    REQUIRE_OK(writer->append(kFruitBytes));
    REQUIRE_OK(writer->sync());
    expected.data(kFruitBytes);
    expected.mark(i == 0 ? 67 : 126);
  }
  CHECK_BYTES(file_bytes(fs, writer->size_bytes()), expected.bytes());
}

TEST_CASE("a sync with nothing new leaves a mark like any other",
          "[1.6][task-2][core]") {
  STORY("Append, sync, sync; look for marks of 67 and of 91 bytes.");
  INVARIANT(kMarks);
  SimFileSystem fs;
  const auto writer = create(fs);
  REQUIRE_OK(writer->append(kFruitBytes));
  REQUIRE_OK(writer->sync());
  REQUIRE_OK(writer->sync());
  LogBytes expected;
  expected.data(kFruitBytes);
  expected.mark(67);
  expected.mark(91);
  CHECK_BYTES(file_bytes(fs, writer->size_bytes()), expected.bytes());
}

TEST_CASE("synced() knows whether anything was appended since",
          "[1.6][task-2][core]") {
  STORY("A new log is not synced; after sync it is; after append it is not.");
  INVARIANT("synced(): nothing was appended since the last sync");
  SimFileSystem fs;
  const auto writer = create(fs);
  CHECK_SAME(writer->synced(), false);
  REQUIRE_OK(writer->sync());
  CHECK_SAME(writer->synced(), true);
  REQUIRE_OK(writer->append("x"));
  CHECK_SAME(writer->synced(), false);
}

TEST_CASE("a seal ends the file", "[1.6][task-2][core]") {
  STORY("Append, seal; the file is header, record, seal, and not a byte more.");
  INVARIANT("I3 of log_writer.h: seal() = fsync, append the seal, fsync");
  SimFileSystem fs;
  const auto writer = create(fs);
  REQUIRE_OK(writer->append(kFruitBytes));
  REQUIRE_OK(writer->seal());
  LogBytes expected;
  expected.data(kFruitBytes);
  expected.seal();
  CHECK_BYTES(file_bytes(fs, ~std::uint64_t{0}), expected.bytes());
  CHECK_SAME(writer->synced(), true);
  CHECK_ERROR(writer->append("x"), Code::closed);
  CHECK_ERROR(writer->sync(), Code::closed);
}

TEST_CASE("a failed sync leaves no mark, and ends the log",
          "[1.6][task-2][core]") {
  STORY("Append; the fsync fails; no mark is written, and no retry succeeds.");
  INVARIANT("I4 of log_writer.h: after a failed call every later call fails");
  SimFileSystem disk;
  FaultFileSystem fs(disk);
  const auto writer = create(fs);
  REQUIRE_OK(writer->append(kFruitBytes));
  fs.inject({.kinds = kSync});
  CHECK_ERROR(writer->sync(), Code::io);
  CHECK_SAME(writer->synced(), false);
  CHECK_ERROR(writer->append("x"), Code::io);
  CHECK_ERROR(writer->sync(), Code::io);
  CHECK_ERROR(writer->seal(), Code::io);
  LogBytes expected;
  expected.data(kFruitBytes);
  CHECK_BYTES(file_bytes(fs, expected.size()), expected.bytes());
  const std::string behind =
      file_bytes(fs, ~std::uint64_t{0}).substr(expected.bytes().size(), 100);
  CHECK_BYTES(behind, std::string(behind.size(), '\0'));
}

TEST_CASE("a killed process loses no record", "[1.6][task-2][core]") {
  STORY("Append 1,000 records; the process is killed; look at the file.");
  INVARIANT("I1 of log_writer.h: a killed process loses none of them");
  SimFileSystem fs;
  LogBytes expected;
  {
    const auto writer = create(fs);
    for (int i = 0; i < 1000; ++i) {
      const std::string record = "record " + std::to_string(i);
      REQUIRE_OK(writer->append(record));
      expected.data(record);
    }
    fs.kill();
  }
  CHECK_BYTES(file_bytes(fs, expected.size()), expected.bytes());
}

TEST_CASE("no mark reaches the disk before its fsync", "[1.6][task-2][core]") {
  STORY(
      "Append; the power fails in the fsync of sync(), then of seal(); "
      "whatever the disk kept, there is no mark and no seal.");
  INVARIANT(kMarks);
  for (const bool seal : {false, true}) {
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
      SimFileSystem fs;
      LogBytes expected;
      {
        const auto writer = create(fs);
        REQUIRE_OK(writer->append(kFruitBytes));
        REQUIRE_OK(fs.sync_dir("."));
        fs.cut_power_at(fs.operations() + 1);
        CHECK_SAME((seal ? writer->seal() : writer->sync()).has_value(), false);
      }
      fs.power_cycle(CrashModel::ordered, seed);
      expected.data(kFruitBytes);
      const std::string all = file_bytes(fs, ~std::uint64_t{0});
      if (all.size() <= expected.size()) continue;
      const std::string behind = all.substr(expected.bytes().size(), 100);
      CHECK_BYTES(behind, std::string(behind.size(), '\0'));
    }
  }
}

TEST_CASE("what was synced survives a power cut, and so does a seal",
          "[1.6][task-2][core]") {
  STORY("Append, sync or seal; the power fails afterwards; look at the file.");
  INVARIANT("I3 of log_writer.h: a sealed log is durable to its end");
  for (const bool seal : {false, true}) {
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
      SimFileSystem fs;
      LogBytes expected;
      expected.data(kFruitBytes);
      if (seal) expected.seal();
      {
        const auto writer = create(fs);
        REQUIRE_OK(fs.sync_dir("."));
        REQUIRE_OK(writer->append(kFruitBytes));
        REQUIRE_OK(seal ? writer->seal() : writer->sync());
      }
      fs.power_cycle(CrashModel::ordered, seed);
      CHECK_BYTES(file_bytes(fs, expected.size()), expected.bytes());
    }
  }
}

// Task 3: the reader, up to the tail.

TEST_CASE("records come back in order with their offsets",
          "[1.6][task-3][core]") {
  STORY("Read a log of three records and a seal.");
  INVARIANT(kPrefix);
  LogBytes log;
  log.data("one");
  log.data("");
  log.data("three");
  const std::uint64_t end = log.seal() + 16;
  const Reading seen = read(log.bytes());
  REQUIRE_OK(seen.end);
  CHECK_SAME(seen.records, std::vector<std::string>{"one", "", "three"});
  CHECK_SAME(seen.offsets, std::vector<std::uint64_t>{32, 51, 67});
  CHECK_SAME(kind_name(seen.end), "sealed");
  CHECK_SAME(seen.end->offset, end);
  CHECK_SAME(seen.end->any_mark, true);
}

TEST_CASE("marks are not records, and the furthest is reported",
          "[1.6][task-3][core]") {
  STORY("Read record, mark of 51, record, mark of 94, record.");
  INVARIANT("durable_bytes: what the furthest mark covers");
  LogBytes log;
  log.data("one");
  CHECK_SAME(log.mark(51), 51u);
  log.data("two");
  CHECK_SAME(log.mark(94), 94u);
  log.data("three");
  const Reading seen = read(log.bytes());
  REQUIRE_OK(seen.end);
  CHECK_SAME(seen.records, std::vector<std::string>{"one", "two", "three"});
  CHECK_SAME(seen.end->durable_bytes, 94u);
  CHECK_SAME(seen.end->any_mark, true);
}

TEST_CASE("zeros behind the last record are unused space",
          "[1.6][task-3][core]") {
  STORY("Read two records and nothing, 1, 15, 16 or 500,000 zeros.");
  INVARIANT("I3 of log_format.h: zeros to the end are not yet used space");
  for (const std::size_t zeros : {0u, 1u, 15u, 16u, 500'000u}) {
    INFO("zeros: " << zeros);
    LogBytes log;
    log.data("one");
    log.data("two");
    const std::uint64_t end = log.size();
    log.bytes().append(zeros, '\0');
    const Reading seen = read(log.bytes());
    REQUIRE_OK(seen.end);
    CHECK_SAME(seen.records, std::vector<std::string>{"one", "two"});
    CHECK_SAME(kind_name(seen.end), "clean");
    CHECK_SAME(seen.end->offset, end);
    CHECK_SAME(seen.end->durable_bytes, 0u);
    CHECK_SAME(seen.end->any_mark, false);
  }
}

TEST_CASE("a log that was never written is empty", "[1.6][task-3][core]") {
  STORY("Read a file of 0 bytes, one of zeros, and one with a header only.");
  INVARIANT(kPrefix);
  for (const std::string& bytes :
       {std::string(), std::string(10, '\0'), std::string(100'000, '\0'),
        encode_log_header(kLog)}) {
    const Reading seen = read(bytes);
    REQUIRE_OK(seen.end);
    CHECK_SAME(seen.records, std::vector<std::string>{});
    CHECK_SAME(kind_name(seen.end), "clean");
    CHECK_SAME(seen.end->offset, bytes.size() == 32 ? 32u : 0u);
  }
}

TEST_CASE("a torn tail record is dropped", "[1.6][task-3][core]") {
  STORY("Cut a log of three records at every byte of the third; read.");
  INVARIANT(kPrefix);
  LogBytes log;
  log.data("one");
  log.data("two");
  const std::uint64_t third = log.data("three");
  for (std::uint64_t size = third + 1; size < log.size(); ++size) {
    INFO("size: " << size);
    const Reading seen = read(log.bytes().substr(0, size));
    REQUIRE_OK(seen.end);
    CHECK_SAME(seen.records, std::vector<std::string>{"one", "two"});
    CHECK_SAME(kind_name(seen.end), "torn");
    CHECK_SAME(seen.end->offset, third);
  }
}

TEST_CASE("a record with any byte missing is dropped", "[1.6][task-3][core]") {
  STORY(
      "A kill in the middle of a copy may leave any byte out: zero each byte "
      "of the last record in turn; read.");
  INVARIANT(kPrefix);
  LogBytes log;
  log.data("one");
  const std::uint64_t second = log.data("two");
  for (std::uint64_t at = second; at < log.size(); ++at) {
    std::string bytes = log.bytes();
    if (bytes[at] == '\0') continue;
    INFO("zeroed: byte " << at);
    bytes[at] = '\0';
    const Reading seen = read(bytes + std::string(100, '\0'));
    REQUIRE_OK(seen.end);
    CHECK_SAME(seen.records, std::vector<std::string>{"one"});
    CHECK_SAME(kind_name(seen.end), "torn");
    CHECK_SAME(seen.end->offset, second);
  }
}

TEST_CASE("nothing behind the first damage is delivered",
          "[1.6][task-3][core]") {
  STORY("Lose the page with the second of three records; read.");
  INVARIANT(kPrefix);
  LogBytes log;
  log.data("one");
  const std::uint64_t second = log.data("two");
  const std::uint64_t third = log.data("three");
  std::fill(log.bytes().begin() + static_cast<std::ptrdiff_t>(second),
            log.bytes().begin() + static_cast<std::ptrdiff_t>(third), '\0');
  const Reading seen = read(log.bytes());
  REQUIRE_OK(seen.end);
  CHECK_SAME(seen.records, std::vector<std::string>{"one"});
  CHECK_SAME(kind_name(seen.end), "torn");
}

TEST_CASE("a record in the wrong place is not believed",
          "[1.6][task-3][core]") {
  STORY(
      "Where the second record should stand there is a copy of the first, "
      "then a record of another log at that very offset.");
  INVARIANT(kBound);
  LogBytes log;
  log.data("one");
  LogBytes other({kLog.store_id, kLog.number - 1});
  other.data("one");
  other.data("old");
  const std::string first = log.bytes().substr(32);
  for (const std::string& stale : {first, other.bytes().substr(51)}) {
    const Reading seen = read(log.bytes() + stale);
    REQUIRE_OK(seen.end);
    CHECK_SAME(seen.records, std::vector<std::string>{"one"});
    CHECK_SAME(kind_name(seen.end), "torn");
    CHECK_SAME(seen.end->offset, 51u);
  }
}

TEST_CASE("a record of any size is read", "[1.6][task-3][core]") {
  STORY("Read records of 5 MiB, of sizes around 256 KiB, and short ones.");
  INVARIANT(kPrefix);
  std::vector<std::string> expected;
  for (const std::size_t size :
       {std::size_t{3}, std::size_t{5} << 20, std::size_t{1},
        (std::size_t{256} << 10) - 17, (std::size_t{256} << 10) - 16,
        std::size_t{256} << 10, std::size_t{0}, std::size_t{100}}) {
    expected.emplace_back(size, static_cast<char>('a' + expected.size()));
  }
  LogBytes log;
  for (const std::string& record : expected)
    log.data(record);
  const Reading seen = read(log.bytes());
  REQUIRE_OK(seen.end);
  REQUIRE_SAME(seen.records.size(), expected.size());
  CHECK_SAME(seen.records == expected, true);
  CHECK_SAME(kind_name(seen.end), "clean");
}

TEST_CASE("a length past the end takes no memory", "[1.6][task-3][core]") {
  STORY("Read a valid header that announces 2^55 bytes; 3 are there.");
  INVARIANT("I3 of log_reader.h: no byte outside the file is asked for");
  LogBytes log;
  log.data("one");
  log.record_of_length(1, std::uint64_t{1} << 55, "two");
  const Reading seen = read(log.bytes());
  REQUIRE_OK(seen.end);
  CHECK_SAME(seen.records, std::vector<std::string>{"one"});
  CHECK_SAME(kind_name(seen.end), "torn");
}

TEST_CASE("a type that is not known is not read", "[1.6][task-3][core]") {
  STORY("Read a record of type 4 whose checksums verify, and of type 0.");
  INVARIANT(kPrefix);
  for (const std::uint8_t type : {std::uint8_t{0}, std::uint8_t{4}}) {
    LogBytes log;
    log.data("one");
    log.record(type, "two");
    log.data("three");
    const Reading seen = read(log.bytes());
    REQUIRE_OK(seen.end);
    CHECK_SAME(seen.records, std::vector<std::string>{"one"});
    CHECK_SAME(kind_name(seen.end), "torn");
  }
}

TEST_CASE("a disk that cannot be read is no torn tail", "[1.6][task-3][core]") {
  STORY("Each read of the disk fails in turn; the answer is that error.");
  INVARIANT("errors of read_log: io");
  SimFileSystem disk;
  FaultFileSystem fs(disk);
  LogBytes log;
  for (int i = 0; i < 4; ++i)
    log.data(std::string(200'000, 'x'));
  put_file(fs, kPath, log.bytes());
  REQUIRE_OK(read(fs).end);
  const std::uint64_t reads = fs.operations(kRead);
  REQUIRE(reads > 1);
  for (std::uint64_t nth = 1; nth <= reads; ++nth) {
    fs.inject({.kinds = kRead, .nth = nth});
    CHECK_ERROR(read(fs).end, Code::io);
    fs.lift();
  }
}

TEST_CASE("the visitor's error ends the reading", "[1.6][task-3][core]") {
  STORY("The visitor refuses the second of three records.");
  INVARIANT("errors of read_log: what the visitor says");
  SimFileSystem fs;
  LogBytes log;
  for (const char* record : {"one", "two", "three"})
    log.data(record);
  put_file(fs, kPath, log.bytes());
  int calls = 0;
  const auto end =
      read_log(fs, kPath, kLog, [&](std::uint64_t, std::string_view) {
        ++calls;
        return calls == 2 ? Result<void>(fail(Code::busy, "enough"))
                          : Result<void>();
      });
  CHECK_ERROR(end, Code::busy);
  CHECK_SAME(calls, 2);
}

TEST_CASE("a random log cut at a random byte gives a prefix",
          "[1.6][task-3][core]") {
  STORY("Cut random logs anywhere; read; compare with the records before.");
  INVARIANT(kPrefix);
  SEEDED_RANDOM(random, 63);
  for (std::size_t round = 0; round < scaled(200); ++round) {
    LogBytes log;
    std::vector<std::string> records;
    std::vector<std::uint64_t> ends;
    for (std::uint64_t i = random.below(20); i > 0; --i) {
      records.push_back(random.bytes(random.below(200)));
      log.data(records.back());
      ends.push_back(log.size());
    }
    const std::uint64_t cut = random.between(32, log.size());
    const auto whole = static_cast<std::size_t>(
        std::ranges::upper_bound(ends, cut) - ends.begin());
    const Reading seen = read(log.bytes().substr(0, cut));
    REQUIRE_OK(seen.end);
    REQUIRE_SAME(seen.records, first_of(records, whole));
  }
}

// Task 4: torn tail or corruption.

TEST_CASE("a flip below a mark is corruption", "[1.6][task-4][gold]") {
  STORY("Two records, a mark, a record; flip each bit of the first two.");
  LogBytes log;
  const std::uint64_t first = log.data("one");
  const std::uint64_t second = log.data("two");
  const std::uint64_t end = log.mark();
  log.data("three");
  for (std::uint64_t bit = first * 8; bit < end * 8; ++bit) {
    INFO("flipped: bit " << bit % 8 << " of byte " << bit / 8);
    std::string bytes = log.bytes();
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    CHECK_CORRUPTION(read(bytes), bit / 8 < second ? first : second);
  }
}

TEST_CASE("zeros below a mark are not the end of the log",
          "[1.6][task-4][gold]") {
  STORY("The page with a synced record reads as zeros; a mark stands behind.");
  LogBytes log;
  log.data("one");
  const std::uint64_t second = log.data("two");
  const std::uint64_t end = log.mark();
  std::fill(log.bytes().begin() + static_cast<std::ptrdiff_t>(second),
            log.bytes().begin() + static_cast<std::ptrdiff_t>(end), '\0');
  CHECK_CORRUPTION(read(log.bytes()), second);
}

TEST_CASE("damage behind the last mark's reach is a torn tail",
          "[1.6][task-4][gold]") {
  STORY("One record is synced, the next is not; damage the mark, then that.");
  INVARIANT(kVerdict);
  LogBytes log;
  log.data("one");
  const std::uint64_t mark = log.mark();
  const std::uint64_t last = log.data("two");
  for (const std::uint64_t at : {mark, last}) {
    std::string bytes = log.bytes();
    bytes[at + 3] = static_cast<char>(bytes[at + 3] ^ 1);
    const Reading seen = read(bytes);
    REQUIRE_OK(seen.end);
    CHECK_SAME(kind_name(seen.end), "torn");
    CHECK_SAME(seen.end->offset, at);
    CHECK_SAME(seen.end->any_mark, at == last);
    CHECK_SAME(seen.records, std::vector<std::string>{"one"});
  }
}

TEST_CASE("a mark that covers less than the damage convicts nobody",
          "[1.6][task-4][gold]") {
  STORY(
      "Record, then one that was appended while the fsync ran, then the mark "
      "of the first; damage the second.");
  INVARIANT(kVerdict);
  LogBytes log;
  log.data("one");
  const std::uint64_t second = log.data("two");
  log.mark(second);
  log.bytes()[second + 17] = '!';
  const Reading seen = read(log.bytes());
  REQUIRE_OK(seen.end);
  CHECK_SAME(kind_name(seen.end), "torn");
  CHECK_SAME(seen.end->offset, second);
  CHECK_SAME(seen.end->any_mark, true);
  CHECK_SAME(seen.end->durable_bytes, second);
}

TEST_CASE("a mark is found at any distance", "[1.6][task-4][gold]") {
  STORY(
      "Damage a record of about 256 KiB, so that the mark behind it begins "
      "at each place around a buffer's end.");
  for (std::size_t size = (256 << 10) - 45; size < (256 << 10) + 5; ++size) {
    LogBytes log;
    const std::uint64_t first = log.data(std::string(size, 'x'));
    log.mark();
    log.bytes()[first + 20] = '!';
    INFO("record: " << size << " bytes");
    CHECK_CORRUPTION(read(log.bytes()), first);
  }
}

TEST_CASE("a mark of another place or log proves nothing",
          "[1.6][task-4][gold]") {
  STORY(
      "Behind the damage stands a mark of an earlier log, then one of this "
      "log that was copied from elsewhere, as a value might hold it.");
  INVARIANT(kBound);
  LogBytes old({kLog.store_id, kLog.number - 1});
  old.data("one");
  old.data("two");
  old.mark();
  LogBytes log;
  log.data("one");
  const std::uint64_t second = log.data("two");
  log.bytes()[second + 16] = '!';
  const std::string damaged = log.bytes();
  const std::uint64_t mark = log.mark();
  for (const std::string& tail :
       {old.bytes().substr(mark), "x" + log.bytes().substr(mark)}) {
    const Reading seen = read(damaged + tail);
    REQUIRE_OK(seen.end);
    CHECK_SAME(kind_name(seen.end), "torn");
    CHECK_SAME(seen.end->any_mark, false);
  }
}

TEST_CASE("a damaged mark proves nothing", "[1.6][task-4][gold]") {
  STORY("Damage a record, and flip each bit of the only mark behind it.");
  INVARIANT(kVerdict);
  LogBytes log;
  const std::uint64_t first = log.data("one");
  const std::uint64_t mark = log.mark();
  log.bytes()[first + 16] = '!';
  for (std::uint64_t bit = mark * 8; bit < log.size() * 8; ++bit) {
    std::string bytes = log.bytes();
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    const Reading seen = read(bytes);
    REQUIRE_OK(seen.end);
    CHECK_SAME(kind_name(seen.end), "torn");
  }
}

TEST_CASE("every flip in a sealed log is found", "[1.6][task-4][gold]") {
  STORY("Flip each bit of a sealed log; read.");
  INVARIANT(kVerdict);
  LogBytes log;
  log.data("one");
  log.mark();
  log.data("two");
  const std::uint64_t seal = log.seal();
  const std::vector<std::string> all = {"one", "two"};
  for (std::uint64_t bit = 0; bit < log.size() * 8; ++bit) {
    INFO("flipped: bit " << bit % 8 << " of byte " << bit / 8);
    std::string bytes = log.bytes();
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    const Reading seen = read(bytes);
    if (bit / 8 < seal) {
      CHECK_ERROR(seen.end, Code::corruption);
    } else {
      REQUIRE_OK(seen.end);  // nothing but the seal itself is lost
      CHECK_SAME(kind_name(seen.end), "torn");
      CHECK_SAME(seen.records, all);
    }
  }
}

TEST_CASE("a damaged file header is judged like any damage",
          "[1.6][task-4][gold]") {
  STORY("Flip a byte of the file's header, with a mark behind and without.");
  INVARIANT(kVerdict);
  LogBytes log;
  log.data("one");
  log.bytes()[0] = 'l';
  const Reading seen = read(log.bytes());
  REQUIRE_OK(seen.end);
  CHECK_SAME(kind_name(seen.end), "torn");
  CHECK_SAME(seen.end->offset, 0u);
  CHECK_SAME(seen.records, std::vector<std::string>{});
  log.mark();
  CHECK_CORRUPTION(read(log.bytes()), 0);
}

TEST_CASE("the log of another file or store is refused",
          "[1.6][task-4][gold]") {
  STORY("Read log 7 of the store as log 8, then as log 7 of another store.");
  LogBytes log;
  log.data("one");
  REQUIRE_OK(read(log.bytes()).end);
  CHECK_CORRUPTION(read(log.bytes(), {kLog.store_id, 8}), 0);
  CHECK_CORRUPTION(read(log.bytes(), {kLog.store_id + 1, 7}), 0);
}

TEST_CASE("nothing may stand behind a seal", "[1.6][task-4][gold]") {
  STORY("Read a sealed log with zeros behind it, then with a record.");
  LogBytes log;
  log.data("one");
  log.seal();
  const std::uint64_t end = log.size();
  log.bytes().append(100, '\0');
  const Reading seen = read(log.bytes());
  REQUIRE_OK(seen.end);
  CHECK_SAME(kind_name(seen.end), "sealed");
  log.bytes().resize(end);
  log.data("two");
  CHECK_CORRUPTION(read(log.bytes()), end);
}

TEST_CASE("looking for marks reads a log once", "[1.6][task-4][gold]") {
  STORY("Damage the first of 20,000 synced records; count the bytes read.");
  INVARIANT("cost: one pass over the file, with damage at most two");
  LogBytes log;
  for (int i = 0; i < 20'000; ++i) {
    log.data("a record of an ordinary size, as a put would write it");
    log.mark();
  }
  log.bytes()[40] = '!';
  SimFileSystem fs;
  put_file(fs, kPath, log.bytes());
  CHECK_CORRUPTION(read(fs), 32);
  CHECK(fs.counters().bytes_read <= 3 * log.size());
}

TEST_CASE("after a power cut at any moment no synced record is missing",
          "[1.6][task-4][gold]") {
  STORY(
      "Append and sync at random; the power fails at each operation in turn; "
      "what is read is a prefix with all that was synced, and never an error.");
  INVARIANT(kVerdict);
  SEEDED_RANDOM(random, 64);
  struct Run {
    std::vector<std::string> appended;
    std::size_t synced = 0;
    bool created = false;
  };
  // Until the power fails, or 12 records were written.
  const auto work = [](SimFileSystem& fs, Random moves) {
    Run run;
    auto writer = LogWriter::create(fs, kPath, kLog, 64 << 10);
    if (!writer || !fs.sync_dir(".")) return run;
    run.created = true;
    for (int i = 0; i < 12; ++i) {
      run.appended.push_back(moves.bytes(moves.below(9000)));
      if (!(*writer)->append(run.appended.back())) return run;
      if (moves.one_in(2)) continue;
      if (!(*writer)->sync()) return run;
      run.synced = run.appended.size();
    }
    if ((*writer)->seal()) run.synced = run.appended.size();
    return run;
  };
  for (std::size_t round = 0; round < scaled(12); ++round) {
    const Random moves(random.next());
    SimFileSystem whole;
    work(whole, moves);
    for (std::uint64_t cut = 1; cut <= whole.operations() + 1; ++cut) {
      SimFileSystem fs;
      fs.cut_power_at(cut);
      const Run run = work(fs, moves);
      fs.power_cycle(
          round % 2 == 0 ? CrashModel::ordered : CrashModel::any_subset,
          random.next());
      INFO("power cut at operation " << cut);
      if (!fs.exists(kPath).value_or(false)) {
        CHECK_SAME(run.created, false);
        continue;
      }
      const Reading seen = read(fs);
      REQUIRE_OK(seen.end);
      REQUIRE(seen.records.size() >= run.synced);
      REQUIRE(seen.records.size() <= run.appended.size());
      REQUIRE_SAME(seen.records == first_of(run.appended, seen.records.size()),
                   true);
    }
  }
}

}  // namespace lsm::test
