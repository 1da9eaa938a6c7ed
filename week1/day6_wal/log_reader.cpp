#include "log_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/read_ahead.h"
#include "base/todo.h"

namespace lsm {
namespace {

// ANCHOR: show-log-reader
class LogReader {
 public:
  LogReader(const File& file, std::uint64_t size, const std::string& path,
            FileIdentity identity)
      : path_(path),
        bytes_(file, path, size, ReadAhead::kMaxBytes),
        identity_(identity) {}

  Result<LogEnd> read(const LogVisitor& visit);

 private:
  struct Record {
    RecordHeader header;
    std::string_view payload;
    std::uint64_t end = 0;  // the offset behind it
  };

  // Whether the file begins with the header of this log.
  Result<bool> starts_well();
  // The header at the front of `bytes`, which stand at `offset`: nullopt when
  // it does not verify, or claims more than the file has.
  std::optional<RecordHeader> header_in(std::string_view bytes,
                                        std::uint64_t offset) const;
  // The record at `offset`; nullopt when no valid one stands there.
  Result<std::optional<Record>> record_at(std::uint64_t offset);
  // Nothing but zeros from `offset` on.
  Result<bool> zeros_from(std::uint64_t offset);
  // Takes note of what a mark or seal at `offset` says.
  void note_mark(const Record& record, std::uint64_t offset);
  // Looks for marks and seals at every offset from `offset` on.
  Result<void> note_marks_from(std::uint64_t offset);
  // The verdict on damage: a torn tail, or corruption.
  Result<LogEnd> judge(std::uint64_t offset);

  const std::string& path_;
  ReadAhead bytes_;
  const FileIdentity identity_;
  LogEnd end_;
};
// ANCHOR_END: show-log-reader

Result<bool> LogReader::starts_well() {
  LSM_ASSIGN_OR_RETURN(const std::string_view bytes,
                       bytes_.view(0, kLogHeaderSizeBytes));
  LSM_ASSIGN_OR_RETURN(const auto found, decode_log_header(bytes, path_));
  if (found) LSM_TRY(expect_identity(path_, 0, *found, identity_));
  return found.has_value();
}

std::optional<RecordHeader> LogReader::header_in(std::string_view bytes,
                                                 std::uint64_t offset) const {
  // Task 3: LogReader::header_in
  LSM_TODO("1.6 task 3", "LogReader::header_in");
}

Result<std::optional<LogReader::Record>> LogReader::record_at(
    std::uint64_t offset) {
  // Task 3: LogReader::record_at
  LSM_TODO("1.6 task 3", "LogReader::record_at");
}

Result<bool> LogReader::zeros_from(std::uint64_t offset) {
  while (offset < bytes_.size()) {
    LSM_ASSIGN_OR_RETURN(const std::string_view piece,
                         bytes_.view_on(offset, 1));
    if (piece.find_first_not_of('\0') != piece.npos) return false;
    offset += piece.size();
  }
  return true;
}

void LogReader::note_mark(const Record& record, std::uint64_t offset) {
  const bool is_mark = record.header.type == RecordType::mark &&
                       record.payload.size() == kMarkSizeBytes;
  const std::uint64_t durable =
      is_mark ? load_u64(record.payload.data()) : offset;
  end_.any_mark = true;
  end_.durable_bytes = std::max(end_.durable_bytes, durable);
}

Result<LogEnd> LogReader::read(const LogVisitor& visit) {
  LSM_ASSIGN_OR_RETURN(const bool begun, starts_well());
  std::uint64_t offset = begun ? kLogHeaderSizeBytes : 0;
  // Task 3: LogReader::read
  LSM_TODO("1.6 task 3", "LogReader::read");
}

Result<void> LogReader::note_marks_from(std::uint64_t offset) {
  // Task 4: LogReader::note_marks_from
  LSM_TODO("1.6 task 4", "LogReader::note_marks_from");
}

Result<LogEnd> LogReader::judge(std::uint64_t offset) {
  // Task 4: LogReader::judge
  LSM_TODO("1.6 task 4", "LogReader::judge");
}

}  // namespace

Result<LogEnd> read_log(FileSystem& fs, const std::string& path,
                        FileIdentity file, const LogVisitor& visit) {
  LSM_ASSIGN_OR_RETURN(const auto opened,
                       fs.open(path, FileSystem::Mode::read));
  LSM_ASSIGN_OR_RETURN(const std::uint64_t size, opened->size());
  return LogReader(*opened, size, path, file).read(visit);
}

Result<std::optional<FileIdentity>> log_identity(FileSystem& fs,
                                                 const std::string& path) {
  LSM_ASSIGN_OR_RETURN(const auto file, fs.open(path, FileSystem::Mode::read));
  std::string header(kLogHeaderSizeBytes, '\0');
  LSM_ASSIGN_OR_RETURN(const std::size_t count, file->read_at(0, header));
  header.resize(count);
  return decode_log_header(header, path);
}

}  // namespace lsm
