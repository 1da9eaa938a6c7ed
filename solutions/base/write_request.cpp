#include "base/write_request.h"

#include <fmt/format.h>

#include <utility>

#include "base/sync.h"

namespace lsm {

namespace {

class SerialQueue final : public WriteQueue {
 public:
  explicit SerialQueue(Commit commit) : commit_(std::move(commit)) {}

  void submit(WriteRequest& request) override {
    WriteRequest* const group[] = {&request};
    const MutexLock lock(mutex_);
    commit_(group);
  }

 private:
  Mutex mutex_;
  Commit commit_ LSM_GUARDED_BY(mutex_);
};

}  // namespace

Result<void> check_sizes(std::span<const WriteOp> ops) {
  for (const WriteOp& op : ops) {
    if (op.key.size() > kMaxKeySizeBytes) {
      return fail(Code::invalid_argument,
                  fmt::format("key of {} bytes: a key has at most {}",
                              op.key.size(), kMaxKeySizeBytes));
    }
    if (op.value.size() > kMaxValueSizeBytes) {
      return fail(Code::invalid_argument,
                  fmt::format("value of {} bytes: a value has at most {}",
                              op.value.size(), kMaxValueSizeBytes));
    }
  }
  return {};
}

std::unique_ptr<WriteQueue> make_serial_queue(WriteQueue::Commit commit) {
  return std::make_unique<SerialQueue>(std::move(commit));
}

}  // namespace lsm
