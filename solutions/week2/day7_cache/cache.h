// The block cache: set-associative like a processor's, with a clock hand that
// looks for what was not used lately. A hit takes no lock.
//
//   hash(table, offset) ─► set ─► [tag tag tag tag tag tag tag tag]  one line
//                                      │ equal?
//                                    slot: state, key, bytes
//   state = phase:2 | clock:2 | references:32
//           empty ─CAS─► busy ─► live ─CAS, no references─► busy ─► empty
//
// I1 A slot's key and bytes change only while it is busy, and it becomes busy
//    only by a compare-and-swap that saw no reference.
// I2 A reader first adds a reference, then looks at the phase: if the slot is
//    live it stays so until the reference is given back.
// I3 Room is reserved before a block is kept: bytes kept never exceed the
//    capacity. A block for which there is no room is the caller's alone.
// I4 A scan's block is kept only where there is room already: it never evicts.
// Cost: a hit is one line of tags and one of the slot, fetched together, one
// atomic add, one key compare. Memory besides the blocks: 144 bytes for each
// block that fits.
// Thread safety: any thread, lock-free but for the allocator.
// Source: CLOCK (Corbató 1968); slots with a packed atomic state as RocksDB's
// HyperClockCache.
#pragma once

#include <cstddef>
#include <memory>

#include "base/block_cache.h"

namespace lsm {

// `expected_block_bytes` sizes the table of slots: twice as many as blocks of
// that size fit.
std::shared_ptr<BlockCache> make_clock_cache(std::size_t capacity_bytes,
                                             std::size_t expected_block_bytes);

}  // namespace lsm
