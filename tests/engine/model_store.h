// A store with transactions in a hundred lines, and the mistakes that one can
// make in it, each to be chosen: what lsm-check has to find.
//
//   ModelStore store({.no_range_check = true});
//   run_history(plan, store.subject());      // phantoms
//
// It keeps every version in a map, and checks a commit against all that was
// committed since the transaction's snapshot.
// Thread safety: as a store's.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tools/check/workload.h"

namespace lsm::test {

struct Flaws {
  // Of the commit check.
  bool no_write_check = false;  // snapshot: both writers of a key commit
  bool no_read_check = false;   // what was read and found
  bool no_miss_check = false;   // what was read and not there
  bool no_range_check = false;  // what was scanned
  bool no_gap_check = false;    // scanned keys are checked, gaps are not
  bool upper_excluded = false;  // the last key of a range is not checked
  bool lower_excluded = false;  // the first is not
  bool off_by_one = false;      // the first commit after the snapshot is not
  // Of reading.
  bool no_snapshot = false;       // every read sees what is committed by then
  bool old_snapshot = false;      // a snapshot is of some commits ago
  bool not_own = false;           // does not read its own writes
  bool dirty = false;             // sees what is not committed
  bool forgets_rollback = false;  // what is rolled back stays
  bool half_visible = false;      // a snapshot may fall into a commit
  bool resurrects = false;        // a removal brings the older value back
};

class ModelStore {
 public:
  explicit ModelStore(Flaws flaws = {}) : state_(std::make_shared<State>()) {
    state_->flaws = flaws;
  }

  check::Subject subject() const {
    return {.begin = [state = state_](const TransactionOptions& options)
                -> Result<std::unique_ptr<Transaction>> {
      return std::make_unique<ModelTransaction>(state, options.isolation);
    }};
  }

 private:
  using Value = std::optional<std::string>;  // nothing: removed

  struct State {
    Flaws flaws;
    std::mutex mutex;
    Sequence last = 0;
    std::map<std::string, std::map<Sequence, Value>> versions;
    std::map<std::string, Value> dirty;
  };

  class Copy final : public UserIterator {
   public:
    explicit Copy(std::map<std::string, std::string> entries)
        : entries_(std::move(entries)), at_(entries_.end()) {}
    bool valid() const override { return at_ != entries_.end(); }
    void seek(std::string_view target) override {
      at_ = entries_.lower_bound(std::string(target));
    }
    void seek_to_first() override { at_ = entries_.begin(); }
    void seek_to_last() override {
      at_ = entries_.empty() ? entries_.end() : std::prev(entries_.end());
    }
    void next() override { ++at_; }
    void prev() override {
      at_ = at_ == entries_.begin() ? entries_.end() : std::prev(at_);
    }
    std::string_view key() const override { return at_->first; }
    std::string_view value() const override { return at_->second; }
    Result<void> status() const override { return {}; }

   private:
    std::map<std::string, std::string> entries_;
    std::map<std::string, std::string>::iterator at_;
  };

  class ModelTransaction final : public Transaction {
   public:
    ModelTransaction(std::shared_ptr<State> state, Isolation isolation)
        : state_(std::move(state)), isolation_(isolation) {
      const std::lock_guard lock(state_->mutex);
      snapshot_ = state_->last;
      if (flaws().old_snapshot && snapshot_ % 8 == 3) snapshot_ -= 2;
      if (flaws().half_visible && snapshot_ % 4 == 3) snapshot_ -= 1;
    }

    Result<void> put(std::string_view key, std::string_view value) override {
      return write(std::string(key), std::string(value));
    }
    Result<void> remove(std::string_view key) override {
      return write(std::string(key), std::nullopt);
    }
    Result<bool> get(std::string_view key, std::string& value) override {
      const std::lock_guard lock(state_->mutex);
      const std::string name(key);
      if (const auto own = own_.find(name);
          own != own_.end() && !flaws().not_own) {
        value = own->second.value_or("");
        return own->second.has_value();
      }
      const Value found = look(name);
      (found ? reads_ : misses_).insert(name);
      value = found.value_or("");
      return found.has_value();
    }
    // It reads, and may rely on, the whole range.
    std::unique_ptr<UserIterator> scan(ScanRange range) override {
      const std::lock_guard lock(state_->mutex);
      const auto inside = [&](const std::string& key) {
        return (!range.lower || key >= *range.lower) &&
               (!range.upper || key < *range.upper);
      };
      std::map<std::string, std::string> entries;
      for (const auto& [key, versions] : state_->versions) {
        if (!inside(key)) continue;
        if (const Value value = look(key)) entries[key] = *value;
      }
      if (flaws().no_gap_check) {
        for (const auto& [key, value] : entries)
          reads_.insert(key);
      } else {
        ranges_.push_back(range);
      }
      for (const auto& [key, value] : own_) {
        if (!inside(key) || flaws().not_own) continue;
        if (value) entries[key] = *value;
        if (!value) entries.erase(key);
      }
      return std::make_unique<Copy>(std::move(entries));
    }
    Result<void> commit(WriteOptions) override {
      const std::lock_guard lock(state_->mutex);
      if (own_.empty()) return {};
      if (const auto lost = conflict()) {
        if (flaws().forgets_rollback) publish();
        forget_dirty();
        return fail(Code::conflict, *lost);
      }
      publish();
      forget_dirty();
      return {};
    }
    void rollback() override {
      const std::lock_guard lock(state_->mutex);
      if (flaws().forgets_rollback) publish();
      forget_dirty();
    }
    Sequence sequence() const override { return snapshot_; }

   private:
    const Flaws& flaws() const { return state_->flaws; }

    Result<void> write(const std::string& key, Value value) {
      const std::lock_guard lock(state_->mutex);
      own_.insert_or_assign(key, value);
      if (flaws().dirty) state_->dirty.insert_or_assign(key, value);
      return {};
    }
    Value look(const std::string& key) const {
      if (const auto dirty = state_->dirty.find(key);
          dirty != state_->dirty.end()) {
        return dirty->second;
      }
      const auto found = state_->versions.find(key);
      if (found == state_->versions.end()) return std::nullopt;
      const auto& versions = found->second;
      auto it = flaws().no_snapshot ? versions.end()
                                    : versions.upper_bound(snapshot_);
      if (it == versions.begin()) return std::nullopt;
      --it;
      if (!it->second && flaws().resurrects && it->first % 4 == 0 &&
          it != versions.begin()) {
        --it;
      }
      return it->second;
    }

    // Was it written since the snapshot?
    bool newer(const std::string& key) const {
      const auto found = state_->versions.find(key);
      if (found == state_->versions.end()) return false;
      return found->second.rbegin()->first >
             snapshot_ + (flaws().off_by_one ? 1 : 0);
    }
    std::optional<std::string> conflict() const {
      if (isolation_ == Isolation::snapshot) {
        for (const auto& [key, value] : own_) {
          if (newer(key) && !flaws().no_write_check) return key;
        }
        return std::nullopt;
      }
      for (const std::string& key : reads_) {
        if (newer(key) && !flaws().no_read_check) return key;
      }
      for (const std::string& key : misses_) {
        if (newer(key) && !flaws().no_miss_check) return key;
      }
      if (flaws().no_range_check) return std::nullopt;
      for (const ScanRange& range : ranges_) {
        for (const auto& [key, versions] : state_->versions) {
          if (range.lower && key < *range.lower) continue;
          if (flaws().lower_excluded && range.lower && key == *range.lower)
            continue;
          if (range.upper && key >= *range.upper) continue;
          // As if the upper bound were a slot lower.
          if (flaws().upper_excluded && range.upper && !key.empty() &&
              key[0] + 1 >= (*range.upper)[0]) {
            continue;
          }
          if (newer(key)) return key;
        }
      }
      return std::nullopt;
    }
    void publish() {
      if (!flaws().half_visible) ++state_->last;
      for (const auto& [key, value] : own_) {
        if (flaws().half_visible) ++state_->last;
        state_->versions[key].insert_or_assign(state_->last, value);
      }
    }
    void forget_dirty() {
      for (const auto& [key, value] : own_)
        state_->dirty.erase(key);
    }

    const std::shared_ptr<State> state_;
    const Isolation isolation_;
    Sequence snapshot_ = 0;
    std::map<std::string, Value> own_;
    std::set<std::string> reads_;
    std::set<std::string> misses_;
    std::vector<ScanRange> ranges_;
  };

  std::shared_ptr<State> state_;
};

}  // namespace lsm::test
