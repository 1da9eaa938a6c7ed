// Cuts the entries that a compaction keeps into tables.
//
//   add   a9 a4 b6 | c8 d1 d0 d0 d0 | e2        target: three entries' bytes
//         000021     000022           000023
//                          └─ full, but a cut here would split d
//
// I1 A table is closed at the first new user key once its size_bytes() has
//    reached the target, and at the end: a user key's versions are in one
//    table.
// I2 Tables are numbered in the order of their keys. Outputs of level 0 are one
//    run, named by the first one's number.
// I3 After finish every table is durable, bytes and name.
// I4 After discard no file of this writer is left, whatever failed before. One
//    that the disk refuses to remove is an orphan, and goes at the next open.
// Cost: the entries are copied into the table's buffers, nothing is kept; one
// sync of the folder, in finish.
// Lifetime: context and task outlive the writer. One thread.
// Used by: compaction.cpp.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "compaction.h"

namespace lsm {

// ANCHOR: show-output-writer
class OutputWriter {
 public:
  OutputWriter(const CompactionContext& context, const CompactionTask& task)
      : context_(context), task_(task) {}

  // In the order of internal keys. Errors: io, no_space; then only discard.
  Result<void> add(const InternalKey& key, std::string_view value);
  Result<void> finish();
  void discard();

  // The tables that are finished.
  std::vector<FileMeta>& files() { return files_; }

 private:
  Result<void> start_table();
  Result<void> finish_table();

  const CompactionContext& context_;
  const CompactionTask& task_;
  std::unique_ptr<TableBuilder> builder_;  // of the open table
  std::vector<std::uint64_t> numbers_;     // of every table begun
  std::vector<FileMeta> files_;
  std::string last_user_;
};
// ANCHOR_END: show-output-writer

}  // namespace lsm
