// Rows of text, key TAB value, one a line:
//
//   U+2190<tab>LEFTWARDS ARROW; …; ←<newline>
//
// I1 A row is exactly two fields; a tab, a newline or a backslash inside one
//    is written as an escape (text.h). Everything else is what it is.
// I2 An error names the file and the line; every row before it was delivered.
// The last line may lack its newline; a carriage return before it is dropped.
// Cost: one pass, memory for the longest line.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include "base/error.h"

namespace lsm::tool {

struct TsvRow {
  std::string key;
  std::string value;
};

class TsvReader {
 public:
  // `file` stays open as long as the reader; `name` is for messages.
  TsvReader(std::FILE* file, std::string name)
      : file_(file), name_(std::move(name)) {}

  // False at the end. Errors: invalid_argument, a malformed row; io.
  Result<bool> next(TsvRow& row);
  std::uint64_t line_number() const { return line_number_; }
  std::uint64_t bytes_read() const { return bytes_read_; }

 private:
  Result<bool> next_line(std::string_view& line);
  std::unexpected<Error> malformed(std::string_view what) const;

  std::FILE* file_;
  std::string name_;
  std::string buffer_;
  std::size_t used_ = 0;  // of buffer_, by lines that were delivered
  bool ended_ = false;
  std::uint64_t line_number_ = 0;
  std::uint64_t bytes_read_ = 0;
};

}  // namespace lsm::tool
