// The store as a snapshot or a transaction sees it: read at a sequence, commit
// a request. The engine implements it; a test may do so with a std::map.
//
// I1 get and scan at a sequence answer the same for as long as a snapshot of
//    that sequence is held.
// I2 After the store is closed every call answers `closed`.
// Thread safety: any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/iterator.h"
#include "base/key.h"
#include "base/scan_range.h"
#include "base/write_request.h"

namespace lsm {

class Store {
 public:
  virtual ~Store() = default;

  // The value of `key` as of `at`, into `value`; false when absent.
  virtual Result<bool> get(std::string_view key, Sequence at,
                           std::string& value) const = 0;
  // The iterator keeps `pin` alive.
  virtual std::unique_ptr<UserIterator> scan(
      ScanRange range, Sequence at, std::shared_ptr<const void> pin) const = 0;
  // Returns when the request is committed or refused: its result.
  virtual Result<void> commit(WriteRequest& request) = 0;
};

}  // namespace lsm
