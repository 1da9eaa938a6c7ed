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
    // ANCHOR: task-3-4-3 OptimisticTransaction::get
    LSM_TRY(check_open());
    const Lookup own = workspace_.get(key, value);
    if (own != Lookup::absent) return own == Lookup::value;
    LSM_TRY(note_read(key));
    return context_.snapshot->get(key, value);
    // ANCHOR_END: task-3-4-3
  }

  std::unique_ptr<UserIterator> scan(ScanRange range) override {
    // ANCHOR: task-3-4-5 OptimisticTransaction::scan
    auto usable = check_open();
    if (usable) usable = check_memory();
    if (!usable) return failed_scan(std::move(usable).error());
    auto merged = make_overlay_iterator(workspace_.view(),
                                        context_.snapshot->scan(range), range);
    if (!notes_reads_) return merged;
    return context_.tracker->watch(std::move(merged), range);
    // ANCHOR_END: task-3-4-5
  }

  Result<void> commit(WriteOptions options) override {
    // ANCHOR: task-3-4-4 OptimisticTransaction::commit
    LSM_TRY(check_open());
    Result<void> result;
    if (!workspace_.empty()) result = submit(options);
    end(result ? "was committed" : "failed to commit");
    return result;
    // ANCHOR_END: task-3-4-4
  }
  void rollback() override {
    // ANCHOR: task-3-4-4 OptimisticTransaction::rollback
    if (ended_.empty()) end("was rolled back");
    // ANCHOR_END: task-3-4-4
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
    // ANCHOR: task-3-4-3 OptimisticTransaction::write
    LSM_TRY(check_open());
    if (context_.options.read_only) {
      return fail(Code::invalid_argument,
                  "a read_only transaction does not write");
    }
    LSM_TRY(check_sizes(std::span(&op, 1)));
    LSM_TRY(check_growth(workspace_.memory_bytes(),
                         workspace_.memory_bytes_with(op)));
    workspace_.write(op);
    return {};
    // ANCHOR_END: task-3-4-3
  }

  // `key` is about to be read from the snapshot (I2).
  Result<void> note_read(std::string_view key) {
    // ANCHOR: task-3-4-4 OptimisticTransaction::note_read
    if (!notes_reads_ || reads_.contains(key)) return {};
    const std::size_t bytes = key.size() + kNodeBytes;
    LSM_TRY(check_growth(0, bytes));
    reads_.emplace(key);
    reads_bytes_ += bytes;
    return {};
    // ANCHOR_END: task-3-4-4
  }

  // Asks the store, once and for all operations (I3).
  Result<void> submit(WriteOptions options) {
    // ANCHOR: task-3-4-4 OptimisticTransaction::submit
    LSM_TRY(check_memory());
    CommitIntent intent;
    intent.snapshot = sequence_;
    intent.isolation = context_.options.isolation;
    if (notes_reads_) {
      intent.reads = std::move(reads_);
      intent.ranges = context_.tracker->ranges();
    }
    const std::vector<WriteOp> ops = workspace_.ops();
    WriteRequest request;
    request.ops = ops;
    request.sync = options.sync;
    request.intent = &intent;
    return context_.store->commit(request);  // the commit point
    // ANCHOR_END: task-3-4-4
  }

  // It is over: gives back all that it holds (I4). `how` is a literal: "was
  // committed", "failed to commit" or "was rolled back".
  void end(std::string_view how) {
    // ANCHOR: task-3-4-4 OptimisticTransaction::end
    ended_ = how;
    workspace_ = Workspace();
    reads_.clear();
    context_ = TransactionContext();
    // ANCHOR_END: task-3-4-4
  }

  std::size_t memory_bytes() const {
    // ANCHOR: task-3-4-7 OptimisticTransaction::memory_bytes
    return workspace_.memory_bytes() + reads_bytes_ +
           context_.tracker->memory_bytes();
    // ANCHOR_END: task-3-4-7
  }
  // Errors: invalid_argument, `before` of the bytes it holds may not become
  // `after`.
  Result<void> check_growth(std::size_t before, std::size_t after) const {
    // ANCHOR: task-3-4-7 OptimisticTransaction::check_growth
    const std::size_t bytes = memory_bytes() - before + after;
    if (after <= before || bytes <= context_.options.max_bytes) return {};
    return refuse(bytes);
    // ANCHOR_END: task-3-4-7
  }
  // Errors: invalid_argument, it holds more than it may: its scans read so
  // much.
  Result<void> check_memory() const {
    // ANCHOR: task-3-4-7 OptimisticTransaction::check_memory
    if (memory_bytes() <= context_.options.max_bytes) return {};
    return refuse(memory_bytes());
    // ANCHOR_END: task-3-4-7
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
