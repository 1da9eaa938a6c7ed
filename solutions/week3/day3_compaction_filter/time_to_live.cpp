#include "base/bytes.h"
#include "base/checksum.h"
#include "lsm/compaction_filters.h"

namespace lsm {
namespace {

class ExpireAfter final : public CompactionFilter {
 public:
  ExpireAfter(std::uint64_t time_to_live_micros, Clock& clock)
      : time_to_live_micros_(time_to_live_micros), clock_(clock) {}

  bool keep(const InternalKey&, std::string_view value) const override {
    // ANCHOR: task-3-3-4 expire_after, keep
    const std::optional<Stamped> stamped = read_stamp(value);
    return !stamped || !has_expired(stamped->written_micros,
                                    clock_.wall_micros(), time_to_live_micros_);
    // ANCHOR_END: task-3-3-4
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
  // ANCHOR: task-3-3-2 stamp
  std::string value(payload);
  value.resize(payload.size() + kStampSizeBytes);
  char* const micros = value.data() + payload.size();
  char* const check = store_u64(micros, written_micros);
  store_u32(check, stamp_check({value.data(), check}));
  return value;
  // ANCHOR_END: task-3-3-2
}

std::optional<Stamped> read_stamp(std::string_view value) {
  // ANCHOR: task-3-3-2 read_stamp
  if (value.size() < kStampSizeBytes) return std::nullopt;
  const std::string_view checked =
      value.substr(0, value.size() - kCheckSizeBytes);
  if (load_u32(checked.data() + checked.size()) != stamp_check(checked)) {
    return std::nullopt;
  }
  const std::string_view payload =
      value.substr(0, value.size() - kStampSizeBytes);
  return Stamped{payload, load_u64(payload.data() + payload.size())};
  // ANCHOR_END: task-3-3-2
}

bool has_expired(std::uint64_t written_micros, std::uint64_t now_micros,
                 std::uint64_t time_to_live_micros) {
  // ANCHOR: task-3-3-3 has_expired
  // Not written + time to live <= now: the sum may overflow.
  return written_micros <= now_micros &&
         now_micros - written_micros >= time_to_live_micros;
  // ANCHOR_END: task-3-3-3
}

std::shared_ptr<const CompactionFilter> expire_after(
    std::uint64_t time_to_live_micros, Clock& clock) {
  return std::make_shared<const ExpireAfter>(time_to_live_micros, clock);
}

}  // namespace lsm
