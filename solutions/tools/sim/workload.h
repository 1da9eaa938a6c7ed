// Streams of writes that trees are grown with. The same kind, sizes and seed
// give the same stream.
#pragma once

#include <cmath>
#include <cstdint>
#include <map>
#include <string>

#include "base/splitmix.h"

namespace lsm::sim {

enum class WorkloadKind : std::uint8_t {
  uniform,      // any key, put
  zipfian,      // few keys most of the time
  sequential,   // ascending keys, each once
  time_series,  // ascending keys; those older than `keys` writes expire
  delete_heavy  // any key; every second write removes
};

inline const std::map<std::string, WorkloadKind> kWorkloads = {
    {"uniform", WorkloadKind::uniform},
    {"zipfian", WorkloadKind::zipfian},
    {"sequential", WorkloadKind::sequential},
    {"time-series", WorkloadKind::time_series},
    {"delete-heavy", WorkloadKind::delete_heavy}};

struct Write {
  std::uint64_t key = 0;
  bool remove = false;
};

class Workload {
 public:
  Workload(WorkloadKind kind, std::uint64_t keys, std::uint64_t seed)
      : kind_(kind), keys_(keys), random_(seed) {}

  Write next() {
    switch (kind_) {
      case WorkloadKind::zipfian:
        return {skewed()};
      case WorkloadKind::sequential:
      case WorkloadKind::time_series:
        return {written_++};
      case WorkloadKind::delete_heavy: {
        const std::uint64_t key = random_.below(keys_);
        return {key, random_.below(2) == 0};
      }
      case WorkloadKind::uniform:
        break;
    }
    return {random_.below(keys_)};
  }

  // Whether a compaction may forget the key.
  bool expired(std::uint64_t key) const {
    return kind_ == WorkloadKind::time_series && key + keys_ < written_;
  }

 private:
  // Rank r with a probability of about 1/r: the logarithm of the rank is
  // uniform. The rank is scattered over the keys.
  std::uint64_t skewed() {
    const double u =
        static_cast<double>(random_.next() >> 11) * 0x1.0p-53;  // [0, 1)
    const auto rank =
        static_cast<std::uint64_t>(std::pow(static_cast<double>(keys_), u)) - 1;
    return Splitmix(rank).below(keys_);
  }

  WorkloadKind kind_;
  std::uint64_t keys_;
  Splitmix random_;
  std::uint64_t written_ = 0;
};

}  // namespace lsm::sim
