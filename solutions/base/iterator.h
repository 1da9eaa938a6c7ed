// The one way to walk sorted entries, whatever holds them: a memtable, a
// block, a table, a merge of many, the whole store.
//
//        seek_to_first()            seek("c")             seek_to_last()
//              ▼                       ▼                        ▼
//   invalid   a=1      b=2            d=4          e=5         f=6   invalid
//              ◄── prev()   next() ──►
//
// I1 Entries come in strictly ascending key order.
// I2 seek(target) stands on the first entry at or after target, or is
//    invalid. A move past either end is invalid; only a seek leads back.
// I3 key() and value() stay readable until the iterator moves or dies. A seek
//    moves it too, so its target is no view of the iterator's own key (only
//    what an application scans with copies the target first).
// I4 An error makes the iterator invalid and stays in status() until it dies;
//    after any loop that ends with !valid(), ask status().
// I5 next, prev, key and value need valid(); calling them otherwise is a bug.
// Thread safety: one thread at a time. Each iterator keeps alive what it
// reads, unless its maker says otherwise.
// Source: the contract is LevelDB's; Pebble's internal/base/iterator.go states
// it best.
#pragma once

#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/key.h"

namespace lsm {

// Key is InternalKey inside the engine and std::string_view outside.
template <class Key>
class Iterator {
 public:
  virtual ~Iterator() = default;

  [[nodiscard]] virtual bool valid() const = 0;
  virtual void seek(Key target) = 0;
  virtual void seek_to_first() = 0;
  virtual void seek_to_last() = 0;
  virtual void next() = 0;
  virtual void prev() = 0;
  [[nodiscard]] virtual Key key() const = 0;
  [[nodiscard]] virtual std::string_view value() const = 0;
  [[nodiscard]] virtual Result<void> status() const = 0;
};

// An iterator over nothing, whose status is `error`.
template <class Key>
class ErrorIterator final : public Iterator<Key> {
 public:
  explicit ErrorIterator(Error error) : error_(std::move(error)) {}

  bool valid() const override { return false; }
  void seek(Key) override {}
  void seek_to_first() override {}
  void seek_to_last() override {}
  void next() override {}
  void prev() override {}
  Key key() const override { return {}; }
  std::string_view value() const override { return {}; }
  Result<void> status() const override { return std::unexpected(error_); }

 private:
  Error error_;
};

using InternalIterator = Iterator<InternalKey>;
using UserIterator = Iterator<std::string_view>;

}  // namespace lsm
