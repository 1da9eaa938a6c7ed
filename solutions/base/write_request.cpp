#include "base/write_request.h"

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

std::unique_ptr<WriteQueue> make_serial_queue(WriteQueue::Commit commit) {
  return std::make_unique<SerialQueue>(std::move(commit));
}

}  // namespace lsm
