// One loop over rows, forward or backward, for every command that shows some.
#pragma once

#include <cstdint>
#include <utility>

#include "commands.h"

namespace lsm::tool {

// Calls visit(key, value) for each row; returns how many there were. `source`
// is whatever has a scan: a Db, a snapshot, a transaction.
template <class Source, class Visit>
Result<std::uint64_t> scan_rows(Source& source, const ScanArgs& args,
                                Visit&& visit) {
  const auto it = source.scan({.lower = args.from, .upper = args.to});
  std::uint64_t rows = 0;
  args.reverse ? it->seek_to_last() : it->seek_to_first();
  while (it->valid() && (!args.limit || rows < *args.limit)) {
    visit(it->key(), it->value());
    ++rows;
    args.reverse ? it->prev() : it->next();
  }
  LSM_TRY(it->status());
  return rows;
}

}  // namespace lsm::tool
