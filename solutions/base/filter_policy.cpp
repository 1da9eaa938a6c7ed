#include "base/filter_policy.h"

#include <cstring>

namespace lsm {

TableFilter::TableFilter(const FilterPolicy& policy, std::string_view builder,
                         std::string_view bytes) {
  if (builder != policy.name()) return;
  policy_ = &policy;
  memory_ = std::make_unique<CacheLine[]>(bytes.size() / sizeof(CacheLine) + 1);
  std::memcpy(memory_.get(), bytes.data(), bytes.size());
  bytes_ = {memory_[0].bytes, bytes.size()};
}

}  // namespace lsm
