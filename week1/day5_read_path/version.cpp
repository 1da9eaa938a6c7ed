#include "version.h"

#include <atomic>
#include <utility>

#include "base/filter_policy.h"
#include "concat.h"
#include "merge.h"
#include "visible.h"
#include "base/todo.h"

namespace lsm {

Result<bool> Version::get(std::string_view user, Sequence at,
                          std::string& value) const {
  // Task 2: Version::get
  LSM_TODO("1.5 task 2", "Version::get");
}

namespace {

// What a scan needs to stay alive for as long as it reads.
struct ScanPin {
  VersionPtr version;
  std::shared_ptr<const void> outer;
};

}  // namespace

std::unique_ptr<UserIterator> scan(VersionPtr version, Sequence at,
                                   ScanRange range,
                                   std::shared_ptr<const void> pin) {
  // Task 3: scan
  LSM_TODO("1.5 task 3", "scan");
}

VersionPtr VersionCell::current() const {
  // Task 4: VersionCell::current
  LSM_TODO("1.5 task 4", "VersionCell::current");
}

void VersionCell::publish(const VersionPtr& version) {
  // Task 4: VersionCell::publish
  LSM_TODO("1.5 task 4", "VersionCell::publish");
}

}  // namespace lsm
