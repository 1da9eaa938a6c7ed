#include "sessions.h"

#include <fmt/format.h>

#include <utility>

#include "text.h"

namespace lsm::tool {

Sessions::Session* Sessions::session() {
  return in_use_.empty() ? nullptr : &sessions_.at(in_use_);
}

Result<void> Sessions::check_free(const std::string& name) const {
  if (name.empty() || sessions_.contains(name)) {
    return fail(Code::invalid_argument,
                fmt::format("the name {} is taken", show_key(name)));
  }
  return {};
}

Result<void> Sessions::add(const std::string& name, Session session) {
  sessions_.emplace(name, std::move(session));
  in_use_ = name;
  return {};
}

Result<void> Sessions::begin(const std::string& name, Isolation isolation) {
  LSM_TRY(check_free(name));
  TransactionOptions options;
  options.isolation = isolation;
  LSM_ASSIGN_OR_RETURN(auto transaction, db_.begin(options));
  return add(name, {std::move(transaction), nullptr});
}

Result<void> Sessions::snapshot(const std::string& name) {
  LSM_TRY(check_free(name));
  LSM_ASSIGN_OR_RETURN(auto snapshot, db_.snapshot());
  return add(name, {nullptr, std::move(snapshot)});
}

Result<void> Sessions::use(const std::string& name) {
  if (!name.empty() && !sessions_.contains(name)) {
    return fail(
        Code::invalid_argument,
        fmt::format("there is no transaction or snapshot {}", show_key(name)));
  }
  in_use_ = name;
  return {};
}

Result<std::unique_ptr<Transaction>> Sessions::finish(std::string_view what) {
  Session* const current = session();
  if (current == nullptr || current->transaction == nullptr) {
    return fail(
        Code::invalid_argument,
        fmt::format("no transaction to {}: begin one, or use one", what));
  }
  auto transaction = std::move(current->transaction);
  sessions_.erase(std::exchange(in_use_, {}));
  return transaction;
}

Result<void> Sessions::commit() {
  LSM_ASSIGN_OR_RETURN(const auto transaction, finish("commit"));
  return transaction->commit();
}

Result<void> Sessions::rollback() {
  LSM_ASSIGN_OR_RETURN(const auto transaction, finish("roll back"));
  transaction->rollback();
  return {};
}

Result<void> Sessions::release(const std::string& name) {
  const auto at = sessions_.find(name);
  if (at == sessions_.end() || at->second.snapshot == nullptr) {
    return fail(Code::invalid_argument,
                fmt::format("there is no snapshot {}", show_key(name)));
  }
  if (in_use_ == name) in_use_.clear();
  sessions_.erase(at);
  return {};
}

Result<void> Sessions::refuse_snapshot() {
  if (const Session* at = session(); at != nullptr && at->snapshot != nullptr) {
    return fail(Code::invalid_argument,
                "a snapshot is read only: `use` goes back to the store");
  }
  return {};
}

Result<void> Sessions::put(std::string_view key, std::string_view value) {
  LSM_TRY(refuse_snapshot());
  Session* const at = session();
  return at == nullptr ? db_.put(key, value) : at->transaction->put(key, value);
}

Result<void> Sessions::remove(std::string_view key) {
  LSM_TRY(refuse_snapshot());
  Session* const at = session();
  return at == nullptr ? db_.remove(key) : at->transaction->remove(key);
}

Result<std::optional<std::string>> Sessions::get(std::string_view key) {
  Session* const at = session();
  if (at == nullptr) return db_.get(key);
  return at->snapshot != nullptr ? at->snapshot->get(key)
                                 : at->transaction->get(key);
}

std::unique_ptr<UserIterator> Sessions::scan(ScanRange range) {
  Session* const at = session();
  if (at == nullptr) return db_.scan(std::move(range));
  return at->snapshot != nullptr ? at->snapshot->scan(std::move(range))
                                 : at->transaction->scan(std::move(range));
}

std::vector<std::string> Sessions::unfinished() const {
  std::vector<std::string> names;
  for (const auto& [name, session] : sessions_) {
    if (session.transaction != nullptr) names.push_back(name);
  }
  return names;
}

}  // namespace lsm::tool
