// Filters that say which entries an application no longer needs, so that a
// compaction leaves out what it would otherwise copy for ever: a tenant that is
// gone, sessions that have expired, whatever a predicate knows.
//
//   options.compaction_filter = lsm::all_of({
//       tenants,                                     // make_dropped_prefixes()
//       lsm::expire_after(week_micros, lsm::system_clock()),
//       lsm::drop_if([](auto key, auto value) { return value.empty(); })});
//
//   newest versions in a compaction, no snapshots
//     t7/a @9     tenants: t7/ up to 12     given up
//     t7/b @14    the same                  kept: put when it had come back
//     s/1  @5     stamped eight days ago    given up
//     s/2  @6     no stamp                  kept: nothing says it expires
//
// A value that can expire carries its stamp, twelve bytes at its end:
//   stamped := payload micros:u64 check:u32       little-endian
//   "on" at 1,000,000 µs:   6f 6e | 40 42 0f 00 00 00 00 00 | check
//   check = the low 32 bits of hash64(payload micros, kStampSeed)
//
// I1 To give up is not to remove: it happens when a compaction comes by, in a
//    second or never. Until then reads see the entry; a reader who cares looks
//    at the stamp (has_expired), or writes a tombstone instead.
// I2 What is given up is gone for later readers whole: no older version comes
//    back. What a snapshot can see is not asked about
//    (base/compaction_filter.h, drop_rule.h).
// I3 In doubt an entry stays: a value without an intact stamp, a stamp of the
//    future. A filter can only ever err by losing data.
// I4 A filter of several gives up what any of them gives up.
// Cost: a compaction asks once a key. A prefix: one search a prefix LENGTH; a
// stamp: one hash of the value, 0.1 µs for 4 KiB, and one look at the clock.
// Thread safety: any thread, beside compactions. They must not throw.
// Lifetime: filters own what they are given; a clock must outlive the store.
// Source: RocksDB's CompactionFilter, RemoveEmptyValueCompactionFilter, and the
// DBWithTTL of its utilities, whose stamps have seconds and no check.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/compaction_filter.h"

namespace lsm {

// By prefix.

// ANCHOR: show-prefixes
// Prefixes of keys that are no longer needed. It may grow while the store is
// open: the next compaction that comes by knows.
class DroppedPrefixes : public CompactionFilter {
 public:
  // Gives up every entry whose key begins with `prefix`, written at `up_to` or
  // before: what is put later under the same prefix stays. (The moment is a
  // snapshot's sequence, or Stats::last_sequence.) Of two calls for one prefix
  // the later moment holds. The empty prefix is every key's.
  virtual void add(std::string prefix, Sequence up_to = kMaxSequence) = 0;
  // Keeps what is left of it.
  virtual void forget(std::string_view prefix) = 0;
};

std::shared_ptr<DroppedPrefixes> make_dropped_prefixes();
// ANCHOR_END: show-prefixes

// By age.

inline constexpr std::size_t kStampSizeBytes = 12;
inline constexpr std::uint64_t kStampSeed = 0x4c54'5421;

// ANCHOR: show-stamps
struct Stamped {
  std::string_view payload;
  std::uint64_t written_micros = 0;  // Clock::wall_micros
};

// `payload` with its stamp: what to put. It grows by kStampSizeBytes.
std::string stamp(std::string_view payload, std::uint64_t written_micros);
// The parts of a stamped value, as views of it; nothing if it has no stamp.
std::optional<Stamped> read_stamp(std::string_view value);

// Whether what was written then has lived its time now. A stamp of the future
// (a clock that was set back, another machine's) has not.
bool has_expired(std::uint64_t written_micros, std::uint64_t now_micros,
                 std::uint64_t time_to_live_micros);

// Gives up stamped values once they have lived that long.
std::shared_ptr<const CompactionFilter> expire_after(
    std::uint64_t time_to_live_micros, Clock& clock);
// ANCHOR_END: show-stamps

// By whatever you know.

// ANCHOR: show-predicates
using Predicate = std::function<bool(std::string_view key, std::string_view)>;

// Gives up the entries of which `gives_up(key, value)` is true.
std::shared_ptr<const CompactionFilter> drop_if(Predicate gives_up);

// Keeps what each of `filters` keeps. They are asked in their order, until the
// first that gives the entry up: the cheap ones first.
std::shared_ptr<const CompactionFilter> all_of(
    std::vector<std::shared_ptr<const CompactionFilter>> filters);
// ANCHOR_END: show-predicates

}  // namespace lsm
