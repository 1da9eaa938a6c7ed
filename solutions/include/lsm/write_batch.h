// A WriteBatch is a list of operations that take effect together: all of them
// are there after a crash, or none.
//
//   lsm::WriteBatch batch;
//   batch.put("from", "90");
//   batch.put("to", "110");
//   db->write(batch);
//
// Later operations of a batch win over earlier ones on the same key.
// Cost: one copy of each key and value into one buffer.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/write_request.h"

namespace lsm {

class WriteBatch {
 public:
  void put(std::string_view key, std::string_view value) {
    add(Kind::put, key, value);
  }
  void remove(std::string_view key) { add(Kind::remove, key, {}); }
  void clear() {
    bytes_.clear();
    entries_.clear();
  }

  std::size_t count() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  std::size_t size_bytes() const { return bytes_.size(); }

  // Views into the batch: valid until it changes or dies.
  std::vector<WriteOp> ops() const {
    std::vector<WriteOp> ops;
    ops.reserve(entries_.size());
    const char* at = bytes_.data();
    for (const Entry& entry : entries_) {
      const char* value = at + entry.key_size;
      ops.push_back(
          {entry.kind, {at, entry.key_size}, {value, entry.value_size}});
      at = value + entry.value_size;
    }
    return ops;
  }

 private:
  struct Entry {
    Kind kind;
    std::size_t key_size;
    std::size_t value_size;
  };

  void add(Kind kind, std::string_view key, std::string_view value) {
    bytes_.append(key).append(value);
    entries_.push_back({kind, key.size(), value.size()});
  }

  std::string bytes_;
  std::vector<Entry> entries_;
};

}  // namespace lsm
