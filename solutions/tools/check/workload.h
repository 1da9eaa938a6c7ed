// Makes histories: sessions that run random transactions on a store at the
// same time, and note what they did and saw.
//
//   session 1   begin  get c         append e       commit ✗      begin …
//   session 2      begin   scan b … f    append c       commit ✓
//               ──────────────────────────────────────────────────► ticks
//
// Workload::append: values are lists; a write reads its list, and puts it back
// with one element more. A list that has grown long is left alone, and a new
// key beside it takes its place: so keys that are not there are read, too.
// Workload::registers: values are numbers, none written twice; puts without a
// read before, updates, removals, plain writes beside the transactions.
// Both: reads; scans forward and backward from either end or the middle, left
// early or not, or left open beside other steps; bounds on keys, between keys,
// and none; transactions that last long; rollbacks; some that only read; some
// that read an older snapshot; in turns some that begin while a write is
// between the log and the readers.
//
// I1 With `turns` everything happens on the calling thread, one step of one
//    session after another, in an order drawn from the seed: the same history
//    every time, if the store is as deterministic (a stepped executor).
//    Without, each session has a thread, and the seed decides only what they
//    do.
// Thread safety: the subject is called from `sessions` threads.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "lsm/db.h"
#include "tools/check/history.h"

namespace lsm::check {

// The store that is tried. A test may put anything here.
struct Subject {
  std::function<Result<std::unique_ptr<Transaction>>(TransactionOptions)> begin;
  // Null: no plain writes, no older snapshots.
  std::function<Result<void>(const WriteBatch&, WriteOptions)> write = {};
  std::function<Result<SnapshotPtr>()> snapshot = {};
  // Null: not known. How many commits it remembers.
  std::function<std::size_t()> records = {};
  // Null: no disk of ours. Has this called, once, when a log is next synced:
  // what was written is recorded by then, and not yet visible. An empty one
  // takes that back.
  std::function<void(std::function<void()>)> on_sync = {};
};
Subject subject_of(Db& db);

enum class Workload : std::uint8_t { append, registers };

struct Plan {
  std::uint64_t seed = 1;
  Workload workload = Workload::append;
  Isolation isolation = Isolation::serializable;
  int transactions = 500;  // of all sessions together
  int sessions = 4;
  int keys = 8;  // at a time; 1 … 25
  bool turns = false;
};

// Errors: any that is no conflict.
Result<History> run_history(const Plan& plan, const Subject& subject);

// Runs steps whose results are not known yet, one after the other, and notes
// what came of them; a `commit` that is a conflict becomes `refused`, and so
// does what the script still wants of a transaction that is over.
Result<History> run_script(const std::vector<Step>& steps, Isolation isolation,
                           const Subject& subject);

}  // namespace lsm::check
