// Which of two versions of a key is newer? Updates tell, as they read the one
// and wrote the other; lists tell, as they hold their own past; and time tells.
#include <algorithm>
#include <map>
#include <set>
#include <span>

#include "tools/check/graph_builder.h"

namespace lsm::check {

Timeline GraphBuilder::timeline_of(const KeyFacts& facts) const {
  std::vector<Stay> stays;
  for (const int version : facts.versions) {
    if (writer_of(version) < 0) continue;
    const Trace& writer = writer_trace(version);
    stays.push_back({writer.begin, writer.end, version});
  }
  return Timeline(std::move(stays));
}

// Read, then written.
void GraphBuilder::order_updates(KeyFacts& facts) {
  const auto key = static_cast<std::size_t>(&facts - facts_.data());
  std::unordered_map<int, int> own;  // trace to version
  for (const int version : facts.versions)
    own.emplace(writer_of(version), version);
  std::map<int, std::size_t> updated_by;
  for (const Read& read : facts.reads) {
    const auto written = own.find(static_cast<int>(read.trace));
    if (written == own.end() || written->second == read.version) continue;
    facts.newer.push_back({read.version, written->second, Order::read});
    const auto [other, is_new] = updated_by.emplace(read.version, read.trace);
    if (!is_new) {
      misread(
          Fault::lost_update, read.trace, other->second, key,
          shown(graph_.versions[static_cast<std::size_t>(read.version)].value));
    }
  }
}

// Everything in a list was there before what comes behind it.
void GraphBuilder::order_lists(KeyFacts& facts) {
  const auto key = static_cast<std::size_t>(&facts - facts_.data());
  // The version by whose writer an element came.
  std::unordered_map<std::string, int> by_element;
  std::map<std::string, std::pair<std::vector<std::string>, std::size_t>> lists;
  for (const int version : facts.versions) {
    const int writer = writer_of(version);
    if (writer < 0) continue;
    for (const Operation& operation : writer_trace(version).operations) {
      if (operation.kind != Operation::Kind::put ||
          operation.key != graph_.keys[key]) {
        continue;
      }
      auto elements = elements_of(*operation.value);
      if (elements && !elements->empty()) {
        by_element.emplace(elements->back(), version);
      }
    }
  }
  if (by_element.empty()) return;
  for (const Seen& seen : facts.seen) {
    if (!seen.value || lists.contains(*seen.value)) continue;
    if (auto elements = elements_of(*seen.value)) {
      lists.emplace(*seen.value, std::pair(std::move(*elements), seen.trace));
    }
  }
  const std::pair<const std::string,
                  std::pair<std::vector<std::string>, std::size_t>>* longest =
      nullptr;
  for (const auto& list : lists) {
    if (longest == nullptr ||
        list.second.first.size() > longest->second.first.size()) {
      longest = &list;
    }
  }
  std::set<std::pair<int, int>> known;
  for (const auto& list : lists) {
    const auto& [elements, reader] = list.second;
    if (!std::ranges::equal(
            elements,
            std::span(longest->second.first).first(elements.size()))) {
      misread(Fault::forked_list, reader, longest->second.second, key,
              list.first, longest->first);
    }
    for (std::size_t i = 1; i < elements.size(); ++i) {
      const auto older = by_element.find(elements[i - 1]);
      const auto newer = by_element.find(elements[i]);
      if (older == by_element.end() || newer == by_element.end() ||
          older->second == newer->second ||
          !known.emplace(older->second, newer->second).second) {
        continue;
      }
      facts.newer.push_back({older->second, newer->second, Order::list});
    }
  }
}

// Over before the other one began; or somebody saw it so, in between.
void GraphBuilder::order_by_time(KeyFacts& facts) {
  const Timeline writers = timeline_of(facts);
  const auto first = facts.versions.front();
  const auto local = [&](int version) {
    return static_cast<std::size_t>(
        std::ranges::lower_bound(facts.versions, version) -
        facts.versions.begin());
  };
  for (const int version : facts.versions) {
    if (writer_of(version) < 0) continue;
    writers.for_each_after(writer_trace(version).end, [&](int newer) {
      facts.newer.push_back({version, newer, Order::realtime});
    });
  }
  // What follows from all this; only what does not is worth more arrows.
  const std::size_t count = facts.versions.size();
  std::vector<std::vector<std::size_t>> next(count);
  for (const Newer& newer : facts.newer)
    next[local(newer.before)].push_back(local(newer.after));
  std::vector<std::vector<bool>> reached(count);
  const auto reaches = [&](int from, int to) {
    if (from == first) return true;
    std::vector<bool>& seen = reached[local(from)];
    if (seen.empty()) {
      seen.resize(count);
      std::vector<std::size_t> open = {local(from)};
      while (!open.empty()) {
        const std::size_t at = open.back();
        open.pop_back();
        for (const std::size_t to_visit : next[at]) {
          if (seen[to_visit]) continue;
          seen[to_visit] = true;
          open.push_back(to_visit);
        }
      }
    }
    return bool(seen[local(to)]);
  };
  std::set<std::pair<int, int>> known;
  const auto learn = [&](int before, int after, Order order,
                         std::size_t witness) {
    if (before == after || after == first) return;
    if (reaches(before, after) || reaches(after, before)) return;
    if (!known.emplace(before, after).second) return;
    facts.newer.push_back({before, after, order, static_cast<int>(witness)});
  };
  for (const Read& read : facts.reads) {
    const Trace& reader = trace_of(read.trace);
    writers.for_each_before(reader.begin, [&](int older) {
      learn(older, read.version, Order::seen, read.trace);
    });
    writers.for_each_after(reader.end, [&](int newer) {
      learn(read.version, newer, Order::read_before, read.trace);
    });
  }
  // The empty store's is older than all; say so of those that follow nobody.
  std::vector<bool> follows(count);
  for (const Newer& newer : facts.newer)
    follows[local(newer.after)] = true;
  for (std::size_t i = 1; i < count; ++i) {
    if (!follows[i]) {
      facts.newer.push_back({first, facts.versions[i], Order::first});
    }
  }
}

}  // namespace lsm::check
