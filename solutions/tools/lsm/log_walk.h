// Walks the records of a log or manifest as they stand in the file, marks and
// seal included, and says where the records end and why. It takes the file's
// own header for who it is, so it opens any log from anywhere; what damage
// MEANS (a torn tail, or corruption) is for 1.6's reader to say.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/checksum.h"
#include "base/error.h"
#include "base/file_system.h"
#include "log_format.h"

namespace lsm::tool {

struct LogRecord {
  std::uint64_t offset = 0;
  RecordType type = RecordType::data;
  std::string_view payload;  // until the visitor returns
};

struct LogWalkEnd {
  enum class Why : std::uint8_t {
    sealed,   // closed in good order
    zeros,    // allocated space that was not used
    end,      // the file ends with a record
    damaged,  // something that is no valid record
  };

  std::optional<FileIdentity> file;  // none: the header does not verify
  std::uint64_t file_bytes = 0;
  std::uint64_t offset = 0;  // where the records end
  Why why = Why::end;
};

// Errors: not_found, io, not_supported (a newer format).
Result<LogWalkEnd> walk_log(FileSystem& fs, const std::string& path,
                            const std::function<void(const LogRecord&)>& visit);

std::string_view to_string(RecordType type);
std::string_view to_string(LogWalkEnd::Why why);

}  // namespace lsm::tool
