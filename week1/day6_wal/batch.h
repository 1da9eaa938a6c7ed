// A batch is what the log stores for one write: the operations, and the
// sequence of the first; the others follow in order.
//
//   batch := first:u64 count:varint op*
//   op    := kind:u8 key:bytes            kind 0, remove
//          | kind:u8 key:bytes value:bytes   kind 1, put
//   bytes := size:varint byte*
//
// {put "a" = "red", remove "b"} as sequences 5 and 6:
//
//   05 00 00 00 00 00 00 00  02  01 01 61 03 72 65 64  00 01 62
//   first = 5                 2  put    a      r  e  d rem    b
//
// A batch may be empty, and so may a key or a value; an empty batch is its
// first nine bytes, and has no sequence.
//
// I1 decode_batch(encode_batch(first, ops)) gives back first and ops, in order.
// I2 A batch is decoded whole or refused: a kind that is not known, a length
//    past the end, bytes left over, a key or value over its limit, a sequence
//    past kMaxSequence refuse all of it.
// I3 Decoding takes memory for what is there, not for what a count claims.
// Cost: encode copies each byte once, into memory that is reused; decode
// copies none.
// Used by 1.7, which appends the batch to the log, and by 2.5, which replays.
// Source: LevelDB's db/write_batch.cc keeps the same three parts.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/key.h"
#include "base/write_request.h"

namespace lsm {

// Replaces `out`. The caller has checked keys and values against their limits;
// the value of a remove is not stored.
void encode_batch(Sequence first, std::span<const WriteOp> ops,
                  std::string& out);

// ops[i] has sequence first + i. Keys and values are views into the bytes that
// were decoded.
struct BatchView {
  Sequence first = 0;
  std::vector<WriteOp> ops;
};

// Errors: corruption, naming the byte of the record and what was wrong there.
Result<BatchView> decode_batch(std::string_view record);

}  // namespace lsm
