#include "base/bytes.h"

namespace lsm {

const char* load_varint64_slow(const char* from, const char* limit,
                               std::uint64_t& value) {
  std::uint64_t result = 0;
  for (unsigned shift = 0; shift < 64 && from < limit; shift += 7) {
    const auto byte = static_cast<unsigned char>(*from++);
    const std::uint64_t bits = byte & 0x7f;
    if (shift == 63 && bits > 1) return nullptr;  // the 65th bit
    result |= bits << shift;
    if (byte < 0x80) {
      value = result;
      return from;
    }
  }
  return nullptr;
}

namespace {

template <class Int>
void append_int(std::string& to, Int value) {
  char buffer[sizeof value];
  store(buffer, value);
  to.append(buffer, sizeof buffer);
}

template <class Int>
bool read_int(std::string_view& rest, Int& value) {
  if (rest.size() < sizeof value) return false;
  value = load<Int>(rest.data());
  rest.remove_prefix(sizeof value);
  return true;
}

}  // namespace

void append_u8(std::string& to, std::uint8_t v) {
  append_int(to, v);
}
void append_u16(std::string& to, std::uint16_t v) {
  append_int(to, v);
}
void append_u32(std::string& to, std::uint32_t v) {
  append_int(to, v);
}
void append_u64(std::string& to, std::uint64_t v) {
  append_int(to, v);
}

void append_varint(std::string& to, std::uint64_t value) {
  char buffer[kMaxVarintBytes];
  to.append(buffer,
            static_cast<std::size_t>(store_varint(buffer, value) - buffer));
}

void append_prefixed(std::string& to, std::string_view bytes) {
  append_varint(to, bytes.size());
  to.append(bytes);
}

bool ByteReader::u8(std::uint8_t& v) {
  return read_int(rest_, v);
}
bool ByteReader::u32(std::uint32_t& v) {
  return read_int(rest_, v);
}
bool ByteReader::u64(std::uint64_t& v) {
  return read_int(rest_, v);
}

bool ByteReader::varint(std::uint64_t& value) {
  const char* limit = rest_.data() + rest_.size();
  const char* end = load_varint64(rest_.data(), limit, value);
  if (end == nullptr) return false;
  rest_ = {end, static_cast<std::size_t>(limit - end)};
  return true;
}

bool ByteReader::bytes(std::size_t count, std::string_view& value) {
  if (count > rest_.size()) return false;
  value = rest_.substr(0, count);
  rest_.remove_prefix(count);
  return true;
}

bool ByteReader::prefixed(std::string_view& value) {
  const std::string_view before = rest_;
  std::uint64_t size = 0;
  if (varint(size) && size <= rest_.size()) {
    return bytes(static_cast<std::size_t>(size), value);
  }
  rest_ = before;
  return false;
}

std::string escape(std::string_view bytes) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f && c != '\\') {
      out += c;
    } else {
      out += {'\\', 'x', kHex[byte >> 4], kHex[byte & 0xf]};
    }
  }
  return out;
}

}  // namespace lsm
