// Turns versions into what a user sees at one moment: of each key the newest
// version that is not newer than the moment, and nothing where that version is
// a tombstone.
//
//   internal   bee@9 bee@2   cat@4✝ cat@3   fig@8 fig@6 fig@1   yak@3
//   at 7             bee=2   (removed)            fig=6         yak=3
//   at 3             bee=2   cat=3                      fig=1   yak=3
//
// Forward, versions come newest first: the first one that is visible decides
// the key, the rest is skipped. Backward they come oldest first: only when the
// walk has left the key is it known which visible version was the newest.
//
//   forward:   stands ON the entry it shows:           [fig@6]
//   backward:  stands BEFORE the key's versions, and   [cat@3] fig@8 fig@6 …
//              shows copies
//
// I1 Every entry shown is the newest version of its key with sequence <= at,
//    and is a put.
// I2 lower <= key < upper, for the bounds there are, in both directions and
//    whatever is sought.
// I3 No entry is shown when an error hides whether a newer version exists.
// I4 At most kStepsBeforeSeek versions of a key are stepped over one by one; a
//    key overwritten a million times costs one seek.
// I5 Nothing beyond a bound is walked: the first entry met there ends the scan,
//    be it shown, too new or a tombstone.
// Cost: one internal step an entry forward; backward one step and a copy of
// key and value. A change of direction is a seek.
// Lifetime: owns the internal iterator, and keeps `pin` until after it is gone:
// what the iterator reads hangs on it. The target of a seek is copied, and may
// be the iterator's own key(). One thread at a time.
// Source: LevelDB's db/db_iter.cc.
#pragma once

#include <memory>

#include "base/iterator.h"
#include "base/key.h"
#include "base/scan_range.h"

namespace lsm {

inline constexpr int kStepsBeforeSeek = 8;

std::unique_ptr<UserIterator> make_visible_iterator(
    std::unique_ptr<InternalIterator> versions, Sequence at, ScanRange range,
    std::shared_ptr<const void> pin = nullptr);

}  // namespace lsm
