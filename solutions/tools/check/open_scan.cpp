#include "tools/check/open_scan.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace lsm::check {

OpenScan::OpenScan(std::unique_ptr<UserIterator> it, ScanRange bounds,
                   std::size_t opened)
    : it_(std::move(it)), bounds_(std::move(bounds)), opened_(opened) {}

Result<Operation> OpenScan::first() {
  it_->seek_to_first();
  return forward(lower());
}

Result<Operation> OpenScan::last() {
  it_->seek_to_last();
  return backward(bounds_.upper);
}

Result<Operation> OpenScan::seek(const std::string& target) {
  it_->seek(target);
  return forward(std::max(target, lower()));
}

Result<Operation> OpenScan::next() {
  std::string from = std::string(it_->key()) + '\0';
  it_->next();
  return forward(std::move(from));
}

Result<Operation> OpenScan::prev() {
  std::string to(it_->key());
  it_->prev();
  return backward(std::move(to));
}

Result<Operation> OpenScan::forward(std::string from) {
  LSM_TRY(it_->status());
  Operation piece{.kind = Operation::Kind::scan, .opened = opened_};
  piece.range = {std::move(from), bounds_.upper, false};
  if (valid()) {
    piece.range.upper = std::string(it_->key());
    piece.range.upper_included = true;
    piece.entries.push_back(
        {std::string(it_->key()), std::string(it_->value())});
  }
  return piece;
}

Result<Operation> OpenScan::backward(std::optional<std::string> to) {
  LSM_TRY(it_->status());
  Operation piece{.kind = Operation::Kind::scan, .opened = opened_};
  piece.range = {lower(), std::move(to), false};
  if (valid()) {
    piece.range.lower = std::string(it_->key());
    piece.entries.push_back(
        {std::string(it_->key()), std::string(it_->value())});
  }
  return piece;
}

void join(Operation& scan, Operation piece, bool forward) {
  if (forward) {
    scan.range.upper = std::move(piece.range.upper);
    scan.range.upper_included = piece.range.upper_included;
  } else {
    scan.range.lower = std::move(piece.range.lower);
  }
  scan.entries.insert(forward ? scan.entries.end() : scan.entries.begin(),
                      std::make_move_iterator(piece.entries.begin()),
                      std::make_move_iterator(piece.entries.end()));
}

}  // namespace lsm::check
