#include "batch.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"

namespace lsm {

void encode_batch(Sequence first, std::span<const WriteOp> ops,
                  std::string& out) {
  // ANCHOR: task-1-6-1 encode_batch
  std::size_t most = sizeof first + kMaxVarintBytes;
  for (const WriteOp& op : ops) {
    most += 1 + 2 * kMaxVarintBytes + op.key.size() + op.value.size();
  }
  out.resize(most);  // one piece of memory, used again and again

  char* to = store_u64(out.data(), first);
  to = store_varint(to, ops.size());
  const auto store_bytes = [&to](std::string_view bytes) {
    to = store_varint(to, bytes.size());
    to = std::ranges::copy(bytes, to).out;
  };
  for (const WriteOp& op : ops) {
    *to++ = static_cast<char>(op.kind);
    store_bytes(op.key);
    if (op.kind == Kind::put) store_bytes(op.value);
  }
  out.resize(static_cast<std::size_t>(to - out.data()));
  // ANCHOR_END: task-1-6-1
}

Result<BatchView> decode_batch(std::string_view record) {
  // ANCHOR: task-1-6-1 decode_batch
  constexpr std::size_t kLeastOpSizeBytes = 2;  // a kind, an empty key
  ByteReader reader(record);
  const auto refuse = [&](std::string_view what) {
    return fail(Code::corruption,
                fmt::format("batch: byte {}: {}",
                            record.size() - reader.remaining(), what));
  };

  BatchView batch;
  std::uint64_t count = 0;
  if (!reader.u64(batch.first) || !reader.varint(count)) {
    return refuse("expected first sequence and count");
  }
  if (batch.first > kMaxSequence || count > kMaxSequence - batch.first + 1) {
    return refuse("sequences end at 2^56 - 1");
  }
  if (count > reader.remaining() / kLeastOpSizeBytes) {  // I3
    return refuse(fmt::format("{} operations do not fit", count));
  }
  batch.ops.reserve(static_cast<std::size_t>(count));
  for (std::uint64_t i = 0; i < count; ++i) {
    WriteOp op;
    std::uint8_t kind = 0;
    if (!reader.u8(kind) || !is_known_kind(kind)) {
      return refuse("expected a known kind");
    }
    op.kind = static_cast<Kind>(kind);
    if (!reader.prefixed(op.key) || op.key.size() > kMaxKeySizeBytes) {
      return refuse("expected a key of at most 65,535 bytes");
    }
    if (op.kind == Kind::put &&
        (!reader.prefixed(op.value) || op.value.size() > kMaxValueSizeBytes)) {
      return refuse("expected a value of at most 1 GiB");
    }
    batch.ops.push_back(op);
  }
  if (!reader.empty()) return refuse("expected the end");
  return batch;
  // ANCHOR_END: task-1-6-1
}

}  // namespace lsm
