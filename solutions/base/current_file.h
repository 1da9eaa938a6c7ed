// The file CURRENT: one line that names the manifest in use. Whoever holds the
// store replaces it as a whole, by a rename (2.4).
//
//   "000009.manifest store 00000000c0ffee42 checksum 1f2e3d4c\n"
//
// I1 The text of one manifest is the only one that verifies for it: a reader
//    prints what it read again, and compares.
#pragma once

#include <optional>
#include <string>

#include "base/checksum.h"
#include "base/file_system.h"

namespace lsm {

// The whole text of CURRENT.
std::string current_text(FileIdentity manifest);

// What CURRENT says; nullopt when there is no CURRENT.
// Errors: corruption, when its text does not verify.
Result<std::optional<FileIdentity>> read_current(FileSystem& fs,
                                                 const std::string& folder);

}  // namespace lsm
