// Keys from `lower` (included) up to `upper` (excluded); none means no bound.
#pragma once

#include <optional>
#include <string>

namespace lsm {

struct ScanRange {
  std::optional<std::string> lower;
  std::optional<std::string> upper;
};

}  // namespace lsm
