#include "text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace lsm::tool {
namespace {

// The bytes of the valid UTF-8 character at the front of `bytes`; 0 when there
// is none, or one that is a control character.
std::size_t readable_size(std::string_view bytes) {
  const auto byte = [&](std::size_t i) {
    return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0u;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return first >= 0x20 && first != 0x7f ? 1 : 0;
  const std::size_t size = first >= 0xf0   ? 4
                           : first >= 0xe0 ? 3
                           : first >= 0xc2 ? 2
                                           : 0;
  if (size == 0 || first > 0xf4) return 0;
  std::uint32_t point = first & (0x7fu >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
    point = point << 6 | (byte(i) & 0x3f);
  }
  constexpr std::array<std::uint32_t, 5> kSmallest = {0, 0, 0xa0, 0x800,
                                                      0x10000};
  const bool surrogate = point >= 0xd800 && point <= 0xdfff;
  // U+2028 and U+2029 end a line, U+202A to U+202E turn it around.
  const bool moves_cursor = point >= 0x2028 && point <= 0x202e;
  if (point < kSmallest[size] || point > 0x10ffff || surrogate ||
      moves_cursor) {
    return 0;
  }
  return size;
}

std::optional<unsigned> hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  return std::nullopt;
}

// Reads the escape that `text` begins with, without its backslash; returns how
// many characters it took.
Result<std::size_t> read_escape(std::string_view text, std::string& out) {
  constexpr std::string_view kNames = "tnr0\\\"'";
  constexpr std::string_view kBytes("\t\n\r\0\\\"'", 7);
  if (text.empty()) {
    return fail(Code::invalid_argument, "a backslash with nothing behind it");
  }
  if (const auto at = kNames.find(text[0]); at != kNames.npos) {
    out += kBytes[at];
    return 1;
  }
  if (text[0] == 'x' && text.size() >= 3) {
    const auto high = hex_digit(text[1]);
    const auto low = hex_digit(text[2]);
    if (high && low) {
      out += static_cast<char>(*high << 4 | *low);
      return 3;
    }
  }
  return fail(Code::invalid_argument,
              fmt::format("\\{} is no escape (\\t \\n \\r \\0 \\\\ \\xNN)",
                          escape_text(text.substr(0, 1))));
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j)
    row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = std::min({change, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string escape_text(std::string_view bytes) {
  constexpr std::string_view kNamed("\t\n\r\0\\", 5);
  constexpr std::string_view kLetters = "tnr0\\";
  std::string out;
  while (!bytes.empty()) {
    std::size_t size = 1;
    if (const auto at = kNamed.find(bytes[0]); at != kNamed.npos) {
      out += {'\\', kLetters[at]};
    } else if (size = readable_size(bytes); size > 0) {
      out += bytes.substr(0, size);
    } else {
      size = 1;
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(bytes[0]));
    }
    bytes.remove_prefix(size);
  }
  return out;
}

Result<std::string> unescape_text(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t plain = std::min(text.find('\\'), text.size());
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    LSM_ASSIGN_OR_RETURN(const std::size_t used,
                         read_escape(text.substr(1), out));
    text.remove_prefix(1 + used);
  }
  return out;
}

std::string show_key(std::string_view key) {
  std::string text = escape_text(key);
  if (!text.empty() && text.find_first_of(" \"'#") == text.npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

std::string show_value(std::string_view value) {
  const bool ends_visible = !value.empty() && value.front() != ' ' &&
                            value.back() != ' ' && value.front() != '"' &&
                            value.front() != '\'';
  return ends_visible ? escape_text(value) : show_key(value);
}

std::string shorten(std::string text, std::size_t columns) {
  std::size_t characters = 0;
  std::size_t cut = 0;  // where the last of `columns` characters begins
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xc0) == 0x80) continue;
    if (++characters == columns) cut = i;
  }
  if (characters > columns) text = text.substr(0, cut) + "…";
  return text;
}

Result<std::vector<std::string>> split_words(std::string_view line) {
  std::vector<std::string> words;
  bool in_word = false;
  char quote = 0;
  while (!line.empty()) {
    const char c = line[0];
    line.remove_prefix(1);
    if (quote == 0 && (c == ' ' || c == '\t' || c == '\r')) {
      in_word = false;
      continue;
    }
    if (quote == 0 && !in_word && c == '#') break;  // a comment
    if (!in_word) words.emplace_back();
    in_word = true;
    if (c == '\\') {
      LSM_ASSIGN_OR_RETURN(const std::size_t used,
                           read_escape(line, words.back()));
      line.remove_prefix(used);
    } else if (quote == 0 && (c == '"' || c == '\'')) {
      quote = c;
    } else if (c == quote) {
      quote = 0;
    } else {
      words.back() += c;
    }
  }
  if (quote != 0) {
    return fail(Code::invalid_argument,
                fmt::format("a {} that is not closed", quote));
  }
  return words;
}

std::string show_bytes(std::uint64_t bytes) {
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes) / 1024;
  const char* unit = "KiB";
  for (const char* larger : {"MiB", "GiB", "TiB"}) {
    if (value < 1023.95) break;
    value /= 1024;
    unit = larger;
  }
  return fmt::format("{:.1f} {}", value, unit);
}

std::string show_count(std::uint64_t count) {
  std::string text = std::to_string(count);
  for (std::size_t at = text.size(); at > 3; at -= 3)
    text.insert(at - 3, ",");
  return text;
}

std::string show_seconds(double seconds) {
  if (seconds < 0.0995) return fmt::format("{:.1f} ms", seconds * 1000);
  return fmt::format("{:.2f} s", seconds);
}

std::string plural(std::uint64_t count, std::string_view noun) {
  std::string text = show_count(count) + " " + std::string(noun);
  if (count == 1) return text;
  if (text.ends_with('y')) return text.substr(0, text.size() - 1) + "ies";
  const bool hisses =
      text.ends_with("ch") || text.ends_with("sh") || text.ends_with("ss");
  return text + (hisses ? "es" : "s");
}

std::string_view nearest(std::string_view word,
                         std::span<const std::string_view> known) {
  std::string_view best;
  std::size_t best_distance = word.size() / 3 + 2;  // and no farther
  for (const std::string_view candidate : known) {
    const bool prefix = !word.empty() && candidate.starts_with(word);
    const std::size_t distance = prefix ? 1 : edit_distance(word, candidate);
    if (distance >= best_distance) continue;
    best = candidate;
    best_distance = distance;
  }
  return best;
}

}  // namespace lsm::tool
