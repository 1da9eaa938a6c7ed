// What a writer asks for: operations that become visible together, and whether
// they must be durable before the answer.
//
//   db.put / remove / write(batch) ──► WriteRequest ──► WriteQueue ──► leader:
//     commit check, sequences, one log append, sync if any asked, memtable,
//     publish, a result for each
//
// I1 A request's operations get contiguous sequences and become visible at
//    once, when the last is published.
// I2 Requests of one group succeed or fail each by its own result.
// Lifetime: operations and views belong to the caller until submit returns.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "base/error.h"
#include "base/key.h"

namespace lsm {

struct WriteOp {
  Kind kind = Kind::put;
  std::string_view key;
  std::string_view value;  // empty for remove
};

// Errors: invalid_argument, a key or value over its limit (base/key.h).
Result<void> check_sizes(std::span<const WriteOp> ops);

struct CommitIntent;

struct WriteRequest {
  std::span<const WriteOp> ops{};
  bool sync = false;
  // What the leader does once the group is visible: hand the memtable to a
  // flush, or seal the log because the store closes.
  enum class After : std::uint8_t { nothing, freeze, seal };
  After after = After::nothing;
  // What a transaction read (commit_intent.h); plain writes have none.
  const CommitIntent* intent = nullptr;
  // Answers, set before submit returns:
  Result<void> result{};
  Sequence first_sequence = 0;
};

// Decides whether a request may commit. It sees every write, transactional or
// not, and earlier members of its own group as committed. Called by the leader
// only.
class CommitCheck {
 public:
  virtual ~CommitCheck() = default;
  // May `request` commit now? Errors: conflict.
  virtual Result<void> check(const WriteRequest& request) = 0;
  // It has its sequences and is in the log; it is published after this.
  virtual void committed(const WriteRequest& request) = 0;
};

class AcceptAll final : public CommitCheck {
 public:
  Result<void> check(const WriteRequest&) override { return {}; }
  void committed(const WriteRequest&) override {}
};

// Brings concurrent writers to the one leader.
class WriteQueue {
 public:
  using Commit = std::function<void(std::span<WriteRequest* const>)>;

  virtual ~WriteQueue() = default;
  // Returns when request.result is set.
  virtual void submit(WriteRequest& request) = 0;
};

// The simplest one: one writer at a time, a mutex around `commit`.
std::unique_ptr<WriteQueue> make_serial_queue(WriteQueue::Commit commit);

}  // namespace lsm
