#include "batch.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/todo.h"

namespace lsm {

void encode_batch(Sequence first, std::span<const WriteOp> ops,
                  std::string& out) {
  // Task 1: encode_batch
  LSM_TODO("1.6 task 1", "encode_batch");
}

Result<BatchView> decode_batch(std::string_view record) {
  // Task 1: decode_batch
  LSM_TODO("1.6 task 1", "decode_batch");
}

}  // namespace lsm
