// A LogSegment is a file that is only appended to, made so that an append is
// a copy and not a system call, and still survives a killed process.
//
//   file   0                window          window + 4 MiB      allocated
//          |================|=======|.......|...................|
//           appended earlier  ▲      ▲ size  zeros, on disk: already ours
//                             the mapped window
//
// append("abc") at size 5 stores 61 62 63 into the window at 5, and size is 8:
//   before  68 65 6c 6c 6f 00 00 00 00 00 …      after  … 6f 61 62 63 00 00 …
//
// I1 A process killed at any instant leaves all earlier appends whole, then at
//    most one torn (ANY of its bytes may be missing, not just the last ones:
//    memcpy stores in the order it likes), then zeros. The pages belong to the
//    operating system; the process only wrote into them.
// I2 A power cut keeps what the last successful sync() covered; after that,
//    page by page, anything (I1 of file_system.h).
// I3 A failed append or sync breaks the segment: every later call returns that
//    first error, and nothing is sent to the file again.
// I4 A full disk shows as no_space at the append that needs more room. That
//    append adds nothing to size_bytes().
// I5 close() cuts the file to size_bytes(): a closed log has no zero tail. It
//    does not sync; who needs the end durable seals and syncs first.
// Where allocate() says not_supported, append() is the file's own append: the
// same bytes, one system call each.
// Cost: an append of 137 bytes takes 0.11 of the time of a write(2) of the same
// on ext4 (131 ns, 1,200 ns), 0.15 on tmpfs, with everything paid that comes
// now and then: a page fault every 4 KiB, an mmap every 4 MiB, a fallocate
// every 16 MiB. Faulting a window in at once (MAP_POPULATE) was slower: 0.15.
// Thread safety: one thread at a time.
// Used by 1.6, which puts records, checksums and marks into it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/file_system.h"

namespace lsm {

class LogSegment {
 public:
  // Creates the file, which must not exist, and allocates its first step. A
  // log that is expected to stay small gets small windows. The name is durable
  // after the caller's sync_dir.
  static Result<std::unique_ptr<LogSegment>> create(
      FileSystem& fs, std::string path, std::uint64_t expected_bytes);

  Result<void> append(std::string_view bytes);
  // Makes all appends so far durable.
  Result<void> sync();
  // What append acknowledged; the file itself is longer until close().
  std::uint64_t size_bytes() const { return size_; }
  const std::string& path() const { return path_; }
  // Idempotent. A broken segment is closed as it is, and says its error.
  Result<void> close();

 private:
  LogSegment(FileSystem& fs, std::string path, std::unique_ptr<File> file,
             std::size_t window_bytes);

  Result<void> copy_into_windows(std::string_view bytes);
  Result<void> allocate_for(std::uint64_t end);
  Result<void> map_window(std::uint64_t offset);
  Result<void> keep_error(Result<void> result);

  FileSystem& fs_;
  const std::string path_;
  std::unique_ptr<File> file_;
  const std::size_t window_bytes_;
  bool mapped_ = true;              // false: allocate() is not supported here
  std::uint64_t size_ = 0;          // bytes acknowledged
  std::uint64_t allocated_ = 0;     // bytes of disk that are ours
  std::uint64_t window_begin_ = 0;  // file offset of target_[0]
  std::unique_ptr<Window> window_;
  std::span<char> target_;      // the window's bytes
  std::optional<Error> error_;  // the first one (I3)
};

}  // namespace lsm
