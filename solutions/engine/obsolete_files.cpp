#include "engine/obsolete_files.h"

#include <utility>

#include "base/file_names.h"

namespace lsm {

ObsoleteFiles::ObsoleteFiles(std::shared_ptr<FileSystem> fs, std::string folder,
                             Executor& executor)
    : fs_(std::move(fs)), folder_(std::move(folder)), executor_(&executor) {}

void ObsoleteFiles::add(std::uint64_t table_number) {
  const MutexLock lock(mutex_);
  if (executor_ == nullptr) return;
  numbers_.push_back(table_number);
  if (numbers_.size() == 1) {
    executor_->submit(Executor::Lane::flush,
                      [self = shared_from_this()] { self->drain(); });
  }
}

void ObsoleteFiles::drain() {
  std::vector<std::uint64_t> numbers;
  {
    const MutexLock lock(mutex_);
    numbers.swap(numbers_);
  }
  for (const std::uint64_t number : numbers) {
    // A failure leaves an orphan for the next open.
    (void)fs_->remove(file_path(folder_, FileKind::table, number));
  }
}

void ObsoleteFiles::stop() {
  const MutexLock lock(mutex_);
  executor_ = nullptr;
}

}  // namespace lsm
