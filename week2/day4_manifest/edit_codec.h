// A version edit as bytes: one record of a manifest.
//
//   edit    := count:varint removed*  count:varint added*  known:u8
//              oldest_log:varint? next_file:varint? last_sequence:varint?
//   removed := level:u8 number:varint
//   added   := level:u8 number:varint size:varint contents run:varint
//              (contents: base/file_meta.h)
//   known   := 1 oldest_log | 2 next_file | 4 last_sequence
//
// A compaction's {removed {0, 9}, oldest_log 12}:  01 00 09  00  01 0c
//
// I1 decode_edit(encode_edit(edit)) == edit.
// I2 Bytes are decoded whole or refused; whether an edit makes sense is for
//    edit_sum.h to say.
// Cost: O(bytes); memory only for what is there.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/version_edit.h"

namespace lsm {

std::string encode_edit(const VersionEdit& edit);
// Errors: corruption, naming the byte of the record.
Result<VersionEdit> decode_edit(std::string_view record);

}  // namespace lsm
