#include "log_walk.h"

#include <algorithm>
#include <array>
#include <memory>

#include "base/bytes.h"

namespace lsm::tool {
namespace {

constexpr std::size_t kPieceBytes = 64 << 10;

// The record at `offset`, or nothing; its payload goes into `payload`.
Result<std::optional<LogRecord>> read_record(const File& file,
                                             const LogWalkEnd& log,
                                             std::uint64_t offset,
                                             std::string& payload) {
  std::array<char, kRecordHeaderSizeBytes> header;
  LSM_ASSIGN_OR_RETURN(const std::size_t got, file.read_at(offset, header));
  if (got < header.size()) return std::nullopt;
  const std::string_view covered(header.data() + 4, header.size() - 4);
  if (load_u32(header.data()) != checksum32(covered, *log.file, offset)) {
    return std::nullopt;
  }
  const std::uint64_t type_length = load_u64(header.data() + 8);
  const auto type = static_cast<RecordType>(type_length & 0xff);
  const std::uint64_t length = type_length >> 8;
  const std::uint64_t begin = offset + header.size();
  if (length > log.file_bytes - begin || type < RecordType::data ||
      type > RecordType::seal) {
    return std::nullopt;
  }
  payload.resize(static_cast<std::size_t>(length));
  LSM_ASSIGN_OR_RETURN(const std::size_t read, file.read_at(begin, payload));
  if (read < length ||
      checksum32(payload, *log.file, begin) != load_u32(header.data() + 4)) {
    return std::nullopt;
  }
  return LogRecord{offset, type, payload};
}

Result<bool> only_zeros(const File& file, std::uint64_t offset) {
  std::string piece(kPieceBytes, '\0');
  for (;;) {
    LSM_ASSIGN_OR_RETURN(const std::size_t got, file.read_at(offset, piece));
    const auto begin = piece.begin();
    if (!std::all_of(begin, begin + static_cast<std::ptrdiff_t>(got),
                     [](char c) { return c == 0; })) {
      return false;
    }
    if (got < piece.size()) return true;
    offset += got;
  }
}

}  // namespace

Result<LogWalkEnd> walk_log(
    FileSystem& fs, const std::string& path,
    const std::function<void(const LogRecord&)>& visit) {
  LSM_ASSIGN_OR_RETURN(const auto file, fs.open(path, FileSystem::Mode::read));
  LogWalkEnd end;
  LSM_ASSIGN_OR_RETURN(end.file_bytes, file->size());
  std::string payload(kLogHeaderSizeBytes, '\0');
  LSM_ASSIGN_OR_RETURN(const std::size_t got, file->read_at(0, payload));
  payload.resize(got);
  LSM_ASSIGN_OR_RETURN(end.file, decode_log_header(payload, path));
  bool sealed = false;
  if (end.file) {
    end.offset = kLogHeaderSizeBytes;
    while (!sealed) {
      LSM_ASSIGN_OR_RETURN(const auto record,
                           read_record(*file, end, end.offset, payload));
      if (!record) break;
      visit(*record);
      end.offset += kRecordHeaderSizeBytes + record->payload.size();
      sealed = record->type == RecordType::seal;
    }
  }
  LSM_ASSIGN_OR_RETURN(const bool unused, only_zeros(*file, end.offset));
  end.why = !unused                        ? LogWalkEnd::Why::damaged
            : sealed                       ? LogWalkEnd::Why::sealed
            : end.offset == end.file_bytes ? LogWalkEnd::Why::end
                                           : LogWalkEnd::Why::zeros;
  return end;
}

std::string_view to_string(RecordType type) {
  switch (type) {
    case RecordType::data:
      return "data";
    case RecordType::mark:
      return "mark";
    case RecordType::seal:
      return "seal";
  }
  return "unknown";
}

std::string_view to_string(LogWalkEnd::Why why) {
  switch (why) {
    case LogWalkEnd::Why::sealed:
      return "sealed";
    case LogWalkEnd::Why::zeros:
      return "zeros";
    case LogWalkEnd::Why::end:
      return "end of file";
    case LogWalkEnd::Why::damaged:
      return "damaged";
  }
  return "unknown";
}

}  // namespace lsm::tool
