#include "separators.h"

#include <vector>

#include "block.h"

namespace lsm {

namespace {

// How many of `prefixes`, which are sorted, are below `prefix`.
std::size_t count_below(const std::vector<std::uint64_t>& prefixes,
                        std::uint64_t prefix) {
  // ANCHOR: task-1-3-3 count_below
  const std::uint64_t* base = prefixes.data();
  std::size_t rest = prefixes.size();
  while (rest > 1) {
    const std::size_t half = rest / 2;
    base += base[half - 1] < prefix ? half : 0;  // a move, not a branch
    rest -= half;
  }
  const auto before = static_cast<std::size_t>(base - prefixes.data());
  return before + (rest == 1 && *base < prefix ? 1 : 0);
  // ANCHOR_END: task-1-3-3
}

}  // namespace

InternalKey separator_between(InternalKey last, InternalKey next) {
  // ANCHOR: task-1-3-2 separator_between
  if (last.user == next.user) return last;
  const std::size_t common = common_prefix(last.user, next.user);
  // next's prefix of one byte more is larger than last. It must not be next
  // itself, nor longer than last.
  if (common + 1 < next.user.size() && common < last.user.size()) {
    return {next.user.substr(0, common + 1), 0};
  }
  return {last.user, 0};
  // ANCHOR_END: task-1-3-2
}

std::size_t find_block(const BlockIndex& index, InternalKey target) {
  // ANCHOR: task-1-3-3 find_block
  const std::string_view shared = index.shared();
  const int order = target.user.substr(0, shared.size()).compare(shared);
  if (order != 0) return order < 0 ? 0 : index.size();
  const std::vector<std::uint64_t>& prefixes = index.prefixes();
  const std::uint64_t prefix =
      sortable_prefix(target.user.substr(shared.size()));
  std::size_t low = count_below(prefixes, prefix);
  if (low == index.size() || prefixes[low] != prefix) return low;
  // The ties, in which whole keys decide.
  std::size_t high =
      prefix == UINT64_MAX ? index.size() : count_below(prefixes, prefix + 1);
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (compare(index.separator(middle), target) < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
  // ANCHOR_END: task-1-3-3
}

}  // namespace lsm
