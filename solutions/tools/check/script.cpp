// Scripts: histories whose steps are known beforehand.
#include <map>
#include <memory>
#include <utility>

#include "tools/check/workload.h"

namespace lsm::check {
namespace {

Result<void> run_operation(Transaction& transaction, Operation& operation) {
  switch (operation.kind) {
    case Operation::Kind::get: {
      LSM_ASSIGN_OR_RETURN(operation.value, transaction.get(operation.key));
      return {};
    }
    case Operation::Kind::put:
      return transaction.put(operation.key, *operation.value);
    case Operation::Kind::remove:
      return transaction.remove(operation.key);
    case Operation::Kind::scan:
      break;
  }
  const auto it = transaction.scan(
      {.lower = operation.range.lower, .upper = operation.range.upper});
  operation.entries.clear();
  for (it->seek_to_first(); it->valid(); it->next())
    operation.entries.push_back(
        {std::string(it->key()), std::string(it->value())});
  return it->status();
}

}  // namespace

Result<History> run_script(const std::vector<Step>& script, Isolation isolation,
                           const Subject& subject) {
  std::vector<Step> steps = script;
  std::map<int, bool> over;
  for (const Step& step : script)
    over[step.transaction] = step.kind == Step::Kind::end;
  for (const auto& [transaction, ended] : over) {
    if (!ended) {
      steps.push_back({.kind = Step::Kind::end, .transaction = transaction});
    }
  }
  TransactionOptions options;
  options.isolation = isolation;
  std::map<int, std::unique_ptr<Transaction>> open;
  for (Step& step : steps) {
    auto& transaction = open[step.transaction];
    if (!transaction) {
      LSM_ASSIGN_OR_RETURN(transaction, subject.begin(options));
    }
    if (step.kind == Step::Kind::operation) {
      LSM_TRY(run_operation(*transaction, step.operation));
    } else if (step.kind == Step::Kind::end &&
               step.outcome == Outcome::rolled_back) {
      transaction->rollback();
    } else if (step.kind == Step::Kind::end) {
      const auto done = transaction->commit();
      if (!done && done.error().code != Code::conflict) {
        return std::unexpected(done.error());
      }
      step.outcome = done ? Outcome::committed : Outcome::refused;
    }
  }
  return history_of(steps);
}

}  // namespace lsm::check
