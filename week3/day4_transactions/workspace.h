// What a transaction has written and nobody else can see yet: of each key the
// last write, in key order.
//
//   put(cat, 1)  put(ant, 2)  put(cat, 3)  remove(bee)  put(bee, "")
//
//   ant = 2    bee = ""    cat = 3          ops(): put ant, put bee, put cat
//
//   put(dog, 4)  remove(dog)     dog = ✝    the store may have a dog, too
//
// A scan that is opened now must not see what is written later, so view()
// hands out the map itself, and the next write copies it first:
//
//   view() ──► map 1   ant bee cat             whoever holds it reads on
//   put(eel)   map 2   ant bee cat eel         the workspace's from here on
//
// I1 One entry a key: the last write wins. A removal is an entry, too.
// I2 A view never changes: a write copies the map while anybody holds a view,
//    and only then.
// I3 memory_bytes() is the sum over all entries of key, value and
//    kNodeBytes.
// Cost: O(log n) for a read or write; the first write after a view that is
// still held copies all n entries; view() is O(1).
// Lifetime: ops() are views into the map: until the next write. A view keeps
// its map alive, whatever becomes of the workspace.
// Thread safety: one thread at a time, holders of views included.
// Used by: optimistic.h, whose scans read a view through overlay.h.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/key.h"
#include "base/lookup.h"
#include "base/write_request.h"

namespace lsm {

// About what a node of a std::map or std::set costs beside its bytes.
inline constexpr std::size_t kNodeBytes = 96;

// ANCHOR: show-workspace
struct OwnWrite {
  Kind kind = Kind::put;
  std::string value;  // empty for a removal
};
using OwnWrites = std::map<std::string, OwnWrite, std::less<>>;
using OwnWritesView = std::shared_ptr<const OwnWrites>;

class Workspace {
 public:
  // Its own write of `key`: absent when there is none, removed, or value.
  Lookup get(std::string_view key, std::string& value) const;
  void write(const WriteOp& op);

  // As it stands now (I2).
  OwnWritesView view() const { return writes_; }
  // One operation for each key, in key order.
  std::vector<WriteOp> ops() const;

  bool empty() const { return writes_->empty(); }
  std::size_t memory_bytes() const { return memory_bytes_; }
  // What memory_bytes() would be after write(op).
  std::size_t memory_bytes_with(const WriteOp& op) const;
  // ANCHOR_END: show-workspace

 private:
  std::shared_ptr<OwnWrites> writes_ = std::make_shared<OwnWrites>();
  std::size_t memory_bytes_ = 0;
};

}  // namespace lsm
