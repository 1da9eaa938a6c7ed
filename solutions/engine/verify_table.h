// Reads all of a table again, whatever is cached, and checks everything that
// is promised about it: checksums, order, that index and filter lead to
// every entry, and that the properties are true.
#pragma once

#include <string>

#include "base/checksum.h"
#include "base/error.h"
#include "base/file_system.h"
#include "base/filter_policy.h"

namespace lsm {

// Errors: what Table::open says; corruption naming path and offset.
Result<void> verify_table(FileSystem& fs, const std::string& path,
                          FileIdentity file, const FilterPolicy& filter);

}  // namespace lsm
