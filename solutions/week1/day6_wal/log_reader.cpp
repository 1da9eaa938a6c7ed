#include "log_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/read_ahead.h"

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
  // ANCHOR: task-1-6-3 LogReader::header_in
  if (bytes.size() < kRecordHeaderSizeBytes) return std::nullopt;
  const std::string_view covered = bytes.substr(4, kRecordHeaderSizeBytes - 4);
  if (load_u32(bytes.data()) != checksum32(covered, identity_, offset)) {
    return std::nullopt;
  }
  const std::uint64_t type_length = load_u64(bytes.data() + 8);
  const auto type = static_cast<RecordType>(type_length & 0xff);
  if (type != RecordType::data && type != RecordType::mark &&
      type != RecordType::seal) {
    return std::nullopt;
  }
  const std::uint64_t length = type_length >> 8;
  if (length > bytes_.size() - offset - kRecordHeaderSizeBytes) {
    return std::nullopt;  // it was cut off
  }
  return RecordHeader{load_u32(bytes.data() + 4), type, length};
  // ANCHOR_END: task-1-6-3
}

Result<std::optional<LogReader::Record>> LogReader::record_at(
    std::uint64_t offset) {
  // ANCHOR: task-1-6-3 LogReader::record_at
  LSM_ASSIGN_OR_RETURN(const std::string_view front,
                       bytes_.view(offset, kRecordHeaderSizeBytes));
  const std::optional<RecordHeader> header = header_in(front, offset);
  if (!header) return std::nullopt;
  const std::uint64_t begin = offset + kRecordHeaderSizeBytes;
  LSM_ASSIGN_OR_RETURN(const std::string_view payload,
                       bytes_.view(begin, header->length));
  if (checksum32(payload, identity_, begin) != header->payload_checksum) {
    return std::nullopt;
  }
  return Record{*header, payload, begin + header->length};
  // ANCHOR_END: task-1-6-3
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
  // ANCHOR: task-1-6-3 LogReader::read
  while (begun && end_.kind != LogEnd::Kind::sealed) {
    LSM_ASSIGN_OR_RETURN(const std::optional<Record> record, record_at(offset));
    if (!record) break;
    if (record->header.type == RecordType::data) {
      LSM_TRY(visit(offset, record->payload));
    } else {
      note_mark(*record, offset);
    }
    if (record->header.type == RecordType::seal) {
      end_.kind = LogEnd::Kind::sealed;
    }
    offset = record->end;
  }
  end_.offset = offset;
  LSM_ASSIGN_OR_RETURN(const bool unused, zeros_from(offset));
  if (unused) return end_;
  return judge(offset);
  // ANCHOR_END: task-1-6-3
}

Result<void> LogReader::note_marks_from(std::uint64_t offset) {
  // ANCHOR: task-1-6-4 LogReader::note_marks_from
  constexpr std::uint64_t kMarkFront =
      std::uint64_t{kMarkSizeBytes} << 8 |
      static_cast<std::uint8_t>(RecordType::mark);
  constexpr std::uint64_t kSealFront =
      static_cast<std::uint8_t>(RecordType::seal);
  for (; offset + kRecordHeaderSizeBytes <= bytes_.size(); ++offset) {
    LSM_ASSIGN_OR_RETURN(std::string_view piece,
                         bytes_.view_on(offset, kRecordHeaderSizeBytes));
    // Eight bytes tell nearly every other place from a mark, without hashing.
    const auto is_front = [&piece] {
      const std::uint64_t front = load_u64(piece.data() + 8);
      return front == kMarkFront || front == kSealFront;
    };
    while (piece.size() > kRecordHeaderSizeBytes && !is_front()) {
      piece.remove_prefix(1);
      ++offset;
    }
    if (!is_front() || !header_in(piece, offset)) continue;
    LSM_ASSIGN_OR_RETURN(const std::optional<Record> record, record_at(offset));
    if (record) note_mark(*record, offset);
  }
  return {};
  // ANCHOR_END: task-1-6-4
}

Result<LogEnd> LogReader::judge(std::uint64_t offset) {
  // ANCHOR: task-1-6-4 LogReader::judge
  const bool after_seal = end_.kind == LogEnd::Kind::sealed;
  LSM_TRY(note_marks_from(offset));
  if (after_seal || end_.durable_bytes > offset) {
    return fail_at(
        path_, offset,
        fmt::format(
            "expected {}; the log says that its first {} bytes were durable",
            after_seal ? "nothing behind the seal" : "a valid record",
            end_.durable_bytes));
  }
  end_.kind = LogEnd::Kind::torn;
  return end_;
  // ANCHOR_END: task-1-6-4
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
