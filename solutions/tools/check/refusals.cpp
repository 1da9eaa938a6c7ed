#include "tools/check/refusals.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace lsm::check {
namespace {

bool writes(const Operation& operation) {
  return operation.kind == Operation::Kind::put ||
         operation.kind == Operation::Kind::remove;
}

std::set<std::string> keys_written_by(const Trace& trace) {
  std::set<std::string> keys;
  for (const Operation& operation : trace.operations) {
    if (writes(operation)) keys.insert(operation.key);
  }
  return keys;
}

// What a commit asks about.
struct Questions {
  std::set<std::string> keys;
  std::vector<ReadRange> ranges;

  bool about(const std::string& key) const {
    return keys.contains(key) ||
           std::ranges::any_of(ranges, [&](const ReadRange& range) {
             return contains(range, key);
           });
  }
};

Questions questions_of(const Trace& trace, Isolation isolation) {
  if (isolation == Isolation::snapshot) return {keys_written_by(trace), {}};
  Questions questions;
  std::set<std::string> own;
  for (const Operation& operation : trace.operations) {
    if (writes(operation)) {
      own.insert(operation.key);
    } else if (operation.kind == Operation::Kind::scan) {
      questions.ranges.push_back(operation.range);
    } else if (!own.contains(operation.key)) {
      questions.keys.insert(operation.key);
    }
  }
  return questions;
}

// What a store has to know of its recent commits, and no more: the rules of
// recent_commits.h over again, as simply as they can be said. Ticks stand for
// sequences.
class Records {
 public:
  explicit Records(const History& history) : history_(history) {}

  // `writer` has committed.
  void note(const Trace& writer) {
    const auto oldest = oldest_open_at(writer.asked);
    if (!oldest) {
      newest_.clear();
      complete_after_ = writer.end;
      return;
    }
    std::erase_if(newest_, [&](const auto& record) {
      if (record.second.first > *oldest) return false;
      complete_after_ = std::max(complete_after_, record.second.first);
      return true;
    });
    std::size_t place = 0;
    for (const std::string& key : keys_written_by(writer))
      newest_[key] = {writer.end, place++};
    if (bytes() <= history_.max_records_bytes) return;
    while (bytes() > history_.max_records_bytes) {
      const auto gone = std::ranges::min_element(
          newest_, {}, [](const auto& record) { return record.second; });
      complete_after_ = std::max(complete_after_, gone->second.first);
      newest_.erase(gone);
    }
    forced_after_ = complete_after_;
  }

  std::size_t count() const { return newest_.size(); }
  std::uint64_t complete_after() const { return complete_after_; }
  std::uint64_t forced_after() const { return forced_after_; }

 private:
  // The snapshot of the oldest transaction that may still write.
  std::optional<std::uint64_t> oldest_open_at(std::uint64_t tick) const {
    std::optional<std::uint64_t> oldest;
    for (const Trace& trace : history_.traces) {
      if (!trace.may_ask || trace.opened > tick || trace.end < tick) continue;
      oldest = std::min(oldest.value_or(trace.begun), trace.begun);
    }
    return oldest;
  }
  std::size_t bytes() const {
    std::size_t bytes = 0;
    for (const auto& [key, moment] : newest_)
      bytes += key.size() + history_.record_bytes;
    return bytes;
  }

  const History& history_;
  // Of each key its newest commit, and its place there.
  std::map<std::string, std::pair<std::uint64_t, std::size_t>> newest_;
  std::uint64_t complete_after_ = 0;
  std::uint64_t forced_after_ = 0;
};

bool is_printable(const std::string& text) {
  return std::ranges::none_of(
      text, [](char c) { return static_cast<unsigned char>(c) < ' '; });
}

class Judge {
 public:
  Judge(const History& history, Isolation isolation)
      : history_(history), isolation_(isolation), records_(history) {}

  std::vector<Misread> judge() {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < history_.traces.size(); ++i)
      order.push_back(i);
    std::ranges::sort(order, {},
                      [&](std::size_t i) { return history_.traces[i].asked; });
    for (const std::size_t i : order) {
      const Trace& trace = history_.traces[i];
      if (trace.outcome == Outcome::refused) refused(i);
      if (!trace.committed() ||
          std::ranges::none_of(trace.operations, writes)) {
        continue;
      }
      records_.note(trace);
      commits_.push_back(i);
      if (trace.records.value_or(0) > records_.count()) {
        wrong(Fault::hoard, i, fmt::format("{}", *trace.records),
              fmt::format("{}", records_.count()));
      }
    }
    return std::move(wrong_);
  }

 private:
  void wrong(Fault fault, std::size_t trace, std::string seen,
             std::string expected = {}) {
    wrong_.push_back(
        {fault, trace, std::nullopt, {}, std::move(seen), std::move(expected)});
  }

  void refused(std::size_t at) {
    const Trace& trace = history_.traces[at];
    if (!is_printable(trace.refusal)) {
      std::string shown = trace.refusal;
      std::ranges::replace_if(
          shown, [](char c) { return static_cast<unsigned char>(c) < ' '; },
          '?');
      wrong(Fault::raw_bytes, at, std::move(shown));
    }
    if (trace.refusal.find("max_commit_records_bytes") != std::string::npos &&
        records_.forced_after() <= trace.begun) {
      wrong(Fault::false_blame, at, trace.refusal);
    }
    if (records_.complete_after() > trace.begun || has_conflict(trace)) return;
    wrong(Fault::needless, at, trace.refusal);
  }

  bool has_conflict(const Trace& trace) const {
    const Questions questions = questions_of(trace, isolation_);
    for (auto at = commits_.rbegin(); at != commits_.rend(); ++at) {
      const Trace& writer = history_.traces[*at];
      if (writer.end <= trace.begun) break;
      for (const std::string& key : keys_written_by(writer)) {
        if (questions.about(key)) return true;
      }
    }
    return false;
  }

  const History& history_;
  const Isolation isolation_;
  Records records_;
  std::vector<std::size_t> commits_;  // in their order
  std::vector<Misread> wrong_;
};

}  // namespace

std::vector<Misread> refusals_without_reason(const History& history,
                                             Isolation isolation) {
  if (!history.in_turns) return {};
  return Judge(history, isolation).judge();
}

}  // namespace lsm::check
