#include "support/teach.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace lsm::test {
namespace {

constexpr std::size_t kBytesPerLine = 16;

bool is_printable(char c) {
  return c >= 0x20 && c < 0x7f;
}

std::string hex_line(std::string_view name, std::string_view bytes,
                     std::size_t begin) {
  std::string hex;
  std::string text;
  const std::size_t end = std::min(begin + kBytesPerLine, bytes.size());
  for (std::size_t i = begin; i < end; i++) {
    hex += fmt::format("{:02x} ", static_cast<unsigned char>(bytes[i]));
    text += is_printable(bytes[i]) ? bytes[i] : '.';
  }
  return fmt::format("{:<8} {:04x}  {:<49}{}\n", name, begin, hex, text);
}

}  // namespace

std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (c == '\n') {
      result += "\\n";
    } else if (is_printable(c)) {
      result += c;
    } else {
      result += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  return result + "\"";
}

std::size_t first_difference(std::string_view a, std::string_view b) {
  const auto [left, right] =
      std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  return static_cast<std::size_t>(left - a.begin());
}

std::string byte_at(std::string_view bytes, std::size_t offset) {
  if (offset >= bytes.size()) {
    return fmt::format("the end, after {} bytes", bytes.size());
  }
  const char c = bytes[offset];
  const std::string letter =
      is_printable(c) ? fmt::format(" '{}'", c) : std::string();
  return fmt::format("0x{:02x}{} at byte {} of {}",
                     static_cast<unsigned char>(c), letter, offset,
                     bytes.size());
}

std::string compared_hex(std::string_view seen, std::string_view expected) {
  const std::size_t at = first_difference(seen, expected);
  const std::size_t size = std::max(seen.size(), expected.size());
  const std::size_t line = at / kBytesPerLine;
  const std::size_t first = line == 0 ? 0 : line - 1;
  std::string text;
  for (std::size_t i = first; i <= line + 1; i++) {
    const std::size_t begin = i * kBytesPerLine;
    if (begin >= size && i != line) break;
    text += hex_line("expected", expected, begin);
    text += hex_line("seen", seen, begin);
    if (i == line) {
      text += fmt::format("{:{}}^^ byte {}\n", "",
                          15 + 3 * (at % kBytesPerLine), at);
    }
  }
  return text;
}

Verdict compare_bytes(std::string_view seen, std::string_view expected) {
  if (seen == expected) return {};
  const std::size_t at = first_difference(seen, expected);
  return {.passed = false,
          .expected = byte_at(expected, at),
          .seen = byte_at(seen, at),
          .bytes = compared_hex(seen, expected)};
}

}  // namespace lsm::test
