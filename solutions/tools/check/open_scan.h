// An OpenScan is an iterator of a transaction that is moved now and then, and
// says of each move what it has shown, as a scan of that piece.
//
//   the store       b     d        scan of [a, m)
//   seek("c")             ▲        [c, d]={d=4}
//   next()                └───►    [d\0, m)={}      nothing more below m
//   last()                ▲        [d, m)={d=4}
//   prev()          ▲─────┘        [b, d)={b=2}
//
// "d\0" is the smallest key after "d".
// I1 A piece is all that its move has shown, and no key that it has not.
// I2 Own writes show as they were when the scan was opened (lsm/transaction.h):
//    each piece says how many steps its transaction had done by then.
// Lifetime: may outlive the transaction. Thread safety: one thread at a time.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "base/error.h"
#include "base/iterator.h"
#include "base/scan_range.h"
#include "tools/check/history.h"

namespace lsm::check {

class OpenScan {
 public:
  // `opened`: the steps its transaction had done.
  OpenScan(std::unique_ptr<UserIterator> it, ScanRange bounds,
           std::size_t opened);

  // Errors: the iterator's.
  Result<Operation> first();
  Result<Operation> last();
  Result<Operation> seek(const std::string& target);
  // These need valid().
  Result<Operation> next();
  Result<Operation> prev();
  bool valid() const { return it_->valid(); }

 private:
  std::string lower() const { return bounds_.lower.value_or(""); }
  // The move led forward, from `from`; back, from `to`.
  Result<Operation> forward(std::string from);
  Result<Operation> backward(std::optional<std::string> to);

  const std::unique_ptr<UserIterator> it_;
  const ScanRange bounds_;
  const std::size_t opened_;
};

// Makes one scan of two, the second of which went on where the first stood.
void join(Operation& scan, Operation piece, bool forward);

}  // namespace lsm::check
