// What the crash laboratory writes, and what a store must hold after it: the
// batches of a seed, the model of each prefix of them, and the judge.
//
//   batch 7   put last 7 · put key41 "qwe…" · remove key3
//   model[7]  what batches 1 … 7 make
//
// Batch i puts "last" = i and changes one to four of 150 other keys. So a
// store says itself which m it claims, and all that it holds can be compared.
// Cost: a batch and a model are made once; judging is one scan.
// Used by crash_lab.h, and by the tests of disks that fail or fill up.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/options.h"
#include "lsm/db.h"

namespace lsm::crash {

// So small that all there is happens within some hundred batches.
Options tiny_options(CompactionStyle policy, FileSystem& fs,
                     Executor& executor);

struct Verdict {
  int m = 0;          // the store claims to hold batches 1 … m
  std::string wrong;  // empty: and so it does, and it may
};

class Oracle {
 public:
  Oracle(std::uint64_t seed, int batches);

  // Batch i; the first is 1.
  const WriteBatch& batch(int i) const {
    return batches_[static_cast<std::size_t>(i - 1)];
  }
  // Right is exactly model[m], for an m from at_least to at_most.
  Verdict judge(Db& db, int at_least, int at_most) const;

 private:
  using Model = std::map<std::string_view, std::string_view>;

  std::vector<WriteBatch> batches_;
  std::vector<Model> models_;  // [m]; views of batches_
};

}  // namespace lsm::crash
