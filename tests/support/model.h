// What a store must answer, by the simplest means there are: every version of
// every key in nested maps, nothing ever forgotten.
//
//   Model model;
//   model.put("a", "old", 1);
//   model.remove("a", 5);
//   model.get("a", 4);   // "old"
//   model.get("a", 5);   // nothing
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/key.h"

namespace lsm::test {

// A key with its value, as a scan of the store delivers them.
using Row = std::pair<std::string, std::string>;
// A version with its value (empty for a tombstone), as the engine stores it.
using Entry = std::pair<InternalKeyBuffer, std::string>;

class Model {
 public:
  void apply(Kind kind, std::string_view key, std::string_view value,
             Sequence sequence) {
    Version& version = keys_[std::string(key)][sequence];
    version.kind = kind;
    version.value = kind == Kind::put ? std::string(value) : std::string();
  }
  void put(std::string_view key, std::string_view value, Sequence sequence) {
    apply(Kind::put, key, value, sequence);
  }
  void remove(std::string_view key, Sequence sequence) {
    apply(Kind::remove, key, {}, sequence);
  }

  // The newest value of `key` at or below `sequence`.
  std::optional<std::string> get(std::string_view key,
                                 Sequence sequence = kMaxSequence) const {
    const auto found = keys_.find(key);
    if (found == keys_.end()) return std::nullopt;
    return newest(found->second, sequence);
  }

  // Ascending rows with begin <= key < end; no `end` means to the last key.
  std::vector<Row> scan(Sequence sequence = kMaxSequence,
                        std::string_view begin = {},
                        std::optional<std::string_view> end = {}) const {
    std::vector<Row> rows;
    for (auto at = keys_.lower_bound(begin); at != keys_.end(); ++at) {
      if (end.has_value() && at->first >= *end) break;
      if (auto value = newest(at->second, sequence)) {
        rows.emplace_back(at->first, std::move(*value));
      }
    }
    return rows;
  }

  // The same rows, descending.
  std::vector<Row> scan_backward(
      Sequence sequence = kMaxSequence, std::string_view begin = {},
      std::optional<std::string_view> end = {}) const {
    std::vector<Row> rows = scan(sequence, begin, end);
    std::ranges::reverse(rows);
    return rows;
  }

  // Every version there is, in the order of internal keys: what a memtable
  // that was given the same operations holds.
  std::vector<Entry> entries() const {
    std::vector<Entry> all;
    for (const auto& [key, versions] : keys_) {
      for (const auto& [sequence, version] : versions) {
        all.emplace_back(
            InternalKeyBuffer({key, make_tag(sequence, version.kind)}),
            version.value);
      }
    }
    return all;
  }

  // Forgets every version; for a store that lost what was not synced, build
  // the model again from the operations that survived.
  void clear() { keys_.clear(); }
  std::size_t key_count() const { return keys_.size(); }

 private:
  struct Version {
    Kind kind = Kind::put;
    std::string value;
  };
  // Newest first.
  using Versions = std::map<Sequence, Version, std::greater<>>;

  static std::optional<std::string> newest(const Versions& versions,
                                           Sequence sequence) {
    const auto version = versions.lower_bound(sequence);
    if (version == versions.end()) return std::nullopt;
    if (version->second.kind == Kind::remove) return std::nullopt;
    return version->second.value;
  }

  // std::less<> on std::string compares unsigned bytes, as the store does.
  std::map<std::string, Versions, std::less<>> keys_;
};

}  // namespace lsm::test
