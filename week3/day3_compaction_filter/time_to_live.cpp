#include "base/bytes.h"
#include "base/checksum.h"
#include "lsm/compaction_filters.h"
#include "base/todo.h"

namespace lsm {
namespace {

class ExpireAfter final : public CompactionFilter {
 public:
  ExpireAfter(std::uint64_t time_to_live_micros, Clock& clock)
      : time_to_live_micros_(time_to_live_micros), clock_(clock) {}

  bool keep(const InternalKey&, std::string_view value) const override {
    // Task 4: expire_after, keep
    LSM_TODO("3.3 task 4", "expire_after, keep");
  }

 private:
  const std::uint64_t time_to_live_micros_;
  Clock& clock_;
};

constexpr std::size_t kCheckSizeBytes = 4;

std::uint32_t stamp_check(std::string_view payload_and_micros) {
  return static_cast<std::uint32_t>(hash64(payload_and_micros, kStampSeed));
}

}  // namespace

std::string stamp(std::string_view payload, std::uint64_t written_micros) {
  // Task 2: stamp
  LSM_TODO("3.3 task 2", "stamp");
}

std::optional<Stamped> read_stamp(std::string_view value) {
  // Task 2: read_stamp
  LSM_TODO("3.3 task 2", "read_stamp");
}

bool has_expired(std::uint64_t written_micros, std::uint64_t now_micros,
                 std::uint64_t time_to_live_micros) {
  // Task 3: has_expired
  LSM_TODO("3.3 task 3", "has_expired");
}

std::shared_ptr<const CompactionFilter> expire_after(
    std::uint64_t time_to_live_micros, Clock& clock) {
  return std::make_shared<const ExpireAfter>(time_to_live_micros, clock);
}

}  // namespace lsm
