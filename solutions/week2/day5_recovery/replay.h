// Replays logs into level 0 tables: the part of recovery that decides, batch by
// batch, what counts. The rule and its reasons stand in recovery.h.
//
//   add_log(11) ─► batches ─► memtable ──full──► table 17
//   add_log(13) ─► batches ─► memtable ──────┐
//   finish()    ─────────────────────────────┴─► table 18, sync the folder
//
// Lifetime: the context outlives it. Dropped without a successful finish, it
// removes the tables that it wrote: nothing names them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "log_reader.h"
#include "memtable.h"
#include "recovery.h"

namespace lsm {

// ANCHOR: show-replay
class Replay {
 public:
  Replay(const RecoveryContext& context, ManifestState state);
  ~Replay();
  Replay(const Replay&) = delete;
  Replay& operator=(const Replay&) = delete;

  // In ascending order of numbers; a log that is not needed is passed over.
  // Errors: corruption, io, no_space.
  Result<void> add_log(std::uint64_t number);
  Result<Recovered> finish();

 private:
  Result<void> add_batch(const std::string& path, std::uint64_t offset,
                         std::string_view record);
  // Whether the batch at `offset` is the next one; false when a gap before it
  // has ended the replay.
  Result<bool> goes_on(const std::string& path, std::uint64_t offset,
                       Sequence first);
  // The memtable becomes a table.
  Result<void> write_table();
  // Refuses a loss that a mark in `path` says was durable.
  Result<void> check_loss(const std::string& path) const;

  const RecoveryContext& context_;
  Recovered recovered_;
  Sequence last_;             // replayed, or in a table
  std::uint64_t log_number_;  // being read
  std::unique_ptr<MemTable> memtable_;
  // A damaged end of a log; forgotten when the next batch shows that nothing is
  // missing.
  std::optional<DroppedTail> damaged_end_;
  // Where the replay ended. From then on logs are only read for their marks.
  std::optional<DroppedTail> lost_;
  bool finished_ = false;
};
// ANCHOR_END: show-replay

}  // namespace lsm
