#include "log_writer.h"

#include <utility>

#include "base/bytes.h"
#include "base/todo.h"

namespace lsm {
namespace {

// A record up to this size goes to the segment in one piece, which saves a
// system call where the file cannot be mapped.
constexpr std::size_t kShortRecordBytes = 64 << 10;

}  // namespace

LogWriter::LogWriter(std::unique_ptr<LogSegment> segment, FileIdentity file)
    : segment_(std::move(segment)), file_(file) {}

Result<std::unique_ptr<LogWriter>> LogWriter::create(
    FileSystem& fs, const std::string& path, FileIdentity file,
    std::uint64_t expected_bytes) {
  LSM_ASSIGN_OR_RETURN(auto segment,
                       LogSegment::create(fs, path, expected_bytes));
  LSM_TRY(segment->append(encode_log_header(file)));
  return std::unique_ptr<LogWriter>(new LogWriter(std::move(segment), file));
}

Result<void> LogWriter::append_record(RecordType type,
                                      std::string_view payload) {
  // Task 2: LogWriter::append_record
  LSM_TODO("1.6 task 2", "LogWriter::append_record");
}

Result<void> LogWriter::append(std::string_view record) {
  // Task 2: LogWriter::append
  LSM_TODO("1.6 task 2", "LogWriter::append");
}

Result<void> LogWriter::sync() {
  // Task 2: LogWriter::sync
  LSM_TODO("1.6 task 2", "LogWriter::sync");
}

Result<void> LogWriter::seal() {
  // Task 2: LogWriter::seal
  LSM_TODO("1.6 task 2", "LogWriter::seal");
}

}  // namespace lsm
