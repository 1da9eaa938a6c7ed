// A Snapshot is one moment of the store, for as long as somebody holds it:
// whatever is written, flushed or compacted meanwhile, it reads the same.
//
//   auto before = *db->snapshot();
//   db->put("apple", "green");
//   before->get("apple");     // "red", as it was
//   db->get("apple");         // "green"
//
// Cost: taking one is a lock and a few machine words. While it lives, the
// versions that it can see stay on disk: an old snapshot costs space, not
// time. In a store with a compaction filter, one that is taken while a
// compaction runs holds that moment's tables as well.
// Lifetime: shared; iterators made from it keep it alive. It holds its store's
// shared state, never the Db: a read after the Db is gone answers `closed`.
// Thread safety: any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/iterator.h"
#include "base/key.h"
#include "base/scan_range.h"

namespace lsm {

class Snapshot {
 public:
  virtual ~Snapshot() = default;  // gives the moment up

  // As Db::get and Db::scan, at this moment. Errors: closed; io, corruption.
  [[nodiscard]] virtual Result<bool> get(std::string_view key,
                                         std::string& value) const = 0;
  [[nodiscard]] virtual std::unique_ptr<UserIterator> scan(
      ScanRange range = {}) const = 0;
  // Everything written up to here is seen, and nothing later.
  [[nodiscard]] virtual Sequence sequence() const = 0;

  [[nodiscard]] Result<std::optional<std::string>> get(
      std::string_view key) const {
    std::string value;
    LSM_ASSIGN_OR_RETURN(const bool found, get(key, value));
    if (!found) return std::nullopt;
    return value;
  }
};

using SnapshotPtr = std::shared_ptr<const Snapshot>;

}  // namespace lsm
