// The contract of base/iterator.h as one test that runs over any iterator:
//
//   check_iterator_contract(*iterator, expected, 42);
//
// `expected` is every entry the iterator must deliver, in order: a
// std::vector<Entry> for internal keys, a std::vector<Row> for user keys
// (support/model.h). Both directions, every seek target that matters, changes
// of direction at random; a failure shows the last moves that led there.
// `Directions::forward` leaves out seek_to_last and prev, for a room whose
// backward half is a later task.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/iterator.h"
#include "base/key.h"
#include "support/model.h"
#include "support/random.h"
#include "support/teach.h"

namespace lsm::test {

enum class Directions { forward, both };

inline InternalKey key_view(const InternalKeyBuffer& key) {
  return key.view();
}
inline std::string_view key_view(const std::string& key) {
  return key;
}

// Targets just before, at and just after a key.
inline std::vector<std::string> targets_around(const std::string& key) {
  std::vector<std::string> targets = {key, key + '\0'};
  if (!key.empty()) {
    targets.push_back(key.substr(0, key.size() - 1));
    if (key.back() != '\0') {
      std::string below = key;
      below.back() = static_cast<char>(below.back() - 1);
      targets.push_back(below + "\xff");
    }
  }
  return targets;
}
inline std::vector<InternalKeyBuffer> targets_around(
    const InternalKeyBuffer& key) {
  const Sequence sequence = key.view().sequence();
  std::vector<InternalKeyBuffer> targets = {
      key, InternalKeyBuffer(seek_key(key.user(), kMaxSequence)),
      InternalKeyBuffer(seek_key(key.user(), sequence)),
      InternalKeyBuffer(seek_key(key.user(), 0))};
  if (sequence > 0) {
    targets.emplace_back(seek_key(key.user(), sequence - 1));
  }
  if (sequence < kMaxSequence) {
    targets.emplace_back(seek_key(key.user(), sequence + 1));
  }
  for (const std::string& user : targets_around(key.user())) {
    targets.emplace_back(seek_key(user, kMaxSequence));
  }
  return targets;
}

// Drives an iterator and, beside it, an index into the expected entries.
template <typename Iterator, typename OwnedKey>
class IteratorWalk {
 public:
  using Entries = std::vector<std::pair<OwnedKey, std::string>>;

  IteratorWalk(Iterator& iterator, const Entries& expected)
      : iterator_(iterator), expected_(expected), at_(expected.size()) {}

  // On an entry, as far as the expectation goes.
  bool on_entry() const { return at_ < expected_.size(); }

  void seek_to_first() {
    note("seek_to_first");
    iterator_.seek_to_first();
    at_ = 0;
    check();
  }
  void seek_to_last() {
    note("seek_to_last");
    iterator_.seek_to_last();
    at_ = expected_.empty() ? 0 : expected_.size() - 1;
    check();
  }
  void seek(const OwnedKey& target) {
    note("seek(" + show(target) + ")");
    iterator_.seek(key_view(target));
    const auto found = std::partition_point(
        expected_.begin(), expected_.end(), [&](const auto& entry) {
          return ::lsm::compare(key_view(entry.first), key_view(target)) < 0;
        });
    at_ = static_cast<std::size_t>(found - expected_.begin());
    check();
  }
  void next() {
    note("next");
    iterator_.next();
    at_++;
    check();
  }
  void prev() {
    note("prev");
    iterator_.prev();
    at_ = at_ == 0 ? expected_.size() : at_ - 1;
    check();
  }

  void check() {
    INFO("moves: " << moves_);
    INVARIANT(
        "I2 of base/iterator.h: a move past either end is invalid, "
        "and only then");
    REQUIRE_OK(iterator_.status());
    REQUIRE_SAME(iterator_.valid(), on_entry());
    if (!on_entry()) return;
    INVARIANT(
        "I1 of base/iterator.h: entries come in ascending key order, "
        "and none is left out");
    const auto& [key, value] = expected_[at_];
    const auto key_seen = iterator_.key();
    const std::string_view value_seen = iterator_.value();
    REQUIRE_SAME(key_seen, key_view(key));
    REQUIRE_SAME(value_seen, value);
    INVARIANT(
        "I3 of base/iterator.h: key and value stay readable until the "
        "iterator moves");
    static_cast<void>(iterator_.valid());
    static_cast<void>(iterator_.status());
    static_cast<void>(iterator_.key());
    static_cast<void>(iterator_.value());
    REQUIRE_SAME(key_seen, key_view(key));
    REQUIRE_SAME(value_seen, value);
  }

 private:
  // Keeps the last moves only: a message of a screen at most.
  void note(const std::string& move) {
    if (moves_.size() > 300) {
      moves_ = "… " + moves_.substr(moves_.find(", ", 100) + 2);
    }
    if (!moves_.empty()) moves_ += ", ";
    moves_ += move;
  }

  Iterator& iterator_;
  const Entries& expected_;
  std::size_t at_;  // expected_.size() when the iterator must be invalid
  std::string moves_;
};

template <typename Iterator, typename OwnedKey>
void check_iterator_contract(
    Iterator& iterator,
    const std::vector<std::pair<OwnedKey, std::string>>& expected,
    std::uint64_t seed = 1, Directions directions = Directions::both) {
  constexpr std::size_t kSeeks = 200;
  constexpr std::size_t kRandomMoves = 500;
  SEEDED_RANDOM(random, seed);
  const bool backward = directions == Directions::both;
  IteratorWalk<Iterator, OwnedKey> walk(iterator, expected);

  walk.seek_to_first();
  while (walk.on_entry())
    walk.next();
  if (backward) {
    walk.seek_to_last();
    while (walk.on_entry())
      walk.prev();
  }

  std::vector<OwnedKey> targets = {OwnedKey()};
  if constexpr (std::is_same_v<OwnedKey, InternalKeyBuffer>) {
    targets = {InternalKeyBuffer(seek_key("", kMaxSequence))};
  }
  const std::size_t step = expected.size() / kSeeks + 1;
  for (std::size_t i = 0; i < expected.size(); i += step) {
    for (auto& target : targets_around(expected[i].first)) {
      targets.push_back(std::move(target));
    }
  }
  if (!expected.empty()) {
    for (auto& target : targets_around(expected.back().first)) {
      targets.push_back(std::move(target));
    }
  }
  for (const OwnedKey& target : targets) {
    walk.seek(target);
    if (walk.on_entry()) walk.next();
    if (!backward) continue;
    walk.seek(target);
    if (walk.on_entry()) walk.prev();
  }

  for (std::size_t i = 0; i < kRandomMoves; i++) {
    if (!walk.on_entry() || random.one_in(8)) {
      switch (random.below(4)) {
        case 0:
          walk.seek_to_first();
          break;
        case 1:
          if (backward) {
            walk.seek_to_last();
            break;
          }
          [[fallthrough]];
        default:
          walk.seek(random.pick(targets));
          break;
      }
    } else if (backward && random.one_in(2)) {
      walk.prev();
    } else {
      walk.next();
    }
  }
}

}  // namespace lsm::test
