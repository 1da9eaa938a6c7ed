// A Store (base/store.h) for the tests of week 3: the model of support/model.h
// behind the seam, so that snapshots, transactions and commit checks can be
// tested without an engine.
//
//   auto store = std::make_shared<ModelStore>();
//   store->put("ant", "1");                      // sequence 1, seen at once
//   auto before = store->snapshot();             // reads at 1, whatever comes
//   store->fail_next_commit({Code::io, "disk"}); // the next commit only
//   store->commits()                             // what commit was asked
//
// I1 commit: the check is asked, sequences are given, the check is told, and
//    only then are the operations seen. A refused request leaves nothing.
// I2 An iterator reads what was there when it was made. It is strict: its
//    views are destroyed when it moves. It copies a seek's target, as what
//    Db::scan returns does.
// I3 An iterator keeps its pin until it dies, and not the store.
// Thread safety: any thread; the check is asked under a lock, so by one at a
// time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/commit_intent.h"
#include "base/store.h"
#include "base/write_request.h"
#include "lsm/snapshot.h"
#include "support/model.h"

namespace lsm::test {

// Walks rows that are in order. Its views die as early as the contract lets
// them: the bytes are overwritten, then freed.
class RowIterator final : public UserIterator {
 public:
  enum class Target { copied, read_last };  // is key() a legal target?

  explicit RowIterator(std::vector<Row> rows,
                       std::shared_ptr<const void> pin = nullptr,
                       Target target = Target::copied)
      : pin_(std::move(pin)),
        rows_(std::move(rows)),
        at_(rows_.size()),
        target_(target) {}

  // From now on stepping or seeking onto `key` is an error, for good.
  void fail_at(std::string key, Error error) {
    bad_key_ = std::move(key);
    error_ = std::move(error);
  }

  bool valid() const override { return at_ < rows_.size(); }
  void seek(std::string_view target) override {
    std::string copy;
    if (target_ == Target::copied) {
      copy.assign(target);
      target = copy;
    }
    forget();
    const auto found =
        std::ranges::lower_bound(rows_, target, std::less<>(), &Row::first);
    stand(static_cast<std::size_t>(found - rows_.begin()));
  }
  void seek_to_first() override {
    forget();
    stand(0);
  }
  void seek_to_last() override {
    forget();
    stand(rows_.empty() ? 0 : rows_.size() - 1);
  }
  void next() override {
    check_valid("next");
    forget();
    stand(at_ + 1);
  }
  void prev() override {
    check_valid("prev");
    forget();
    stand(at_ == 0 ? rows_.size() : at_ - 1);
  }
  std::string_view key() const override {
    check_valid("key");
    return *key_;
  }
  std::string_view value() const override {
    check_valid("value");
    return *value_;
  }
  Result<void> status() const override {
    if (failed_) return std::unexpected(*error_);
    return {};
  }

 private:
  void check_valid(std::string_view call) const {
    if (valid()) return;
    throw std::logic_error(std::string(call) +
                           " of an iterator that is not valid");
  }
  void forget() {
    if (key_) std::ranges::fill(*key_, '\xdb');
    if (value_) std::ranges::fill(*value_, '\xdb');
    key_.reset();
    value_.reset();
  }
  void stand(std::size_t at) {
    at_ = at;
    if (valid() && error_ && rows_[at_].first == bad_key_) failed_ = true;
    if (failed_) at_ = rows_.size();
    if (!valid()) return;
    // On the heap, however short: a string's own buffer would survive.
    key_ = std::make_unique<std::string>(rows_[at_].first);
    value_ = std::make_unique<std::string>(rows_[at_].second);
  }

  const std::shared_ptr<const void> pin_;
  const std::vector<Row> rows_;
  std::size_t at_;
  const Target target_;
  std::unique_ptr<std::string> key_;
  std::unique_ptr<std::string> value_;
  std::string bad_key_;
  std::optional<Error> error_;
  bool failed_ = false;
};

class ModelStore final : public Store,
                         public std::enable_shared_from_this<ModelStore> {
 public:
  // One call of commit, in words that outlive it.
  struct Commit {
    std::vector<std::string> ops;  // "put ant=1", "remove bee", in order
    bool sync = false;
    std::optional<CommitIntent> intent;
    bool done = false;  // or refused
  };
  using Waiting = std::function<void()>;

  // `check` decides on every commit; null: all may.
  explicit ModelStore(CommitCheck* check = nullptr) : check_(check) {}

  // Plain writes, as Db's.
  Result<void> put(std::string_view key, std::string_view value) {
    return write({{Kind::put, key, value}});
  }
  Result<void> remove(std::string_view key) {
    return write({{Kind::remove, key, {}}});
  }
  Result<void> write(const std::vector<WriteOp>& ops) {
    WriteRequest request;
    request.ops = ops;
    return commit(request);
  }

  // The newest sequence that is seen.
  Sequence visible() const {
    const std::lock_guard lock(mutex_);
    return visible_;
  }
  // Reads at `at`; keeps `hold` as long as it or one of its scans lives.
  SnapshotPtr snapshot(Sequence at,
                       std::shared_ptr<const void> hold = nullptr) const;
  SnapshotPtr snapshot() const { return snapshot(visible()); }
  // Every row that is seen at `at`.
  std::vector<Row> rows(Sequence at = kMaxSequence) const {
    const std::lock_guard lock(mutex_);
    return model_.scan(at);
  }

  // What commit was asked, plain writes included, refused ones too.
  std::vector<Commit> commits() const {
    const std::lock_guard lock(mutex_);
    return commits_;
  }
  std::size_t reads() const {
    const std::lock_guard lock(mutex_);
    return reads_;
  }
  void fail_next_commit(Error error) {
    const std::lock_guard lock(mutex_);
    commit_error_ = std::move(error);
  }
  // From now on every get, and every scan once it comes to `key`, fails.
  void fail_reads_at(std::string key, Error error) {
    const std::lock_guard lock(mutex_);
    bad_key_ = std::move(key);
    read_error_ = std::move(error);
  }
  // Called in each commit, before anything is decided, with no lock held.
  void before_commit(Waiting function) { before_commit_ = std::move(function); }
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }

  // Store:
  Result<bool> get(std::string_view key, Sequence at,
                   std::string& value) const override {
    const std::lock_guard lock(mutex_);
    ++reads_;
    if (closed_) return fail(Code::closed, "the store was closed");
    if (read_error_ && key == bad_key_) return std::unexpected(*read_error_);
    const std::optional<std::string> found = model_.get(key, at);
    if (found) value = *found;
    return found.has_value();
  }
  std::unique_ptr<UserIterator> scan(
      ScanRange range, Sequence at,
      std::shared_ptr<const void> pin) const override {
    const std::lock_guard lock(mutex_);
    ++reads_;
    if (closed_) {
      return std::make_unique<ErrorIterator<std::string_view>>(
          Error{Code::closed, "the store was closed"});
    }
    auto rows = std::make_unique<RowIterator>(
        model_.scan(at, range.lower.value_or(""), range.upper), std::move(pin));
    if (read_error_) rows->fail_at(bad_key_, *read_error_);
    return rows;
  }
  Result<void> commit(WriteRequest& request) override {
    if (before_commit_) before_commit_();
    const std::lock_guard lock(mutex_);
    note(request);
    request.result = decide(request);
    if (!request.result) return request.result;
    request.first_sequence = visible_ + 1;
    Sequence sequence = visible_;
    for (const WriteOp& op : request.ops) {
      model_.apply(op.kind, op.key, op.value, ++sequence);
    }
    if (check_ != nullptr) check_->committed(request);
    visible_ = sequence;
    commits_.back().done = true;
    return {};
  }

 private:
  void note(const WriteRequest& request) {
    Commit& commit = commits_.emplace_back();
    for (const WriteOp& op : request.ops) {
      std::string& text = commit.ops.emplace_back();
      text = op.kind == Kind::put ? "put " : "remove ";
      text += op.key;
      if (op.kind == Kind::put) text.append("=").append(op.value);
    }
    commit.sync = request.sync;
    if (request.intent != nullptr) commit.intent = *request.intent;
  }
  Result<void> decide(const WriteRequest& request) {
    if (closed_) return fail(Code::closed, "the store was closed");
    if (commit_error_) {
      Error error = std::move(*commit_error_);
      commit_error_.reset();
      return std::unexpected(std::move(error));
    }
    LSM_TRY(check_sizes(request.ops));
    if (check_ == nullptr) return {};
    return check_->check(request);
  }

  mutable std::mutex mutex_;
  CommitCheck* const check_;
  Waiting before_commit_;
  Model model_;
  Sequence visible_ = 0;
  std::vector<Commit> commits_;
  mutable std::size_t reads_ = 0;
  std::optional<Error> commit_error_;
  std::string bad_key_;
  std::optional<Error> read_error_;
  bool closed_ = false;
};

// What room 3.1 makes, by the simplest means there are.
class ModelSnapshot final : public Snapshot,
                            public std::enable_shared_from_this<ModelSnapshot> {
 public:
  ModelSnapshot(std::shared_ptr<const ModelStore> store, Sequence at,
                std::shared_ptr<const void> hold)
      : store_(std::move(store)), at_(at), hold_(std::move(hold)) {}

  using Snapshot::get;
  Result<bool> get(std::string_view key, std::string& value) const override {
    return store_->get(key, at_, value);
  }
  std::unique_ptr<UserIterator> scan(ScanRange range) const override {
    return store_->scan(std::move(range), at_, shared_from_this());
  }
  Sequence sequence() const override { return at_; }

 private:
  const std::shared_ptr<const ModelStore> store_;
  const Sequence at_;
  const std::shared_ptr<const void> hold_;
};

inline SnapshotPtr ModelStore::snapshot(
    Sequence at, std::shared_ptr<const void> hold) const {
  return std::make_shared<const ModelSnapshot>(shared_from_this(), at,
                                               std::move(hold));
}

}  // namespace lsm::test
