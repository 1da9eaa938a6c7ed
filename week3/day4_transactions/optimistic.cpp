#include "optimistic.h"

#include <fmt/format.h>

#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "overlay.h"
#include "workspace.h"
#include "base/todo.h"

namespace lsm {

namespace {

class OptimisticTransaction final : public Transaction {
 public:
  explicit OptimisticTransaction(TransactionContext context)
      : context_(std::move(context)),
        sequence_(context_.snapshot->sequence()),
        notes_reads_(context_.options.isolation == Isolation::serializable &&
                     !context_.options.read_only) {
    context_.options.snapshot.reset();  // context_.snapshot is the one
  }

  Result<void> put(std::string_view key, std::string_view value) override {
    return write({Kind::put, key, value});
  }
  Result<void> remove(std::string_view key) override {
    return write({Kind::remove, key, {}});
  }

  using Transaction::get;
  Result<bool> get(std::string_view key, std::string& value) override {
    // Task 3: OptimisticTransaction::get
    LSM_TODO("3.4 task 3", "OptimisticTransaction::get");
  }

  std::unique_ptr<UserIterator> scan(ScanRange range) override {
    // Task 5: OptimisticTransaction::scan
    LSM_TODO("3.4 task 5", "OptimisticTransaction::scan");
  }

  Result<void> commit(WriteOptions options) override {
    // Task 4: OptimisticTransaction::commit
    LSM_TODO("3.4 task 4", "OptimisticTransaction::commit");
  }
  void rollback() override {
    // Task 4: OptimisticTransaction::rollback
    LSM_TODO("3.4 task 4", "OptimisticTransaction::rollback");
  }

  Sequence sequence() const override { return sequence_; }

 private:
  // Errors: invalid_argument, it is over.
  Result<void> check_open() const {
    if (ended_.empty()) return {};
    return fail(Code::invalid_argument,
                fmt::format("the transaction is over: it {}", ended_));
  }
  static std::unique_ptr<UserIterator> failed_scan(Error error) {
    return std::make_unique<ErrorIterator<std::string_view>>(std::move(error));
  }

  Result<void> write(const WriteOp& op) {
    // Task 3: OptimisticTransaction::write
    LSM_TODO("3.4 task 3", "OptimisticTransaction::write");
  }

  // `key` is about to be read from the snapshot (I2).
  Result<void> note_read(std::string_view key) {
    // Task 4: OptimisticTransaction::note_read
    LSM_TODO("3.4 task 4", "OptimisticTransaction::note_read");
  }

  // Asks the store, once and for all operations (I3).
  Result<void> submit(WriteOptions options) {
    // Task 4: OptimisticTransaction::submit
    LSM_TODO("3.4 task 4", "OptimisticTransaction::submit");
  }

  // It is over: gives back all that it holds (I4). `how` is a literal: "was
  // committed", "failed to commit" or "was rolled back".
  void end(std::string_view how) {
    // Task 4: OptimisticTransaction::end
    LSM_TODO("3.4 task 4", "OptimisticTransaction::end");
  }

  std::size_t memory_bytes() const {
    // Task 7: OptimisticTransaction::memory_bytes
    LSM_TODO("3.4 task 7", "OptimisticTransaction::memory_bytes");
  }
  // Errors: invalid_argument, `before` of the bytes it holds may not become
  // `after`.
  Result<void> check_growth(std::size_t before, std::size_t after) const {
    // Task 7: OptimisticTransaction::check_growth
    LSM_TODO("3.4 task 7", "OptimisticTransaction::check_growth");
  }
  // Errors: invalid_argument, it holds more than it may: its scans read so
  // much.
  Result<void> check_memory() const {
    // Task 7: OptimisticTransaction::check_memory
    LSM_TODO("3.4 task 7", "OptimisticTransaction::check_memory");
  }
  Result<void> refuse(std::size_t bytes) const {
    return fail(Code::invalid_argument,
                fmt::format("the transaction would hold {} bytes of writes and "
                            "notes: max_bytes is {}",
                            bytes, context_.options.max_bytes));
  }

  TransactionContext context_;
  const Sequence sequence_;
  const bool notes_reads_;
  Workspace workspace_;
  std::set<std::string, std::less<>> reads_;
  std::size_t reads_bytes_ = 0;
  std::string_view ended_;  // how it ended; empty while it is open
};

}  // namespace

std::unique_ptr<Transaction> make_transaction(TransactionContext context) {
  return std::make_unique<OptimisticTransaction>(std::move(context));
}

}  // namespace lsm
