// Reads a log back after a crash, and decides which part of it to believe.
//
//   | header | batch | batch | mark | batch | ba?? | batch | 0 0 0 0 …
//                                             ^ the first damage
//   does a mark, before it or behind it, say that this was durable?
//     no:  a torn tail, never promised; it is dropped
//     yes: corruption, an error that names file and offset
//
// What a crash may leave, and what it means:
//   a seal, then only zeros  sealed: the log is whole
//   zeros up to the end      clean: the records end here (I3, log_format.h)
//   anything else            damage: the marks decide
// A record that verifies but has a type that is not known is damage too: what
// a later format adds comes with a new version in the file's header.
// A file that does not begin with a log's header (it is too short, or zeros, or
// damaged) has no records: they end at offset 0, and the same three lines say
// what that means. A valid header of another log is an error at once.
//
// I1 Records come in the order they were appended, up to the first damage, and
//    none behind it: what is read is a prefix of what was written.
// I2 Damage at offset d is corruption when a mark or seal, before or behind
//    it, says that more than d bytes were durable; else it is a torn tail. A
//    length or type that flipped is no exception. Anything but zeros behind a
//    seal is corruption: the seal was synced, and nothing follows it.
// I3 No length is believed before its checksum; no byte outside the file is
//    asked for.
// The stated limit: the mark of the last sync before a crash may be lost with
// the crash, so damage to what that one sync covered passes for a torn tail.
// Across logs the rule goes on in 2.5.
// Cost: one pass over the file, with damage at most two; memory for a buffer
// and the largest record. Behind damage no payload is hashed but a mark's.
// Thread safety: calls are independent.
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

namespace lsm {

// ANCHOR: show-log-end
struct LogEnd {
  enum class Kind : std::uint8_t { sealed, clean, torn };
  Kind kind = Kind::clean;
  // Behind the last valid record, be it data, mark or seal: that is where the
  // first damage or the unused space begins. 0 without a valid file header.
  std::uint64_t offset = 0;
  std::uint64_t durable_bytes = 0;  // what the furthest mark covers; 0: none
  bool any_mark = false;            // a mark or a seal stands in this log
};
// ANCHOR_END: show-log-end

// Called with each data record and its offset; the bytes live until it
// returns. An error stops the reading and is handed on.
using LogVisitor =
    std::function<Result<void>(std::uint64_t offset, std::string_view record)>;

// Reads the log at `path`, which must belong to `file`.
// Errors: corruption (I2, or another file's log), naming path and offset;
// not_supported, a newer format; io; what the visitor says.
Result<LogEnd> read_log(FileSystem& fs, const std::string& path,
                        FileIdentity file, const LogVisitor& visit);

// Whose log it says it is, for tools; nullopt when its header is damaged.
Result<std::optional<FileIdentity>> log_identity(FileSystem& fs,
                                                 const std::string& path);

}  // namespace lsm
