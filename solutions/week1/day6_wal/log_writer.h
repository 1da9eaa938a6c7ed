// A LogWriter appends records to a log file, and says in the file how much of
// it is durable.
//
//   append(batch 1)   append(batch 2)   sync()              append(batch 3)
//
//   | header | batch 1 | batch 2 |      | mark: 102 | batch 3 | 0 0 0 …
//   0        32        67        102    102         126       161
//   └──── durable by the fsync ──┘─────►┘ then the mark
//
// I1 Records stand in the file in the order of the calls, each whole and
//    verifiable (log_format.h), once append returned: a killed process loses
//    none of them.
// I2 A mark is appended after the fsync it reports has returned, and covers
//    what had been appended before that fsync began.
// I3 seal() = fsync, append the seal, fsync: a log that ends in a seal is
//    durable to its end.
// I4 After a failed call every later call returns that error: what became of
//    the bytes is unknown, and a retry proves nothing (I3 of file_system.h).
// Cost: append is two short hashes and a copy, and as a rule no allocation and
// no system call (base/log_segment.h); sync is one fsync.
// Thread safety: one thread at a time. Used by 1.7 for logs, by 2.4 for
// manifests.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/checksum.h"
#include "base/error.h"
#include "base/file_system.h"
#include "base/log_segment.h"
#include "log_format.h"

namespace lsm {

class LogWriter {
 public:
  // Creates the file, which must not exist, and writes its header. The name is
  // durable after the caller's sync_dir; the header with the first sync.
  static Result<std::unique_ptr<LogWriter>> create(
      FileSystem& fs, const std::string& path, FileIdentity file,
      std::uint64_t expected_bytes);

  // One data record.
  Result<void> append(std::string_view record);
  // Makes every record so far durable, then appends a mark that says so. The
  // mark itself is durable after the next sync, which a sync with nothing new
  // is as well: it pays an fsync and appends a mark like any other.
  Result<void> sync();
  // Nothing was appended since the last sync, or the log is sealed. False for
  // a new log: its header is not durable yet.
  bool synced() const { return synced_; }
  // Ends the log in good order and closes it; every later call fails.
  Result<void> seal();

  // Of the file so far: header, records, marks.
  std::uint64_t size_bytes() const { return segment_->size_bytes(); }
  const std::string& path() const { return segment_->path(); }

 private:
  LogWriter(std::unique_ptr<LogSegment> segment, FileIdentity file);

  Result<void> append_record(RecordType type, std::string_view payload);

  const std::unique_ptr<LogSegment> segment_;
  const FileIdentity file_;
  bool synced_ = false;
  std::string frame_;  // a short record on its way; memory is reused
};

}  // namespace lsm
