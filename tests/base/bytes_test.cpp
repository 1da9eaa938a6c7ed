// The expected bytes are worked out by hand from the two formats in
// base/bytes.h.
#include "base/bytes.h"

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "support/catch.h"
#include "support/random.h"
#include "support/teach.h"

using namespace lsm;
using namespace std::string_literals;

namespace {

// The number that all of `bytes` are, or nothing.
std::optional<std::uint64_t> decode64(std::string_view bytes) {
  std::uint64_t value = 0;
  const char* limit = bytes.data() + bytes.size();
  if (load_varint64(bytes.data(), limit, value) != limit) return std::nullopt;
  return value;
}

std::string encode(std::uint64_t value) {
  std::string bytes;
  append_varint(bytes, value);
  return bytes;
}

}  // namespace

TEST_CASE("fixed integers are little-endian", "[base]") {
  STORY("Append one integer of each width; look at the bytes.");
  INVARIANT("I1 all fixed-width integers on disk are little-endian");
  std::string bytes;
  append_u8(bytes, 0x01);
  append_u16(bytes, 0x0203);
  append_u32(bytes, 0x04050607);
  append_u64(bytes, 0x08090a0b0c0d0e0f);
  CHECK_BYTES(bytes,
              "\x01\x03\x02\x07\x06\x05\x04"
              "\x0f\x0e\x0d\x0c\x0b\x0a\x09\x08"s);
  CHECK_SAME(load_u16(bytes.data() + 1), 0x0203);
  CHECK_SAME(load_u32(bytes.data() + 3), 0x04050607);
  CHECK_SAME(load_u64(bytes.data() + 7), 0x08090a0b0c0d0e0fu);
}

TEST_CASE("varints take seven bits a byte, low bits first", "[base]") {
  STORY("Encode the numbers around every change of length, and back.");
  const std::vector<std::pair<std::uint64_t, std::string>> cases = {
      {0, "\x00"s},
      {1, "\x01"s},
      {127, "\x7f"s},
      {128, "\x80\x01"s},
      {300, "\xac\x02"s},
      {16'383, "\xff\x7f"s},
      {16'384, "\x80\x80\x01"s},
      {UINT32_MAX, "\xff\xff\xff\xff\x0f"s},
      {std::uint64_t{1} << 32, "\x80\x80\x80\x80\x10"s},
      {UINT64_MAX, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s},
  };
  for (const auto& [value, bytes] : cases) {
    CHECK_BYTES(encode(value), bytes);
    CHECK_SAME(varint_size(value), bytes.size());
    CHECK_SAME(decode64(bytes), std::optional(value));
  }
}

TEST_CASE("a varint that is cut short is refused", "[base]") {
  STORY("Offer every proper prefix of the longest varint.");
  INVARIANT("I2 a decoder never reads at or past its limit");
  const std::string whole = encode(UINT64_MAX);
  for (std::size_t length = 0; length < whole.size(); length++) {
    const std::string bytes = whole.substr(0, length);
    std::uint64_t value = 0;
    CHECK(load_varint64(bytes.data(), bytes.data() + length, value) == nullptr);
  }
}

TEST_CASE("a varint that does not fit is refused", "[base]") {
  STORY("Offer 2^64, and an endless varint.");
  INVARIANT("I3 longer or overflowing varints are refused");
  CHECK_SAME(decode64("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x02"s),
             std::optional<std::uint64_t>());
  CHECK_SAME(decode64("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"s),
             std::optional<std::uint64_t>());
}

TEST_CASE("a reader that asks for too much gets nothing and stays", "[base]") {
  STORY("Three bytes; ask for four, for eight, for a string of 200.");
  INVARIANT("I2 a decoder never reads at or past its limit");
  const std::string stored = "\xc8\x01\x2a";
  ByteReader reader(stored);
  std::uint32_t four = 0;
  std::uint64_t eight = 0;
  std::string_view text;
  CHECK_FALSE(reader.u32(four));
  CHECK_FALSE(reader.u64(eight));
  CHECK_FALSE(reader.prefixed(text));  // says 200 bytes, has one
  CHECK_FALSE(reader.bytes(4, text));
  CHECK_FALSE(reader.bytes(SIZE_MAX, text));
  REQUIRE_SAME(reader.remaining(), 3u);
  std::uint8_t one = 0;
  for (const unsigned byte : {0xc8U, 0x01U, 0x2aU}) {
    CHECK(reader.u8(one));
    CHECK_SAME(one, byte);
  }
  CHECK(reader.empty());
  CHECK_FALSE(reader.u8(one));
}

TEST_CASE("a prefixed string comes back, empty ones too", "[base]") {
  STORY("Append \"\" and \"a\\0b\" with their lengths; read both.");
  std::string bytes;
  append_prefixed(bytes, "");
  append_prefixed(bytes, "a\0b"s);
  CHECK_BYTES(bytes, "\x00\x03\x61\x00\x62"s);
  ByteReader reader(bytes);
  std::string_view text = "not yet";
  CHECK(reader.prefixed(text));
  CHECK_SAME(text, "");
  CHECK(reader.prefixed(text));
  CHECK_SAME(text, "a\0b"s);
  CHECK(reader.empty());
}

TEST_CASE("random integers of every length come back", "[base]") {
  STORY("Encode numbers of 0 to 64 bits one after another; read them all.");
  SEEDED_RANDOM(random, 1);
  std::vector<std::uint64_t> numbers;
  std::string bytes;
  for (int i = 0; i < 2000; i++) {
    const unsigned shift = static_cast<unsigned>(random.below(65));
    numbers.push_back(shift == 64 ? 0 : random.next() >> shift);
    append_varint(bytes, numbers.back());
  }
  ByteReader reader(bytes);
  for (const std::uint64_t expected : numbers) {
    std::uint64_t seen = 0;
    REQUIRE(reader.varint(seen));
    REQUIRE_SAME(seen, expected);
  }
  CHECK(reader.empty());
}

TEST_CASE("escape leaves printable ASCII and spells the rest", "[base]") {
  STORY("Escape letters, a newline, a zero, and a byte above 127.");
  CHECK_SAME(escape("key 1~\n\0\xff"s), "key 1~\\x0a\\x00\\xff");
}
