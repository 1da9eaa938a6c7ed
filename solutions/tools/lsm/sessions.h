// What the shell's put, get, remove and scan work on: the store itself, or one
// of the transactions and snapshots that were opened, each by a name. Several
// at once, so that one person can play the writers that meet.
//
//   lsm> begin a          lsm(a)> get x        lsm(a)> use
//   lsm> begin b          lsm(b)> put x 2      lsm(b)> commit
//   lsm> use a            lsm(a)> commit       conflict: …
//
// I1 A transaction that is over, however it ended, has no name any more, and
//    the store itself is in use.
// One thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lsm/db.h"

namespace lsm::tool {

class Sessions {
 public:
  explicit Sessions(Db& db) : db_(db) {}

  // Opens one and uses it. Errors: invalid_argument, the name is taken.
  Result<void> begin(const std::string& name, Isolation isolation);
  Result<void> snapshot(const std::string& name);
  // An empty name means the store itself. Errors: invalid_argument, unknown.
  Result<void> use(const std::string& name);
  // Of the transaction in use. Errors: invalid_argument, none is; commit's.
  Result<void> commit();
  Result<void> rollback();
  // Gives a snapshot up.
  Result<void> release(const std::string& name);

  Result<void> put(std::string_view key, std::string_view value);
  Result<void> remove(std::string_view key);
  Result<std::optional<std::string>> get(std::string_view key);
  std::unique_ptr<UserIterator> scan(ScanRange range);

  // Empty for the store itself.
  const std::string& in_use() const { return in_use_; }
  // Transactions that are open.
  std::vector<std::string> unfinished() const;

 private:
  struct Session {
    std::unique_ptr<Transaction> transaction;  // or
    SnapshotPtr snapshot;
  };

  Result<void> add(const std::string& name, Session session);
  Result<void> check_free(const std::string& name) const;
  Result<std::unique_ptr<Transaction>> finish(std::string_view what);
  // nullptr for the store itself.
  Session* session();
  Result<void> refuse_snapshot();

  Db& db_;
  std::map<std::string, Session> sessions_;
  std::string in_use_;
};

}  // namespace lsm::tool
