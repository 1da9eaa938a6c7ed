#include "log_writer.h"

#include <utility>

#include "base/bytes.h"

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
  // ANCHOR: task-1-6-2 LogWriter::append_record
  const std::uint64_t at = size_bytes();
  char header[kRecordHeaderSizeBytes];
  store_u32(header + 4,
            checksum32(payload, file_, at + kRecordHeaderSizeBytes));
  store_u64(header + 8, std::uint64_t{payload.size()} << 8 |
                            static_cast<std::uint8_t>(type));
  store_u32(header, checksum32({header + 4, sizeof header - 4}, file_, at));

  frame_.assign(header, sizeof header);
  if (payload.size() <= kShortRecordBytes) {
    frame_.append(payload);
    return segment_->append(frame_);
  }
  LSM_TRY(segment_->append(frame_));
  return segment_->append(payload);
  // ANCHOR_END: task-1-6-2
}

Result<void> LogWriter::append(std::string_view record) {
  // ANCHOR: task-1-6-2 LogWriter::append
  synced_ = false;
  return append_record(RecordType::data, record);
  // ANCHOR_END: task-1-6-2
}

Result<void> LogWriter::sync() {
  // ANCHOR: task-1-6-2 LogWriter::sync
  char durable[kMarkSizeBytes];
  store_u64(durable, size_bytes());  // before the fsync begins (I2)
  LSM_TRY(segment_->sync());
  LSM_TRY(append_record(RecordType::mark, {durable, sizeof durable}));
  synced_ = true;
  return {};
  // ANCHOR_END: task-1-6-2
}

Result<void> LogWriter::seal() {
  // ANCHOR: task-1-6-2 LogWriter::seal
  LSM_TRY(segment_->sync());
  LSM_TRY(append_record(RecordType::seal, {}));
  LSM_TRY(segment_->sync());
  synced_ = true;
  return segment_->close();
  // ANCHOR_END: task-1-6-2
}

}  // namespace lsm
