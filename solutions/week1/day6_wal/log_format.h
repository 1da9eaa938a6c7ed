// The bytes of a log file, as its writer and its reader agree on them.
//
//   log    := header record* zero*
//   header := magic:8 version:u32 checksum:u32 store:u64 number:u64
//   record := header_sum:u32 payload_sum:u32 type_length:u64 payload
//             type_length = length << 8 | type
//   type   := 1 data   a batch; in a manifest, a version edit
//           | 2 mark   payload = durable:u64
//           | 3 seal   no payload; nothing follows
//
// A log with one batch, the 19 bytes of batch.h's example, that was synced:
//
//     0  4c 53 4d 2d 4c 4f 47 0a  01 00 00 00  ·· ·· ·· ··   "LSM-LOG\n", 1
//        ·· store id ·· ·· ·· ··  ·· number ·· ·· ·· ·· ··
//    32  ·· ·· ·· ··  ·· ·· ·· ··  01 13 00 00 00 00 00 00   data, 19 bytes
//    48  05 00 00 …                                          the batch
//    67  ·· ·· ·· ··  ·· ·· ·· ··  02 08 00 00 00 00 00 00   mark, 8 bytes
//    83  43 00 00 00 00 00 00 00                             67 are durable
//    91  00 00 …                                             not yet used
//
// I1 header_sum covers the 12 bytes after it, bound to the offset of the record
//    (where header_sum itself stands); payload_sum covers the payload, bound to
//    the payload's offset. Both are bound to store and file (base/checksum.h):
//    what an earlier log left on the disk, or a copy of a record inside a
//    value, does not verify.
// I2 A length is believed only after header_sum has verified; a length or type
//    that flipped is damage, and so is a header of zeros before other bytes.
// I3 Zeros from some record's place to the end of the file are space that was
//    allocated and not used: the log ends there.
// I4 A mark says that an fsync has returned which covers the first `durable`
//    bytes; it is written after that fsync, and covers no byte appended after
//    the fsync began. A seal says that of every byte before it.
// A length is a u64 of 56 bits: a batch of several 1 GiB values fits.
// Source: the record is LevelDB's without the 32 KiB blocks (doc/log_format.md)
// and with a checksum of its own for the header, which lets a reader look for
// records behind damage; marks are our answer to what RocksDB calls
// WALRecoveryMode.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/log_header.h"

namespace lsm {

// ANCHOR: show-record-header
enum class RecordType : std::uint8_t { data = 1, mark = 2, seal = 3 };

struct RecordHeader {
  std::uint32_t payload_checksum = 0;
  RecordType type = RecordType::data;
  std::uint64_t length = 0;  // of the payload
};

inline constexpr std::size_t kRecordHeaderSizeBytes = 16;
inline constexpr std::size_t kMarkSizeBytes = 8;  // its payload
// ANCHOR_END: show-record-header

}  // namespace lsm
