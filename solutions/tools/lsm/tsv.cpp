#include "tsv.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/key.h"
#include "text.h"

namespace lsm::tool {
namespace {

constexpr std::size_t kPieceBytes = 256 << 10;
// Every byte of the largest row, escaped.
constexpr std::size_t kMaxLineBytes =
    4 * (kMaxKeySizeBytes + kMaxValueSizeBytes) + 1;

}  // namespace

std::unexpected<Error> TsvReader::malformed(std::string_view what) const {
  return fail(Code::invalid_argument,
              fmt::format("{}:{}: {}", name_, line_number_, what));
}

Result<bool> TsvReader::next_line(std::string_view& line) {
  std::size_t end = buffer_.find('\n', used_);
  while (end == std::string::npos && !ended_) {
    buffer_.erase(0, used_);
    used_ = 0;
    const std::size_t kept = buffer_.size();
    if (kept > kMaxLineBytes) {
      ++line_number_;
      return malformed("longer than the largest row");
    }
    // Twice as much each time, so that a long line is not searched again and
    // again.
    const std::size_t wanted = std::max(kPieceBytes, kept);
    buffer_.resize(kept + wanted);
    const std::size_t got = std::fread(buffer_.data() + kept, 1, wanted, file_);
    if (got < wanted && std::ferror(file_) != 0) {
      return fail(Code::io, name_ + ": " + std::strerror(errno));
    }
    buffer_.resize(kept + got);
    bytes_read_ += got;
    ended_ = got < wanted;
    end = buffer_.find('\n', kept);
  }
  if (end == std::string::npos && used_ == buffer_.size()) return false;
  ++line_number_;
  line = std::string_view(buffer_).substr(used_, end - used_);
  used_ = std::min(end, buffer_.size() - 1) + 1;
  if (line.ends_with('\r')) line.remove_suffix(1);
  return true;
}

Result<bool> TsvReader::next(TsvRow& row) {
  std::string_view line;
  LSM_ASSIGN_OR_RETURN(const bool more, next_line(line));
  if (!more) return false;
  const std::size_t tab = line.find('\t');
  if (tab == line.npos) {
    return malformed("no tab; expected key TAB value");
  }
  if (line.find('\t', tab + 1) != line.npos) {
    return malformed("a second tab; write a tab in a value as \\t");
  }
  auto key = unescape_text(line.substr(0, tab));
  if (!key) return malformed("key: " + key.error().message);
  auto value = unescape_text(line.substr(tab + 1));
  if (!value) return malformed("value: " + value.error().message);
  if (key->size() > kMaxKeySizeBytes) {
    return malformed(fmt::format("a key of {} bytes; at most {} are allowed",
                                 show_count(key->size()),
                                 show_count(kMaxKeySizeBytes)));
  }
  if (value->size() > kMaxValueSizeBytes) {
    return malformed(fmt::format("a value of {} bytes; at most {} are allowed",
                                 show_count(value->size()),
                                 show_count(kMaxValueSizeBytes)));
  }
  row.key = std::move(*key);
  row.value = std::move(*value);
  return true;
}

}  // namespace lsm::tool
