// Keys and values are any bytes; a terminal, a TSV file and JSON take text.
// This is the way there and back.
//
//   bytes  61 09 e2 86 90 ff   ──escape_text──►   a\t←\xff
//                              ◄─unescape_text──
//
// I1 unescape_text(escape_text(bytes)) == bytes, whatever the bytes.
// I2 Escaped text is valid UTF-8 in one line without control characters:
//    nothing that is stored can move the cursor or break a row.
// I3 Readable UTF-8 stays as it is.
// The escapes: \t \n \r \0 \\ \" \' and \xNN, two hex digits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace lsm::tool {

std::string escape_text(std::string_view bytes);
// Errors: invalid_argument, for a backslash that begins no escape.
Result<std::string> unescape_text(std::string_view text);

// As the shell reads it back: in quotes if it is empty, or has spaces or
// quotes in it.
std::string show_key(std::string_view key);
// Quotes only where the ends could not be seen.
std::string show_value(std::string_view value);
// At most `columns` characters, the last one … if some are missing.
std::string shorten(std::string text, std::size_t columns);

// A line of the shell: words between spaces; "…" and '…' hold spaces. Errors:
// invalid_argument, an open quote or a bad escape.
Result<std::vector<std::string>> split_words(std::string_view line);

// "1.2 MiB", "34,888", "0.12 s".
std::string show_bytes(std::uint64_t bytes);
std::string show_count(std::uint64_t count);
std::string show_seconds(double seconds);
// "1 run", "2 runs".
std::string plural(std::uint64_t count, std::string_view noun);

// The one of `known` that `word` is a slip of the finger away from; empty if
// none is that close.
std::string_view nearest(std::string_view word,
                         std::span<const std::string_view> known);

}  // namespace lsm::tool
