// The first bytes of every log and manifest: what it is, and whose.
//
//   header := magic:8 version:u32 checksum:u32 store:u64 number:u64
//
// I1 The checksum covers the header without itself, bound to store, file and
//    offset 0.
// I2 A newer version keeps these fields where they are, so an older reader says
//    "newer", not "damaged".
// Used by: 1.6, whose log_format.h has the rest of the file, and tools.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/checksum.h"

namespace lsm {

inline constexpr std::size_t kLogHeaderSizeBytes = 32;

// The first kLogHeaderSizeBytes of the file.
std::string encode_log_header(FileIdentity file);
// Whose log it says it is; nullopt when the bytes are too few or do not verify.
// Errors: not_supported, a newer version.
Result<std::optional<FileIdentity>> decode_log_header(std::string_view bytes,
                                                      std::string_view path);

}  // namespace lsm
