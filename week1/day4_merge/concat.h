// Walks the tables of one run, which are sorted and disjoint, as one sequence;
// only one of them is open at a time.
//
//   run:   000007.sst        000009.sst           000008.sst
//          ant … cow         doe … hen            ibex … yak
//   seek("fox"):             ▲ the first part whose largest key is not before
//                              "fox": one binary search, one part opened
//
// I1 Parts are in ascending order and disjoint: largest(i) < smallest(i + 1).
// I2 At most one part is open, the one the iterator stands in.
// I3 A part that cannot be opened or read ends the walk: its error stays in
//    status(), and no entry beyond it is delivered.
// I4 A seek opens no part but the one that holds its answer, by the boundaries.
// I5 A part may hold less than its boundaries say, even nothing: they come from
//    a list of parts, the entries from the part. The walk passes over it.
// Cost, p parts: seek O(log p) comparisons and one seek in a part; next and
// prev one step, and at a part's end one open.
// A merge of p tables costs p seeks and log p comparisons a step for the same
// entries: the reason why levels below 0 are single runs.
// Lifetime: the source outlives the iterator. One thread at a time.
// Source: LevelDB's table/two_level_iterator.cc, without its second level.
#pragma once

#include <cstddef>
#include <memory>

#include "base/iterator.h"

namespace lsm {

class ConcatSource {
 public:
  virtual ~ConcatSource() = default;
  virtual std::size_t size() const = 0;
  // Boundaries of part i < size(): no entry of the part lies outside them.
  virtual InternalKey smallest(std::size_t i) const = 0;
  virtual InternalKey largest(std::size_t i) const = 0;
  virtual Result<std::unique_ptr<InternalIterator>> open(
      std::size_t i) const = 0;
};

std::unique_ptr<InternalIterator> make_concat_iterator(
    const ConcatSource& source);

}  // namespace lsm
