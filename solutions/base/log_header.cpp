#include "base/log_header.h"

#include <fmt/format.h>

#include "base/bytes.h"

namespace lsm {
namespace {

constexpr std::string_view kMagic = "LSM-LOG\n";
constexpr std::uint32_t kVersion = 1;

// The checksum covers all of the header but itself.
std::uint32_t header_checksum(std::string_view header, FileIdentity file) {
  std::string covered(header.substr(0, 12));
  covered.append(header.substr(16));
  return checksum32(covered, file, 0);
}

}  // namespace

std::string encode_log_header(FileIdentity file) {
  std::string header(kMagic);
  append_u32(header, kVersion);
  append_u32(header, 0);
  append_u64(header, file.store_id);
  append_u64(header, file.number);
  store_u32(header.data() + 12, header_checksum(header, file));
  return header;
}

Result<std::optional<FileIdentity>> decode_log_header(std::string_view bytes,
                                                      std::string_view path) {
  if (bytes.size() < kLogHeaderSizeBytes) return std::nullopt;
  const std::string_view header = bytes.substr(0, kLogHeaderSizeBytes);
  const FileIdentity file{load_u64(header.data() + 16),
                          load_u64(header.data() + 24)};
  if (!header.starts_with(kMagic) ||
      load_u32(header.data() + 12) != header_checksum(header, file)) {
    return std::nullopt;
  }
  const std::uint32_t version = load_u32(header.data() + 8);
  if (version > kVersion) {
    return fail_at(path, 0,
                   fmt::format("a log of format version {}; this engine reads "
                               "up to {}",
                               version, kVersion),
                   Code::not_supported);
  }
  return file;
}

}  // namespace lsm
