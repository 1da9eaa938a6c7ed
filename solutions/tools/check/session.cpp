#include "tools/check/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace lsm::check {
namespace {

constexpr std::uint64_t kListLimit = 8;  // appends to a key
constexpr std::uint64_t kMostSteps = 6;
constexpr std::uint64_t kMostStepsOfLong = 40;
constexpr std::size_t kMostScans = 3;     // left open
constexpr std::uint64_t kManySeeks = 20;  // more than a tracker keeps apart

std::string slot_name(std::uint64_t slot) {
  return std::string(1, static_cast<char>('a' + slot));
}

}  // namespace

Shared::Shared(const Plan& the_plan, const Subject& the_subject)
    : plan(the_plan),
      subject(the_subject),
      left(the_plan.transactions),
      appends(static_cast<std::size_t>(the_plan.keys)) {}

Session::Session(Shared& shared, int number)
    : shared_(shared),
      number_(number),
      random_((shared.plan.seed << 8) + static_cast<std::uint64_t>(number)) {}

Result<bool> Session::step() {
  if (!transaction_) {
    if (shared_.left.fetch_sub(1) <= 0) return false;
    if (shared_.subject.write && one_in(12) &&
        shared_.plan.workload == Workload::registers) {
      LSM_TRY(plain_write());
      return true;
    }
    LSM_TRY(begin());
    return true;
  }
  if (steps_left_ > 0) {
    --steps_left_;
    LSM_TRY(operate());
    return true;
  }
  LSM_TRY(end());
  return true;
}

Result<void> Session::begin_beside() {
  if (shared_.left.fetch_sub(1) <= 0) return {};
  return begin();
}

// ------------------------------------------------------------------ choices

std::uint64_t Session::slot() {
  return random_.below(static_cast<std::uint64_t>(shared_.plan.keys));
}

// Of a slot the key that is in use now. Some of the numbers' have neighbours:
// "b\0" right behind "b", and "bx" in the gap before "c".
std::string Session::key_of(std::uint64_t slot) {
  std::string name = slot_name(slot);
  if (shared_.plan.workload == Workload::registers) {
    const std::uint64_t die = random_.below(12);
    if (die == 0) name += '\0';
    if (die == 1) name += 'x';
    return name;
  }
  const std::uint64_t turn =
      shared_.appends[static_cast<std::size_t>(slot)] / kListLimit;
  return turn == 0 ? name : fmt::format("{}.{}", name, turn);
}

std::string Session::new_value() {
  return std::to_string(shared_.values.fetch_add(1) + 1);
}

std::string Session::place() {
  std::string name = slot_name(slot());
  const std::uint64_t die = random_.below(8);
  if (die == 0) name += '\0';
  if (die == 1) name += 'x';
  if (die == 2) name += '.';
  return name;
}

ScanRange Session::bounds() {
  std::uint64_t low = slot();
  std::uint64_t high = slot();
  if (low > high) std::swap(low, high);
  ScanRange bounds{.lower = slot_name(low), .upper = slot_name(high + 1)};
  if (one_in(4)) bounds.lower = place();
  if (one_in(4)) bounds.upper = place();  // the range may be empty
  if (one_in(8)) bounds.lower.reset();
  if (one_in(8)) bounds.upper.reset();
  return bounds;
}

// -------------------------------------------------------------------- steps

Result<void> Session::begin() {
  TransactionOptions options;
  options.isolation = shared_.plan.isolation;
  reads_only_ = one_in(6);
  options.read_only = reads_only_ && one_in(2);
  trace_ = {};
  trace_.session = number_;
  trace_.may_ask = !options.read_only;
  trace_.begin = shared_.tick();
  if (shared_.subject.snapshot && one_in(16)) {
    if (!snapshot_) {
      old_begin_ = trace_.begin;
      LSM_ASSIGN_OR_RETURN(snapshot_, shared_.subject.snapshot());
      old_begun_ = shared_.tick();
    }
    // It reads what was then, so that is when it began.
    options.snapshot = snapshot_;
    trace_.begin = old_begin_;
    trace_.begun = old_begun_;
    if (one_in(3)) snapshot_ = nullptr;
  }
  LSM_ASSIGN_OR_RETURN(transaction_, shared_.subject.begin(options));
  trace_.opened = shared_.tick();
  if (!options.snapshot) trace_.begun = trace_.opened;
  steps_left_ = 1 + random_.below(one_in(16) ? kMostStepsOfLong : kMostSteps);
  return {};
}

Result<void> Session::end() {
  const bool rolls_back = !reads_only_ && one_in(20);
  trace_.asked = shared_.tick();
  Result<void> done;
  if (rolls_back) {
    transaction_->rollback();
  } else {
    done = transaction_->commit({.sync = one_in(16)});
  }
  trace_.end = shared_.tick();
  trace_.outcome = rolls_back ? Outcome::rolled_back
                   : done     ? Outcome::committed
                              : Outcome::refused;
  if (!done && done.error().code != Code::conflict) return done;
  if (!done) trace_.refusal = done.error().message;
  if (shared_.subject.records && shared_.plan.turns)
    trace_.records = shared_.subject.records();
  transaction_ = nullptr;
  scans_.clear();
  done_.push_back(std::move(trace_));
  return {};
}

Result<void> Session::plain_write() {
  trace_ = {};
  trace_.session = number_;
  trace_.may_ask = false;
  trace_.begin = trace_.begun = trace_.opened = shared_.tick();
  WriteBatch batch;
  const std::uint64_t count = 1 + random_.below(one_in(4) ? 4 : 2);
  for (std::uint64_t i = 0; i < count; ++i) {
    Operation operation{.kind = Operation::Kind::put, .key = key()};
    if (one_in(5)) {
      operation.kind = Operation::Kind::remove;
      batch.remove(operation.key);
    } else {
      operation.value = new_value();
      batch.put(operation.key, *operation.value);
    }
    operation.tick = shared_.tick();
    trace_.operations.push_back(std::move(operation));
  }
  const bool sync = one_in(2);
  trace_.asked = shared_.tick();
  Trace trace = std::move(trace_);
  const bool lets_in = sync && shared_.plan.turns && shared_.subject.on_sync;
  if (lets_in) shared_.subject.on_sync(shared_.while_syncing);
  const auto done = shared_.subject.write(batch, {.sync = sync});
  if (lets_in) shared_.subject.on_sync({});
  LSM_TRY(done);
  trace.end = shared_.tick();
  if (shared_.subject.records && shared_.plan.turns)
    trace.records = shared_.subject.records();
  done_.push_back(std::move(trace));
  return {};
}

Result<void> Session::operate() {
  if (!scans_.empty() && one_in(3)) return move_open_scan();
  const std::uint64_t die = random_.below(100);
  if (die < 22) return scan();
  if (reads_only_ || die < 52) return get(key());
  if (shared_.plan.workload == Workload::append) return append();
  if (die < 75) return put(key(), new_value());
  if (die < 90) {
    const std::string name = key();
    LSM_TRY(get(name));
    return put(name, new_value());
  }
  return remove(key());
}

Result<void> Session::note(Result<Operation> operation) {
  if (!operation) return std::unexpected(operation.error());
  operation->tick = shared_.tick();
  trace_.operations.push_back(std::move(*operation));
  return {};
}

Result<void> Session::get(const std::string& name) {
  LSM_ASSIGN_OR_RETURN(auto value, transaction_->get(name));
  return note(Operation{
      .kind = Operation::Kind::get, .key = name, .value = std::move(value)});
}

Result<void> Session::put(const std::string& name, const std::string& value) {
  LSM_TRY(transaction_->put(name, value));
  return note(
      Operation{.kind = Operation::Kind::put, .key = name, .value = value});
}

Result<void> Session::remove(const std::string& name) {
  LSM_TRY(transaction_->remove(name));
  return note(Operation{.kind = Operation::Kind::remove, .key = name});
}

Result<void> Session::append() {
  const std::uint64_t at = slot();
  const std::string name = key_of(at);
  shared_.appends[static_cast<std::size_t>(at)].fetch_add(1);
  LSM_TRY(get(name));
  const std::string list =
      trace_.operations.back().value.value_or(std::string());
  return put(name, with_element(list, new_value()));
}

std::unique_ptr<OpenScan> Session::open_scan(const ScanRange& bounds) {
  return std::make_unique<OpenScan>(transaction_->scan(bounds), bounds,
                                    trace_.operations.size());
}

Result<void> Session::scan() {
  const std::uint64_t die = random_.below(8);
  if (die < 4) return scan_at_once();
  if (die == 4) return seek_again_and_again();
  return scans_.size() < kMostScans ? leave_scan_open() : move_open_scan();
}

Result<void> Session::scan_at_once() {
  const auto it = open_scan(bounds());
  const std::uint64_t way = random_.below(4);
  const std::uint64_t most = one_in(2) ? UINT64_MAX : random_.below(4);
  const bool forward = way == 1 || way == 2;
  Result<Operation> all = way == 0   ? it->last()
                          : way == 1 ? it->first()
                                     : it->seek(place());
  for (std::uint64_t i = 0; all && i < most && it->valid(); ++i) {
    Result<Operation> piece = forward ? it->next() : it->prev();
    if (!piece) return std::unexpected(piece.error());
    join(*all, std::move(*piece), forward);
  }
  if (all) all->opened.reset();  // nothing came between
  return note(std::move(all));
}

Result<void> Session::leave_scan_open() {
  scans_.push_back(open_scan(bounds()));
  OpenScan& it = *scans_.back();
  const std::uint64_t way = random_.below(4);
  if (way == 0) return {};  // not moved yet
  return note(way == 1 ? it.first() : way == 2 ? it.last() : it.seek(place()));
}

Result<void> Session::move_open_scan() {
  const auto at = static_cast<std::size_t>(random_.below(scans_.size()));
  OpenScan& it = *scans_[at];
  const std::uint64_t die = random_.below(10);
  if (die == 0) {
    scans_.erase(scans_.begin() + static_cast<std::ptrdiff_t>(at));
    return {};
  }
  if (die == 1) return note(it.last());
  if (die == 2) return note(it.first());
  if (die == 3 || !it.valid()) return note(it.seek(place()));
  return note(die < 8 ? it.next() : it.prev());
}

// Within one key, so that what the other scans have read is not read by this.
Result<void> Session::seek_again_and_again() {
  const std::string name = slot_name(slot());
  const auto it = open_scan({.lower = name, .upper = name + '\0'});
  for (std::uint64_t i = 0; i < kManySeeks; ++i)
    LSM_TRY(it->seek(name));
  return note(it->seek(name));
}

}  // namespace lsm::check
