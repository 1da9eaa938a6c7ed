#include "replay.h"

#include <fmt/format.h>

#include <utility>

#include "batch.h"
#include "base/todo.h"

namespace lsm {

Replay::Replay(const RecoveryContext& context, ManifestState state)
    : context_(context), last_(state.last_sequence), log_number_(0) {
  recovered_.state = std::move(state);
}

Replay::~Replay() {
  if (finished_) return;
  for (const std::uint64_t number : recovered_.tables) {
    // What cannot be removed is an orphan, and the next open removes it.
    (void)context_.fs.remove(
        file_path(context_.folder, FileKind::table, number));
  }
}

Result<void> Replay::add_log(std::uint64_t number) {
  // Task 2: Replay::add_log
  LSM_TODO("2.5 task 2", "Replay::add_log");
}

Result<void> Replay::add_batch(const std::string& path, std::uint64_t offset,
                               std::string_view record) {
  // Task 2: Replay::add_batch
  LSM_TODO("2.5 task 2", "Replay::add_batch");
}

Result<bool> Replay::goes_on(const std::string& path, std::uint64_t offset,
                             Sequence first) {
  // Task 3: Replay::goes_on
  LSM_TODO("2.5 task 3", "Replay::goes_on");
}

Result<void> Replay::check_loss(const std::string& path) const {
  // Task 3: Replay::check_loss
  LSM_TODO("2.5 task 3", "Replay::check_loss");
}

Result<void> Replay::write_table() {
  // Task 2: Replay::write_table
  LSM_TODO("2.5 task 2", "Replay::write_table");
}

Result<Recovered> Replay::finish() {
  if (memtable_) LSM_TRY(write_table());
  if (!recovered_.tables.empty()) {
    LSM_TRY(context_.fs.sync_dir(context_.folder));  // I2 of recovery.h
  }
  finished_ = true;
  recovered_.state.last_sequence = last_;
  recovered_.state.next_file_number = context_.numbers.next();
  recovered_.dropped = lost_ ? lost_ : damaged_end_;
  return std::move(recovered_);
}

}  // namespace lsm
