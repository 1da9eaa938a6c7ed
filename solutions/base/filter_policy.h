// A few bits a key that answer "surely not here", so that a read skips tables
// without touching their blocks. One filter covers one table; keys come as
// 64-bit hashes, computed once a read whatever the number of tables.
//
// I1 No false negatives: may_contain is true for every hash that build saw.
// I2 may_contain reads only inside `filter`, whatever its bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/checksum.h"

namespace lsm {

inline std::uint64_t filter_hash(std::string_view user_key) {
  return hash64(user_key);
}

class FilterPolicy {
 public:
  virtual ~FilterPolicy() = default;
  // Stored with the table; a reader with another policy ignores the filter.
  virtual std::string_view name() const = 0;
  virtual std::string build(std::span<const std::uint64_t> hashes) const = 0;
  virtual bool may_contain(std::string_view filter,
                           std::uint64_t hash) const = 0;
};

// The filter of one open table, in memory that begins on a cache line.
class TableFilter {
 public:
  TableFilter() = default;
  // `bytes` were built by the policy named `builder`; `policy` outlives this.
  TableFilter(const FilterPolicy& policy, std::string_view builder,
              std::string_view bytes);

  // False: surely no key with this hash. True where another policy built it.
  bool may_contain(std::uint64_t hash) const {
    return policy_ == nullptr || policy_->may_contain(bytes_, hash);
  }
  std::size_t memory_bytes() const { return bytes_.size(); }

 private:
  struct alignas(64) CacheLine {
    char bytes[64];
  };

  const FilterPolicy* policy_ = nullptr;
  std::unique_ptr<CacheLine[]> memory_;
  std::string_view bytes_;  // in memory_
};

// The simplest one: knows nothing, so everything may be anywhere.
class NoFilter final : public FilterPolicy {
 public:
  std::string_view name() const override { return ""; }
  std::string build(std::span<const std::uint64_t>) const override {
    return {};
  }
  bool may_contain(std::string_view, std::uint64_t) const override {
    return true;
  }
};

}  // namespace lsm
