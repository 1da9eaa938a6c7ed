// Integers to bytes and back. Everything that the engine stores goes through
// here, so a store written on one machine opens on any other.
//
//   u32 0x01020304  →  04 03 02 01                 (fixed: little-endian)
//   varint 300      →  AC 02      300 = 0b10'0101100: seven bits a byte,
//                                 low bits first, the high bit says "more"
//
// I1 All fixed-width integers on disk are little-endian.
// I2 A decoder never reads at or past `limit`, whatever the bytes say: bytes
//    from a disk are hostile.
// I3 A varint is at most 10 bytes (5 for 32 bits); longer or overflowing
//    ones are refused.
// Cost: fixed-width access is one move; a varint takes a branch a byte.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace lsm {

static_assert(std::endian::native == std::endian::little ||
              std::endian::native == std::endian::big);

template <class Int>
constexpr Int to_little_endian(Int value) {
  if constexpr (std::endian::native == std::endian::big) {
    return std::byteswap(value);
  }
  return value;
}

// Reads sizeof(Int) bytes at `from`; the caller has checked that they exist.
template <class Int>
inline Int load(const char* from) {
  Int value;
  std::memcpy(&value, from, sizeof value);
  return to_little_endian(value);
}
inline std::uint16_t load_u16(const char* p) {
  return load<std::uint16_t>(p);
}
inline std::uint32_t load_u32(const char* p) {
  return load<std::uint32_t>(p);
}
inline std::uint64_t load_u64(const char* p) {
  return load<std::uint64_t>(p);
}

// Writes sizeof(Int) bytes at `to`; returns the end.
template <class Int>
inline char* store(char* to, Int value) {
  value = to_little_endian(value);
  std::memcpy(to, &value, sizeof value);
  return to + sizeof value;
}
inline char* store_u32(char* p, std::uint32_t v) {
  return store(p, v);
}
inline char* store_u64(char* p, std::uint64_t v) {
  return store(p, v);
}

inline constexpr std::size_t kMaxVarintBytes = 10;

constexpr std::size_t varint_size(std::uint64_t value) {
  return value == 0 ? 1
                    : (static_cast<std::size_t>(std::bit_width(value)) + 6) / 7;
}

// Writes at most kMaxVarintBytes at `to`; returns the end.
inline char* store_varint(char* to, std::uint64_t value) {
  while (value >= 0x80) {
    *to++ = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  *to++ = static_cast<char>(value);
  return to;
}

// Reads a varint in [from, limit). Returns the end, or nullptr if the bytes
// run out or the number does not fit.
const char* load_varint64_slow(const char* from, const char* limit,
                               std::uint64_t& value);

inline const char* load_varint64(const char* from, const char* limit,
                                 std::uint64_t& value) {
  if (from < limit && static_cast<unsigned char>(*from) < 0x80) {
    value = static_cast<unsigned char>(*from);
    return from + 1;
  }
  return load_varint64_slow(from, limit, value);
}

void append_u8(std::string& to, std::uint8_t value);
void append_u16(std::string& to, std::uint16_t value);
void append_u32(std::string& to, std::uint32_t value);
void append_u64(std::string& to, std::uint64_t value);
void append_varint(std::string& to, std::uint64_t value);
// Length as a varint, then the bytes.
void append_prefixed(std::string& to, std::string_view bytes);

// A bounds-checked cursor over bytes that may be damaged. Each call returns
// false, and moves nothing, when what it asks for is not there.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  [[nodiscard]] bool u8(std::uint8_t& value);
  [[nodiscard]] bool u32(std::uint32_t& value);
  [[nodiscard]] bool u64(std::uint64_t& value);
  [[nodiscard]] bool varint(std::uint64_t& value);
  [[nodiscard]] bool bytes(std::size_t count, std::string_view& value);
  [[nodiscard]] bool prefixed(std::string_view& value);

  bool empty() const { return rest_.empty(); }
  std::size_t remaining() const { return rest_.size(); }

 private:
  std::string_view rest_;
};

// Printable ASCII as it is, the rest as \xNN; for messages and tools.
std::string escape(std::string_view bytes);

}  // namespace lsm
